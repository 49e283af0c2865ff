"""What a policy says without a mistake, and probably does not mean."""

import pytest

from bot.policy import parsed_policy
from bot.policy.advice import advice

BOTH = '[[grant]]\nto = ["U0ALICE", "U0BOB"]\nmay = ["view", "stop", "bulk"]\n'
ALONE = '[[grant]]\nto = ["U0ALICE"]\nmay = ["view", "stop", "bulk"]\n'
TWO = '[rules]\ntwo_person = ["stop"]\n'
NO_TWO = "[rules]\ntwo_person = []\n"


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        (BOTH + TWO, 0),
        (ALONE + NO_TWO, 0),
        (ALONE, 1),
        (ALONE + TWO, 2),
        (ALONE.replace("U0ALICE", "S0ONCALL") + TWO, 0),
        (ALONE.replace("U0ALICE", "members") + TWO, 0),
        (ALONE + '[[grant]]\nto = ["U0BOB"]\nmay = ["approve"]\n' + TWO, 0),
        (BOTH.replace('"view", ', "") + NO_TWO, 1),
        (BOTH.replace('"view", ', "") + '[[grant]]\nto = ["members"]\nmay = ["view"]\n' + NO_TWO, 0),
    ],
)
def test_an_odd_policy_is_asked_about_and_a_plain_one_is_not(text: str, lines: int) -> None:
    assert len(advice(parsed_policy(text))) == lines


def test_it_names_who_and_what() -> None:
    (stop, bulk) = advice(parsed_policy(ALONE + TWO))
    assert "a stop needs two people, and only U0ALICE can press" in stop
    assert "a bulk stop needs two people" in bulk
    (blind,) = advice(parsed_policy(BOTH.replace('"view", ', "") + NO_TWO))
    assert "grant 1 lets U0ALICE, U0BOB stop what no grant lets them view" in blind

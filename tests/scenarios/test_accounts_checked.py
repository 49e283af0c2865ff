"""Several VoIPBIN accounts on a terminal: `flows-bot check` and `flows-bot policy explain`."""

from collections.abc import Mapping

import pytest

from tests.scenarios.account_stage import AccountStage, two
from tests.scenarios.conftest import ABROAD, ALICE, BOB, INCIDENTS, LOBBY
from tests.scenarios.program import Ended, Program

__all__ = ["two"]


@pytest.fixture
def given(two: AccountStage, enough: Mapping[str, str]) -> dict[str, str]:
    """The variables of a bot with both."""
    variables = {name: value for name, value in enough.items() if not name.startswith("VOIPBIN_")}
    for name, world in two.worlds.items():
        prefix = f"VOIPBIN_ACCOUNT__{name.upper()}__"
        variables |= {f"{prefix}API_URL": f"{two.urls[name]}/v1.0", f"{prefix}ACCESS_KEY": world.access_key}
    return variables


def line(ended: Ended, about: str) -> str:
    (found,) = [line for line in ended.out if line[8:].startswith(f"{about}: ")]
    return found


async def test_each_account_is_looked_at(program: Program, given: dict[str, str]) -> None:
    ended = await program("check", **given)
    assert ended.status == 0, ended
    for name in ("prod", "staging"):
        assert line(ended, f"VoIPBIN ({name})").startswith("ok ")
        assert line(ended, f"credential ({name})").startswith("ok ")
    assert line(ended, "accounts") == "ok      accounts: prod, staging"
    assert line(ended, "policy") == "ok      policy: 2 grants in force"


async def test_a_flow_is_known_when_one_of_the_accounts_has_it(
    program: Program, given: dict[str, str], two: AccountStage
) -> None:
    flow, unknown = two.staging.add_flow("Support line").id, "11111111-2222-4333-8444-555555555555"
    text = two.stage.policy.read_text()
    two.stage.policy.write_text(f'{text}flows = ["{flow}", "{unknown}"]\n')
    ended = await program("check", **given)
    assert unknown in line(ended, "policy ids")
    assert str(flow) not in line(ended, "policy ids")


async def test_what_would_go_wrong_is_named(program: Program, given: dict[str, str], two: AccountStage) -> None:
    same = {**given, "VOIPBIN_ACCOUNT__STAGING__API_URL": f"{two.urls['prod']}/v1.0"}
    same["VOIPBIN_ACCOUNT__STAGING__ACCESS_KEY"] = two.prod.access_key
    ended = await program("check", **same)
    assert ended.status == 1
    assert line(ended, "accounts") == "WRONG   accounts: prod and staging open the same VoIPBIN account"
    ended = await program("check", **{**given, "VOIPBIN_ACCOUNT__STAGING__ACCESS_KEY": "vb_another"})
    assert ended.status == 1
    assert line(ended, "VoIPBIN (staging)").startswith("WRONG ")
    assert line(ended, "VoIPBIN (prod)").startswith("ok ")
    renamed = {name.replace("STAGING", "STAGE"): value for name, value in given.items()}
    ended = await program("check", **renamed)
    assert "The settings have no account staging. Did you mean stage?" in line(ended, "policy")


@pytest.mark.parametrize(
    ("channel", "user", "more", "said"),
    [
        (INCIDENTS, ALICE, (), "allowed by grant 1"),
        (INCIDENTS, BOB, (), "refused: "),
        (LOBBY, BOB, (), "allowed by grant 2"),
        (INCIDENTS, BOB, ("--account", "staging"), "allowed by grant 2"),
        (ABROAD, BOB, (), "refused: "),
    ],
)
async def test_the_policy_is_asked_for_the_account_that_is_meant(
    program: Program, two: AccountStage, channel: str, user: str, more: tuple[str, ...], said: str
) -> None:
    asked = ("policy", "explain", "--user", user, "--channel", channel, "--may", "stop", "--member", *more)
    ended = await program(*asked, "--file", str(two.stage.policy))
    assert ended.out[1].startswith(said), ended
    assert ended.status == (1 if said == "refused: " else 0)


async def test_an_account_that_the_policy_does_not_name_is_a_mistake(program: Program, two: AccountStage) -> None:
    asked = ("policy", "explain", "--user", BOB, "--channel", LOBBY, "--may", "stop", "--member", "--account", "stagin")
    ended = await program(*asked, "--file", str(two.stage.policy))
    assert ended.status == 2
    assert ended.err == ["--account: the policy names no such account. Did you mean staging?"]

"""`/flows find`: who may look for what, what is said of what is hidden, and how often one may look for a number."""

import re
import sqlite3
from contextlib import closing
from uuid import uuid4

from bot.activeflows.search.number_search import MOST
from bot.demo.voipbin.state import Activeflow
from bot.demo.voipbin.world import World
from bot.slack import ids
from tests.scenarios.conftest import ALICE, BOB, GUEST, POLICY, Stage
from tests.scenarios.test_find import CALLER, DESK, SHOWN, calling, other, shown
from tests.scenarios.typing_at import answers

__all__ = ["calling", "other"]


async def test_whoever_may_view_nothing_is_refused_before_anything_is_asked(bot: Stage, voipbin: World) -> None:
    seen = len(voipbin.requests)
    for typed in ("0171 555 77310", "support"):
        assert "You can't" in (await answers(bot, f"find {typed}", user=GUEST)).words
    assert len(voipbin.requests) == seen


async def test_what_one_may_not_view_is_answered_like_what_is_not_there(
    stage: Stage, voipbin: World, calling: Activeflow, other: Activeflow
) -> None:
    grant = f'[[grant]]\nto = ["{BOB}"]\nmay = ["view"]\nflows = ["{other.flow_id}"]\n'
    stage.policy.write_text(grant, encoding="utf-8")
    alike = [
        ("0171 555 77310", "0171 555 77210"),
        (str(calling.id), str(uuid4())),
        (str(calling.reference_id), str(uuid4())),
        ("support", "xylophone"),
    ]
    async with stage.start():
        for hidden, absent in alike:
            said = [await answers(stage, f"find {typed}", user=BOB) for typed in (hidden, absent)]
            assert [shown(answer) for answer in said] == [[], []]
            words = [_without(answer.words, typed) for answer, typed in zip(said, (hidden, absent), strict=True)]
            assert words[0] == words[1]
            for secret in ("Support line", SHOWN, "Call from"):
                assert secret not in words[0]
        answer = await answers(stage, f"find {calling.id.hex[:8]}", user=BOB)
        assert shown(answer) == []
        assert shown(await answers(stage, "find 089 555 01000", user=BOB)) == [str(other.id)]


def _without(words: str, typed: str) -> str:
    """Without what was typed, and the instants."""
    return re.sub(r"\d\d:\d\d(:\d\d)?", "…", words.replace(typed, "…"))


async def test_the_last_digits_find_nothing_for_whoever_may_not_reveal(
    stage: Stage, calling: Activeflow, other: Activeflow
) -> None:
    async with stage.start():
        endings = ("5557 7310", "71 555 77310", "171 5555 7310")
        for typed in endings:
            answer = await answers(stage, f"find {typed}")
            assert shown(answer) == []
            assert "None of the calls checked has a number ending in 10" in answer.words
    stage.policy.write_text(f'{POLICY}\n[[grant]]\nto = ["{ALICE}"]\nmay = ["reveal"]\n', encoding="utf-8")
    async with stage.start():
        assert shown(await answers(stage, "find 5557 7310")) == [str(calling.id)]


async def test_each_search_for_a_number_is_recorded_before_and_after_so_many_no_more_are_made(
    bot: Stage, voipbin: World, calling: Activeflow
) -> None:
    for _ in range(MOST // 3):
        await answers(bot, f"find {CALLER} {DESK} 0171 000 99999")
    walks = len(voipbin.requests_to("GET", "/calls"))
    assert "You have searched 30 phone numbers in an hour" in (await answers(bot, f"find {CALLER}")).words
    assert len(voipbin.requests_to("GET", "/calls")) == walks
    assert shown(await answers(bot, "find support line")) == [str(calling.id)]
    assert shown(await answers(bot, f"find {CALLER}", user=BOB)) == [str(calling.id)]
    record = (await answers(bot, "audit")).words
    assert "looked for 3 phone numbers, ending in 10, 00, 99: allowed by grant 1" in record


async def test_what_cannot_be_recorded_is_not_looked_for(
    bot: Stage, voipbin: World, calling: Activeflow, sqlite_url: str
) -> None:
    with closing(sqlite3.connect(sqlite_url.removeprefix("sqlite:///"))) as ledger:
        ledger.execute("CREATE TRIGGER full BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'no'); END")
        ledger.commit()
    assert "could not be recorded, so nothing is shown" in (await answers(bot, f"find {CALLER}")).words
    assert voipbin.requests_to("GET", "/calls") == []


async def test_whoever_may_only_view_gets_no_stop(bot: Stage, calling: Activeflow) -> None:
    answer = await answers(bot, "find 0171 555 77310", user=BOB)
    assert {button.action_id for button in answer.buttons} == {ids.SHOW}

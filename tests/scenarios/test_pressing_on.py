"""Somebody who may not presses on: each press is answered, few are written down, and whoever may is carried out at
once.
"""

import asyncio

import pytest

from bot.activeflows.records import OFFERS
from bot.demo.slack import faults as slack_faults
from bot.demo.slack.messages import Message
from bot.demo.slack.workspace import Workspace
from bot.demo.voipbin.world import World
from bot.ledger.tables import audit, intents
from bot.slack import ids
from tests.scenarios.conftest import ALICE, BOB, GUEST, INCIDENTS, POLICY, Stage
from tests.scenarios.test_unrecorded import recorded, rows

FEW = 3
UNTOLD = 10
MORE = 20
FLOOD = 300
_WIRES = 20
REFUSED = "You can't stop this"
UNKNOWN = "Slack did not tell me who you are"


def refusals(slack: Workspace, user: str, words: str = REFUSED) -> list[Message]:
    return [m for m in slack.sees(user, INCIDENTS) if m.ephemeral_to == user and words in m.words]


async def press_on(slack: Workspace, user: str, card: Message, count: int) -> None:
    wires = asyncio.Semaphore(_WIRES)

    async def once() -> None:
        async with wires:
            assert (await slack.clicks(user, card, ids.STOP_FLOW)).error is None

    await asyncio.gather(*(once() for _ in range(count)))


@pytest.mark.slow
async def test_three_hundred_presses_of_a_guest_are_answered_and_three_are_written_down(
    stage: Stage, slack: Workspace, voipbin: World, sqlite_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    async with stage.start():
        card = await stage.asks_to_stop(voipbin.rings(at="play"))
        others = [voipbin.rings(at="play") for _ in range(FEW + 2)]
        cards = [await stage.asks_to_stop(one) for one in others]
        flood = asyncio.create_task(press_on(slack, GUEST, card, FLOOD))
        await slack.until(lambda: len(refusals(slack, GUEST)) > FEW)
        for one in cards:
            assert (await slack.clicks(ALICE, one, ids.STOP_FLOW)).error is None
        await slack.until(lambda: all(stage.posts(one) == 1 for one in others), seconds=120)
        await flood
        await slack.until(lambda: len(refusals(slack, GUEST, "")) >= FLOOD, seconds=240)
        assert recorded(sqlite_url) == FEW + len(others)
        assert rows(sqlite_url, audit.c.what).count("refused") == FEW
    said = [line for line in capsys.readouterr().out.splitlines() if "refusals_not_recorded" in line]
    assert len(said) == 1
    assert GUEST in said[0]
    assert f"count={FLOOD - FEW}" in said[0]


async def test_whoever_may_by_now_is_carried_out_however_often_they_were_refused(
    stage: Stage, slack: Workspace, voipbin: World, sqlite_url: str
) -> None:
    async with stage.start():
        activeflow = voipbin.rings(at="play")
        card = await stage.asks_to_stop(activeflow)
        await press_on(slack, BOB, card, 2 * FEW)
        await slack.until(lambda: len(refusals(slack, BOB)) == 2 * FEW)
        stage.policy.write_text(f'{POLICY}\n[[grant]]\nto = ["{BOB}"]\nmay = ["stop"]\n', encoding="utf-8")
        await slack.until(lambda: rows(sqlite_url, audit.c.what).count("policy") == 2)
        await slack.clicks(BOB, card, ids.STOP_FLOW)
        await stage.reads("Stopped by @Bob")
        assert stage.posts(activeflow) == 1


async def test_presses_that_slack_never_says_who_made_are_bounded_and_whoever_may_is_carried_out_when_it_does(
    stage: Stage, slack: Workspace, voipbin: World, sqlite_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    async with stage.start():
        activeflow = voipbin.rings(at="play")
        card = await stage.asks_to_stop(activeflow)
        slack.faults.on("users.info", slack_faults.error("fatal_error"), times=None)
        await slack.tells({"type": "user_change", "user": {"id": ALICE}})
        for user in (GUEST, ALICE):
            await press_on(slack, user, card, FEW + UNTOLD + MORE)
        await slack.until(
            lambda: all(len(refusals(slack, one, UNKNOWN)) == FEW + UNTOLD + MORE for one in (GUEST, ALICE))
        )
        assert recorded(sqlite_url) == 2 * (FEW + UNTOLD)
        assert stage.posts(activeflow) == 0
        slack.faults.clear()
        await slack.clicks(ALICE, card, ids.STOP_FLOW)
        await stage.reads("Stopped by @Alice")
    assert stage.posts(activeflow) == 1
    said = [line for line in capsys.readouterr().out.splitlines() if "refusals_not_recorded" in line]
    assert all(any(one in line and f"count={MORE}" in line for line in said) for one in (GUEST, ALICE))


async def test_stops_typed_by_a_guest_again_and_again_are_refused_and_three_are_written_down(
    bot: Stage, slack: Workspace, voipbin: World, sqlite_url: str
) -> None:
    activeflow = voipbin.rings(at="play")
    for _ in range(2 * FEW):
        await slack.types(GUEST, INCIDENTS, f"/flows stop {activeflow.id}")
    await slack.until(lambda: len(refusals(slack, GUEST, "Nothing was done.")) == 2 * FEW)
    assert rows(sqlite_url, audit.c.what).count("refused") == FEW


async def test_a_viewers_refused_stops_are_offered_to_others_so_often_and_no_draft_is_kept_beyond_that(
    bot: Stage, slack: Workspace, voipbin: World, sqlite_url: str
) -> None:
    activeflow = voipbin.rings(at="play")
    for _ in range(OFFERS + FEW):
        await slack.types(BOB, INCIDENTS, f"/flows stop {activeflow.id}")
    await slack.until(lambda: len(refusals(slack, BOB, "Nothing was done.")) == OFFERS + FEW)
    assert len(rows(sqlite_url, intents.c.id)) == OFFERS

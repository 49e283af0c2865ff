"""Callers who stay on the line although their activeflows were stopped in bulk: named, and hung up by a button."""

import re
from functools import partial

import pytest

from bot.activeflows.records import RecordKind
from bot.demo.slack.messages import Button, Message
from bot.demo.voipbin.faults import Fault, status
from bot.demo.voipbin.state import Activeflow
from bot.demo.voipbin.world import World
from tests.scenarios.bulk_stage import BulkStage, bulk
from tests.scenarios.conftest import ALICE, BOB, CAROL, Stage
from tests.scenarios.test_after_the_end import only_looks
from tests.scenarios.test_bulk_permission import records

__all__ = ["bulk"]


@pytest.fixture(autouse=True)
def hang_ups_are_lost(voipbin: World) -> None:
    voipbin.telephony.loses_hangups = True


async def all_ended(bulk: BulkStage) -> tuple[Message, str]:
    """The card, and its words when everything has ended."""
    card = await bulk.asks("type:call")
    await bulk.presses(card)
    return card, await bulk.over(card)


async def hangs_up(stage: Stage, card: Message, activeflow: Activeflow, *, user: str = CAROL) -> None:
    """Presses that caller's button on the card as it stands."""
    now = stage.slack.message(card.channel, card.ts)
    button = next(b for b in now.buttons if called(b) == f"Hang up the call of {activeflow.id.hex[:8]}")
    delivery = await stage.slack.clicks(user, now, "call.hang_up", value=button.value)
    assert delivery.error is None


def called(button: Button) -> str:
    """What a screen reader says."""
    return str(button.element.get("accessibility_label", ""))


def can_be_hung_up(stage: Stage, card: Message) -> list[str]:
    buttons = stage.slack.message(card.channel, card.ts).buttons
    return [called(b).removeprefix("Hang up the call of ") for b in buttons if b.action_id == "call.hang_up"]


def gone(stage: Stage, card: Message, activeflow: Activeflow) -> bool:
    return activeflow.id.hex[:8] not in can_be_hung_up(stage, card)


def hang_ups(voipbin: World, activeflow: Activeflow) -> int:
    return len(voipbin.requests_to("POST", f"/calls/{activeflow.reference_id}/hangup"))


async def test_they_are_named_with_a_button_each_and_the_way_out(stage: Stage, bulk: BulkStage, voipbin: World) -> None:
    loops = bulk.ring(3, voipbin.add_flow("Support line"))
    unreadable = f"/calls/{loops[2].reference_id}"
    voipbin.faults.on("GET", unreadable, status(503, "SERVICE_UNAVAILABLE"), times=None)
    async with stage.start():
        card, words = await all_ended(bulk)
        commands = await bulk.way_out(card)
    short = [each.id.hex[:8] for each in loops]
    assert re.search(f"Ended, and the caller is still on the line, as of 20[^,]+ UTC: {short[0]}, {short[1]}[.]", words)
    assert re.search(f"not known whether the caller was hung up, as of 20[^,]+ UTC: {short[2]}", words)
    calls = " ".join(str(each.reference_id) for each in loops)
    assert f"for id in {calls}; do vn calls hangup $id; done" in commands
    assert can_be_hung_up(stage, card) == short


@pytest.mark.slow
async def test_one_after_the_other_is_hung_up_by_whoever_may_stop_it(
    stage: Stage, bulk: BulkStage, voipbin: World, sqlite_url: str
) -> None:
    loops = bulk.ring(7, voipbin.add_flow("Support line"))
    async with stage.start():
        card, _ = await all_ended(bulk)
        assert can_be_hung_up(stage, card) == [each.id.hex[:8] for each in loops[:5]]
        await hangs_up(stage, card, loops[1], user=BOB)
        refused = await stage.reads("You can't stop this", user=BOB)
        assert "their press on the card counts" in refused.words
        assert refused.buttons == []
        assert hang_ups(voipbin, loops[1]) == 0
        await hangs_up(stage, card, loops[1])
        words = await bulk.says(card, f"Hung up, after @Carol pressed Hang up the call: {loops[1].id.hex[:8]}")
        assert words.startswith("All 7 have ended")
        left = [each.id.hex[:8] for each in loops if each is not loops[1]]
        assert re.search(f"still on the line, as of 20[^,]+ UTC: {', '.join(left)}[.]", words)
        assert can_be_hung_up(stage, card) == left[:5]
        assert str(loops[1].reference_id) not in words
        for each in (one for one in loops if one is not loops[1]):
            await hangs_up(stage, card, each)
            await stage.slack.until(partial(gone, stage, card, each))
        assert can_be_hung_up(stage, card) == []
        assert "on the line" not in bulk.now(card)
    assert [hang_ups(voipbin, each) for each in loops] == [1] * 7
    written = [r for r in records(sqlite_url) if r.activeflow_id == loops[1].id and r.detail.get("wish") == "hang_up"]
    assert [(r.what, r.who) for r in written] == [
        (RecordKind.REFUSED, BOB), (RecordKind.PRESSED, CAROL), (RecordKind.SENDING, CAROL), (RecordKind.OUTCOME, CAROL),
    ]  # fmt: skip
    assert written[-1].detail["outcome"] == "hung_up"


@pytest.mark.parametrize(("trouble", "sent"), [(only_looks, 1), (status(500, "INTERNAL"), 2)])
async def test_a_press_that_did_nothing_is_said_and_can_be_made_again(
    trouble: Fault, sent: int, stage: Stage, bulk: BulkStage, voipbin: World
) -> None:
    loops = bulk.ring(2, voipbin.add_flow("Support line"))
    voipbin.faults.on("POST", "/calls/{id}/hangup", trouble, times=sent)
    async with stage.start():
        card, _ = await all_ended(bulk)
        await hangs_up(stage, card, loops[0])
        words = await bulk.says(card, "Still up, after @Carol pressed Hang up the call: ")
        assert can_be_hung_up(stage, card) == [each.id.hex[:8] for each in loops]
        assert "Receipt" in words
        await hangs_up(stage, card, loops[0], user=ALICE)
        words = await bulk.says(card, f"Hung up, after @Alice pressed Hang up the call: {loops[0].id.hex[:8]}")
    assert "Still up" not in words
    assert can_be_hung_up(stage, card) == [loops[1].id.hex[:8]]


async def test_two_are_hung_up_at_once_and_neither_is_forgotten(stage: Stage, bulk: BulkStage, voipbin: World) -> None:
    loops = bulk.ring(2, voipbin.add_flow("Support line"))
    async with stage.start():
        card, _ = await all_ended(bulk)
        await hangs_up(stage, card, loops[0])
        await hangs_up(stage, card, loops[1], user=ALICE)
        await stage.slack.until(lambda: not can_be_hung_up(stage, card))
    assert (
        f"Hung up, after @Alice, @Carol pressed Hang up the call: {loops[0].id.hex[:8]}, {loops[1].id.hex[:8]}"
        in bulk.now(card)
    )


async def test_callers_who_were_hung_up_are_not_spoken_of(stage: Stage, bulk: BulkStage, voipbin: World) -> None:
    voipbin.telephony.loses_hangups = False
    bulk.ring(3, voipbin.add_flow("Support line"))
    async with stage.start():
        _, words = await all_ended(bulk)
    assert "on the line" not in words
    assert "hung up" not in words
    assert "vn " not in words

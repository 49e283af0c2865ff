"""What cannot be written down is not done: a ledger that breaks at any moment of a press stops nothing, and that is
said.
"""

import sqlite3
from contextlib import closing
from dataclasses import replace

import pytest

from bot.demo.slack.messages import Message
from bot.demo.slack.workspace import Workspace
from bot.demo.voipbin import faults
from bot.demo.voipbin.state import Activeflow
from bot.demo.voipbin.world import World
from tests.scenarios.bulk_stage import BulkStage, bulk
from tests.scenarios.conftest import ALICE, BOB, CAROL, INCIDENTS, Stage

__all__ = ["bulk"]


def loses(url: str, table: str) -> None:
    """The database breaks in the plainest way: a table is not there any more."""
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"), timeout=15)) as database:
        database.execute(f"ALTER TABLE {table} RENAME TO {table}_gone")


def finds(url: str, table: str) -> None:
    """And is there again."""
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"), timeout=15)) as database:
        database.execute(f"ALTER TABLE {table}_gone RENAME TO {table}")


async def asked(bot: Stage, voipbin: World) -> tuple[Activeflow, Message]:
    activeflow = voipbin.rings(voipbin.add_flow("Support line"), at="play")
    return activeflow, await bot.asks_to_stop(activeflow)


@pytest.mark.parametrize("table", ["workflow_status", "intents", "audit"])
async def test_a_press_that_cannot_be_recorded_stops_nothing_and_is_answered(
    table: str, bot: Stage, slack: Workspace, voipbin: World, sqlite_url: str
) -> None:
    activeflow, card = await asked(bot, voipbin)
    loses(sqlite_url, table)
    assert (await slack.clicks(ALICE, card, "stop.flow")).error is None
    told = await bot.reads("Without a record I stop nothing")
    assert told.ephemeral_to == ALICE
    assert voipbin.activeflow(activeflow.id).status == "running"
    assert bot.posts(activeflow) == 0


async def test_a_ledger_that_breaks_straight_before_the_stop_stops_nothing(
    bot: Stage, slack: Workspace, voipbin: World, sqlite_url: str
) -> None:
    activeflow, card = await asked(bot, voipbin)
    look = faults.hold(after_work=True)
    voipbin.faults.on("GET", "/activeflows/{id}", look)
    await slack.clicks(ALICE, card, "stop.flow")
    await look.arrived()
    loses(sqlite_url, "audit")
    look.release()
    said = await bot.reads("Nothing was stopped: the ledger", user=BOB)
    assert said.ts == card.ts
    assert bot.posts(activeflow) == 0


async def test_a_stop_that_cannot_be_written_down_is_not_even_asked_about(
    bot: Stage, slack: Workspace, voipbin: World, sqlite_url: str
) -> None:
    activeflow = voipbin.rings(at="play")
    loses(sqlite_url, "audit")
    await slack.types(ALICE, INCIDENTS, f"/flows stop {activeflow.id}")
    assert (await bot.reads("The record could not be written")).ephemeral_to == ALICE
    assert not [m for m in slack.sees(BOB, INCIDENTS) if "Stop this activeflow?" in m.words]


async def test_a_press_on_a_bulk_card_that_cannot_be_begun_stops_nothing_and_is_answered(
    stage: Stage, bulk: BulkStage, voipbin: World, sqlite_url: str
) -> None:
    loops = bulk.ring(3, voipbin.add_flow("Support line"))
    async with stage.start():
        card = await bulk.asks("type:call")
        loses(sqlite_url, "intents")
        await bulk.presses(card)
        told = await stage.reads("Without a record I stop nothing", user=CAROL)
    assert told.ephemeral_to == CAROL
    assert bulk.running(loops) == loops


async def a_hang_up_at_voipbin(
    stage: Stage, bulk: BulkStage, voipbin: World, *, many: bool
) -> tuple[Message, faults.Hold]:
    """A call that stayed up after a stop, *Hang up* pressed for it: the card, and what holds VoIPBIN's answer."""
    voipbin.telephony.loses_hangups = True
    activeflow = bulk.ring(1, voipbin.add_flow("Support line"))[0]
    card = await (bulk.asks("type:call") if many else stage.asks_to_stop(activeflow))
    await bulk.presses(card, button="bulk.stop" if many else "stop.flow")
    await bulk.says(card, "on the line" if many else "Call: still up")
    hanging_up = faults.hold()
    voipbin.faults.on("POST", "/calls/{id}/hangup", hanging_up)
    await bulk.presses(card, button="call.hang_up")
    await hanging_up.arrived()
    return card, hanging_up


@pytest.mark.parametrize(("many", "table"), [(False, "intents"), (True, "bulks")])
async def test_a_hang_up_whose_card_cannot_be_found_any_more_is_told_to_whoever_pressed(
    many: bool, table: str, stage: Stage, bulk: BulkStage, voipbin: World, sqlite_url: str
) -> None:
    async with stage.start():
        _, hanging_up = await a_hang_up_at_voipbin(stage, bulk, voipbin, many=many)
        loses(sqlite_url, table)
        hanging_up.release()
        told = await stage.reads("The call was hung up. The card could not be changed", user=CAROL)
    assert told.ephemeral_to == CAROL


@pytest.mark.parametrize(("many", "table"), [(False, "intents"), (True, "bulks")])
async def test_a_hang_up_that_could_not_be_told_on_its_card_is_told_there_when_the_ledger_is_back(
    many: bool, table: str, stage: Stage, bulk: BulkStage, voipbin: World, sqlite_url: str
) -> None:
    """Also long after the stop, when nobody looks at the call any more."""
    stage.patience = replace(stage.patience, follow_for=0)
    async with stage.start():
        card, hanging_up = await a_hang_up_at_voipbin(stage, bulk, voipbin, many=many)
        loses(sqlite_url, table)
        hanging_up.release()
        await stage.reads("The call was hung up. The card could not be changed", user=CAROL)
        finds(sqlite_url, table)
        await stage.slack.until(lambda: not hang_ups(stage, card))


def hang_ups(stage: Stage, card: Message) -> list[str]:
    now = next(message for message in stage.slack.sees(CAROL, INCIDENTS) if message.ts == card.ts)
    return [button.action_id for button in now.buttons if button.action_id == "call.hang_up"]

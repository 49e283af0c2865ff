"""A run of a press that another run has taken over changes no card any more, whatever it was waiting for."""

import asyncio

from sqlalchemy import select, text, update

from bot.demo.slack import faults as slack_faults
from bot.demo.slack.workspace import Workspace
from bot.demo.voipbin import faults
from bot.demo.voipbin.world import World
from bot.ledger.database import engine_for
from bot.ledger.tables import bulks, runs
from bot.slack import ids
from tests.scenarios.bulk_stage import BulkStage, bulk
from tests.scenarios.conftest import ALICE, Stage
from tests.scenarios.test_metrics import scraped
from tests.scenarios.test_unwritten import finds, loses
from tests.scenarios.typing_at import answers

__all__ = ["bulk"]


def taken_over(url: str) -> None:
    """As another replica does that thinks this one dead."""
    engine = engine_for(url)
    with engine.begin() as connection:
        assert connection.execute(update(runs).values(number=runs.c.number + 1)).rowcount
    engine.dispose()


async def test_an_edit_that_waited_for_its_turn_is_not_made(
    stage: Stage, slack: Workspace, voipbin: World, sqlite_url: str
) -> None:
    """It is thawed between the POST and *Stopping…*, while another card of the same activeflow is being changed."""
    async with stage.start():
        activeflow = voipbin.rings(at="play")
        other, card = await stage.asks_to_stop(activeflow), await stage.asks_to_stop(activeflow)
        before = slack.message(card.channel, card.ts).words
        cancelling = slack.faults.on("chat.update", slack_faults.hold())
        await slack.clicks(ALICE, other, ids.CANCEL_STOP)
        assert cancelling.hold is not None
        await cancelling.hold.arrived()
        stop = faults.hold()
        voipbin.faults.on("POST", "/activeflows/{id}/stop", stop)
        await slack.clicks(ALICE, card, ids.STOP_FLOW)
        await stop.arrived()
        taken_over(sqlite_url)
        cancelling.hold.release()
        await slack.until(lambda: "cancelled this card" in slack.message(other.channel, other.ts).words)
        assert "stop: yes" in (await answers(stage, "whoami")).words
        stop.release()
    assert slack.message(card.channel, card.ts).words == before


async def test_a_run_whose_workflow_is_another_ones_remembers_nothing_and_says_nothing(
    stage: Stage, slack: Workspace, voipbin: World, sqlite_url: str
) -> None:
    """It is thawed while its POST is answered; the other replica has not begun yet, and will clear up what that POST
    did.
    """
    async with stage.start():
        activeflow = voipbin.rings(at="play")
        card = await stage.asks_to_stop(activeflow)
        stop = faults.hold(after_work=True)
        voipbin.faults.on("POST", "/activeflows/{id}/stop", stop)
        await slack.clicks(ALICE, card, ids.STOP_FLOW)
        await stop.arrived()
        await slack.until(lambda: "Stopping" in slack.message(card.channel, card.ts).words)
        engine = engine_for(sqlite_url)
        with engine.begin() as connection:  # as DBOS does in another process that recovers it
            connection.execute(text("UPDATE workflow_status SET owner_xid = NULL, executor_id = 'another'"))
        stop.release()
        assert "stop: yes" in (await answers(stage, "whoami")).words
    with engine.begin() as connection:
        remembered = connection.execute(text("SELECT function_name FROM operation_outputs ORDER BY function_id"))
        assert remembered.scalars().all() == ["begin", "admit", "claim"]
        assert connection.execute(text("SELECT status FROM workflow_status")).scalar() == "PENDING"
    engine.dispose()
    assert "Stopping" in slack.message(card.channel, card.ts).words
    assert not [message for message in slack.sees(ALICE, card.channel) if "stuck" in message.words]


async def test_what_became_of_a_bulk_stop_is_not_written_by_a_run_that_another_one_has_outdone(
    stage: Stage, slack: Workspace, bulk: BulkStage, voipbin: World, sqlite_url: str
) -> None:
    """It is taken over while it waits for a ledger that did not take the end at first."""
    bulk.ring(1, voipbin.add_flow("Support line"))
    async with stage.start():
        card = await bulk.asks("type:call")
        await slack.until(lambda: voipbin.requests_to("GET", "/campaigncalls"))
        looking = faults.hold()
        voipbin.faults.on("GET", "/campaigncalls", looking)
        await bulk.presses(card)
        await looking.arrived()
        drawing = slack.faults.on("chat.update", slack_faults.hold()).hold
        assert drawing is not None
        loses(sqlite_url, "bulks")
        looking.release()
        await drawing.arrived()
        taken_over(sqlite_url)
        finds(sqlite_url, "bulks")
        drawing.release()
        async with asyncio.timeout(30):
            while (await scraped(stage))["flows_bot_presses_under_way"]:
                await slack.next_change(0.05)
    engine = engine_for(sqlite_url)
    with engine.begin() as connection:
        assert connection.execute(select(bulks.c.state)).scalar() == "stopping"
    engine.dispose()

"""A run of a press that another run has taken over changes no card any more, whatever it was waiting for."""

from sqlalchemy import update

from bot.demo.slack import faults as slack_faults
from bot.demo.slack.workspace import Workspace
from bot.demo.voipbin import faults
from bot.demo.voipbin.world import World
from bot.ledger.database import engine_for
from bot.ledger.tables import runs
from bot.slack import ids
from tests.scenarios.conftest import ALICE, Stage
from tests.scenarios.typing_at import answers


def taken_over(url: str) -> None:
    """As another replica does that thinks this one dead."""
    engine = engine_for(url)
    with engine.begin() as connection:
        assert connection.execute(update(runs).values(number=runs.c.number + 1)).rowcount == 1
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

"""Nobody's questions keep what needs no question waiting."""

from bot.demo.slack.workspace import Workspace
from bot.demo.voipbin import faults
from bot.demo.voipbin.world import World
from bot.slack.transport.jobs import EACH
from tests.scenarios.conftest import ALICE, INCIDENTS, Stage
from tests.scenarios.typing_at import answers


async def test_what_needs_no_voipbin_is_answered_while_ones_own_questions_hang(
    bot: Stage, slack: Workspace, voipbin: World
) -> None:
    activeflow = voipbin.rings(at="play")
    held = faults.hold()
    voipbin.faults.on("GET", "/activeflows/{id}", held, times=None)
    for _ in range(EACH):
        await slack.types(ALICE, INCIDENTS, f"/flows show {activeflow.id}")
    await held.arrived()
    assert "stop" in (await answers(bot, "help")).words
    held.release()

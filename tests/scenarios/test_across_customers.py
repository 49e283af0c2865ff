"""A credential that sees other customers' activeflows, as VoIPBIN's own staff have one, is no leave to touch them.

VoIPBIN guards a customer's objects by the credential's role, so with such a credential it answers 200 for a pasted id
of anybody's. The bot holds every activeflow against the account it was introduced to.
"""

import pytest
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from bot.demo.slack.workspace import Workspace
from bot.demo.voipbin import wire
from bot.demo.voipbin.state import Activeflow
from bot.demo.voipbin.world import World
from tests.scenarios.conftest import ALICE, INCIDENTS, Stage


@pytest.fixture
def foreign(voipbin: World) -> Activeflow:
    """Somebody else's, which this VoIPBIN shows all the same."""
    return voipbin.rings(at="digits_receive", customer=voipbin.add_customer("Somebody else"))


def shows(voipbin: World, activeflow: Activeflow) -> None:
    async def everybody(_: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        await JSONResponse(wire.activeflow(activeflow))(scope, receive, send)

    voipbin.faults.on("GET", f"/activeflows/{activeflow.id}", everybody, times=None)
    voipbin.faults.on("POST", f"/activeflows/{activeflow.id}/stop", everybody, times=None)


@pytest.mark.parametrize("command", ["show", "stop"])
async def test_a_pasted_id_of_another_customer_is_left_alone(
    command: str, bot: Stage, slack: Workspace, voipbin: World, foreign: Activeflow
) -> None:
    shows(voipbin, foreign)
    await slack.types(ALICE, INCIDENTS, f"/flows {command} {foreign.id}")
    refusal = await bot.reads("does not let me read")
    assert refusal.ephemeral_to == ALICE
    assert "keypad" not in refusal.words
    assert bot.posts(foreign) == 0


async def test_a_card_from_before_the_account_was_changed_stops_nothing(
    stage: Stage, slack: Workspace, voipbin: World
) -> None:
    activeflow = voipbin.rings(at="digits_receive")
    other = voipbin.add_access_key(customer=voipbin.add_customer("Somebody else"))
    async with stage.start():
        card = await stage.asks_to_stop(activeflow)
    shows(voipbin, activeflow)
    async with stage.start(voipbin_access_key=other.token):
        await slack.clicks(ALICE, card, "stop.flow")
        assert "belongs to another customer" in (await stage.reads("Nothing was stopped")).words
    assert stage.posts(activeflow) == 0

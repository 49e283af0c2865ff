"""A restart of the bot: what was acked before is answered, and what is stopped meanwhile is told."""

import asyncio
import logging

import httpx
import pytest

from bot.composition.bootstrap import running
from bot.demo.slack.workspace import Workspace
from bot.demo.voipbin import faults
from bot.demo.voipbin.world import World
from tests.scenarios.conftest import ALICE, INCIDENTS, Stage


@pytest.mark.parametrize(("typed", "answer"), [("list", "1 running"), ("stop {}", "Stop this activeflow?")])
async def test_what_was_acked_is_answered_before_the_bot_is_gone(
    typed: str, answer: str, stage: Stage, slack: Workspace, voipbin: World
) -> None:
    activeflow = voipbin.rings(voipbin.add_flow("Support line"), at="play")
    point = faults.hold()
    async with stage.start():
        voipbin.faults.on("GET", "*", point, times=None)
        await slack.types(ALICE, INCIDENTS, f"/flows {typed.format(activeflow.id)}")
        await point.arrived()
        asyncio.get_running_loop().call_later(2.5, point.release)  # everything else is long over by then
    assert any(answer in message.words for message in slack.sees(ALICE, INCIDENTS))


async def test_a_stop_in_hand_is_finished_and_told_before_the_bot_is_gone(
    stage: Stage, slack: Workspace, voipbin: World
) -> None:
    activeflow = voipbin.rings(voipbin.add_flow("Support line"), at="play")
    point = faults.hold()
    async with stage.start():
        card = await stage.asks_to_stop(activeflow)
        voipbin.faults.on("POST", "*", point)
        await slack.clicks(ALICE, card, "stop.flow")
        await point.arrived()
        asyncio.get_running_loop().call_later(0.2, point.release)
    assert slack.message(card.channel, card.ts).words.startswith("Stopped\n")
    assert stage.posts(activeflow) == 1


async def test_a_notice_that_a_press_is_slow_ends_with_the_bot(stage: Stage, slack: Workspace, voipbin: World) -> None:
    """Else it would ask a ledger that is closed. Who takes the press over says what there is to say."""
    activeflow = voipbin.rings(voipbin.add_flow("Support line"), at="play")
    point = faults.hold()
    async with running(stage.settings(), last_words=0.1) as bot:
        slack.request_url = f"http://127.0.0.1:{bot.port}/slack/events"
        card = await stage.asks_to_stop(activeflow)
        voipbin.faults.on("GET", "/activeflows/{id}", point)
        await slack.clicks(ALICE, card, "stop.flow")
        await point.arrived()
        assert [task for task in asyncio.all_tasks() if "_reassure" in repr(task)]
    point.release()
    await asyncio.sleep(0)
    assert [task for task in asyncio.all_tasks() if "_reassure" in repr(task)] == []


async def test_what_the_durable_workflows_log_goes_where_all_logs_go(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    """DBOS would open a console of its own: unscrubbed, and on a stream that may be closed before the bot is."""
    async with stage.start():
        logging.getLogger("dbos").warning("a workflow ran twice")
        assert "a workflow ran twice" in caplog.text
    assert [type(handler) for handler in logging.getLogger("dbos").handlers] == [logging.NullHandler]


async def test_a_bot_that_ends_says_so_before_its_port_closes(stage: Stage, slack: Workspace) -> None:
    bot = stage.start(flows_bot_drain_seconds=4)
    await bot.__aenter__()
    async with httpx.AsyncClient(base_url=stage.url) as balancer:
        assert (await balancer.get("/readyz")).status_code == 200
        ending = asyncio.create_task(bot.__aexit__(None, None, None))
        async with asyncio.timeout(30):
            while (answer := await balancer.get("/readyz")).status_code == 200:
                pass  # it was not told yet
        assert answer.json()["missing"] == [{"what": "flows-bot", "why": "is being stopped"}]
        await slack.types(ALICE, INCIDENTS, "/flows whoami")  # whoever comes meanwhile is served
        await ending
        with pytest.raises(httpx.ConnectError):
            await balancer.get("/readyz")
    assert any("What you can do here" in message.words for message in slack.sees(ALICE, INCIDENTS))

"""A bot that is frozen (SIGSTOP, as a paused machine is) acts on nothing that was true before it slept."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from bot.activeflows.records import RecordKind
from bot.demo.voipbin.faults import hold
from bot.demo.voipbin.world import World
from tests.faults.processes import Processes
from tests.faults.truth import Audit, last_word, present, stop_requests
from tests.scenarios.conftest import ALICE, Stage

_TAKEN_OVER_WITHIN = 60.0
_ONE = "/activeflows/{id}"


async def longer_than_a_look_is_good_for() -> None:
    """By the clock that goes on while a process is frozen; nothing else tells how old a look is."""
    until = time.monotonic() + 2.0
    while time.monotonic() < until:  # noqa: ASYNC110 # nobody tells when a clock has gone on
        await asyncio.sleep(0.05)


@pytest.mark.parametrize("moved", [True, False])
async def test_frozen_between_its_look_and_its_stop_it_looks_again(
    moved: bool, stage: Stage, voipbin: World, processes: Processes, audit: Audit
) -> None:
    bot = await processes.start()
    caller = voipbin.rings(voipbin.add_flow("Support line"), at="digits_receive")
    card, look = await stage.asks_to_stop(caller), hold(after_work=True)
    voipbin.faults.on("GET", _ONE, look)
    await stage.slack.clicks(ALICE, card, "stop.flow")
    await look.arrived()
    async with bot.frozen():
        look.release()
        await longer_than_a_look_is_good_for()
        if moved:
            voipbin.moves_to(caller, "confbridge_join")
    if moved:
        await stage.reads("This call has moved on")
    else:
        await stage.reads("Stopped by")
    assert len(stop_requests(voipbin, caller)) == int(not moved)
    audit.assert_whole()


@pytest.fixture
async def shared(postgresql_url: str) -> AsyncIterator[Audit]:
    audit = Audit(postgresql_url)
    yield audit
    audit.close()


@pytest.mark.slow
async def test_frozen_and_taken_over_it_sends_nothing_and_edits_nothing_any_more(
    stage: Stage, voipbin: World, processes: Processes, postgresql_url: str, shared: Audit
) -> None:
    """It slept between the look and the POST; the other one found the caller with an agent, and asked once more."""
    first, second = [processes.ready(flows_bot_database_url=postgresql_url) for _ in range(2)]
    await processes.run(first)
    await second.run()
    caller = voipbin.rings(voipbin.add_flow("Support line"), at="digits_receive")
    card, look = await stage.asks_to_stop(caller), hold(after_work=True)
    voipbin.faults.on("GET", _ONE, look)
    await stage.slack.clicks(ALICE, card, "stop.flow")
    await look.arrived()
    async with first.frozen():
        look.release()
        voipbin.moves_to(caller, "confbridge_join")
        await stage.slack.until(
            lambda: "This call has moved on" in present(stage, card).words, seconds=_TAKEN_OVER_WITHIN
        )
    await first.until_ready()
    other = voipbin.rings(at="play")
    stage.slack.request_url = f"{first.url}/slack/events"
    another = await stage.asks_to_stop(other)
    await stage.slack.clicks(ALICE, another, "stop.flow")
    await last_word(stage, another)  # by now the first one has done whatever it would do
    assert "This call has moved on" in present(stage, card).words
    assert stop_requests(voipbin, caller) == []
    assert shared.records(caller.id, RecordKind.SENDING) == []
    shared.assert_whole()

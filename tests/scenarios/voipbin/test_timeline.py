"""The timeline through the real client: one request as a rule, two at most, and what it says when there is none."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.activeflows.errors import Failure, VoIPBINBroken
from bot.activeflows.situation.history import step_times
from bot.demo.voipbin import faults
from bot.demo.voipbin.clock import StandingClock, utc_now
from bot.demo.voipbin.state import Activeflow, Step
from bot.demo.voipbin.world import World
from bot.voipbin import VoIPBINClient

EVENTS = "/timelines/activeflows/{id}/events"


@pytest.fixture
def clock() -> StandingClock:
    return StandingClock(utc_now() - timedelta(minutes=10))


@pytest.fixture
def world(clock: StandingClock) -> World:
    return World(now=clock)


def lived(world: World, clock: StandingClock, *seconds: float) -> Activeflow:
    """It came to each of its steps so many seconds after the one before."""
    steps = [Step("play") for _ in seconds]
    activeflow = world.rings(world.add_flow("Support", steps), at="answer", executed=[])
    for step, pause in zip(steps, seconds, strict=True):
        clock.passes(pause)
        world.moves_to(activeflow, step)
    return activeflow


async def test_every_step_is_timed_with_one_request(client: VoIPBINClient, world: World, clock: StandingClock) -> None:
    lives = lived(world, clock, 1, 20, 0.25)
    timeline = await client.timeline(lives.id)
    shown = await client.activeflow(lives.id)
    began = [at for at in step_times(shown, timeline) if at is not None]
    assert [round((at - lives.tm_create).total_seconds(), 2) for at in began] == [0, 1, 21, 21.25]
    (asked,) = world.requests_to("GET", EVENTS)
    assert asked.query == "page_size=1000"


async def test_two_pages_are_read_and_no_more(client: VoIPBINClient, world: World, clock: StandingClock) -> None:
    lives = lived(world, clock, 1)
    events = world.records.timeline[lives.id]
    events[:0] = [replace(events[0], at=events[0].at - timedelta(milliseconds=n)) for n in range(3000, 0, -1)]
    timeline = await client.timeline(lives.id)
    assert len(world.requests_to("GET", EVENTS)) == 2
    assert len(timeline.moments) == 2000
    assert step_times(await client.activeflow(lives.id), timeline)[2] == lives.tm_update


async def test_an_unknown_one_and_a_store_in_trouble_are_failures(client: VoIPBINClient, world: World) -> None:
    lives = world.rings(world.add_flow("Support"), at="play")
    world.faults.on("GET", EVENTS, faults.status(500, "INTERNAL"), times=None)
    with pytest.raises(VoIPBINBroken):
        await client.timeline(lives.id)
    world.faults.clear()
    world.faults.on("GET", EVENTS, faults.broken_json(), times=None)
    with pytest.raises(Failure):
        await client.timeline(lives.id)


async def test_what_began_before_a_moment_is_found_however_long_ago(
    client: VoIPBINClient, world: World, clock: StandingClock
) -> None:
    first, second, third = (world.rings(created_at=clock() - timedelta(hours=hours)) for hours in (3, 2, 1))
    found = await client.begun_before(second.tm_create + timedelta(seconds=10))
    assert [one.id for one in found] == [second.id, first.id]
    assert third.id not in {one.id for one in found}

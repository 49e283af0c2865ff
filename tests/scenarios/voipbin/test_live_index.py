"""The index follows a VoIPBIN over real sockets: what it holds is what runs there, and it says when that is in
doubt.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs

import pytest

from bot.demo.serving import serving
from bot.demo.voipbin import faults
from bot.demo.voipbin.api import voipbin_app
from bot.demo.voipbin.event_stream import EventStream
from bot.demo.voipbin.world import World
from bot.voipbin import Login, VoIPBINClient
from bot.voipbin.live.live_index import IndexPace, LiveIndex
from tests.scenarios.voipbin.conftest import Connect

QUICK = IndexPace(repair_every=3600, down_every=0.1, failed_again=0.05, patience=5, connect_again=(0.02,), lasting=0)


@pytest.fixture
def events(world: World) -> EventStream:
    return EventStream(world)


@pytest.fixture
async def url(world: World, events: EventStream) -> AsyncIterator[str]:
    async with serving(voipbin_app(world, events)) as root:
        yield f"{root}/v1.0"


@asynccontextmanager
async def live_index(client: VoIPBINClient, pace: IndexPace = QUICK) -> AsyncIterator[LiveIndex]:
    await client.introduce()
    async with client.live_index(pace).at_work() as live_index:
        yield live_index


async def until(true: Callable[[], bool], seconds: float = 5) -> None:
    async with asyncio.timeout(seconds):
        while not true():  # noqa: ASYNC110 — the world tells nobody
            await asyncio.sleep(0.01)


def truth(world: World) -> dict[str, str]:
    """Of everything that runs, the step it is at."""
    rows = [a for a in world.records.activeflows if a.customer_id == world.customer.id and a.tm_delete is None]
    return {str(a.id): str(a.current_action.id) for a in rows if a.status == "running"}


def held(live_index: LiveIndex) -> dict[str, str]:
    return {str(a.id): str(a.current.id) for a in live_index.index.newest_first()}


async def whole(live_index: LiveIndex) -> None:
    """Until all there is has been read."""
    async with asyncio.timeout(30):
        while (picture := await live_index.running(max_age=3600)) is None or picture.complete_since is not None:  # noqa: ASYNC110 — nobody is told
            await asyncio.sleep(0.01)


async def test_what_runs_is_known_after_the_start_and_after_every_change(client: VoIPBINClient, world: World) -> None:
    flow = world.add_flow("Support")
    old = [world.rings(flow, created_at=datetime.now(UTC) - timedelta(minutes=n)) for n in range(150)]
    world.stop(old[3])
    async with live_index(client) as follower:
        await until(lambda: follower.live)
        assert held(follower) == truth(world)
        await whole(follower)
        world.stop(old[5])
        world.moves_to(old[7], "talk")
        world.rings(flow)
        world.telephony.deletes(old[9])
        await until(lambda: held(follower) == truth(world))
        asked = len(world.requests)
        picture = await follower.running(max_age=0)
        assert len(world.requests) == asked
    assert picture is not None
    assert picture.freshness is not None
    assert picture.freshness.live
    assert [a.id for a in picture.activeflows][1:4] == [old[0].id, old[1].id, old[2].id]


@pytest.mark.parametrize(("cap", "number"), [(50, 180), (1, 12)])
async def test_pages_shorter_than_asked_for_are_not_the_end_of_the_list(
    client: VoIPBINClient, world: World, cap: int, number: int
) -> None:
    began = datetime.now(UTC)
    for minutes in range(number):
        world.rings(created_at=began - timedelta(minutes=minutes))
    world.limits.page = cap
    async with live_index(client) as follower:
        await until(lambda: follower.live, 30)
        await whole(follower)
        assert held(follower) == truth(world)


@pytest.mark.parametrize("form", ["bare", "wrapped", "both"])
async def test_events_in_every_form_and_out_of_order_are_understood(
    client: VoIPBINClient, world: World, events: EventStream, form: str
) -> None:
    events.form, events.unordered = form, 7
    flow = world.add_flow("Support")
    async with live_index(client) as follower:
        await until(lambda: follower.live)
        rung = [world.rings(flow) for _ in range(30)]
        for activeflow in rung:
            world.moves_to(activeflow, "talk")
            world.moves_to(activeflow, "play")
        for activeflow in rung[::2]:
            world.stop(activeflow)
        events.flush()
        await until(lambda: held(follower) == truth(world))


async def test_the_credential_is_in_a_header_and_never_in_the_address(
    client: VoIPBINClient, connect: Connect, world: World, events: EventStream
) -> None:
    async with live_index(client) as follower:
        await until(lambda: follower.live)
    async with live_index(await connect(Login(world.username, world.password))) as follower:
        await until(lambda: follower.live)
    by_key, by_token = events.asked
    assert by_key.headers["cookie"] == f"accesskey={world.access_key}"
    assert by_token.headers["authorization"].startswith("Bearer ")
    assert [seen.query for seen in events.asked] == ["", ""]
    assert not any(parse_qs(seen.query).keys() - {"page_size", "page_token"} for seen in world.requests)


async def test_a_cut_stream_is_said_and_what_happened_meanwhile_is_read(
    client: VoIPBINClient, world: World, events: EventStream
) -> None:
    flow = world.add_flow("Support")
    rung = [world.rings(flow) for _ in range(20)]
    async with live_index(client) as follower:
        await until(lambda: follower.live)
        events.refuses_with = 200
        await events.drops_all()
        await until(lambda: not follower.live)
        world.stop(rung[0])
        world.telephony.deletes(rung[1])
        world.moves_to(rung[2], "talk")
        world.rings(flow)
        picture = await follower.running(max_age=0)
        assert picture is not None
        assert picture.freshness is not None
        assert picture.freshness.down_since is not None
        assert not picture.freshness.live
        assert held(follower) == truth(world)
        events.refuses_with = None
        await until(lambda: follower.live)
        assert held(follower) == truth(world)


async def test_a_socket_that_goes_deaf_is_noticed_by_its_silence(
    connect: Connect, world: World, events: EventStream
) -> None:
    client = await connect()
    assert client._stream is not None
    client._stream._ping_every = 0.1
    async with live_index(client) as follower:
        await until(lambda: follower.live)
        hears_again = events.goes_deaf()
        await until(lambda: len(events.asked) > 1 and follower.live)
        hears_again()


async def test_a_stream_that_is_silent_about_what_the_list_shows_is_left_for_a_new_one(
    client: VoIPBINClient, world: World, events: EventStream
) -> None:
    async with live_index(client) as follower:
        await until(lambda: follower.live)
        events.muted = True
        world.rings(world.add_flow("Support"), created_at=datetime.now(UTC) - timedelta(seconds=30))
        follower._due.set()  # the schedule's turn
        await until(lambda: len(events.asked) > 1 and follower.live)
        assert held(follower) == truth(world)


async def test_events_dropped_by_an_overflow_are_found_by_the_next_reading(
    client: VoIPBINClient, world: World, events: EventStream
) -> None:
    events.buffer = 5
    flow = world.add_flow("Support")
    async with live_index(client, IndexPace(repair_every=0.1, down_every=0.1, connect_again=(0.02,))) as follower:
        await until(lambda: follower.live)
        rung = [world.rings(flow) for _ in range(40)]
        for activeflow in rung[::2]:
            world.stop(activeflow)
        assert events.dropped
        await until(lambda: held(follower) == truth(world))


async def test_a_bot_that_may_not_listen_reads_the_list(
    client: VoIPBINClient, world: World, events: EventStream
) -> None:
    events.refuses_with = 403
    world.rings(world.add_flow("Support"))
    async with live_index(client) as follower:
        picture = await follower.running(max_age=5)
        assert picture is not None
        assert len(picture.activeflows) == 1
        assert picture.freshness is not None
        assert not picture.freshness.live


async def test_while_somebody_asks_it_is_read_again_before_it_is_too_old_and_nobody_waits_for_that(
    client: VoIPBINClient, world: World, events: EventStream
) -> None:
    events.refuses_with = 403
    world.rings(world.add_flow("Support"))
    async with live_index(client, replace(QUICK, down_every=3600)) as follower:
        await whole(follower)
        await until(lambda: follower.since is not None)  # the stream is known to be down, which is read after once
        read = await follower.running(max_age=0)
        assert read is not None
        assert follower._good is not None
        loop, began = asyncio.get_running_loop(), follower._good[1]
        held_up = faults.hold()
        world.faults.on("GET", "/activeflows", held_up, times=None)
        answered = 0
        async with asyncio.timeout(30):
            while not held_up.waiting or not answered:
                picture = await follower.running(max_age=loop.time() - began + 0.5)
                assert picture is not None
                assert picture.as_of == read.as_of
                answered += 1
                await asyncio.sleep(0.01)
        assert held_up.waiting == 1
        held_up.release()
        await until(lambda: follower.read_at != read.as_of)


async def test_a_voipbin_that_answers_nothing_gives_no_picture(
    client: VoIPBINClient, world: World, events: EventStream
) -> None:
    await client.introduce()
    events.refuses_with = 503
    world.faults.on("GET", "/activeflows", faults.status(503, "SERVICE_UNAVAILABLE"), times=None)
    async with client.live_index(QUICK).at_work() as follower:
        assert await follower.running(max_age=5) is None


async def test_others_activeflows_never_get_in(client: VoIPBINClient, world: World, events: EventStream) -> None:
    other = world.add_customer("Somebody else")
    async with live_index(client) as follower:
        await until(lambda: follower.live)
        world.rings(customer=other)
        mine = world.rings()
        await until(lambda: bool(held(follower)))
        assert list(held(follower)) == [str(mine.id)]

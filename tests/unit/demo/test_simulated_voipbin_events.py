"""The simulated WebSocket has the real one's habits, seen by a real client."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from bot.demo.serving import serving
from bot.demo.voipbin.api import voipbin_app
from bot.demo.voipbin.clock import StandingClock
from bot.demo.voipbin.event_stream import EventStream
from bot.demo.voipbin.world import World


@pytest.fixture
def events(world: World) -> EventStream:
    return EventStream(world)


@pytest.fixture
async def url(world: World, events: EventStream) -> AsyncIterator[str]:
    async with serving(voipbin_app(world, events)) as root:
        yield f"{root.replace('http', 'ws', 1)}/v1.0/ws"


def opened(url: str, world: World) -> connect:
    return connect(url, additional_headers={"Cookie": f"accesskey={world.access_key}"}, proxy=None)


async def subscribed(socket: ClientConnection, events: EventStream, *topics: str) -> None:
    before = events.connected
    await socket.send(json.dumps({"type": "subscribe", "topics": topics}))
    async with asyncio.timeout(30):
        while events.connected == before:  # noqa: ASYNC110 — the protocol has no acknowledgement
            await asyncio.sleep(0.005)


async def heard(socket: ClientConnection, number: int) -> list[dict[str, Any]]:
    async with asyncio.timeout(30):
        return [json.loads(await socket.recv()) for _ in range(number)]


async def test_every_change_comes_twice_under_the_topic_that_both_names_begin_with(
    url: str, world: World, events: EventStream
) -> None:
    async with opened(url, world) as socket:
        await subscribed(socket, events, f"customer_id:{world.customer.id}:activeflow")
        rung = world.rings(reference_type="api")
        world.stop(rung)
        told = await heard(socket, 4)
    assert [frame["id"] for frame in told] == [str(rung.id)] * 4
    assert [frame["status"] for frame in told] == ["running", "running", "ended", "ended"]
    assert "type" not in told[0]


async def test_a_prefix_may_be_a_kind_of_event(url: str, world: World, events: EventStream) -> None:
    async with opened(url, world) as socket:
        await subscribed(socket, events, f"customer_id:{world.customer.id}:activeflow:activeflow_u")
        rung = world.rings(reference_type="api")
        world.stop(rung)
        assert [frame["status"] for frame in await heard(socket, 1)] == ["ended"]


async def test_a_topic_of_somebody_else_closes_the_socket_without_a_word(url: str, world: World) -> None:
    other = world.add_customer("Somebody else")
    async with opened(url, world) as socket:
        await socket.send(json.dumps({"type": "subscribe", "topics": [f"customer_id:{other.id}"]}))
        with pytest.raises(ConnectionClosed):
            await socket.recv()


@pytest.mark.parametrize(("headers", "status"), [({}, 401), ({"Cookie": "accesskey=vb_wrong"}, 401)])
async def test_nobody_listens_without_a_credential(url: str, headers: dict[str, str], status: int) -> None:
    with pytest.raises(InvalidStatus) as refused:
        await connect(url, additional_headers=headers, proxy=None)
    assert refused.value.response.status_code == status


async def test_it_can_answer_200_instead_of_an_upgrade(url: str, world: World, events: EventStream) -> None:
    events.refuses_with = 200
    with pytest.raises(InvalidStatus) as refused:
        await opened(url, world)
    assert refused.value.response.status_code == 200
    assert [seen.status for seen in events.asked] == [200]


async def test_old_deployments_wrap_their_events(url: str, world: World, events: EventStream) -> None:
    events.form = "both"
    async with opened(url, world) as socket:
        await subscribed(socket, events, f"customer_id:{world.customer.id}:activeflow:activeflow_")
        rung = world.rings(reference_type="api")
        bare, wrapped = await heard(socket, 2)
    assert bare["id"] == str(rung.id)
    assert (wrapped["type"], wrapped["data"]) == ("activeflow_created", bare)


async def test_changes_may_change_places_and_none_is_lost(url: str, world: World, events: EventStream) -> None:
    events.unordered = 5
    async with opened(url, world) as socket:
        await subscribed(socket, events, f"customer_id:{world.customer.id}:activeflow:activeflow_c")
        rung = [str(world.rings(reference_type="api").id) for _ in range(20)]
        events.flush()
        told = [frame["id"] for frame in await heard(socket, 20)]
    assert told != rung
    assert sorted(told) == sorted(rung)


async def test_what_does_not_fit_into_the_buffer_is_dropped(
    url: str, world: World, events: EventStream, clock: StandingClock
) -> None:
    events.buffer = 3
    async with opened(url, world) as socket:
        await subscribed(socket, events, f"customer_id:{world.customer.id}:activeflow:activeflow_c")
        for _ in range(10):  # at once: nobody can take them out meanwhile
            world.rings(reference_type="api")
        assert len(await heard(socket, 3)) == 3
    assert events.dropped == 7


async def test_a_deaf_server_answers_no_ping_and_a_mute_one_does(url: str, world: World, events: EventStream) -> None:
    async with opened(url, world) as socket:
        await subscribed(socket, events, f"customer_id:{world.customer.id}")
        events.muted = True
        async with asyncio.timeout(30):
            await (await socket.ping())
        hear_again = events.goes_deaf()
        pong = await socket.ping()
        _, unanswered = await asyncio.wait([asyncio.ensure_future(pong)], timeout=0.1)
        assert unanswered
        hear_again()
        async with asyncio.timeout(30):
            await pong


async def test_a_cut_cable_ends_every_socket(url: str, world: World, events: EventStream) -> None:
    async with opened(url, world) as socket:
        await subscribed(socket, events, f"customer_id:{world.customer.id}")
        await events.drops_all()
        with pytest.raises(ConnectionClosed) as ended:
            await socket.recv()
    assert ended.value.rcvd is None

"""A picture over the wire: whole, shared, within the budget, and honest when it is not whole."""

import asyncio
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs

import pytest

from bot.activeflows.errors import VoIPBINBroken, VoIPBINUnreachable
from bot.activeflows.model import Status
from bot.demo.voipbin import faults
from bot.demo.voipbin.world import World
from bot.voipbin import VoIPBINClient, WalkBounds
from tests.scenarios.voipbin.conftest import Connect


async def test_a_picture_holds_all_running_and_ended_newest_first(client: VoIPBINClient, world: World) -> None:
    flow = world.add_flow("Support")
    began = datetime.now(UTC)
    rung = [world.rings(flow, created_at=began - timedelta(seconds=number)) for number in range(250)]
    for activeflow in rung[::3]:
        world.ends(activeflow)
    picture = await client.picture()
    assert [row.id for row in picture.activeflows] == [activeflow.id for activeflow in rung]
    assert {row.status for row in picture.activeflows} == {Status.RUNNING, Status.ENDED}
    assert (picture.complete_since, picture.stopped_because, picture.unreadable) == (None, "", 0)


async def test_rows_of_the_same_microsecond_across_a_page_border_are_all_there(
    client: VoIPBINClient, world: World
) -> None:
    flow, moment = world.add_flow("Campaign"), datetime.now(UTC)
    older = [world.rings(flow, created_at=moment - timedelta(seconds=1)) for _ in range(90)]
    newer = [world.rings(flow, created_at=moment) for _ in range(60)]
    picture = await client.picture()
    assert {row.id for row in picture.activeflows} == {activeflow.id for activeflow in older + newer}
    assert picture.complete_since is None


async def test_only_what_voipbin_reads_is_asked_for(client: VoIPBINClient, world: World) -> None:
    await client.picture()
    assert parse_qs(world.requests[0].query).keys() == {"page_size", "page_token"}


async def test_a_look_under_way_is_shared_and_a_fresh_one_reused(client: VoIPBINClient, world: World) -> None:
    hold = faults.hold()
    world.faults.on("GET", "/activeflows", hold)
    looking = [asyncio.create_task(client.picture()) for _ in range(10)]
    await hold.arrived()
    hold.release()
    pictures = await asyncio.gather(*looking)
    assert all(picture is pictures[0] for picture in pictures)
    assert await client.picture(max_age=60) is pictures[0]
    assert await client.picture(max_age=0) is not pictures[0]
    assert len(world.requests) == 2


async def test_while_somebody_asks_the_next_look_begins_before_the_last_is_too_old_and_nobody_waits_for_it(
    client: VoIPBINClient, world: World
) -> None:
    read = await client.picture()
    assert client._known.look is not None
    began, hold = client._known.look[0], faults.hold()
    world.faults.on("GET", "/activeflows", hold, times=None)
    async with asyncio.timeout(30):
        while not hold.waiting:
            assert await client.picture(max_age=client._clock() - began + 0.5) is read
            await asyncio.sleep(0.01)
    hold.release()
    assert await client.picture(max_age=0) is not read
    assert hold.waiting == 1


async def test_a_failure_after_the_first_page_leaves_an_honest_half(client: VoIPBINClient, world: World) -> None:
    flow, began = world.add_flow("Support"), datetime.now(UTC)
    rung = [world.rings(flow, created_at=began - timedelta(seconds=number)) for number in range(150)]
    hold = faults.hold()
    world.faults.on("GET", "/activeflows", hold)
    looking = asyncio.create_task(client.picture())
    await hold.arrived()
    world.faults.on("GET", "/activeflows", faults.status(503, "REQUEST_TIMEOUT"), times=None)
    hold.release()
    picture = await looking
    assert picture.stopped_because == "failed"
    assert len(picture.activeflows) == 100
    assert picture.complete_since is not None
    assert rung[98].tm_create >= picture.complete_since > rung[99].tm_create


async def test_a_failure_at_the_first_page_is_an_error_and_is_not_remembered(
    client: VoIPBINClient, world: World
) -> None:
    scripted = world.faults.on("GET", "/activeflows", faults.status(503, "REQUEST_TIMEOUT"), times=None)
    with pytest.raises(VoIPBINUnreachable):
        await client.picture()
    scripted.clear()
    assert (await client.picture()).complete_since is None


async def test_the_past_is_read_up_to_a_number_of_pages_and_said_so(connect: Connect, world: World) -> None:
    flow, began = world.add_flow("Support"), datetime.now(UTC)
    for number in range(500):
        world.rings(flow, created_at=began - timedelta(minutes=number), status="ended")
    picture = await (await connect(bounds=WalkBounds(max_pages=3))).picture()
    assert picture.stopped_because == "pages"
    assert len(picture.activeflows) == 298
    assert picture.complete_since is not None


async def test_within_its_budget_the_bot_never_meets_the_customers_limit(connect: Connect, world: World) -> None:
    flow, began = world.add_flow("Support"), datetime.now(UTC)
    for number in range(900):
        world.rings(flow, created_at=began - timedelta(seconds=number))
    world.limits.enabled, world.limits.rate, world.limits.burst = True, 60.0, 6
    client = await connect(budget=50.0)
    picture = await client.picture()
    assert len(picture.activeflows) == 900
    assert world.limits.refused == 0


async def test_the_newest_hundred_are_one_question(client: VoIPBINClient, world: World) -> None:
    flow, began = world.add_flow("Support"), datetime.now(UTC)
    rung = [world.rings(flow, created_at=began - timedelta(seconds=number)) for number in range(120)]
    assert [row.id for row in await client.newest()] == [activeflow.id for activeflow in rung[:100]]
    assert len(world.requests) == 1


async def test_the_newest_that_cannot_be_read_are_a_failure(client: VoIPBINClient, world: World) -> None:
    world.faults.on("GET", "/activeflows", faults.broken_json(), times=None)
    with pytest.raises(VoIPBINBroken):
        await client.newest()


async def test_nothing_personal_of_a_running_call_is_in_a_picture(client: VoIPBINClient, world: World) -> None:
    world.rings(world.add_flow("Support"), source="+15550100007", webhook_uri="https://u:hush@hooks.example.com")
    found = repr(await client.picture())
    assert "+1555" not in found
    assert "hush" not in found


@pytest.mark.parametrize("rows", [50, 1])
async def test_a_cap_lower_than_what_is_asked_for_is_not_the_end_of_the_list(
    client: VoIPBINClient, world: World, rows: int
) -> None:
    begun = [
        world.rings(created_at=world.clock.instant() - timedelta(seconds=number))
        for number in range(180 if rows > 1 else 12)
    ]
    world.limits.page = rows
    picture = await client.picture()
    assert {one.id for one in picture.activeflows} == {one.id for one in begun}
    assert picture.complete_since is None

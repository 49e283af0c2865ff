"""The simulated list of activeflows pages like the real one, with its losses."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.demo.voipbin.clock import StandingClock
from bot.demo.voipbin.records import Table
from bot.demo.voipbin.state import Queue
from bot.demo.voipbin.world import World

NOON = datetime(2026, 8, 20, 12, tzinfo=UTC)


async def ids(api: httpx.AsyncClient, **query: str | int) -> list[str]:
    answer = await api.get("/activeflows", params=query)
    assert answer.status_code == 200
    return [row["id"] for row in answer.json()["result"]]


async def test_an_empty_list_has_an_empty_token(api: httpx.AsyncClient) -> None:
    assert (await api.get("/activeflows")).json() == {"result": [], "next_page_token": ""}


async def test_the_newest_comes_first_and_ended_ones_stay(world: World, api: httpx.AsyncClient) -> None:
    older, newer = world.rings(), world.rings()
    world.ends(older)
    assert await ids(api) == [str(newer.id), str(older.id)]


async def test_unknown_parameters_are_ignored_and_look_as_if_they_worked(world: World, api: httpx.AsyncClient) -> None:
    ended = world.rings(status="ended")
    assert await ids(api, status="running", flow_id="x") == [str(ended.id)]


async def test_the_last_page_carries_a_token_of_six_digits(world: World, api: httpx.AsyncClient) -> None:
    world.rings(created_at=datetime(2026, 8, 20, 6, 0, 0, 500_000, tzinfo=UTC))
    page = (await api.get("/activeflows")).json()
    assert page["next_page_token"] == "2026-08-20T06:00:00.500000Z"
    assert page["result"][0]["tm_create"] == "2026-08-20T06:00:00.5Z"
    following = await api.get("/activeflows", params={"page_token": page["next_page_token"]})
    assert following.json()["result"] == []


@pytest.mark.parametrize(("asked", "given"), [("1", 1), ("100", 100), ("101", 100), ("0", 100), ("-3", 100), ("5", 5)])
async def test_a_page_size_out_of_range_silently_means_a_hundred(
    world: World, api: httpx.AsyncClient, asked: str, given: int
) -> None:
    for _ in range(120):
        world.rings()
    assert len(await ids(api, page_size=asked)) == given


async def test_a_page_size_that_is_no_number_is_refused(api: httpx.AsyncClient) -> None:
    answer = await api.get("/activeflows", params={"page_size": "abc"})
    assert (answer.status_code, answer.json()["error"]["reason"]) == (400, "INVALID_REQUEST_PARAMETER")


async def test_rows_that_share_the_border_microsecond_of_a_page_are_lost(world: World, api: httpx.AsyncClient) -> None:
    for _ in range(3):
        world.rings(created_at=NOON)
    first = (await api.get("/activeflows", params={"page_size": 2})).json()
    assert len(first["result"]) == 2
    assert await ids(api, page_size=2, page_token=first["next_page_token"]) == []


async def test_a_row_stamped_later_than_the_clock_of_the_edge_is_not_seen_yet(
    world: World, api: httpx.AsyncClient, clock: StandingClock
) -> None:
    early = world.rings(created_at=clock() + timedelta(seconds=2))
    assert await ids(api) == []
    clock.passes(3)
    assert await ids(api) == [str(early.id)]


async def test_garbage_as_a_token_reaches_the_database_which_refuses_it(api: httpx.AsyncClient) -> None:
    for garbage in ("yesterday", "2026-13-45T99:00:00Z"):
        answer = await api.get("/activeflows", params={"page_token": garbage})
        assert (answer.status_code, answer.json()["error"]["reason"]) == (400, "INVALID_ARGUMENT")


async def test_deleted_rows_and_other_customers_rows_are_not_listed(world: World, api: httpx.AsyncClient) -> None:
    world.rings(customer=world.add_customer("Somebody else"))
    world.telephony.deletes(world.rings())
    assert await ids(api) == []


async def test_calls_page_as_activeflows_do_and_a_leg_names_the_call_that_placed_it(
    world: World, api: httpx.AsyncClient
) -> None:
    first = world.rings(created_at=NOON - timedelta(seconds=9))
    leg = world.connects(first, "+15550100003")
    world.rings(customer=world.add_customer("Somebody else"))
    newest = (await api.get("/calls", params={"page_size": 1})).json()
    assert [(row["id"], row["master_call_id"]) for row in newest["result"]] == [(str(leg.id), str(first.reference_id))]
    older = (await api.get("/calls", params={"page_token": newest["next_page_token"]})).json()
    assert [row["id"] for row in older["result"]] == [str(first.reference_id)]
    end = (await api.get("/calls", params={"page_token": older["next_page_token"]})).json()
    assert end == {"result": [], "next_page_token": ""}


@given(
    offsets=st.lists(st.integers(0, 40), max_size=60),
    size=st.integers(1, 7),
)
def test_pages_are_the_sorted_rows_cut_strictly_below_each_token(offsets: list[int], size: int) -> None:
    customer, table = uuid4(), Table[Queue]()
    for offset in offsets:
        created = NOON + timedelta(microseconds=offset)
        table.add(Queue(id=uuid4(), customer_id=customer, name=str(offset), tm_create=created))
    expected, left, before = [], sorted(offsets, reverse=True), NOON + timedelta(seconds=1)
    while page := table.page(customer, before, size):
        assert [int(row.name) for row in page] == left[:size]
        expected += page
        before = page[-1].tm_create
        left = [offset for offset in left if NOON + timedelta(microseconds=offset) < before]
    assert left == []
    assert len({row.id for row in expected}) == len(expected)
    assert {row.name for row in expected} == {str(offset) for offset in offsets}


async def test_a_hundred_thousand_rows_are_walked_in_a_thousand_pages_and_one() -> None:
    customer, table = uuid4(), Table[Queue]()
    for second in range(100_000):
        table.add(Queue(id=uuid4(), customer_id=customer, name="", tm_create=NOON - timedelta(seconds=second)))
    pages, before = 0, NOON + timedelta(seconds=1)
    while page := table.page(customer, before, 100):
        pages, before = pages + 1, page[-1].tm_create
    assert pages == 1000

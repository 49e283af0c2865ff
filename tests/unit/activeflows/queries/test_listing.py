"""What is listed, shown and found, for whom, and how honestly; against a VoIPBIN in memory."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.activeflows.errors import Ambiguous, NotFound, NotOurs, NotPermitted, VoIPBINUnreachable
from bot.activeflows.model import Action, Activeflow, Call, Customer, Flow, Party, Picture, Reference, Status
from bot.activeflows.operators import Grant, Operator, Permission, Person, Policy, Standing
from bot.activeflows.queries.filters import Filters
from bot.activeflows.queries.listing import PAGE, ActiveflowQueries
from bot.activeflows.queries.resolution import Prefix, visible

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
OURS, THEIRS = UUID(int=0xC1), UUID(int=0xC2)
SUPPORT, MENU = Flow(UUID(int=0xF1), "Support line"), Flow(UUID(int=0xF2), "Main menu")


@dataclass
class InMemory:
    """A VoIPBIN without a wire, that counts what it is asked and can fall silent about names and calls."""

    activeflows: list[Activeflow] = field(default_factory=list)
    flows: dict[UUID, Flow] = field(default_factory=lambda: {flow.id: flow for flow in (SUPPORT, MENU)})
    calls: dict[UUID, Call] = field(default_factory=dict)
    queues: dict[UUID, str] = field(default_factory=dict)
    customer: Customer = field(default_factory=lambda: Customer(OURS, "Ours"))
    asked: Counter[str] = field(default_factory=Counter)
    silent: bool = False
    failing: bool = False

    async def picture(self, *, max_age: float = 5.0) -> Picture:
        self.asked["picture"] += 1
        newest = sorted(self.activeflows, key=lambda a: a.created_at or NOW, reverse=True)
        return Picture(tuple(newest), NOW - timedelta(seconds=max_age - 5), NOW - timedelta(hours=1), "pages", 3)

    async def newest(self) -> Sequence[Activeflow]:
        raise NotImplementedError

    async def activeflow(self, activeflow_id: UUID) -> Activeflow:
        self.asked["activeflow"] += 1
        for each in self.activeflows:
            if each.id == activeflow_id:
                return each
        raise NotFound(str(activeflow_id))

    async def stop(self, activeflow_id: UUID, *, gate: object) -> Activeflow:
        raise NotImplementedError

    async def hang_up(self, call_id: UUID, *, gate: object) -> Call:
        raise NotImplementedError

    async def flow(self, flow_id: UUID) -> Flow | None:
        await self._trouble("flow")
        return self.flows.get(flow_id)

    async def call(self, call_id: UUID) -> Call | None:
        await self._trouble("call")
        return self.calls.get(call_id)

    async def queue_name(self, queue_id: UUID) -> str | None:
        await self._trouble("queue_name")
        return self.queues.get(queue_id)

    def flow_remembered(self, _: UUID) -> tuple[Flow | None] | None:
        return None

    def queue_name_remembered(self, _: UUID) -> tuple[str | None] | None:
        return None

    async def _trouble(self, what: str) -> None:
        self.asked[what] += 1
        if self.silent:
            await asyncio.Event().wait()
        if self.failing:
            raise VoIPBINUnreachable("no answer")


def running(number: int, flow: Flow = SUPPORT, **changes: object) -> Activeflow:
    """The higher the number, the older."""
    built = Activeflow(
        id=UUID(int=(0xAAAA0000 + number) << 96),
        customer_id=OURS,
        flow_id=flow.id,
        status=Status.RUNNING,
        reference=Reference("call", UUID(int=(0xCA110000 + number) << 96)),
        current=Action(UUID(int=1000 + number), "play"),
        created_at=NOW - timedelta(minutes=number),
    )
    return replace(built, **changes)  # type: ignore[arg-type] # fields by name


def operator(*grants: Grant) -> Operator:
    return Operator(Person("U0ALICE", Standing.MEMBER), "C0INCIDENTS", Policy(grants))


VIEW = frozenset({Permission.VIEW})
ALICE = operator(Grant(1, frozenset({"U0ALICE"}), VIEW))
SUPPORT_ONLY = operator(Grant(1, frozenset({"U0ALICE"}), VIEW, flows=frozenset({SUPPORT.id})))
NOBODY = operator()


def queries(voipbin: InMemory) -> ActiveflowQueries:
    return ActiveflowQueries(voipbin, lambda: NOW, side_look=0.05, filter_look=0.05)


# ---------------------------------------------------------------- the list


async def test_nothing_is_asked_of_voipbin_for_somebody_who_may_view_nothing() -> None:
    voipbin = InMemory([running(1)])
    voipbin_id = voipbin.activeflows[0].id
    with pytest.raises(NotPermitted):
        await queries(voipbin).running(NOBODY, Filters())
    with pytest.raises(NotPermitted):
        await queries(voipbin).show(NOBODY, voipbin_id)
    with pytest.raises(NotPermitted):
        await queries(voipbin).resolve(NOBODY, Prefix("aaaa"))
    assert not voipbin.asked


async def test_the_list_is_oldest_first_where_nothing_is_wrong_with_names_and_says_how_complete_it_is() -> None:
    listing = await queries(InMemory([running(2, MENU), running(1), running(3, status=Status.ENDED)])).running(
        ALICE, Filters()
    )
    assert [row.flow_name for row in listing.rows] == ["Main menu", "Support line"]
    assert (listing.total, listing.hidden, listing.pages) == (2, 0, 1)
    assert (listing.as_of, listing.complete_since) == (NOW, NOW - timedelta(hours=1))
    assert (listing.stopped_because, listing.unreadable) == ("pages", 3)


async def test_rows_of_flows_somebody_may_not_view_are_hidden_and_counted() -> None:
    foreign = running(3, customer_id=THEIRS)
    voipbin = InMemory([running(1), running(2, MENU), foreign])
    listing = await queries(voipbin).running(SUPPORT_ONLY, Filters())
    assert [row.flow_name for row in listing.rows] == ["Support line"]
    assert (listing.total, listing.hidden) == (1, 2)


@given(
    st.lists(st.tuples(st.sampled_from((OURS, THEIRS)), st.sampled_from((SUPPORT.id, MENU.id, None))), max_size=5),
    st.none() | st.frozensets(st.sampled_from((SUPPORT.id, MENU.id))),
)
def test_who_may_see_each_kind_sees_what_a_look_at_each_shows(
    kinds: list[tuple[UUID, UUID | None]], may: frozenset[UUID] | None
) -> None:
    some = [replace(running(n), customer_id=of, flow_id=flow) for n, (of, flow) in enumerate(kinds)]
    looking = Operator(
        Person("U0ALICE", Standing.MEMBER),
        "C0INC",
        Policy((Grant(1, frozenset({"U0ALICE"}), frozenset({Permission.VIEW}), flows=may),)),
    )
    for more in ([], [(OURS, MENU.id)], [(THEIRS, SUPPORT.id)]):  # of those that a filter has left out
        told = tuple({each.kind for each in some} | set(more))
        assert visible(InMemory(), looking, some, told) == visible(InMemory(), looking, some)


async def test_names_are_looked_up_for_the_rows_on_screen_only() -> None:
    flows = [Flow(UUID(int=0xF000 + n), f"Flow {n}") for n in range(30)]
    voipbin = InMemory([running(n, flow) for n, flow in enumerate(flows)], {flow.id: flow for flow in flows})
    await queries(voipbin).running(ALICE, Filters())
    assert voipbin.asked["flow"] == PAGE


@pytest.mark.parametrize("trouble", ["silent", "failing"])
async def test_a_name_that_cannot_be_had_is_left_out_and_the_row_is_not(trouble: str) -> None:
    voipbin = InMemory([running(1)])
    setattr(voipbin, trouble, True)
    listing = await queries(voipbin).running(ALICE, Filters())
    assert [(row.flow_name, row.situation.words) for row in listing.rows] == [(None, "playing audio")]


async def test_a_queue_is_called_by_its_name() -> None:
    queue = Action(UUID(int=50), "queue_join", {"queue_id": str(UUID(int=51))})
    voipbin = InMemory([running(1, current=queue)], queues={UUID(int=51): "Second level"})
    listing = await queries(voipbin).running(ALICE, Filters())
    assert listing.rows[0].situation.words == "entering queue Second level"


async def test_a_filter_by_name_finds_the_flow_in_any_case() -> None:
    voipbin = InMemory([running(1), running(2, MENU)])
    listing = await queries(voipbin).running(ALICE, Filters(flow="main  MENU"))
    assert [row.flow_name for row in listing.rows] == ["Main menu"]
    assert (listing.unnamed, listing.similar) == (0, ())


async def test_a_name_that_no_flow_has_gets_a_similar_one_that_may_be_seen() -> None:
    voipbin = InMemory([running(1), running(2, MENU)])
    assert (await queries(voipbin).running(ALICE, Filters(flow="Suport lin"))).similar == ("Support line",)
    assert (await queries(voipbin).running(SUPPORT_ONLY, Filters(flow="Main men"))).similar == ()


async def test_a_filter_that_could_not_read_a_name_says_so() -> None:
    voipbin = InMemory([running(1), running(2, MENU)], silent=True)
    listing = await queries(voipbin).running(ALICE, Filters(flow="Support line"))
    assert (listing.total, listing.unnamed) == (0, 2)


async def test_a_filter_by_action_finds_those_who_are_inside_it() -> None:
    queue = Action(UUID(int=50), "queue_join", {"queue_id": str(UUID(int=51))})
    waiting = running(1, executed=(queue, Action(UUID(int=52), "fetch_flow")))
    voipbin = InMemory([waiting, running(2)])
    listing = await queries(voipbin).running(ALICE, Filters(action="queue_join"))
    assert [row.activeflow.id for row in listing.rows] == [waiting.id]


@settings(max_examples=50)
@given(st.integers(0, 45), st.integers(-3, 12), st.sets(st.integers(0, 44)))
async def test_every_page_together_is_everything_once(number: int, beyond: int, ended: set[int]) -> None:
    voipbin = InMemory([running(n, status=Status.ENDED if n in ended else Status.RUNNING) for n in range(number)])
    reader = queries(voipbin)
    first = await reader.running(ALICE, Filters())
    pages = [await reader.running(ALICE, Filters(), page) for page in range(1, first.pages + 1)]
    shown = [row.activeflow.id for listing in pages for row in listing.rows]
    assert shown == [a.id for a in reversed(voipbin.activeflows) if a.running]
    assert all(len(listing.rows) <= PAGE for listing in pages)
    assert (await reader.running(ALICE, Filters(), beyond)).page == min(max(beyond, 1), first.pages)


async def test_a_list_by_flow_counts_each_and_names_the_oldest() -> None:
    voipbin = InMemory([running(1), running(2, MENU), running(5), running(3), running(4, flow_id=None)])
    listing = await queries(voipbin).running(ALICE, Filters(), by="flow")
    told = [(group.name, group.count, group.oldest.short_id) for group in listing.groups]
    assert told == [("Support line", 3, "aaaa0005"), ("Main menu", 1, "aaaa0002"), (None, 1, "aaaa0004")]
    assert (listing.rows, listing.total, listing.pages) == ((), 5, 1)


async def test_a_list_by_action_counts_what_they_are_in_and_filters_hold() -> None:
    queue = Action(UUID(int=50), "queue_join", {"queue_id": str(UUID(int=51))})
    voipbin = InMemory([running(1, current=queue), running(2, current=queue), running(3), running(90)])
    listing = await queries(voipbin).running(ALICE, Filters(newer=timedelta(minutes=60)), by="action")
    assert [(group.name, group.count) for group in listing.groups] == [("waiting in a queue", 2), ("playing audio", 1)]


async def test_groups_hide_what_somebody_may_not_view() -> None:
    listing = await queries(InMemory([running(1), running(2, MENU)])).running(SUPPORT_ONLY, Filters(), by="flow")
    assert [(group.name, group.count) for group in listing.groups] == [("Support line", 1)]
    assert listing.hidden == 1


# ---------------------------------------------------------------- finding one


async def test_a_call_id_finds_the_activeflow_of_the_call() -> None:
    one = running(1)
    call_id = one.reference.id
    assert call_id is not None
    party = Party("tel", "+15550100001")
    voipbin = InMemory([one], calls={call_id: Call(call_id, one.id, "progressing", "incoming", party, party)})
    assert await queries(voipbin).resolve(ALICE, call_id) == one


async def test_an_id_of_nothing_is_not_found() -> None:
    with pytest.raises(NotFound, match="dead"):
        await queries(InMemory()).resolve(ALICE, UUID(int=0xDEAD << 112))


async def test_a_beginning_means_the_one_that_runs() -> None:
    one = running(1, id=UUID(int=0xBBBB0001 << 96))
    voipbin = InMemory([one, running(2, id=UUID(int=0xBBBB0002 << 96), status=Status.ENDED)])
    assert await queries(voipbin).resolve(ALICE, Prefix("bbbb")) == one
    assert voipbin.asked["activeflow"] == 1


async def test_a_beginning_of_the_calls_id_will_do_when_no_activeflow_begins_so() -> None:
    one = running(1)
    assert await queries(InMemory([one])).resolve(ALICE, Prefix("ca110001")) == one


async def test_a_beginning_that_fits_several_names_ten_of_them() -> None:
    voipbin = InMemory([running(n) for n in range(12)])
    with pytest.raises(Ambiguous) as refused:
        await queries(voipbin).resolve(ALICE, Prefix("aaaa"))
    assert len(refused.value.candidates) == 10


async def test_a_beginning_gives_nothing_away_about_flows_somebody_may_not_view() -> None:
    voipbin = InMemory([running(1, MENU), running(2)])
    with pytest.raises(NotFound) as refused:
        await queries(voipbin).resolve(SUPPORT_ONLY, Prefix("aaaa0001"))
    assert "2026-11-22 11:00 UTC" in refused.value.looked
    assert (await queries(voipbin).resolve(SUPPORT_ONLY, Prefix("aaaa"))).flow_id == SUPPORT.id


async def test_a_whole_id_of_a_flow_somebody_may_not_view_is_refused() -> None:
    one = running(1, MENU)
    with pytest.raises(NotPermitted):
        await queries(InMemory([one])).resolve(SUPPORT_ONLY, one.id)


async def test_another_customers_activeflow_is_left_alone() -> None:
    one = running(1, customer_id=THEIRS)
    with pytest.raises(NotOurs):
        await queries(InMemory([one])).show(ALICE, one.id)


# ---------------------------------------------------------------- one in detail


async def test_details_hold_the_flow_the_history_and_what_a_stop_would_do() -> None:
    one = running(1, executed=tuple(Action(UUID(int=60), "talk") for _ in range(3)), on_complete_flow_id=MENU.id)
    details = await queries(InMemory([one])).show(ALICE, Prefix("aaaa0001"))
    assert details.inspection.flow_name == "Support line"
    assert [(done.words, done.times) for done in details.history] == [("speaking a text", 3)]
    assert "Starts another activeflow: flow Main menu." in details.inspection.effects


@pytest.mark.parametrize("trouble", ["silent", "failing"])
async def test_look_ups_in_trouble_do_not_hold_up_the_details(trouble: str) -> None:
    one = running(1)
    voipbin = InMemory([one])
    setattr(voipbin, trouble, True)
    details = await queries(voipbin).show(ALICE, one.id)
    assert details.inspection.flow is None
    assert "Hangs up the call: caller unknown." in details.inspection.effects

"""What is kept of each that runs is what is found when each is looked at, whatever came between."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from bot.activeflows import anomalies
from bot.activeflows.anomalies import ENOUGH, LONGEST_CALL, AnomalyDetector, DwellTimes, Reason, place, rank
from bot.activeflows.index import Change, Index
from bot.activeflows.model import Action, Activeflow, Flow, Freshness, Picture, Reference
from bot.activeflows.operators import Grant, Permission
from bot.activeflows.queries.assessments import Assessments
from bot.activeflows.queries.filters import DOING, WRONG, Filters
from bot.activeflows.queries.listing import ActiveflowQueries, By, Listing, Sort, at
from bot.activeflows.situation.current_step import KINDS, situation
from tests.unit.activeflows.anomalies.test_detector import (
    DIGITS,
    FLOW,
    GOTO,
    HOUR,
    JOIN,
    MINUTE,
    MUSIC,
    NOON,
    PAUSE,
    SECOND,
    START,
    TALK,
    an_activeflow,
    used_to,
)
from tests.unit.activeflows.queries.test_listing import OURS, THEIRS, InMemory, operator

OTHER = UUID(int=0xF11)
DEFINED = Flow(FLOW, "Support line", frozenset({JOIN.id, MUSIC.id, PAUSE.id, TALK.id}))
KNOWN: tuple[dict[UUID, Flow], ...] = (
    {},
    {FLOW: DEFINED},
    {FLOW: replace(DEFINED)},
    {FLOW: replace(DEFINED, action_ids=frozenset()), OTHER: Flow(OTHER, "Main menu")},
)
PLACES = [an_activeflow(step, flow=flow) for step in (START, JOIN, TALK, DIGITS) for flow in (FLOW, OTHER)]
EVERYBODY = operator(Grant(1, frozenset({"U0ALICE"}), frozenset(Permission)))
SUPPORT_ONLY = operator(Grant(1, frozenset({"U0ALICE"}), frozenset({Permission.VIEW}), flows=frozenset({FLOW})))

STEPS = (START, JOIN, MUSIC, PAUSE, TALK, DIGITS, GOTO)
MICROSECOND = timedelta(microseconds=1)


@dataclass
class Town:
    """What runs, what is known of its past, and a clock."""

    stays: DwellTimes = field(default_factory=DwellTimes)
    index: Index = field(default_factory=Index)
    voipbin: InMemory = field(default_factory=lambda: InMemory(flows={}))
    clock: datetime = NOON

    def __post_init__(self) -> None:
        self.index.listen(self.stays.hear)
        self.detector = AnomalyDetector(self.stays)

    def now(self) -> datetime:
        return self.clock

    async def running(self, *, max_age: float) -> Picture:
        assert max_age
        return replace(self.picture, freshness=Freshness(live=True), kinds=self.index.kinds())

    @property
    def picture(self) -> Picture:
        """As one look at VoIPBIN's list would tell it."""
        return Picture(self.index.newest_first(), self.clock, None)

    def happens(self, dice: Random) -> None:
        """Something, in most cases an event."""
        happening = (self.event, self.event, self.event, self.over, self.think, self.learned, self.taught, self.named)
        dice.choice((*happening, self.look, self.look, self.look))(dice)

    def event(self, dice: Random) -> None:
        number = dice.randrange(8)
        lap = dice.choices(STEPS, k=dice.randint(1, 3))
        steps = [*dice.choices(STEPS, k=dice.randrange(3)), *lap * dice.choice((0, 0, 1, 5, 33)), dice.choice(STEPS)]
        if dice.random() < 0.3:
            steps = [dice.choice(STEPS)]
        held = self.index.get(UUID(int=0xAF00 + number))
        if held is not None and dice.random() < 0.5:  # one step further
            steps = [*held.executed, held.current, dice.choice((held.current, *STEPS))]
        self.take(number, steps, dice.randrange(5000), dice.choice((FLOW, FLOW, OTHER, None)))

    def take(self, number: int, steps: Sequence[Action], seconds: int, flow: UUID | None) -> None:
        changes: dict[str, Any] = {
            "id": UUID(int=0xAF00 + number),
            "customer_id": THEIRS if number == 6 else OURS,
            "created_at": began(number),
            "parent_id": UUID(int=1) if number == 3 else None,
            "flow_id": flow,
        }
        if number % 3 == 2:
            changes["reference"] = Reference("conversation")
        self.index.take(an_activeflow(*steps, at=seconds * SECOND, **changes))

    def over(self, dice: Random) -> None:
        self.index.take_away(UUID(int=0xAF00 + dice.randrange(8)))
        self.index._over.clear()  # so that it may come again

    def think(self, dice: Random) -> None:
        self.stays.work(dice.randint(1, 9))

    def learned(self, dice: Random) -> None:
        """What others have seen."""
        self.stays.know(used_to(dice.choice((1, 40, 900)), dice.choice(PLACES))._past)

    def taught(self, dice: Random) -> None:
        """Others, which are over now, were at a place for so long."""
        where, seconds = dice.choice(PLACES), dice.choice((1, 40, 900))
        for number in range(ENOUGH):
            came = replace(where, id=UUID(int=0xBF00 + number), executed=(), updated_at=NOON)
            went = replace(came, executed=(came.current,), current=PAUSE, updated_at=NOON + seconds * SECOND)
            self.index.take(came)
            self.index.take(went)
            self.index.take_away(came.id)
            self.index._over.clear()
        while self.stays.work(100):
            pass

    def named(self, dice: Random) -> None:
        self.voipbin.flows, self.voipbin.failing = dice.choice(KNOWN), dice.random() < 0.2

    def look(self, dice: Random) -> None:
        """At a moment, forward or back, about which one may begin to be wrong."""
        one = dice.choice(self.index.newest_first() or PLACES)
        where, stay = place(one), self.stays.stay(one)
        limit = self.detector.longest(where) if where is not None else None
        since = [(one.created_at or NOON, after) for after in (10 * MINUTE, LONGEST_CALL)]
        since += [(stay.began, limit)] * 4 if stay is not None and limit is not None else []
        moment, after = dice.choice(since)
        self.clock = moment + after + dice.choice((-SECOND, -MICROSECOND, 0 * SECOND, MICROSECOND, SECOND, HOUR))


def began(number: int) -> datetime | None:
    return None if number == 4 else NOON + number // 2 * MINUTE


def found_by_looking(town: Town, activeflows: Sequence[Activeflow]) -> list[tuple[Reason, ...]]:
    return [tuple(trouble.reason for trouble in town.detector.troubles(each, town.clock)) for each in activeflows]


@given(st.randoms(use_true_random=True))
async def test_what_is_kept_is_what_is_found_by_looking_at_each(dice: Random) -> None:
    town = Town()
    kept = Assessments(town.index, town.detector, town.now)
    for _ in range(60):
        for _ in range(dice.randrange(4)):
            town.happens(dice)
        named = {flow_id.int: town.voipbin.flows.get(flow_id) for flow_id in (FLOW, OTHER)}
        await kept.catch_up(dice.choice((None, named)))
        await kept.catch_up(named)
        everything = town.index.newest_first()
        oldest = everything[::-1]
        ranks = {each.id: rank(reasons) for each, reasons in zip(oldest, found_by_looking(town, oldest), strict=True)}
        assert list(kept.worst_first()) == sorted(oldest, key=lambda each: ranks[each.id])
        assert {each.id: kept.rank(each) for each in everything} == ranks
        flows = [town.voipbin.flows.get(each.flow_id) if each.flow_id else None for each in everything]
        doings = [situation(each, flow=flow) for each, flow in zip(everything, flows, strict=True)]
        assert kept.doings(everything) == doings
        assert kept.wrong(everything) == [
            tuple(trouble.reason for trouble in town.detector.of(each, doing, town.clock))
            for each, doing in zip(everything, doings, strict=True)
        ]


def some_filters(dice: Random) -> Filters:
    """Most of them alone."""
    every: dict[str, tuple[object, ...]] = {
        "flow": ("Support line", "main menu", FLOW.hex[:8], "nothing"),
        "type": ("call", "conversation"),
        "action": ("talk", "queue_join", "waiting in a queue", *KINDS),
        "state": (*DOING, *WRONG, "wrong", "stuck"),
        "older": (timedelta(0), MINUTE, HOUR),
        "newer": (MINUTE, HOUR),
    }
    named = dice.sample(sorted(every), k=dice.choice((0, 1, 1, 1, 2)))
    return Filters(**{name: dice.choice(every[name]) for name in named})  # type: ignore[arg-type] # fields by name


@given(st.randoms(use_true_random=True))
async def test_a_list_from_memory_is_the_list_that_a_look_at_each_gives(dice: Random) -> None:
    town = Town()
    queries = ActiveflowQueries(town.voipbin, town.now, live=town, detector=town.detector, filter_look=0.5)
    for number in range(20):
        town.take(number, [dice.choice(STEPS)], dice.randrange(600), FLOW)
    for _ in range(40):
        for _ in range(dice.randrange(4)):
            town.happens(dice)
        filters, who = some_filters(dice), dice.choice((EVERYBODY, EVERYBODY, SUPPORT_ONLY))
        by: By | None = dice.choice((None, None, None, "flow", "action"))
        sort: Sort | None = dice.choice((None, None, "oldest", "newest"))
        turned = None
        if dice.random() < 0.5:
            number = dice.randrange(20)
            there = an_activeflow(TALK, id=UUID(int=0xAF00 + number), created_at=began(number))
            turned = at(dice.choice(("from", "after", "before")), there, dice.randrange(5))
        page = dice.randint(1, 3)

        async def listing(picture: Picture | None) -> Listing:
            return await queries.running(who, filters, page, by=by, sort=sort, place=turned, picture=picture)  # noqa: B023

        told, plain = await listing(None), await listing(town.picture)
        assert told.freshness is not None
        assert replace(told, freshness=None) == plain


async def test_a_definition_that_cannot_be_looked_up_any_more_is_not_used_any_more() -> None:
    town = Town()
    town.voipbin.flows = {FLOW: Flow(FLOW, "Support line", frozenset({JOIN.id, TALK.id, DIGITS.id}))}
    queries = ActiveflowQueries(town.voipbin, town.now, live=town, detector=town.detector)
    town.take(1, [JOIN, *[TALK, DIGITS] * 6, TALK], 1, FLOW)
    assert (await queries.running(EVERYBODY, Filters(state="looping"))).total == 1
    assert (await queries.running(EVERYBODY, Filters(state="waiting"))).total == 0
    town.voipbin.failing = True
    assert (await queries.running(EVERYBODY, Filters(state="looping"))).total == 0
    assert (await queries.running(EVERYBODY, Filters(state="waiting"))).total == 1


async def test_what_changes_while_it_is_worked_out_is_worked_out_too() -> None:
    town = Town()
    kept = Assessments(town.index, town.detector, town.now)

    def take(number: int, steps: Sequence[Action], at_: int) -> None:
        town.index.take(an_activeflow(*steps, at=timedelta(seconds=at_), id=UUID(int=number), created_at=NOON))

    for number in range(1, 400):
        take(number, [TALK], 1)
    known: dict[int, Flow | None] = {FLOW.int: DEFINED}
    looks = [asyncio.create_task(kept.catch_up(definitions)) for definitions in (None, known, {FLOW.int: None}, known)]
    for number in range(1, 400):
        await asyncio.sleep(0)
        take(number, [*[TALK, DIGITS] * 6, TALK], 2)
        if number % 7 == 0:
            town.index.take_away(UUID(int=number))
    await asyncio.gather(*looks)
    await kept.catch_up(known)
    everything = town.index.newest_first()
    assert len(everything) == len(kept.worst_first()) == 399 - 57
    assert kept.wrong(everything) == [(Reason.LOOPING,)] * len(everything)
    assert {doing.kind for doing in kept.doings(everything)} == {"talk"}


async def test_a_change_that_was_dropped_unseen_makes_nobody_stuck(monkeypatch: Any) -> None:
    """Where it stays is not known any more, and so not said, although it was."""
    town = Town()
    kept = Assessments(town.index, town.detector, town.now)
    town.stays.know(used_to(20, an_activeflow(TALK))._past)
    town.index.take(an_activeflow(TALK))
    town.stays.work(10)
    town.clock = NOON + 5 * MINUTE
    await kept.catch_up()
    stuck = town.index.newest_first()[0]
    assert kept.rank(stuck) == rank((Reason.STUCK,))
    monkeypatch.setattr(anomalies, "_WAITING", 0)
    town.stays._waiting.append(Change(stuck.id, None, stuck))
    town.index.take(an_activeflow(DIGITS, id=UUID(int=0xB0)))
    await kept.catch_up()
    assert found_by_looking(town, [stuck]) == [()]
    assert kept.rank(stuck) == rank(())


async def test_what_nobody_asks_for_is_kept_no_longer_than_it_runs() -> None:
    town = Town()
    kept = Assessments(town.index, town.detector, town.now)
    town.index.take(
        an_activeflow(TALK, id=UUID(int=1 << 64), created_at=NOON - MINUTE)
    )  # the first whom the time will change
    await kept.catch_up({})
    for number in range(1, 3000):
        town.index.take(an_activeflow(TALK, id=UUID(int=number), flow=UUID(int=number)))
        if number % 3:
            await kept.catch_up({number: None})
        town.index.take_away(UUID(int=number))
    sizes = {name: len(value) for name, value in vars(kept).items() if hasattr(value, "__len__")}
    assert max(sizes.values()) <= 100, sizes


async def test_what_a_page_says_stays_as_it_is_while_its_names_are_looked_up() -> None:
    town = Town()

    @dataclass
    class ChangesMeanwhile(InMemory):
        async def flow(self, _: UUID) -> Flow | None:
            town.index.take_away(UUID(int=0xAF00))
            town.index.take_away(UUID(int=0xAF01))
            for number in range(2, 6):
                town.take(number, [DIGITS], 900, OTHER)
            return None

    queries = ActiveflowQueries(ChangesMeanwhile(), town.now, live=town, detector=town.detector)
    for number in range(4):
        town.take(number, [TALK], 1, FLOW if number else OTHER)
    listing = await queries.running(SUPPORT_ONLY, Filters())
    assert (listing.total, listing.hidden) == (3, 1)
    assert [row.situation.kind for row in listing.rows] == ["talk"] * 3
    listing = await queries.running(SUPPORT_ONLY, Filters())
    assert (listing.total, listing.hidden) == (0, 4)


async def test_how_many_there_are_stays_as_it_was_while_names_are_looked_up() -> None:
    town = Town()

    @dataclass
    class EndsMeanwhile(InMemory):
        async def flow(self, _: UUID) -> Flow | None:
            town.index.take_away(UUID(int=0xAF00))
            return None

    queries = ActiveflowQueries(EndsMeanwhile(), town.now, live=town, detector=town.detector)
    town.take(0, [TALK], 1, FLOW)
    listing = await queries.running(EVERYBODY, Filters())
    assert (listing.total, len(listing.rows)) == (1, 1)
    assert (await queries.running(EVERYBODY, Filters())).total == 0


async def test_what_is_wrong_by_the_definition_of_its_flow_is_asked_for_with_it() -> None:
    """Where the flow is known, these are steps of its own and no longer a queue's: so it goes round in a circle."""
    town = Town()
    kept = Assessments(town.index, town.detector, town.now)
    town.take(1, [JOIN, *[TALK, DIGITS] * 6, TALK], 1, FLOW)
    goes_round = town.index.newest_first()
    defined = Flow(FLOW, "Support line", frozenset({JOIN.id, TALK.id, DIGITS.id}))
    for flow, wrong in ((None, ()), (defined, (Reason.LOOPING,)), (replace(defined), (Reason.LOOPING,)), (None, ())):
        await kept.catch_up({FLOW.int: flow})
        assert kept.wrong(goes_round) == [wrong]
        assert kept.rank(goes_round[0]) == rank(())

"""Parents and children: whoever may be viewed, each once and as told last; of the others no word; in bounded time."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.activeflows.anomalies import AnomalyDetector, DwellTimes
from bot.activeflows.errors import VoIPBINUnreachable
from bot.activeflows.index import Index
from bot.activeflows.model import Action, Activeflow, Freshness, Picture, Reference, Status
from bot.activeflows.operators import Operator
from bot.activeflows.queries.details import MOST, DetailsQuery, Family, Relative, StepTimes, WithheldReason, family_of
from bot.activeflows.situation.history import HistoryLine, Timeline, TimelineEvent
from tests.unit.activeflows.queries.test_listing import ALICE, MENU, NOW, OURS, SUPPORT, SUPPORT_ONLY, InMemory

PARENT = UUID(int=0xAA)
ENDED_AT = NOW - timedelta(hours=3)


def one(number: int, **changes: object) -> Activeflow:
    built = Activeflow(
        id=UUID(int=number),
        customer_id=OURS,
        flow_id=SUPPORT.id,
        status=Status.RUNNING,
        reference=Reference("api"),
        current=Action(UUID(int=99), "play"),
        created_at=ENDED_AT + timedelta(seconds=number % 9),
    )
    return replace(built, **changes)  # type: ignore[arg-type] # fields by name


ENDED = one(
    0xAA,
    status=Status.ENDED,
    on_complete_flow_id=MENU.id,
    created_at=ENDED_AT - timedelta(minutes=4),
    updated_at=ENDED_AT,
)


@dataclass
class Remembered:
    """What VoIPBIN keeps of what was, in memory."""

    activeflows: Sequence[Activeflow] = ()
    moments: tuple[TimelineEvent, ...] = ()
    trouble: str = ""
    asked: list[object] = field(default_factory=list)

    async def timeline(self, activeflow_id: UUID) -> Timeline:
        await self._look(activeflow_id)
        return Timeline(self.moments)

    async def begun_before(self, moment: datetime) -> Sequence[Activeflow]:
        await self._look(moment)
        return [each for each in self.activeflows if each.created_at is not None and each.created_at < moment]

    async def _look(self, about: object) -> None:
        self.asked.append(about)
        if self.trouble == "silent":
            await asyncio.Event().wait()
        if self.trouble:
            raise VoIPBINUnreachable("no answer")


@dataclass
class Held:
    """What runs, in memory."""

    activeflows: tuple[Activeflow, ...] = ()
    index: Index = field(default_factory=Index)

    async def running(self, *, max_age: float) -> Picture | None:
        assert max_age == float("inf"), "nothing is to be read for this"
        return Picture(self.activeflows, NOW, None, freshness=Freshness(live=True))


async def family(
    activeflow: Activeflow = ENDED,
    *others: Activeflow,
    past: Remembered | None = None,
    held: Held | None = None,
    operator: Operator = ALICE,
) -> Family:
    voipbin = InMemory([activeflow, *others])
    return await family_of(voipbin, past, held, operator, activeflow, within=0.05)


async def test_what_its_end_started_is_looked_for_just_after_that_end() -> None:
    child, other = one(1, parent_id=PARENT, flow_id=MENU.id), one(2)
    past = Remembered([other, child, ENDED])
    assert await family(past=past) == Family(children=(Relative(child, "Main menu"),), looked=True)
    assert past.asked == [ENDED_AT + timedelta(seconds=10)]


async def test_where_the_look_did_not_reach_back_to_the_end_nothing_is_said_to_be_absent() -> None:
    assert await family(past=Remembered([one(2), one(3)])) == Family(looked=False)
    assert await family(past=Remembered([])) == Family(looked=False)
    assert await family(replace(ENDED, updated_at=None), past=Remembered([ENDED])) == Family(looked=False)


@pytest.mark.parametrize("trouble", ["silent", "failing"])
async def test_a_look_in_trouble_is_not_known_and_costs_nothing_else(trouble: str) -> None:
    running = one(4, parent_id=PARENT)
    told = await family(past=Remembered([ENDED], trouble=trouble), held=Held((running,)))
    assert told == Family(children=(Relative(running, "Support line"),), looked=False)


async def test_nothing_is_read_for_one_that_runs_or_that_starts_nothing() -> None:
    past = Remembered([ENDED])
    assert await family(replace(ENDED, status=Status.RUNNING), past=past) == Family()
    assert await family(replace(ENDED, on_complete_flow_id=None), past=past) == Family()
    assert past.asked == []


async def test_a_child_that_is_held_and_was_read_is_told_once_as_it_was_read() -> None:
    held = one(1, parent_id=PARENT)
    read = replace(held, status=Status.ENDED)
    told = await family(past=Remembered([read, ENDED]), held=Held((held, one(2))))
    assert told.children == (Relative(read, "Support line"),)


async def test_the_newest_come_first_and_the_rest_are_counted() -> None:
    children = tuple(one(number, parent_id=PARENT) for number in range(1, 6))
    told = await family(held=Held(children))
    assert [relative.activeflow.id.int for relative in told.children] == [5, 4, 3]
    assert told.more == 2


@given(st.lists(st.sampled_from([SUPPORT.id, MENU.id, None]), max_size=8), st.sampled_from([SUPPORT.id, MENU.id, None]))
def test_of_those_that_may_not_be_viewed_only_their_number_is_told(
    flows: list[UUID | None], above: UUID | None
) -> None:
    children = tuple(one(n + 1, parent_id=PARENT, flow_id=flow) for n, flow in enumerate(flows))
    parent = one(0xBB, flow_id=above)
    ours = replace(ENDED, parent_id=parent.id)
    told = asyncio.run(family(ours, parent, held=Held(children), operator=SUPPORT_ONLY))
    open_ = [child for child in children if child.flow_id == SUPPORT.id]
    assert {relative.activeflow.flow_id for relative in told.children} <= {SUPPORT.id}
    assert len(told.children) == min(len(open_), MOST)
    assert (told.more, told.hidden) == (max(len(open_) - MOST, 0), len(children) - len(open_))
    assert told.parent == (Relative(parent, "Support line") if above == SUPPORT.id else WithheldReason.HIDDEN)


async def test_a_parent_of_another_customer_is_not_told_of() -> None:
    theirs = one(0xBB, customer_id=UUID(int=0xC2))
    assert (await family(replace(ENDED, parent_id=theirs.id), theirs)).parent is WithheldReason.HIDDEN


async def test_a_parent_that_is_gone_is_said_to_be() -> None:
    assert (await family(replace(ENDED, parent_id=UUID(int=0xBB)))).parent is WithheldReason.GONE


# ---------------------------------------------------------------- times, as far as they come


async def timing(activeflow: Activeflow, past: Remembered) -> tuple[StepTimes, HistoryLine | None]:
    details = await DetailsQuery(
        InMemory([activeflow]), past, None, AnomalyDetector(DwellTimes()), within=0.05
    ).details(ALICE, activeflow, NOW)
    return details.timing, details.present


async def test_an_interrupted_step_is_worth_asking_for_and_a_present_one_is_not() -> None:
    began = ENDED_AT - timedelta(seconds=40)
    interrupted = replace(ENDED, on_complete_flow_id=None)
    asked = Remembered(moments=(TimelineEvent(began, 0, ENDED.current.id, running=True),))
    assert await timing(interrupted, asked) == (
        StepTimes.WHOLE,
        HistoryLine("playing audio", 1, began, began, timedelta(seconds=40)),
    )
    assert await timing(interrupted, Remembered()) == (StepTimes.NOT_KEPT, HistoryLine("playing audio"))
    unasked = Remembered()
    assert (await timing(replace(interrupted, status=Status.RUNNING), unasked))[0] is StepTimes.WHOLE
    assert (asked.asked, unasked.asked) == ([PARENT], [])


@pytest.mark.parametrize(("trouble", "why"), [("silent", StepTimes.LATE), ("failing", StepTimes.FAILED)])
async def test_why_no_times_are_known_is_told(trouble: str, why: StepTimes) -> None:
    assert (await timing(replace(ENDED, on_complete_flow_id=None), Remembered(trouble=trouble)))[0] is why

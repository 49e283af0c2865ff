"""When steps began: the true instant or none, whichever events are lost, doubled or late."""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from bot.activeflows.model import START_ID, Action, Activeflow, Reference, Status
from bot.activeflows.situation.history import Timeline, TimelineEvent, step_times

BEGAN = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
TYPES = {UUID(int=100 + n): type_ for n, type_ in enumerate(("talk", "play", "goto"))}


def at(seconds: float) -> datetime:
    return BEGAN + timedelta(seconds=seconds)


def lived(
    ids: list[UUID], times: list[datetime], ended_at: datetime | None = None
) -> tuple[Activeflow, list[TimelineEvent]]:
    """One that went through these steps after its start, and the events VoIPBIN told of it."""
    steps = [Action(START_ID), *(Action(id_, TYPES[id_]) for id_ in ids)]
    moments = [TimelineEvent(time, place, steps[place].id, running=True) for place, time in enumerate(times)]
    if ended_at is not None:
        moments.append(TimelineEvent(ended_at, len(ids), steps[-1].id, running=False))
    activeflow = Activeflow(
        id=UUID(int=1),
        customer_id=None,
        flow_id=None,
        status=Status.ENDED if ended_at else Status.RUNNING,
        reference=Reference("call"),
        current=steps[-1],
        executed=tuple(steps[:-1]),
        created_at=BEGAN,
        updated_at=ended_at or times[-1],
    )
    return activeflow, moments


LIVES = st.lists(st.tuples(st.sampled_from(list(TYPES)), st.integers(0, 90)), max_size=40)


def life(steps: list[tuple[UUID, int]], *, ended: bool) -> tuple[Activeflow, list[TimelineEvent], list[datetime]]:
    times = [BEGAN]
    for _, seconds in steps:
        times.append(times[-1] + timedelta(seconds=seconds))
    over = times[-1] + timedelta(seconds=5) if ended else None
    return *lived([id_ for id_, _ in steps], times, over), times


@given(LIVES, st.booleans())
def test_with_every_event_every_step_has_its_instant(steps: list[tuple[UUID, int]], ended: bool) -> None:
    activeflow, moments, times = life(steps, ended=ended)
    assert step_times(activeflow, Timeline(tuple(moments))) == tuple(times)


@given(LIVES, st.booleans(), st.data(), st.randoms(use_true_random=False))
def test_lost_doubled_and_unordered_events_cost_an_instant_and_never_invent_one(
    steps: list[tuple[UUID, int]], ended: bool, data: st.DataObject, dice: random.Random
) -> None:
    activeflow, moments, times = life(steps, ended=ended)
    kept = [moment for moment in moments for _ in range(data.draw(st.integers(0, 3), label="copies"))]
    dice.shuffle(kept)
    found = step_times(activeflow, Timeline(tuple(kept)))
    told = {moment.executed for moment in kept if moment.running}
    if not ended and steps:
        told.add(len(steps))  # its own last change says so
    assert found == tuple(time if place in told else None for place, time in enumerate(times))


@given(LIVES, LIVES)
def test_events_of_other_steps_count_for_nothing(mine: list[tuple[UUID, int]], others: list[tuple[UUID, int]]) -> None:
    activeflow, _, _ = life(mine, ended=True)
    _, moments, times = life(others, ended=False)
    steps = [*(action.id for action in activeflow.executed), activeflow.current.id]
    for found, (place, step) in zip(step_times(activeflow, Timeline(tuple(moments))), enumerate(steps), strict=True):
        fits = place < len(moments) and moments[place].current == step
        assert found == (times[place] if fits else None)


@given(st.lists(st.tuples(st.integers(-50, 50), st.integers(0, 12), st.sampled_from(list(TYPES))), max_size=60), LIVES)
def test_instants_never_run_backwards_whatever_comes(
    strange: list[tuple[int, int, UUID]], steps: list[tuple[UUID, int]]
) -> None:
    activeflow, moments, _ = life(steps, ended=False)
    moments += [TimelineEvent(at(seconds), executed, current, running=True) for seconds, executed, current in strange]
    found = [time for time in step_times(activeflow, Timeline(tuple(moments))) if time is not None]
    assert found == sorted(found)


def test_of_two_that_contradict_each_other_neither_is_told() -> None:
    talk, play, goto = TYPES
    activeflow, _ = lived([talk, play, goto], [at(0), at(1), at(2), at(3)])
    moments = (TimelineEvent(at(2.5), 1, talk, running=True), TimelineEvent(at(2), 2, play, running=True))
    assert step_times(activeflow, Timeline(moments)) == (None, None, None, at(3))


def test_the_end_is_not_the_beginning_of_the_step_it_interrupted() -> None:
    activeflow, moments = lived([next(iter(TYPES))], [at(0), at(1)], ended_at=at(9))
    assert step_times(activeflow, Timeline(tuple(moments[-1:]))) == (None, None)


def test_what_an_unknown_status_changed_last_is_not_known() -> None:
    activeflow, _ = lived([next(iter(TYPES))], [at(0), at(1)])
    assert step_times(activeflow) == (None, at(1))
    assert step_times(replace(activeflow, status=Status.UNKNOWN)) == (None, None)

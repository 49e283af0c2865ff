"""Steps folded for reading."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from bot.activeflows.model import FINISH_ID, START_ID, Action, Activeflow, Reference, Status
from bot.activeflows.situation.current_step import folded
from bot.activeflows.situation.history import HistoryLine, present_step, step_history


def after(*types: str) -> Activeflow:
    """One action per type, so that the same word is the same step."""
    ids = {type_: UUID(int=100 + n) for n, type_ in enumerate(dict.fromkeys(types))}
    executed = tuple(Action(ids[type_], type_) for type_ in types)
    return Activeflow(
        UUID(int=1),
        None,
        None,
        Status.RUNNING,
        Reference("call"),
        Action(UUID(int=9), "play"),
        (Action(START_ID), *executed),
    )


def told(*types: str, limit: int = 16) -> list[tuple[str, int]]:
    return [(done.words, done.times) for done in step_history(after(*types), limit=limit)]


def test_laps_of_a_menu_are_one_line() -> None:
    lap = ("talk", "digits_receive", "branch", "goto")
    assert told("answer", *lap * 7, "talk", "connect") == [
        ("answering the call", 1),
        ("text → keypad input → menu choice", 7),
        ("speaking a text", 1),
        ("dialling another party", 1),
    ]


def test_the_queues_own_empty_steps_are_left_out() -> None:
    laps = told("queue_join", *("fetch_flow", "play", "empty") * 3)
    assert laps == [("entering a queue", 1), ("other flow → audio", 3)]
    assert told("play", "empty") == [("playing audio", 1)]


def test_names_are_used_where_they_are_known() -> None:
    queue = UUID(int=5)
    join = Action(UUID(int=6), "queue_join", {"queue_id": str(queue)})
    activeflow = Activeflow(UUID(int=1), None, None, Status.RUNNING, Reference(), Action(UUID(int=7), "play"), (join,))
    assert step_history(activeflow, name_of={queue: "Support"}.get) == (HistoryLine("entering queue Support"),)


def test_of_a_long_history_the_middle_is_left_out_and_counted() -> None:
    types = [*"abcdefg", *("talk", "play") * 4, *"hij"]
    lines = told(*types, limit=5)
    assert [words for words, _ in lines] == [
        "unknown step a",
        "14 steps more",
        "unknown step h",
        "unknown step i",
        "unknown step j",
    ]
    gap = step_history(after(*types), limit=5)[1]
    assert gap.left_out == 14
    assert told("answer", "talk", limit=1) == [("2 steps more", 1)]


def test_one_that_has_done_nothing_has_no_history() -> None:
    assert step_history(after()) == ()


@given(st.lists(st.sampled_from("abc"), max_size=60))
def test_folding_loses_and_invents_nothing(keys: list[str]) -> None:
    unfolded = [key for start, size, times in folded(keys) for key in keys[start : start + size] * times]
    assert unfolded == keys


@given(st.lists(st.sampled_from(["talk", "play", "goto", "empty", "brand_new", ""]), max_size=60), st.integers(1, 15))
def test_a_history_is_bounded_and_every_line_says_something(types: list[str], limit: int) -> None:
    lines = step_history(after(*types), limit=limit)
    assert len(lines) <= limit
    assert all(done.words and done.times >= 1 for done in lines)


# ---------------------------------------------------------------- times

BEGAN = datetime(2026, 11, 22, 14, 2, 10, tzinfo=UTC)


def at(seconds: int) -> datetime:
    return BEGAN + timedelta(seconds=seconds)


def test_each_step_tells_when_it_began_and_how_long_it_took() -> None:
    activeflow = after("answer", "talk")
    lines = step_history(activeflow, times=(at(0), at(1), at(3), at(10)))
    assert lines == (
        HistoryLine("answering the call", 1, at(1), at(1), timedelta(seconds=2)),
        HistoryLine("speaking a text", 1, at(3), at(3), timedelta(seconds=7)),
    )


def test_laps_tell_their_first_their_last_and_how_long_all_took() -> None:
    activeflow = after(*("fetch_flow", "play", "empty") * 3)
    times = (at(0), *(at(10 * place) for place in range(1, 11)))
    assert step_history(activeflow, times=times) == (
        HistoryLine(
            "other flow → audio", 3, at(10), at(70), timedelta(seconds=80)
        ),  # the last empty step is no part of a lap
    )


def test_what_is_not_known_of_the_times_is_not_made_up() -> None:
    activeflow = after("answer", "talk", "sleep")
    lines = step_history(activeflow, times=(None, at(1), None, at(5), None))
    assert [(done.began, done.took) for done in lines] == [(at(1), None), (None, None), (at(5), None)]
    assert {(done.began, done.last, done.took) for done in step_history(activeflow)} == {(None, None, None)}


def test_the_present_step_tells_since_when() -> None:
    activeflow = after("answer")
    assert present_step(activeflow, times=(at(0), at(1), at(2))) == HistoryLine("playing audio", 1, at(2), at(2))
    assert present_step(activeflow) == HistoryLine("playing audio")


def test_an_interrupted_step_lasted_until_the_end() -> None:
    ended = replace(after("answer"), status=Status.ENDED, updated_at=at(47))
    assert present_step(ended, times=(at(0), at(1), at(2))) == HistoryLine(
        "playing audio", 1, at(2), at(2), at(47) - at(2)
    )
    assert present_step(replace(ended, updated_at=None), times=(at(0), at(1), at(2))) == HistoryLine(
        "playing audio", 1, at(2), at(2)
    )


def test_the_start_and_the_finish_are_no_steps() -> None:
    for marker in (START_ID, FINISH_ID):
        assert present_step(replace(after("answer"), current=Action(marker))) is None


@given(
    st.lists(st.sampled_from(["talk", "play", "goto", "empty"]), max_size=50), st.lists(st.integers(0, 9)), st.data()
)
def test_no_line_takes_longer_than_there_was_time_for(types: list[str], gaps: list[int], data: st.DataObject) -> None:
    activeflow = after(*types)
    steps = len(activeflow.executed) + 1
    whole = [at(sum(gaps[:place])) for place in range(steps)]
    times = [time if data.draw(st.booleans()) else None for time in whole]
    lines = step_history(activeflow, times=times, limit=100)
    for done in lines:
        assert done.began in times
        assert done.last in times
        assert done.took is None or timedelta(0) <= done.took <= whole[-1] - whole[0]
    begun = [done.began for done in lines if done.began is not None]
    assert begun == sorted(begun)


@given(st.integers(2, 12), st.integers(2, 9))
def test_a_circle_of_up_to_twelve_steps_is_found(size: int, times: int) -> None:
    assert folded(list(range(size)) * times) == [(0, size, times)]

"""Steps folded for reading."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from bot.activeflows.history import step_history
from bot.activeflows.laps import folded
from bot.activeflows.model import START_ID, Action, Activeflow, Reference, Status


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


def test_laps_of_a_menu_are_one_line() -> None:
    lap = ("talk", "digits_receive", "branch", "goto")
    assert step_history(after("answer", *lap * 7, "talk", "connect")) == (
        ("answering the call", 1),
        ("text → keypad input → menu choice", 7),
        ("speaking a text", 1),
        ("dialling another party", 1),
    )


def test_the_queues_own_empty_steps_are_left_out() -> None:
    told = step_history(after("queue_join", *("fetch_flow", "play", "empty") * 3))
    assert told == (("entering a queue", 1), ("other flow → audio", 3))
    assert step_history(after("play", "empty")) == (("playing audio", 1),)


def test_names_are_used_where_they_are_known() -> None:
    queue = UUID(int=5)
    join = Action(UUID(int=6), "queue_join", {"queue_id": str(queue)})
    activeflow = Activeflow(UUID(int=1), None, None, Status.RUNNING, Reference(), Action(UUID(int=7), "play"), (join,))
    assert step_history(activeflow, name_of={queue: "Support"}.get) == (("entering queue Support", 1),)


def test_a_long_history_keeps_its_newest_lines_and_says_what_it_left_out() -> None:
    told = step_history(after("answer", "talk", "play", "sleep", "beep"), limit=3)
    assert told == (("3 earlier steps", 1), ("pausing", 1), ("playing a beep", 1))


def test_one_that_has_done_nothing_has_no_history() -> None:
    assert step_history(after()) == ()


@given(st.lists(st.sampled_from("abc"), max_size=60))
def test_folding_loses_and_invents_nothing(keys: list[str]) -> None:
    unfolded = [key for start, size, times in folded(keys) for key in keys[start : start + size] * times]
    assert unfolded == keys


@given(st.lists(st.sampled_from(["talk", "play", "goto", "empty", "brand_new", ""]), max_size=60), st.integers(1, 15))
def test_a_history_is_bounded_and_every_line_says_something(types: list[str], limit: int) -> None:
    told = step_history(after(*types), limit=limit)
    assert len(told) <= limit
    assert all(done.words and done.times >= 1 for done in told)


@given(st.integers(2, 12), st.integers(2, 9))
def test_a_circle_of_up_to_twelve_steps_is_found(size: int, times: int) -> None:
    assert folded(list(range(size)) * times) == [(0, size, times)]

"""What a watch knows of its activeflow: the newest version, and the last situations with their times."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from bot.activeflows.model import Action, Activeflow, Reference, Status
from bot.activeflows.situation.current_step import Situation, situation
from bot.activeflows.watching.watch import EARLIER, Observation, learnt, version_of

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
TYPES = ("play", "digits_receive", "sleep", "echo")


def version(steps: int) -> Activeflow:
    """After so many steps, one a second."""
    done = tuple(Action(UUID(int=9 + n), TYPES[n % 4]) for n in range(steps))
    current = Action(UUID(int=9 + steps), TYPES[steps % 4])
    at = NOON + timedelta(seconds=steps)
    return Activeflow(UUID(int=1), None, None, Status.RUNNING, Reference("call"), current, done, updated_at=at)


def told(versions: list[Activeflow]) -> Observation:
    known: Observation | None = None
    for each in versions:
        known = learnt(known, each, situation(each), (), NOON + timedelta(minutes=5))
    assert known is not None
    return known


@given(st.lists(st.integers(0, 12), min_size=1))
def test_in_any_order_the_newest_version_stays(order: list[int]) -> None:
    known = told([version(steps) for steps in order])
    newest = version(max(order))
    assert known.version == version_of(newest)
    assert known.steps == max(order)
    assert known.now.words == situation(newest).words
    times = [*(moment.at for moment in known.earlier), known.now.at]
    assert times == sorted(times)
    assert len(known.earlier) <= EARLIER


def test_the_last_five_situations_before_this_one_are_kept() -> None:
    known = told([version(steps) for steps in range(12)])
    assert [moment.at for moment in known.earlier] == [NOON + timedelta(seconds=n) for n in range(6, 11)]


def test_progress_inside_a_situation_keeps_its_time_and_changes_its_words() -> None:
    def lap(number: int, queue: str) -> tuple[Activeflow, Situation]:
        one = version(number)
        return one, replace(situation(one), kind="queue.waiting", words=f"waiting in queue {queue}, lap {number}")

    known = learnt(None, *lap(1, "Sales"), (), NOON + timedelta(minutes=1))
    known = learnt(known, *lap(2, "Sales"), (), NOON + timedelta(minutes=1))
    assert known.earlier == ()
    assert (known.now.at, known.now.words) == (NOON + timedelta(seconds=1), "waiting in queue Sales, lap 2")
    known = learnt(known, *lap(3, "Support"), (), NOON + timedelta(minutes=1))
    assert [moment.words for moment in known.earlier] == ["waiting in queue Sales, lap 2"]


def test_a_name_that_was_looked_up_late_is_no_new_situation() -> None:
    one = version(3)
    known = learnt(None, one, replace(situation(one), words="waiting in a queue"), (), NOON + timedelta(minutes=1))
    known = learnt(known, one, replace(situation(one), words="waiting in queue Sales"), (), NOON + timedelta(minutes=1))
    assert (known.earlier, known.now.words) == ((), "waiting in queue Sales")


def test_a_clock_of_voipbins_that_is_fast_puts_nothing_into_the_future() -> None:
    one = replace(version(3), updated_at=NOON + timedelta(hours=1))
    assert learnt(None, one, situation(one), (), NOON).now.at == NOON

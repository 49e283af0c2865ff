"""How long something usually takes: bounded, and not moved by a few strange times."""

from hypothesis import given
from hypothesis import strategies as st

from bot.activeflows.anomalies import BUCKETS, Durations
from bot.activeflows.anomalies import MOST_COUNTED as MOST

TIMES = st.lists(st.floats(0, 1e9), max_size=60)


def of(times: list[float]) -> Durations:
    durations = Durations()
    for seconds in times:
        durations.add(seconds)
    return durations


@given(st.lists(st.floats(1, 200_000), min_size=1, max_size=60), st.sampled_from([0.0, 0.5, 0.95, 1.0]))
def test_a_quantile_is_right_within_a_quarter_and_never_too_short(times: list[float], share: float) -> None:
    exact = sorted(times)[max(0, -(-int(share * len(times) * 1000) // 1000) - 1)]
    found = of(times).at_most(share)
    assert found is not None
    assert exact * 0.999 <= found <= exact * 1.2501


@given(TIMES, TIMES)
def test_a_longer_time_never_makes_it_shorter_and_the_order_is_no_matter(times: list[float], more: list[float]) -> None:
    both = of(times)
    both.merge(of(more))
    assert both.counts == of(more + times).counts
    grown = of([*times, *more, 1e9]).at_most(0.5)
    assert grown is not None
    assert grown >= (both.at_most(0.5) or 0)


def test_one_strange_time_in_twenty_does_not_move_the_middle() -> None:
    assert of([45.0] * 20).at_most(0.5) == of([45.0] * 20 + [1e6]).at_most(0.5)


@given(st.lists(st.integers(-5, 10**6), max_size=BUCKETS + 5))
def test_it_stays_bounded_and_forgets_the_old_slowly(counts: list[int]) -> None:
    durations = Durations(counts)
    durations.add(10)
    assert durations.total <= MOST
    assert Durations(durations.counts).counts == durations.counts
    for _ in range(3 * MOST):
        durations.add(100)
    assert durations.total <= MOST
    assert (durations.at_most(0.5) or 0) > 90


def test_without_any_there_is_no_usual() -> None:
    assert Durations().at_most(0.5) is None

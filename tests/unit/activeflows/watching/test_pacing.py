"""Cards are edited as often as Slack allows and a reader can follow, and each gets its turn."""

from collections import defaultdict
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from bot.activeflows.watching.watch import CardPace, WatchPace

PACE = WatchPace()


def told(pacing: CardPace, since: float, until: float, *, always_news: bool = False) -> list[tuple[float, str]]:
    """Every turn given in that time, as whoever waits as long as it is told takes them."""
    turns, now = [], since
    while now <= until:
        wait = pacing.wait(now)
        if wait is None:
            break
        now += wait
        id_ = pacing.next(now)
        if id_ is None:
            now += 1e-6
            continue
        if now <= until:
            turns.append((now, id_))
        pacing.edited(id_, now)
        if always_news:
            pacing.news(id_)
    return turns


def test_the_first_news_is_due_at_once_and_the_next_after_three_seconds() -> None:
    pacing = CardPace(PACE, 100.0)
    pacing.add("a", 100.0, news=False)
    assert pacing.next(100.0) is None
    pacing.news("a")
    assert pacing.next(100.0) == "a"
    pacing.edited("a", 100.4)
    pacing.news("a")
    assert pacing.next(103.3) is None
    assert pacing.next(103.4) == "a"


def test_without_news_a_card_is_due_once_a_minute() -> None:
    pacing = CardPace(PACE, 0.0)
    pacing.add("a", 0.0, news=True)
    assert [round(at) for at, _ in told(pacing, 0.0, 190.0)] == [0, 60, 120, 180]


@given(cards=st.integers(1, 60), seconds=st.integers(60, 600))
def test_all_together_keep_to_the_pace_and_each_gets_its_turn(cards: int, seconds: int) -> None:
    pacing = CardPace(PACE, 0.0)
    for number in range(cards):
        pacing.add(f"card {number}", 0.0, news=True)
    turns = told(pacing, 0.0, float(seconds), always_news=True)
    for number, (at, _) in enumerate(turns):
        lately = [other for other, _ in turns[: number + 1] if other > at - 60]
        assert len(lately) <= PACE.burst + 60 * PACE.rate
    by_card: dict[str, list[float]] = defaultdict(list)
    for at, id_ in turns:
        by_card[id_].append(at)
    assert all(
        later - earlier >= PACE.card_every - 1e-6 for ats in by_card.values() for earlier, later in pairwise(ats)
    )
    counts = [len(by_card[f"card {number}"]) for number in range(cards)]
    assert max(counts) - min(counts) <= 1  # a fair round robin


def test_a_quiet_card_is_not_starved_by_busy_ones() -> None:
    pacing = CardPace(PACE, 0.0)
    for number in range(50):
        pacing.add(f"busy {number}", 0.0, news=True)
    pacing.add("quiet", 0.0, news=False)
    turns = told(pacing, 0.0, 400.0, always_news=True)
    assert any(id_ == "quiet" for _, id_ in turns)


def test_last_words_go_before_all_others() -> None:
    pacing = CardPace(PACE, 0.0)
    for number in range(20):
        pacing.add(f"busy {number}", 0.0, news=True)
    pacing.add("over", 0.0, news=False)
    pacing.news("over", last=True)
    assert pacing.next(0.0) == "over"


def test_after_a_429_nobody_goes_for_as_long_as_slack_asked() -> None:
    pacing = CardPace(PACE, 0.0)
    for number in range(5):
        pacing.add(f"card {number}", 0.0, news=True)
    assert pacing.next(0.0) is not None
    pacing.refused(0.0, 30.0)
    assert pacing.wait(0.0) == 30.0
    assert pacing.next(29.9) is None
    assert pacing.next(30.0) is not None


def test_a_failed_edit_is_tried_again_later_and_is_still_news() -> None:
    pacing = CardPace(PACE, 0.0)
    pacing.add("a", 0.0, news=True)
    assert pacing.next(0.0) == "a"
    pacing.failed("a", 1.0)
    assert pacing.next(1.0 + PACE.again - 0.1) is None
    assert pacing.next(1.0 + PACE.again) == "a"


def test_a_card_that_cannot_be_edited_waits_twice_as_long_each_time_until_it_can() -> None:
    pacing, now = CardPace(PACE, 0.0), 0.0
    pacing.add("a", now, news=True)
    pauses = []
    for _ in range(8):
        pacing.failed("a", now)
        pause = pacing.wait(now)
        assert pause is not None
        pauses.append(pause)
        now += pause
    assert pauses == [10.0, 20.0, 40.0, 80.0, 160.0, 300.0, 300.0, 300.0]
    pacing.succeeded("a")
    pacing.failed("a", now)
    assert pacing.wait(now) == PACE.again


def test_a_dropped_card_is_never_due() -> None:
    pacing = CardPace(PACE, 0.0)
    pacing.add("a", 0.0, news=True)
    pacing.drop("a")
    pacing.news("a")
    assert pacing.wait(0.0) is None
    assert pacing.next(0.0) is None

"""The budget is never overdrawn, and the most urgent goes first."""

import asyncio
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.voipbin.http.budget import RESERVED_FOR_PRESSES, Bucket, Budget, Urgency


class Clock:
    """Time that moves when the test says so; alarms ring in order."""

    def __init__(self) -> None:
        self.now = 0.0
        self._alarms: list[tuple[float, int, Callable[[], None]]] = []
        self._set = 0

    def later(self, delay: float, callback: Callable[[], None]) -> None:
        self._set += 1
        self._alarms.append((self.now + delay, self._set, callback))

    def ring(self) -> None:
        """The first alarm, now."""
        self._alarms.pop(0)[2]()

    async def passes(self, seconds: float) -> None:
        until = self.now + seconds
        await settled()
        while due := [alarm for alarm in self._alarms if alarm[0] <= until]:
            first = min(due)
            self._alarms.remove(first)
            self.now = max(self.now, first[0])
            first[2]()
            await settled()
        self.now = until


async def settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


@given(
    rate=st.floats(0.5, 50),
    burst=st.integers(1, 20),
    steps=st.lists(st.tuples(st.floats(0, 3), st.booleans(), st.floats(0, 5)), max_size=60),
)
def test_a_bucket_never_gives_more_than_burst_and_rate_allow(
    rate: float, burst: int, steps: list[tuple[float, bool, float]]
) -> None:
    bucket, now = Bucket(rate, burst, 0.0), 0.0
    taken: list[float] = []
    blocked_until = 0.0
    for passed, refused, pause in steps:
        now += passed
        while bucket.take(now):
            assert now >= blocked_until
            taken.append(now)
        if refused:
            bucket.refuse(now, pause)
            blocked_until = max(blocked_until, now + pause)
    for i, first in enumerate(taken):
        for j in range(i, len(taken)):
            assert j - i + 1 <= burst + (taken[j] - first) * rate + 1e-6


@given(rate=st.floats(0.5, 50), burst=st.integers(1, 5), pause=st.floats(0, 5))
def test_waiting_as_long_as_the_bucket_says_leads_to_a_turn(rate: float, burst: int, pause: float) -> None:
    bucket, now = Bucket(rate, burst, 0.0), 0.0
    bucket.refuse(now, pause)
    for _ in range(20):
        if bucket.take(now):
            return
        now += max(bucket.wait(now), 1e-9)
    pytest.fail("never")


def test_after_a_429_the_rate_is_half_for_a_while_and_then_whole_again() -> None:
    bucket = Bucket(8.0, 1000, 0.0)
    bucket.refuse(0.0, 1.0)
    assert not bucket.take(0.99)
    assert given_by(bucket, 11.0) == 40  # ten careful seconds
    assert given_by(bucket, 16.0) == 40  # five ordinary ones


def given_by(bucket: Bucket, now: float) -> int:
    given = 0
    while bucket.take(now):
        given += 1
    return given


async def test_the_most_urgent_waiting_one_goes_next_and_equals_in_order_of_arrival() -> None:
    clock = Clock()
    budget = Budget(1.0, 1.0, 16, clock=lambda: clock.now, later=clock.later)
    went: list[str] = []

    async def ask(name: str, urgency: Urgency) -> None:
        async with budget.turn(urgency):
            went.append(name)

    async with asyncio.TaskGroup() as asking:
        asking.create_task(ask("spends the burst", Urgency.SCAN))
        await settled()
        for name, urgency in [
            ("scan 1", Urgency.SCAN),
            ("screen 1", Urgency.SCREEN),
            ("scan 2", Urgency.SCAN),
            ("press", Urgency.PRESS),
            ("screen 2", Urgency.SCREEN),
        ]:
            asking.create_task(ask(name, urgency))
        await clock.passes(20)
    assert went == ["spends the burst", "press", "screen 1", "screen 2", "scan 1", "scan 2"]


@given(st.lists(st.tuples(st.sampled_from(Urgency), st.floats(0, 0.5)), min_size=1, max_size=25))
def test_whatever_arrives_nobody_less_urgent_overtakes_and_the_rate_holds(
    arrivals: list[tuple[Urgency, float]],
) -> None:
    async def story() -> None:
        clock = Clock()
        budget = Budget(4.0, 2.0, 16, clock=lambda: clock.now, later=clock.later)
        waiting: list[tuple[Urgency, int]] = []
        went: list[float] = []

        async def ask(urgency: Urgency, number: int) -> None:
            waiting.append((urgency, number))
            async with budget.turn(urgency):
                assert (urgency, number) == min(waiting)
                waiting.remove((urgency, number))
                went.append(clock.now)

        async with asyncio.TaskGroup() as asking:
            for number, (urgency, pause) in enumerate(arrivals):
                asking.create_task(ask(urgency, number))
                await clock.passes(pause)
            await clock.passes(20)
        assert len(went) == len(arrivals)
        for i, first in enumerate(went):
            for j in range(i, len(went)):
                assert j - i + 1 <= 2 + (went[j] - first) * 4 + 1e-6

    asyncio.run(story())


async def test_slow_answers_to_screens_leave_room_for_a_press() -> None:
    budget = Budget(1000.0, 1000.0, 4)
    done = asyncio.Event()
    inside: list[Urgency] = []

    async def ask(urgency: Urgency) -> None:
        async with budget.turn(urgency):
            inside.append(urgency)
            await done.wait()

    async with asyncio.TaskGroup() as asking:
        for _ in range(6):
            asking.create_task(ask(Urgency.SCREEN))
        await settled()
        assert len(inside) == 4 - RESERVED_FOR_PRESSES
        for _ in range(3):
            asking.create_task(ask(Urgency.PRESS))
        await settled()
        assert inside.count(Urgency.PRESS) == RESERVED_FOR_PRESSES
        done.set()
    assert len(inside) == 9


async def test_one_that_gives_up_waiting_holds_no_place() -> None:
    clock = Clock()
    budget = Budget(1.0, 1.0, 1 + RESERVED_FOR_PRESSES, clock=lambda: clock.now, later=clock.later)
    async with budget.turn(Urgency.SCAN):
        pass

    async def ask() -> None:
        async with budget.turn(Urgency.SCAN):
            pass

    gone = [asyncio.create_task(ask()) for _ in range(3)]
    await settled()
    for task in gone:
        task.cancel()
    await asyncio.gather(*gone, return_exceptions=True)
    last = asyncio.create_task(ask())
    await clock.passes(1.5)
    assert last.done()


async def test_one_cancelled_in_the_moment_of_its_turn_holds_no_place() -> None:
    clock = Clock()
    budget = Budget(1.0, 1.0, 1 + RESERVED_FOR_PRESSES, clock=lambda: clock.now, later=clock.later)

    async def ask() -> None:
        async with budget.turn(Urgency.SCAN):
            pass

    await ask()  # spends the burst
    first = asyncio.create_task(ask())
    await settled()
    clock.now = 1.0
    clock.ring()  # its turn has come, it has not run on yet
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    second = asyncio.create_task(ask())
    await clock.passes(5)
    assert first.cancelled()
    assert second.done()

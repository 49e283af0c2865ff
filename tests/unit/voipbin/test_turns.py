"""The budget to the number: what fills it, what is held back for presses, and what it says of itself."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack

import pytest

from bot.voipbin.http.budget import RESERVED_FOR_PRESSES, Bucket, Budget, Load, Urgency

LESS_URGENT = [urgency for urgency in Urgency if urgency is not Urgency.PRESS]


def taken(bucket: Bucket, now: float) -> int:
    """How many turns there are at this moment; none is left."""
    count = 0
    while bucket.take(now):
        count += 1
    return count


@pytest.mark.parametrize(
    ("later", "turns"), [(0.0, 0), (0.49, 0), (0.5, 1), (3.0, 6), (5.0, 10), (5.5, 10), (999.0, 10)]
)
def test_an_empty_bucket_fills_at_its_rate_and_never_above_its_burst(later: float, turns: int) -> None:
    bucket = Bucket(2.0, 10, 100.0)
    assert taken(bucket, 100.0) == 10
    assert taken(bucket, 100.0 + later) == turns


def test_a_clock_that_goes_back_gives_nothing() -> None:
    bucket = Bucket(2.0, 1, 10.0)
    assert bucket.take(10.0)
    assert not bucket.take(0.0)
    assert not bucket.take(10.4)
    assert bucket.take(10.5)


@pytest.mark.parametrize(("spent", "wait"), [(0, 0.0), (1, 0.0), (2, 0.25), (3, 0.5)])
def test_the_wait_is_until_the_next_whole_turn(spent: int, wait: float) -> None:
    bucket = Bucket(4.0, 2, 0.0)
    for _ in range(spent):
        bucket.spend(0.0)
    assert bucket.wait(0.0) == pytest.approx(wait)


def test_a_part_of_a_turn_shortens_the_wait() -> None:
    bucket = Bucket(4.0, 1, 0.0)
    assert bucket.take(0.0)
    assert bucket.wait(0.1) == pytest.approx(0.15)


def test_a_question_that_was_asked_already_is_waited_for_by_the_next() -> None:
    bucket = Bucket(1.0, 2, 0.0)
    assert bucket.take(0.0)
    bucket.spend(0.0)
    assert not bucket.take(0.99)
    assert bucket.take(1.0)


def test_after_a_429_what_was_saved_is_gone_and_the_wait_is_the_pause_and_a_turn_at_half_the_rate() -> None:
    bucket = Bucket(4.0, 100, 0.0)
    bucket.refuse(0.0, 3.0)
    assert bucket.wait(0.0) == pytest.approx(3.5)
    assert bucket.wait(2.0) == pytest.approx(1.5)
    assert not bucket.take(3.0)
    assert bucket.wait(3.25) == pytest.approx(0.25)
    assert bucket.take(3.5)


def test_a_429_forgives_no_debt() -> None:
    bucket = Bucket(1.0, 1, 0.0)
    for _ in range(4):
        bucket.spend(0.0)
    bucket.refuse(0.0, 0.0)
    assert bucket.wait(0.0) == pytest.approx(8.0)


def test_a_shorter_pause_does_not_cut_a_longer_one() -> None:
    bucket = Bucket(1.0, 100, 0.0)
    bucket.refuse(0.0, 5.0)
    bucket.refuse(1.0, 1.0)
    assert bucket.wait(1.0) == pytest.approx(4.0 + 2.0)
    assert taken(bucket, 15.0) == 5  # careful for ten seconds from the fifth on
    assert taken(bucket, 17.0) == 2


def test_the_care_after_a_429_ends_after_ten_seconds() -> None:
    bucket = Bucket(2.0, 100, 0.0)
    bucket.refuse(0.0, 1.0)
    assert taken(bucket, 11.0) == 10
    assert bucket.wait(11.0) == pytest.approx(0.5)
    assert taken(bucket, 12.0) == 2


class Turns:
    """Questions that are held in flight until somebody lets them go, by a clock that stands until it is moved."""

    def __init__(self, **budget: float) -> None:
        self.now = 0.0
        self.alarms: list[tuple[float, Callable[[], None]]] = []
        self.budget = Budget(clock=lambda: self.now, later=self._later, **budget)  # type: ignore[arg-type] # numbers
        self.inside: list[Urgency] = []
        self.asking: list[asyncio.Task[None]] = []
        self._over = asyncio.Event()

    def _later(self, delay: float, callback: Callable[[], None]) -> None:
        self.alarms.append((self.now + delay, callback))

    async def asks(self, *urgencies: Urgency) -> int:
        """So many are in flight then."""
        for urgency in urgencies:
            self.asking.append(asyncio.create_task(self._asks(urgency)))
        for _ in range(5):
            await asyncio.sleep(0)
        return len(self.inside)

    async def _asks(self, urgency: Urgency) -> None:
        async with self.budget.turn(urgency):
            self.inside.append(urgency)
            await self._over.wait()

    async def until(self, now: float) -> int:
        """Time passes, and the alarms that are due ring; so many are in flight then."""
        self.now = now
        due = [callback for at, callback in self.alarms if at <= now]
        self.alarms = [(at, callback) for at, callback in self.alarms if at > now]
        for callback in due:
            callback()
        return await self.asks()

    async def all_leave(self) -> None:
        """Those in flight have their answer."""
        before, self._over = self._over, asyncio.Event()
        before.set()
        self.inside.clear()
        await self.asks()

    async def end(self) -> None:
        for task in self.asking:
            task.cancel()
        await asyncio.gather(*self.asking, return_exceptions=True)


@pytest.fixture
async def turns() -> AsyncIterator[Callable[..., Turns]]:
    async with AsyncExitStack() as stack:

        def made(**budget: float) -> Turns:
            turns = Turns(**budget)
            stack.push_async_callback(turns.end)
            return turns

        yield made


async def test_unless_told_otherwise_it_is_eight_a_second_four_at_once_and_sixteen_in_flight(
    turns: Callable[..., Turns],
) -> None:
    usual = turns()
    assert usual.budget.load() == Load(8.0, 0, 0, None)
    assert await usual.asks(*[Urgency.PRESS] * 20) == 4
    assert await usual.until(0.125) == 5
    many = turns(burst=100)
    assert await many.asks(*[Urgency.PRESS] * 20) == 16


@pytest.mark.parametrize("urgency", LESS_URGENT)
async def test_of_the_places_in_flight_two_are_for_presses_alone(turns: Callable[..., Turns], urgency: Urgency) -> None:
    some = turns(burst=100, in_flight=5)
    assert await some.asks(*[urgency] * 5) == 5 - RESERVED_FOR_PRESSES == 3
    assert await some.asks(*[Urgency.PRESS] * 3) == 5
    await some.all_leave()
    assert sorted(some.inside) == [Urgency.PRESS, urgency, urgency]
    await some.all_leave()
    assert await some.asks(*[Urgency.PRESS] * 9) == 5  # no place was lost, and none was won


async def test_it_says_whether_one_more_of_the_least_urgent_would_go_at_once(turns: Callable[..., Turns]) -> None:
    some = turns(rate=1.0, burst=100, in_flight=4)
    assert some.budget.spare()
    assert await some.asks(Urgency.SCAN) == 1
    assert some.budget.spare()
    assert await some.asks(Urgency.SCAN) == 2
    assert not some.budget.spare()  # what is left is for presses
    await some.all_leave()
    assert some.budget.spare()
    poor = turns(rate=1.0, burst=1, in_flight=16)
    assert poor.budget.spare()
    poor.budget.spend()
    assert not poor.budget.spare()  # nothing is left to spend
    poor.now = 1.0
    assert poor.budget.spare()
    poor.budget.slow_down(0.0)
    assert not poor.budget.spare()


async def test_while_one_waits_nothing_is_spare_and_one_that_gave_up_does_not_wait(turns: Callable[..., Turns]) -> None:
    some = turns(rate=1.0, burst=1)
    assert await some.asks(Urgency.SCAN, Urgency.SCAN) == 1
    some.now = 1.0  # its alarm has not rung
    assert some.budget.load().waiting == 1
    assert not some.budget.spare()
    some.asking[-1].cancel()
    await asyncio.gather(some.asking[-1], return_exceptions=True)
    assert some.budget.load().waiting == 0
    assert some.budget.spare()


async def test_refusals_are_counted_and_the_last_is_dated(turns: Callable[..., Turns]) -> None:
    some = turns(rate=2.0, burst=4)
    some.now = 5.0
    some.budget.slow_down(1.0)
    assert some.budget.load() == Load(2.0, 0, 1, 0.0)
    some.now = 7.0
    some.budget.slow_down(3.0)
    some.now = 8.0
    assert some.budget.load() == Load(2.0, 0, 2, 1.0)
    assert await some.asks(Urgency.PRESS) == 0
    assert await some.until(10.9) == 0
    assert await some.until(11.0) == 1


async def test_however_many_wait_one_alarm_is_set_at_a_time(turns: Callable[..., Turns]) -> None:
    some = turns(rate=1.0, burst=1)
    assert await some.asks(*[Urgency.SCREEN] * 4) == 1
    assert [at for at, _ in some.alarms] == [1.0]
    assert await some.until(1.0) == 2
    assert [at for at, _ in some.alarms] == [2.0]
    assert await some.until(3.0) == 3
    assert [at for at, _ in some.alarms] == [4.0]

"""Names are asked for once at a time, remembered a while, and forgotten."""

import asyncio
import gc
from uuid import UUID

import pytest

from bot.voipbin.http.credential import SingleFlight
from bot.voipbin.name_cache import ABSENT_KEPT_FOR, KEPT_FOR, NameCache

SUPPORT, GONE = UUID(int=1), UUID(int=2)


class Directory:
    def __init__(self) -> None:
        self.asked: list[UUID] = []
        self.now = 0.0
        self.broken = False
        self.gate = asyncio.Event()
        self.gate.set()

    async def look_up(self, key: UUID) -> str | None:
        self.asked.append(key)
        await self.gate.wait()
        if self.broken:
            raise ConnectionError
        return None if key == GONE else f"name {key.int}"

    def remembered(self, room: int = 2048) -> NameCache[str]:
        return NameCache(self.look_up, clock=lambda: self.now, room=room)


async def test_a_name_is_remembered_for_minutes_and_its_absence_more_briefly() -> None:
    directory = Directory()
    names = directory.remembered()
    for _ in range(2):
        assert await names.get(SUPPORT) == "name 1"
        assert await names.get(GONE) is None
    assert directory.asked == [SUPPORT, GONE]
    directory.now = ABSENT_KEPT_FOR
    await names.get(SUPPORT)
    await names.get(GONE)
    assert directory.asked == [SUPPORT, GONE, GONE]
    directory.now = KEPT_FOR
    await names.get(SUPPORT)
    assert directory.asked[3:] == [SUPPORT]


async def test_a_failure_that_nobody_waits_for_any_more_is_nobodys_noise() -> None:
    directory = Directory()
    directory.gate.clear()
    directory.broken = True
    noise: list[str] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: noise.append(context["message"]))
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(directory.remembered().get(SUPPORT), 0.001)
    directory.gate.set()
    await asyncio.sleep(0.01)
    gc.collect()
    assert directory.asked == [SUPPORT]
    assert noise == []


async def test_many_who_ask_at_once_share_one_question() -> None:
    directory = Directory()
    directory.gate.clear()
    names = directory.remembered()
    asking = [asyncio.create_task(names.get(SUPPORT)) for _ in range(20)]
    await asyncio.sleep(0)
    directory.gate.set()
    assert await asyncio.gather(*asking) == ["name 1"] * 20
    assert directory.asked == [SUPPORT]


async def test_a_failure_reaches_all_who_wait_and_is_not_remembered() -> None:
    directory = Directory()
    directory.broken = True
    names = directory.remembered()
    failures = await asyncio.gather(*(names.get(SUPPORT) for _ in range(3)), return_exceptions=True)
    assert all(isinstance(failure, ConnectionError) for failure in failures)
    directory.broken = False
    assert await names.get(SUPPORT) == "name 1"


async def test_one_who_gives_up_does_not_take_the_answer_from_the_others() -> None:
    directory = Directory()
    directory.gate.clear()
    names = directory.remembered()
    impatient, patient = asyncio.create_task(names.get(SUPPORT)), asyncio.create_task(names.get(SUPPORT))
    await asyncio.sleep(0)
    impatient.cancel()
    await asyncio.sleep(0)
    directory.gate.set()
    assert await patient == "name 1"
    assert directory.asked == [SUPPORT]


async def test_the_memory_is_bounded_and_forgets_what_was_asked_longest_ago() -> None:
    directory = Directory()
    names = directory.remembered(room=3)
    for number in (11, 12, 13):
        await names.get(UUID(int=number))
    await names.get(UUID(int=11))
    await names.get(UUID(int=14))
    directory.asked.clear()
    for number in (11, 13, 14, 12):
        await names.get(UUID(int=number))
    assert directory.asked == [UUID(int=12)]


async def test_landing_leaves_nothing_under_way() -> None:
    single_flight: SingleFlight[str, None] = SingleFlight()
    ended = asyncio.Event()

    async def forever() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    asking = asyncio.create_task(single_flight.share("x", forever))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    await single_flight.land()
    assert ended.is_set()
    with pytest.raises(asyncio.CancelledError):
        await asking


async def test_a_failure_that_nobody_waits_for_any_more_is_not_complained_about(
    caplog: pytest.LogCaptureFixture,
) -> None:
    directory = Directory()
    directory.gate.clear()
    directory.broken = True
    names = directory.remembered()
    asking = asyncio.create_task(names.get(SUPPORT))
    await asyncio.sleep(0)
    asking.cancel()
    directory.gate.set()
    for _ in range(5):
        await asyncio.sleep(0)
    assert not caplog.records

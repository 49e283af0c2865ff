"""What is usual outlives the process, adds up over replicas, and stays bounded."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID

from bot.activeflows.anomalies import Durations, Place
from bot.ledger.baseline_store import BaselineStore
from bot.ledger.database import Database

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def at(number: int) -> Place:
    return UUID(int=1), str(UUID(int=number))


def learned(*times: float) -> Durations:
    durations = Durations()
    for seconds in times:
        durations.add(seconds)
    return durations


async def test_what_several_learn_at_the_same_moment_adds_up(database: Database) -> None:
    books = [BaselineStore(database) for _ in range(4)]
    ours = {at(n): learned(45, 50) for n in range(3)}
    await asyncio.gather(*(book.add(ours, NOON) for book in books))
    known = await BaselineStore(database).all()
    assert {where: kept.counts for where, kept in known.items()} == {
        where: learned(*[45, 50] * 4).counts for where in ours
    }


async def test_adding_gives_what_everybody_knows(database: Database) -> None:
    await BaselineStore(database).add({at(1): learned(10)}, NOON)
    (known,) = (await BaselineStore(database).add({at(1): learned(500)}, NOON)).values()
    assert known.counts == learned(10, 500).counts
    assert await BaselineStore(database).add({}, NOON) == {}


async def test_of_too_many_places_those_least_lately_learned_are_forgotten(database: Database) -> None:
    book = BaselineStore(database, most=3)
    for minute, number in enumerate((1, 2, 3, 1, 4, 5)):
        await book.add({at(number): learned(1)}, NOON + timedelta(minutes=minute))
    assert list(await book.all()) == [at(1), at(4), at(5)]

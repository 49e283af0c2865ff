"""A dead replica's presses are taken over once, also when whoever does it fails or dies, or the clock was set back."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import insert, select, text

from bot.ledger.database import Database
from bot.ledger.replicas import Replicas
from bot.ledger.tables import replicas


@pytest.fixture
async def database(postgresql_url: str) -> AsyncIterator[Database]:
    database = Database(postgresql_url)
    await database.prepare()
    await database.within(lambda connection: connection.execute(insert(replicas).values(id="dead", seen_at=0)))
    yield database
    await database.close()


async def forgotten(database: Database) -> None:
    while "dead" in await known(database):  # noqa: ASYNC110 # nobody tells when a row is gone
        await asyncio.sleep(0.02)


async def known(database: Database) -> set[str]:
    return set(await database.within(lambda connection: connection.execute(select(replicas.c.id)).scalars().all()))


async def test_a_take_over_that_failed_is_tried_again(database: Database) -> None:
    tried: list[str] = []
    done = asyncio.Event()

    async def take_over(replica: str) -> None:
        tried.append(replica)
        if len(tried) == 1:
            raise RuntimeError("the database went away")
        done.set()

    async with attending(Replicas(database, "living", take_over)), asyncio.timeout(30):
        await done.wait()
        await forgotten(database)
    assert tried == ["dead", "dead"]
    assert await known(database) == {"living"}


async def test_a_replica_cut_off_while_taking_over_leaves_it_to_the_next(database: Database) -> None:
    begun, taken = asyncio.Event(), asyncio.Event()

    async def never_ends(_: str) -> None:
        begun.set()
        await asyncio.Event().wait()

    async def take_over(replica: str) -> None:
        if replica == "dead":
            taken.set()

    async with asyncio.timeout(30):
        async with attending(Replicas(database, "first", never_ends)):
            await begun.wait()
        async with attending(Replicas(database, "second", take_over)):
            await taken.wait()


async def test_two_living_replicas_do_not_both_take_over(database: Database) -> None:
    taken: list[str] = []

    async def take_over(replica: str) -> None:
        taken.append(replica)
        await asyncio.sleep(0.3)

    async with (
        asyncio.timeout(30),
        attending(Replicas(database, "first", take_over)),
        attending(Replicas(database, "second", take_over)),
    ):
        await forgotten(database)
    assert taken == ["dead"]


async def test_one_that_died_before_the_clock_was_set_back_is_missed_and_the_living_are_not(database: Database) -> None:
    taken: list[str] = []

    async def take_over(replica: str) -> None:
        taken.append(replica)

    later = text("UPDATE replicas SET seen_at = extract(epoch FROM now())::int + 3600")
    await database.within(lambda connection: connection.execute(later))
    async with (
        asyncio.timeout(30),
        attending(Replicas(database, "first", take_over)),
        attending(Replicas(database, "second", take_over)),
    ):
        while await known(database) != {"dead", "first", "second"}:  # noqa: ASYNC110 # nor when one is there
            await asyncio.sleep(0.02)
        await database.within(lambda connection: connection.execute(later))
        await forgotten(database)
    assert taken == ["dead"]


@contextlib.asynccontextmanager
async def attending(replica: Replicas) -> AsyncIterator[None]:
    task = asyncio.create_task(replica.attend(every=0.05, dead_after=2))
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

"""The first start on an empty database, by several at once, and on one that is not the bot's."""

import asyncio
import signal
from collections.abc import Mapping
from contextlib import AsyncExitStack

import pytest
from sqlalchemy import Connection, text

from bot.ledger.database import Database
from bot.ledger.tables import ForeignLayout
from tests.scenarios.program import Program


async def test_several_who_start_at_the_same_moment_make_the_tables_once(empty_postgresql_url: str) -> None:
    async with AsyncExitStack() as stack:
        several = [Database(empty_postgresql_url) for _ in range(6)]
        for database in several:
            stack.push_async_callback(database.close)
        await asyncio.gather(*(database.prepare() for database in several))


async def test_two_bots_that_start_at_the_same_moment_both_run(
    program: Program, enough: Mapping[str, str], empty_postgresql_url: str
) -> None:
    given = {**enough, "FLOWS_BOT_DATABASE_URL": empty_postgresql_url}
    two = await asyncio.gather(*(program.start("run", **given) for _ in range(2)))

    async def ready(process: asyncio.subprocess.Process) -> bytes:
        assert process.stderr is not None
        said = b""
        while b"port=" not in said:
            line = await process.stderr.readline()
            assert line, said
            said += line
        return said

    async with asyncio.timeout(90):
        for said in await asyncio.gather(*(ready(process) for process in two)):
            assert b"IntegrityError" not in said
    for process in two:
        process.send_signal(signal.SIGTERM)
    ended = await asyncio.gather(*(process.communicate() for process in two))
    assert [process.returncode for process in two] == [0, 0], ended


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("ALTER TABLE intents DROP COLUMN ended", "table intents has no column ended"),
        ("ALTER TABLE claims ADD COLUMN newer TEXT NOT NULL DEFAULT ''", ""),
        ("DROP TABLE claims; CREATE TABLE claims (activeflow_id TEXT, seats INTEGER)", "table claims has no column"),
        (
            "DROP TABLE leases; CREATE TABLE leases (name TEXT, holder TEXT, lapses_at INTEGER, seats INTEGER NOT NULL)",
            "table leases wants something else in each row",
        ),
    ],
)
async def test_a_ledger_of_another_layout_is_refused_in_words(database: Database, change: str, words: str) -> None:
    def made(connection: Connection) -> None:
        for statement in change.split(";"):
            connection.execute(text(statement))

    await database.within(made)
    if not words:
        await database.prepare()
        return
    with pytest.raises(ForeignLayout, match=words):
        await database.prepare()


async def test_a_start_on_it_is_one_line(program: Program, enough: Mapping[str, str], sqlite_url: str) -> None:
    database = Database(sqlite_url)
    await database.prepare()
    await database.within(lambda connection: connection.execute(text("ALTER TABLE intents DROP COLUMN ended")).rowcount)
    await database.close()
    for command, status in (("run", 2), ("check", 1)):
        ended = await program(command, **enough)
        assert ended.status == status
        (line,) = [said for said in (*ended.out, *ended.err) if "FLOWS_BOT_DATABASE_URL" in said]
        assert "another version of this bot, or by another program: table intents has no column ended" in line

"""A ledger from one version to the next: the same layout by every way, and who refuses whose."""

from collections.abc import Mapping

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, inspect, text

from bot.activeflows.health import HealthState
from bot.ledger import health
from bot.ledger.database import Database
from bot.ledger.migrations import upgrade
from bot.ledger.tables import VERSION, VERSION_TABLE, NewerLedger, metadata, version
from tests.scenarios.program import Program


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: object) -> str:
    """A database with nothing in it."""
    postgresql = request.param == "postgresql"
    return str(request.getfixturevalue("empty_postgresql_url")) if postgresql else f"sqlite:///{tmp_path}/new.db"


def first_layout(connection: Connection) -> None:
    """As the bot made it before there were migrations: nothing says which version it is."""
    upgrade(connection, "0001")
    connection.execute(text(f"DROP TABLE {VERSION_TABLE}"))
    connection.execute(text("INSERT INTO heads (day, seq, hash) VALUES ('2026-08-20', 1, 'ab')"))


def differences(connection: Connection) -> list[object]:
    ours = {VERSION_TABLE, *metadata.tables}
    context = MigrationContext.configure(
        connection,
        opts={"version_table": VERSION_TABLE, "include_name": lambda name, kind, _: kind != "table" or name in ours},
    )
    return list(compare_metadata(context, metadata))


async def test_the_migrations_lead_to_the_layout_that_the_bot_works_with(url: str) -> None:
    database = Database(url)
    await database.prepare()
    assert await database.reading(differences) == []
    assert await database.reading(version) == VERSION
    await database.close()


async def test_a_ledger_from_before_the_migrations_is_upgraded_with_what_is_in_it(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    database = Database(url)
    await database.within(first_layout)
    assert await database.reading(version) == 1
    await database.prepare()
    await database.prepare()
    assert await database.reading(version) == VERSION
    assert await database.reading(differences) == []
    kept = "SELECT hash FROM heads"
    assert await database.reading(lambda connection: connection.execute(text(kept)).scalar()) == "ab"
    await database.close()
    assert capsys.readouterr().out.count("ledger_upgraded") == 1


async def test_an_upgrade_that_fails_half_way_leaves_all_as_it_was(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    database = Database(url)
    await database.within(first_layout)
    before = await database.reading(_tables)

    def half(connection: Connection) -> None:
        upgrade(connection)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await database.within(half)
    assert await database.reading(_tables) == before
    await database.close()


def _tables(connection: Connection) -> dict[str, list[str]]:
    found = inspect(connection)
    return {name: sorted(str(i["name"]) for i in found.get_indexes(name)) for name in found.get_table_names()}


@pytest.mark.parametrize("whose", ["the ledger", "the workflow tables"])
async def test_an_older_bot_refuses_a_newer_ledger(
    whose: str, program: Program, enough: Mapping[str, str], url: str
) -> None:
    database = Database(url)
    await database.prepare()
    schema = "dbos." if database.is_postgresql else ""
    newer = (
        [f"UPDATE {VERSION_TABLE} SET version_num = '0099'"]  # noqa: S608 # words of this file only
        if whose == "the ledger"
        else [
            *(["CREATE SCHEMA dbos"] if schema else []),
            f"CREATE TABLE {schema}dbos_migrations (version INTEGER NOT NULL PRIMARY KEY)",
            f"INSERT INTO {schema}dbos_migrations (version) VALUES (9999)",  # noqa: S608 # as above
        ]
    )
    await database.within(lambda connection: [connection.execute(text(line)).rowcount for line in newer])
    with pytest.raises(NewerLedger, match=f"{whose} there"):
        await database.prepare()
    await database.close()
    for command, status in (("run", 2), ("check", 1)):
        ended = await program(command, **{**enough, "FLOWS_BOT_DATABASE_URL": url})
        assert ended.status == status
        (line,) = [said for said in (*ended.out, *ended.err) if "FLOWS_BOT_DATABASE_URL" in said]
        assert "a newer flows-bot has upgraded it" in line
        assert "Nothing was changed, and no stop begun." in line


async def test_check_says_the_version_and_upgrades_nothing(
    program: Program, enough: Mapping[str, str], url: str
) -> None:
    given = {**enough, "FLOWS_BOT_DATABASE_URL": url}
    assert any("ledger: there is none" in line for line in (await program("check", **given)).out)
    database = Database(url)
    await database.within(first_layout)
    await database.within(lambda connection: connection.execute(text("DELETE FROM heads")).rowcount)
    said = (await program("check", **given)).out
    assert any(f"ledger: version 1 (the next start upgrades it to version {VERSION}), writable" in s for s in said), (
        said
    )
    assert await database.reading(version) == 1
    await database.prepare()
    assert any(f"ledger: version {VERSION}, writable" in line for line in (await program("check", **given)).out)
    await database.close()


async def test_a_replica_that_runs_on_beside_a_newer_one_says_so(url: str) -> None:
    database = Database(url)
    await database.prepare()
    await database.within(
        lambda connection: connection.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = '0099'")).rowcount  # noqa: S608 # a word of the bot
    )
    found = await health.ledger(database)
    await database.close()
    assert found.state is HealthState.WARNING
    assert "a newer flows-bot has upgraded it to version 99" in found.what

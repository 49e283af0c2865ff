"""From a release to this bot: its ledger is upgraded with all that is under way in it; nothing is lost, nothing done
twice.

The ledger of each release stands in ``tests/samples/ledger``, as its users have it.
"""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

import pytest
from sqlalchemy import create_engine

from bot.demo.voipbin.faults import hold
from bot.demo.voipbin.world import World
from bot.ledger.tables import VERSION, version
from tests.faults.processes import Processes
from tests.faults.truth import Audit, assert_told_truly, last_word, stop_requests
from tests.scenarios.bulk_stage import BulkStage
from tests.scenarios.conftest import ALICE, Stage
from tests.scenarios.test_watch import says, watched

RELEASES: Final = sorted(Path(__file__).parents[1].joinpath("samples", "ledger").glob("v*.sql"))
each_release = pytest.mark.parametrize("release", RELEASES, ids=[release.stem for release in RELEASES])


@pytest.fixture
def file(sqlite_url: str) -> Path:
    return Path(sqlite_url.removeprefix("sqlite:///"))


def make(release: Path, file: Path) -> None:
    file.unlink(missing_ok=True)
    with closing(sqlite3.connect(file)) as ledger:
        ledger.executescript(release.read_text(encoding="utf-8"))


def put_back_into(release: Path, file: Path) -> None:
    """The rows of this ledger in the tables of that release, DBOS's among them."""
    then = file.with_suffix(".then")
    make(release, then)
    with closing(sqlite3.connect(then)) as ledger:
        ledger.execute("ATTACH ? AS now", (str(file),))
        for (name,) in ledger.execute(
            "SELECT name FROM main.sqlite_master WHERE type = 'table' AND name NOT IN ('dbos_migrations', 'ledger_version')"
        ).fetchall():
            columns = [ledger.execute(f"PRAGMA {of}.table_info({name})").fetchall() for of in ("main", "now")]
            both = ", ".join(f'"{column[1]}"' for column in columns[0] if column[1] in {one[1] for one in columns[1]})
            ledger.execute(f"DELETE FROM main.{name}")  # noqa: S608 # names of tables
            ledger.execute(f"INSERT INTO main.{name} ({both}) SELECT {both} FROM now.{name}")  # noqa: S608 # as above
        ledger.commit()
    for beside in ("-wal", "-shm"):
        file.with_name(file.name + beside).unlink(missing_ok=True)
    then.replace(file)


def stamp(url: str) -> int:
    engine = create_engine(url)
    with engine.connect() as connection:
        there = version(connection)
    engine.dispose()
    return there


def chain(file: Path) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(file)) as ledger:
        return ledger.execute("SELECT seq, body, hash FROM audit ORDER BY seq").fetchall()


@each_release
async def test_a_ledger_as_a_release_left_it_is_upgraded_and_its_last_press_told_of(
    release: Path, file: Path, sqlite_url: str, stage: Stage, audit: Audit
) -> None:
    make(release, file)
    before = chain(file)
    assert audit.unfinished() == 1
    async with stage.start():
        await stage.slack.until(lambda: not audit.unfinished(), seconds=60)
    assert stamp(sqlite_url) == VERSION
    assert chain(file)[: len(before)] == before
    audit.assert_whole()
    assert audit.claims() == 0
    assert [seen for seen in stage.voipbin.requests if seen.method == "POST"] == []


@each_release
async def test_stops_watches_and_bulk_stops_under_way_go_on_after_the_upgrade(
    release: Path,
    file: Path,
    sqlite_url: str,
    stage: Stage,
    bulk: BulkStage,
    voipbin: World,
    processes: Processes,
    audit: Audit,
) -> None:
    bot = await processes.start(voipbin_events=True)
    flow, sales = voipbin.add_flow("Support line"), voipbin.add_flow("Sales")
    followed, lone = (voipbin.rings(flow, at="play") for _ in range(2))
    many = bulk.ring(6, sales)
    watch = await watched(stage, followed)
    whole = await bulk.asks('flow:"Sales" they loop')
    card, point = await stage.asks_to_stop(lone), hold(after_work=True)
    voipbin.faults.on("POST", "/activeflows/{id}/stop", point)
    await stage.slack.clicks(ALICE, card, "stop.flow")
    await point.arrived()
    bot.dies("before", 45)
    await bulk.presses(whole)
    await stage.slack.until(lambda: bot.dead, seconds=60)
    audit.close()
    put_back_into(release, file)
    assert stamp(sqlite_url) == int(release.stem[1:])
    await processes.start(voipbin_events=True)
    assert stamp(sqlite_url) == VERSION
    words = await last_word(stage, card)
    assert_told_truly(stage, lone, words)
    assert len(stop_requests(voipbin, lone)) == 1
    assert (await bulk.over(whole, seconds=60)).startswith("All 6 have ended")
    assert [bulk.stops(each) for each in many] == [1] * 6
    voipbin.moves_to(followed, "queue_join")
    await says(stage, watch, "entering a queue")
    await stage.slack.until(lambda: not audit.unfinished())
    audit.assert_whole()
    assert audit.claims() == 0

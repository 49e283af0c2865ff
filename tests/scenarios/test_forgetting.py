"""What a press leaves behind, its response_url among it, is deleted; the audit is not."""

import sqlite3
import time
from contextlib import closing
from datetime import timedelta
from functools import partial

from bot.composition.bootstrap import running
from bot.demo.slack.workspace import Workspace
from bot.demo.voipbin import faults
from bot.demo.voipbin.world import World
from tests.scenarios.conftest import ALICE, Stage


def counted(url: str, table: str) -> int:
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as ledger:
        (count,) = ledger.execute(f"SELECT count(*) FROM {table}").fetchone()  # noqa: S608 # two names of ours
        return int(count)


def gone(url: str, table: str) -> bool:
    return counted(url, table) == 0


async def test_presses_that_are_over_are_forgotten_and_the_audit_is_kept(
    stage: Stage, slack: Workspace, voipbin: World, sqlite_url: str
) -> None:
    activeflow = voipbin.rings(at="play")
    async with stage.start():
        card = await stage.asks_to_stop(activeflow)
        await slack.clicks(ALICE, card, "stop.flow")
        await stage.reads("Call: hung up")
    records = counted(sqlite_url, "audit")
    assert counted(sqlite_url, "workflow_status") > 0
    assert counted(sqlite_url, "runs") == 1
    assert records > 0
    async with running(stage.settings(), kept_for=timedelta(0)):
        for table in ("workflow_status", "workflow_input", "operation_outputs", "runs"):
            await slack.until(partial(gone, sqlite_url, table))
    assert counted(sqlite_url, "audit") == records


async def test_the_runs_of_a_press_that_is_not_over_are_kept(
    stage: Stage, slack: Workspace, voipbin: World, sqlite_url: str
) -> None:
    """Else a run of it that sleeps could wake up with the number that the next one is given."""
    over, left = voipbin.rings(at="play"), voipbin.rings(at="play")
    async with stage.start():
        await slack.clicks(ALICE, await stage.asks_to_stop(over), "stop.flow")
        await stage.reads("Call: hung up")
    second = int(time.time())
    async with running(stage.settings(), last_words=0.1) as bot:
        slack.request_url = f"http://127.0.0.1:{bot.port}/slack/events"
        card, look = await stage.asks_to_stop(left), faults.hold()
        await slack.until(lambda: time.time() >= second + 1)  # DBOS dates a press on SQLite to the second
        voipbin.faults.on("GET", "/activeflows/{id}", look)
        await slack.clicks(ALICE, card, "stop.flow")
        await look.arrived()
    assert counted(sqlite_url, "runs") == 2
    again = faults.hold()
    voipbin.faults.on("GET", "/activeflows/{id}", again)
    async with running(stage.settings(), kept_for=timedelta(0)):
        await again.arrived()
        await slack.until(lambda: counted(sqlite_url, "runs") == 1)
        assert newest(sqlite_url) == 2
        look.release()
        again.release()


def newest(url: str) -> int:
    """The number of the newest run there is."""
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as ledger:
        (number,) = ledger.execute("SELECT max(number) FROM runs").fetchone()
        return int(number)

"""What a press leaves behind, its response_url among it, is deleted; the audit is not."""

import sqlite3
from contextlib import closing
from datetime import timedelta
from functools import partial

from bot.composition.bootstrap import running
from bot.demo.slack.workspace import Workspace
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
    assert records > 0
    async with running(stage.settings(), kept_for=timedelta(0)):
        for table in ("workflow_status", "workflow_input", "operation_outputs"):
            await slack.until(partial(gone, sqlite_url, table))
    assert counted(sqlite_url, "audit") == records

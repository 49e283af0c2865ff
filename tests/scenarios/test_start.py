"""A start: given up as soon as somebody says so, and not held up by those who do not answer."""

import asyncio
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from bot.composition.bootstrap import running
from bot.demo.voipbin import faults
from bot.ledger.database import engine_for
from bot.misconfigured import Misconfigured
from tests.scenarios.conftest import ALICE, AT_ONCE, INCIDENTS, Stage
from tests.scenarios.program import ROOT, Program

SOON = 15.0  # seconds, on a busy machine; without answers a start takes more than twice as long


@asynccontextmanager
async def nobody_answering() -> AsyncIterator[tuple[str, asyncio.Event]]:
    """An address that takes connections and says nothing, and whether somebody has come."""
    asked, over = asyncio.Event(), asyncio.Event()

    async def taken(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.set()
        await over.wait()
        writer.close()

    server = await asyncio.start_server(taken, "127.0.0.1", 0)
    yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", asked
    over.set()
    server.close()
    await server.wait_closed()


@pytest.mark.parametrize("how", [pytest.param(signal.SIGINT, marks=pytest.mark.slow), signal.SIGTERM])
async def test_told_to_end_while_it_still_starts_it_ends_at_once(
    program: Program, enough: Mapping[str, str], how: signal.Signals
) -> None:
    async with nobody_answering() as (silent, asked):
        process = await program.start("run", **{**enough, "VOIPBIN_API_URL": f"{silent}/v1.0"})
        await asked.wait()
        process.send_signal(how)
        async with asyncio.timeout(SOON):
            out, err = await process.communicate()
    assert (process.returncode, out, err) == (0, b"", b"")


_ONLY_WHEN_NEEDED = {
    "alembic": "an older ledger",
    "mako": "the same",
    "emoji": "a short code in what is typed, or in a name",
    "opentelemetry": "OTEL_EXPORTER_OTLP_ENDPOINT",
    "phonenumbers": "FLOWS_BOT_REGION",
    "shtab": "`flows-bot completion`",
    "bot.demo": "`flows-bot demo`",
    "bot.terminal.checks": "`flows-bot check`",
    "bot.terminal.set_up": "`flows-bot init`",
}
"""What a bot does not load before it is asked for; each has its cost in seconds and megabytes."""


async def test_what_a_bot_seldom_needs_is_not_loaded_at_the_start(
    stage: Stage, program: Program, enough: Mapping[str, str]
) -> None:
    async with stage.start():  # which makes the ledger
        stage.voipbin.rings(at="play")
    process = await program.start("run", **{**enough, "PYTHONPROFILEIMPORTTIME": "1"})
    assert process.stderr is not None
    loaded = set[str]()
    async with asyncio.timeout(SOON):
        while b" ready " not in (line := await process.stderr.readline()):
            loaded.add(line.decode().rpartition("|")[2].strip())
    process.send_signal(signal.SIGTERM)
    await process.communicate()
    assert "dbos" in loaded, "that is how loading shows"
    assert {each for each in loaded if any(f"{each}.".startswith(f"{name}.") for name in _ONLY_WHEN_NEEDED)} == set()


async def test_a_policy_file_is_checked_without_loading_what_asks_anybody(program: Program) -> None:
    (program.folder / "policy.toml").write_text('[[grant]]\nto = ["U0ALICE"]\nmay = ["view"]\n', encoding="utf-8")
    process = await program.start("policy", "check", "--file", "policy.toml", PYTHONPROFILEIMPORTTIME="1")
    out, loading = await process.communicate()
    assert (process.returncode, out) == (0, b"policy.toml: 1 grant, no mistakes\n")
    loaded = {line.rpartition("|")[2].strip() for line in loading.decode().splitlines()}
    assert "bot.policy.advice" in loaded, "that is how loading shows"
    assert {"slack_sdk", "aiohttp", "httpx", "structlog", "sqlalchemy"} & loaded == set()


def test_interrupted_while_it_is_loaded_it_ends_without_a_word() -> None:
    loading = (
        "import os, signal, sys; from bot import __main__ as program\n"
        "class CtrlC:\n"
        "    def find_spec(self, name, path, target=None):\n"
        "        if name == 'bot.settings': os.kill(os.getpid(), signal.SIGINT)\n"
        "sys.meta_path.insert(0, CtrlC()); program.main()"
    )
    ended = subprocess.run([sys.executable, "-c", loading], cwd=ROOT, capture_output=True, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (-signal.SIGINT, b"", b"")


async def test_a_voipbin_that_says_nothing_does_not_hold_up_the_start(stage: Stage) -> None:
    silence = faults.hold()
    stage.voipbin.faults.on("*", "*", silence, times=None)
    async with running(stage.settings(), asking=replace(AT_ONCE, at_start=0.1)) as bot:
        assert len(stage.voipbin.requests) <= 1  # it was not asked again and again first
        stage.slack.request_url = f"http://127.0.0.1:{bot.port}/slack/events"
        assert (await stage.slack.types(ALICE, INCIDENTS, "/flows whoami")).error is None
        await stage.reads("What you can do here")
        silence.release()


def test_a_postgresql_that_says_nothing_is_waited_for_some_seconds_only() -> None:
    assert engine_for("postgresql://me@db/flows").url.query["connect_timeout"] == "3"
    asked = engine_for("postgresql://me@db/flows?connect_timeout=30&sslmode=require").url.query
    assert (asked["connect_timeout"], asked["sslmode"]) == ("30", "require")


async def test_two_bots_do_not_run_on_one_sqlite_file_and_the_second_says_so(stage: Stage) -> None:
    async with stage.start():
        with pytest.raises(Misconfigured, match="another bot is running on that file"):
            async with running(stage.settings(), asking=AT_ONCE):
                pass
        assert (await stage.slack.types(ALICE, INCIDENTS, "/flows whoami")).error is None
        await stage.reads("What you can do here")
    async with stage.start():
        pass


async def test_a_bot_without_a_ledger_makes_one(stage: Stage, tmp_path: Path) -> None:
    ledger = tmp_path / "not there yet.db"
    async with stage.start(flows_bot_database_url=f"sqlite:///{ledger}"):
        activeflow = stage.voipbin.rings(at="play")
        card = await stage.asks_to_stop(activeflow)
        assert (await stage.slack.clicks(ALICE, card, "stop.flow")).error is None
        await stage.reads("Stopped by")
    assert ledger.exists()

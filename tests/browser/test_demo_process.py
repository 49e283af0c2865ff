"""``flows-bot demo`` as a program: one line to start with, Ctrl-C to end it, and nothing left behind."""

import asyncio
import json
import os
import signal
import socket
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from bot.demo.__main__ import demo
from bot.demo.cast import INCIDENTS, OPERATOR
from bot.demo.scenarios.table import BY_NAME
from bot.demo.voipbin import faults
from bot.demo.voipbin.town import Town
from tests.scenarios.program import Ended, Program

LONG = 30.0  # seconds, on a busy machine
ELSEWHERE = {"SLACK_APP_TOKEN": "xapp-1-other", "SLACK_API_URL": "https://slack.example", "VOIPBIN_USERNAME": "other"}
"""What may stand in the environment of somebody who runs the bot itself; the demo must not care."""


@pytest.fixture
def files(tmp_path: Path) -> Iterator[Path]:
    """Where the program may write; at the end nothing of it may be left there."""
    yield tmp_path
    assert list(tmp_path.iterdir()) == []


@asynccontextmanager
async def _flows_bot(*arguments: str, files: Path) -> AsyncIterator[Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", *arguments, stdout=PIPE, stderr=PIPE, cwd=files, start_new_session=True,
        env={**os.environ, **ELSEWHERE, "TMPDIR": str(files)},
    )  # fmt: skip
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def _ended(*arguments: str, files: Path) -> Ended:
    """What the same came to: nobody talks with it meanwhile."""
    return await Program(files)(*arguments, **ELSEWHERE, TMPDIR=str(files))


@pytest.mark.parametrize("how", [pytest.param(signal.SIGINT, marks=pytest.mark.slow), signal.SIGTERM])
async def test_the_demo_prints_its_address_answers_and_leaves_nothing_behind(files: Path, how: signal.Signals) -> None:
    async with _flows_bot("demo", "--no-open", files=files) as process:
        assert process.stdout is not None
        told = (await asyncio.wait_for(process.stdout.readline(), LONG)).decode()
        url = told.removeprefix("The demo is at ").strip()
        async with httpx.AsyncClient(trust_env=False) as client:
            page = await client.get(url)
            assert (page.status_code, "Simulated workspace" in page.text) == (200, True)
            async with client.stream("GET", f"{url}/client/stream?user=U0OPERATOR") as watching:
                assert watching.status_code == 200
                process.send_signal(how)
                rest, complaints = await asyncio.wait_for(process.communicate(), LONG)
        assert b"Ctrl-C ends everything" in rest
        assert [line for line in complaints.decode().splitlines() if "[info " not in line] == []
        assert process.returncode == 0
        with pytest.raises(ProcessLookupError):
            os.killpg(process.pid, 0)


async def test_work_under_way_does_not_hold_up_the_end(tmp_path: Path) -> None:
    silence = faults.hold()
    async with demo(tmp_path) as shown:
        shown.town.world.faults.on("*", "*", silence, times=None)
        await shown.workspace.types(OPERATOR, INCIDENTS, "/flows show 3c5b0f6e-7d0a-4d51-9a55-0e4f6a7712c1")
        await silence.arrived()
    said = [message.words for message in shown.workspace.sees(OPERATOR, INCIDENTS)]
    assert said == []  # waited for, it would have said by now that it is still working


async def test_a_port_that_is_taken_is_one_line_and_status_2(files: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        ended = await _ended("demo", "--no-open", "--port", port, files=files)
    assert (ended.status, ended.out) == (2, [])
    assert ended.err == ["--port: cannot listen there (Address already in use). 0 picks a free one."]


async def test_a_scenario_is_played_without_a_page_and_told_as_json(files: Path) -> None:
    ended = await _ended("demo", "--scenario", "killed", "--headless", "--json", files=files)
    assert (ended.status, [line for line in ended.err if "[info " not in line]) == (0, [])
    report = json.loads("\n".join(ended.out))
    assert (report["scenario"], report["held"]) == ("killed", True)
    assert "The bot is killed (SIGKILL) before VoIPBIN has answered" in report["done"]
    assert any("Olive Operator" in said["words"] for said in report["said"])
    assert [seen["method"] for seen in report["asked"] if seen["path"].endswith("/stop")] == ["POST"]
    assert [became["stops_with_effect"] for became in report["became"]] == [1]


async def test_the_scenarios_are_listed_and_a_slip_is_corrected(files: Path) -> None:
    ended = await _ended("demo", "--scenario", "help", files=files)
    assert [line.split()[0] for line in ended.out] == list(BY_NAME)
    ended = await _ended("demo", "--scenario", "kiled", files=files)
    assert ended.status == 2
    assert ended.err[0].startswith("--scenario: there is none called 'kiled'. Did you mean killed?")


async def test_a_ledger_that_is_kept_is_there_afterwards(tmp_path: Path) -> None:
    ledger = tmp_path / "kept.db"
    async with _flows_bot("demo", "--no-open", "--keep", "kept.db", files=tmp_path) as process:
        assert process.stdout is not None
        told = [(await asyncio.wait_for(process.stdout.readline(), LONG)).decode() for _ in range(3)]
        process.send_signal(signal.SIGTERM)
        await asyncio.wait_for(process.communicate(), LONG)
    assert told[-1] == f"The ledger is {ledger} (kept).\n"
    assert ledger.stat().st_size > 0


async def test_a_page_for_others_says_so_and_answers_them_by_address_only(tmp_path: Path) -> None:
    async with demo(tmp_path, host="0.0.0.0", alerts=False, town=Town(quiet=True)) as shown:  # noqa: S104 — the point
        port = shown.url.rpartition(":")[2]
        async with httpx.AsyncClient(trust_env=False) as client:
            by_address = await client.get(f"http://127.0.0.1:{port}/", headers={"Host": "192.0.2.7"})
            by_name = await client.get(f"http://127.0.0.1:{port}/", headers={"Host": "evil.example"})
    assert (by_address.status_code, by_name.status_code) == (200, 403)

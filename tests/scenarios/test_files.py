"""What the bot leaves on the disk is its own user's, and it says so when something of its own is not."""

import asyncio
import os
import sqlite3
import stat
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path

import pytest

from bot.demo.voipbin.world import World
from tests.scenarios.conftest import ALICE, Stage
from tests.scenarios.program import Program


@pytest.fixture(params=[0o000, 0o022])
def careless(request: pytest.FixtureRequest) -> Iterator[None]:
    """Everything this process makes could be read by others."""
    before = os.umask(request.param)
    yield
    os.umask(before)


def modes(folder: Path) -> dict[str, int]:
    return {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.glob("flows-bot.db*")}


@pytest.mark.usefixtures("careless")
async def test_whatever_the_umask_nobody_else_reads_what_the_bot_makes(stage: Stage, voipbin: World) -> None:
    (stage.policy.parent / "flows-bot.db").unlink()
    async with stage.start():
        card = await stage.asks_to_stop(voipbin.rings(at="play"))
        await stage.slack.clicks(ALICE, card, "stop.flow")
        await stage.reads("Call: hung up")
        found = modes(stage.policy.parent)
        assert {"flows-bot.db", "flows-bot.db-wal", "flows-bot.db-shm", "flows-bot.db-running"} <= set(found)
        assert set(found.values()) == {0o600}
    assert set(modes(stage.policy.parent).values()) == {0o600}


async def test_what_an_older_one_left_open_is_closed(stage: Stage) -> None:
    folder = stage.policy.parent
    with closing(sqlite3.connect(folder / "flows-bot.db")) as old:
        old.execute("PRAGMA journal_mode = WAL")
        old.execute("CREATE TABLE something (one INTEGER)")
        (folder / "flows-bot.db-running").touch()
        for path in folder.glob("flows-bot.db*"):
            path.chmod(0o644)
        async with stage.start():
            found = modes(folder)
    assert len(found) >= 4
    assert set(found.values()) == {0o600}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else for a moment")
async def test_somebody_else_can_neither_read_it_nor_keep_the_bot_from_starting(stage: Stage) -> None:
    folder = stage.policy.parent
    async with stage.start():
        pass
    tries = "import sys; [open(path, 'rb') for path in sys.argv[1:]]"
    for path in folder.glob("flows-bot.db*"):
        for parent in [path, *path.parents][1:]:
            if parent.stat().st_uid == os.geteuid() and parent not in {Path("/"), Path("/tmp")}:
                parent.chmod(parent.stat().st_mode | 0o011)  # the folder is open to everybody, the files are not
        process = await asyncio.create_subprocess_exec(
            *("/usr/bin/python3", "-c", tries, str(path)), user="nobody", stderr=asyncio.subprocess.PIPE
        )
        _, said = await process.communicate()
        assert process.returncode == 1
        assert b"PermissionError" in said
    async with stage.start():
        pass


async def test_the_start_names_what_others_can_read_or_change(stage: Stage, capfd: pytest.CaptureFixture[str]) -> None:
    async with stage.start():
        pass
    assert "file_open_to_others" not in capfd.readouterr().out
    stage.policy.chmod(0o666)
    async with stage.start():
        pass
    assert "policy.toml: others on this machine can read and change it" in capfd.readouterr().out


async def test_check_names_them_too(program: Program, enough: Mapping[str, str]) -> None:
    os.chmod(enough["FLOWS_BOT_POLICY"], 0o644)  # noqa: PTH101 # a coroutine
    (program.folder / ".env").write_text("VOIPBIN_REQUESTS_PER_SECOND=8\n", encoding="utf-8")
    (program.folder / ".env").chmod(0o640)
    checked = await program("check", **enough)
    (said,) = (line for line in checked.out if " files: " in line)
    assert said.startswith("WARNING")
    assert ".env: others on this machine can read it (chmod 600)." in said
    assert "policy.toml: others on this machine can read it" in said
    assert checked.status == 0

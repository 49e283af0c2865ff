"""A policy file mounted by itself, as into a container, and replaced outside: in a mount namespace of the bot's own."""

import asyncio
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.ports import free_port
from tests.scenarios.conftest import ALICE, POLICY, Stage
from tests.scenarios.program import ROOT, Program
from tests.scenarios.typing_at import answers

_MOUNT = 'mount --bind "$1" "$2" && shift 2 && exec "$@"'


def _can_mount(folder: Path) -> bool:
    (folder / "one").touch()
    (folder / "two").touch()
    mounts = ["unshare", "-m", "mount", "--bind", str(folder / "one"), str(folder / "two")]
    return shutil.which("unshare") is not None and subprocess.run(mounts, check=False, stderr=-3).returncode == 0


@asynccontextmanager
async def contained(program: Program, policy: Path, environment: Mapping[str, str]) -> AsyncIterator[str]:
    """The bot, in whose world only the file itself is mounted; its address."""
    inside = program.folder / "policy.toml"
    inside.touch()
    port = str(free_port())
    process = await asyncio.create_subprocess_exec(
        *("unshare", "-m", "sh", "-c", _MOUNT, "sh", str(policy), str(inside), sys.executable, "-m", "bot", "run"),
        cwd=program.folder,
        env={
            **{k: v for k, v in os.environ.items() if not k.startswith(("SLACK_", "VOIPBIN_", "FLOWS_BOT_"))},
            "PYTHONPATH": str(ROOT),
            **environment,
            "FLOWS_BOT_POLICY": str(inside),
            "FLOWS_BOT_PORT": port,
        },
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        await process.wait()


@pytest.mark.slow
async def test_the_bot_says_that_it_cannot_see_the_new_one(
    stage: Stage, program: Program, enough: Mapping[str, str], tmp_path: Path
) -> None:
    if not _can_mount(tmp_path):
        pytest.skip("nothing can be mounted here")
    async with contained(program, stage.policy, enough) as url:
        assert await _until(url, lambda said: said["ready"])
        stage.slack.request_url = f"{url}/slack/events"
        new = stage.policy.with_suffix(".new")
        new.write_text(POLICY.replace(ALICE, "U0NOBODY"), encoding="utf-8")
        new.replace(stage.policy)
        said = await _until(url, lambda said: any(w["what"] == "policy" for w in said.get("warnings", ())))
        warning = next(w for w in said["warnings"] if w["what"] == "policy")
        assert "was replaced outside" in warning["why"]
        assert "nobody can stop" in warning["why"]
        assert "broken · policy · the file was replaced outside" in (await answers(stage, "doctor")).words


async def _until(url: str, fits: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
    async with asyncio.timeout(60), aiohttp.ClientSession() as session:
        while True:
            try:
                async with session.get(f"{url}/readyz") as answer:
                    said = await answer.json()
            except aiohttp.ClientError:
                said = {"ready": False}
            if fits(said):
                return dict(said)
            await asyncio.sleep(0.05)

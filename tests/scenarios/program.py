"""The program in a process of its own, with nothing of ours in its environment but what is given."""

import asyncio
import os
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Ended:
    """How a run of the program went."""

    status: int
    out: list[str]
    err: list[str]


@dataclass
class Program:
    """``flows-bot`` in an empty folder."""

    folder: Path

    async def start(self, *arguments: str, **environment: str) -> asyncio.subprocess.Process:
        inherited = {k: v for k, v in os.environ.items() if not k.startswith(("SLACK_", "VOIPBIN_", "FLOWS_BOT_"))}
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bot", *arguments),
            cwd=self.folder,
            env={**inherited, "PYTHONPATH": str(ROOT), **environment},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )

    async def __call__(self, *arguments: str, **environment: str) -> Ended:
        process = await self.start(*arguments, **environment)
        out, err = await process.communicate()
        assert process.returncode is not None
        return Ended(process.returncode, out.decode().splitlines(), err.decode().splitlines())

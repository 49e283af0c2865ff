"""The program in a process of its own, with nothing of ours in its environment but what is given."""

import asyncio
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from bot.__main__ import main
from tests.forks import FORKS, become

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
        """Begin the program as a shell would; what it says can be read while it runs."""
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bot", *arguments),
            cwd=self.folder,
            env=_given(environment),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )

    async def __call__(self, *arguments: str, **environment: str) -> Ended:
        """Run the program to its end, in a fork of a process that has its modules: a second less for each of
        hundreds.
        """
        with TemporaryDirectory() as outside:
            out, err = Path(outside, "out"), Path(outside, "err")
            process = FORKS.Process(target=_run, args=(_given(environment), self.folder, arguments, out, err))
            process.start()
            try:
                await asyncio.to_thread(process.join)
            finally:
                process.kill()
            assert process.exitcode is not None
            return Ended(process.exitcode, *(file.read_text(encoding="utf-8").splitlines() for file in (out, err)))


def _given(environment: dict[str, str]) -> dict[str, str]:
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("SLACK_", "VOIPBIN_", "FLOWS_BOT_"))}
    return {**inherited, "PYTHONPATH": str(ROOT), **environment}


def _run(environment: dict[str, str], folder: Path, arguments: tuple[str, ...], out: Path, err: Path) -> None:
    become(environment, folder, out, err)
    sys.argv = ["flows-bot", *arguments]
    main()

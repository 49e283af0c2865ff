"""Start the bot, have one command acked, and end it: seconds, memory, and beside them what loading DBOS alone takes.

    python -m tests.load.start [--rounds 5] [--python other/bin/python]

`--python`: of an environment with the bot and `deploy/requirements.txt` alone, as the image has it. Here the tests' own
libraries are found, too: structlog loads rich where it is installed, 30 ms and 3 MB.

CPU seconds are the kernel's count of the process; wall-clock is the least of the rounds, as other work on the machine
only adds.
"""

import argparse
import asyncio
import json
import resource
import signal
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from subprocess import run
from typing import Any

from tests.load.one_line import tell
from tests.load.peers.__main__ import cpu_of
from tests.load.peers.deliveries import command, requests
from tests.load.peers.generator import line_to
from tests.load.town import Town, bots_settings, started, town_up
from tests.ports import free_port

_DBOS_ALONE = """
import json, resource, time, dbos
used = resource.getrusage(resource.RUSAGE_SELF)
print(json.dumps({"cpu_s": used.ru_utime + used.ru_stime, "mb": used.ru_maxrss / 1024}))
"""
_COMMANDS = {"help": ["--help"], "policy_check": ["policy", "check"]}


async def _first_ack(there: Town, port: int) -> None:
    """Wait until a command is acked."""
    async with asyncio.timeout(60):
        while True:
            with suppress(OSError):
                line = await line_to(port)
                status = await line.told(requests(there, command(there), 1)[0])
                line.close()
                if status == 200:
                    return
            await asyncio.sleep(0.005)


def _memory(pid: int) -> float:
    """Megabytes that are in memory now."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024


async def _one_round(there: Town, folder: Path, python: str) -> dict[str, float]:
    port = free_port()
    settings = bots_settings(there, folder, port)
    began = time.perf_counter()
    with started(python, "-m", "bot", "run", **settings) as process:
        await _first_ack(there, port)
        told = {"to_ack_s": time.perf_counter() - began, "to_ack_cpu_s": cpu_of(process.pid)}
        await asyncio.sleep(0.5)  # what the first list loads is loaded by then
        told["after_ack_mb"] = _memory(process.pid)
        await asyncio.sleep(1)
        told["idle_mb"] = _memory(process.pid)
        ended = time.perf_counter()
        process.send_signal(signal.SIGTERM)
        await asyncio.to_thread(process.wait, 30)
        told["to_end_s"] = time.perf_counter() - ended
    return told | _beside(settings, python)


def _beside(settings: dict[str, str], python: str) -> dict[str, float]:
    """What loading DBOS alone takes, and each of the commands."""
    alone = json.loads(run([python, "-c", _DBOS_ALONE], check=True, capture_output=True).stdout)
    told = {f"dbos_alone_{what}": float(value) for what, value in alone.items()}
    for name, words in _COMMANDS.items():
        before, began = _children(), time.perf_counter()
        run([python, "-m", "bot", *words], env=settings, check=True, capture_output=True)
        told |= {f"{name}_s": time.perf_counter() - began, f"{name}_cpu_s": _children() - before}
    return told


def _children() -> float:
    """CPU seconds of the children that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


async def measure(rounds: int, python: str = sys.executable) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        async with town_up() as there:
            await _one_round(there, Path(folder), python)  # which makes the ledger, and the compiled files
            measured = [await _one_round(there, Path(folder), python) for _ in range(rounds)]
    return {"start": rounds} | {what: round(min(one[what] for one in measured), 3) for what in measured[0]}


if __name__ == "__main__":
    given = argparse.ArgumentParser()
    given.add_argument("--rounds", type=int, default=5)
    given.add_argument("--python", default=sys.executable)
    asked = given.parse_args()
    tell(measure(asked.rounds, asked.python))

"""Ack the same deliveries as every peer, in turns, and print a table and a JSON line.

    python -m tests.load.peers [--rounds 3] [--acks 2000] [--peers floor bot]

The servers share one core and the sender has the other, where there are two. Times are ratios within a round: on a
shared machine only those and the CPU time of the server (the kernel's own count) mean something. Bolt for JavaScript
comes from npm into a temporary folder; where npm or its registry is out of reach the table says so.
"""

import argparse
import asyncio
import contextlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

from bot.slack import ids
from tests.load.one_line import percentile
from tests.load.peers.deliveries import command, press, requests
from tests.load.peers.generator import burst, paced, saturated
from tests.load.town import Town, answering, bots_settings, started, town_up
from tests.ports import free_port

BOLT_JS = "@slack/bolt@5.1.0"
PEERS = ("floor", "js", "stock", "tuned", "bot")
_TICK = os.sysconf("SC_CLK_TCK")
Peers = dict[str, tuple[int, int]]
"""Port and process id of each."""
Figures = dict[str, float]


def cpu_of(pid: int) -> float:
    """Seconds of CPU that the process has used, all its threads."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICK


def bolt_js(folder: Path) -> bool:
    """Install it there; whether that went well."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        return False
    wanted = [npm, "install", "--no-audit", "--no-fund", "--silent", "--prefix", str(folder), BOLT_JS]
    with contextlib.suppress(subprocess.SubprocessError, OSError):
        subprocess.run(wanted, check=True, timeout=120, capture_output=True)
        shutil.copy(Path(__file__).with_name("receiver.js"), folder)
        return True
    return False


@asynccontextmanager
async def all_up(folder: Path, names: Sequence[str]) -> AsyncIterator[tuple[Town, Peers]]:
    """The town, and these peers, ready."""
    async with AsyncExitStack() as stack:
        there = await stack.enter_async_context(town_up())
        peers: Peers = {}
        told = json.dumps(there | {"refresh": ids.LIST_REFRESH})
        for name in names:
            port = free_port()
            line = [sys.executable, "-m", "tests.load.peers.servers", name, str(port), told]
            line = ["node", str(folder / "receiver.js"), str(port), told] if name == "js" else line
            environment = bots_settings(there, folder, port) if name == "bot" else {}
            process = stack.enter_context(started(*line, **environment))
            peers[name] = (port, process.pid)
            await answering(port)
            on_core(process.pid, 0)
        on_core(0, 1)
        yield there, peers


def on_core(pid: int, core: int) -> None:
    """Keep a process (0: this one) on that core, where there are two."""
    if hasattr(os, "sched_setaffinity") and len(os.sched_getaffinity(0)) > 0 and (os.cpu_count() or 1) > 1:
        for task in Path(f"/proc/{pid or os.getpid()}/task").iterdir():
            with contextlib.suppress(OSError):
                os.sched_setaffinity(int(task.name), {core})


async def one_round(there: Town, peers: Peers, acks: int) -> dict[str, Figures]:
    """Every kind of work for every peer, in turns."""
    figures: dict[str, Figures] = {name: {} for name in peers}
    kinds = {"command": command(there), "press": press(there)}
    for kind, at_once in (("command", 1), ("command", 16), ("command", 64), ("press", 1), ("press", 16)):
        number, body = (acks if kind == "command" else acks // 4), kinds[kind]
        for name, (port, pid) in peers.items():
            sent = requests(there, body, number)
            before = cpu_of(pid)
            took, rate = await saturated(port, sent, at_once)
            of_this = {
                "p50_ms": percentile(took, 0.5),
                "p99_ms": percentile(took, 0.99),
                "a_second": rate,
                "cpu_us": (cpu_of(pid) - before) / number * 1e6,
            }
            figures[name] |= {f"{kind} c={at_once} {what}": value for what, value in of_this.items()}
    for name, (port, pid) in peers.items():
        sent = requests(there, kinds["command"], acks // 4)
        took = await paced(port, sent, 300.0)
        figures[name]["command 300/s p50_ms"] = percentile(took, 0.5)
        figures[name]["command 300/s p99_ms"] = percentile(took, 0.99)
        figures[name][f"burst of {acks}, last ms"] = await burst(port, requests(there, kinds["command"], acks), 64)
        unsigned = requests(there, kinds["press"], acks // 4, sign=False)
        before = cpu_of(pid)
        await saturated(port, unsigned, 1, refused=True)
        figures[name]["unsigned press cpu_us"] = (cpu_of(pid) - before) / len(unsigned) * 1e6
    return figures


async def measure(rounds: int, acks: int, names: Sequence[str]) -> dict[str, Any]:
    """``names``: the peers beside the floor and the bot."""
    with tempfile.TemporaryDirectory() as folder:
        with_js = "js" in names and await asyncio.to_thread(bolt_js, Path(folder))
        wanted = [name for name in PEERS if name in {"floor", "bot", *names} and (with_js or name != "js")]
        async with all_up(Path(folder), wanted) as (there, peers):
            await one_round(there, peers, 40)  # which warms all of them up
            measured = [await one_round(there, peers, acks) for _ in range(rounds)]
    told: dict[str, Any] = {
        "peers": rounds,
        "acks": acks,
        "js": BOLT_JS if with_js else "not here: npm did not give it" if "js" in names else "not asked for",
    }
    for what in measured[0]["floor"]:
        told[what] = {name: round(statistics.median(one[name][what] for one in measured), 2) for name in peers}
        ratios = [one["bot"][what] / one["floor"][what] for one in measured if one["floor"][what]]
        told[what]["bot_to_floor"] = round(statistics.median(ratios), 2) if ratios else None
    return told


def table(told: dict[str, Any]) -> str:
    """For people."""
    rows = {what: of_each for what, of_each in told.items() if isinstance(of_each, dict)}
    names = list(next(iter(rows.values())))
    lines = [f"{'':26}" + "".join(f"{name:>13}" for name in names)]
    lines += [f"{what:26}" + "".join(f"{of_each[name]!s:>13}" for name in names) for what, of_each in rows.items()]
    return "\n".join(lines)


if __name__ == "__main__":
    given = argparse.ArgumentParser()
    given.add_argument("--rounds", type=int, default=3)
    given.add_argument("--acks", type=int, default=2000)
    given.add_argument("--peers", nargs="+", choices=PEERS, default=PEERS, help="beside the floor and the bot")
    asked = given.parse_args()
    found = asyncio.run(measure(asked.rounds, asked.acks, asked.peers))
    print(table(found), file=sys.stderr)
    print(json.dumps(found))

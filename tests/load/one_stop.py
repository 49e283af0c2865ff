"""What one stop costs the bot, and how soon its press is acked: the bot in a process of its own, Slack and VoIPBIN in
this one.

    python -m tests.load.one_stop [--stops 200] [--at-once 1] [--database sqlite | postgresql] [--rounds 3]
                                  [--quiet 5] [--beside FOLDER]

The cards are there before anything is measured. From the first press to the last final card: the bot's CPU time (its
process alone) for each stop, and the milliseconds until each ack. ``idle_ms`` is what of that the bot takes without any
stop in the same time. ``--beside``: another checkout of the project, whose bot has the odd rounds, so that both are
measured under the same load. One JSON line: the best round of each, and all of them.
"""

import argparse
import asyncio
import logging
import os
import sys
import tempfile
import time
from asyncio.subprocess import DEVNULL
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import Any, Final

import httpx
import structlog

from bot.demo.serving import serving
from bot.demo.slack.app import serving_slack
from bot.demo.slack.messages import Message
from bot.demo.voipbin.api import voipbin_app
from bot.demo.voipbin.state import Activeflow
from tests.load.lockout import CHANNEL, Case
from tests.load.one_line import percentile, tell
from tests.load.replica_processes import PostgreSQL
from tests.ports import free_port

_TICKS: Final = os.sysconf("SC_CLK_TCK")


def _cpu(process: int) -> float:
    """Seconds of CPU time, its own and the system's for it.
    https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
    """
    fields = Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


class Stops(Case):
    """Stops of one bot, which is a process."""

    def __init__(self, people: int, checkout: Path) -> None:
        super().__init__(1, people, outsider=False, stops=0, seconds=0)
        self.checkout = checkout
        self.slack.limits.enabled = self.voipbin.limits.enabled = False

    async def serve(self, folder: Path, stack: AsyncExitStack, database: str) -> int:
        """Start the bot; its process id."""
        (folder / "policy.toml").write_text(self.policy(), encoding="utf-8")
        slack_url = await stack.enter_async_context(serving_slack(self.slack))
        voipbin_url = await stack.enter_async_context(serving(voipbin_app(self.voipbin)))
        port = free_port()
        environment = {
            **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
            "SLACK_BOT_TOKEN": self.slack.bot_token,
            "SLACK_SIGNING_SECRET": self.slack.signing_secret,
            "SLACK_API_URL": slack_url,
            "VOIPBIN_API_URL": f"{voipbin_url}/v1.0",
            "VOIPBIN_ACCESS_KEY": self.voipbin.access_key,
            "FLOWS_BOT_POLICY": str(folder / "policy.toml"),
            "FLOWS_BOT_DATABASE_URL": database or f"sqlite:///{folder / 'ledger.db'}",
            "FLOWS_BOT_PORT": str(port),
            "FLOWS_BOT_LOG_FORMAT": "json",
            "VOIPBIN_REQUESTS_PER_SECOND": "100",
        }
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bot", "run"), env=environment, stdout=DEVNULL, stderr=DEVNULL, cwd=self.checkout
        )

        async def end() -> None:
            process.terminate()
            await process.wait()

        stack.push_async_callback(end)
        url = f"http://127.0.0.1:{port}"
        async with httpx.AsyncClient() as asking:
            while not await self._ready(asking, url):  # noqa: ASYNC110 — it is another process
                await asyncio.sleep(0.1)
        self.slack.request_url = f"{url}/slack/events"
        return process.pid

    async def _ready(self, asking: httpx.AsyncClient, url: str) -> bool:
        with suppress(httpx.HTTPError):
            return (await asking.get(f"{url}/readyz", timeout=3)).status_code == 200
        return False

    async def card(self, user: str) -> tuple[Message, Activeflow]:
        """A card of an activeflow that nobody else is after."""
        activeflow = self.voipbin.rings(at="play")
        await self.slack.types(user, CHANNEL, f"/flows stop {activeflow.id}")
        return await self.slack.until(lambda: self._card(activeflow), seconds=30), activeflow

    async def stopped(self, user: str, card: Message) -> float:
        """Press, and wait for the final card; milliseconds to the ack."""
        began = time.perf_counter()
        await self.slack.clicks(user, card, "stop.flow")
        took = (time.perf_counter() - began) * 1000
        await self.slack.until(lambda: self._final(card), seconds=40)
        return took

    def _final(self, card: Message) -> bool:
        return "Call: hung up" in self.slack.message(CHANNEL, card.ts).words


async def _round(checkout: Path, people: int, stops: int, database: str, quiet: float) -> dict[str, float]:
    stage = Stops(people, checkout)
    with tempfile.TemporaryDirectory() as folder:
        async with AsyncExitStack() as stack:
            process = await stage.serve(Path(folder), stack, database)
            for user in stage.people:  # what is loaded, connected and looked up once
                await stage.stopped(user, (await stage.card(user))[0])
            took: list[float] = []

            async def lane(user: str, cards: list[Message]) -> None:
                took.extend([await stage.stopped(user, card) for card in cards])

            each = stops // people
            cards = {user: [(await stage.card(user))[0] for _ in range(each)] for user in stage.people}
            alone = _cpu(process)
            await asyncio.sleep(quiet)
            before, began = _cpu(process), time.perf_counter()
            idle = (before - alone) / quiet
            await asyncio.gather(*(lane(user, cards[user]) for user in stage.people))
            cpu, lasted = _cpu(process) - before, time.perf_counter() - began
    return {
        "cpu_ms": round(cpu * 1000 / len(took), 2),
        "idle_ms": round(idle * lasted * 1000 / len(took), 2),
        "ack_p50_ms": round(percentile(took, 0.5), 1),
        "ack_p99_ms": round(percentile(took, 0.99), 1),
        "wall_s": round(lasted, 1),
    }


async def _measured(asked: argparse.Namespace) -> dict[str, Any]:
    bots = {"here": Path.cwd(), **({"beside": asked.beside} if asked.beside else {})}
    rounds: dict[str, list[dict[str, float]]] = {name: [] for name in bots}
    with tempfile.TemporaryDirectory() as folder:
        server = PostgreSQL(Path(folder)) if asked.database == "postgresql" else None
        try:
            for number in range(asked.rounds):
                for name, checkout in bots.items():
                    url = server.empty(f"round_{number}_{name}") if server else ""
                    rounds[name].append(await _round(checkout, asked.at_once, asked.stops, url, asked.quiet))
        finally:
            if server is not None:
                server.end()
    best = {name: min(found, key=lambda each: each["cpu_ms"]) for name, found in rounds.items()}
    return {"one_stop": best, "database": asked.database, "at_once": asked.at_once, "rounds": rounds}


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stops", type=int, default=200)
    parser.add_argument("--at-once", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quiet", type=float, default=5.0, help="seconds in which nothing is stopped")
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--beside", type=Path, help="another checkout of the project")
    tell(_measured(parser.parse_args()))

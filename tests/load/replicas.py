"""Count what is lost, doubled or never said while replicas are killed, frozen and cut off from their database, under
load.

    python -m tests.load.replicas --minutes 20 [--replicas 3]

Real processes (``python -m bot run``) on a real PostgreSQL of their own, between the two simulators, with clocks 30 s
apart (where libfaketime is installed). Three people ask and press, each time at a replica by chance; somebody is
watched; somebody goes round in a loop, of which an alert tells. Every 20 s one replica in turn is killed while it is at
a press, and started again. In between, once in a short run and twice in a long one: one is frozen for 15 s; one is cut
off from the database as long; PostgreSQL is restarted; all are replaced, one after the other, by SIGTERM. It ends only
what it has started, by its id.

The line that it prints has what was found wrong under ``wrong``; the status is 1 when that is not empty.
"""

import argparse
import asyncio
import json
import os
import random
import shutil
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from time import monotonic
from typing import Any, Final

from sqlalchemy import Connection, func, select

from bot.activeflows.records import RecordKind
from bot.demo.serving import serving
from bot.demo.slack.app import serving_slack
from bot.demo.voipbin.api import voipbin_app
from bot.demo.voipbin.event_stream import EventStream
from bot.ledger import audit
from bot.ledger.database import Database
from bot.ledger.tables import alerts
from bot.ledger.tables import audit as records
from tests.load.replica_processes import APART, PostgreSQL, Replica, clocks, replicas_of
from tests.load.replica_town import PEOPLE, POLICY, Town

EVERY: Final = 20.0
AWAY: Final = 15.0
"""Seconds in which a replica is frozen or cut off: as long as the others wait before they take over."""
LONG: Final = 10.0
"""Minutes from which on everything but the kills is done twice."""
TAKEN_OVER_WITHIN: Final = 30.0
"""Seconds from the kill until the card of a press says what came of it."""
NONE_OF: Final = (
    "lost",
    "unfinished",
    "doubled",
    "posted_again",
    "stopped_though_refused",
    "lies",
    "presses_without_a_word",
    "commands_without_an_answer",
    "alerts_doubled",
    "alerts_not_told",
    "watch_cards_not_ended",
    "outcomes_missing",
    "outcomes_doubled",
    "flaws",
    "audit_verify",
    "sigterm_not_in_order",
)
"""What has to be 0."""
WITHIN: Final = ("taken_over_s", "taken_over_after_the_next_kill_s")
"""What is bounded."""


class Night:
    """What is done to the replicas, one thing after the other."""

    def __init__(self, town: Town, replicas: list[Replica], postgresql: PostgreSQL) -> None:
        self._town, self._replicas, self._postgresql = town, replicas, postgresql
        self._turn = 0
        self.done = Counter[str]()
        self.statuses: list[int | None] = []

    async def passes(self, every: float, minutes: float) -> None:
        """Something every so often, until the time is over. What was begun is brought to its end."""
        slots = max(1, int(minutes * 60 / every))
        rounds = 2 if minutes >= LONG else 1
        others = [self.frozen, self.cut_off, self.database_restarted, self.replaced] * rounds
        plan: dict[int, Callable[[], Awaitable[None]]] = {
            int((number + 0.5) * slots / len(others)): other for number, other in enumerate(others)
        }
        began = monotonic()
        for slot in range(slots):
            await asyncio.sleep(began + (slot + 0.5) * every - monotonic())
            if monotonic() > began + minutes * 60:
                return
            move = plan.get(slot, self.killed)
            await move()
            self.done[move.__name__] += 1

    def _next(self) -> Replica:
        self._turn += 1
        return self._replicas[self._turn % len(self._replicas)]

    async def killed(self) -> None:
        one = self._next()
        await self._town.at_work(one)
        await asyncio.sleep(random.uniform(0, 0.5))  # noqa: S311 # dice
        async with one.troubled():
            await one.end()
            self._town.orphaned(one)
            await one.start()

    async def frozen(self) -> None:
        one = self._next()
        await self._town.at_work(one)
        async with one.troubled():
            one.tell(signal.SIGSTOP)
            try:
                await asyncio.sleep(AWAY)
            finally:
                one.tell(signal.SIGCONT)

    async def cut_off(self) -> None:
        one = self._next()
        await self._town.at_work(one)
        async with one.troubled():
            one.relay.silent()
            try:
                await asyncio.sleep(AWAY)
            finally:
                one.relay.speaks_again()

    async def database_restarted(self) -> None:
        async with AsyncExitStack() as stack:
            for one in self._replicas:
                await stack.enter_async_context(one.troubled())
            await asyncio.to_thread(self._postgresql.restart)

    async def replaced(self) -> None:
        for one in self._replicas:
            async with one.troubled():
                self.statuses.append(await one.end(signal.SIGTERM))
                await one.start()


async def measured(minutes: float, count: int, every: float, place: Path) -> dict[str, Any]:
    town = Town()
    postgresql = await asyncio.to_thread(PostgreSQL, place)
    try:
        async with AsyncExitStack() as stack:
            slack_url = await stack.enter_async_context(serving_slack(town.slack))
            api = await stack.enter_async_context(serving(voipbin_app(town.voipbin, EventStream(town.voipbin))))
            policy = place / "policy.toml"
            policy.write_text(POLICY, encoding="utf-8")
            given = {
                **{name: os.environ[name] for name in ("PATH", "PYTHONPATH", "HOME") if name in os.environ},
                "SLACK_BOT_TOKEN": town.slack.bot_token,
                "SLACK_SIGNING_SECRET": town.slack.signing_secret,
                "SLACK_API_URL": slack_url,
                "VOIPBIN_API_URL": f"{api}/v1.0",
                "VOIPBIN_ACCESS_KEY": town.voipbin.access_key,
                "VOIPBIN_REQUESTS_PER_SECOND": "100",
                "FLOWS_BOT_POLICY": str(policy),
            }
            replicas = await stack.enter_async_context(replicas_of(given, count, postgresql.url, place))
            town.replicas = replicas
            night = Night(town, replicas, postgresql)
            await _lived_through(town, night, minutes, every)
            for replica in replicas:
                await replica.ready()
            found = await _ended(town, postgresql.url)
        environment = {**given, "FLOWS_BOT_DATABASE_URL": postgresql.url}
        found["audit_verify"] = await _verified(environment, [replica.log for replica in replicas])
    finally:
        await asyncio.to_thread(postgresql.end)
    said = sum((replica.said() for replica in replicas), Counter[str]())
    return {
        "done": night.done,
        "clocks_s": [APART[number % len(APART)] for number in range(count)]
        if any(clocks(count, place))
        else "together: libfaketime is not installed",
        **found,
        "sigterm_not_in_order": sum(status != 0 for status in night.statuses),
        "errors_logged": said,
    }


async def _lived_through(town: Town, night: Night, minutes: float, every: float) -> None:
    """Everybody does what they do while things happen; whoever fails ends it."""
    doing = [
        *(asyncio.create_task(town.presses(user, 5.0)) for user in PEOPLE),
        asyncio.create_task(town.loops(6.0)),
        asyncio.create_task(town.watches("U0BOB", 15.0)),
    ]
    seeing = asyncio.create_task(town.sees())
    passing = asyncio.create_task(night.passes(every, minutes))
    try:
        await asyncio.wait([*doing, seeing, passing], return_when=asyncio.FIRST_COMPLETED)
        for task in doing:
            task.cancel()
        await asyncio.gather(passing)
        with suppress(asyncio.CancelledError):
            await asyncio.gather(*doing)
        for caller in town.watched:
            if caller.status != "ended":
                town.voipbin.caller_hangs_up(caller)
        with suppress(AssertionError):
            await town.slack.until(lambda: not town.unfinished() and town.all_watches_over(), seconds=120)
    finally:
        seeing.cancel()
        passing.cancel()


async def _ended(town: Town, url: str) -> dict[str, Any]:
    """The figures, when every alert is told of; and what the ledger has of it all."""
    database = Database(url)
    try:
        due = {str(each.id) for each in town.looping}
        told: set[str] = set()
        with suppress(TimeoutError):
            async with asyncio.timeout(120):
                while not due <= told:
                    told = set(await database.reading(_told))
                    await asyncio.sleep(0.5)
        proof = await database.reading(audit.proof)
        outcomes = await database.reading(_outcomes)
    finally:
        await database.close()
    stopped = {str(stop.activeflow_id) for stop in town.voipbin.stops}
    return {
        **town.figures(),
        "alerts_not_told": len(due - told),
        "outcomes_missing": len(stopped - outcomes.keys()),
        "outcomes_doubled": sum(count > 1 for count in outcomes.values()),
        "records": proof.count,
        "flaws": len(proof.flaws),
    }


def _told(connection: Connection) -> list[str]:
    return list(connection.execute(select(alerts.c.activeflow_id).where(alerts.c.told_at.is_not(None))).scalars())


def _outcomes(connection: Connection) -> dict[str, int]:
    """How many outcomes of each activeflow are on record."""
    counted = select(records.c.activeflow_id, func.count()).where(records.c.what == str(RecordKind.OUTCOME))
    return {row[0]: row[1] for row in connection.execute(counted.group_by(records.c.activeflow_id))}


async def _verified(environment: dict[str, str], logs: list[Path]) -> int:
    """The status of ``audit verify``, with every head that any replica has told."""
    heads = logs[0].with_name("all.log")
    heads.write_bytes(b"".join(log.read_bytes() for log in logs))
    command = [sys.executable, "-m", "bot", "audit", "verify", "--heads", str(heads)]
    process = await asyncio.create_subprocess_exec(
        *command, env=environment, stdout=asyncio.subprocess.DEVNULL, cwd=Path.cwd()
    )
    return await process.wait()


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--minutes", type=float, default=20.0)
    asked.add_argument("--replicas", type=int, default=3)
    asked.add_argument("--every", type=float, default=EVERY, help="seconds between two disturbances")
    asked.add_argument("--within", type=float, default=TAKEN_OVER_WITHIN, help="seconds for what a killed one was at")
    asked.add_argument("--logs", type=Path, help="an empty folder where the replicas' logs are kept")
    options = asked.parse_args()
    with tempfile.TemporaryDirectory(prefix="flows-bot-replicas-") as place:
        try:
            found = asyncio.run(measured(options.minutes, options.replicas, options.every, Path(place)))
        finally:
            for log in Path(place).glob("replica-*.log") if options.logs else ():
                shutil.copy(log, options.logs)
    late = [name for name in WITHIN if found[name].get("max", 0) > options.within]
    wrong = [name for name in NONE_OF if found[name]] + late
    print(json.dumps({"replicas": options.replicas, "minutes": options.minutes, **found, "wrong": wrong}))
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()

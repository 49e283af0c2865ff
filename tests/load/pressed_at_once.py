"""How soon *Stop flow* is acked when many press at once, on SQLite: the press is in the database before each ack.

    python -m tests.load.pressed_at_once [--runs 2] [--people 16] [--rounds 3] [--in-flight 8]

Each run is a process of its own that has the bot, Slack and VoIPBIN in it, and after each comes one in which the
writers of the file take no turns (``bot/ledger/database.py``), so that only SQLite decides who writes next. One JSON
line: the medians of the runs, and how many times as long it takes without turns. Each round everybody has a card of an
activeflow of their own, and all press. Then ``in-flight`` people stop one after the other.
"""

import argparse
import asyncio
import json
import logging
import sys
import tempfile
import time
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from statistics import median
from typing import Any, Final
from unittest.mock import patch

import structlog

from bot.command_line import settled
from bot.demo.slack.messages import Message
from bot.demo.voipbin.state import Activeflow
from bot.ledger import database
from tests.load.lockout import CHANNEL, Case
from tests.load.one_line import percentile, tell

_FIGURES: Final = ("latest_ack_ms", "latest_ack_worst_ms", "in_flight_p50_ms", "in_flight_p99_ms")


class Pressed(Case):
    """People who stop at once. ``not_recorded``: how many of their presses came to nothing."""

    not_recorded = 0

    async def card(self, user: str) -> tuple[Message, Activeflow]:
        """A card of an activeflow that nobody else is after."""
        activeflow = self.voipbin.rings(at="play")
        await self.slack.types(user, CHANNEL, f"/flows stop {activeflow.id}")
        return await self.slack.until(lambda: self._card(activeflow), seconds=30), activeflow

    async def acked(self, user: str) -> float:
        """Milliseconds until the press was acked; the stop is waited for."""
        card, activeflow = await self.card(user)
        took = await self.press(user, card)
        await self.ended([activeflow])
        return took

    async def ended(self, activeflows: list[Activeflow]) -> None:
        """Wait until all have ended, or count those that do not: their press was not recorded in time, and its presser
        told so.
        """
        with suppress(AssertionError):
            await self.slack.until(lambda: all(one.status == "ended" for one in activeflows), seconds=40)
        self.not_recorded += sum(one.status != "ended" for one in activeflows)

    async def press(self, user: str, card: Message) -> float:
        began = time.perf_counter()
        await self.slack.clicks(user, card, "stop.flow")
        return (time.perf_counter() - began) * 1000


async def _run(people: int, rounds: int, in_flight: int) -> dict[str, Any]:
    case = Pressed(1, people, outsider=False, stops=0, seconds=0)
    case.slack.limits.enabled = False
    with tempfile.TemporaryDirectory() as folder:
        async with AsyncExitStack() as stack:
            await case.begin(Path(folder), stack)
            settled()  # as the bot does once it is up
            latest = []
            for _ in range(rounds):
                cards = [(user, *await case.card(user)) for user in case.people]
                latest.append(max(await asyncio.gather(*(case.press(user, card) for user, card, _ in cards))))
                await case.ended([activeflow for _, _, activeflow in cards])
            took: list[float] = []

            async def lane(user: str) -> None:
                took.extend([await case.acked(user) for _ in range(rounds)])

            await asyncio.gather(*(lane(user) for user in case.people[:in_flight]))
    return {
        "latest_ack_ms": percentile(latest, 0.5),
        "latest_ack_worst_ms": max(latest),
        "in_flight_p50_ms": percentile(took, 0.5),
        "in_flight_p99_ms": percentile(took, 0.99),
        "not_recorded": case.not_recorded,
    }


async def _in_a_process(asked: argparse.Namespace, turns: str) -> dict[str, float]:
    shape = ("--people", asked.people, "--rounds", asked.rounds, "--in-flight", asked.in_flight)
    command = [sys.executable, "-m", "tests.load.pressed_at_once", "--run", turns, *map(str, shape)]
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
    )
    printed, _ = await process.communicate()
    return dict(json.loads(printed))


async def _measured(asked: argparse.Namespace) -> dict[str, Any]:
    if asked.run == "with":
        return await _run(asked.people, asked.rounds, asked.in_flight)
    if asked.run == "without":
        with patch.object(database, "turns_of", return_value=None):
            return await _run(asked.people, asked.rounds, asked.in_flight)
    runs: dict[str, list[dict[str, float]]] = {"with": [], "without": []}
    for _ in range(asked.runs):
        for turns, found in runs.items():
            found.append(await _in_a_process(asked, turns))
    told: dict[str, Any] = {"pressed_at_once": asked.people, "in_flight": asked.in_flight}
    for turns, found in runs.items():
        told[f"{turns}_turns"] = {name: round(median(run[name] for run in found)) for name in _FIGURES}
        told[f"{turns}_turns"]["not_recorded"] = sum(run["not_recorded"] for run in found)
    for name in _FIGURES:
        told[f"{name.removesuffix('_ms')}_ratio"] = round(
            median(run[name] for run in runs["without"]) / median(run[name] for run in runs["with"]), 1
        )
    return told


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--in-flight", type=int, default=8)
    parser.add_argument("--runs", type=int, default=2)
    parser.add_argument("--run", choices=("with", "without"), help="one run only, with turns or without")
    tell(_measured(parser.parse_args()))

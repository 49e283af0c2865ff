"""How soon *Stop flow* is acked when many press at once, on SQLite: the press is in the database before each ack.

    python -m tests.load.pressed_at_once [--people 16] [--rounds 5] [--in-flight 8]

The bot, Slack and VoIPBIN are one process here, so times are for comparing two versions of the bot in turns on one machine.
Each round everybody has a card of an activeflow of their own, and all press. Then ``in-flight`` people stop one after the other.
"""

import argparse
import asyncio
import logging
import tempfile
import time
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Any

import structlog

from bot.demo.slack.messages import Message
from bot.demo.voipbin.state import Activeflow
from tests.load.lockout import CHANNEL, Case
from tests.load.one_line import percentile, tell


class Pressed(Case):
    """People who stop at once."""

    async def card(self, user: str) -> tuple[Message, Activeflow]:
        """A card of an activeflow that nobody else is after."""
        activeflow = self.voipbin.rings(at="play")
        await self.slack.types(user, CHANNEL, f"/flows stop {activeflow.id}")
        return await self.slack.until(lambda: self._card(activeflow), seconds=30), activeflow

    async def acked(self, user: str) -> float:
        """Milliseconds until the press was acked; the stop is waited for."""
        card, activeflow = await self.card(user)
        took = await self.press(user, card)
        await self.slack.until(lambda: activeflow.status == "ended", seconds=60)
        return took

    async def press(self, user: str, card: Message) -> float:
        began = time.perf_counter()
        await self.slack.clicks(user, card, "stop.flow")
        return (time.perf_counter() - began) * 1000


def _all_ended(activeflows: list[Activeflow]) -> bool:
    return all(activeflow.status == "ended" for activeflow in activeflows)


async def _measured(people: int, rounds: int, in_flight: int) -> dict[str, Any]:
    case = Pressed(1, people, outsider=False, stops=0, seconds=0)
    case.slack.limits.enabled = False
    with tempfile.TemporaryDirectory() as folder:
        async with AsyncExitStack() as stack:
            await case.begin(Path(folder), stack)
            latest = []
            for _ in range(rounds):
                cards = [(user, *await case.card(user)) for user in case.people]
                latest.append(max(await asyncio.gather(*(case.press(user, card) for user, card, _ in cards))))
                stopped = [activeflow for _, _, activeflow in cards]
                await case.slack.until(partial(_all_ended, stopped), seconds=60)
            took: list[float] = []

            async def lane(user: str) -> None:
                took.extend([await case.acked(user) for _ in range(rounds * 2)])

            await asyncio.gather(*(lane(user) for user in case.people[:in_flight]))
    return {
        "pressed_at_once": people,
        "rounds": rounds,
        "latest_ack_ms": round(percentile(latest, 0.5)),
        "latest_ack_worst_ms": round(max(latest)),
        "in_flight": in_flight,
        "in_flight_p50_ms": round(percentile(took, 0.5)),
        "in_flight_p99_ms": round(percentile(took, 0.99)),
    }


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    given = argparse.ArgumentParser()
    given.add_argument("--people", type=int, default=16)
    given.add_argument("--rounds", type=int, default=5)
    given.add_argument("--in-flight", type=int, default=8)
    asked = given.parse_args()
    tell(_measured(asked.people, asked.rounds, asked.in_flight))

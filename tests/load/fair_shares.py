"""Does somebody's mashing keep a colleague waiting? Ten `show` a second, three hundred of a guest, two hundred at once.

The bot between the simulators over loopback, VoIPBIN asked eight times a second at most. One JSON line: how long a
colleague waits for a stop card and for a list while it lasts, in seconds, and how many commands were answered and how
many refused as too many.
"""

import asyncio
import logging
import tempfile
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import Any, Final

import structlog

from tests.load.lockout import CHANNEL, OUTSIDER, Case
from tests.load.one_line import tell

COLLEAGUE: Final = "U0CALL0"
_ROUNDS: Final = 8
_WIRES: Final = 100
"""Connections at once from the one address that everything here comes from; the bot takes a quarter of its
descriptors.
"""
_BUSY: Final = "I'm overloaded right now"


class Crowd(Case):
    """One colleague on call, a crowd in the person of the outsider."""

    def __init__(self) -> None:
        super().__init__(1, 1, outsider=False, stops=0, seconds=0.0)
        self.slack.limits.enabled = False  # what Slack limits is measured by ``lockout``

    def answers(self, user: str) -> list[str]:
        """The words that only this person sees."""
        return [m.words for m in self.slack.sees(user, CHANNEL) if m.ephemeral_to == user]

    async def waited(self, line: str, *, public: bool) -> float:
        """Seconds until the colleague sees the answer to what they type."""
        loop = asyncio.get_running_loop()
        seen = {m.ts for m in self.slack.sees(COLLEAGUE, CHANNEL)}
        began = loop.time()
        await self.slack.types(COLLEAGUE, CHANNEL, line)
        await self.slack.until(
            lambda: [
                m
                for m in self.slack.sees(COLLEAGUE, CHANNEL)
                if m.ts not in seen and (m.ephemeral_to is None) == public and "Still working" not in m.words
            ]
        )
        return round(loop.time() - began, 2)

    async def beside(self, crowd: "asyncio.Task[None]") -> dict[str, Any]:
        """How long a colleague waits meanwhile."""
        await asyncio.sleep(1.0)
        cards, lists = [], []
        for _ in range(_ROUNDS):
            cards.append(await self.waited(f"/flows stop {self.voipbin.rings(at='play').id}", public=True))
            lists.append(await self.waited("/flows list", public=False))
        crowd.cancel()
        with suppress(asyncio.CancelledError):
            await crowd
        return {"stop_card_s": max(cards), "list_s": max(lists)}

    async def shows(self, a_second: float) -> None:
        """One viewer looks at the same activeflow again and again."""
        activeflow = self.voipbin.rings(at="play")
        async with asyncio.TaskGroup() as group:
            while True:
                group.create_task(self.slack.types(OUTSIDER, CHANNEL, f"/flows show {activeflow.id}"))
                await asyncio.sleep(1 / a_second)

    async def types_many(self, user: str, line: str, count: int) -> dict[str, int]:
        """Type it so many times at once; how many were answered, and how many refused as too many."""
        before = len(self.answers(user))
        wires = asyncio.Semaphore(_WIRES)

        async def one() -> None:
            async with wires:
                await self.slack.types(user, CHANNEL, line)

        await asyncio.gather(*(one() for _ in range(count)))
        await self.slack.until(lambda: len(self.answers(user)) - before >= count, seconds=60)
        answered = self.answers(user)[before:]
        refused = sum(_BUSY in words for words in answered)
        return {"answered": len(answered) - refused, "refused": refused}


async def _measured() -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        async with AsyncExitStack() as stack:
            crowd = Crowd()
            crowd.slack.add_user("U0GUEST", "guest", is_restricted=True)
            crowd.slack.channels[CHANNEL].members.append("U0GUEST")
            await crowd.begin(Path(folder), stack)
            await crowd.waited("/flows list", public=False)
            found = {"ten_shows_a_second": await crowd.beside(asyncio.create_task(crowd.shows(10)))}
            guest = asyncio.create_task(crowd.types_many("U0GUEST", "/flows list", 300))
            found["three_hundred_of_a_guest"] = {"list_s": await crowd.waited("/flows list", public=False)}
            found["three_hundred_of_a_guest"] |= await guest
            found["two_hundred_at_once"] = await crowd.types_many(COLLEAGUE, "/flows list", 200)
    return {"fair_shares": found}


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    tell(_measured())

"""Cold start against 100,000 rows of which 800 run, 50 ms away: the first true answer, the whole picture, the cost.

    python -m tests.load.cold_start [--rows 100000] [--rate 16]

Without a limit it is compared with a plain sequential walk over the same list by the same client: one page after the
other, of a hundred rows each. With VoIPBIN's limit (17 a second for the customer, 33 at once) it is compared with what
the bot allows itself. The clock runs from before the first connection. The simulated VoIPBIN is a process of its own.
"""

import argparse
import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.activeflows.index import BEGINNING
from bot.voipbin import connected
from bot.voipbin.live.scan import AHEAD
from bot.voipbin.wire.pages import RunningPage
from tests.load.one_line import tell
from tests.load.served import Served, served

UNLIMITED, BURST = 100_000, 4.0
"""Requests a second, and those the bot saves up."""


async def sequential(here: Served) -> dict[str, Any]:
    """To the end of the list and back with what runs."""
    began, requests, running = time.perf_counter(), 0, set()
    async with connected(api_url=here.url, credential=here.credential, budget=UNLIMITED) as client:
        await client.introduce()
        before = datetime.now(UTC) + AHEAD
        while True:
            page = await client.running_page(before, 100)
            requests += 1
            running |= {row.id for row in page.running}
            if page.size < 100 or page.last is None:
                break
            before = page.last + timedelta(microseconds=1)
    return {"whole_s": round(time.perf_counter() - began, 2), "requests": requests, "running": len(running)}


async def cold(here: Served, budget: float) -> dict[str, Any]:
    """The bot's own way, from nothing."""
    began, requests = time.perf_counter(), 0
    async with connected(api_url=here.url, credential=here.credential, budget=budget) as client:
        await client.introduce()
        live_index = client.live_index()
        read = live_index._read_page

        async def counted(before: datetime, size: int) -> RunningPage:
            nonlocal requests
            requests += 1
            return await read(before, size)

        live_index._read_page = counted
        async with live_index.at_work():
            first = await live_index.running(max_age=5.0)
            first_s, first_requests = time.perf_counter() - began, requests
            assert first is not None
            assert first.complete_since is None or first.complete_since <= datetime.now(UTC) - timedelta(hours=1)
            while live_index._coverage.holes(BEGINNING, first.as_of):  # noqa: ASYNC110 — nobody is told
                await asyncio.sleep(0.01)
            whole_s = time.perf_counter() - began
        held = len(live_index.index)
    told = {"first_answer_s": round(first_s, 2), "first_requests": first_requests, "first_rows": len(first.activeflows)}
    return told | {"whole_s": round(whole_s, 2), "requests": requests, "running": held}


async def compare(rows: int, running: int, away: float, rate: float) -> dict[str, Any]:
    shape = {"rows": rows, "running": running, "forgotten": running // 8}
    async with served(rows=rows, running=running, forgotten=running // 8, away=away) as here:
        walk, bot = await sequential(here), await cold(here, UNLIMITED)
    times = round(walk["whole_s"] / bot["whole_s"], 1)
    unlimited = {"sequential": walk, "bot": bot, "times_faster": times}
    async with served(rows=rows, running=running, forgotten=running // 8, away=away, limited=True) as here:
        bot = await cold(here, rate)
    used = round(bot["requests"] / (BURST + bot["whole_s"] * rate), 3)
    limited = {"rate": rate, "bot": bot, "rate_used": used, "refused": here.told["refused"]}
    return {"cold_start": shape, "away_s": away, "unlimited": unlimited, "limited": limited}


if __name__ == "__main__":
    given = argparse.ArgumentParser()
    given.add_argument("--rows", type=int, default=100_000)
    given.add_argument("--running", type=int, default=800)
    given.add_argument("--away", type=float, default=0.05)
    given.add_argument("--rate", type=float, default=16.0)
    asked = given.parse_args()
    tell(compare(asked.rows, asked.running, asked.away, asked.rate))

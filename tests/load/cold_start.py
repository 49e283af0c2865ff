"""Cold start against 100,000 rows of which 800 run, 50 ms away: the first true answer, the whole picture, the cost.

    python tests/load/cold_start.py [--rows 100000] [--rate 16]

Compared, in the same run, with a plain sequential walk over the same list. The simulated VoIPBIN is a process of its own.
One JSON line each: without a rate limit, with the customer's limit (17 a second, 33 at once), and their ratio.
"""

import argparse
import asyncio
import json
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.activeflows.coverage import BEGINNING
from bot.demo.serving import serving
from bot.demo.voipbin import faults
from bot.demo.voipbin.api import voipbin_app
from bot.demo.voipbin.state import Step
from bot.demo.voipbin.world import World
from bot.voipbin import AccessKey, VoIPBINClient, connected
from bot.voipbin.running import RunningPage
from bot.voipbin.scan import AHEAD

RUNNING, ZOMBIES, AWAY, DAYS = 800, 100, 0.05, 7


async def serve(rows: int, *, limited: bool) -> None:
    """The simulated VoIPBIN: says where it is, and when its input ends how often it refused."""
    world, now = World(), datetime.now(UTC)
    flow = world.add_flow("Support", [Step("talk"), Step("digits_receive")])
    apart = timedelta(days=DAYS) / rows
    zombies = set(range(RUNNING, rows, (rows - RUNNING) // ZOMBIES))
    for number in range(rows):
        alive = number < RUNNING - len(zombies) or number in zombies
        world.rings(
            flow,
            reference_type="campaign",
            created_at=now - number * apart,
            executed=["talk", "digits_receive"],
            at="talk",
            status="running" if alive else "ended",
        )
    world.records.timeline.clear()
    world.limits.enabled = limited
    world.faults.on("GET", "/activeflows", faults.delay(AWAY), times=None)
    async with serving(voipbin_app(world)) as url:
        print(json.dumps({"url": f"{url}/v1.0", "key": world.access_key}), flush=True)
        await asyncio.to_thread(sys.stdin.read)
    print(json.dumps({"refused": world.limits.refused}), flush=True)


@asynccontextmanager
async def served(rows: int, *, limited: bool) -> AsyncIterator[tuple[dict[str, Any], dict[str, Any]]]:
    """The address of such a process; the second value is filled when it ends."""
    command = [sys.executable, __file__, "--serve", "--rows", str(rows), *(["--limited"] if limited else [])]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:  # noqa: ASYNC220 — once
        assert process.stdin
        assert process.stdout
        last: dict[str, Any] = {}
        try:
            yield json.loads(await asyncio.to_thread(process.stdout.readline)), last
        finally:
            process.stdin.close()
            last |= json.loads(await asyncio.to_thread(process.stdout.readline))
            process.wait(10)


async def sequential(read: Callable[[datetime, int], Awaitable[RunningPage]]) -> dict[str, Any]:
    """One page after the other, to the end."""
    began, before, requests, running = time.perf_counter(), datetime.now(UTC) + AHEAD, 0, set()
    while True:
        page = await read(before, 100)
        requests += 1
        running |= {row.id for row in page.running}
        if page.size < 100 or page.oldest is None:
            break
        before = page.oldest + timedelta(microseconds=1)
    return {"whole_s": round(time.perf_counter() - began, 2), "requests": requests, "running": len(running)}


async def cold(client: VoIPBINClient) -> dict[str, Any]:
    """The bot's own way, from nothing."""
    following = client.following()
    read, requests = following._read_page, 0

    async def counted(before: datetime, size: int) -> RunningPage:
        nonlocal requests
        requests += 1
        return await read(before, size)

    following._read_page = counted
    began = time.perf_counter()
    async with following.at_work():
        first = await following.running(max_age=5.0)
        first_s = time.perf_counter() - began
        assert first is not None
        assert first.complete_since is None or first.complete_since <= datetime.now(UTC) - timedelta(hours=1)
        first_requests = requests
        while following._coverage.holes(BEGINNING, first.as_of):  # noqa: ASYNC110 — nobody is told
            await asyncio.sleep(0.01)
        whole_s = time.perf_counter() - began
    return {
        "first_answer_s": round(first_s, 2),
        "first_requests": first_requests,
        "whole_s": round(whole_s, 2),
        "requests": requests,
        "running": len(following.index),
        "live": first.freshness is not None and first.freshness.live,
    }


async def compare(rows: int, rate: float) -> None:
    last: dict[str, Any]
    async with served(rows, limited=False) as (where, _):
        async with connected(api_url=where["url"], credential=AccessKey(where["key"]), budget=100_000) as client:
            await client.introduce()
            walk = await sequential(client.running_page)
        async with connected(api_url=where["url"], credential=AccessKey(where["key"]), budget=100_000) as client:
            await client.introduce()
            bot = await cold(client)
    times = round(walk["whole_s"] / bot["whole_s"], 1)
    print(json.dumps({"limit": None, "rows": rows, "sequential": walk, "bot": bot, "times_faster": times}), flush=True)
    async with (
        served(rows, limited=True) as (where, last),
        connected(api_url=where["url"], credential=AccessKey(where["key"]), budget=rate) as client,
    ):
        await client.introduce()
        bot = await cold(client)
    used = round(bot["requests"] / (bot["whole_s"] * rate), 3)
    print(json.dumps({"limit": rate, "rows": rows, "bot": bot, "rate_used": used, **last}), flush=True)


if __name__ == "__main__":
    given = argparse.ArgumentParser()
    given.add_argument("--rows", type=int, default=100_000)
    given.add_argument("--rate", type=float, default=16.0)
    given.add_argument("--serve", action="store_true")
    given.add_argument("--limited", action="store_true")
    asked = given.parse_args()
    asyncio.run(serve(asked.rows, limited=asked.limited) if asked.serve else compare(asked.rows, asked.rate))

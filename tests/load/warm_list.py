"""`/flows list` from a warm index: 5,000 running among 1,000,000 rows, all of which the index has read.

    python -m tests.load.warm_list [--rows 1000000] [--rounds 300]

The client, the index and the event stream are the bot's own; the simulated VoIPBIN is a process of its own, in which things
go on happening. What is timed is everything a handler does between the operator and the message: what was typed is read,
the page of the list with its situations, the blocks and their check. Each page has been looked at once before, so that the
flows' names are known; ``first_ms`` is the first look of all, which asks for them. What is asked of VoIPBIN meanwhile is
counted where it is sent: names may be, rows may not.
"""

import argparse
import asyncio
import resource
import time
from collections import Counter
from datetime import UTC, datetime
from typing import Any

import httpx

from bot.activeflows.operators import Grant, Operator, Permission, Person, Policy, Standing
from bot.activeflows.queries.listing import Reading
from bot.slack.blocks.activeflow_list import activeflow_list
from bot.slack.grammar.requests import List
from bot.slack.grammar.table import parse
from bot.slack.messaging.outbound_check import checked
from bot.voipbin import Pace, VoIPBINClient, connected
from bot.voipbin.live.following import Following
from tests.load.one_line import percentile, tell
from tests.load.served import served

TYPED = (
    "list",
    "list older:10m",
    'list flow:"Flow 7"',
    "list by flow",
    "list action:talk",
    "list is:wrong",
    "list sort:newest",
)
OPERATOR = Operator(
    Person("U0ALICE", Standing.MEMBER),
    "C0INCIDENTS",
    Policy((Grant(1, frozenset({"U0ALICE"}), frozenset(Permission)),)),
)
CHANGES = 50.0
"""A second, while it is measured."""


def _now() -> datetime:
    return datetime.now(UTC)


async def warm(client: VoIPBINClient, following: Following) -> float:
    """Wait until everything was read and events come; how long that took."""
    began = time.perf_counter()
    while True:
        picture = await following.running(max_age=3600)
        if following.live and picture is not None and picture.complete_since is None:
            return time.perf_counter() - began
        await asyncio.sleep(0.05)


async def handled(reading: Reading, typed: str, page: int) -> int:
    """From what was typed to the message; how many pages there are."""
    request = parse(typed)
    assert isinstance(request, List)
    listing = await reading.running(OPERATOR, request.filters, page, by=request.by, sort=request.sort)
    message = activeflow_list(listing, OPERATOR, _now(), command="/flows")
    checked(message.text, message.blocks)
    assert listing.total
    assert listing.freshness is not None
    assert listing.freshness.live
    return listing.pages


async def measure(rows: int, running: int, rounds: int) -> dict[str, Any]:
    asked: Counter[str] = Counter()

    async def count(request: httpx.Request) -> None:
        asked["rows" if "/activeflows" in request.url.path else "names"] += 1

    async with (
        served(rows=rows, running=running, changes=CHANGES) as here,
        connected(api_url=here.url, credential=here.credential, budget=100_000) as client,
    ):
        client._exchange._http.event_hooks = {"request": [count]}
        await client.introduce()
        async with client.following(Pace(repair_every=3600)).at_work() as following:
            warmed = await warm(client, following)
            reading = Reading(client, now=_now, live=following, past=client)
            lists = [await _timed(reading, typed, rounds, asked) for typed in TYPED]
        held = len(following.index)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    told = {"warm_list": rounds, "rows": rows, "running": held, "warm_after_s": round(warmed, 1), "peak_mb": memory}
    return told | {"changes_a_second": CHANGES, "lists": lists}


async def _timed(reading: Reading, typed: str, rounds: int, asked: Counter[str]) -> dict[str, Any]:
    began = time.perf_counter()
    pages = min(await handled(reading, typed, 1), 50)  # whoever asks first asks for the names
    first = (time.perf_counter() - began) * 1000
    for page in range(1, pages + 1):
        await handled(reading, typed, page)
    asked.clear()
    times, works = [], []
    for round_ in range(rounds):
        await asyncio.sleep(0.005)  # the world moves, and its events come in
        began, busy = time.perf_counter(), time.process_time()
        await handled(reading, typed, round_ % pages + 1)
        times.append((time.perf_counter() - began) * 1000)
        works.append((time.process_time() - busy) * 1000)
    told: dict[str, Any] = {"typed": typed, "first_ms": round(first, 1), "p50_ms": round(percentile(times, 0.5), 2)}
    told |= {"p99_ms": round(percentile(times, 0.99), 2), "cpu_p99_ms": round(percentile(works, 0.99), 2)}
    return told | {"asked_rows": asked["rows"], "asked_names": asked["names"]}


if __name__ == "__main__":
    given = argparse.ArgumentParser()
    given.add_argument("--rows", type=int, default=1_000_000)
    given.add_argument("--running", type=int, default=5_000)
    given.add_argument("--rounds", type=int, default=300)
    options = given.parse_args()
    tell(measure(options.rows, options.running, options.rounds))

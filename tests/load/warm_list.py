"""`/flows list` from a warm index: 5,000 running among 1,000,000 rows, all of which the index has read.

    python -m tests.load.warm_list [--rows 1000000] [--rounds 300]
    python -m tests.load.warm_list --rows 5000 --rounds 30     # and with 50000 and --running 50000: how it grows

The client, the index and the event stream are the bot's own; the simulated VoIPBIN is a process of its own, in which
things go on happening. What is timed is everything a handler does between the operator and the message: what was typed
is read, the page of the list with its situations, the blocks and their check. Each page has been looked at once before,
so that the flows' names are known; ``first_ms`` is the first look of all, which asks for them. What is asked of VoIPBIN
meanwhile is counted where it is sent: names may be, rows may not.

Besides the lists: a word that is looked for, one that is shown, and the frozen list of a bulk stop (of what runs, which
here comes from memory, so that it is the sifting that is measured). ``stretch_ms`` is the most CPU time for which the
event loop turned to nobody else, in any round; ``mb_running`` is what the process grew by until all that runs was held.
"""

import argparse
import asyncio
import gc
import resource
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from bot.activeflows.anomalies import AnomalyDetector, DwellTimes
from bot.activeflows.bulk.snapshot import BulkSnapshot
from bot.activeflows.model import Picture
from bot.activeflows.operators import Grant, Operator, Permission, Person, Policy, Standing
from bot.activeflows.queries.filters import Filters
from bot.activeflows.queries.listing import ActiveflowQueries
from bot.activeflows.records import ChainedRecord, Entry, Record, RecordQuery
from bot.activeflows.search.finder import Finder
from bot.activeflows.search.ranking import SearchTerms
from bot.command_line import settled
from bot.slack.blocks.activeflow_list import activeflow_list
from bot.slack.grammar.requests import List
from bot.slack.grammar.table import parse
from bot.slack.messaging.messenger import checked
from bot.voipbin import IndexPace, VoIPBINClient, connected
from bot.voipbin.live.live_index import LiveIndex
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


async def warm(client: VoIPBINClient, live_index: LiveIndex) -> float:
    """Wait until everything was read and events come; how long that took."""
    began = time.perf_counter()
    while True:
        picture = await live_index.running(max_age=3600)
        if live_index.live and picture is not None and picture.complete_since is None:
            return time.perf_counter() - began
        await asyncio.sleep(0.05)


async def handled(queries: ActiveflowQueries, typed: str, page: int) -> int:
    """From what was typed to the message; how many pages there are."""
    request = parse(typed)
    assert isinstance(request, List)
    listing = await queries.running(OPERATOR, request.filters, page, by=request.by, sort=request.sort)
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
        settled()  # as the bot does once it is up
        async with client.live_index(IndexPace(repair_every=3600)).at_work() as live_index:
            before = _mb()
            warmed = await warm(client, live_index)
            queries = ActiveflowQueries(client, now=_now, live=live_index, past=client)
            grown = _mb() - before
            lists = [await _timed(queries, typed, rounds, asked) for typed in TYPED]
            others = {name: await _costs(do, max(rounds // 10, 2)) for name, do in _others(client, live_index, queries)}
        held = len(live_index.index)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    told: dict[str, Any] = {
        "warm_list": rounds,
        "rows": rows,
        "running": held,
        "warm_after_s": round(warmed, 1),
        "peak_mb": memory,
    }
    told |= {"mb_running": round(grown, 1), "changes_a_second": CHANGES, "lists": lists}
    return told | {"others": others}


def _others(
    client: VoIPBINClient, live_index: LiveIndex, queries: ActiveflowQueries
) -> Iterator[tuple[str, Callable[[], Awaitable[object]]]]:
    """Each with how it is asked for."""
    detector = AnomalyDetector(DwellTimes())
    finder = Finder(client, client, _now, records=_NoRecords(), detector=detector, live=live_index)
    yield "find words", lambda: finder.find(OPERATOR, SearchTerms(words="flow 7"))
    yield "show", lambda: queries.show(OPERATOR, next(iter(live_index.index.newest_first())).id)
    frozen = BulkSnapshot(_FromMemory(client, live_index), _now)
    yield "freeze all", lambda: frozen.freeze(OPERATOR, Filters())
    yield "freeze action:talk", lambda: frozen.freeze(OPERATOR, Filters(action="talk"))


class _NoRecords:
    async def record(self, record: Record) -> ChainedRecord:
        raise AssertionError(record)

    async def records(self, question: RecordQuery) -> Sequence[Entry]:
        raise AssertionError(question)


class _FromMemory:
    """The client, whose picture is that of the index: a look at VoIPBIN's list is bounded by pages."""

    def __init__(self, client: VoIPBINClient, live_index: LiveIndex) -> None:
        self._client, self._live_index = client, live_index

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    async def picture(self, *, max_age: float = 5.0) -> Picture:
        picture = await self._live_index.running(max_age=max_age)
        assert picture is not None
        return picture


def _mb() -> float:
    """What this process has in memory now."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() / 1e6


@contextmanager
def stretches() -> Iterator[list[float]]:
    """The CPU time of each stretch that the event loop runs in one go, in milliseconds."""
    taken: list[float] = []
    run = asyncio.Handle._run  # there is no other place to look from

    def timed(handle: asyncio.Handle) -> None:
        began = time.thread_time()
        run(handle)
        taken.append((time.thread_time() - began) * 1000)

    setattr(asyncio.Handle, "_run", timed)  # noqa: B010 — a method, which is not assigned to otherwise
    try:
        yield taken
    finally:
        setattr(asyncio.Handle, "_run", run)  # noqa: B010 — as above


async def _costs(do: Callable[[], Awaitable[object]], rounds: int) -> dict[str, float]:
    await do()
    works = []
    with stretches() as taken:
        for _ in range(rounds):
            await asyncio.sleep(0.05)
            busy = time.process_time()
            await do()
            works.append((time.process_time() - busy) * 1000)
    return {"cpu_p50_ms": round(percentile(works, 0.5), 2), "stretch_ms": round(max(taken), 1)}


async def _timed(queries: ActiveflowQueries, typed: str, rounds: int, asked: Counter[str]) -> dict[str, Any]:
    began = time.perf_counter()
    pages = min(await handled(queries, typed, 1), 50)  # whoever asks first asks for the names
    first = (time.perf_counter() - began) * 1000
    for page in range(1, pages + 1):
        await handled(queries, typed, page)
    asked.clear()
    times, works = [], []
    with stretches() as taken:
        for round_ in range(rounds):
            await asyncio.sleep(0.005)  # the world moves, and its events come in
            began, busy = time.perf_counter(), time.process_time()
            await handled(queries, typed, round_ % pages + 1)
            times.append((time.perf_counter() - began) * 1000)
            works.append((time.process_time() - busy) * 1000)
    told: dict[str, Any] = {"typed": typed, "first_ms": round(first, 1), "p50_ms": round(percentile(times, 0.5), 2)}
    told |= {"p99_ms": round(percentile(times, 0.99), 2), "cpu_p99_ms": round(percentile(works, 0.99), 2)}
    told |= {"cpu_p50_ms": round(percentile(works, 0.5), 2), "stretch_ms": round(max(taken), 1)}
    return told | {"asked_rows": asked["rows"], "asked_names": asked["names"]}


if __name__ == "__main__":
    given = argparse.ArgumentParser()
    given.add_argument("--rows", type=int, default=1_000_000)
    given.add_argument("--running", type=int, default=5_000)
    given.add_argument("--rounds", type=int, default=300)
    options = given.parse_args()
    tell(measure(options.rows, options.running, options.rounds))

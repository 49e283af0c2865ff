"""`/flows list` from a warm index: 5,000 running, after 1,000,000 rows of history went by.

    python tests/load/warm_list.py [--rounds 300]

What is timed is everything a handler does between the operator and the message: the page of the list with its situations,
and the blocks. VoIPBIN's port counts what it is asked; only names may be.
"""

import argparse
import asyncio
import json
import resource
import time
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from bot.activeflows.filters import Filters
from bot.activeflows.index import Index, Read
from bot.activeflows.model import Action, Activeflow, Call, Customer, Flow, Freshness, Picture, Reference, Status
from bot.activeflows.operators import Grant, Operator, Permission, Person, Policy, Standing
from bot.activeflows.reading import Reading
from bot.slack.blocks.activeflow_list import activeflow_list
from bot.slack.check import checked

NOW, CUSTOMER = datetime(2026, 11, 22, 12, tzinfo=UTC), UUID(int=77)
STEPS = tuple(Action(UUID(int=900 + number), "talk", {"language": "en"}) for number in range(40))
RUNNING, HISTORY = 5000, 1_000_000


class Counting:
    """The middle's VoIPBIN: knows names, and writes down what else it is asked."""

    customer = Customer(CUSTOMER, "Ours")

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()

    async def picture(self, *, max_age: float = 5.0) -> Picture:
        raise AssertionError(f"the list was read, {max_age}")

    async def newest(self) -> Sequence[Activeflow]:
        raise AssertionError("the list was read")

    async def activeflow(self, activeflow_id: UUID) -> Activeflow:
        raise AssertionError(activeflow_id)

    async def stop(self, activeflow_id: UUID, *, not_after: datetime) -> Activeflow:
        raise AssertionError(activeflow_id, not_after)

    async def hang_up(self, call_id: UUID, *, not_after: datetime) -> Call:
        raise AssertionError(call_id, not_after)

    async def flow(self, flow_id: UUID) -> Flow | None:
        self.asked["flow"] += 1
        return Flow(flow_id, f"Flow {flow_id.int}")

    async def call(self, call_id: UUID) -> Call | None:
        raise AssertionError(call_id)

    async def queue_name(self, queue_id: UUID) -> str | None:
        self.asked["queue"] += 1
        return f"Queue {queue_id.int}"


class Warm:
    """An index that has seen it all."""

    def __init__(self) -> None:
        self.index = Index()
        for page in range(HISTORY // 100):
            over = tuple(UUID(int=10**9 + page * 100 + row) for row in range(100))
            at = NOW - timedelta(seconds=page)
            self.index.settle(Read((), over, at - timedelta(seconds=1), at, frozenset(over)), self.index.mark())
        for number in range(RUNNING):
            self.index.take(_running(number))

    async def running(self, *, max_age: float) -> Picture | None:
        assert max_age >= 0
        return Picture(self.index.newest_first(), NOW, None, freshness=Freshness(live=True, read=1.0))


def _running(number: int) -> Activeflow:
    created = NOW - timedelta(seconds=number)
    return Activeflow(
        id=UUID(int=(number + 1) << 64),
        customer_id=CUSTOMER,
        flow_id=UUID(int=number % 60 + 1),
        status=Status.RUNNING,
        reference=Reference("call", UUID(int=number + 1)),
        current=STEPS[number % 40],
        executed=STEPS[: number % 40],
        created_at=created,
        updated_at=created + timedelta(seconds=1),
    )


async def measure(rounds: int) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    warm = Warm()
    held = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
    grant = Grant(1, frozenset({"U0ALICE"}), frozenset(Permission))
    operator = Operator(Person("U0ALICE", Standing.MEMBER), "C0INCIDENTS", Policy((grant,)))
    wishes = {"plain": Filters(), "older": Filters(older=timedelta(minutes=10)), "flow": Filters(flow="Flow 7")}
    for name, filters in wishes.items():
        voipbin = Counting()
        reading = Reading(voipbin, lambda: NOW, live=warm)
        times, works = [], []
        for round_ in range(rounds):
            warm.index.take(_running(RUNNING + round_))  # the world moves
            began, busy = time.perf_counter(), time.process_time()
            listing = await reading.running(operator, filters, round_ % 50 + 1)
            message = activeflow_list(listing, operator, NOW, command="/flows")
            checked(message.text, message.blocks)
            times.append((time.perf_counter() - began) * 1000)
            works.append((time.process_time() - busy) * 1000)
        times.sort()
        works.sort()
        told: dict[str, Any] = {"list": name, "running": len(warm.index), "history": HISTORY, "rounds": rounds}
        told |= {"p50_ms": round(times[len(times) // 2], 2), "p99_ms": round(times[int(len(times) * 0.99)], 2)}
        told |= {"cpu_p50_ms": round(works[len(works) // 2], 2), "cpu_p99_ms": round(works[int(len(works) * 0.99)], 2)}
        told |= {"asked_for_rows": 0, "names_asked_a_list": voipbin.asked.total() / rounds}
        print(json.dumps(told | {"index_mb": round(held / 2**20, 1)}), flush=True)


if __name__ == "__main__":
    given = argparse.ArgumentParser()
    given.add_argument("--rounds", type=int, default=300)
    asyncio.run(measure(given.parse_args().rounds))

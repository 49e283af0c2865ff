"""24 simulated hours of arrivals, ends, deletions, reconnects and gaps: the index is the truth at every checkpoint.

    python -m tests.load.simulated_day [--hours 24] [--arrivals 1000]

The simulator's clock is driven; events and pages are VoIPBIN's bytes, through the bot's own decoding. Events come
doubled and out of order, one in 200 is lost for good, and every few minutes the stream is gone for a while. A
checkpoint is taken after each repair, which VoIPBIN's list is read for as after every reconnect and on the schedule.
Memory is all that ``bot.activeflows`` and ``bot.voipbin`` hold.
"""

import argparse
import gc
import random
import time
import tracemalloc
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec

from bot.activeflows.index import Index
from bot.demo.voipbin import wire
from bot.demo.voipbin.clock import StandingClock
from bot.demo.voipbin.records import Changed
from bot.demo.voipbin.state import Activeflow, Step
from bot.demo.voipbin.world import World
from bot.voipbin.live.live_index import LiveIndex
from bot.voipbin.wire.answers import Steps
from bot.voipbin.wire.pages import RunningPage, running_page
from tests.load.one_line import tell

OVERS, STEPS = 1000, 2000
"""Ids of ended ones, and steps, that are remembered here: reached within the first hours, so that growth would show."""


class Day:
    """The world, the line between, and the bot's index at its end."""

    def __init__(self, arrivals: int) -> None:
        self.clock = StandingClock(datetime(2026, 11, 22, tzinfo=UTC))
        self.world, self.dice = World(now=self.clock), random.Random(5)  # noqa: S311 — weather, guards nothing
        self.flow = self.world.add_flow("Support", [Step("talk"), Step("digits_receive")])
        self.arrivals = arrivals
        self.events = self.lost = self.requests = self.checkpoints = self.gaps = self.most_held = 0
        self.connected = self.loses = True
        self.line: list[bytes] = []
        self.living: list[Activeflow] = []
        self.world.subscribe(self.told)
        ours = self.world.customer.id
        self.live_index = LiveIndex(self.page, self.silence, lambda: ours, spare=lambda: False, now=self.clock)
        self.live_index.index, self.live_index._steps = Index(overs_remembered=OVERS), Steps(room=STEPS)

    def silence(self, customer: UUID) -> Any:
        raise AssertionError(customer)

    async def page(self, before: datetime, size: int) -> RunningPage:
        """VoIPBIN's list. The world moves on while it is read."""
        self.requests += 1
        rows = self.world.records.activeflows.page(self.world.customer.id, before, size)
        token = wire.token(rows[-1].tm_create) if rows else ""
        body = msgspec.json.encode({"result": [wire.activeflow(row) for row in rows], "next_page_token": token})
        if self.dice.random() < 0.3:
            self.happens()
        return running_page(body)

    def told(self, change: Changed) -> None:
        if not isinstance(change.resource, Activeflow) or not self.connected:
            return
        if self.loses and self.dice.random() < 1 / 200:
            self.lost += 1
            return
        self.line += [msgspec.json.encode(wire.activeflow(change.resource))] * 2

    def arrives(self, *, all_of_it: bool = False) -> None:
        """Some of what is on the line comes in, in any order; the second copies need not be the same bytes' twins."""
        self.dice.shuffle(self.line)
        keep = 0 if all_of_it else min(len(self.line), 20)
        for frame in self.line[keep:]:
            self.events += 1
            self.live_index.hear(frame, self.world.customer.id)
        del self.line[keep:]

    def happens(self) -> None:
        """One thing: somebody calls, moves on, hangs up, is stopped, or is deleted."""
        if self.dice.random() < 0.25 or not self.living:
            self.living.append(self.world.rings(self.flow, reference_type="campaign", at="talk", executed=[]))
            return
        place = self.dice.randrange(len(self.living))
        activeflow = self.living[place]
        if activeflow.status == "running" and self.dice.random() < 0.65:
            self.world.moves_to(activeflow, self.dice.choice(["talk", "digits_receive", "play"]))
            return
        self.living[place] = self.living[-1]
        self.living.pop()
        if self.dice.random() < 0.02:
            self.world.telephony.deletes(activeflow)
        else:
            self.world.ends(activeflow)

    async def repaired(self) -> bool:
        """Read again, as after a reconnect or on the schedule, and compare."""
        self.loses = False  # what is lost after its row was read is the next repair's to find
        await self.live_index._read_again()
        self.arrives(all_of_it=True)
        self.loses = True
        self.checkpoints += 1
        held = {a.id: (str(a.current.id), len(a.executed)) for a in self.live_index.index.newest_first()}
        rows = (row for row in self.world.records.activeflows if row.status == "running" and row.tm_delete is None)
        truth = {row.id: (str(row.current_action.id), len(row.executed_actions)) for row in rows}
        self.most_held = max(self.most_held, len(held))
        return held == truth

    def index_memory(self) -> int:
        gc.collect()
        rooms = [tracemalloc.Filter(True, f"*/bot/{room}/*") for room in ("activeflows", "voipbin")]
        kept = tracemalloc.take_snapshot().filter_traces(rooms)
        return sum(trace.size for trace in kept.traces)


async def run(hours: int, arrivals: int) -> dict[str, Any]:
    day, began, wrong = Day(arrivals), time.perf_counter(), 0
    memory: list[int] = []
    tracemalloc.start()
    things = arrivals * 4  # an hour: one in four is a call that comes in
    for minute in range(hours * 60):
        for _ in range(things // 60):
            day.clock.passes(60 / (things // 60))
            day.happens()
        day.world.records.timeline.clear()
        day.arrives()
        if day.connected and day.dice.random() < 1 / 20:
            day.connected, day.gaps = False, day.gaps + 1
            day.line.clear()
        elif not day.connected and day.dice.random() < 1 / 3:
            day.connected = True
            wrong += not await day.repaired()
        elif day.connected and minute % 5 == 4:
            wrong += not await day.repaired()
        if minute % 60 == 59:
            memory.append(day.index_memory())
    return {
        "simulated_day": hours,
        "arrivals": len(day.world.records.activeflows),
        "events": day.events,
        "lost": day.lost,
        "gaps": day.gaps,
        "checkpoints": day.checkpoints,
        "wrong": wrong,
        "requests": day.requests,
        "most_running": day.most_held,
        "index_kb_by_hour": [size // 1024 for size in memory],
        "seconds": round(time.perf_counter() - began, 1),
    }


if __name__ == "__main__":
    given = argparse.ArgumentParser()
    given.add_argument("--hours", type=int, default=24)
    given.add_argument("--arrivals", type=int, default=1000)
    asked = given.parse_args()
    tell(run(asked.hours, asked.arrivals))

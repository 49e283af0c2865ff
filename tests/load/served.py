"""A simulated VoIPBIN with a long past, in a process of its own, so that it takes no time from what is measured.

Its rows are spread evenly over some days; the newest of them run, and here and there an old one that nobody ended.
"""

import argparse
import asyncio
import gc
import json
import random
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

from bot.demo.serving import serving
from bot.demo.voipbin import faults
from bot.demo.voipbin.api import voipbin_app
from bot.demo.voipbin.state import Activeflow, Step
from bot.demo.voipbin.world import World
from bot.voipbin import AccessKey

DAYS, FLOWS = 7, 60


@dataclass
class Served:
    """Where it is. ``told`` is filled when it has ended: how often it ``refused`` with 429, and how many ``lists`` it
    gave.
    """

    url: str
    access_key: str
    told: dict[str, Any] = field(default_factory=dict)

    @property
    def credential(self) -> AccessKey:
        return AccessKey(self.access_key)


@asynccontextmanager
async def served(
    *, rows: int, running: int, forgotten: int = 0, away: float = 0.0, changes: float = 0.0, limited: bool = False
) -> AsyncIterator[Served]:
    """``running`` of ``rows`` run, ``forgotten`` of those are old; answers are ``away`` seconds away; so many
    ``changes`` a second; ``limited``: to the customer's 17 requests a second, 33 at once.
    """
    command = [sys.executable, str(Path(__file__))]
    for name, value in {
        "rows": rows,
        "running": running,
        "forgotten": forgotten,
        "away": away,
        "changes": changes,
    }.items():
        command += [f"--{name}", str(value)]
    command += ["--limited"] if limited else []
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:  # noqa: ASYNC220 — once
        assert process.stdin
        assert process.stdout
        here = Served(**json.loads(await asyncio.to_thread(process.stdout.readline)))
        try:
            yield here
        finally:
            process.stdin.close()
            here.told |= json.loads(await asyncio.to_thread(process.stdout.readline))
            process.wait(10)


def _peopled(asked: argparse.Namespace) -> tuple[World, list[Activeflow]]:
    """The world, and what runs in it. Written straight into its table: nobody reads the timeline of the past."""
    world, now = World(), datetime.now(UTC)
    flows = [world.add_flow(f"Flow {number}", [Step("talk"), Step("digits_receive")]) for number in range(FLOWS)]
    walked = [list(flow.actions) for flow in flows]  # shared by what is over: it changes no more
    apart = timedelta(days=DAYS) / asked.rows
    young = asked.running - asked.forgotten
    old = set(range(asked.running, asked.rows, max((asked.rows - asked.running) // max(asked.forgotten, 1), 1)))
    old = set(sorted(old)[: asked.forgotten])
    living = []
    gc.disable()  # ten million rows take as long as one million ten times: nothing of them is garbage
    for number in range(asked.rows):
        flow, created = flows[number % FLOWS], now - number * apart
        alive = number < young or number in old
        row = Activeflow(
            id=uuid4(),
            customer_id=world.customer.id,
            flow_id=flow.id,
            status="running" if alive else "ended",
            reference_type="campaign",
            reference_id=uuid4(),
            current_action=flow.actions[0],
            executed_actions=list(flow.actions) * 10 if alive else walked[number % FLOWS],
            tm_create=created,
            tm_update=created + apart / 2,
        )
        world.records.activeflows.add(row)
        living += [row] if alive else []
    gc.freeze()
    gc.enable()
    return world, living


async def _changing(world: World, living: list[Activeflow], a_second: float) -> None:
    dice = random.Random(3)  # noqa: S311 — weather, guards nothing
    while True:
        await asyncio.sleep(1 / a_second)
        activeflow = dice.choice(living)
        if len(activeflow.executed_actions) < 90:
            world.moves_to(activeflow, dice.choice(["talk", "digits_receive"]))


async def _serve(asked: argparse.Namespace) -> None:
    world, living = _peopled(asked)
    world.limits.enabled = asked.limited
    for path in ("/activeflows", "/customer"):
        if asked.away:
            world.faults.on("GET", path, faults.delay(asked.away), times=None)
    async with serving(voipbin_app(world)) as url:
        print(json.dumps({"url": f"{url}/v1.0", "access_key": world.access_key}), flush=True)
        changing = asyncio.create_task(_changing(world, living, asked.changes)) if asked.changes else None
        await asyncio.to_thread(sys.stdin.read)
        if changing is not None:
            changing.cancel()
            with suppress(asyncio.CancelledError):
                await changing
    lists = len(world.requests_to("GET", "/activeflows"))
    print(json.dumps({"refused": world.limits.refused, "lists": lists}), flush=True)


if __name__ == "__main__":
    given = argparse.ArgumentParser()
    for option, kind in {"rows": int, "running": int, "forgotten": int, "away": float, "changes": float}.items():
        given.add_argument(f"--{option}", type=kind, default=0)
    given.add_argument("--limited", action="store_true")
    asyncio.run(_serve(given.parse_args()))

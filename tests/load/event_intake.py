"""How many events a second the index takes in on one core, and what one costs against `json.loads` of the same bytes.

    python -m tests.load.event_intake [--events 20000] [--running 50000]

Events with full histories (30 and 100 steps of 10 flows, one step longer each time), each of them twice, as VoIPBIN
sends them. "socket" is the whole way: from another process, over loopback, through the bot's own stream into the index.
``--running``: so many others run beside them, of which nothing is heard.
"""

import argparse
import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from websockets.asyncio.server import ServerConnection, serve

from bot.activeflows.model import START_ID, Action, Activeflow, Reference, Status
from bot.voipbin import AccessKey, connected
from bot.voipbin.live.live_index import LiveIndex
from bot.voipbin.wire.answers import strictly
from bot.voipbin.wire.pages import RunningPage
from bot.voipbin.wire.shapes import WireEvent
from tests.load.one_line import tell

ZERO = "00000000-0000-0000-0000-000000000000"
CUSTOMER = UUID(int=77)
GROWTH, STEPS = 10, (30, 100)
"""Events of each activeflow; steps of its history in the last one."""


def step(flow: int, number: int) -> dict[str, Any]:
    text = "Welcome to the Harbour Clinic, please hold the line, or press one for an appointment"
    option = {"text": text, "language": "en-GB", "gender": "female", "digits_handle": "next"}
    return {
        "id": str(UUID(int=(flow << 16) + number + 10)),
        "next_id": ZERO,
        "type": "talk",
        "option": option,
        "tm_execute": None,
    }


def frames(number: int, steps: int) -> list[bytes]:
    """So many events, each activeflow one step further than in its last one, up to this many steps."""
    told, lives = [], -(-number // GROWTH)
    for later in range(GROWTH):
        for life in range(lives):
            flow, done = life % 10, steps - GROWTH + later
            row = {
                "id": str(UUID(int=life + 1)),
                "customer_id": str(CUSTOMER),
                "flow_id": str(UUID(int=flow + 1)),
                "status": "running",
                "reference_type": "call",
                "reference_id": str(UUID(int=life + 9)),
                "reference_activeflow_id": ZERO,
                "on_complete_flow_id": ZERO,
                "current_action": step(flow, done),
                "forward_action_id": ZERO,
                "executed_actions": [step(flow, each) for each in range(done)],
                "tm_create": f"2026-11-22T10:{life // 60 % 60:02d}:{life % 60:02d}.{life % 999983:06d}Z",
                "tm_update": f"2026-11-22T11:{later:02d}:{life % 60:02d}.5Z",
                "tm_delete": None,
            }
            told.append(json.dumps(row).encode())
    return told[:number]


def costs(steps: int, *, number: int = 2000, rounds: int = 7, running: int = 0) -> dict[str, Any]:
    """Microseconds a frame, the best of some rounds for each way; every activeflow has been heard of before.

    "decode": bytes to a typed frame. "new": bytes to the index, of what comes for the first time. "heard": the same,
    each event twice, as VoIPBIN sends them: this is what the stream costs.
    """
    taken: dict[str, list[float]] = {"json": [], "decode": [], "new": [], "heard": []}
    told = frames(number, steps)
    first, rest = told[: number // GROWTH], told[number // GROWTH :]
    for _ in range(rounds):
        taken["json"].append(_timed(_anew(rest), json.loads))
        taken["decode"].append(_timed(_anew(rest), lambda frame: strictly(frame, WireEvent)))
        taken["new"].append(_timed(_anew(rest), _hearing(first, running)))
        twice = [copy for frame in rest for copy in _anew([frame, frame])]
        taken["heard"].append(_timed(twice, _hearing(first, running)))
    best = {way: min(times) for way, times in taken.items()}
    figures: dict[str, Any] = {"steps": steps, "bytes": len(rest[0])}
    figures |= {f"{way}_us": round(microseconds, 1) for way, microseconds in best.items()}
    return figures | {f"{way}_to_json": round(best[way] / best["json"], 3) for way in ("decode", "new", "heard")}


def _anew(told: list[bytes]) -> list[bytes]:
    """The same frames as they come off a socket: Python remembers the hash of bytes it has seen."""
    return [bytes(bytearray(frame)) for frame in told]


def _hearing(known: list[bytes], running: int) -> Callable[[bytes], None]:
    live_index = _live_index(running)
    for frame in _anew(known):
        live_index.hear(frame, CUSTOMER)
    return lambda frame: live_index.hear(frame, CUSTOMER)


def _live_index(running: int = 0) -> LiveIndex:
    async def nothing(before: datetime, size: int) -> RunningPage:
        raise AssertionError(before, size)

    def silence(customer: UUID) -> Any:
        raise AssertionError(customer)

    live_index = LiveIndex(nothing, silence, lambda: CUSTOMER, spare=lambda: False, now=lambda: datetime.now(UTC))
    for other in range(running):
        live_index.index.take(_other(other))
    return live_index


def _other(number: int) -> Activeflow:
    """One that began in the same hour as those that are heard of."""
    began = datetime(2026, 11, 22, 10, tzinfo=UTC) + timedelta(milliseconds=72 * number)
    nothing = Action(START_ID)
    return Activeflow(
        UUID(int=(1 << 64) + number), CUSTOMER, UUID(int=1), Status.RUNNING, Reference(), nothing, created_at=began
    )


def _timed(told: list[bytes], do: Callable[[bytes], object]) -> float:
    began = time.process_time()
    for frame in told:
        do(frame)
    return (time.process_time() - began) / len(told) * 1e6


async def blast(number: int, steps: int) -> None:
    """A server that answers a subscription with everything it has, as fast as it is taken."""
    told = [frame.decode() for frame in frames(number // 2, steps) for _ in range(2)]

    async def talk(connection: ServerConnection) -> None:
        await connection.recv()
        for frame in told:
            await connection.send(frame)
        await connection.wait_closed()

    async with serve(talk, "127.0.0.1", 0, compression=None) as server:
        print(next(iter(server.sockets)).getsockname()[1], flush=True)
        await asyncio.to_thread(sys.stdin.read)


async def over_a_socket(number: int, steps: int, running: int) -> dict[str, Any]:
    """Taken in by the bot's own stream and index; ``a_second_of_cpu`` is what one core takes."""
    command = [sys.executable, "-m", __spec__.name, "--blast", str(steps), "--events", str(number)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:  # noqa: ASYNC220 — once
        assert process.stdin
        assert process.stdout
        url = f"http://127.0.0.1:{int(process.stdout.readline())}/v1.0"
        async with connected(api_url=url, credential=AccessKey("vb_made_up"), budget=1000) as client:
            live_index, taken = _live_index(running), 0
            assert client._stream is not None
            async with client._stream.subscribed(CUSTOMER) as told:
                began, busy = time.perf_counter(), time.process_time()
                async for frame in told:
                    live_index.hear(frame, CUSTOMER)
                    taken += 1
                    if taken == number:
                        break
                passed, worked = time.perf_counter() - began, time.process_time() - busy
        process.kill()
    rate, on_one_core = round(number / passed), round(number / worked)
    return {"steps": steps, "events": number, "a_second": rate, "a_second_of_cpu": on_one_core}


async def measure(events: int, rounds: int, running: int) -> dict[str, Any]:
    one = [costs(steps, number=events // 10, rounds=rounds, running=running) for steps in STEPS]
    socket = [await over_a_socket(events, steps, running) for steps in STEPS]
    return {"event_intake": events, "running": running, "one": one, "socket": socket}


if __name__ == "__main__":
    given = argparse.ArgumentParser()
    given.add_argument("--events", type=int, default=20_000)
    given.add_argument("--rounds", type=int, default=7)
    given.add_argument("--running", type=int, default=0)
    given.add_argument("--blast", type=int)
    asked = given.parse_args()
    if asked.blast:
        asyncio.run(blast(asked.events, asked.blast))
    else:
        tell(measure(asked.events, asked.rounds, asked.running))

"""How many events a second the index takes in on one core, and what one costs against `json.loads` of the same bytes.

    python tests/load/event_intake.py [--events 20000]

Events with full histories (30 and 100 steps of 50 flows, one step longer each time), each of them twice, as VoIPBIN sends
them. "socket" is the whole way: from another process, over loopback, through the bot's own stream into the index.
"""

import argparse
import asyncio
import json
import subprocess
import sys
import time
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from websockets.asyncio.server import ServerConnection, serve

from bot.voipbin import AccessKey, connected
from bot.voipbin.following import Following
from bot.voipbin.running import RunningPage

ZERO = "00000000-0000-0000-0000-000000000000"
CUSTOMER = UUID(int=77)
GROWTH = 10
"""Events of each activeflow."""


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
            flow, done = life % 50, steps - GROWTH + later
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
                "tm_create": "2026-11-22T11:00:00.123456Z",
                "tm_update": f"2026-11-22T11:{later:02d}:{life % 60:02d}.5Z",
                "tm_delete": None,
            }
            told.append(json.dumps(row).encode())
    return told[:number]


def costs(steps: int) -> dict[str, Any]:
    """Microseconds an event, best of nine rounds for either way; each event new to the index, and each once more."""
    plain, ours, again = [], [], []
    for _ in range(9):
        told = frames(500, steps)  # anew: Python remembers the hash of bytes it has seen
        following = _following()
        for frame in told[: len(told) // GROWTH]:  # each has been heard of before
            following.hear(frame, CUSTOMER)
        told = told[len(told) // GROWTH :]
        plain.append(_timed(told, json.loads))
        ours.append(_timed(told, lambda frame, following=following: following.hear(frame, CUSTOMER)))
        twins = [bytes(bytearray(frame)) for frame in told]
        again.append(_timed(twins, lambda frame, following=following: following.hear(frame, CUSTOMER)))
    best = min(plain)
    return {
        "steps": steps,
        "bytes": len(frames(1, steps)[0]),
        "json_us": round(best, 1),
        "new_us": round(min(ours), 1),
        "double_us": round(min(again), 1),
        "new_to_json": round(min(ours) / best, 3),
        "both_to_json_of_both": round((min(ours) + min(again)) / (2 * best), 3),
    }


def _following() -> Following:
    async def nothing(before: datetime, size: int) -> RunningPage:
        raise AssertionError(before, size)

    def silence(customer: UUID) -> Any:
        raise AssertionError(customer)

    return Following(nothing, silence, lambda: CUSTOMER, spare=lambda: False, now=lambda: datetime.now(UTC))


def _timed(told: list[bytes], do: Any) -> float:
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


async def over_a_socket(number: int, steps: int) -> dict[str, Any]:
    command = [sys.executable, __file__, "--blast", str(steps), "--events", str(number)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:  # noqa: ASYNC220 — once
        assert process.stdin
        assert process.stdout
        port = int(process.stdout.readline())
        url = f"http://127.0.0.1:{port}/v1.0"
        async with connected(api_url=url, credential=AccessKey("vb_made_up"), budget=1000) as client:
            following, taken = _following(), 0
            assert client._stream is not None
            async with client._stream.subscribed(CUSTOMER) as told:
                began, busy = time.perf_counter(), time.process_time()
                async for frame in told:
                    following.hear(frame, CUSTOMER)
                    taken += 1
                    if taken == number:
                        break
                passed, worked = time.perf_counter() - began, time.process_time() - busy
        process.kill()
    rate, on_one_core = round(number / passed), round(number / worked)
    return {"socket_steps": steps, "events": number, "a_second": rate, "a_second_of_cpu": on_one_core}


if __name__ == "__main__":
    given = argparse.ArgumentParser()
    given.add_argument("--events", type=int, default=20_000)
    given.add_argument("--blast", type=int)
    asked = given.parse_args()
    if asked.blast:
        asyncio.run(blast(asked.events, asked.blast))
    else:
        for long in (30, 100):
            print(json.dumps(costs(long)), flush=True)
        for long in (30, 100):
            print(json.dumps(asyncio.run(over_a_socket(asked.events, long))), flush=True)

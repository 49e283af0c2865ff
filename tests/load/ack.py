"""How soon a delivery of Slack's is acked, against Bolt as it comes and against no Bolt at all, in one interleaved run.

    python -m tests.load.ack [--rounds 300] [--bursts 15]

A slash command, and a press of 30 kB, each signed: one after the other over connections that are kept, in turns among the
contestants (see `contestants`); and 64 commands at once over as many new connections. Milliseconds from the first byte sent to
the last byte of the answer. What follows the ack is waited for before the next one is sent, so that none pays for another.
"""

import argparse
import asyncio
import json
import tempfile
import time
from collections.abc import Sequence
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from bot.demo.slack.delivery import signed
from bot.slack import ids
from tests.load.contestants import CONTESTANTS, Town, all_up
from tests.load.one_line import percentile, tell

CLICK = 30_000
"""Bytes of the press."""
AT_ONCE = 64
_AFTERWARDS = 0.02
"""Seconds in which what follows an ack is done."""


def command(there: Town) -> bytes:
    """`/flows list`, as Slack posts it."""
    fields = {"token": "made-up", "team_id": there["team_id"], "team_domain": "harbour", "channel_id": "C0INCIDENTS"}
    fields |= {"channel_name": "incidents", "user_id": "U0ALICE", "user_name": "alice", "command": "/flows"}
    fields |= {"text": "list", "api_app_id": there["app_id"], "is_enterprise_install": "false"}
    fields |= {"response_url": there["said_url"], "trigger_id": "1.2.made-up"}
    return urlencode(fields).encode()


def press(there: Town) -> bytes:
    """*Refresh* under a long public list, which Slack sends back whole."""
    words = {"type": "section", "text": {"type": "mrkdwn", "text": "*Support line* `3c5b0f6d`\n" + "waiting, " * 30}}
    blocks: list[dict[str, Any]] = []
    payload: dict[str, Any] = {
        "type": "block_actions",
        "user": {"id": "U0ALICE", "username": "alice", "name": "alice", "team_id": there["team_id"]},
        "api_app_id": there["app_id"],
        "token": "made-up",
        "container": {"type": "message", "message_ts": "1.2", "channel_id": "C0INCIDENTS", "is_ephemeral": False},
        "trigger_id": "1.2.made-up",
        "team": {"id": there["team_id"], "domain": "harbour"},
        "enterprise": None,
        "is_enterprise_install": False,
        "channel": {"id": "C0INCIDENTS", "name": "incidents"},
        "message": {"type": "message", "ts": "1.2", "text": "Running activeflows", "blocks": blocks},
        "state": {"values": {}},
        "response_url": there["said_url"],
        "actions": [
            {"type": "button", "action_id": ids.LIST_REFRESH, "block_id": "b", "value": "1", "action_ts": "1.3"}
        ],
    }
    while len(body := urlencode({"payload": json.dumps(payload)}).encode()) < CLICK:
        blocks.append({**words, "block_id": f"b{len(blocks)}"})
    return body


def request(there: Town, body: bytes) -> bytes:
    headers = {"Host": "bot", "Accept": "*/*", "Content-Length": str(len(body))} | signed(there["secret"], body)
    return (
        b"POST /slack/events HTTP/1.1\r\n"
        + "".join(f"{k}: {v}\r\n" for k, v in headers.items()).encode()
        + b"\r\n"
        + body
    )


class Line:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    @classmethod
    async def to(cls, port: int) -> "Line":
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    async def acked(self, sent: bytes) -> float:
        """Milliseconds until the answer was there, which is a 200."""
        began = time.perf_counter()
        self._writer.write(sent)
        head = await self._reader.readuntil(b"\r\n\r\n")
        length = next(
            (int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")), 0
        )
        await self._reader.readexactly(length)
        took = (time.perf_counter() - began) * 1000
        assert head.startswith(b"HTTP/1.1 200"), head
        return took

    def close(self) -> None:
        self._writer.close()


async def _burst(port: int, each: Sequence[bytes]) -> list[float]:
    """A new connection for each, at once; each is timed from before it is opened."""

    async def one(sent: bytes) -> float:
        began = time.perf_counter()
        line = await Line.to(port)
        await line.acked(sent)
        line.close()
        return (time.perf_counter() - began) * 1000

    return await asyncio.gather(*(one(sent) for sent in each))


async def measure(rounds: int, bursts: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        async with all_up(Path(folder)) as (there, ports):
            bodies = {"command": command(there), "press": press(there)}
            triggers = count(10**8)

            def sent(kind: str) -> bytes:
                """Never the same twice: the bot does nothing for what it was told before."""
                return request(there, bodies[kind].replace(b"1.2.made-up", b"1.2.%d" % next(triggers)))

            lines = {name: await Line.to(port) for name, port in ports.items()}
            taken: dict[tuple[str, str], list[float]] = {(kind, name): [] for kind in bodies for name in ports}
            for round_ in range(-10, rounds):  # the first ones warm up
                for kind, name in taken:
                    took = await lines[name].acked(sent(kind))
                    taken[kind, name] += [took] if round_ >= 0 else []
                    await asyncio.sleep(_AFTERWARDS)
            last: dict[str, list[float]] = {name: [] for name in ports}
            for _ in range(bursts):
                for name, port in ports.items():
                    last[name].append(max(await _burst(port, [sent("command") for _ in range(AT_ONCE)])))
                    await asyncio.sleep(_AFTERWARDS * AT_ONCE)
            for line in lines.values():
                line.close()
    told: dict[str, Any] = {"ack": rounds, "press_bytes": len(sent("press"))}
    for kind in bodies:
        told[kind] = _compared({name: taken[kind, name] for name in CONTESTANTS})
    return told | {f"last_of_{AT_ONCE}": _compared(last)}


def _compared(taken: dict[str, list[float]]) -> dict[str, Any]:
    told: dict[str, Any] = {
        name: {"p50_ms": round(percentile(times, 0.5), 2), "p99_ms": round(percentile(times, 0.99), 2)}
        for name, times in taken.items()
    }
    typical = {name: percentile(times, 0.5) for name, times in taken.items()}
    told["stock_to_bot"] = round(typical["stock"] / typical["bot"], 1)
    return told | {"bot_to_bare": round(typical["bot"] / typical["bare"], 2)}


if __name__ == "__main__":
    given = argparse.ArgumentParser()
    given.add_argument("--rounds", type=int, default=300)
    given.add_argument("--bursts", type=int, default=15)
    asked = given.parse_args()
    tell(measure(asked.rounds, asked.bursts))

"""What a bot does for its people while its doors are attacked: half headers over HTTP, and a Slack that is full.

    python -m tests.load.attack [--connections 1100] [--files 1024] [--presses 5] [--seconds 20]

Loopback only, some seconds for each door, and it ends by itself, with everything that it started. The bot is a process
of its own, as `flows-bot run` is; it may open `--files` files. HTTP: so many callers each send half a header, and come
again when they are shut out, while a person presses `--presses` stops, each on a new connection as Slack opens it, and
`/healthz` is asked. Socket Mode: Slack says `too_many_websockets` for `--seconds`, then it has room again.
"""

import argparse
import asyncio
import os
import resource
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from subprocess import DEVNULL, PIPE, Popen
from typing import Any

import aiohttp

from bot.demo.serving import serving
from bot.demo.slack.app import serving_slack
from bot.demo.slack.messages import Message
from bot.demo.slack.workspace import Workspace
from bot.demo.voipbin.api import voipbin_app
from bot.demo.voipbin.state import Activeflow
from bot.demo.voipbin.world import World
from bot.slack import ids
from tests.load.one_line import tell
from tests.ports import free_port

ALICE, INCIDENTS = "U0ALICE", "C0INCIDENTS"
POLICY = f'[[grant]]\nto = ["{ALICE}"]\nmay = ["view", "stop"]\n'
_LONGEST = 240.0
_SOON = 60.0
OPENED = "apps.connections.open"


@dataclass
class Town:
    """Both simulators, and a bot between them. ``log``: what it wrote."""

    slack: Workspace
    world: World
    process: "Popen[bytes]"
    url: str
    log: Path

    async def ready(self) -> int:
        """The status of `/readyz`, 0 without an answer."""
        return await _asked(f"{self.url}/readyz")

    def descriptors(self) -> int:
        """How many files the bot has open; 0 where the system does not say."""
        folder = Path(f"/proc/{self.process.pid}/fd")
        return len(list(folder.iterdir())) if folder.exists() else 0

    async def types(self, words: str) -> None:
        await self.slack.types(ALICE, INCIDENTS, words)

    def seen(self, words: str) -> list[Message]:
        return [message for message in self.slack.sees(ALICE, INCIDENTS) if words in message.words]


async def half_headers(connections: int, files: int, presses: int) -> dict[str, Any]:
    """The open door: what is acked and carried out while so many callers sit in it."""
    async with town(files, socket_mode=False) as there:
        flows = [there.world.rings(at="play") for _ in range(presses)]
        for number, activeflow in enumerate(flows, 1):
            await there.types(f"/flows stop {activeflow.id}")
            await _until(lambda number=number: len(there.seen("Asked by")) == number)  # type: ignore[misc]
        cards = there.seen("Asked by")
        health, most, over = [0, 0], 0, asyncio.Event()

        async def look() -> None:
            nonlocal most
            while not over.is_set():
                health[0] += await _asked(f"{there.url}/healthz") == 200
                health[1] += 1
                most = max(most, there.descriptors())
                await asyncio.sleep(0.2)

        with _callers(there.url, connections) as callers:
            await asyncio.to_thread(_told, callers)  # all of them have come
            looking = asyncio.create_task(look())
            pressed = [await _press(there, card) for card in cards]
            for activeflow in flows:
                await _until(partial(_sent, there.world, activeflow), within=20, or_not=True)
            sent = sum(_sent(there.world, activeflow) for activeflow in flows)
            over.set()
            await looking
            told, _ = await asyncio.to_thread(callers.communicate, timeout=30)
        lines = there.log.read_bytes()
    return {
        "connections": connections,
        "files": files,
        "came": int(told),
        "presses": presses,
        "acked": sum(1 for took in pressed if took is not None),
        "slowest_ack_ms": round(1000 * max((took for took in pressed if took is not None), default=0.0)),
        "stops_sent_meanwhile": sent,
        "healthz": f"{health[0]} of {health[1]}",
        "most_files_of_the_bot": most,
        "log_lines": lines.count(b"\n"),
        "log_kb": len(lines) // 1024,
    }


async def full_slack(files: int, seconds: float) -> dict[str, Any]:
    """Socket Mode, while Slack has too many connections of this app, and afterwards."""
    async with town(files, socket_mode=True) as there:
        slack, statuses = there.slack, []
        slack.limits.enabled = False  # what the bot asks is counted, not held up
        slack.socket.ghosts = 10
        before = _opens(slack)
        await slack.socket.disconnect("refresh_requested")
        until = time.monotonic() + seconds
        await _until(lambda: not slack.socket.connected)
        await asyncio.sleep(0.5)
        while time.monotonic() < until:
            statuses.append(await there.ready())
            await asyncio.sleep(0.2)
        asked = _opens(slack) - before
        slack.socket.ghosts, room_at = 0, time.monotonic()
        await _until(lambda: slack.socket.connected, within=90)
        deaf = time.monotonic() - room_at
        await there.types("/flows help")
        answered = await _until(lambda: there.seen("/flows list"), or_not=True)
        lines = there.log.read_text(encoding="utf-8").splitlines()
    return {
        "seconds": seconds,
        "connections_open_asked": asked,
        "readyz_red": f"{statuses.count(503)} of {len(statuses)}",
        "warnings": sum("socket_ended" in line for line in lines),
        "back_after_seconds": round(deaf, 1),
        "command_answered_then": answered,
    }


@asynccontextmanager
async def town(files: int, *, socket_mode: bool) -> AsyncIterator[Town]:
    """Everything up; everything that was started is ended with the block."""
    slack, world = Workspace(), World()
    slack.add_user(ALICE, "Alice")
    slack.add_channel(INCIDENTS, "incidents", members=[ALICE])
    slack.socket_mode = socket_mode
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        slack_url = await stack.enter_async_context(serving_slack(slack))
        voipbin_url = await stack.enter_async_context(serving(voipbin_app(world)))
        (folder / "policy.toml").write_text(POLICY, encoding="utf-8")
        port = free_port()
        variables = {
            "SLACK_BOT_TOKEN": slack.bot_token,
            "SLACK_API_URL": slack_url,
            "VOIPBIN_API_URL": f"{voipbin_url}/v1.0",
            "VOIPBIN_ACCESS_KEY": world.access_key,
            "FLOWS_BOT_POLICY": str(folder / "policy.toml"),
            "FLOWS_BOT_DATABASE_URL": f"sqlite:///{folder / 'ledger.db'}",
            "FLOWS_BOT_PORT": str(port),
            "FLOWS_BOT_LOG_FORMAT": "json",
            "SLACK_APP_TOKEN" if socket_mode else "SLACK_SIGNING_SECRET": (
                slack.app_token if socket_mode else slack.signing_secret
            ),
        }
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "PYTHONPATH") if name in os.environ}
        with (folder / "log").open("wb") as log:
            process = Popen(  # noqa: ASYNC220 - once
                [sys.executable, "-m", "bot", "run"], stdin=DEVNULL, stdout=DEVNULL, stderr=log, env=kept | variables
            )
        stack.callback(_ended, process)
        if hasattr(resource, "prlimit"):
            resource.prlimit(process.pid, resource.RLIMIT_NOFILE, (files, files))
        here = Town(slack, world, process, f"http://127.0.0.1:{port}", folder / "log")
        async with asyncio.timeout(_SOON):
            while True:
                if await here.ready() == 200:
                    break
                await asyncio.sleep(0.05)
        slack.request_url = None if socket_mode else f"{here.url}/slack/events"
        yield here


async def _press(there: Town, card: Message) -> float | None:
    """Seconds until the press was acked, ``None`` when it was not."""
    delivery = await there.slack.clicks(ALICE, card, ids.STOP_FLOW)
    return None if delivery.error else delivery.seconds


def _sent(world: World, activeflow: Activeflow) -> bool:
    return bool(world.requests_to("POST", f"/activeflows/{activeflow.id}/stop"))


def _opens(slack: Workspace) -> int:
    return sum(1 for call in slack.calls if call.method == OPENED)


async def _asked(url: str) -> int:
    timeout = aiohttp.ClientTimeout(total=3)
    try:
        async with aiohttp.ClientSession(timeout=timeout) as session, session.get(url) as response:
            return response.status
    except (aiohttp.ClientError, OSError):
        return 0


async def _until(true: Callable[[], object], *, within: float = _SOON, or_not: bool = False) -> bool:
    try:
        async with asyncio.timeout(within):
            while True:
                if true():
                    return True
                await asyncio.sleep(0.02)
    except TimeoutError:
        if not or_not:
            raise
        return False


def _ended(process: "Popen[bytes]") -> None:
    process.terminate()
    process.wait(30)


def _callers(url: str, connections: int) -> "Popen[bytes]":
    """They are a process of their own, up until its input ends."""
    command = [sys.executable, "-m", "tests.load.callers", str(connections), url.rpartition(":")[2]]
    return Popen(command, stdin=PIPE, stdout=PIPE)


def _told(callers: "Popen[bytes]") -> bytes:
    assert callers.stdout is not None
    return callers.stdout.readline()


async def attacked(asked: argparse.Namespace) -> dict[str, Any]:
    """Both doors, one after the other."""
    async with asyncio.timeout(_LONGEST):
        http: Awaitable[dict[str, Any]] = half_headers(asked.connections, asked.files, asked.presses)
        return {"attack": 1, "http": await http, "socket_mode": await full_slack(asked.files, asked.seconds)}


if __name__ == "__main__":
    given = argparse.ArgumentParser()
    given.add_argument("--connections", type=int, default=1100)
    given.add_argument("--files", type=int, default=1024)
    given.add_argument("--presses", type=int, default=5)
    given.add_argument("--seconds", type=float, default=20.0)
    tell(attacked(given.parse_args()))

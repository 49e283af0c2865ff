"""Who takes deliveries in the benchmark of the ack, each in a process of its own, on the same uvicorn.

- "bot": `flows-bot run`, the whole of it.
- "stock": Bolt's own `AsyncApp` behind Bolt's own adapter for Starlette, as its documentation has it; after the ack it says one
  word to the response_url, where the bot works out and posts a list.
- "bare": no Bolt. It checks the signature and answers: nobody can ack sooner.

The town is the simulated Slack and the simulated VoIPBIN that they talk to.

    python -m tests.load.contestants town|stock|bare PORT TOWN
"""

import asyncio
import json
import os
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from subprocess import DEVNULL, PIPE, Popen
from typing import Any

from slack_bolt.adapter.starlette.async_handler import AsyncSlackRequestHandler
from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncRespond
from slack_sdk.web.async_client import AsyncWebClient
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from bot.demo.serving import serving
from bot.demo.slack.app import serving_slack
from bot.demo.slack.workspace import Workspace
from bot.demo.voipbin.api import voipbin_app
from bot.demo.voipbin.world import World
from bot.slack import ids
from bot.slack.transport.http import serve
from bot.slack.transport.signature import NotSigned, claimed
from tests.ports import free_port

CONTESTANTS = ("bot", "stock", "bare")
POLICY = '[[grant]]\nto = ["U0ALICE"]\nmay = ["view"]\n'
_STARTS_WITHIN = 60.0
Town = dict[str, str]


async def town() -> None:
    """Up until its input ends. Whatever is posted to `/said` is taken."""
    slack, world = Workspace(), World()
    slack.add_user("U0ALICE", "Alice")
    slack.add_channel("C0INCIDENTS", "incidents", members=["U0ALICE"])
    flow = world.add_flow("Support line")
    for _ in range(20):
        world.rings(flow, at="play")

    async def said(_: Request) -> Response:
        return PlainTextResponse("ok")

    async with (
        serving_slack(slack, [Route("/said", said, methods=["POST"])]) as slack_url,
        serving(voipbin_app(world)) as voipbin_url,
    ):
        told = {"slack_url": slack_url, "said_url": slack_url.replace("/api/", "/said"), "token": slack.bot_token}
        told |= {"secret": slack.signing_secret, "team_id": slack.team_id, "app_id": slack.api_app_id}
        told |= {"voipbin_url": f"{voipbin_url}/v1.0", "key": world.access_key}
        print(json.dumps(told), flush=True)
        await asyncio.to_thread(sys.stdin.read)


def stock(there: Town) -> Starlette:
    app = AsyncApp(client=AsyncWebClient(there["token"], base_url=there["slack_url"]), signing_secret=there["secret"])

    @app.command("/flows")
    async def command(ack: AsyncAck, respond: AsyncRespond) -> None:
        await ack()
        await respond("heard")

    @app.action(ids.LIST_REFRESH)
    async def refresh(ack: AsyncAck, respond: AsyncRespond) -> None:
        await ack()
        await respond("heard")

    handler = AsyncSlackRequestHandler(app)

    async def events(request: Request) -> Response:
        return await handler.handle(request)

    return _app(events)


def bare(there: Town) -> Starlette:
    secret = there["secret"].encode()

    async def events(request: Request) -> Response:
        try:
            claimed(request.headers.raw, now=time.time()).verify(secret, await request.body())
        except NotSigned:
            return Response(status_code=401)
        return Response()

    return _app(events)


def _app(events: Callable[[Request], Awaitable[Response]]) -> Starlette:
    async def readyz(_: Request) -> Response:
        return PlainTextResponse("ok")

    return Starlette(routes=[Route("/slack/events", events, methods=["POST"]), Route("/readyz", readyz)])


async def stand(app: Starlette, port: int) -> None:
    """Serve until the input ends."""
    async with serve(app, "127.0.0.1", port):
        await asyncio.to_thread(sys.stdin.read)


@asynccontextmanager
async def all_up(folder: Path) -> AsyncIterator[tuple[Town, dict[str, int]]]:
    """The town, and the port of every contestant, ready; all ended when the block is."""
    (folder / "policy.toml").write_text(POLICY, encoding="utf-8")
    started: list[Popen[str]] = []

    def start(*command: str, **variables: str) -> Popen[str]:
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "PYTHONPATH") if name in os.environ}
        arguments = [sys.executable, "-m", *command]
        started.append(Popen(arguments, stdin=PIPE, stdout=PIPE, stderr=DEVNULL, text=True, env=kept | variables))
        return started[-1]

    try:
        first = start(__spec__.name if __name__ == "__main__" else __name__, "town")
        assert first.stdout is not None
        there: Town = json.loads(await asyncio.to_thread(first.stdout.readline))
        ports = {name: free_port() for name in CONTESTANTS}
        start("bot", "run", **_variables(there, folder, ports["bot"]))
        for name in ("stock", "bare"):
            start(__name__, name, str(ports[name]), json.dumps(there))
        for port in ports.values():
            await _ready(port)
        yield there, ports
    finally:
        for process in started:
            process.terminate()
        for process in started:
            process.communicate(timeout=30)


def _variables(there: Town, folder: Path, port: int) -> dict[str, str]:
    return {
        "SLACK_BOT_TOKEN": there["token"],
        "SLACK_SIGNING_SECRET": there["secret"],
        "SLACK_API_URL": there["slack_url"],
        "VOIPBIN_API_URL": there["voipbin_url"],
        "VOIPBIN_ACCESS_KEY": there["key"],
        "FLOWS_BOT_POLICY": str(folder / "policy.toml"),
        "FLOWS_BOT_DATABASE_URL": f"sqlite:///{folder / 'ledger.db'}",
        "FLOWS_BOT_PORT": str(port),
        "FLOWS_BOT_LOG_LEVEL": "ERROR",
    }


async def _ready(port: int) -> None:
    async with asyncio.timeout(_STARTS_WITHIN):
        while True:
            with suppress(OSError):
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.write(b"GET /readyz HTTP/1.1\r\nHost: bot\r\nConnection: close\r\n\r\n")
                answered = await reader.read()
                writer.close()
                if answered.startswith(b"HTTP/1.1 200"):
                    return
            await asyncio.sleep(0.05)


def _main(who: str, port: str = "0", there: str = "{}") -> None:
    apps: dict[str, Any] = {"stock": stock, "bare": bare}
    asyncio.run(town() if who == "town" else stand(apps[who](json.loads(there)), int(port)))


if __name__ == "__main__":
    _main(*sys.argv[1:])

"""The simulated Slack and the simulated VoIPBIN that a whole bot talks to, in one process, and the bot in another.

python -m tests.load.town
"""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from subprocess import DEVNULL, PIPE, Popen

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from bot.demo.serving import serving
from bot.demo.slack.app import serving_slack
from bot.demo.slack.workspace import Workspace
from bot.demo.voipbin.api import voipbin_app
from bot.demo.voipbin.world import World

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


@asynccontextmanager
async def town_up() -> AsyncIterator[Town]:
    """The town while the block lasts."""
    with started(sys.executable, "-m", "tests.load.town") as process:
        assert process.stdout is not None
        yield json.loads(await asyncio.to_thread(process.stdout.readline))


class started:  # noqa: N801 — reads as a function
    """A process while the block lasts. ``variables``: its environment, besides what every process here needs."""

    def __init__(self, *command: str, **variables: str) -> None:
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "PYTHONPATH") if name in os.environ}
        self._process = Popen(command, stdin=PIPE, stdout=PIPE, stderr=DEVNULL, text=True, env=kept | variables)

    def __enter__(self) -> "Popen[str]":
        return self._process

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self._process.terminate()
        self._process.communicate(timeout=30)


def bots_settings(there: Town, folder: Path, port: int) -> dict[str, str]:
    """The environment of a bot in this town, whose files are in the folder."""
    (folder / "policy.toml").write_text(POLICY, encoding="utf-8")
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


async def answering(port: int, path: str = "/readyz") -> None:
    """Wait until it answers there with 200."""
    async with asyncio.timeout(_STARTS_WITHIN):
        while True:
            with suppress(OSError):
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.write(f"GET {path} HTTP/1.1\r\nHost: bot\r\nConnection: close\r\n\r\n".encode())
                answered = await reader.read()
                writer.close()
                if answered.startswith(b"HTTP/1.1 200"):
                    return
            await asyncio.sleep(0.02)


if __name__ == "__main__":
    asyncio.run(town())

"""The demo: a second composition root, above the bot's own. ``flows-bot demo`` runs this module.

A simulated VoIPBIN in which callers come and go, a simulated Slack with a page to click in, and the bot itself, put
together by ``bot.composition.bootstrap.running`` as in production: only ``SLACK_API_URL`` and ``VOIPBIN_API_URL`` differ.
Everything listens on loopback, keeps its files in a temporary folder, and ends together with Ctrl-C.
"""

import asyncio
import logging
import os
import sys
import tempfile
import threading
import webbrowser
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr

from bot import logs
from bot.activeflows.stopping.timeouts import Patience
from bot.composition.bootstrap import running
from bot.composition.signals import until_told
from bot.demo import cast
from bot.demo.panel import Panel
from bot.demo.serving import serving
from bot.demo.slack.app import serving_slack
from bot.demo.slack.workspace import Workspace
from bot.demo.voipbin.api import voipbin_app
from bot.demo.voipbin.town import Town
from bot.misconfigured import Misconfigured
from bot.settings import Settings

LAST_WORDS = 0.2
"""Seconds in which work under way may end: a demo ends at once, and its ledger with it."""


@dataclass(frozen=True, slots=True)
class Demo:
    """A demo that runs: the address of its page, and the worlds behind it."""

    url: str
    workspace: Workspace
    town: Town
    panel: Panel


@asynccontextmanager
async def demo(
    folder: Path, *, port: int = 0, patience: Patience | None = None, alerts: bool = True
) -> AsyncIterator[Demo]:
    """Everything, for as long as the block lasts; without ``alerts`` nothing is posted that nobody asked for.

    Raises ``Misconfigured`` when the port cannot be had.
    """
    town, workspace = Town(), Workspace()
    cast.fill(workspace)
    policy = folder / "policy.toml"
    policy.touch(mode=0o600)  # the bot warns of a policy that others can read
    policy.write_text(cast.POLICY + (cast.alerts(town.clinic.after_hours.id) if alerts else ""), encoding="utf-8")
    async with AsyncExitStack() as stack:
        panel = Panel(town.world)
        try:
            slack_url = await stack.enter_async_context(serving_slack(workspace, panel.routes(), port=port))
        except OSError as taken:
            why = os.strerror(taken.errno) if taken.errno else "no such address"
            raise Misconfigured(f"--port: cannot listen there ({why}). 0 picks a free one.") from None
        voipbin_url = await stack.enter_async_context(serving(voipbin_app(town.world)))
        town.world.subscribe(lambda _: workspace.changed())  # the page looks after its panel
        life = asyncio.create_task(town.lives())
        stack.push_async_callback(_ended, life)
        settings = Settings(
            _env_file=None,  # type: ignore[call-arg] # pydantic-settings' own argument
            slack_bot_token=SecretStr(workspace.bot_token),
            slack_signing_secret=SecretStr(workspace.signing_secret),
            slack_app_token=None,
            slack_api_url=slack_url,
            voipbin_api_url=f"{voipbin_url}/v1.0",
            voipbin_access_key=SecretStr(town.world.access_key),
            voipbin_username=None,
            voipbin_password=None,
            voipbin_ca_file=None,
            flows_bot_policy=policy,
            flows_bot_database_url=SecretStr(f"sqlite:///{folder / 'flows-bot.db'}"),
            flows_bot_host="127.0.0.1",
            flows_bot_port=0,
            flows_bot_command="/flows",
        )
        bot = await stack.enter_async_context(running(settings, patience=patience, last_words=LAST_WORDS))
        workspace.request_url = f"http://127.0.0.1:{bot.port}/slack/events"
        yield Demo(workspace.url, workspace, town, panel)


async def _ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def main(*, port: int, open_page: bool) -> None:
    """Run until Ctrl-C."""
    logs.configure("console", "WARNING")
    logging.getLogger(logs.AUDIT_HEAD).setLevel(logging.WARNING)  # nobody keeps a demo's audit
    logging.getLogger("bot.slack.transport.jobs").setLevel(
        logging.CRITICAL
    )  # nobody misses what the end of a demo cuts off

    def tell(shown: Demo) -> None:
        print(f"The demo is at {shown.url}\nType /flows list there. Ctrl-C ends everything.", flush=True)
        if open_page:
            threading.Thread(target=webbrowser.open, args=[shown.url], daemon=True).start()

    with tempfile.TemporaryDirectory(prefix="flows-bot-demo-") as folder:
        await until_told(demo(Path(folder), port=port), tell)


if __name__ == "__main__":
    given = globals()
    asyncio.run(main(port=given.get("PORT", 0), open_page=given.get("OPEN", "--no-open" not in sys.argv)))

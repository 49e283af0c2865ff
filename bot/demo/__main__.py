"""The demo: a second composition root, above the bot's own. ``flows-bot demo`` runs this module.

A simulated VoIPBIN in which callers come and go, a simulated Slack with a page to click in, and the bot itself, put
together by ``bot.composition.bootstrap.running`` as in production: only ``SLACK_API_URL`` and ``VOIPBIN_API_URL``
differ. Everything listens on loopback and keeps its files in a temporary folder, unless told otherwise, and ends with
Ctrl-C.
"""

import asyncio
import logging
import os
import socket
import sys
import tempfile
import threading
import webbrowser
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from difflib import get_close_matches
from functools import partial
from json import dumps
from pathlib import Path

import httpx
import yaml
from pydantic import SecretStr

from bot import logs
from bot.activeflows.stopping.stop import Patience
from bot.composition.background import until_told
from bot.composition.bootstrap import running
from bot.demo import cast
from bot.demo.panel import Panel
from bot.demo.scenarios.scene import Scene, told_of
from bot.demo.scenarios.table import BY_NAME, SCENARIOS
from bot.demo.serving import serving
from bot.demo.slack.app import LOOPBACK, serving_slack, slack_app
from bot.demo.slack.workspace import Workspace
from bot.demo.voipbin.api import voipbin_app
from bot.demo.voipbin.town import Town
from bot.misconfigured import Misconfigured
from bot.settings import Settings
from bot.terminal.manifest import manifest

LAST_WORDS = 0.2
"""Seconds in which work under way may end: a demo ends at once, and its ledger with it."""
STARTS_WITHIN = 60.0
"""Seconds in which a bot in a process of its own has to be ready."""


@dataclass(frozen=True, slots=True)
class Demo:
    """A demo that runs: the address of its page, the worlds behind it, and the bot between them."""

    url: str
    workspace: Workspace
    town: Town
    panel: Panel
    bot: "DemoBot"
    ledger: Path


class DemoBot:
    """The bot in this process, or for a while in one of its own, which can be killed."""

    def __init__(self, settings: Settings, workspace: Workspace, patience: Patience | None, folder: Path) -> None:
        self._settings, self._workspace, self._patience, self._folder = settings, workspace, patience, folder
        self._life: asyncio.Task[None] | None = None
        self._process: Process | None = None

    async def comes_back(self) -> None:
        """Run it in this process. Raises what keeps it from starting."""
        started: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._life = asyncio.create_task(self._lives(started))  # entered and left in one task
        await started

    async def as_process(self) -> None:
        """Run it as ``flows-bot run``, on the same ledger."""
        await self.ends()
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        settings = self._settings.model_copy(update={"flows_bot_port": port})
        values = {name.upper(): value for name, value in settings if value is not None}
        texts = {k: v.get_secret_value() if isinstance(v, SecretStr) else str(v) for k, v in values.items()}
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bot", "run"),
            cwd=self._folder,  # no .env of anybody's
            env={**_not_ours(), **texts, "FLOWS_BOT_LOG_LEVEL": "ERROR"},
            stdout=DEVNULL,
        )
        url = f"http://127.0.0.1:{port}"
        async with httpx.AsyncClient(trust_env=False) as client, asyncio.timeout(STARTS_WITHIN):
            while not await _ready(client, url):  # noqa: ASYNC110 — another process has no event to wait for
                await asyncio.sleep(0.05)
        self._workspace.request_url = f"{url}/slack/events"

    async def kill(self) -> None:
        """End the process of its own with SIGKILL."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()
            self._process = None

    async def ends(self) -> None:
        """End it, wherever it runs."""
        await self.kill()
        if self._life is not None:
            await _ended(self._life)
            self._life = None

    async def _lives(self, started: "asyncio.Future[None]") -> None:
        try:
            async with running(self._settings, patience=self._patience, last_words=LAST_WORDS) as bot:
                self._workspace.request_url = f"http://127.0.0.1:{bot.port}/slack/events"
                started.set_result(None)
                await asyncio.Event().wait()
        except Exception as wrong:
            if started.done():
                raise
            started.set_exception(wrong)


def _not_ours() -> dict[str, str]:
    """The environment without what somebody set for a bot of their own."""
    return {k: v for k, v in os.environ.items() if not k.startswith(("SLACK_", "VOIPBIN_", "FLOWS_BOT_"))}


async def _ready(client: httpx.AsyncClient, url: str) -> bool:
    try:
        return (await client.get(f"{url}/readyz")).is_success
    except httpx.HTTPError:
        return False


@asynccontextmanager
async def demo(
    folder: Path,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    patience: Patience | None = None,
    alerts: bool = True,
    town: Town | None = None,
    ledger: Path | None = None,
) -> AsyncIterator[Demo]:
    """Everything, for as long as the block lasts; without ``alerts`` nothing is posted that nobody asked for.

    The ledger is in ``folder`` unless said otherwise. With another ``host`` than loopback the page is served there,
    too. Raises ``Misconfigured`` when the address cannot be had.
    """
    town, workspace = town or Town(), Workspace()
    workspace.installs(yaml.safe_load(manifest("/flows", "")))
    cast.fill(workspace)
    policy, ledger = folder / "policy.toml", (ledger or folder / "flows-bot.db").absolute()
    policy.touch(mode=0o600)  # the bot warns of a policy that others can read
    policy.write_text(cast.POLICY + (cast.alerts(town.clinic.after_hours.id) if alerts else ""), encoding="utf-8")
    async with AsyncExitStack() as stack:
        panel = Panel(town.world, workspace, town.forgotten)
        here = host in LOOPBACK
        try:
            slack_url = await stack.enter_async_context(
                serving_slack(workspace, panel.routes(), port=port if here else 0)
            )
            elsewhere = slack_app(workspace, panel.routes())
            page = workspace.url if here else await stack.enter_async_context(serving(elsewhere, host=host, port=port))
        except OSError as taken:
            why = os.strerror(taken.errno) if taken.errno and taken.errno > 0 else "no such address"
            name = "--port" if here else "--host, --port"
            raise Misconfigured(f"{name}: cannot listen there ({why}). 0 picks a free one.") from None
        voipbin_url = await stack.enter_async_context(serving(voipbin_app(town.world)))
        town.world.subscribe(lambda _: workspace.changed())  # the page looks after its panel
        life = asyncio.create_task(town.lives(after_each=panel.looks))
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
            voipbin_account=None,  # type: ignore[arg-type] # an empty one would be filled from the environment
            flows_bot_policy=policy,
            flows_bot_database_url=SecretStr(f"sqlite:///{ledger}"),
            flows_bot_host="127.0.0.1",
            flows_bot_port=0,
            flows_bot_command="/flows",
        )
        bot = DemoBot(settings, workspace, patience, folder)
        stack.push_async_callback(bot.ends)
        await bot.comes_back()
        panel.begins(bot, voipbin_url)
        stack.push_async_callback(panel.ends)
        yield Demo(page, workspace, town, panel, bot, ledger)


async def _ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoOptions:
    """What was typed after ``flows-bot demo``."""

    host: str = "127.0.0.1"
    port: int = 0
    open: bool = True
    keep: Path | None = None
    scenario: str = ""
    headless: bool = False
    json: bool = False


async def main(asked: DemoOptions) -> None:
    """Run until Ctrl-C, or, headless, until the scenario is over. Raises ``Misconfigured``."""
    logs.configure("console", "ERROR" if asked.headless else "WARNING")
    logging.getLogger(logs.AUDIT_HEAD).setLevel(logging.WARNING)  # nobody keeps a demo's audit
    for name in ("bot.slack.transport.jobs", "dbos"):  # nobody misses what the end of a demo cuts off
        logging.getLogger(name).addFilter(lambda record: record.levelno >= logging.CRITICAL)
    if asked.scenario == "help":
        print(*(f"{scenario.name:14} {scenario.line}" for scenario in SCENARIOS), sep="\n")
        return
    if asked.scenario and asked.scenario not in BY_NAME:
        near = get_close_matches(asked.scenario, BY_NAME, n=1)
        hint = f" Did you mean {near[0]}?" if near else ""
        raise Misconfigured(f"--scenario: there is none called {asked.scenario!r}.{hint} `--scenario help` lists them.")
    if (asked.headless or asked.json) and not asked.scenario:
        raise Misconfigured("--headless and --json: they are for --scenario NAME.")
    with tempfile.TemporaryDirectory(prefix="flows-bot-demo-") as folder:
        if asked.headless:
            await _headless(Path(folder), asked)
        else:
            everything = demo(Path(folder), host=asked.host, port=asked.port, ledger=asked.keep)
            await until_told(everything, partial(_tell, asked))


async def _headless(folder: Path, asked: DemoOptions) -> None:
    async with demo(folder, ledger=asked.keep, alerts=False, town=Town(quiet=True)) as shown:
        scene = Scene(BY_NAME[asked.scenario], shown.workspace, shown.town.world, shown.bot)
        held = await scene.play()
    report = scene.report()
    if asked.json:
        print(dumps(report, indent=2, ensure_ascii=False))
    else:
        print(*told_of(report), sep="\n")
    if not held:
        raise SystemExit(1)


def _tell(asked: DemoOptions, shown: Demo) -> None:
    kept = "kept" if asked.keep else "gone when this ends"
    print(f"The demo is at {shown.url}")
    print("Type /flows list there. Ctrl-C ends everything.")
    if asked.host not in LOOPBACK:
        print("Whoever reaches this address can be anybody in the demo.")
    print(f"The ledger is {shown.ledger} ({kept}).", flush=True)
    if asked.scenario:
        shown.panel.play(BY_NAME[asked.scenario])
    if asked.open:
        threading.Thread(target=webbrowser.open, args=[shown.url], daemon=True).start()


if __name__ == "__main__":
    given = globals().get("ASKED", {"open": "--no-open" not in sys.argv})
    asyncio.run(main(DemoOptions(**given)))

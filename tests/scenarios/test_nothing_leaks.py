"""A whole evening with marked secrets, and then a look at all that left the bot.

The bot runs in a process of its own, configured by its environment, with the chattiest log. What is marked: every
credential, both ends of the call, what is spoken to the caller, and every address that opens something. A response_url
may stand in the rows that finish a press after a restart (DBOS), and nowhere else. One story is a bug, planted for it.
"""

import asyncio
import base64
import json
import os
import re
import signal
import sqlite3
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Final

import httpx
import pytest

from bot.demo.slack.faults import status
from bot.demo.slack.workspace import Workspace
from bot.demo.voipbin import faults
from bot.demo.voipbin.state import Activeflow
from bot.demo.voipbin.town import say
from bot.demo.voipbin.world import World
from bot.ledger.tables import metadata
from bot.slack import ids
from tests.scenarios.conftest import ALICE, BOB, INCIDENTS, Stage
from tests.scenarios.typing_at import answers, presses

CALLER, CALLED = "+15550107731", "+15550109942"
SPOKEN: Final = "Mrs Featherstonehaugh, your test was positive"
WEBHOOK: Final = "https://hooks.clinic.example/q7-marked"
ROOT: Final = Path(__file__).parents[2]

WITH_A_BUG: Final = """
import os
import sys
from bot.command_line import main
from bot.slack.listeners import commands

def help_overview(*_, **__):
    raise KeyError(f"{os.environ} +15550107731 says: Mrs Featherstonehaugh, your test was positive")

commands.help_overview = help_overview
main(sys.argv[1:])
"""


def marked(stage: Stage) -> dict[str, str]:
    """What must not be seen, by what it is. The customer's own secrets are the simulated world's."""
    slack, voipbin = stage.slack, stage.voipbin
    return {
        "Slack's bot token": slack.bot_token,
        "signing secret": slack.signing_secret,
        "access key": voipbin.access_key,
        "password": voipbin.password,
        "login token": "eyJ",
        "caller": CALLER.removeprefix("+1555"),
        "called": CALLED.removeprefix("+1555"),
        "spoken": "Featherstonehaugh",
        "webhook of an activeflow": "q7-marked",
        "webhook of the customer": voipbin.customer.webhook_uri,
        "webhook secret": voipbin.customer.webhook_secret,
        "direct hash": "direct.made-up",
    }


def response_urls(slack: Workspace) -> dict[str, str]:
    found = re.findall(r"/(?:commands|actions|app)/T[\w/-]+", " ".join(str(d.payload) for d in slack.deliveries))
    assert found
    return {f"response_url {number}": url for number, url in enumerate(sorted(set(found)))}


class Evening:
    """The bot's process, and what people do with it."""

    def __init__(self, stage: Stage, environment: dict[str, str]) -> None:
        self._stage, self._environment = stage, environment
        self.log = stage.policy.with_name("log.txt")
        self.port = 0

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        with self.log.open("wb") as log:
            process = await self._program("run", output=log.fileno())
            try:
                await self._stage.slack.until(self._listens, seconds=60)
                self._stage.slack.request_url = f"http://127.0.0.1:{self.port}/slack/events"
                yield
            finally:
                process.send_signal(signal.SIGTERM)
                await process.wait()
        assert process.returncode == 0

    def _listens(self) -> bool:
        said = re.search(r"port\W+(\d+)", re.sub(r"\x1b\[[\d;]*m", "", self.log.read_text(encoding="utf-8")))
        self.port = int(said[1]) if said else 0
        return bool(said)

    async def exported(self) -> str:
        process = await self._program("audit", "export", output=asyncio.subprocess.PIPE)
        out, _ = await process.communicate()
        assert len(out.splitlines()) > 8
        return out.decode()

    async def _program(self, *words: str, output: int) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", WITH_A_BUG, *words),
            cwd=self._stage.policy.parent,
            env=self._environment,
            stdout=output,
            stderr=asyncio.subprocess.STDOUT,
        )

    async def pages(self) -> str:
        """What the small server shows to anybody."""
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{self.port}", trust_env=False) as client:
            return "\n".join(
                [(await client.get(path)).text for path in ("/metrics", "/readyz", "/healthz", "/nothing")]
            )


@pytest.fixture(
    params=[pytest.param(("console", "access key"), marks=pytest.mark.slow), ("json", "login")], ids=" and ".join
)
def evening(request: pytest.FixtureRequest, stage: Stage, sqlite_url: str) -> Evening:
    style, credential = request.param
    slack, settings = stage.slack, stage.settings()
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("SLACK_", "VOIPBIN_", "FLOWS_BOT_"))}
    login = {"VOIPBIN_USERNAME": stage.voipbin.username, "VOIPBIN_PASSWORD": stage.voipbin.password}
    key = {"VOIPBIN_ACCESS_KEY": stage.voipbin.access_key}
    given = {
        "PYTHONPATH": str(ROOT),
        "SLACK_BOT_TOKEN": slack.bot_token,
        "SLACK_SIGNING_SECRET": slack.signing_secret,
        "SLACK_API_URL": settings.slack_api_url,
        "VOIPBIN_API_URL": settings.voipbin_api_url,
        "FLOWS_BOT_POLICY": str(stage.policy),
        "FLOWS_BOT_DATABASE_URL": sqlite_url,
        "FLOWS_BOT_PORT": "0",
        "FLOWS_BOT_LOG_LEVEL": "DEBUG",
        "FLOWS_BOT_LOG_FORMAT": style,
    }
    return Evening(stage, {**inherited, **given, **(login if credential == "login" else key)})


def somebody_calls(voipbin: World) -> Activeflow:
    survey = voipbin.add_flow("Satisfaction survey", [say(SPOKEN)])
    flow = voipbin.add_flow("Support line", [say(SPOKEN), say("Please hold.")], on_complete=survey)
    return voipbin.rings(flow, at="talk", source=CALLER, destination=CALLED, webhook_uri=WEBHOOK)


async def stories(stage: Stage) -> None:
    """Everything people do: reading, refusals, stops, lost answers, a card that cannot be changed, forgeries, a bug."""
    slack, voipbin = stage.slack, stage.voipbin
    first, second = somebody_calls(voipbin), somebody_calls(voipbin)
    page = await answers(stage, "list")
    await presses(stage, ALICE, page, ids.LIST_REFRESH)
    await slack.clicks(ALICE, page, ids.LIST_SHARE)
    await stage.reads("read by @Alice", user=BOB)
    assert "speaking a text" in (await answers(stage, f"show {first.id}")).words
    await _searches(stage, first)
    await answers(stage, "list nonsense:yes")

    card = await stage.asks_to_stop(first, words="caller is stuck")
    await slack.clicks(BOB, card, ids.STOP_FLOW)
    await stage.reads("You can't", user=BOB)
    await slack.clicks(ALICE, card, ids.STOP_FLOW)
    await stage.reads("On complete: Satisfaction survey started", user=BOB)

    card = await stage.asks_to_stop(second)
    voipbin.faults.on("POST", "/activeflows/{id}/stop", faults.lose_answer())
    slack.faults.on("response_url", status(404, b"used_url"))
    await slack.clicks(ALICE, card, ids.STOP_FLOW)
    await stage.reads("got no clear answer", user=BOB)

    down = voipbin.faults.on("GET", "*", faults.reset_before(), times=None)
    await slack.types(ALICE, INCIDENTS, f"/flows show {first.id}")
    await stage.reads("VoIPBIN cannot be reached")
    down.clear()
    assert "incident" in (await answers(stage, "help")).words
    await answers(stage, "whoami")
    await _forgeries(slack)


async def _searches(stage: Stage, calling: Activeflow) -> None:
    """Both numbers, typed and picked out of a message, found and not found, and a look that fails."""
    slack, voipbin = stage.slack, stage.voipbin
    for typed in (CALLER, "01 555 010 77 31", CALLED, f"who is {CALLER} or {CALLED}", "+1 555 010 9942 / 00"):
        assert "phone number" in (await answers(stage, f"find {typed}")).words
    message = slack.post(INCIDENTS, BOB, f"Who is {CALLER}? See {calling.id}, {SPOKEN.split(maxsplit=1)[0]}")
    await slack.uses_shortcut(ALICE, message, ids.FIND)
    await stage.reads("Looked for a phone number ending in 31; the id")
    voipbin.faults.on("GET", "/calls", faults.broken_json(), times=None)
    assert "an error of its own" in (await answers(stage, f"find {CALLER}")).words
    voipbin.faults.clear()


async def _forgeries(slack: Workspace) -> None:
    """Unsigned, badly signed, and signed nonsense: what a careless log would repeat."""
    body = f"payload={CALLER} {slack.bot_token} {SPOKEN}".encode()
    await slack.delivers(body, {"Content-Type": "application/x-www-form-urlencoded"})
    await slack.delivers(body, {**slack.signed(body), "X-Slack-Signature": "v0=00"})
    await slack.delivers(body, slack.signed(body))


async def test_nothing_that_is_secret_or_personal_leaves_the_bot(
    evening: Evening, stage: Stage, slack: Workspace, voipbin: World, sqlite_url: str
) -> None:
    async with evening.running():
        await stories(stage)
        pages = await evening.pages()
    left = {
        "calls of Slack": json.dumps([dict(call.arguments) for call in slack.calls]),
        "answers to deliveries": " ".join(str(delivery.answer) for delivery in slack.deliveries),
        "what went to response_urls": json.dumps([dict(response.body) for response in slack.responses]),
        "addresses at VoIPBIN": " ".join(f"{seen.path}?{seen.query}" for seen in voipbin.requests),
        "pages": pages,
        "log": evening.log.read_text(encoding="utf-8"),
        "export": await evening.exported(),
        "ledger": "\n".join(rows(sqlite_url, durable=False)),
    }
    secrets = marked(stage)
    for where, text in left.items():
        assert text, where
        for what, secret in {**secrets, **response_urls(slack)}.items():
            assert secret not in text, f"{what} in {where}: …{text[max(0, text.find(secret) - 200) :][:300]}…"
    durable = "\n".join(rows(sqlite_url, durable=True))
    assert any(url in durable for url in response_urls(slack).values())  # else a restart could not answer
    for what, secret in secrets.items():
        assert secret not in durable, f"{what} in the durable rows"
    assert "incident" in left["log"]
    assert "KeyError" in left["log"]


def rows(url: str, *, durable: bool) -> Iterator[str]:
    """Every value in the database: of the ledger's own tables, or of all others, which are DBOS's."""
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as database:
        names = {str(name) for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        ours = names & set(metadata.tables)
        for name in sorted(names - ours if durable else ours):
            for row in database.execute(f'SELECT * FROM "{name}"'):  # noqa: S608 # the table's own name
                yield from (_decoded(value) for value in row)


def _decoded(value: object) -> str:
    try:
        return f"{value} {base64.b64decode(str(value), validate=True).decode('utf-8', 'replace')}"
    except ValueError:
        return str(value)

"""VoIPBIN's own tutorials, typed into curl against the simulation, while the bot looks on.

https://api.voipbin.net/docs/call_tutorial.html and https://api.voipbin.net/docs/activeflow_tutorial.html: the lines are
in the form that is printed there; the numbers are from the range reserved for fiction.
"""

import asyncio
import json
import shlex
import shutil
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest

from bot.demo.voipbin.state import ADMIN
from bot.demo.voipbin.world import World
from tests.scenarios.conftest import ALICE, INCIDENTS, Stage

VENDOR = "https://api.voipbin.net"
LOGIN = f"""curl --request POST '{VENDOR}/auth/login' \\
    --header 'Content-Type: application/json' \\
    --data-raw '{{"username": "owner@example.com", "password": "made up"}}'"""
KEYS = f"curl --request GET '{VENDOR}/v1.0/accesskeys?token=<YOUR_AUTH_TOKEN>'"
CALL = f"""curl --location --request POST '{VENDOR}/v1.0/calls?token=<YOUR_AUTH_TOKEN>' \\
    --header 'Content-Type: application/json' \\
    --data-raw '{{
        "source": {{"type": "tel", "target": "+15550100001"}},
        "destinations": [{{"type": "tel", "target": "+15550100002"}}],
        "actions": [
            {{"type": "talk", "option": {{"text": "Hello. This is a test message.", "language": "en-US"}}}},
            {{"type": "digits_receive", "option": {{"length": 1, "duration": 5000}}}}
        ]
    }}'"""
LIST = f"curl -k --location --request GET '{VENDOR}/v1.0/activeflows?token=<YOUR_AUTH_TOKEN>'"
STOP = f"curl --location --request POST '{VENDOR}/v1.0/activeflows/<ID>/stop?token=<YOUR_AUTH_TOKEN>'"

ID, WORDS, TIME = "an id", "words", "a time"
ACTION = {"id": ID, "next_id": ID, "type": WORDS, "option": dict}
PRINTED = {
    "id": ID,
    "customer_id": ID,
    "flow_id": ID,
    "status": WORDS,
    "reference_type": WORDS,
    "reference_id": ID,
    "current_action": ACTION,
    "forward_action_id": ID,
    "tm_create": TIME,
    "tm_update": TIME,
    "tm_delete": TIME,
}
"""Every field of the two bodies in the activeflow tutorial, and what it holds. A time that is not there is null by now,
which the tutorial still prints as the year 9999."""


class Terminal:
    """A shell of somebody who follows the tutorial."""

    def __init__(self, root: str) -> None:
        self.root, self.token = root, ""

    async def types(self, line: str) -> Any:
        typed = line.replace(VENDOR, self.root).replace("<YOUR_AUTH_TOKEN>", self.token)
        curl = await asyncio.create_subprocess_exec(
            *shlex.split(typed), "--silent", "--noproxy", "*", stdout=asyncio.subprocess.PIPE
        )
        told, _ = await curl.communicate()
        return json.loads(told)


@pytest.fixture
async def bot(stage: Stage) -> AsyncIterator[Stage]:
    """The bot, live."""
    stage.voipbin.add_agent("owner@example.com", "made up", permission=ADMIN)
    async with stage.start(voipbin_events=True):
        yield stage


@pytest.fixture
def terminal(bot: Stage) -> Terminal:
    if shutil.which("curl") is None:
        pytest.skip("no curl: install the package curl")
    return Terminal(bot.settings().voipbin_api_url.removesuffix("/v1.0"))


def holds(row: Any, printed: Any) -> bool:
    if isinstance(printed, dict):
        return isinstance(row, dict) and all(key in row and holds(row[key], part) for key, part in printed.items())
    if printed is ID:
        return bool(str(UUID(row)) == row)
    if printed is TIME:
        return row is None or str(row).endswith("Z")
    return type(row) is (str if printed is WORDS else printed)


async def until_answered(terminal: Terminal, call: str) -> None:
    """As the tutorial says: ask until it is `progressing`."""
    get = f"curl '{VENDOR}/v1.0/calls/{call}?token=<YOUR_AUTH_TOKEN>'"
    async with asyncio.timeout(60):
        while (await terminal.types(get))["status"] != "progressing":  # each asking takes a program of its own
            pass


async def listed(bot: Stage, words: str) -> str:
    """What `/flows list` says, once it has these words."""
    async with asyncio.timeout(60):
        while True:
            await bot.slack.types(ALICE, INCIDENTS, "/flows list")
            said = [message.words for message in bot.slack.sees(ALICE, INCIDENTS) if words in message.words]
            if said:
                return said[-1]
            await asyncio.sleep(0.1)


async def test_the_vendors_tutorial_runs_and_the_bot_follows(bot: Stage, voipbin: World, terminal: Terminal) -> None:
    voipbin.answers_after = 0.2
    terminal.token = (await terminal.types(LOGIN))["token"]
    (key,) = (await terminal.types(KEYS))["result"]
    assert voipbin.access_key.startswith(key["token_prefix"])

    placed = await terminal.types(CALL)
    assert [placed["groupcalls"], placed["calls"][0]["status"]] == [[], "dialing"]
    activeflow = placed["calls"][0]["activeflow_id"]
    assert activeflow[:8] in await listed(bot, activeflow[:8])  # live: nobody asked VoIPBIN for a list since
    await until_answered(terminal, placed["calls"][0]["id"])

    page = await terminal.types(LIST)
    assert [row["id"] for row in page["result"]] == [activeflow]
    assert page["result"][0]["current_action"]["type"] == "talk"
    assert holds(page["result"][0], PRINTED), page
    rest = await terminal.types(LIST.replace("?", f"?page_token={page['next_page_token']}&"))
    assert rest == {"result": [], "next_page_token": ""}

    stopped = await terminal.types(STOP.replace("<ID>", activeflow))
    assert (stopped["status"], stopped["current_action"]["type"]) == ("ended", "talk")
    assert holds(stopped, PRINTED), stopped
    await listed(bot, "No activeflow is running")


async def test_pages_follow_each_other_by_their_token(voipbin: World, terminal: Terminal) -> None:
    rows = [voipbin.rings(voipbin.add_flow(f"Flow {number}"), at="talk") for number in range(5)]
    terminal.token = (await terminal.types(LOGIN))["token"]
    seen, token = [], ""
    for _ in range(3):
        page = await terminal.types(LIST.replace("?", f"?page_size=2&page_token={token}&"))
        seen += [row["id"] for row in page["result"]]
        token = page["next_page_token"]
    assert seen == [str(row.id) for row in reversed(rows)]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (('"talk"', '"tlak"'), "INVALID_ACTION_TYPE"),
        (('"destinations": [', '"anonymous": "perhaps", "destinations": ['), "INVALID_ANONYMOUS_VALUE"),
        (('"destinations": [', '"variables": {"number": 1}, "destinations": ['), "INVALID_VARIABLES"),
        (('{"type": "tel", "target": "+15550100001"}', '"+15550100001"'), "INVALID_JSON_BODY"),
        (('"actions": [', '"flow_id": "6f18ae1c-ddf8-413b-9572-ad30574604ef", "actions": ['), "FLOW_NOT_FOUND"),
    ],
)
async def test_a_slip_in_the_call_is_refused_and_nobody_is_called(
    voipbin: World, terminal: Terminal, change: tuple[str, str], reason: str
) -> None:
    terminal.token = (await terminal.types(LOGIN))["token"]
    answer = await terminal.types(CALL.replace(*change))
    assert answer["error"]["reason"] == reason
    assert len(voipbin.records.calls) == 0

"""The policy changes while the bot runs: at the next press it is in force, and what is broken opens nothing."""

import asyncio
import json
import re
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from bot.composition.bootstrap import running
from bot.demo.slack import faults as slack_faults
from bot.demo.slack.workspace import Workspace
from bot.demo.voipbin.world import World
from bot.slack import ids
from tests.scenarios.conftest import ALICE, AT_ONCE, BOB, INCIDENTS, Stage
from tests.scenarios.typing_at import answers

NOBODY_STOPS = '[[grant]]\nto = ["members"]\nmay = ["view"]\n'
BOB_STOPS = NOBODY_STOPS + f'\n[[grant]]\nto = ["{BOB}"]\nmay = ["view", "stop"]\nin = ["{INCIDENTS}"]\n'
BROKEN = f'[[grant]]\nto = ["{BOB}"]\nmay = ["view", "stop", "fly"]\n'


@asynccontextmanager
async def started(stage: Stage, **changes: object) -> AsyncIterator[str]:
    """The bot, looking at its policy often; its address."""
    settings = stage.settings(**changes)
    async with running(settings, patience=stage.patience, asking=AT_ONCE, look_every=0.02) as bot:
        stage.slack.request_url = f"http://127.0.0.1:{bot.port}/slack/events"
        yield f"http://127.0.0.1:{bot.port}"


def policies(url: str) -> list[dict[str, Any]]:
    """What the audit says was in force, oldest first."""
    connection = sqlite3.connect(url.removeprefix("sqlite:///"))
    rows = connection.execute("SELECT body FROM audit WHERE what = 'policy' ORDER BY seq").fetchall()
    connection.close()
    return [json.loads(body) for (body,) in rows]


async def ready(url: str) -> tuple[int, dict[str, Any]]:
    async with aiohttp.ClientSession() as session, session.get(f"{url}/readyz") as answer:
        return answer.status, await answer.json()


async def until_ready(stage: Stage, url: str, fits: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """The first answer of /readyz that fits, and says that the bot is ready."""
    async with asyncio.timeout(30):
        while True:
            status, said = await ready(url)
            if fits(said) and (status, said["ready"]) == (200, True):
                return said
            await stage.slack.next_change(0.05)


async def test_a_grant_that_was_taken_away_is_refused_at_the_next_press(
    stage: Stage, slack: Workspace, voipbin: World, sqlite_url: str
) -> None:
    activeflow = voipbin.rings(voipbin.add_flow("Support line"), at="play")
    async with started(stage):
        card = await stage.asks_to_stop(activeflow)
        stage.policy.write_text(NOBODY_STOPS, encoding="utf-8")
        await slack.until(lambda: len(policies(sqlite_url)) == 2)
        await slack.clicks(ALICE, card, ids.STOP_FLOW)
        refused = await stage.reads("You can't stop this")
        assert "the policy gives nobody “stop”" in refused.words
        assert stage.posts(activeflow) == 0
        before, after = policies(sqlite_url)
        assert (before["who"], before["detail"]["grants"]) == ("policy file", 2)
        assert (after["who"], after["detail"]["grants"]) == ("policy file", 1)
        assert before["detail"]["sha256"] != after["detail"]["sha256"]


async def test_a_new_grant_lets_press_and_the_audit_says_by_which_policy(
    stage: Stage, slack: Workspace, voipbin: World, sqlite_url: str
) -> None:
    activeflow = voipbin.rings(voipbin.add_flow("Support line"), at="play")
    async with started(stage):
        card = await stage.asks_to_stop(activeflow)
        (stage.policy.parent / "saved").write_text(BOB_STOPS, encoding="utf-8")
        (stage.policy.parent / "saved").rename(stage.policy)
        await slack.until(lambda: len(policies(sqlite_url)) == 2)
        await slack.clicks(BOB, card, ids.STOP_FLOW)
        await stage.reads("Receipt", user=BOB)
        assert stage.posts(activeflow) == 1


@pytest.mark.parametrize("broken", [BROKEN, "[[grant]\n", None], ids=["value", "TOML", "gone"])
async def test_a_broken_or_deleted_file_keeps_the_last_good_policy_and_is_said_loudly(
    stage: Stage, sqlite_url: str, broken: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    async with started(stage) as url:
        good = stage.policy.read_text(encoding="utf-8")
        assert "warnings" not in (await ready(url))[1]
        if broken is None:
            stage.policy.unlink()
        else:
            stage.policy.write_text(broken, encoding="utf-8")
        said = await until_ready(stage, url, lambda said: "warnings" in said)
        (warning,) = said["warnings"]
        assert warning["what"] == "policy"
        why = {BROKEN: "policy.toml:3: grant 1, may, entry 3", "[[grant]\n": "policy.toml:1: is not TOML"}
        assert why.get(broken or "", "policy.toml: cannot be read (FileNotFoundError)") in warning["why"]
        assert "the last good one stays in force" in warning["why"]
        logged = capsys.readouterr().out
        assert re.search(r"\[error +\] policy_broken", logged)
        assert "stop: yes" in (await answers(stage, "whoami")).words
        assert "stop: no" in (await answers(stage, "whoami", user=BOB)).words
        assert len(policies(sqlite_url)) == 1
        stage.policy.write_text(good, encoding="utf-8")
        await until_ready(stage, url, lambda said: "warnings" not in said)
        assert len(policies(sqlite_url)) == 1, "nothing else was in force meanwhile"


async def test_the_same_policy_is_recorded_once_across_restarts_and_a_return_to_it_again(
    stage: Stage, slack: Workspace, sqlite_url: str
) -> None:
    good = stage.policy.read_text(encoding="utf-8")
    for _ in range(2):
        async with started(stage):
            assert len(policies(sqlite_url)) == 1
    async with started(stage):
        for number, text in enumerate((NOBODY_STOPS, good), 2):
            stage.policy.write_text(text, encoding="utf-8")
            await slack.until(lambda number=number: len(policies(sqlite_url)) == number)  # type: ignore[misc] # binds it
    digests = [one["detail"]["sha256"] for one in policies(sqlite_url)]
    assert digests[0] == digests[2] != digests[1]


async def test_a_change_counts_even_while_the_ledger_is_broken_and_is_recorded_when_it_is_back(
    stage: Stage, sqlite_url: str
) -> None:
    async with started(stage):
        _alter(sqlite_url, "ALTER TABLE audit RENAME TO lost")
        stage.policy.write_text(NOBODY_STOPS, encoding="utf-8")
        async with asyncio.timeout(30):
            while "stop: yes" in (await answers(stage, "whoami")).words:
                await stage.slack.next_change(0.05)
        _alter(sqlite_url, "ALTER TABLE lost RENAME TO audit")
        await stage.slack.until(lambda: len(policies(sqlite_url)) == 2)


def _alter(url: str, statement: str) -> None:
    connection = sqlite3.connect(url.removeprefix("sqlite:///"))
    connection.execute(statement)
    connection.commit()
    connection.close()


async def test_without_a_policy_that_is_recorded_too(stage: Stage, sqlite_url: str) -> None:
    async with started(stage, flows_bot_policy=None) as url:
        assert [one["detail"] for one in policies(sqlite_url)] == [{"sha256": "", "grants": 0}]
        assert (await ready(url))[0] == 200


async def test_a_reason_that_is_required_since_the_press_is_required(
    stage: Stage, slack: Workspace, voipbin: World, sqlite_url: str
) -> None:
    """The press waits for Slack to say who it was, and meanwhile the rule comes into force."""
    activeflow = voipbin.rings(at="play")
    asked = slack_faults.hold()
    assert asked.hold is not None
    async with started(stage):
        card = await stage.asks_to_stop(activeflow)
        slack.faults.on("users.info", asked)
        await slack.clicks(ALICE, card, ids.STOP_FLOW)
        await asked.hold.arrived()
        rule = "\n[rules]\nreason_required = true\n"
        stage.policy.write_text(stage.policy.read_text(encoding="utf-8") + rule, encoding="utf-8")
        await slack.until(lambda: len(policies(sqlite_url)) == 2)
        asked.hold.release()
        said = await stage.reads("A stop needs a reason here")
        assert "Press it again and say why. Nothing was stopped by your press." in said.words
        assert stage.posts(activeflow) == 0
        await slack.clicks(ALICE, card, ids.STOP_FLOW)
        await slack.until(lambda: slack.views_of(ALICE))


async def test_a_bulk_stop_asked_for_without_a_reason_is_not_begun_once_one_is_required(
    stage: Stage, slack: Workspace, voipbin: World, sqlite_url: str
) -> None:
    grants = f'[[grant]]\nto = ["{ALICE}", "{BOB}"]\nmay = ["view", "stop", "bulk"]\n'
    stage.policy.write_text(grants, encoding="utf-8")
    voipbin.rings(voipbin.add_flow("Support line"), at="play")
    async with started(stage):
        await slack.types(ALICE, INCIDENTS, "/flows stop all type:call")
        card = await stage.reads("Stop all 1")
        stage.policy.write_text(f"{grants}\n[rules]\nreason_required = true\n", encoding="utf-8")
        await slack.until(lambda: len(policies(sqlite_url)) == 2)
        await slack.clicks(BOB, card, ids.BULK_STOP)
        await stage.reads("Ask for it again and say why. Nothing was stopped by your press.", user=BOB)
    assert voipbin.stops == []

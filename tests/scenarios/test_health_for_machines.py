"""What the doctor knows, as machines read it: `/readyz`, the metrics and the log agree, and say since when."""

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

import aiohttp
import pytest
import structlog

from bot.demo.slack import faults as slack_faults
from bot.demo.slack.workspace import Workspace
from bot.demo.voipbin import faults
from bot.demo.voipbin.world import World
from tests.scenarios.conftest import Stage
from tests.scenarios.program import Program
from tests.scenarios.test_metrics import scraped
from tests.scenarios.typing_at import answers

Said = dict[str, Any]


@pytest.fixture
async def bot(stage: Stage) -> AsyncIterator[Stage]:
    """It looks after its health all the time."""
    stage.health_every = 0.05
    async with stage.start():
        yield stage


async def readyz(stage: Stage) -> tuple[int, Said]:
    async with aiohttp.ClientSession() as session, session.get(f"{stage.url}/readyz") as answer:
        return answer.status, await answer.json()


async def until(stage: Stage, fits: Callable[[int, Said], object]) -> Said:
    while True:
        status, said = await readyz(stage)
        if fits(status, said):
            assert said["ready"] is (status == 200)
            return said
        await stage.slack.next_change(0.05)


def named(said: Said, where: str, about: str) -> Said | None:
    return next((each for each in said.get(where, ()) if each["what"] == about), None)


async def told(stage: Stage, about: str, *, red: bool) -> Said:
    """Waits until it stands in `/readyz`, red or as a warning; then the metrics say the same."""
    where = "missing" if red else "warnings"
    said = await until(stage, lambda status, said: named(said, where, about) and (status == 503) is red)
    while (await scraped(stage)).of("flows_bot_health", about=about) == 0:
        await stage.slack.next_change(0.05)
    assert (await scraped(stage))["flows_bot_ready"] == (0 if red else 1)
    found = named(said, where, about)
    assert found is not None
    assert datetime.fromisoformat(found["since"]).tzinfo is not None
    return found


async def well(stage: Stage) -> Said:
    return await until(stage, lambda status, said: status == 200 and "warnings" not in said)


async def test_when_all_is_well_it_says_since_when(bot: Stage) -> None:
    said = await well(bot)
    assert said["missing"] == []
    assert datetime.fromisoformat(said["since"]).tzinfo is not None
    assert (await well(bot))["since"] == said["since"]
    everything = {"Slack", "deliveries", "VoIPBIN", "credential", "event stream", "requests", "ledger", "policy"}
    while True:
        seen = await scraped(bot)
        named_there = {dict(labels)["about"] for name, labels in seen.samples if name == "flows_bot_health"}
        if named_there == everything and seen["flows_bot_ready"] == 1:
            break
        await bot.slack.next_change(0.05)
    assert seen.of("flows_bot_health") == 0


async def test_a_withdrawn_key_is_red_in_all_of_them_without_anybody_asking(bot: Stage, voipbin: World) -> None:
    await well(bot)
    key = next(key for key in voipbin.records.accesskeys if key.token == voipbin.access_key)
    with structlog.testing.capture_logs() as lines:
        key.token = "vb_another"
        found = await told(bot, "VoIPBIN", red=True)
    assert "did not accept the bot's credential" in found["why"]
    changed = [line for line in lines if _changed(line, "VoIPBIN")]
    assert changed[-1]["ready"] is False
    assert "broken · VoIPBIN" in (await answers(bot, "doctor")).words
    key.token = voipbin.access_key
    await well(bot)


def _changed(line: Mapping[str, Any], about: str) -> bool:
    return (line["event"], line.get("about")) == ("health_changed", about)


async def test_one_refusal_of_the_key_is_a_hiccup_and_no_red(bot: Stage, voipbin: World) -> None:
    await well(bot)
    with structlog.testing.capture_logs() as lines:
        voipbin.faults.on("GET", "/customer", faults.status(401, "INVALID_CREDENTIALS"))
        while len(seen := [line for line in lines if _changed(line, "VoIPBIN")]) < 2:  # a warning, and that it is over
            await bot.slack.next_change(0.05)
    assert [(line["state"], line["ready"]) for line in seen[:2]] == [("warning", True), ("ok", True)]
    await well(bot)


@pytest.mark.parametrize("word", ["token_revoked", "account_inactive"])
async def test_a_revoked_token_is_red(bot: Stage, slack: Workspace, word: str) -> None:
    await well(bot)
    slack.faults.on("auth.test", slack_faults.error(word), times=None)
    assert word in (await told(bot, "Slack", red=True))["why"]
    slack.faults.clear()
    await well(bot)


async def test_slack_and_voipbin_away_are_warnings_because_people_are_told_in_words(
    bot: Stage, slack: Workspace, voipbin: World
) -> None:
    await well(bot)
    slack.faults.on("auth.test", slack_faults.status(503), times=None)
    down = voipbin.faults.on("GET", "*", faults.reset_before(), times=None)
    await told(bot, "Slack", red=False)
    await told(bot, "VoIPBIN", red=False)
    slack.faults.clear()
    down.clear()
    await well(bot)


async def test_a_ledger_that_is_gone_is_red(bot: Stage, sqlite_url: str) -> None:
    await well(bot)
    connection = sqlite3.connect(sqlite_url.removeprefix("sqlite:///"))
    connection.execute("ALTER TABLE heads RENAME TO elsewhere")
    connection.commit()
    await told(bot, "ledger", red=True)
    connection.execute("ALTER TABLE elsewhere RENAME TO heads")
    connection.commit()
    connection.close()
    await well(bot)


async def test_a_broken_policy_is_a_warning(bot: Stage) -> None:
    good = bot.policy.read_text(encoding="utf-8")
    bot.policy.write_text("[[grant]\n", encoding="utf-8")
    assert "policy.toml:1: is not TOML" in (await told(bot, "policy", red=False))["why"]
    bot.policy.write_text(good, encoding="utf-8")
    await well(bot)


async def test_a_lost_stream_is_a_warning(stage: Stage, voipbin: World) -> None:
    stage.health_every = 0.05
    async with stage.start(voipbin_events=True):
        await well(stage)
        await stage.events.drops_all()
        await told(stage, "event stream", red=False)


async def test_a_key_that_ends_is_counted_in_days(bot: Stage, voipbin: World) -> None:
    assert not (await scraped(bot)).of("flows_bot_credential_days_left")
    key = next(key for key in voipbin.records.accesskeys if key.token == voipbin.access_key)
    key.tm_expire = datetime.now().astimezone() + timedelta(days=3)
    while not 2.9 < (await scraped(bot)).of("flows_bot_credential_days_left") < 3.1:
        await bot.slack.next_change(0.05)
    await told(bot, "credential", red=False)


async def test_a_warning_that_was_there_from_the_start_is_logged_once(
    stage: Stage, voipbin: World, capsys: pytest.CaptureFixture[str]
) -> None:
    key = next(key for key in voipbin.records.accesskeys if key.token == voipbin.access_key)
    key.tm_expire = datetime.now().astimezone() + timedelta(days=3)
    stage.health_every = 0.05
    async with asyncio.timeout(30), stage.start():
        said = ""
        while "health_changed" not in said:
            await stage.slack.next_change(0.05)
            said += capsys.readouterr().out
        for _ in range(3):  # nothing changes, and nothing more is said
            await told(stage, "credential", red=False)
        said += capsys.readouterr().out
    assert len([line for line in said.splitlines() if "health_changed" in line and "about=credential" in line]) == 1


async def test_check_says_the_same_as_json(program: Program, enough: Mapping[str, str], voipbin: World) -> None:
    key = next(key for key in voipbin.records.accesskeys if key.token == voipbin.access_key)
    key.tm_expire = datetime.now().astimezone() + timedelta(days=3, hours=1)
    ended = await program("check", "--json", **enough)
    assert (ended.status, ended.err) == (0, [])
    said = json.loads("\n".join(ended.out))
    assert (said["ready"], said["missing"]) == (True, [])
    (warning,) = said["warnings"]
    assert warning["what"] == "credential"
    assert "expires in 3 d" in warning["why"]
    assert warning["next"]
    assert {one["about"]: one["state"] for one in said["findings"]}["ledger"] == "ok"


async def test_check_as_json_says_what_is_wrong(program: Program, enough: Mapping[str, str]) -> None:
    ended = await program("check", "--json", **{**enough, "SLACK_BOT_TOKEN": "xoxb-Zq7"})
    assert ended.status == 1
    said = json.loads("\n".join(ended.out))
    assert said["ready"] is False
    assert [one["what"] for one in said["missing"]] == ["Slack"]
    assert "Zq7" not in "".join(ended.out)

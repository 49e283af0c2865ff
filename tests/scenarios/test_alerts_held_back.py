"""Alerts that are not posted: held back by their rule and counted later, or not taken by Slack."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import aiohttp
import pytest
from sqlalchemy import create_engine, make_url, text

from bot.demo.slack import faults as slack_faults
from bot.demo.slack.workspace import Workspace
from bot.demo.voipbin.state import Flow
from bot.demo.voipbin.world import World
from tests.scenarios.alert_stage import (
    alerted,
    alerts,
    loops,
    menu,
    nothing_more,
    quiet_now,
    ruled,
)
from tests.scenarios.conftest import ABROAD, Stage

__all__ = ["menu"]


async def until_ready(stage: Stage, fits: Callable[[list[dict[str, str]]], bool]) -> list[dict[str, str]]:
    """The first warnings of /readyz that fit; it is ready all the while."""
    async with asyncio.timeout(30), aiohttp.ClientSession() as session:
        while True:
            async with session.get(f"{stage.url}/readyz") as answer:
                said = await answer.json()
            assert said["ready"]
            warnings = [each for each in said.get("warnings", ()) if each["what"] != "event stream"]
            if fits(warnings):
                return warnings
            await stage.slack.next_change(0.05)


# ---------------------------------------------------------------- what is held back


async def test_in_quiet_hours_nothing_is_posted_and_then_one_line_counts(
    stage: Stage, voipbin: World, menu: Flow
) -> None:
    quiet = quiet_now()
    ruled(stage, 'about = ["looping"]', quiet)
    several = [loops(voipbin, menu) for _ in range(3)]
    async with stage.start(voipbin_events=True):
        assert await nothing_more(stage, voipbin) == 0
    voipbin.caller_hangs_up(several[0])
    text = stage.policy.read_text(encoding="utf-8").replace(quiet, "")
    stage.policy.write_text(text, encoding="utf-8")
    async with stage.start(voipbin_events=True):
        (line,) = await alerted(stage, 1)
        assert line.words.startswith("3 more since ")
        assert "2 of 3 still run: /flows list" in line.words
        assert await nothing_more(stage, voipbin) == 1


async def test_more_than_the_rule_allows_are_held_back_and_counted_when_there_is_room(
    stage: Stage, voipbin: World, menu: Flow
) -> None:
    ruled(stage, 'about = ["looping"]', "at_most = 2")
    several = [loops(voipbin, menu) for _ in range(5)]
    async with stage.start(voipbin_events=True):
        await alerted(stage, 2)
        assert await nothing_more(stage, voipbin) == 2
        for each in several[:-1]:
            voipbin.caller_hangs_up(each)
        text = stage.policy.read_text(encoding="utf-8").replace("at_most = 2", "at_most = 3")
        stage.policy.write_text(text, encoding="utf-8")
        line = (await alerted(stage, 3))[-1]
        assert line.words.startswith("3 more since ")


async def test_a_rule_that_became_quiet_while_another_ones_line_was_posted_says_nothing(
    stage: Stage, slack: Workspace, voipbin: World, menu: Flow, capsys: pytest.CaptureFixture[str]
) -> None:
    quiet = quiet_now()
    slack.channels[ABROAD].members.append(slack.bot_user_id)
    ruled(stage, 'about = ["looping"]', quiet)
    ruled(stage, 'about = ["looping"]', quiet, to=ABROAD)
    loops(voipbin, menu)
    async with stage.start(voipbin_events=True):
        assert await nothing_more(stage, voipbin) == 0
    loud = stage.policy.read_text(encoding="utf-8").replace(quiet, "")
    stage.policy.write_text(loud, encoding="utf-8")
    posting = slack.faults.on("chat.postMessage", slack_faults.hold()).hold
    assert posting is not None
    async with stage.start(voipbin_events=True):
        await posting.arrived()
        await comes_into_force(stage, loud.replace(f'to = "{ABROAD}"', f'to = "{ABROAD}"\n{quiet}'), capsys)
        posting.release()
        (line,) = await alerted(stage, 1)
        assert line.words.startswith("1 more since ")
        assert await nothing_more(stage, voipbin, ABROAD) == 0


async def comes_into_force(stage: Stage, policy: str, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    stage.policy.write_text(policy, encoding="utf-8")
    said = ""
    while "policy_changed" not in said:
        await asyncio.sleep(0.01)
        said += capsys.readouterr().out


@contextmanager
def written_slowly(postgresql_url: str) -> Iterator[Callable[[], bool]]:
    """While the block lasts nobody writes an alert down; gives whether somebody waits for that."""
    url = make_url(postgresql_url).set(drivername="postgresql+psycopg")
    waits = "SELECT 1 FROM pg_stat_activity WHERE datname = :name AND wait_event_type = 'Lock'"
    engine = create_engine(url)
    with engine.begin() as writer, engine.connect() as looker:
        writer.execute(text("LOCK TABLE alerts IN EXCLUSIVE MODE"))
        yield lambda: looker.execute(text(waits), {"name": url.database}).first() is not None
    engine.dispose()


@pytest.mark.parametrize("quiet", ["", quiet_now()], ids=["taken away", "quiet by now"])
async def test_a_rule_that_counts_no_more_once_an_alert_is_written_down_posts_nothing(
    quiet: str, stage: Stage, voipbin: World, menu: Flow, postgresql_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    grants = stage.policy.read_text(encoding="utf-8")
    ruled(stage, 'about = ["looping"]')
    with_rule = stage.policy.read_text(encoding="utf-8")
    async with stage.start(voipbin_events=True, flows_bot_database_url=postgresql_url):
        with written_slowly(postgresql_url) as waits:
            looping = loops(voipbin, menu)
            await stage.slack.until(waits)
            await comes_into_force(stage, f"{with_rule}{quiet}\n" if quiet else grants, capsys)
        assert await nothing_more(stage, voipbin) == 0
        await comes_into_force(stage, with_rule, capsys)
        (told,) = await alerted(stage, 1)
        assert str(looping.id)[:8] in told.words
        assert ("held back" in told.words) is bool(quiet)


async def test_a_rule_that_is_taken_away_while_slack_takes_nothing_posts_nothing(
    stage: Stage, slack: Workspace, voipbin: World, menu: Flow, capsys: pytest.CaptureFixture[str]
) -> None:
    grants = stage.policy.read_text(encoding="utf-8")
    ruled(stage, 'about = ["looping"]')
    slack.faults.on("chat.postMessage", slack_faults.rate_limited(2))
    async with stage.start(voipbin_events=True):
        loops(voipbin, menu)
        await slack.until(lambda: any(call.method == "chat.postMessage" for call in slack.calls))
        await comes_into_force(stage, grants, capsys)
        assert await nothing_more(stage, voipbin) == 0


# ---------------------------------------------------------------- Slack's troubles


async def test_where_the_bot_may_not_post_is_said_in_the_log_and_by_readyz_until_it_may(
    stage: Stage, slack: Workspace, voipbin: World, menu: Flow, capsys: pytest.CaptureFixture[str]
) -> None:
    ruled(stage, to=ABROAD)
    loops(voipbin, menu)
    loops(voipbin, menu)
    async with stage.start(voipbin_events=True):
        (warning,) = await until_ready(stage, bool)
        assert warning["what"] == "alerts"
        assert warning["why"] == (
            f"An alert for {ABROAD} could not be posted: the bot is not a member of the channel. Invite the bot to the channel."
        )
        tried = len(slack.calls)
        await slack.until(lambda: len(slack.calls) > tried + 3)
        assert capsys.readouterr().out.count("alerts_not_posted") == 1, "once is enough"
        slack.channels[ABROAD].members.append(slack.bot_user_id)
        await alerted(stage, 2, ABROAD)
        await until_ready(stage, lambda warnings: not warnings)


@pytest.mark.parametrize(
    ("fault", "cards", "lines"),
    [
        (slack_faults.lose_answer(), 1, 1),
        (slack_faults.error("fatal_error"), 0, 1),
        (slack_faults.status(503), 0, 1),
        (slack_faults.rate_limited(1), 1, 0),
    ],
    ids=["lost answer", "doubtful", "503", "rate limited"],
)
async def test_an_alert_is_told_whatever_slack_answers_and_a_doubt_is_said(
    stage: Stage, slack: Workspace, voipbin: World, menu: Flow, fault: slack_faults.Fault, cards: int, lines: int
) -> None:
    """A card in doubt is not posted again: a line names it, and that it may be there."""
    ruled(stage, 'about = ["looping"]')
    slack.faults.on("chat.postMessage", fault, times=1)
    looping = loops(voipbin, menu)
    async with stage.start(voipbin_events=True):
        told = [alert.words for alert in await alerted(stage, cards + lines)]
        assert await nothing_more(stage, voipbin) == cards + lines
    assert all(str(looping.id)[:8] in words for words in told)
    assert ["may be here already" in words for words in told] == [False] * cards + [True] * lines


async def test_a_line_that_slack_may_have_taken_is_said_again_and_says_so(
    stage: Stage, slack: Workspace, voipbin: World, menu: Flow
) -> None:
    ruled(stage, 'about = ["looping"]', "at_most = 2")
    several = [loops(voipbin, menu) for _ in range(3)]
    async with stage.start(voipbin_events=True):
        await alerted(stage, 2)
        assert await nothing_more(stage, voipbin) == 2
        slack.faults.on("chat.postMessage", slack_faults.lose_answer(), times=1)
        text = stage.policy.read_text(encoding="utf-8").replace("at_most = 2", "at_most = 3")
        stage.policy.write_text(text, encoding="utf-8")
        *_, line, again = [alert.words for alert in await alerted(stage, 4)]
    assert [words.startswith("1 more since ") for words in (line, again)] == [True, True]
    assert ["may be here already" in words for words in (line, again)] == [False, True]
    assert sum(str(one.id)[:8] in line for one in several) == 1


async def test_without_an_event_stream_it_says_that_nothing_is_posted(
    stage: Stage, voipbin: World, menu: Flow, capsys: pytest.CaptureFixture[str]
) -> None:
    ruled(stage)
    loops(voipbin, menu)
    async with stage.start():
        (warning,) = await until_ready(stage, bool)
        assert "alerts need VoIPBIN's event stream" in warning["why"]
        assert "alerts_not_posted" in capsys.readouterr().out
        assert alerts(stage) == []

"""`/flows doctor`: everything the bot needs, well and broken once, and who is told."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import uuid4

import pytest

from bot.demo.slack import faults as slack_faults
from bot.demo.slack.messages import Message
from bot.demo.slack.workspace import Workspace
from bot.demo.voipbin import faults
from bot.demo.voipbin.state import Accesskey
from bot.demo.voipbin.world import World
from tests.scenarios.alert_stage import ruled
from tests.scenarios.conftest import ABROAD, ALICE, BOB, GUEST, INCIDENTS, LOBBY, Stage
from tests.scenarios.typing_at import answers

ONLY_HERE = f'[[grant]]\nto = ["{BOB}"]\nmay = ["view"]\nin = ["{INCIDENTS}"]\n'


@pytest.fixture
async def live(stage: Stage) -> AsyncIterator[Stage]:
    """The bot follows its VoIPBIN, and is live."""
    async with stage.start(voipbin_events=True):
        await _told(stage, "event stream", "live since")
        yield stage


async def _told(stage: Stage, about: str, words: str) -> str:
    """Asks until these words are said about this thing."""
    async with asyncio.timeout(30):
        while True:
            said = line(await answers(stage, "doctor"), about)
            if words in said:
                return said
            await asyncio.sleep(0.05)


def line(answer: Message, about: str) -> str:
    """What is said about one thing, with what to do next."""
    after = answer.words.partition(f" · {about} · ")
    assert after[1], answer.words
    return f"{after[0].rsplit(chr(10), 1)[-1]} · {after[2].partition(' · ')[0].rsplit(chr(10), 1)[0]}"


# ---------------------------------------------------------------- well


async def test_when_all_is_well_it_says_so_of_each_thing(live: Stage) -> None:
    answer = await answers(live, "doctor")
    assert answer.ephemeral_to == ALICE
    assert "All is well" in answer.words
    for about, said in {
        "flows-bot": "version",
        "Slack": "token accepted by Northwind Voice (T0NORTHWND), every scope granted",
        "deliveries": "receiving over HTTP",
        "this channel": "I'm a member",
        "user groups": "1 can be read",
        "VoIPBIN": "answers, account Harbour Clinic",
        "credential": "key never expires",
        "event stream": "live since",
        "requests": "up to 100 of 17 a second, 0 waiting, no 429 lately",
        "ledger": "version 3, writable, newest audit record 1:",
        "policy": "2 grants in force",
    }.items():
        assert line(answer, about).startswith(f"ok · {said}"), answer.words
    assert "broken" not in answer.words
    assert "warning" not in answer.words


async def test_over_socket_mode_it_says_that_the_socket_is_there(stage: Stage, slack: Workspace) -> None:
    slack.socket_mode = True
    async with stage.start(slack_app_token=slack.app_token):
        assert line(await answers(stage, "doctor"), "deliveries") == "ok · receiving over Socket Mode, connected"


# ---------------------------------------------------------------- broken, each once


async def test_a_token_that_slack_refuses_is_said_by_response_url(bot: Stage, slack: Workspace) -> None:
    await answers(bot, "whoami")  # who asks is known for a while
    slack.faults.on("auth.test", slack_faults.error("token_revoked"))
    answer = await answers(bot, "doctor")
    assert line(answer, "Slack").startswith("broken · Slack answered token_revoked")
    assert "SLACK_BOT_TOKEN" in line(answer, "Slack")
    assert "1 broken" in answer.words


@pytest.mark.parametrize(
    ("scope", "about", "said"),
    [
        ("chat:write", "Slack", "broken · token accepted by Northwind Voice (T0NORTHWND), missing chat:write"),
        ("usergroups:read", "Slack", "warning · token accepted"),
        ("usergroups:read", "user groups", "warning · S0ONCALL: Slack answered missing_scope"),
    ],
)
async def test_a_missing_scope_is_named(bot: Stage, slack: Workspace, scope: str, about: str, said: str) -> None:
    await answers(bot, "whoami")
    slack.scopes.discard(scope)
    assert line(await answers(bot, "doctor"), about).startswith(said)


async def test_where_the_bot_is_no_member_it_asks_to_be_invited(bot: Stage, slack: Workspace) -> None:
    there = line(await answers(bot, "doctor", channel=ABROAD), "this channel")
    assert there.startswith("warning · I'm not in this channel")
    assert "/invite" in there
    slack.scopes -= {"channels:read", "groups:read"}
    unknown = line(await answers(bot, "doctor"), "this channel")
    assert unknown.startswith("warning · I can't check whether I'm a member: that needs channels:read or groups:read")


async def test_user_groups_that_cannot_be_read_are_said(bot: Stage, slack: Workspace) -> None:
    await answers(bot, "whoami")
    slack.paid_plan = False
    said = line(await answers(bot, "doctor"), "user groups")
    assert said.startswith("warning · S0ONCALL: Slack answered plan_upgrade_required")


async def test_a_slack_that_does_not_answer_is_said_in_time(bot: Stage, slack: Workspace) -> None:
    await answers(bot, "whoami")
    held = slack.faults.on("auth.test", slack_faults.hold())
    answer = await answers(bot, "doctor")
    assert line(answer, "Slack").startswith("warning · did not answer within 1.7 s")
    assert held.hold is not None
    held.hold.release()


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (faults.reset_before(), "broken · the connection to VoIPBIN broke"),
        (faults.status(401, "INVALID_CREDENTIALS"), "broken · "),
        (faults.status(500, "INTERNAL"), "broken · "),
        (faults.status(429, "RATE_LIMIT_EXCEEDED"), "warning · "),
        (faults.delay(30), "warning · did not answer within 1.7 s"),
    ],
)
async def test_a_voipbin_in_trouble_is_said(bot: Stage, voipbin: World, fault: faults.Fault, said: str) -> None:
    scripted = voipbin.faults.on("GET", "/customer", fault, times=None)
    answer = await answers(bot, "doctor")
    scripted.clear()
    assert line(answer, "VoIPBIN").startswith(said)
    assert "ok · policy" in answer.words


async def test_that_voipbin_asked_to_slow_down_is_remembered(bot: Stage, voipbin: World) -> None:
    scripted = voipbin.faults.on("GET", "/activeflows", faults.status(429, "RATE_LIMIT_EXCEEDED"))
    await answers(bot, "list")
    scripted.clear()
    said = line(await answers(bot, "doctor"), "requests")
    assert said.startswith("warning · VoIPBIN asked to slow down (429)")
    assert "once; up to 100 of 17 a second" in said


@pytest.mark.parametrize(
    ("days", "said"),
    [
        (9.5, "warning · key expires in 9 d, on 20"),
        (13.9, "warning · key expires in 13 d"),
        (14.1, "ok · key expires in 14 d"),
    ],
)
async def test_the_end_of_the_access_key_is_said_and_warned_of(
    bot: Stage, voipbin: World, days: float, said: str
) -> None:
    ends = voipbin.clock.now() + timedelta(days=days)
    key = next(key for key in voipbin.records.accesskeys if key.token == voipbin.access_key)
    key.tm_expire = ends
    other = Accesskey(
        id=uuid4(), customer_id=key.customer_id, token="vb_another-key", tm_create=ends, tm_expire=voipbin.clock.now()
    )
    voipbin.records.accesskeys.add(other)
    answer = await answers(bot, "doctor")
    assert line(answer, "credential").startswith(said)
    assert voipbin.access_key[:11] not in answer.words


async def test_an_end_that_cannot_be_read_is_said_to_be_unknown(bot: Stage, voipbin: World) -> None:
    voipbin.faults.on("GET", "/accesskeys", faults.status(403, "PERMISSION_DENIED"))
    said = line(await answers(bot, "doctor"), "credential")
    assert said.startswith("warning · access key, expiry could not be read")


async def test_a_login_is_renewed_by_itself(stage: Stage, voipbin: World) -> None:
    agent = next(iter(voipbin.records.agents))
    login = {"voipbin_username": agent.username, "voipbin_password": agent.password}
    async with stage.start(voipbin_access_key=None, **login):
        assert line(await answers(stage, "doctor"), "credential") == "ok · agent login, renewed automatically"


async def test_an_event_stream_that_cannot_be_had_is_down_since(stage: Stage) -> None:
    async with stage.start(voipbin_events=True, voipbin_access_key_in_query=True):
        said = await _told(stage, "event stream", "down since")
    assert said.startswith("warning · down since 20")
    assert "Nothing to do: the bot keeps reconnecting" in said


async def test_an_event_stream_that_is_not_wanted_is_no_trouble(bot: Stage) -> None:
    assert line(await answers(bot, "doctor"), "event stream").startswith("ok · off (VOIPBIN_EVENTS)")


async def test_a_ledger_that_cannot_be_written_is_broken(bot: Stage, sqlite_url: str) -> None:
    with sqlite3.connect(sqlite_url.removeprefix("sqlite:///")) as other:
        other.execute("CREATE TRIGGER full BEFORE INSERT ON heads BEGIN SELECT RAISE(FAIL, 'disk full'); END")
    said = line(await answers(bot, "doctor"), "ledger")
    assert said.startswith("broken · the ledger (the bot's database) could not be written or read")


async def test_an_audit_whose_end_was_removed_is_broken(bot: Stage, sqlite_url: str) -> None:
    file = sqlite_url.removeprefix("sqlite:///")
    with sqlite3.connect(file) as other:
        other.execute("INSERT OR REPLACE INTO heads VALUES ('2999-01-01', 7, 'abc')")
    said = line(await answers(bot, "doctor"), "ledger")
    assert said.startswith("broken · writable, but the chain ends at record 1: its tail was removed")
    with sqlite3.connect(file) as other:
        assert [day for (day,) in other.execute("SELECT day FROM heads") if not day.startswith("2")] == []


async def test_a_broken_policy_file_is_said_and_the_last_good_one_stays(bot: Stage) -> None:
    bot.policy.write_text("[[grant]\n", encoding="utf-8")
    said = await _told(bot, "policy", "the file is broken")
    assert said.startswith("warning · the file is broken, the last good one stays in force (2 grants). policy.toml")


async def test_alerts_that_cannot_be_posted_are_said(stage: Stage) -> None:
    ruled(stage)
    async with stage.start(voipbin_events=True):
        assert line(await answers(stage, "doctor"), "alerts").startswith("ok · 1 rule active")
    async with stage.start():
        assert line(await answers(stage, "doctor"), "alerts").startswith("warning · Nothing is posted: alerts need")


# ---------------------------------------------------------------- who is told


async def test_whoever_may_view_nothing_here_learns_that_it_is_alive_and_no_more(stage: Stage) -> None:
    stage.policy.write_text(ONLY_HERE, encoding="utf-8")
    async with stage.start():
        assert "All is well" in (await answers(stage, "doctor", user=BOB)).words
        for user, channel in ((BOB, LOBBY), (ALICE, INCIDENTS), (GUEST, INCIDENTS)):
            answer = await answers(stage, "doctor", user=user, channel=channel)
            assert answer.ephemeral_to == user
            assert "I am alive" in answer.words
            assert "you can't: " in answer.words
            for about in ("VoIPBIN", "ledger", "policy ·", "version"):
                assert about not in answer.words


async def test_it_says_no_secret_and_no_id_of_another_person(live: Stage, voipbin: World, slack: Workspace) -> None:
    words = (await answers(live, "doctor")).words
    for secret in (voipbin.access_key, slack.bot_token, slack.signing_secret, BOB, "U0CAROL"):
        assert secret not in words

"""Deliveries over HTTP: what is taken, what is refused, and that nothing unsigned gets near a listener."""

import asyncio
import json
from typing import Any
from urllib.parse import urlencode

import aiohttp
import pytest
from slack_bolt.async_app import AsyncAck

from tests.scenarios.again import triggered_anew
from tests.scenarios.slack.frame import Frame, framed, workspace


async def test_a_command_is_acked_and_answered_for_its_person_alone(frame: Frame) -> None:
    slack = frame.workspace
    delivery = await slack.types("U0ALICE", "C0INC", "/flows list")
    assert (delivery.status, delivery.answer, delivery.error) == (200, b"", None)
    seen = await slack.until(lambda: slack.sees("U0ALICE", "C0INC"))
    assert "heard list" in seen[0].words
    assert seen[0].ephemeral_to == "U0ALICE"
    assert slack.sees("U0BOB", "C0INC") == []


async def test_nothing_is_asked_of_slack_before_the_ack(frame: Frame) -> None:
    slack = frame.workspace
    before = len(slack.calls)
    await slack.types("U0ALICE", "C0INC", "/flows list")
    assert len(slack.calls) == before


@pytest.mark.parametrize(
    ("text", "arrives"),
    [
        ("show payload-flow", "show payload-flow"),
        ("payload=", "payload="),
        ("payload={}", "payload={}"),
        ("a&payload=b", "a&amp;payload=b"),
        ("päylóad 🔥", "päylóad :fire:"),
    ],
)
async def test_a_command_may_hold_the_word_payload(frame: Frame, text: str, arrives: str) -> None:
    delivery = await frame.workspace.types("U0ALICE", "C0INC", f"/flows {text}")
    assert delivery.status == 200
    assert frame.texts == [arrives]


async def test_what_is_delivered_again_is_acked_as_it_was_and_does_nothing(frame: Frame) -> None:
    slack = frame.workspace
    typed = await slack.types("U0ALICE", "C0INC", "/flows list")
    (shown,) = await slack.until(lambda: slack.sees("U0ALICE", "C0INC"))
    pressed = await slack.clicks("U0ALICE", shown, "press")
    for first in (typed, pressed):
        again = await slack.delivers(first.body, first.headers)
        anew = await slack.delivers(first.body, slack.signed(first.body))
        assert (first.status, again.status, anew.status) == (200, 200, 200)
    assert len(frame.interactions) == 2
    await frame.jobs.drain()
    assert len(slack.sees("U0ALICE", "C0INC")) == 2


async def test_what_is_delivered_again_while_it_is_taken_waits_for_the_same_answer(frame: Frame) -> None:
    slack, entered, go = frame.workspace, asyncio.Event(), asyncio.Event()
    heard: list[str] = []

    @frame.app.command("/slow")
    async def slow(ack: AsyncAck, body: dict[str, str]) -> None:
        heard.append(body["text"])
        entered.set()
        await go.wait()
        await ack("done")

    body = triggered_anew((await slack.types("U0ALICE", "C0INC", "/flows list")).body).replace(b"2Fflows", b"2Fslow")
    copies = [asyncio.create_task(slack.delivers(body, slack.signed(body))) for _ in range(4)]
    await entered.wait()
    go.set()
    assert [(copy.status, copy.answer) for copy in await asyncio.gather(*copies)] == [(200, b"done")] * 4
    assert heard == ["list"]


async def test_the_same_press_under_another_trigger_reaches_the_listener_as_the_same_press(frame: Frame) -> None:
    slack = frame.workspace
    await slack.types("U0ALICE", "C0INC", "/flows list")
    (shown,) = await slack.until(lambda: slack.sees("U0ALICE", "C0INC"))
    first = triggered_anew((await slack.clicks("U0ALICE", shown, "press")).body)
    assert (await slack.delivers(first, slack.signed(first))).status == 200
    _, press, replay = frame.interactions
    assert press.action_ts == replay.action_ts != ""
    other = await slack.clicks("U0ALICE", shown, "press")
    assert other.status == 200
    assert frame.interactions[-1].action_ts != press.action_ts


async def test_a_press_in_an_ephemeral_message_is_decoded_without_its_message(frame: Frame) -> None:
    slack = frame.workspace
    await slack.types("U0ALICE", "C0INC", "/flows list")
    (shown,) = await slack.until(lambda: slack.sees("U0ALICE", "C0INC"))
    await slack.clicks("U0ALICE", shown, "press")
    interaction = frame.interactions[-1]
    assert (interaction.user_id, interaction.channel_id, interaction.message_ts) == ("U0ALICE", "C0INC", shown.ts)
    assert interaction.ephemeral
    assert interaction.response_url not in repr(interaction)
    assert interaction.trigger_id not in repr(interaction)


async def test_another_app_or_workspace_is_refused_though_signed(frame: Frame) -> None:
    slack = frame.workspace
    body = (await slack.types("U0ALICE", "C0INC", "/flows list")).body
    for change in (
        (b"team_id=T0NORTHWND", b"team_id=T0FOREIGN0"),
        (b"A0FLOWSAPP", b"A0OTHERAPP"),
        (b"team_id=", b"x="),
    ):
        changed = body.replace(*change)
        assert changed != body
        assert (await slack.delivers(changed, slack.signed(changed))).status == 401
    assert len(frame.interactions) == 1


async def test_a_stranger_of_slack_connect_gets_as_far_as_a_refusal_in_words(frame: Frame) -> None:
    slack = frame.workspace
    posted = slack.post("C0INC", slack.bot_user_id, "card", blocks=(_buttons(),))
    delivery = await slack.clicks("U0OUT", posted, "press")
    assert delivery.status == 200
    assert frame.interactions[-1].team_id == "T0OTHER"


async def test_the_address_may_end_with_a_slash(frame: Frame) -> None:
    frame.workspace.request_url = f"{frame.url}/slack/events/"
    assert (await frame.workspace.types("U0ALICE", "C0INC", "/flows list")).status == 200
    assert frame.texts == ["list"]


async def test_slack_s_own_questions_are_answered(frame: Frame) -> None:
    slack = frame.workspace
    body = json.dumps({"type": "url_verification", "challenge": "3eZbrw1a", "token": "t"}).encode()
    delivery = await slack.delivers(body, slack.signed(body, content_type="application/json"))
    assert (delivery.status, delivery.answer) == (200, b"3eZbrw1a")
    assert (await slack.delivers(body, {"Content-Type": "application/json"})).status == 401
    check = urlencode({"ssl_check": "1", "token": "t"}).encode()
    assert (await slack.delivers(check, {})).status == 200
    assert frame.interactions == []


async def test_an_event_that_comes_again_is_acked_and_dropped(frame: Frame) -> None:
    slack = frame.workspace
    delivery = await slack.tells({"type": "user_change", "user": {"id": "U0ALICE"}})
    assert delivery.status == 200
    again = await slack.delivers(delivery.body, {**delivery.headers, "X-Slack-Retry-Num": "1"})
    assert (again.status, frame.texts) == (200, ["event U0ALICE"])


async def test_an_unknown_press_is_acked_and_answered_and_an_unknown_event_only_acked(frame: Frame) -> None:
    slack = frame.workspace
    posted = slack.post("C0INC", slack.bot_user_id, "card", blocks=(_buttons(),))
    assert (await slack.clicks("U0ALICE", posted, "stop")).status == 200
    assert await slack.until(lambda: [m for m in slack.sees("U0ALICE", "C0INC") if "Nothing was stopped" in m.words])
    slack.events.add("team_join")
    assert (await slack.tells({"type": "team_join", "user": {"id": "U0ALICE"}})).status == 200


@pytest.mark.parametrize("command", ["/flows", "/before", "/after"])
async def test_a_bug_in_a_listener_is_acked_and_told_with_an_incident_id(frame: Frame, command: str) -> None:
    slack = frame.workspace

    async def before(_: AsyncAck, body: dict[str, Any]) -> None:
        raise RuntimeError(f"caller +15550100001 {body['text']}")

    async def after(ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack()
        await before(ack, body)

    frame.app.waits_for("command", "/before", before)
    frame.app.waits_for("command", "/after", after)
    slack.commands |= dict.fromkeys(("/before", "/after"), slack.commands["/flows"])
    delivery = await slack.types("U0ALICE", "C0INC", f"{command} listener bug")
    assert (delivery.status, delivery.error) == (200, None)
    (told,) = await slack.until(lambda: slack.sees("U0ALICE", "C0INC"))
    assert "incident" in told.words
    assert "+1555" not in told.words


async def test_without_a_signing_secret_nothing_is_believed() -> None:
    slack = workspace()
    slack.signing_secret = ""
    async with framed(slack) as frame:
        assert (await slack.types("U0ALICE", "C0INC", "/flows list")).status == 401
        assert frame.interactions == []


async def test_oauth_variables_in_the_environment_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SLACK_CLIENT_ID", "SLACK_CLIENT_SECRET", "SLACK_BOT_TOKEN", "SLACK_SIGNING_SECRET"):
        monkeypatch.setenv(name, "from-the-environment")
    slack = workspace()
    async with framed(slack) as frame:
        assert (await slack.types("U0ALICE", "C0INC", "/flows list")).status == 200
        (told,) = await slack.until(lambda: slack.sees("U0ALICE", "C0INC"))
        assert "heard list" in told.words
        assert frame.app.client.token == slack.bot_token


async def test_the_small_server_says_how_it_is(frame: Frame) -> None:
    await frame.workspace.types("U0ALICE", "C0INC", "/flows list")
    async with aiohttp.ClientSession(frame.url) as session:
        async with session.get("/healthz") as response:
            assert (response.status, await response.text()) == (200, "ok")
        async with session.get("/metrics") as response:
            assert 'flows_bot_deliveries_total{kind="command",status="200"} 1.0' in await response.text()
        async with session.get("/nowhere?secret=1") as response:
            assert response.status == 404
        async with session.get("/slack/events") as response:
            assert response.status == 405


def _buttons() -> dict[str, object]:
    return {
        "type": "actions",
        "block_id": "b",
        "elements": [
            {"type": "button", "action_id": name, "value": "1", "text": {"type": "plain_text", "text": name}}
            for name in ("press", "stop")
        ],
    }

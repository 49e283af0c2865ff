"""Where the simulated Slack is as strict as Slack: what bots elsewhere tripped over, one test each."""

from typing import Any

import pytest
from starlette.responses import Response

from bot.demo.slack import Workspace
from tests.unit.demo.small_bot import SmallBot

SAID = "C0OPS"
STOP = {
    "type": "button",
    "action_id": "stop",
    "value": "A & <B>",
    "text": {"type": "plain_text", "text": "Stop <A> & B"},
}
CARD = [{"type": "actions", "block_id": "row", "elements": [STOP]}]


async def _posted(bot: SmallBot, channel: str = SAID) -> str:
    return str((await bot.call("chat.postMessage", channel=channel, text="card", blocks=CARD))["ts"])


async def test_blocks_that_an_edit_does_not_give_stay_on_the_screen(slack: Workspace, bot: SmallBot) -> None:
    ts = await _posted(bot)
    await bot.call("chat.update", channel=SAID, ts=ts, text="No longer watched")
    assert slack.message(SAID, ts).words == "[Stop <A> & B]"
    await bot.call("chat.update", channel=SAID, ts=ts, text="No longer watched", blocks=[])
    assert (slack.message(SAID, ts).words, slack.message(SAID, ts).buttons) == ("No longer watched", [])


@pytest.mark.parametrize(("flag", "error"), [("is_archived", "is_archived"), ("is_frozen", "is_inactive")])
async def test_a_channel_that_is_closed_takes_nothing_and_changes_nothing(
    slack: Workspace, bot: SmallBot, flag: str, error: str
) -> None:
    ts = await _posted(bot)
    setattr(slack.channels[SAID], flag, True)
    asked: dict[str, dict[str, Any]] = {
        "chat.postMessage": {"text": "x"},
        "chat.postEphemeral": {"text": "x", "user": "U0ALICE"},
        "chat.update": {"text": "x", "ts": ts, "blocks": []},
        "chat.delete": {"ts": ts},
    }
    for method, arguments in asked.items():
        assert (await bot.call(method, channel=SAID, **arguments))["error"] == error, method
    assert [m.words for m in slack.sees("U0ALICE", SAID)] == ["[Stop <A> & B]"]


async def test_nothing_is_answered_into_an_archived_channel(slack: Workspace, bot: SmallBot) -> None:
    await slack.types("U0ALICE", SAID, "/flows list")
    slack.channels[SAID].is_archived = True
    async with bot.session.post(bot.heard[0]["response_url"], json={"text": "late"}) as answer:
        assert (answer.status, await answer.text()) == (410, "channel_is_archived")
    assert (await slack.types("U0ALICE", SAID, "/flows list")).error == "#incidents is archived."


@pytest.mark.parametrize(("switch", "value"), [(False, "A & <B>"), (True, "A &amp; &lt;B&gt;")])
async def test_texts_of_a_press_come_back_escaped_and_values_with_a_switch(
    slack: Workspace, bot: SmallBot, switch: bool, value: str
) -> None:
    slack.escapes_values = switch
    await slack.clicks("U0ALICE", slack.message(SAID, await _posted(bot)), "stop")
    (press,) = bot.heard
    (action,) = press["actions"]
    assert action["text"]["text"] == "Stop &lt;A&gt; &amp; B"
    assert press["message"]["blocks"][0]["elements"][0]["text"]["text"] == "Stop &lt;A&gt; &amp; B"
    assert action["value"] == press["message"]["blocks"][0]["elements"][0]["value"] == value


async def test_an_event_that_is_not_taken_comes_three_times_more(slack: Workspace, bot: SmallBot) -> None:
    slack.event_retries = (0.0, 0.0, 0.0)
    bot.answers = [Response(status_code=500)] * 9
    first = await slack.types("U0ALICE", SAID, "@flows-bot list")
    assert first.status == 500
    await slack.until(lambda: len(slack.deliveries) == 4)
    numbers = [headers.get("x-slack-retry-num") for headers in bot.headers]
    assert numbers == [None, "1", "2", "3"]
    assert {headers.get("x-slack-retry-reason") for headers in bot.headers[1:]} == {"http_error"}
    assert len({told["event_id"] for told in bot.heard}) == 1
    await bot.call("auth.test")
    assert len(bot.heard) == 4


async def test_an_event_comes_again_until_it_is_taken_or_the_app_says_no(slack: Workspace, bot: SmallBot) -> None:
    slack.event_retries = (0.0, 0.0, 0.0)
    bot.answers = [Response(status_code=404), Response()]
    await slack.types("U0ALICE", SAID, "@flows-bot list")
    await slack.until(lambda: len(slack.deliveries) == 2)
    bot.answers = [Response(status_code=500, headers={"X-Slack-No-Retry": "1"})]
    await slack.types("U0ALICE", SAID, "@flows-bot show")
    await slack.types("U0ALICE", SAID, "/flows list")
    assert [headers.get("x-slack-retry-num") for headers in bot.headers] == [None, "1", None, None]


async def test_an_event_that_nobody_took_in_time_says_so(slack: Workspace, bot: SmallBot) -> None:
    slack.event_retries = (0.0,)
    slack.request_url = "http://127.0.0.1:1/"
    await slack.types("U0ALICE", SAID, "@flows-bot list")
    await slack.until(lambda: len(slack.deliveries) == 2)
    assert slack.deliveries[1].headers["X-Slack-Retry-Reason"] == "connection_failed"


async def test_commands_and_presses_are_delivered_once(slack: Workspace, bot: SmallBot) -> None:
    slack.event_retries = (0.0, 0.0, 0.0)
    bot.answers = [Response(status_code=500)] * 2
    await slack.types("U0ALICE", SAID, "/flows list")
    await slack.clicks("U0ALICE", slack.message(SAID, await _posted(bot)), "stop")
    await slack.types("U0ALICE", SAID, "@flows-bot list")
    assert len(bot.heard) == 3


async def test_the_rate_tiers_are_on(slack: Workspace, bot: SmallBot) -> None:
    slack.now = lambda: 1_800_000_000.0
    lists = [await bot.call("usergroups.users.list", usergroup="S0ONCALL") for _ in range(21)]
    assert [answer["ok"] for answer in lists] == [True] * 20 + [False]
    assert (lists[-1]["error"], lists[-1]["retry_after"]) == ("ratelimited", "60")
    ts = await _posted(bot)
    edits = [await bot.call("chat.update", channel=SAID, ts=ts, text=str(n), blocks=[]) for n in range(51)]
    assert [answer["ok"] for answer in edits] == [True] * 50 + [False]
    posts = [await bot.call("chat.postMessage", channel=SAID, text="x") for _ in range(11)]
    assert (posts[-1]["error"], posts[-1]["retry_after"]) == ("ratelimited", "1")
    slack.limits.forget()
    assert (await bot.call("usergroups.users.list", usergroup="S0ONCALL"))["ok"]


async def test_a_trigger_lives_three_seconds(slack: Workspace, bot: SmallBot) -> None:
    now = slack.now()
    slack.now = lambda: now
    view = {"type": "modal", "title": {"type": "plain_text", "text": "Why"}, "blocks": []}
    triggers = [slack.triggers.give("U0ALICE") for _ in range(2)]
    now += 2.9
    assert (await bot.call("views.open", trigger_id=triggers[0], view=view))["ok"]
    now += 0.2
    assert (await bot.call("views.open", trigger_id=triggers[1], view=view))["error"] == "expired_trigger_id"


async def test_a_channel_is_described_with_the_scope_for_its_kind(slack: Workspace, bot: SmallBot) -> None:
    direct = slack.direct_channel("U0ALICE").id
    asked = {SAID: "channels:read", "G0SECRET": "groups:read", direct: "im:read"}
    slack.scopes = {"chat:write", *asked.values()}
    for channel, scope in asked.items():
        assert (await bot.call("conversations.info", channel=channel))["ok"]
        slack.scopes.discard(scope)
        refused = await bot.call("conversations.info", channel=channel)
        assert (refused["error"], refused["needed"]) == ("missing_scope", scope)
        slack.scopes.add(scope)
    slack.channels["G0SECRET"].members.remove(slack.bot_user_id)
    assert (await bot.call("conversations.info", channel="G0SECRET"))["error"] == "channel_not_found"


async def test_a_long_post_becomes_several_and_a_long_edit_is_refused(slack: Workspace, bot: SmallBot) -> None:
    posted = await bot.call("chat.postMessage", channel=SAID, text="a" * 4000 + "b" * 10)
    assert [m.text for m in slack.sees("U0ALICE", SAID)] == ["a" * 4000, "b" * 10]
    assert slack.message(SAID, posted["ts"]).text == "a" * 4000, "the caller learns of the first only"
    edit = {"channel": SAID, "ts": posted["ts"], "text": "c" * 4001}
    assert (await bot.call("chat.update", **edit))["error"] == "msg_too_long"
    private = {"channel": SAID, "user": "U0ALICE", "text": "c" * 4001}
    assert (await bot.call("chat.postEphemeral", **private))["error"] == "msg_too_long"
    await bot.call("chat.postMessage", channel=SAID, text="d" * 40_010)
    assert sum(len(m.text) for m in slack.sees("U0ALICE", SAID) if m.text.startswith("d")) == 40_000


async def test_one_person_may_have_two_ids(slack: Workspace, bot: SmallBot) -> None:
    slack.enterprise_id = "E0GRID"
    slack.add_user("U0DUAL", "dual", real_name="Dual", grid_id="W0DUAL")
    slack.channels[SAID].members.append("U0DUAL")
    for asked in ("U0DUAL", "W0DUAL"):
        user = (await bot.call("users.info", user=asked))["user"]
        assert (user["id"], user["enterprise_user"]["id"]) == ("U0DUAL", "W0DUAL")
    card = slack.message(SAID, await _posted(bot))
    for id_ in ("U0DUAL", "W0DUAL"):
        await slack.clicks(id_, card, "stop")
        assert bot.heard[-1]["user"]["id"] == id_
        assert (await bot.call("chat.postEphemeral", channel=SAID, user=id_, text=f"for {id_}"))["ok"]
    assert [m.words for m in slack.sees("W0DUAL", SAID)][1:] == ["for U0DUAL", "for W0DUAL"]


async def test_a_channel_changes_its_id_and_its_messages_keep_theirs(slack: Workspace, bot: SmallBot) -> None:
    slack.events.add("channel_id_changed")
    ts = await _posted(bot, "G0SECRET")
    await slack.types("U0ALICE", "G0SECRET", "/flows list")
    await slack.changes_channel_id("G0SECRET", "C0SHARED")
    assert bot.events[-1]["new_channel_id"] == "C0SHARED"
    await slack.clicks("U0ALICE", slack.message("C0SHARED", ts), "stop")
    assert (bot.heard[-1]["channel"]["id"], bot.heard[-1]["message"]["ts"]) == ("C0SHARED", ts)
    assert (await bot.call("chat.update", channel="G0SECRET", ts=ts, text="x"))["error"] == "channel_not_found"
    assert (await bot.call("chat.update", channel="C0SHARED", ts=ts, text="x"))["ok"]
    async with bot.session.post(bot.heard[0]["response_url"], json={"text": "after all"}) as answer:
        assert answer.status == 200
    assert slack.sees("U0ALICE", "C0SHARED")[-1].words == "after all"

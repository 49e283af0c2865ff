"""Mentions, threads and direct messages reach an app as Slack sends them, and its answers stand where Slack shows
them.
"""

import pytest

from bot.demo.slack import Workspace
from tests.unit.demo.small_bot import SmallBot

SAID = "C0OPS"


async def test_a_mention_in_a_channel_is_a_signed_event(slack: Workspace, bot: SmallBot) -> None:
    delivery = await slack.types("U0ALICE", SAID, "@flows-bot list flow:<a> & #incidents")
    assert (delivery.kind, delivery.status, delivery.error) == ("event_callback", 200, None)
    (event,) = bot.events
    (message,) = slack.sees("U0BOB", SAID)
    assert event["type"] == "app_mention"
    assert event["text"] == f"<@{slack.bot_user_id}> list flow:&lt;a&gt; &amp; <#C0OPS|incidents>"
    assert (event["user"], event["channel"], event["ts"]) == ("U0ALICE", SAID, message.ts)
    assert "thread_ts" not in event
    assert event["blocks"][0]["elements"][0]["elements"][0] == {"type": "user", "user_id": slack.bot_user_id}
    assert bot.headers[0]["x-slack-signature"].startswith("v0=")
    assert message.words == "@flows-bot list flow:<a> & #incidents"


async def test_a_mention_in_a_thread_carries_it(slack: Workspace, bot: SmallBot) -> None:
    parent = slack.post(SAID, "U0BOB", "the line is down")
    await slack.types("U0ALICE", SAID, "@flows-bot list", thread_ts=parent.ts)
    assert bot.events[0]["thread_ts"] == parent.ts


async def test_an_app_hears_of_a_mention_only_where_it_is_and_may(slack: Workspace, bot: SmallBot) -> None:
    away = await slack.types("U0ALICE", "C0AWAY", "@flows-bot list")
    assert away.error == "@flows-bot is not in #elsewhere."
    slack.scopes.discard("app_mentions:read")
    await slack.types("U0ALICE", SAID, "@flows-bot list")
    slack.scopes.add("app_mentions:read")
    slack.events.discard("app_mention")
    await slack.types("U0ALICE", SAID, "@flows-bot list")
    await slack.types("U0ALICE", SAID, "a word to @bob")
    assert bot.heard == []


async def test_a_stranger_who_mentions_it_says_where_they_are_from(slack: Workspace, bot: SmallBot) -> None:
    await slack.types("U0EVE", SAID, "@flows-bot list")
    assert (bot.events[0]["team"], bot.events[0]["user_team"]) == ("T0OTHER", "T0OTHER")
    assert bot.heard[0]["team_id"] == slack.team_id


async def test_a_command_is_not_supported_in_a_thread(slack: Workspace, bot: SmallBot) -> None:
    parent = slack.post(SAID, "U0BOB", "the line is down")
    refused = await slack.types("U0ALICE", SAID, "/flows list", thread_ts=parent.ts)
    assert refused.error == "/flows is not supported in threads. Sorry!"
    assert bot.heard == []


async def test_a_direct_message_is_told_and_so_is_what_the_app_does_there(slack: Workspace, bot: SmallBot) -> None:
    place = slack.direct_channel("U0ALICE")
    await slack.types("U0ALICE", place.id, "hello @flows-bot")
    assert [event["type"] for event in bot.events] == ["message"], "a mention in a direct message is no app_mention"
    assert (bot.events[0]["channel_type"], bot.events[0]["user"]) == ("im", "U0ALICE")
    posted = await bot.call("chat.postMessage", channel=place.id, text="help")
    await bot.call("chat.update", channel=place.id, ts=posted["ts"], text="more help")
    await bot.call("chat.delete", channel=place.id, ts=posted["ts"])
    await slack.until(lambda: len(bot.events) == 4)
    own = {event.get("subtype"): event for event in bot.events[1:]}
    assert own[None]["bot_id"] == slack.bot_id
    assert own["message_changed"]["message"]["text"] == "more help"
    assert own["message_changed"]["previous_message"]["text"] == "help"
    assert own["message_deleted"]["deleted_ts"] == posted["ts"]


async def test_a_messages_tab_that_is_read_only_takes_no_line(slack: Workspace, bot: SmallBot) -> None:
    place = slack.direct_channel("U0ALICE")
    slack.installs({"features": {"app_home": {"messages_tab_read_only_enabled": True}}})
    refused = await slack.types("U0ALICE", place.id, "hello")
    assert refused.error == "Sending messages to this app has been turned off."
    assert (bot.heard, slack.sees("U0ALICE", place.id)) == ([], [])


async def test_answers_in_a_thread_stand_there(slack: Workspace, bot: SmallBot) -> None:
    parent = slack.post(SAID, "U0BOB", "the line is down")
    lost = await bot.call("chat.postEphemeral", channel=SAID, user="U0ALICE", text="psst", thread_ts=parent.ts)
    assert lost["ok"], "Slack says so"
    assert [m.words for m in slack.sees("U0ALICE", SAID)] == ["the line is down"], "but nobody had answered there yet"
    await slack.types("U0ALICE", SAID, "@flows-bot list", thread_ts=parent.ts)
    reply = await bot.call("chat.postMessage", channel=SAID, text="card", thread_ts=parent.ts)
    await bot.call("chat.postEphemeral", channel=SAID, user="U0ALICE", text="psst", thread_ts=parent.ts)
    assert [m.words for m in slack.sees("U0ALICE", SAID) if m.thread_ts == parent.ts][1:] == ["card", "psst"]
    assert (reply["message"]["thread_ts"], reply["message"]["parent_user_id"]) == (parent.ts, "U0BOB")
    refused = await bot.call("chat.postMessage", channel=SAID, text="card", thread_ts=reply["ts"])
    assert refused["error"] == "cannot_reply_to_message"


async def test_a_card_that_was_answered_carries_its_own_ts_as_thread(slack: Workspace, bot: SmallBot) -> None:
    button = {"type": "button", "action_id": "stop", "text": {"type": "plain_text", "text": "Stop"}}
    posted = await bot.call(
        "chat.postMessage", channel=SAID, text="card", blocks=[{"type": "actions", "elements": [button]}]
    )
    await slack.clicks("U0ALICE", slack.message(SAID, posted["ts"]), "stop")
    await slack.types("U0BOB", SAID, "who did that?", thread_ts=posted["ts"])
    await slack.clicks("U0ALICE", slack.message(SAID, posted["ts"]), "stop")
    alone, answered = bot.heard
    assert "thread_ts" not in alone["message"]
    assert answered["message"]["thread_ts"] == answered["container"]["thread_ts"] == posted["ts"]
    assert answered["message"]["reply_count"] == 1


@pytest.mark.parametrize(
    ("typed", "arrives"),
    [
        ("show @Bob & <Co> & #incidents", "show <@U0BOB|bob> &amp; <#C0OPS|incidents>"),
        ("audit @oncall #war-room @here", "audit <!subteam^S0ONCALL|@oncall> <#G0SECRET|> <!here>"),
        ('list flow:"🔥 Hotline 👍🏽 🇰🇷 ✓"', 'list flow:":fire: Hotline :+1::skin-tone-4: :flag-kr: ✓"'),
        ("find https://x.example/?a=1&b=2", "find <https://x.example/?a=1&amp;b=2>"),
        ("find <@U0BOB> a@bob", "find &lt;@U0BOB&gt; a@bob"),
    ],
)
async def test_the_text_of_a_command_is_escaped(slack: Workspace, bot: SmallBot, typed: str, arrives: str) -> None:
    await slack.types("U0ALICE", SAID, f"/flows {typed}")
    assert bot.heard[0]["text"] == arrives


async def test_names_stay_as_typed_without_should_escape(slack: Workspace, bot: SmallBot) -> None:
    slack.installs({"features": {"slash_commands": [{"command": "/flows", "description": "Flows"}]}})
    await slack.types("U0ALICE", SAID, "/flows show @Alice Doe <b> 🔥 https://x.example")
    assert bot.heard[0]["text"] == "show @Alice Doe &lt;b&gt; :fire: https://x.example"

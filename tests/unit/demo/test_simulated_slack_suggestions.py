"""External menus, menus of conversations and global shortcuts of the simulated Slack, with a small bot behind them."""

from typing import Any

import pytest
from starlette.responses import JSONResponse, Response

from bot.demo.slack import Message, Workspace
from tests.unit.demo.small_bot import SmallBot, small_bot

PICK = {"type": "external_select", "action_id": "pick", "min_query_length": 0}
ANY = {"type": "conversations_select", "action_id": "where", "default_to_current_conversation": True}


def plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text}


def option(value: str, text: str = "Main menu") -> dict[str, Any]:
    return {"text": plain(text), "value": value}


def asked_for(label: str, element: dict[str, Any]) -> dict[str, Any]:
    return {"type": "input", "block_id": element["action_id"], "label": plain(label), "element": element}


MODAL = {
    "type": "modal",
    "title": plain("Stop"),
    "submit": plain("Post"),
    "blocks": [asked_for("Which", PICK), asked_for("Where", {**ANY, "response_url_enabled": True})],
}


async def posted(bot: SmallBot, menu: dict[str, Any], *, alone: bool = False) -> Message:
    """A message with this menu in it."""
    where = {"channel": "C0OPS", "text": "which?", "blocks": [{"type": "actions", "elements": [menu]}]}
    if alone:
        ts = (await bot.call("chat.postEphemeral", user="U0ALICE", **where))["message_ts"]
    else:
        ts = (await bot.call("chat.postMessage", **where))["ts"]
    return bot.workspace.message("C0OPS", ts)


@pytest.mark.parametrize("alone", [False, True])
async def test_a_menu_asks_the_bot_and_what_it_offers_can_be_chosen(slack: Workspace, alone: bool) -> None:
    async with small_bot(slack) as bot:
        message = await posted(bot, PICK, alone=alone)
        groups = [
            {"label": plain("Stuck?"), "options": [option("one")]},
            {"label": plain("The rest"), "options": [option("two", "Support line")]},
        ]
        bot.answers = [JSONResponse({"option_groups": groups})]
        offered = await slack.looks_up("U0ALICE", message, "pick", "main")
        assert offered.delivery.error is None
        assert [each["value"] for each in offered.options] == ["one", "two"]
        assert offered.words == "Stuck?\nMain menu\nThe rest\nSupport line"
        asked = bot.heard[-1]
        assert (asked["type"], asked["action_id"], asked["value"]) == ("block_suggestion", "pick", "main")
        assert asked["container"]["is_ephemeral"] is alone
        assert ("message" in asked) is not alone
        assert {"trigger_id", "response_url", "actions"}.isdisjoint(asked)
        await slack.chooses("U0ALICE", message, "pick", "two")
        (action,) = bot.heard[-1]["actions"]
        assert action["selected_option"]["value"] == "two"
        with pytest.raises(LookupError, match="offers no"):
            await slack.chooses("U0ALICE", message, "pick", "three")


async def test_without_a_length_the_bot_is_asked_from_the_third_letter_on(slack: Workspace) -> None:
    async with small_bot(slack) as bot:
        message = await posted(bot, {"type": "external_select", "action_id": "pick"})
        bot.answers = [JSONResponse({"options": []})] * 2
        for typed, times in (("", 0), ("ma", 0), ("mai", 1)):
            assert (await slack.looks_up("U0ALICE", message, "pick", typed)).options == ()
            assert len(bot.heard) == times


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ({}, "neither options nor option_groups"),
        ({"options": [], "option_groups": []}, "neither options nor option_groups"),
        ({"options": [option("x")] * 101}, "no more than 100 items allowed [json-pointer:/options]"),
        ({"options": [option("x", "y" * 76)]}, "must be less than 76 characters"),
        ({"options": [option("x" * 151)]}, "must be less than 151 characters"),
        ({"options": [option("")]}, "must be more than 0 characters"),
        ({"option_groups": [{"label": plain("Empty"), "options": []}]}, "must be at least 1 items"),
        ({"option_groups": [{"label": plain("y" * 76), "options": [option("x")]}]}, "must be less than 76 characters"),
        ({"option_groups": [{"label": plain("All"), "options": [option("x")] * 60}] * 2}, "no more than 100 options"),
    ],
)
async def test_what_slack_would_not_show_is_refused_as_a_whole(
    slack: Workspace, answer: dict[str, Any], why: str
) -> None:
    async with small_bot(slack) as bot:
        message = await posted(bot, PICK)
        bot.answers = [JSONResponse(answer)]
        offered = await slack.looks_up("U0ALICE", message, "pick")
        assert offered.options == ()
        assert why in (offered.delivery.error or "")


async def test_an_answer_that_is_none_and_one_that_comes_too_late_are_errors(slack: Workspace) -> None:
    async with small_bot(slack) as bot:
        message = await posted(bot, PICK)
        bot.answers = [Response("no", 500)]
        failed = (await slack.looks_up("U0ALICE", message, "pick")).delivery
        assert failed.error == 'Loading the options failed with the error "dispatch_failed"'
        slack.patience = 1e-6
        late = (await slack.looks_up("U0ALICE", message, "pick")).delivery
        assert late.error == 'Loading the options failed with the error "operation_timeout"'


async def test_a_menu_that_only_another_sees_is_nobodys(slack: Workspace) -> None:
    async with small_bot(slack) as bot:
        message = await posted(bot, PICK, alone=True)
        with pytest.raises(LookupError, match="does not see"):
            await slack.looks_up("U0BOB", message, "pick")


async def test_a_modal_from_a_global_shortcut_knows_where_it_was_opened_and_answers_where_it_is_told(
    slack: Workspace,
) -> None:
    async with small_bot(slack) as bot:
        await slack.uses_global_shortcut("U0ALICE", "activeflow.stop", channel="C0OPS")
        assert "channel" not in bot.heard[-1]
        await bot.call("views.open", trigger_id=bot.heard[-1]["trigger_id"], view=MODAL)
        (view,) = slack.views_of("U0ALICE")
        bot.answers = [JSONResponse({"options": [option("one")]})]
        await slack.looks_up("U0ALICE", view, "pick")
        state = bot.heard[-1]["view"]["state"]["values"]
        assert state["where"]["where"]["selected_conversation"] == "C0OPS"
        await slack.submits("U0ALICE", view, {"pick": {"pick": "one"}})
        told = bot.heard[-1]
        assert told["view"]["state"]["values"]["pick"]["pick"]["selected_option"]["value"] == "one"
        (url,) = told["response_urls"]
        assert (url["block_id"], url["action_id"], url["channel_id"]) == ("where", "where", "C0OPS")
        async with bot.session.post(url["response_url"], json={"text": "hello"}) as answered:
            assert answered.status == 200
        assert [m.words for m in slack.sees("U0ALICE", "C0OPS")][-1] == "hello"


async def test_a_modal_wants_both_chosen(slack: Workspace) -> None:
    async with small_bot(slack) as bot:
        await slack.uses_global_shortcut("U0ALICE", "activeflow.stop")
        await bot.call("views.open", trigger_id=bot.heard[-1]["trigger_id"], view=MODAL)
        (view,) = slack.views_of("U0ALICE")
        assert (await slack.submits("U0ALICE", view, {})).error == "Please complete this required field."
        (view,) = slack.views_of("U0ALICE")
        assert set(view.errors) == {"pick", "where"}

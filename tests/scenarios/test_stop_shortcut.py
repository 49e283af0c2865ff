"""*Stop an activeflow…*: the global shortcut asks what to stop, and in which channel its card goes."""

from typing import Any

from bot.demo.slack.workspace import Workspace
from bot.demo.voipbin.state import Activeflow
from bot.slack import ids
from tests.scenarios.choosing import calling, form, values
from tests.scenarios.conftest import ABROAD, ALICE, GUEST, INCIDENTS, LOBBY, Stage
from tests.scenarios.typing_at import said_in_the_end

__all__ = ["calling"]  # a fixture


async def test_the_shortcut_posts_the_card_in_the_channel_one_looks_at(
    bot: Stage, slack: Workspace, calling: Activeflow
) -> None:
    view = await form(bot)
    assert "Nothing stops until somebody presses the card." in view.words
    assert values(await slack.looks_up(ALICE, view, ids.PICK_STOP)) == [str(calling.id)]
    fields: dict[str, dict[str, Any]] = {ids.PICK_STOP: {ids.PICK_STOP: str(calling.id)}}
    assert (await slack.submits(ALICE, view, fields)).error is None
    assert slack.views_of(ALICE) == []
    await slack.until(lambda: bot._cards(INCIDENTS, ALICE))
    assert (await slack.clicks(ALICE, bot.card(), "stop.flow")).error is None
    await bot.reads("Stopped by")
    assert bot.posts(calling) == 1


async def test_the_form_posts_where_the_bot_is_no_member_and_refuses_in_the_channel_that_was_chosen(
    bot: Stage, slack: Workspace, calling: Activeflow
) -> None:
    view = await form(bot)
    here = {ids.PICK_WHERE: {ids.PICK_WHERE: ABROAD}}
    await slack.looks_up(ALICE, view, ids.PICK_STOP, values=here)
    await slack.submits(ALICE, view, {**here, ids.PICK_STOP: {ids.PICK_STOP: str(calling.id)}})
    await slack.until(lambda: bot._cards(ABROAD, ALICE))
    view = await form(bot, channel=LOBBY)
    await slack.looks_up(ALICE, view, ids.PICK_STOP)
    seen = {m.ts for m in slack.sees(ALICE, LOBBY)}
    await slack.submits(ALICE, view, {ids.PICK_STOP: {ids.PICK_STOP: str(calling.id)}})
    refused = await said_in_the_end(bot, ALICE, LOBBY, seen)
    assert refused.ephemeral_to == ALICE
    assert "You can't stop activeflows from this channel" in refused.words


async def test_without_a_channel_the_form_lists_what_may_be_seen_anywhere_or_asks_for_one(
    bot: Stage, slack: Workspace, calling: Activeflow
) -> None:
    view = await form(bot, channel="")
    assert values(await slack.looks_up(ALICE, view, ids.PICK_STOP)) == [str(calling.id)]
    assert (
        "Choose the channel first."
        in (await slack.looks_up(GUEST, await form(bot, user=GUEST, channel=""), ids.PICK_STOP)).words
    )
    assert (await slack.submits(ALICE, view, {ids.PICK_STOP: {ids.PICK_STOP: str(calling.id)}})).error
    (view,) = slack.views_of(ALICE)
    assert set(view.errors) == {ids.PICK_WHERE}


async def test_a_line_that_only_says_something_keeps_the_form_open(bot: Stage, slack: Workspace) -> None:
    view = await form(bot)
    await slack.looks_up(ALICE, view, ids.PICK_STOP)
    await slack.submits(ALICE, view, {ids.PICK_STOP: {ids.PICK_STOP: ids.NOTE}})
    (view,) = slack.views_of(ALICE)
    assert view.errors == {ids.PICK_STOP: "Choose an activeflow. That line only says something."}


async def test_a_form_that_slack_does_not_show_is_told_in_a_direct_message(bot: Stage, slack: Workspace) -> None:
    slack.triggers.seconds = -1.0
    await slack.uses_global_shortcut(ALICE, ids.STOP_SHORTCUT, channel=INCIDENTS)
    told = await bot.reads("Slack did not let me show you the form.", channel=slack.direct_channel(ALICE).id)
    assert "Type /flows stop in a channel." in told.words


async def test_the_form_lists_what_may_be_seen_in_the_channel_that_is_chosen(
    stage: Stage, slack: Workspace, calling: Activeflow
) -> None:
    stage.policy.write_text(
        f'[[grant]]\nto = ["{ALICE}"]\nmay = ["view", "stop"]\nin = ["{INCIDENTS}"]\n', encoding="utf-8"
    )
    async with stage.start():
        view = await form(stage)
        assert values(await slack.looks_up(ALICE, view, ids.PICK_STOP)) == [str(calling.id)]
        elsewhere = {ids.PICK_WHERE: {ids.PICK_WHERE: LOBBY}}
        refused = await slack.looks_up(ALICE, view, ids.PICK_STOP, values=elsewhere)
        assert "You can't see activeflows from this channel." in refused.words
        assert values(refused) == [ids.NOTE]
        unplaced = await slack.looks_up(ALICE, await form(stage, channel=""), ids.PICK_STOP)
        assert "Choose the channel first." in unplaced.words

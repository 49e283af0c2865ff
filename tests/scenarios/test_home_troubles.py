"""A Home while something is slow or broken: never silent, never waiting, never more than may be seen."""

from datetime import timedelta

import pytest

from bot.demo.slack import faults as slack_faults
from bot.demo.slack.workspace import Workspace
from bot.demo.voipbin import faults
from bot.demo.voipbin.state import Activeflow, Flow
from bot.demo.voipbin.world import World
from bot.slack import ids
from bot.slack.health import NEEDED
from tests.scenarios.conftest import ALICE, BOB, Stage
from tests.scenarios.home_stage import COMING, live, looping, opens, published, support
from tests.scenarios.test_alerts_held_back import comes_into_force
from tests.scenarios.test_reveal import record_of
from tests.scenarios.typing_at import answers

__all__ = ["live", "looping", "support"]  # fixtures


async def test_while_slack_does_not_say_who_it_is_the_page_says_that_and_completes_itself(
    live: Stage, slack: Workspace
) -> None:
    held = slack.faults.on("users.info", slack_faults.hold())
    first = await opens(live, BOB, whole=False)
    assert "I am asking Slack who you are" in first.words
    assert "Support line" not in first.words
    assert held.hold is not None
    held.hold.release()
    assert "Support line" in (await published(live, BOB, first)).words


async def test_when_slack_never_says_who_it_is_nothing_is_shown_and_refresh_stays(
    live: Stage, slack: Workspace
) -> None:
    slack.faults.on("users.info", slack_faults.error("internal_error"), times=None)
    home = await opens(live, BOB)
    assert "Slack did not tell me who you are" in home.words
    assert "Support line" not in home.words
    slack.faults.clear()
    await slack.clicks(BOB, home, ids.HOME_REFRESH)
    assert "Support line" in (await published(live, BOB, home)).words


async def test_while_voipbin_is_slow_what_is_known_is_shown_at_once(
    bot: Stage, voipbin: World, looping: Activeflow
) -> None:
    scripted = voipbin.faults.on("GET", "/activeflows", faults.delay(2), times=None)
    first = await opens(bot, whole=False)
    assert COMING in first.words
    assert "view: in any channel" in first.words
    assert "ok · policy" in first.words
    whole = await published(bot, ALICE, first)
    scripted.clear()
    assert str(looping.id)[:8] in whole.words


async def test_a_voipbin_that_is_down_is_said_where_the_list_would_stand(bot: Stage, voipbin: World) -> None:
    scripted = voipbin.faults.on("GET", "/activeflows", faults.status(503, "SERVICE_UNAVAILABLE"), times=None)
    home = (await opens(bot)).words
    scripted.clear()
    assert "Not known right now" in home
    assert "view: in any channel" in home
    assert "Health of the bot" in home


async def test_a_stream_that_is_down_is_said_and_the_last_picture_stays(
    stage: Stage, voipbin: World, looping: Activeflow
) -> None:
    async with stage.start(voipbin_events=True, voipbin_access_key_in_query=True):
        await answers(stage, "list")
        home = (await opens(stage)).words
        assert "event stream down since" in home
        assert "warning · event stream · down since" in home
        assert str(looping.id)[:8] in home


async def test_a_page_that_slack_does_not_take_is_told_directly(bot: Stage, slack: Workspace) -> None:
    slack.faults.on("views.publish", slack_faults.error("internal_error"), times=None)
    assert (await slack.opens_home(ALICE)).error is None
    assert "Slack did not take your Home" in (await bot.reads("Home", channel=slack.direct_channel(ALICE).id)).words


async def test_blocks_that_slack_refuses_become_plain_words(bot: Stage, slack: Workspace) -> None:
    slack.faults.on("views.publish", slack_faults.error("invalid_arguments"))
    home = await opens(bot)
    assert "You can: view, stop" in home.words
    assert home.buttons == []


async def test_of_two_openings_and_an_event_that_comes_twice_one_page_comes_of_it(
    bot: Stage, slack: Workspace, voipbin: World, looping: Activeflow
) -> None:
    held = faults.hold()
    voipbin.faults.on("GET", "/activeflows", held)
    await slack.opens_home(ALICE)
    await held.arrived()
    delivery = await slack.opens_home(ALICE)
    await slack.delivers(delivery.body, delivery.headers)
    held.release()
    await published(bot, ALICE, None)
    await answers(bot, "whoami")
    drawn = [call for call in slack.calls if call.method == "views.publish"]
    assert len([call for call in drawn if "Support line" in str(call.arguments)]) == 1


async def test_an_older_page_for_which_slack_takes_long_is_not_shown_over_a_newer_one(
    bot: Stage, slack: Workspace, looping: Activeflow, sqlite_url: str
) -> None:
    home = await opens(bot)
    before = sum(call.method == "views.publish" for call in slack.calls)
    slow = slack.faults.on("views.publish", slack_faults.hold()).hold
    assert slow is not None
    await slack.clicks(ALICE, home, ids.HOME_REFRESH)
    await slow.arrived()
    await slack.clicks(ALICE, home, ids.HOME_MENTION)
    await slack.until(lambda: any('"what":"chose"' in body for body in record_of(sqlite_url)))
    await answers(bot, "whoami")
    slow.release()
    await slack.until(
        lambda: sum(bool(call.answered) for call in slack.calls if call.method == "views.publish") > before + 1
    )
    shown = slack.home_of(ALICE)
    assert shown is not None
    assert "You are not mentioned below the card" in shown.words


async def test_what_may_not_be_viewed_any_more_once_it_is_read_is_not_on_the_page(
    bot: Stage, slack: Workspace, voipbin: World, looping: Activeflow, capsys: pytest.CaptureFixture[str]
) -> None:
    held = faults.hold()
    voipbin.faults.on("GET", "/activeflows", held)
    await slack.opens_home(BOB)
    await held.arrived()
    await comes_into_force(bot, f'[[grant]]\nto = ["{ALICE}"]\nmay = ["view"]\n', capsys)
    held.release()
    home = await published(bot, BOB, None)
    assert "Support line" not in home.words
    assert not [call for call in slack.calls if call.method == "views.publish" and "Support" in str(call.arguments)]


async def test_no_scope_is_needed_for_it(stage: Stage, slack: Workspace, looping: Activeflow) -> None:
    slack.scopes = set(NEEDED)
    async with stage.start():
        assert str(looping.id)[:8] in (await opens(stage, BOB)).words


async def test_an_old_call_is_worth_a_look(bot: Stage, voipbin: World, support: Flow) -> None:
    voipbin.rings(support, at="play", created_at=voipbin.clock.now() - timedelta(hours=3))
    assert "Left over? older than any call can be" in (await opens(bot)).words

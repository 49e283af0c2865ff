"""`show`, `stop` and `watch` without an id: choose from a menu instead of typing."""

import asyncio
import re
from datetime import UTC, datetime, timedelta

import pytest

from bot.demo.slack.workspace import Workspace
from bot.demo.voipbin import faults
from bot.demo.voipbin.state import Activeflow, Flow, Step
from bot.demo.voipbin.world import World
from bot.slack import ids
from tests.scenarios.choosing import CALLER, calling, form, opened, values
from tests.scenarios.conftest import ABROAD, ALICE, BOB, GUEST, INCIDENTS, LOBBY, Stage
from tests.scenarios.home_stage import live, looping, support
from tests.scenarios.test_policy_reload import policies
from tests.scenarios.typing_at import answers, said_in_the_end

__all__ = ["calling", "live", "looping", "support"]  # fixtures


# ---------------------------------------------------------------- typed without an id


async def test_a_chosen_one_gets_the_stop_card_that_its_id_would_get(bot: Stage, calling: Activeflow) -> None:
    message, offered = await opened(bot, "stop")
    assert "Stop which activeflow? Choosing one posts its stop card here." in message.words
    assert values(offered) == [str(calling.id)]
    assert re.search(rf"Support line · (under 1|\d+) s · {calling.id.hex[:8]}", offered.words)
    assert "waiting for keypad input" in offered.words
    assert (await bot.slack.chooses(ALICE, message, ids.PICK_STOP, str(calling.id))).error is None
    await bot.slack.until(lambda: bot._cards(INCIDENTS, ALICE))
    chosen = bot.card()
    typed = await bot.asks_to_stop(calling)
    assert chosen.ephemeral_to is None
    assert [b.action_id for b in chosen.buttons] == [b.action_id for b in typed.buttons]
    assert (await bot.slack.clicks(ALICE, chosen, "stop.flow")).error is None
    await bot.reads("Stopped by")
    assert bot.posts(calling) == 1


async def test_show_and_watch_lead_where_the_id_would(bot: Stage, slack: Workspace, calling: Activeflow) -> None:
    message, offered = await opened(bot, "show")
    assert values(offered) == [str(calling.id)]
    seen = {m.ts for m in slack.sees(ALICE, INCIDENTS)}
    await slack.chooses(ALICE, message, ids.PICK_SHOW, str(calling.id))
    shown = await said_in_the_end(bot, ALICE, INCIDENTS, seen)
    assert str(calling.id) in shown.words
    assert shown.ephemeral_to == ALICE
    message, _ = await opened(bot, "watch")
    await slack.chooses(ALICE, message, ids.PICK_WATCH, str(calling.id))
    card = await bot.reads("Unwatch")
    assert card.ephemeral_to is None


async def test_it_works_in_a_thread_and_where_the_bot_is_no_member(
    bot: Stage, slack: Workspace, calling: Activeflow
) -> None:
    first = slack.post(INCIDENTS, BOB, "Incident")
    slack.post(INCIDENTS, BOB, "I look", thread_ts=first.ts)
    await slack.types(ALICE, INCIDENTS, "@flows-bot stop", thread_ts=first.ts)
    message = await bot.reads("Stop which activeflow?")
    assert message.thread_ts == first.ts
    await slack.looks_up(ALICE, message, ids.PICK_STOP)
    await slack.chooses(ALICE, message, ids.PICK_STOP, str(calling.id))
    await slack.until(lambda: bot._cards(INCIDENTS, ALICE))
    assert bot.card().thread_ts == first.ts
    message, _ = await opened(bot, "stop", channel=ABROAD)
    await slack.chooses(ALICE, message, ids.PICK_STOP, str(calling.id))
    await slack.until(lambda: bot._cards(ABROAD, ALICE))
    assert bot.card(ABROAD).ephemeral_to is None


async def test_an_option_leads_only_where_its_id_would(bot: Stage, slack: Workspace, calling: Activeflow) -> None:
    """In the lobby Alice may look and not stop: what she chooses is refused as if she had typed it."""
    typed = await answers(bot, f"stop {calling.id}", channel=LOBBY)
    message, offered = await opened(bot, "stop", channel=LOBBY)
    assert values(offered) == [str(calling.id)]
    seen = {m.ts for m in slack.sees(ALICE, LOBBY)}
    await slack.chooses(ALICE, message, ids.PICK_STOP, str(calling.id))
    assert (await said_in_the_end(bot, ALICE, LOBBY, seen)).words == typed.words
    assert "You can't stop activeflows from this channel" in typed.words


async def test_one_that_ended_before_it_was_chosen_is_said_to_have_ended(
    bot: Stage, slack: Workspace, voipbin: World, calling: Activeflow
) -> None:
    message, _ = await opened(bot, "stop")
    voipbin.ends(calling)
    seen = {m.ts for m in slack.sees(ALICE, INCIDENTS)}
    await slack.chooses(ALICE, message, ids.PICK_STOP, str(calling.id))
    assert "has already ended" in (await said_in_the_end(bot, ALICE, INCIDENTS, seen)).words
    assert bot._cards(INCIDENTS, ALICE) == []


async def test_whoever_may_not_view_gets_no_menu_and_an_old_menu_offers_nothing(
    bot: Stage, slack: Workspace, calling: Activeflow, sqlite_url: str
) -> None:
    answer = await answers(bot, "stop", user=GUEST)
    assert "You can't see activeflows" in answer.words
    message, offered = await opened(bot, "stop")
    assert values(offered) == [str(calling.id)]
    bot.policy.write_text("", encoding="utf-8")
    await slack.until(lambda: len(policies(sqlite_url)) == 2)
    offered = await slack.looks_up(ALICE, message, ids.PICK_STOP)
    assert offered.words == ("Please note\nYou can't see activeflows here. /flows whoami says why.")


# ---------------------------------------------------------------- what is offered


async def test_typing_narrows_it_down_by_flow_by_what_it_does_and_by_id(
    bot: Stage, voipbin: World, slack: Workspace
) -> None:
    support, menu = voipbin.add_flow("Support line"), voipbin.add_flow("Main menu")
    digits = voipbin.rings(support, at="digits_receive")
    plays = voipbin.rings(menu, at="play")
    message, offered = await opened(bot, "stop")
    assert values(offered) == [str(digits.id), str(plays.id)]
    for typed, expected in (
        ("suport", digits),
        ("  Main ", plays),
        ("keypad", digits),
        ("playing", plays),
        (plays.id.hex[:8], plays),
        (str(digits.id), digits),
        (str(plays.reference_id), plays),
    ):
        assert values(await slack.looks_up(ALICE, message, ids.PICK_STOP, typed)) == [str(expected.id)], typed
    nothing = await slack.looks_up(ALICE, message, ids.PICK_STOP, "billing")
    assert "No match among those that run" in nothing.words
    assert "To search more: /flows find" in nothing.words


async def test_a_queue_is_found_by_its_name(bot: Stage, slack: Workspace, voipbin: World) -> None:
    queue = voipbin.add_queue("Second level")
    join = Step("queue_join", {"queue_id": str(queue.id)})
    waits = voipbin.rings(voipbin.add_flow("Support line", [join]), at=join)
    voipbin.rings(voipbin.add_flow("Main menu"), at="play")
    message, offered = await opened(bot, "stop", "second")
    assert values(offered) == [str(waits.id)]
    assert "Second level" in offered.words
    assert values(await slack.looks_up(ALICE, message, ids.PICK_STOP, "third level")) == [ids.NOTE]


@pytest.mark.parametrize(
    "typed", [CALLER, "0171 555 77310", "55577310", "7310 5557 7310", "Support +49 171 55577310", "(0171) 555-77310"]
)
async def test_a_phone_number_finds_nothing_and_is_written_nowhere(
    bot: Stage, slack: Workspace, voipbin: World, calling: Activeflow, typed: str
) -> None:
    message, _ = await opened(bot, "stop")
    seen = len(voipbin.requests)
    offered = await slack.looks_up(ALICE, message, ids.PICK_STOP, typed)
    assert values(offered) == [ids.NOTE]
    assert "Phone numbers are not searched here" in offered.words
    assert "/flows find" in offered.words
    assert typed not in offered.words
    assert not [r for r in voipbin.requests[seen:] if "/calls" in r.path]


@pytest.mark.parametrize("digits", ["310", "7310", "5557", "555 7", "49171"])
async def test_digits_of_a_masked_caller_match_nothing(
    bot: Stage, slack: Workspace, calling: Activeflow, digits: str
) -> None:
    message, _ = await opened(bot, "stop")
    offered = await slack.looks_up(ALICE, message, ids.PICK_STOP, digits)
    assert str(calling.id) not in values(offered)
    assert CALLER not in str(offered.delivery.answer)


async def test_what_belongs_to_flows_that_one_may_not_view_is_not_offered(
    stage: Stage, slack: Workspace, voipbin: World
) -> None:
    seen, hidden = voipbin.add_flow("Support line"), voipbin.add_flow("Secret line")
    shown = voipbin.rings(seen, at="play")
    secret = voipbin.rings(hidden, at="play")
    stage.policy.write_text(
        f'[[grant]]\nto = ["{ALICE}"]\nmay = ["view", "stop"]\nflows = ["{seen.id}"]\n', encoding="utf-8"
    )
    async with stage.start():
        message, offered = await opened(stage, "stop")
        assert values(offered) == [str(shown.id), ids.NOTE]
        assert "1 hidden, no permission to view" in offered.words
        assert "Secret" not in offered.words
        for typed in ("secret", str(secret.id), secret.id.hex[:6]):
            assert str(secret.id) not in values(await slack.looks_up(ALICE, message, ids.PICK_STOP, typed))


async def test_more_than_fit_are_counted(bot: Stage, voipbin: World) -> None:
    flow = voipbin.add_flow("Support line")
    for _ in range(60):
        voipbin.rings(flow, at="play")
    _, offered = await opened(bot, "stop")
    assert len(offered.options) == 51
    assert "10 more. Type to narrow them down." in offered.words


async def test_a_line_that_only_says_something_chooses_nothing(bot: Stage, slack: Workspace) -> None:
    message, offered = await opened(bot, "stop")
    assert "Nothing is running" in offered.words
    seen = {m.ts for m in slack.sees(ALICE, INCIDENTS)}
    await slack.chooses(ALICE, message, ids.PICK_STOP, ids.NOTE)
    answer = await said_in_the_end(bot, ALICE, INCIDENTS, seen)
    assert "Choose an activeflow. That line only says something." in answer.words


async def test_the_order_is_the_lists_and_nothing_is_asked_for_the_rows_while_it_is_live(
    live: Stage, voipbin: World, slack: Workspace, support: Flow, looping: Activeflow
) -> None:
    for minutes in (3, 20):
        voipbin.rings(support, at="play", created_at=datetime.now(UTC) - timedelta(minutes=minutes))
    async with asyncio.timeout(30):
        while "3 running" not in (listed := await answers(live, "list")).words:
            pass
    rows = [button.value for button in listed.buttons if button.action_id == ids.SHOW]
    assert rows[0] == str(looping.id)
    message, offered = await opened(live, "stop")
    assert values(offered) == rows
    labels = [group["label"]["text"] for group in offered.groups]
    assert labels == ["Going round in circles", "The rest, the oldest first"]
    seen = len(voipbin.requests)
    narrowed = await slack.looks_up(ALICE, message, ids.PICK_STOP, "support")
    assert values(narrowed) == rows
    assert len(voipbin.requests) == seen


async def test_a_stream_that_is_down_is_said_with_the_age_of_what_is_listed(stage: Stage, looping: Activeflow) -> None:
    async with stage.start(voipbin_events=True, voipbin_access_key_in_query=True):
        await answers(stage, "list")
        _, offered = await opened(stage, "stop")
        assert values(offered) == [str(looping.id)]
        (label,) = [group["label"]["text"] for group in offered.groups]
        assert re.fullmatch(r"Going round in circles · read (under 1|\d+) s ago, event stream down", label)


# ---------------------------------------------------------------- troubles


async def test_a_voipbin_that_cannot_be_read_is_said_in_the_menu(bot: Stage, voipbin: World) -> None:
    voipbin.faults.on("GET", "/activeflows", faults.reset_before(), times=None)
    _, offered = await opened(bot, "stop")
    assert values(offered) == [ids.NOTE]
    assert offered.words == (
        "Please note\nNot listed: VoIPBIN cannot be read right now. Type the id instead: /flows stop 3c5b0f6e"
    )


async def test_a_voipbin_that_does_not_answer_is_not_waited_for_longer_than_slack_waits(
    bot: Stage, slack: Workspace, voipbin: World
) -> None:
    silence = faults.hold()
    voipbin.faults.on("GET", "/activeflows", silence, times=None)
    _, offered = await opened(bot, "stop")
    assert offered.delivery.error is None
    assert silence.waiting
    assert "Not listed: it took too long. Type again." in offered.words
    silence.release()


async def test_a_menu_of_another_version_says_so(bot: Stage, slack: Workspace) -> None:
    menu = {"type": "external_select", "action_id": "pick.gone", "min_query_length": 0}
    message = slack.post(INCIDENTS, slack.bot_user_id, "old", blocks=[{"type": "actions", "elements": [menu]}])
    seen = {m.ts for m in slack.sees(ALICE, INCIDENTS)}
    offered = await slack.looks_up(ALICE, message, "pick.gone", "a")
    assert offered.words == "Please note\nThis bot does not know this menu any more."
    assert {m.ts for m in slack.sees(ALICE, INCIDENTS)} == seen


async def test_an_unsigned_or_foreign_question_learns_nothing(
    bot: Stage, slack: Workspace, calling: Activeflow
) -> None:
    _, offered = await opened(bot, "stop")
    forged = {**offered.delivery.headers, "X-Slack-Signature": "v0=" + "0" * 64}
    assert (await slack.delivers(offered.delivery.body, forged)).status == 401
    again = await slack.delivers(offered.delivery.body, offered.delivery.headers)
    assert again.status == 200
    slack.api_app_id = "A0OTHER"
    (message,) = (m for m in slack.sees(ALICE, INCIDENTS) if "Stop which" in m.words)
    foreign = await slack.looks_up(ALICE, message, ids.PICK_STOP)
    assert foreign.options == ()
    assert foreign.delivery.status == 401


# ---------------------------------------------------------------- the other transport


async def test_menus_and_the_shortcut_through_the_socket(stage: Stage, slack: Workspace, calling: Activeflow) -> None:
    slack.socket_mode, slack.request_url = True, None
    async with stage.start(slack_app_token=slack.app_token, slack_signing_secret=None):
        slack.request_url = None
        message, offered = await opened(stage, "stop", "support")
        assert values(offered) == [str(calling.id)]
        await slack.chooses(ALICE, message, ids.PICK_STOP, str(calling.id))
        await slack.until(lambda: stage._cards(INCIDENTS, ALICE))
        view = await form(stage)
        assert values(await slack.looks_up(ALICE, view, ids.PICK_STOP)) == [str(calling.id)]
        await slack.submits(ALICE, view, {ids.PICK_STOP: {ids.PICK_STOP: str(calling.id)}})
        await slack.until(lambda: len(stage._cards(INCIDENTS, ALICE)) > 1)

"""The Home: signed event in, what each kind of person sees of it out; and that it is never silent and never waits."""

import asyncio

import pytest

from bot.demo.slack import faults as slack_faults
from bot.demo.slack.messages import View
from bot.demo.slack.workspace import Workspace
from bot.demo.voipbin import faults
from bot.demo.voipbin.state import Activeflow, Flow
from bot.demo.voipbin.world import World
from bot.slack import ids
from tests.scenarios.conftest import ALICE, BOB, CAROL, GUEST, INCIDENTS, STRANGER, Stage
from tests.scenarios.home_stage import live, looping, opens, published, support
from tests.scenarios.typing_at import answers

__all__ = ["live", "looping", "support"]  # fixtures

HERE_ONLY = f'[[grant]]\nto = ["{BOB}"]\nmay = ["view", "stop"]\nin = ["{INCIDENTS}"]\n'
ONE_FLOW = '[[grant]]\nto = ["{user}"]\nmay = ["view"]\nflows = ["{flow}"]\n'


def asked(voipbin: World) -> list[str]:
    return [f"{seen.method} {seen.path}" for seen in voipbin.requests]


# ---------------------------------------------------------------- whole


async def test_an_operator_sees_what_runs_what_is_wrong_and_what_they_may(
    live: Stage, voipbin: World, looping: Activeflow
) -> None:
    voipbin.rings(voipbin.add_flow("Main menu"), at="play")
    await answers(live, "list by flow")  # so that the index has heard of it
    read = len(voipbin.requests)
    home = (await opens(live)).words
    for words in (
        "What runs now",
        "Support line · 1, the oldest",
        "2 running · live, as of",
        "complete",
        "Worth a look",
        str(looping.id)[:8],
        "Going round in circles",
        "view: in any channel",
        "stop: in #abroad and #incidents",
        "To stop one, type /flows stop <id> in #abroad and #incidents",
        "You haven’t pressed anything yet",
        "ok · event stream · live since",
        "ok · policy · 2 grants in force",
    ):
        assert words in home
    assert "+15550109876" not in home
    assert [line for line in asked(voipbin)[read:] if not line.startswith("GET /v1.0/flows/")] == []


async def test_it_is_published_for_whoever_opened_it_within_the_time(live: Stage, slack: Workspace) -> None:
    await opens(live)
    calls = [call for call in slack.calls if call.method == "views.publish"]
    assert {call.arguments["user_id"] for call in calls} == {ALICE}
    assert slack.home_of(BOB) is None
    assert slack.deliveries[-1].seconds < 3


async def test_socket_mode_delivers_it_too(stage: Stage, slack: Workspace, looping: Activeflow) -> None:
    slack.socket_mode = True
    async with stage.start(slack_app_token=slack.app_token):
        assert "ok · deliveries · receiving over Socket Mode, connected" in (await opens(stage)).words


async def test_the_messages_tab_is_another_place(bot: Stage, slack: Workspace) -> None:
    await slack.tells({"type": "app_home_opened", "user": ALICE, "channel": "D0ALICE", "tab": "messages"})
    await answers(bot, "whoami")
    assert slack.home_of(ALICE) is None


async def test_each_of_ones_own_stops_is_one_line_with_its_flow_and_outcome(
    bot: Stage, voipbin: World, support: Flow
) -> None:
    flow = voipbin.rings(support, at="play")
    card = await bot.asks_to_stop(flow, words="a secret reason")
    await bot.slack.clicks(ALICE, card, ids.STOP_FLOW)
    await bot.reads("Call: hung up")
    home = (await opens(bot)).words
    (line,) = [line for line in home.splitlines() if "ended, by this press" in line]
    assert line.endswith(f" · Support line {str(flow.id)[:8]} · ended, by this press · @Alice")
    assert "All about one: /flows audit <id>. Everything you did: /flows audit all me" in home
    assert "You haven’t pressed anything yet" in (await opens(bot, CAROL)).words


async def test_refresh_looks_again(live: Stage, voipbin: World, looping: Activeflow) -> None:
    home = await opens(live)
    voipbin.stop(looping)
    await answers(live, "list")

    async def refreshed(before: View) -> View:
        assert (await live.slack.clicks(ALICE, before, ids.HOME_REFRESH)).error is None
        return await published(live, ALICE, before)

    async with asyncio.timeout(30):
        while "0 running" not in home.words:
            home = await refreshed(home)
    assert "No activeflow that you can view is running" in home.words


# ---------------------------------------------------------------- for whom


async def test_a_viewer_is_told_what_they_may_and_no_more(live: Stage) -> None:
    home = (await opens(live, BOB)).words
    assert "Support line · 1" in home
    assert "view: in any channel" in home
    assert "stop:" not in home
    assert "/flows stop" not in home


async def test_who_may_view_in_a_channel_only_is_shown_nothing_of_what_runs_and_told_where_to_look(
    stage: Stage, looping: Activeflow
) -> None:
    stage.policy.write_text(HERE_ONLY, encoding="utf-8")
    async with stage.start(voipbin_events=True):
        assert str(looping.id)[:8] in (await answers(stage, "list", user=BOB)).words
        home = (await opens(stage, BOB)).words
    assert "You can view activeflows in #incidents. Type /flows list there." in home
    assert "view: in #incidents" in home
    assert "Health of the bot" in home
    for secret in ("Support line", str(looping.id)[:8], "running ·"):
        assert secret not in home


async def test_who_may_view_one_flow_only_sees_nothing_of_the_others(
    stage: Stage, voipbin: World, support: Flow, looping: Activeflow
) -> None:
    menu = voipbin.add_flow("Main menu")
    voipbin.rings(menu, at="play")
    stage.policy.write_text(ONE_FLOW.format(user=BOB, flow=menu.id), encoding="utf-8")
    async with stage.start():
        home = (await opens(stage, BOB)).words
        assert "Main menu · 1" in home
        assert "1 hidden" in home
        assert "view: in any channel, certain flows only" in home
        assert "Support line" not in home
        assert str(looping.id)[:8] not in home


@pytest.mark.parametrize(
    ("user", "said"),
    [
        (GUEST, "this account is a guest, and needs a grant of “view” to its own id"),
        (STRANGER, "this account is from another workspace (Slack Connect)"),
    ],
)
async def test_guests_and_strangers_get_a_page_that_explains_and_shows_nothing(
    live: Stage, voipbin: World, user: str, said: str
) -> None:
    read = len(voipbin.requests)
    home = (await opens(live, user)).words
    assert "You have no permissions yet" in home
    assert said in home
    assert "/flows whoami" in home
    assert "Refresh" in home
    for secret in ("Support line", "running ·", "policy ·", "ledger"):
        assert secret not in home
    assert len(voipbin.requests) == read


async def test_without_a_policy_nobody_may_and_the_page_says_so(stage: Stage) -> None:
    async with stage.start(flows_bot_policy=None):
        assert "the policy gives nobody any permission" in (await opens(stage)).words


# ---------------------------------------------------------------- Show


async def test_show_opens_a_modal_masked_and_without_what_belongs_into_a_channel(
    live: Stage, slack: Workspace, looping: Activeflow
) -> None:
    home = await opens(live)
    assert (await slack.clicks(ALICE, home, ids.SHOW)).error is None
    modal = await slack.until(lambda: next((v for v in slack.views_of(ALICE) if "What stopping" in v.words), None))
    assert isinstance(modal, View)
    assert str(looping.id) in modal.words
    assert "•••••76" in modal.words
    assert "+15550109876" not in modal.words
    assert f"To stop it: /flows stop {str(looping.id)[:8]}, typed in #abroad and #incidents" in modal.words
    assert {button.action_id for button in modal.buttons} == {ids.SHOW_AGAIN}
    calls = len(slack.calls)
    await slack.clicks(ALICE, modal, ids.SHOW_AGAIN)
    again = await slack.until(lambda: next((v for v in slack.views_of(ALICE) if v.hash != modal.hash), None))
    assert isinstance(again, View)
    assert again.id == modal.id
    assert [call.method for call in slack.calls[calls:] if call.method.startswith(("views", "chat"))] == [
        "views.update"
    ]


async def test_show_answers_directly_when_no_modal_can_be_shown(
    live: Stage, slack: Workspace, looping: Activeflow
) -> None:
    home = await opens(live)
    slack.faults.on("views.open", slack_faults.error("expired_trigger_id"))
    await slack.clicks(ALICE, home, ids.SHOW)
    direct = slack.direct_channel(ALICE).id
    message = await live.reads(str(looping.id), channel=direct)
    assert "+15550109876" not in message.words


async def test_show_of_what_is_gone_or_not_open_any_more_is_said_in_the_modal(
    live: Stage, slack: Workspace, voipbin: World, looping: Activeflow
) -> None:
    home = await opens(live)
    scripted = voipbin.faults.on("GET", "/activeflows/{id}", faults.status(404, "ACTIVEFLOW_NOT_FOUND"), times=None)
    await slack.clicks(ALICE, home, ids.SHOW)
    await slack.until(lambda: any("No activeflow matches" in view.words for view in slack.views_of(ALICE)))
    scripted.clear()

"""`/flows list`: what runs and what each is doing, one second after it was asked, and how fresh and complete that
is.
"""

from datetime import timedelta

from bot.activeflows.queries.listing import PAGE
from bot.demo.slack.messages import Message
from bot.demo.slack.workspace import Workspace
from bot.demo.voipbin import faults
from bot.demo.voipbin.state import START, Step
from bot.demo.voipbin.world import World
from bot.slack import ids
from tests.scenarios.conftest import ABROAD, ALICE, BOB, GUEST, INCIDENTS, LOBBY, STRANGER, Stage
from tests.scenarios.typing_at import answers, presses


async def test_alice_sees_what_runs_and_what_each_is_doing(bot: Stage, voipbin: World) -> None:
    voipbin.rings(voipbin.add_flow("Support line"), at="play")
    menu = voipbin.rings(voipbin.add_flow("Main menu"), at="digits_receive")
    answer = await answers(bot, "list")
    assert answer.ephemeral_to == ALICE
    assert answer.words.index("Support line") < answer.words.index("Main menu")
    for words in ("Running", "playing audio", "waiting for keypad input", "2 running", "as of", str(menu.id)[:8]):
        assert words in answer.words
    assert "+1555" not in answer.words


async def test_the_list_begins_with_what_is_wrong_and_other_orders_are_a_word_away(bot: Stage, voipbin: World) -> None:
    flow = voipbin.add_flow("Support line", [Step("talk"), Step("digits_receive"), Step("play")])
    older = voipbin.rings(flow, at="play")
    never_started = voipbin.rings(
        at=START, reference_type="api", created_at=voipbin.clock.instant() - timedelta(hours=3, minutes=12)
    )
    newer = voipbin.rings(flow, at="play", reference_type="campaign")
    loops = voipbin.rings(flow, at="talk", executed=["talk", "digits_receive"] * 5)
    worst = [never_started, loops, older, newer]
    for words, said, expected in (
        ("list", "What is wrong first, then the oldest", worst),
        ("list sort:newest", "The newest first", [loops, newer, older, never_started]),
        ("list sort:oldest", "The oldest first", [never_started, older, newer, loops]),
        ("list type:call", "Only type:call · What is wrong first", [loops, older]),
        ("list is:wrong", "Only is:wrong", [never_started, loops]),
        ("list is:stuck", "Only is:stuck", [never_started]),
    ):
        answer = await answers(bot, words)
        assert said in answer.words
        assert [b.value for b in answer.buttons if b.action_id == ids.SHOW] == [str(a.id) for a in expected]


async def test_pages_keep_the_order_that_was_asked_for(bot: Stage, voipbin: World) -> None:
    flow = voipbin.add_flow("Support line", [Step("talk"), Step("digits_receive"), Step("play")])
    rung = [str(voipbin.rings(flow, at="play").id) for _ in range(PAGE + 3)]
    loops = str(voipbin.rings(flow, at="talk", executed=["talk", "digits_receive"] * 5).id)
    for words, expected in (("list", [loops, *rung]), ("list sort:newest", [loops, *rung[::-1]])):
        first = await answers(bot, words)
        second = await presses(bot, ALICE, first, ids.LIST_NEXT)
        shown = [b.value for page in (first, second) for b in page.buttons if b.action_id == ids.SHOW]
        assert shown == expected


async def test_nothing_runs_and_that_is_said(bot: Stage) -> None:
    answer = await answers(bot, "list")
    assert "No activeflow is running" in answer.words
    assert "/flows list status:ended" in answer.words


async def test_filters_are_said_and_hold(bot: Stage, voipbin: World) -> None:
    voipbin.rings(voipbin.add_flow("Support line"), at="play")
    voipbin.rings(voipbin.add_flow("Campaign"), reference_type="campaign")
    answer = await answers(bot, "list flow:“support line” type:call")
    assert 'flow:"support line" type:call' in answer.words
    assert "1 running" in answer.words
    assert "Campaign" not in answer.words


async def test_a_flow_that_is_not_there_gets_a_name_that_is(bot: Stage, voipbin: World) -> None:
    voipbin.rings(voipbin.add_flow("Support line"), at="play")
    assert "Did you mean Support line?" in (await answers(bot, "list flow:Suport")).words


async def test_pages_turn_in_place_and_every_activeflow_is_on_one_of_them(
    bot: Stage, slack: Workspace, voipbin: World
) -> None:
    flow = voipbin.add_flow("Support line")
    all_ids = {str(voipbin.rings(flow, at="play").id) for _ in range(2 * PAGE + 3)}
    page = await answers(bot, "list")
    before, found = len(slack.sees(ALICE, INCIDENTS)), _shown(page)
    for _ in range(2):
        page = await presses(bot, ALICE, page, ids.LIST_NEXT)
        found |= _shown(page)
    assert found == all_ids
    assert "21–23, page 3 of 3" in page.words
    assert ids.LIST_NEXT not in {button.action_id for button in page.buttons}
    page = await presses(bot, ALICE, page, ids.LIST_PREVIOUS)
    assert "page 2 of 3" in page.words
    assert len(slack.sees(ALICE, INCIDENTS)) == before


async def test_refresh_reads_again_in_place(bot: Stage, slack: Workspace, voipbin: World) -> None:
    page = await answers(bot, "list")
    voipbin.rings(voipbin.add_flow("Support line"), at="play")
    page = await presses(bot, ALICE, page, ids.LIST_REFRESH)
    assert "Support line" in page.words
    assert len(slack.sees(ALICE, INCIDENTS)) == 1


async def test_a_shared_list_is_everybodys_and_each_press_is_decided_anew(
    bot: Stage, slack: Workspace, voipbin: World
) -> None:
    activeflow = voipbin.rings(voipbin.add_flow("Support line"), at="play")
    private = await answers(bot, "list")
    await slack.clicks(ALICE, private, ids.LIST_SHARE)
    shared = await bot.reads("read by @Alice", user=BOB)
    assert shared.ephemeral_to is None
    assert ids.LIST_SHARE not in {button.action_id for button in shared.buttons}
    await slack.clicks(STRANGER, shared, ids.SHOW)
    refusal = await bot.reads("You can't", user=STRANGER)
    assert refusal.ephemeral_to == STRANGER
    assert "Support line" not in refusal.words
    await slack.clicks(BOB, shared, ids.ASK_STOP)
    assert (await bot.reads("You don't have permission to", user=BOB)).ephemeral_to == BOB
    assert bot.posts(activeflow) == 0
    await slack.clicks(BOB, shared, ids.SHOW)
    assert (await bot.reads("What stopping it does", user=BOB)).ephemeral_to == BOB


async def test_a_shared_list_is_read_again_for_all_and_turned_for_one(
    bot: Stage, slack: Workspace, voipbin: World
) -> None:
    flow = voipbin.add_flow("Support line")
    for _ in range(PAGE + 1):
        voipbin.rings(flow, at="play")
    await slack.clicks(ALICE, await answers(bot, "list"), ids.LIST_SHARE)
    shared = await bot.reads("read by @Alice", user=BOB)
    await slack.clicks(BOB, shared, ids.LIST_NEXT)
    assert (await bot.reads("page 2 of 2", user=BOB)).ephemeral_to == BOB
    await slack.clicks(BOB, shared, ids.LIST_REFRESH)
    await slack.until(lambda: "read by @Bob" in slack.message(INCIDENTS, shared.ts).words)
    assert "page 1 of 2" in slack.message(INCIDENTS, shared.ts).words


async def test_a_list_can_be_shared_where_the_bot_is_no_member(bot: Stage, slack: Workspace, voipbin: World) -> None:
    voipbin.rings(voipbin.add_flow("Support line"), at="play")
    private = await answers(bot, "list", channel=ABROAD)
    await slack.clicks(ALICE, private, ids.LIST_SHARE)
    assert (await bot.reads("read by @Alice", user=BOB, channel=ABROAD)).ephemeral_to is None


async def test_whoever_may_only_view_gets_a_list_without_stop(bot: Stage, voipbin: World) -> None:
    voipbin.rings(voipbin.add_flow("Support line"), at="play")
    assert ids.ASK_STOP not in {button.action_id for button in (await answers(bot, "list", user=BOB)).buttons}
    assert ids.ASK_STOP in {button.action_id for button in (await answers(bot, "list")).buttons}
    assert ids.ASK_STOP not in {button.action_id for button in (await answers(bot, "list", channel=LOBBY)).buttons}


async def test_a_guest_is_refused_before_voipbin_is_asked(bot: Stage, voipbin: World) -> None:
    seen = len(voipbin.requests)
    answer = await answers(bot, "list", user=GUEST)
    assert "You can't" in answer.words
    assert "guest" in answer.words
    assert len(voipbin.requests) == seen


async def test_what_is_not_understood_gets_a_line_to_type(bot: Stage, voipbin: World) -> None:
    seen = len(voipbin.requests)
    answer = await answers(bot, "list typ:cal")
    assert "Did you mean /flows list type:call?" in answer.words
    assert len(voipbin.requests) == seen


async def test_a_voipbin_that_is_down_is_said_in_words(bot: Stage, voipbin: World) -> None:
    voipbin.faults.on("GET", "/activeflows", faults.status(503, "SERVICE_UNAVAILABLE"), times=None)
    answer = await answers(bot, "list")
    assert "VoIPBIN cannot be reached" in answer.words
    assert "Nothing was stopped" in answer.words


async def test_a_name_that_is_slow_does_not_hold_up_the_list(bot: Stage, voipbin: World) -> None:
    voipbin.rings(voipbin.add_flow("Support line"), at="play")
    voipbin.faults.on("GET", "/flows/{id}", faults.empty(500), times=None)
    answer = await answers(bot, "list")
    assert "Activeflow without a known flow" in answer.words
    assert "playing audio" in answer.words


async def test_a_hostile_name_is_shown_and_not_obeyed(bot: Stage, slack: Workspace, voipbin: World) -> None:
    name = "<!channel> <http://evil.example|Stop> *x* \u202e" + "y" * 300
    voipbin.rings(voipbin.add_flow(name), at="play")
    answer = await answers(bot, "list")
    assert "<!channel> <http://evil.example|Stop>" in answer.words
    assert "\u202e" not in answer.words
    details = await answers(bot, f"show {_shown(answer).pop()}")
    assert "<!channel>" in details.words
    assert not [call for call in slack.calls if call.answered.get("ok") is False]


async def test_pressing_twice_is_answered_twice_and_never_with_an_error(
    bot: Stage, slack: Workspace, voipbin: World
) -> None:
    voipbin.rings(voipbin.add_flow("Support line"), at="play")
    page = await answers(bot, "list")
    for _ in range(2):
        assert (await slack.clicks(ALICE, page, ids.SHOW)).error is None
    await slack.until(lambda: sum("What stopping it does" in m.words for m in slack.sees(ALICE, INCIDENTS)) == 2)


def _shown(page: Message) -> set[str]:
    return {button.value or "" for button in page.buttons if button.action_id == ids.SHOW}

"""One press less: counts open the list of what they count, a filtered list asks to stop all of it, the oldest fit."""

import re
from datetime import UTC, datetime, timedelta

from bot.demo.slack.messages import Button, Message, View
from bot.demo.slack.workspace import Workspace
from bot.demo.voipbin.state import Activeflow
from bot.demo.voipbin.world import World
from bot.slack import ids
from tests.scenarios.bulk_stage import BulkStage, bulk
from tests.scenarios.conftest import ALICE, BOB, CAROL, INCIDENTS, Stage
from tests.scenarios.home_stage import live, looping, opens, support
from tests.scenarios.typing_at import answers, said_in_the_end

__all__ = ["bulk", "live", "looping", "support"]  # fixtures


def labelled(screen: Message | View, label: str) -> Button:
    (found,) = [button for button in screen.buttons if button.element.get("accessibility_label") == label]
    return found


def shown(screen: Message | View) -> list[str | None]:
    return [button.value for button in screen.buttons if button.action_id == ids.SHOW]


def the_ids(*activeflows: Activeflow) -> list[str]:
    return [str(each.id) for each in activeflows]


async def opened(stage: Stage, screen: Message, button: Button) -> Message:
    """The answer beside the pressed message."""
    seen = {message.ts for message in stage.slack.sees(ALICE, INCIDENTS)}
    delivery = await stage.slack.clicks(ALICE, screen, button.action_id, value=button.value)
    assert delivery.error is None
    return await said_in_the_end(stage, ALICE, INCIDENTS, seen)


async def test_a_line_of_a_count_opens_the_list_of_it(bot: Stage, voipbin: World) -> None:
    line, menu = voipbin.add_flow("Support line"), voipbin.add_flow("Main menu")
    first, second = voipbin.rings(line, at="play"), voipbin.rings(line, at="digits_receive")
    other, chat = voipbin.rings(menu, at="play"), voipbin.rings(line, at="play", reference_type="webchat")
    for words, label, expected in (
        ("list by flow type:call", "List Support line", [first, second]),
        ("list by flow", "List Main menu", [other]),
        ("list by action", "List waiting for keypad input", [second]),
        ("list by action", "List playing audio", [first, other, chat]),
    ):
        counts = await answers(bot, words)
        answer = await opened(bot, counts, labelled(counts, label))
        assert shown(answer) == the_ids(*expected)
        assert ("type:call" in answer.words) == ("type:call" in words)


async def test_a_line_of_the_home_opens_a_list_that_stays_in_its_modal(
    live: Stage, slack: Workspace, looping: Activeflow
) -> None:
    home = await opens(live)
    await slack.clicks(ALICE, home, ids.LIST_OPEN)
    modal = await slack.until(lambda: next((v for v in slack.views_of(ALICE) if shown(v)), None))
    assert isinstance(modal, View)
    assert shown(modal) == the_ids(looping)
    assert {button.action_id for button in modal.buttons} == {ids.SHOW, ids.LIST_REFRESH}
    await slack.clicks(ALICE, modal, ids.LIST_REFRESH)
    await slack.clicks(ALICE, modal, ids.SHOW)
    await slack.until(lambda: any("What stopping" in view.words for view in slack.views_of(ALICE)))


async def test_a_filtered_list_asks_to_stop_all_of_it_for_who_may(
    stage: Stage, bulk: BulkStage, voipbin: World
) -> None:
    line = voipbin.add_flow("Support line")
    loops, others = bulk.ring(3, line), [voipbin.rings(line, at="play", reference_type="webchat")]
    async with stage.start():
        assert ids.LIST_STOP_ALL not in {button.action_id for button in (await answers(stage, "list")).buttons}
        bobs = await answers(stage, "list type:call", user=BOB)
        assert ids.LIST_STOP_ALL not in {button.action_id for button in bobs.buttons}
        listed = await answers(stage, "list type:call")
        card = await opened(stage, listed, labelled(listed, "Stop all of these: posts a card, nothing stops yet"))
        assert "Stop these 3 activeflows?" in card.words
        assert voipbin.stops == []
        await bulk.presses(card, user=CAROL)
        await bulk.over(card)
    assert bulk.running([*loops, *others]) == others


async def test_above_the_ceiling_the_oldest_are_one_press_away_and_the_line_to_type_does_fit(
    stage: Stage, bulk: BulkStage, voipbin: World
) -> None:
    bulk.rules("bulk_limit = 3")
    line, now = voipbin.add_flow("Support line"), datetime.now(UTC)
    rung = [
        voipbin.rings(line, at="digits_receive", created_at=now - timedelta(minutes=age)) for age in (5, 40, 7, 31, 9)
    ]
    oldest = [rung[1], rung[3], rung[4]]
    async with stage.start():
        await stage.slack.types(ALICE, INCIDENTS, "/flows stop all type:call")
        said = await stage.reads("5 activeflows match. The limit is 3")
        (typed,) = re.findall(r"older:[0-9]+[a-z]+", said.words)
        narrowed = await bulk.asks(f"type:call {typed}")
        assert "Stop these 3 activeflows?" in narrowed.words
        card = await opened(stage, said, labelled(said, "Ask to stop the oldest 3; nothing stops yet"))
        assert "The oldest 3 of 5 matches for type:call" in card.words
        assert "Left out, newer than these 3: 2" in card.words
        await bulk.presses(card)
        words = await bulk.over(card)
    assert words.startswith("All 3 have ended")
    assert "2 more match, as of 20" in words
    assert bulk.running(rung) == [each for each in rung if each not in oldest]

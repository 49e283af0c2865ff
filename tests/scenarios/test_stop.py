"""One activeflow, stopped from Slack: who may, what is said, and what VoIPBIN became."""

import asyncio
import re
from datetime import timedelta

from bot.demo.slack.faults import error, status
from bot.demo.slack.messages import Message
from bot.demo.slack.workspace import Workspace
from bot.demo.voipbin.clock import utc_now
from bot.demo.voipbin.world import World
from bot.slack import ids
from tests.scenarios.again import triggered_anew
from tests.scenarios.conftest import ABROAD, ALICE, BOB, CAROL, INCIDENTS, Stage


async def test_alice_stops_a_call_and_everybody_reads_that_it_ended(
    bot: Stage, slack: Workspace, voipbin: World
) -> None:
    activeflow = voipbin.rings(voipbin.add_flow("Support line"), at="digits_receive", source="+15550107777")
    card = await bot.asks_to_stop(activeflow, words="caller is stuck")
    assert "Stop this activeflow?" in card.words
    assert "Support line" in card.words
    assert "caller is stuck" in card.words
    assert "Hangs up on the caller" in card.words
    assert "Cannot be undone" in card.words
    assert "0107777" not in card.words
    assert bot.posts(activeflow) == 0

    delivery = await slack.clicks(ALICE, card, "stop.flow")
    assert delivery.error is None
    said = await bot.reads("Call: hung up", user=BOB)
    assert f"Stopped by @{slack.names[ALICE]}" in said.words
    assert "VoIPBIN shows it ended" in said.words
    assert said.ts == card.ts
    assert not said.buttons
    assert voipbin.activeflow(activeflow.id).status == "ended"
    assert bot.posts(activeflow) == 1


async def test_the_flow_that_starts_on_complete_is_named_before_and_found_after(
    bot: Stage, slack: Workspace, voipbin: World
) -> None:
    survey = voipbin.add_flow("Satisfaction survey")
    activeflow = voipbin.rings(voipbin.add_flow("Support line", on_complete=survey), at="play")
    card = await bot.asks_to_stop(activeflow)
    assert "Starts another activeflow: flow Satisfaction survey" in card.words
    await slack.clicks(ALICE, card, "stop.flow")
    said = await bot.reads("On complete: Satisfaction survey started as")
    child = voipbin.children_of(activeflow)[0]
    assert child.id.hex[:8] in said.words


async def test_it_ended_before_the_press(bot: Stage, slack: Workspace, voipbin: World) -> None:
    activeflow = voipbin.rings(at="play")
    card = await bot.asks_to_stop(activeflow)
    voipbin.ends(activeflow)
    await slack.clicks(ALICE, card, "stop.flow")
    said = await bot.reads("It had already ended")
    assert "Nothing was sent" in said.words
    assert bot.posts(activeflow) == 0


async def test_it_moved_to_another_situation_and_is_asked_about_once_more(
    bot: Stage, slack: Workspace, voipbin: World
) -> None:
    activeflow = voipbin.rings(voipbin.add_flow("Menu"), at="digits_receive")
    card = await bot.asks_to_stop(activeflow)
    voipbin.moves_to(activeflow, "confbridge_join")
    await slack.clicks(ALICE, card, "stop.flow")
    asked = await bot.reads("This call has moved on")
    assert "waiting for keypad input" in asked.words
    assert bot.posts(activeflow) == 0
    # The button that was there before the edit says nothing about the new situation.
    await slack.clicks(BOB, asked, "stop.cancel")
    await bot.reads("You don't have permission to", user=BOB)
    await slack.clicks(ALICE, asked, "stop.flow")
    await bot.reads("Stopped by")
    assert bot.posts(activeflow) == 1


async def test_a_press_on_the_card_as_it_was_before_it_changed_stops_nothing(
    bot: Stage, slack: Workspace, voipbin: World
) -> None:
    activeflow = voipbin.rings(voipbin.add_flow("Menu"), at="digits_receive")
    card = await bot.asks_to_stop(activeflow)
    old = next(button.value for button in card.buttons if button.action_id == "stop.flow")
    voipbin.moves_to(activeflow, "confbridge_join")
    await slack.clicks(ALICE, card, "stop.flow")
    await bot.reads("This call has moved on")
    replay = triggered_anew(slack.deliveries[-1].body)
    await slack.delivers(replay, slack.signed(replay))
    new = next(button.value for button in bot.card().buttons if button.action_id == "stop.flow")
    assert new != old
    assert bot.posts(activeflow) == 0


async def test_progress_within_the_same_situation_does_not_ask_again(
    bot: Stage, slack: Workspace, voipbin: World
) -> None:
    activeflow = voipbin.rings(at="play")
    card = await bot.asks_to_stop(activeflow)
    voipbin.moves_to(activeflow, "play")
    await slack.clicks(ALICE, card, "stop.flow")
    await bot.reads("Stopped by")


async def test_now_skips_the_second_question(bot: Stage, slack: Workspace, voipbin: World) -> None:
    activeflow = voipbin.rings(at="digits_receive")
    card = await bot.asks_to_stop(activeflow, words="now it must go")
    voipbin.moves_to(activeflow, "confbridge_join")
    await slack.clicks(ALICE, card, "stop.flow")
    await bot.reads("Stopped by")


async def test_a_card_can_be_put_away(bot: Stage, slack: Workspace, voipbin: World) -> None:
    activeflow = voipbin.rings(at="play")
    card = await bot.asks_to_stop(activeflow)
    await slack.clicks(ALICE, card, "stop.cancel")
    said = await bot.reads("cancelled this card")
    assert not said.buttons
    assert bot.posts(activeflow) == 0


async def test_a_card_says_the_day_on_which_its_activeflow_began(bot: Stage, voipbin: World) -> None:
    """Else what is left over for days looks like today's."""
    began = utc_now() - timedelta(days=3)
    card = await bot.asks_to_stop(voipbin.rings(at="play", created_at=began))
    assert f"began {began:%Y-%m-%d %H:%M:%S} UTC" in card.words
    assert f"began <!date^{int(began.timestamp())}^{{time_secs}} {{date_short_pretty}}|" in str(card.blocks)


async def test_the_time_to_press_ends(stage: Stage, slack: Workspace, voipbin: World) -> None:
    stage.policy.write_text(stage.policy.read_text() + '\n[rules]\nconfirm_within = "1s"\n')
    activeflow = voipbin.rings(at="play")
    async with stage.start():
        card = await stage.asks_to_stop(activeflow)
        await asyncio.sleep(1.1)
        await slack.clicks(ALICE, card, "stop.flow")
        await stage.reads("This card has expired")
        await stage.reads("Expired. Nothing was stopped.", user=BOB)
    assert stage.posts(activeflow) == 0


async def test_two_people_press_at_the_same_moment(bot: Stage, slack: Workspace, voipbin: World) -> None:
    activeflow = voipbin.rings(at="play")
    card = await bot.asks_to_stop(activeflow)
    await asyncio.gather(slack.clicks(ALICE, card, "stop.flow"), slack.clicks(CAROL, card, "stop.flow"))
    await bot.reads("Stopped by")
    await slack.until(
        lambda: any(
            words in message.words
            for user in (ALICE, CAROL)
            for message in slack.sees(user, INCIDENTS)
            if message.ephemeral_to == user
            for words in ("is stopping it already", "was already used")
        )
    )
    assert bot.posts(activeflow) == 1


async def test_the_same_signed_request_for_a_stop_makes_one_card(
    stage: Stage, slack: Workspace, voipbin: World
) -> None:
    one, other = voipbin.rings(at="play"), voipbin.rings(at="talk")
    async with stage.start():
        await stage.asks_to_stop(one)
        typed = slack.deliveries[-1]
        await slack.types(ALICE, INCIDENTS, f"/flows show {other.id}")
        shown = await stage.reads("Steps so far")
        pressed = await slack.clicks(ALICE, shown, ids.ASK_STOP)
        await slack.until(lambda: len(_cards(slack)) == 2)
        for first in (typed, pressed):
            assert (await slack.delivers(first.body, first.headers)).status == 200
            assert (await slack.delivers(first.body, slack.signed(first.body))).status == 200
    assert len(_cards(slack)) == 2  # and nothing is under way any more


def _cards(slack: Workspace) -> list[Message]:
    return [message for message in slack.sees(ALICE, INCIDENTS) if "Asked by" in message.words]


async def test_the_same_signed_press_delivered_twice_is_carried_out_once_whatever_the_front_door_remembers(
    bot: Stage, slack: Workspace, voipbin: World
) -> None:
    activeflow = voipbin.rings(at="play")
    card = await bot.asks_to_stop(activeflow)
    first = await slack.clicks(ALICE, card, "stop.flow")
    again = triggered_anew(first.body)
    assert (await slack.delivers(again, slack.signed(again))).status == 200
    await bot.reads("Stopped by")
    assert bot.posts(activeflow) == 1


async def test_where_the_bot_is_no_member_the_card_still_works(bot: Stage, slack: Workspace, voipbin: World) -> None:
    activeflow = voipbin.rings(at="play")
    card = await bot.asks_to_stop(activeflow, channel=ABROAD)
    await slack.clicks(ALICE, card, "stop.flow")
    said = await bot.reads("Stopped by", user=BOB, channel=ABROAD)
    assert said.ts == card.ts


async def test_when_no_way_to_the_card_is_left_the_presser_is_told(
    bot: Stage, slack: Workspace, voipbin: World
) -> None:
    activeflow = voipbin.rings(at="play")
    card = await bot.asks_to_stop(activeflow)
    slack.faults.on("chat.update", error("cant_update_message"), times=None)
    slack.faults.on("response_url", status(404, b"used_url"), times=None)
    await slack.clicks(ALICE, card, "stop.flow")
    said = await bot.reads("card in the channel could not be changed", user=ALICE)
    assert said.ephemeral_to == ALICE or said.channel != INCIDENTS
    assert voipbin.activeflow(activeflow.id).status == "ended"


async def test_every_button_carries_an_id_and_nothing_else(bot: Stage, slack: Workspace, voipbin: World) -> None:
    activeflow = voipbin.rings(at="play", source="+15550107777")
    card = await bot.asks_to_stop(activeflow, words="very secret reason")
    for button in card.buttons:
        assert re.fullmatch(r"[0-9a-f]{32}", button.value or "")


async def test_a_zombie_is_stopped_although_its_call_is_long_gone(bot: Stage, slack: Workspace, voipbin: World) -> None:
    activeflow = voipbin.rings(at="play", created_at=utc_now() - timedelta(hours=3), call_status="hangup")
    card = await bot.asks_to_stop(activeflow)
    assert "Hangs up on the caller" not in card.words
    await slack.clicks(ALICE, card, "stop.flow")
    await bot.reads("Stopped by")

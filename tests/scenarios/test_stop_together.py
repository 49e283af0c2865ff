"""Stops that need more than one person, a reason, or something after the end."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.demo.slack.faults import error
from bot.demo.slack.messages import Message
from bot.demo.slack.workspace import Workspace
from bot.demo.voipbin import faults
from bot.demo.voipbin.faults import empty
from bot.demo.voipbin.state import Step
from bot.demo.voipbin.world import World
from tests.scenarios.conftest import ABROAD, ALICE, BOB, CAROL, GUEST, INCIDENTS, LOBBY, Stage


def rules(stage: Stage, text: str) -> None:
    stage.policy.write_text(stage.policy.read_text() + f"\n[rules]\n{text}\n")


# ---------------------------------------------------------------- reasons


async def test_a_press_without_a_reason_is_asked_for_one(stage: Stage, slack: Workspace, voipbin: World) -> None:
    rules(stage, "reason_required = true")
    activeflow = voipbin.rings(at="play")
    async with stage.start():
        card = await stage.asks_to_stop(activeflow)
        await slack.clicks(ALICE, card, "stop.flow")
        await slack.until(lambda: slack.views_of(ALICE))
        view = slack.views_of(ALICE)[-1]
        assert "Hangs up" in view.words
        assert stage.posts(activeflow) == 0
        await slack.submits(ALICE, view, {"stop.reason": {"stop.reason": " "}})
        assert stage.posts(activeflow) == 0
        await slack.submits(ALICE, slack.views_of(ALICE)[-1], {"stop.reason": {"stop.reason": "loops since noon"}})
        said = await stage.reads("Stopped by", user=BOB)
        assert "loops since noon" in said.words
        assert stage.posts(activeflow) == 1


async def test_a_press_whose_reason_took_long_is_of_when_the_reason_was_given(
    stage: Stage, slack: Workspace, voipbin: World
) -> None:
    rules(stage, "reason_required = true")
    late = [timedelta(0)]
    stage.wall = lambda: datetime.now(UTC) + late[0]
    stage.patience = replace(stage.patience, in_hand_after=0.0)
    activeflow = voipbin.rings(at="play")
    async with stage.start():
        card = await stage.asks_to_stop(activeflow)
        await slack.clicks(ALICE, card, "stop.flow")
        await slack.until(lambda: slack.views_of(ALICE))
        late[0] = timedelta(minutes=3)
        given = stage.wall().replace(microsecond=0)
        look = faults.hold()
        voipbin.faults.on("GET", "/activeflows/{id}", look)
        await slack.submits(ALICE, slack.views_of(ALICE)[-1], {"stop.reason": {"stop.reason": "loops since noon"}})
        said = await stage.reads("pressed Stop flow at ")
        look.release()
        await stage.reads("Stopped by")
    at = said.words.partition("pressed Stop flow at ")[2][:19]
    assert datetime.fromisoformat(f"{at}+00:00") >= given


async def test_a_reason_on_the_card_is_enough(stage: Stage, slack: Workspace, voipbin: World) -> None:
    rules(stage, "reason_required = true")
    activeflow = voipbin.rings(at="play")
    async with stage.start():
        card = await stage.asks_to_stop(activeflow, words="loops since noon")
        await slack.clicks(ALICE, card, "stop.flow")
        await stage.reads("Stopped by")
        assert not slack.views_of(ALICE)


async def test_the_modal_that_asks_is_not_a_way_around_the_permission(
    stage: Stage, slack: Workspace, voipbin: World
) -> None:
    rules(stage, "reason_required = true")
    activeflow = voipbin.rings(at="play")
    async with stage.start():
        card = await stage.asks_to_stop(activeflow)
        await slack.clicks(BOB, card, "stop.flow")
        await slack.until(lambda: slack.views_of(BOB))
        await slack.submits(BOB, slack.views_of(BOB)[-1], {"stop.reason": {"stop.reason": "please"}})
        await stage.reads("You can't stop this", user=BOB)
    assert stage.posts(activeflow) == 0


# ---------------------------------------------------------------- asking those who may


async def test_bob_may_not_and_asks_and_carols_press_counts(bot: Stage, slack: Workspace, voipbin: World) -> None:
    activeflow = voipbin.rings(voipbin.add_flow("Support line"), at="play")
    await slack.types(BOB, INCIDENTS, f"/flows stop {activeflow.id} caller is stuck")
    refusal = await bot.reads("You don't have permission to", user=BOB)
    await slack.clicks(BOB, refusal, "stop.ask_others")
    card = await bot.reads("can't stop this and asks", user=CAROL)
    assert f"@{slack.names[ALICE]}" in card.words
    assert "@oncall" in card.words
    assert "caller is stuck" in card.words
    assert bot.posts(activeflow) == 0
    await slack.clicks(BOB, card, "stop.flow")
    await bot.reads("You can't stop this", user=BOB)
    await slack.clicks(CAROL, card, "stop.flow")
    said = await bot.reads(f"Stopped by @{slack.names[CAROL]}", user=BOB)
    assert f"Asked by @{slack.names[BOB]}" in said.words
    assert bot.posts(activeflow) == 1


async def test_nobody_approves_their_own_even_with_a_new_permission(
    stage: Stage, slack: Workspace, voipbin: World
) -> None:
    activeflow = voipbin.rings(at="play")
    async with stage.start():
        await slack.types(BOB, INCIDENTS, f"/flows stop {activeflow.id}")
        refusal = await stage.reads("You don't have permission to", user=BOB)
        await slack.clicks(BOB, refusal, "stop.ask_others")
        card = await stage.reads("can't stop this and asks", user=BOB)
        slack.add_group("S0ONCALL", "oncall", [BOB, CAROL])
        await slack.clicks(BOB, card, "stop.flow")
        await stage.reads("A stop needs two people", user=BOB)
    assert stage.posts(activeflow) == 0


async def test_the_question_goes_to_the_channel_of_the_rules(stage: Stage, slack: Workspace, voipbin: World) -> None:
    rules(stage, f'ask_in = "{INCIDENTS}"')
    activeflow = voipbin.rings(at="play")
    async with stage.start():
        await slack.types(BOB, LOBBY, f"/flows stop {activeflow.id}")
        refusal = await stage.reads("You don't have permission to", user=BOB, channel=LOBBY)
        await slack.clicks(BOB, refusal, "stop.ask_others")
        card = await stage.reads("can't stop this and asks", user=CAROL, channel=INCIDENTS)
        await slack.clicks(CAROL, card, "stop.flow")
        await stage.reads("Stopped by", user=CAROL, channel=INCIDENTS)


async def test_a_refused_presser_can_ask_for_the_card_to_be_pressed(
    bot: Stage, slack: Workspace, voipbin: World
) -> None:
    activeflow = voipbin.rings(at="play")
    card = await bot.asks_to_stop(activeflow)
    await slack.clicks(BOB, card, "stop.flow")
    refusal = await bot.reads("You can't stop this", user=BOB)
    await slack.clicks(BOB, refusal, "stop.ask_others")
    note = await slack.until(lambda: _note(slack))
    assert note.thread_ts == card.ts


def _note(slack: Workspace) -> Message | None:
    return next((m for m in slack.sees(ALICE, INCIDENTS) if "to press this card" in m.words), None)


async def test_nobody_is_said_to_be_asked_where_the_card_cannot_be_posted(
    stage: Stage, slack: Workspace, voipbin: World
) -> None:
    rules(stage, f'ask_in = "{ABROAD}"')
    activeflow = voipbin.rings(at="play")
    async with stage.start():
        await slack.types(BOB, INCIDENTS, f"/flows stop {activeflow.id}")
        await slack.clicks(BOB, await stage.reads("You don't have permission to", user=BOB), "stop.ask_others")
        await stage.reads("The stop card could not be posted", user=BOB, channel=slack.direct_channel(BOB).id)
    assert not [m for m in slack.sees(BOB, INCIDENTS) if "Asked in" in m.words]


async def test_nobody_is_said_to_be_asked_to_press_where_that_cannot_be_posted(
    bot: Stage, slack: Workspace, voipbin: World
) -> None:
    card = await bot.asks_to_stop(voipbin.rings(at="play"))
    await slack.clicks(BOB, card, "stop.flow")
    refusal = await bot.reads("You can't stop this", user=BOB)
    slack.faults.on("chat.postMessage", error("is_archived"))
    slack.faults.on("response_url", error("expired_url"))
    await slack.clicks(BOB, refusal, "stop.ask_others")
    await bot.reads("Nobody was asked: please ask them yourself", user=BOB)
    assert not [m for m in slack.sees(BOB, INCIDENTS) if "Asked in" in m.words]


async def test_asked_from_a_direct_message_the_card_stands_where_it_was_typed(
    bot: Stage, slack: Workspace, voipbin: World
) -> None:
    activeflow, place = voipbin.rings(at="play"), slack.direct_channel(BOB).id
    slack.faults.on("response_url", error("expired_url"))
    slack.faults.on("chat.postEphemeral", error("user_not_in_channel"))
    await slack.types(BOB, INCIDENTS, f"/flows stop {activeflow.id}")
    refusal = await bot.reads("You don't have permission to", user=BOB, channel=place)
    await slack.clicks(BOB, refusal, "stop.ask_others")
    assert (await bot.reads("can't stop this and asks", user=CAROL)).channel == INCIDENTS


async def test_who_may_see_nothing_is_offered_nothing(bot: Stage, slack: Workspace, voipbin: World) -> None:
    activeflow = voipbin.rings(voipbin.add_flow("Secret line"), at="play")
    await slack.types(GUEST, INCIDENTS, f"/flows stop {activeflow.id}")
    refusal = await bot.reads("You can't", user=GUEST)
    assert not refusal.buttons
    assert "Secret line" not in refusal.words


# ---------------------------------------------------------------- approvals


async def test_an_approver_presses_what_somebody_who_may_stop_asked_for(
    stage: Stage, slack: Workspace, voipbin: World
) -> None:
    stage.policy.write_text(
        stage.policy.read_text() + f'\n[[grant]]\nto = ["{BOB}"]\nmay = ["approve"]\n[rules]\ntwo_person = ["stop"]\n'
    )
    activeflow = voipbin.rings(at="play")
    async with stage.start():
        card = await stage.asks_to_stop(activeflow, user=CAROL)
        await slack.clicks(CAROL, card, "stop.flow")
        await stage.reads("A stop needs two people", user=CAROL)
        await slack.clicks(BOB, card, "stop.flow")
        await stage.reads(f"Stopped by @{slack.names[BOB]}")
    assert stage.posts(activeflow) == 1


async def test_an_approval_needs_an_asker_who_still_may(stage: Stage, slack: Workspace, voipbin: World) -> None:
    stage.policy.write_text(stage.policy.read_text() + f'\n[[grant]]\nto = ["{BOB}"]\nmay = ["approve"]\n')
    activeflow = voipbin.rings(at="play")
    async with stage.start():
        card = await stage.asks_to_stop(activeflow, user=CAROL)
        slack.groups["S0ONCALL"].members.clear()
        await slack.clicks(BOB, card, "stop.flow")
        await stage.reads("You can't stop this", user=BOB)
    assert stage.posts(activeflow) == 0


# ---------------------------------------------------------------- after the end


async def test_a_call_that_stays_up_can_be_hung_up(bot: Stage, slack: Workspace, voipbin: World) -> None:
    voipbin.telephony.loses_hangups = True
    activeflow = voipbin.rings(voipbin.add_flow("Support line"), at="play")
    card = await bot.asks_to_stop(activeflow)
    await slack.clicks(ALICE, card, "stop.flow")
    up = await bot.reads("Call: still up")
    await slack.clicks(BOB, up, "call.hang_up")
    await bot.reads("You can't stop this", user=BOB)
    voipbin.telephony.loses_hangups = False
    await slack.clicks(ALICE, up, "call.hang_up")
    said = await bot.reads(f"after @{slack.names[ALICE]} pressed")
    assert "Call: hung up" in said.words
    assert "Stopped by" in said.words
    call = voipbin.call_of(activeflow)
    assert call is not None
    assert call.status == "hangup"


async def test_the_next_activeflow_has_its_own_stop(bot: Stage, slack: Workspace, voipbin: World) -> None:
    survey = voipbin.add_flow("Satisfaction survey", [Step("play", lasts=600)])
    activeflow = voipbin.rings(voipbin.add_flow("Support line", on_complete=survey), at="play")
    card = await bot.asks_to_stop(activeflow)
    await slack.clicks(ALICE, card, "stop.flow")
    said = await bot.reads("On complete: Satisfaction survey started as")
    await slack.clicks(ALICE, said, "activeflow.ask_stop")
    child = voipbin.children_of(activeflow)[0]
    await slack.until(
        lambda: [m for m in slack.sees(BOB, INCIDENTS) if child.id.hex[:8] in m.words and m.ts != card.ts]
    )


async def test_the_way_out_without_the_bot_stands_on_the_card(bot: Stage, voipbin: World) -> None:
    activeflow = voipbin.rings(at="play")
    card = await bot.asks_to_stop(activeflow)
    assert f"vn activeflows stop {activeflow.id}" in card.words
    assert voipbin.access_key not in card.words


@pytest.mark.parametrize("unread", [False, True])
async def test_who_presses_second_never_overwrites_what_the_first_press_did(
    unread: bool, bot: Stage, slack: Workspace, voipbin: World
) -> None:
    activeflow = voipbin.rings(voipbin.add_flow("Campaign"), at="play", reference_type="campaign")
    card = await bot.asks_to_stop(activeflow)
    stopped = faults.hold(after_work=True)
    voipbin.faults.on("POST", "/activeflows/{id}/stop", stopped)
    await slack.clicks(ALICE, card, "stop.flow")
    await stopped.arrived()
    if unread:
        voipbin.faults.on("GET", "/activeflows/{id}", faults.status(403, "ACCOUNT_FROZEN"))
    await slack.clicks(CAROL, card, "stop.flow")
    await bot.reads("is stopping it already", user=CAROL)
    stopped.release()
    assert (await bot.reads("Stopped by @Alice", user=BOB)).ts == card.ts
    await slack.clicks(CAROL, card, "stop.flow")
    await bot.reads("This card was already used", user=CAROL)
    assert bot.posts(activeflow) == 1


async def test_the_way_out_stands_on_a_failure_too(bot: Stage, slack: Workspace, voipbin: World) -> None:
    activeflow = voipbin.rings(at="play")
    voipbin.faults.on("*", "*", empty(503), times=None)
    await slack.types(ALICE, INCIDENTS, f"/flows stop {activeflow.id}")
    assert f"vn activeflows stop {activeflow.id}" in (await bot.reads("VoIPBIN cannot be reached")).words
    await slack.types(ALICE, INCIDENTS, f"/flows stop {activeflow.id.hex[:8]}")
    await bot.reads(f"vn activeflows stop {activeflow.id.hex[:8]}…")

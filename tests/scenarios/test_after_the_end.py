"""What a card says once its activeflow has ended: of the call, of whoever presses then, and of the reason; and the
record.
"""

from dataclasses import replace

import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from bot.demo.slack.workspace import Workspace
from bot.demo.voipbin import faults
from bot.demo.voipbin.world import World
from tests.scenarios.conftest import ALICE, BOB, CAROL, INCIDENTS, Stage
from tests.scenarios.typing_at import answers

_AUDITOR = f'\n[[grant]]\nto = ["{BOB}"]\nmay = ["audit"]\n'


def rules(stage: Stage, text: str) -> None:
    stage.policy.write_text(stage.policy.read_text(encoding="utf-8") + text, encoding="utf-8")


async def only_looks(work: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    """A hang-up that is answered and has no effect."""
    await work({**scope, "method": "GET", "path": scope["path"].removesuffix("/hangup")}, receive, send)


async def test_the_call_is_told_as_it_goes_hanging_up_then_hung_up(
    stage: Stage, slack: Workspace, voipbin: World
) -> None:
    voipbin.telephony.hangup_after = 60.0
    stage.patience = replace(stage.patience, after=(0.0, *(0.05,) * 200))
    activeflow = voipbin.rings(at="play")
    async with stage.start():
        card = await stage.asks_to_stop(activeflow)
        await slack.clicks(ALICE, card, "stop.flow")
        said = await stage.reads("Call: hanging up, as of")
        assert "Stopped by @Alice" in said.words
        call = voipbin.call_of(activeflow)
        assert call is not None
        voipbin.telephony.hung_up(call, by="local")
        assert "hung up at" in (await stage.reads("Call: hung up")).words


@pytest.mark.slow
async def test_a_call_is_not_called_up_before_its_hang_up_had_time_to_come(
    stage: Stage, slack: Workspace, voipbin: World
) -> None:
    voipbin.telephony.loses_hangups = True
    stage.patience = replace(stage.patience, after=(0.0, 0.0, 0.0, 60.0))
    activeflow = voipbin.rings(at="play")
    async with stage.start():
        card = await stage.asks_to_stop(activeflow)
        await slack.clicks(ALICE, card, "stop.flow")
        said = await stage.reads("Call: checking whether it was hung up…")
        await slack.until(lambda: len(voipbin.requests_to("GET", f"/calls/{activeflow.reference_id}")) >= 4)
        assert "still up" not in slack.message(INCIDENTS, said.ts).words


async def test_who_hung_a_call_up_is_not_forgotten_while_the_card_still_follows_it(
    stage: Stage, slack: Workspace, voipbin: World
) -> None:
    voipbin.telephony.loses_hangups = True
    stage.patience = replace(stage.patience, after=(0.0, 0.0, 0.0, 0.0, 2.0))
    activeflow = voipbin.rings(at="play")
    async with stage.start():
        card = await stage.asks_to_stop(activeflow)
        await slack.clicks(ALICE, card, "stop.flow")
        await slack.clicks(CAROL, await stage.reads("Call: still up"), "call.hang_up")
        await stage.reads("after @Carol pressed")
    assert "Call: hung up" in slack.message(INCIDENTS, card.ts).words
    assert "after @Carol pressed" in slack.message(INCIDENTS, card.ts).words


@pytest.mark.parametrize("trouble", ["VoIPBIN refuses it", "VoIPBIN takes it and does nothing"])
async def test_a_press_on_hang_up_that_did_nothing_is_said_and_can_be_made_again(
    trouble: str, stage: Stage, slack: Workspace, voipbin: World
) -> None:
    rules(stage, _AUDITOR)
    voipbin.telephony.loses_hangups = True
    activeflow = voipbin.rings(at="play")
    fault = only_looks if trouble.startswith("VoIPBIN takes") else faults.status(500, "INTERNAL")
    sent = 1 if fault is only_looks else 2  # one that may have been lost is sent once more
    voipbin.faults.on("POST", "/calls/{id}/hangup", fault, times=sent)
    async with stage.start():
        card = await stage.asks_to_stop(activeflow)
        await slack.clicks(ALICE, card, "stop.flow")
        up = await stage.reads("Call: still up")
        assert f"vn calls hangup {activeflow.reference_id}" in up.words
        await slack.clicks(CAROL, up, "call.hang_up")
        said = await stage.reads("@Carol pressed Hang up the call:")
        assert "Call: still up, as of 20" in said.words
        assert "Stopped by @Alice" in said.words
        await slack.clicks(ALICE, said, "call.hang_up")
        assert "Call: hung up" in (await stage.reads("after @Alice pressed")).words
        record = (await answers(stage, "audit all", user=BOB)).words
    assert record.count("pressed Hang up the call") == 2
    assert record.count("sending the hang-up of the call") == sent + 1
    assert record.count("pressed Stop flow") == 1
    assert "outcome: the call was hung up" in record
    assert "outcome: the call is still up" in record


async def test_a_call_that_cannot_be_read_can_be_hung_up_all_the_same(
    bot: Stage, slack: Workspace, voipbin: World
) -> None:
    activeflow = voipbin.rings(at="play")
    card = await bot.asks_to_stop(activeflow)
    broken = voipbin.faults.on("GET", "/calls/{id}", faults.status(503, "SERVICE_UNAVAILABLE"), times=None)
    await slack.clicks(ALICE, card, "stop.flow")
    said = await bot.reads("Call: not known whether it was hung up")
    broken.clear()
    await slack.clicks(ALICE, said, "call.hang_up")
    await bot.reads("Call: hung up")


async def test_a_reason_given_at_the_press_is_its_givers_and_stays_when_others_press(
    stage: Stage, slack: Workspace, voipbin: World
) -> None:
    rules(stage, '\n[rules]\nreason_required = true\ntwo_person = ["stop"]\n')
    voipbin.telephony.loses_hangups = True
    activeflow = voipbin.rings(at="play")
    async with stage.start():
        card = await stage.asks_to_stop(activeflow)
        await slack.clicks(CAROL, card, "stop.flow")
        await slack.until(lambda: slack.views_of(CAROL))
        await slack.submits(CAROL, slack.views_of(CAROL)[-1], {"stop.reason": {"stop.reason": "loops since noon"}})
        up = await stage.reads("Call: still up")
        assert "Reason from @Carol: loops since noon" in up.words
        assert "Asked by @Alice: loops" not in up.words
        voipbin.telephony.loses_hangups = False
        await slack.clicks(ALICE, up, "call.hang_up")
        hung_up = await stage.reads(
            "after @Alice pressed"
        )  # whoever follows the call may say sooner that it is hung up
        assert "Call: hung up" in hung_up.words
        assert "Reason from @Carol: loops since noon" in hung_up.words
        record = (await answers(stage, "audit all")).words
    assert "outcome: the call was hung up" in record
    assert record.count("reason: “loops since noon”") == 3


async def test_the_card_of_a_stop_asked_for_with_now_says_so(bot: Stage, voipbin: World) -> None:
    card = await bot.asks_to_stop(voipbin.rings(at="play"), words="now it loops")
    assert "a press stops it even if it has moved on" in card.words


async def test_every_result_has_its_receipt_and_while_it_is_stopped_the_way_out(
    bot: Stage, slack: Workspace, voipbin: World
) -> None:
    activeflow = voipbin.rings(at="play")
    held = faults.hold()
    voipbin.faults.on("POST", "/activeflows/{id}/stop", held)
    card = await bot.asks_to_stop(activeflow)
    await slack.clicks(ALICE, card, "stop.flow")
    assert f"vn activeflows stop {activeflow.id}" in (await bot.reads("Stopping…")).words
    held.release()
    await bot.reads("Receipt")
    other = voipbin.rings(at="play")
    voipbin.faults.on("POST", "/activeflows/{id}/stop", faults.status(403, "ACCOUNT_FROZEN"))
    card = await bot.asks_to_stop(other)
    await slack.clicks(ALICE, card, "stop.flow")
    assert "Receipt" in (await bot.reads("Nothing was stopped")).words


@pytest.mark.parametrize("call", ["read", "unread"])
async def test_a_caller_who_hangs_up_just_before_the_stop_reaches_it_is_not_called_stopped(
    call: str, bot: Stage, slack: Workspace, voipbin: World
) -> None:
    """VoIPBIN answers such a stop as if it had ended the activeflow; the call's own time says that it did not."""
    activeflow = voipbin.rings(voipbin.add_flow("Support line"), at="play")
    held = faults.hold()
    voipbin.faults.on("POST", "/activeflows/{id}/stop", held)
    card = await bot.asks_to_stop(activeflow)
    await slack.clicks(ALICE, card, "stop.flow")
    await held.arrived()
    voipbin.caller_hangs_up(activeflow)
    if call == "unread":
        voipbin.faults.on("GET", "/calls/{id}", faults.status(503, "SERVICE_UNAVAILABLE"), times=None)
    held.release()
    said = await bot.reads("Receipt")
    assert said.words.startswith("Ended")
    assert "Stopped by" not in said.words
    expected = "or the caller hung up just before" if call == "unread" else "It ended by itself"
    assert expected in said.words
    assert [stop.changed for stop in voipbin.stops] == [False]


@pytest.mark.parametrize("first", ["the stop", "the caller"])
async def test_a_call_that_is_read_late_clears_up_whose_doing_the_end_was(
    first: str, stage: Stage, slack: Workspace, voipbin: World
) -> None:
    stage.patience = replace(stage.patience, side_look=0.2)
    activeflow = voipbin.rings(voipbin.add_flow("Support line"), at="play")
    sending, reading = faults.hold(), faults.hold()
    voipbin.faults.on("POST", "/activeflows/{id}/stop", sending)
    async with stage.start():
        card = await stage.asks_to_stop(activeflow)
        await slack.clicks(ALICE, card, "stop.flow")
        await sending.arrived()
        voipbin.faults.on("GET", "/calls/{id}", reading)
        if first == "the caller":
            voipbin.caller_hangs_up(activeflow)
        sending.release()
        await stage.reads("or the caller hung up just before")
        reading.release()
        said = await stage.reads("Stopped by @Alice" if first == "the stop" else "It ended by itself")
        assert said.words.startswith("Stopped" if first == "the stop" else "Ended")


async def test_a_hang_up_that_was_sent_is_not_called_unsent(bot: Stage, slack: Workspace, voipbin: World) -> None:
    """By what whoever pressed reads when it takes long."""
    voipbin.telephony.loses_hangups = True
    activeflow = voipbin.rings(at="play")
    card = await bot.asks_to_stop(activeflow)
    await slack.clicks(ALICE, card, "stop.flow")
    up = await bot.reads("Call: still up")
    hanging_up = faults.hold()
    voipbin.faults.on("POST", "/calls/{id}/hangup", hanging_up)
    await slack.clicks(CAROL, up, "call.hang_up")
    await hanging_up.arrived()
    said = await bot.reads("Your press is recorded", user=CAROL)
    assert "Nothing has been sent" not in said.words
    hanging_up.release()
    await bot.reads("after @Carol pressed")

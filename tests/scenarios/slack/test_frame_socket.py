"""The same deliveries through the socket: acked always, reconnected, ready only when it hears."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from bot.demo.slack import Workspace
from bot.demo.slack.faults import error, hold
from bot.slack.gestures import Gesture
from bot.slack.socket_mode import NotConnected, SocketMode
from tests.scenarios.slack.frame import Frame, said, there


@asynccontextmanager
async def socket(frame: Frame, **pace: float) -> AsyncIterator[tuple[Workspace, SocketMode]]:
    slack = frame.workspace
    slack.socket_mode = True
    mode = SocketMode(frame.intake, frame.client, slack.app_token, **pace)
    await mode.open()
    try:
        await slack.until(lambda: slack.socket.connected)
        yield slack, mode
    finally:
        await mode.close()


async def test_a_command_and_a_press_come_through_the_socket(frame: Frame) -> None:
    async with socket(frame) as (slack, mode):
        assert await mode.ready() == ""
        delivery = await slack.types("U0ALICE", "C0INC", "/flows show payload")
        assert (delivery.status, delivery.error) == (200, None)
        (shown,) = await slack.until(lambda: slack.sees("U0ALICE", "C0INC"))
        assert "heard show payload" in shown.words
        assert (await slack.clicks("U0ALICE", shown, "press")).error is None
        assert frame.gestures[-1].ephemeral
        assert (await slack.tells({"type": "user_change", "user": {"id": "U0BOB"}})).error is None
        assert "event U0BOB" in frame.texts
    assert await mode.ready() != ""
    await slack.until(lambda: not slack.socket.connected)


async def test_what_nobody_listens_for_is_acked_and_told_so(frame: Frame) -> None:
    async with socket(frame) as (slack, _):
        frame.workspace.commands["/other"] = slack.commands["/flows"]
        delivery = await slack.types("U0ALICE", "C0INC", "/other words")
        assert delivery.error is None
        (told,) = await slack.until(lambda: slack.sees("U0ALICE", "C0INC"))
        assert "Nothing was stopped" in told.words
        posted = there(await frame.teller.publicly(Gesture("U0ALICE", slack.team_id, "C0INC"), said("card")))
        pressed = await slack.clicks("U0ALICE", slack.message("C0INC", posted.ts), "stop")
        assert pressed.error is None
        answered = [frame_ for frame_ in slack.socket.frames if frame_.get("envelope_id")]
        assert len(answered) == 2


async def test_a_foreign_envelope_is_acked_and_never_dispatched(frame: Frame) -> None:
    async with socket(frame) as (slack, _):
        slack.team_id = "T0FOREIGN"
        slack.users["U0ALICE"].team_id = "T0FOREIGN"
        assert (await slack.types("U0ALICE", "C0INC", "/flows list")).error is None
        assert frame.gestures == []


async def test_a_bad_token_is_said_at_once_and_not_tried_for_ever(frame: Frame) -> None:
    mode = SocketMode(frame.intake, frame.client, "xapp-wrong")
    with pytest.raises(NotConnected, match="invalid_auth") as refused:
        await mode.open()
    assert "xapp-wrong" not in str(refused.value)
    assert await mode.ready() == "not opened"
    await mode.close()


async def test_a_slack_that_does_not_answer_is_given_up_in_time(frame: Frame) -> None:
    fault = frame.workspace.faults.on("apps.connections.open", hold())
    mode = SocketMode(frame.intake, frame.client, frame.workspace.app_token)
    with pytest.raises(NotConnected, match="TimeoutError"):
        await mode.open(within=0.1)
    assert fault.hold
    fault.hold.release()
    frame.workspace.faults.on("apps.connections.open", error("internal_error"))
    with pytest.raises(NotConnected, match="internal_error"):
        await mode.open()


async def test_slack_s_request_to_come_again_is_followed(frame: Frame) -> None:
    async with socket(frame) as (slack, mode):
        await slack.socket.disconnect()
        await slack.until(lambda: slack.socket.connected)
        assert (await slack.types("U0ALICE", "C0INC", "/flows list")).error is None
        assert await mode.ready() == ""


async def test_a_socket_that_fell_silent_is_not_ready_and_opened_anew(frame: Frame) -> None:
    opened = "apps.connections.open"
    async with socket(frame, silent_after=0.2, watch_every=0.05, ping_every=60) as (slack, mode):
        fault = frame.workspace.faults.on(opened, hold())
        assert fault.hold
        await fault.hold.arrived()
        assert "nothing heard" in await mode.ready()
        fault.hold.release()
        await slack.until(lambda: [call.method for call in slack.calls].count(opened) >= 2)
        await slack.until(lambda: slack.socket.connected)


async def test_leaving_lets_envelopes_under_way_be_acked(frame: Frame) -> None:
    slack = frame.workspace
    go = asyncio.Event()
    entered = asyncio.Event()

    @frame.app.command("/slow")
    async def slow(ack) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001  # Bolt injects by name
        entered.set()
        await go.wait()
        await ack()

    slack.commands["/slow"] = slack.commands["/flows"]
    async with socket(frame) as (_, mode):
        typing = asyncio.create_task(slack.types("U0ALICE", "C0INC", "/slow"))
        await entered.wait()
        leaving = asyncio.create_task(mode.close())
        asyncio.get_running_loop().call_later(0.2, go.set)
        await leaving
        assert (await typing).error is None

"""The same deliveries through the socket: acked always, reconnected, ready only when it hears."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from bot.demo.slack import Workspace
from bot.demo.slack.faults import error, hold, rate_limited
from bot.slack.blocks.error_words import BUSY
from bot.slack.interaction import Interaction
from bot.slack.transport.socket_mode import NotConnected, Pauses, SocketMode
from tests.scenarios.slack.frame import Frame, framed, said, there, workspace


@asynccontextmanager
async def socket(frame: Frame, **more: Any) -> AsyncIterator[tuple[Workspace, SocketMode]]:
    slack = frame.workspace
    slack.socket_mode = True
    mode = SocketMode(frame.intake, frame.client, slack.app_token, **more)
    await mode.open()
    try:
        await slack.until(lambda: slack.socket.connected)
        yield slack, mode
    finally:
        await mode.close()


async def test_what_cannot_be_held_is_answered_in_words_or_not_acked() -> None:
    async with framed(workspace(), at_once=1, turn_within=60.0, most=1) as frame, socket(frame) as (slack, _):
        go = asyncio.Event()
        await slack.types("U0ALICE", "C0INC", "/flows list")
        (shown,) = await slack.until(lambda: slack.sees("U0ALICE", "C0INC"))
        await slack.until(lambda: frame.jobs.under_way == 0)

        async def held(_: Interaction) -> None:
            await go.wait()

        frame.work = held
        await slack.types("U0BOB", "C0INC", "/flows list")
        assert (await slack.types("U0ALICE", "C0INC", "/flows list")).status == 200
        assert slack.sees("U0ALICE", "C0INC")[-1].words == BUSY.text
        assert (await slack.clicks("U0ALICE", shown, "press")).error is not None
        go.set()


def opened(slack: Workspace) -> int:
    return [call.method for call in slack.calls].count("apps.connections.open")


class Sleeps:
    """Pauses that a test lets pass; how long they would have been."""

    def __init__(self) -> None:
        self.asked: list[float] = []
        self._over = asyncio.Semaphore(0)

    async def __call__(self, seconds: float) -> None:
        self.asked.append(seconds)
        if seconds:
            await self._over.acquire()

    def over(self) -> None:
        self._over.release()


async def test_a_command_and_a_press_come_through_the_socket(frame: Frame) -> None:
    async with socket(frame) as (slack, mode):
        assert await mode.ready() == ""
        delivery = await slack.types("U0ALICE", "C0INC", "/flows show payload")
        assert (delivery.status, delivery.error) == (200, None)
        (shown,) = await slack.until(lambda: slack.sees("U0ALICE", "C0INC"))
        assert "heard show payload" in shown.words
        assert (await slack.clicks("U0ALICE", shown, "press")).error is None
        assert frame.interactions[-1].ephemeral
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
        posted = there(await frame.messenger.publicly(Interaction("U0ALICE", slack.team_id, "C0INC"), said("card")))
        pressed = await slack.clicks("U0ALICE", slack.message("C0INC", posted.ts), "stop")
        assert pressed.error is None
        answered = [frame_ for frame_ in slack.socket.frames if frame_.get("envelope_id")]
        assert len(answered) == 2


async def test_a_foreign_envelope_is_acked_and_never_dispatched(frame: Frame) -> None:
    async with socket(frame) as (slack, _):
        slack.team_id = "T0FOREIGN"
        slack.users["U0ALICE"].team_id = "T0FOREIGN"
        assert (await slack.types("U0ALICE", "C0INC", "/flows list")).error is None
        assert frame.interactions == []


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
    sleeps = Sleeps()
    async with socket(frame, silent_after=0.2, ping_every=60, sleep=sleeps) as (slack, mode):
        await slack.until(lambda: sleeps.asked)
        assert "not connected (silent); trying again in" in await mode.ready()
        sleeps.over()
        await slack.until(lambda: opened(slack) >= 2 and slack.socket.connected)


async def test_too_many_connections_are_waited_for_longer_and_longer_and_said_once(
    frame: Frame, monkeypatch: pytest.MonkeyPatch
) -> None:
    sleeps, slack = Sleeps(), frame.workspace
    refusal = {"type": "disconnect", "reason": "too_many_websockets", "debug_info": {}}
    with structlog.testing.capture_logs() as logs, monkeypatch.context() as full:
        full.setattr(slack.socket, "_hello", lambda: refusal)
        async with socket(frame, sleep=sleeps) as (_, mode):
            for tries in range(1, 9):
                await slack.until(lambda tries=tries: len(sleeps.asked) == tries)  # type: ignore[misc]
                assert opened(slack) == tries
                assert "too_many_websockets" in await mode.ready()
                if tries == 8:
                    full.undo()
                sleeps.over()
            await slack.until(lambda: any(line["event"] == "socket_connected" for line in logs))
            assert await mode.ready() == ""
    for pause, longest in zip(sleeps.asked, (5, 10, 20, 40, 60, 60, 60, 60), strict=True):
        assert longest / 2 <= pause <= longest
    assert len(set(sleeps.asked)) == len(sleeps.asked)  # each with a jitter of its own
    assert [line["reason"] for line in logs if line["log_level"] == "warning"] == ["too_many_websockets"]


@pytest.mark.parametrize("word", ["token_revoked", "account_inactive", "invalid_auth"])
async def test_what_waiting_does_not_help_is_an_error_said_once_and_seldom_tried(frame: Frame, word: str) -> None:
    sleeps, slack = Sleeps(), frame.workspace
    with structlog.testing.capture_logs() as logs:
        async with socket(frame, sleep=sleeps) as (_, mode):
            slack.faults.on("apps.connections.open", error(word), times=None)
            await slack.socket.disconnect("refresh_requested")
            for tries in range(2, 5):  # the first was none: Slack had asked
                await slack.until(lambda tries=tries: len(sleeps.asked) == tries)  # type: ignore[misc]
                assert sleeps.asked[-1] >= 30
                assert f"({word}): tell whoever looks after this bot" in await mode.ready()
                sleeps.over()
    assert sleeps.asked[0] == 0
    assert [line["reason"] for line in logs if line["log_level"] == "error"] == [word]


async def test_slack_s_rate_limit_is_waited_for_as_long_as_it_says(frame: Frame) -> None:
    sleeps, slack = Sleeps(), frame.workspace
    async with socket(frame, sleep=sleeps) as (_, mode):
        slack.faults.on("apps.connections.open", rate_limited(45), times=1)
        await slack.socket.disconnect("refresh_requested")
        await slack.until(lambda: len(sleeps.asked) == 2)
        assert sleeps.asked[1] >= 45
        assert "ratelimited" in await mode.ready()
        sleeps.over()
        await slack.until(lambda: slack.socket.connected)


async def test_a_connection_of_somebody_else_is_told(frame: Frame) -> None:
    slack, deployed = frame.workspace, 1

    async def replicas() -> int:
        return deployed

    async with socket(frame) as (_, first):
        assert await first.elsewhere() == ""
        with structlog.testing.capture_logs() as logs:
            async with socket(frame, replicas=replicas) as (_, second):
                assert await second.ready() == ""
                why = await second.elsewhere()
                assert "Slack counted 2 connections of this app" in why
                assert "this deployment has 1" in why
                deployed = 2
                assert await second.elsewhere() == ""
        assert [line["why"] for line in logs if line["event"] == "connections_elsewhere"] == [why]
    await slack.until(lambda: slack.socket.connected == 0)


async def test_until_slack_closes_the_old_connection_it_is_still_listened_to(frame: Frame) -> None:
    async with socket(frame) as (slack, mode):
        old = slack.socket._connections[0]
        await old.send_text('{"type":"disconnect","reason":"warning"}')
        await slack.until(lambda: slack.socket.connected == 2)
        assert await mode.ready() == ""
        for _ in range(4):  # to each of them in turn
            assert (await slack.types("U0ALICE", "C0INC", "/flows list")).error is None
        assert await mode.elsewhere() == ""


@pytest.mark.parametrize(
    "frame_",
    [
        "",
        "{",
        "[]",
        "null",
        '"x"',
        '{"type":[]}',
        '{"type":"hello","num_connections":"x"}',
        '{"envelope_id":7}',
        "[" * 9999,
    ],
)
async def test_a_frame_that_is_none_of_slack_s_changes_nothing(frame: Frame, frame_: str) -> None:
    async with socket(frame) as (slack, mode):
        await slack.socket._connections[0].send_text(frame_)
        assert (await slack.types("U0ALICE", "C0INC", "/flows list")).error is None
        assert await mode.ready() == ""
        assert opened(slack) == 1


@given(st.sampled_from(["too_many_websockets", "link_disabled", "lost: X", "warning"]), st.integers(0, 10**6))
def test_pauses_grow_and_have_an_end(reason: str, tries: int) -> None:
    pause = Pauses().after(reason, tries)
    assert 0 <= pause <= 600
    assert (pause == 0) == (reason == "warning" and tries == 0)


@pytest.mark.parametrize("replaced", [False, True])
async def test_leaving_lets_envelopes_under_way_be_acked(frame: Frame, replaced: bool) -> None:
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
        if replaced:
            await slack.socket._connections[0].send_text('{"type":"disconnect","reason":"warning"}')
            await slack.until(lambda: slack.socket.connected == 2)
        leaving = asyncio.create_task(mode.close())
        asyncio.get_running_loop().call_later(0.2, go.set)
        await leaving
        assert (await typing).error is None

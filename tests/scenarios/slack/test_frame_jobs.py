"""The work after the ack: bounded, kept, waited for, and never silent."""

import asyncio
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import structlog

from bot.activeflows.errors import NotFound, VoIPBINUnreachable
from bot.slack.blocks.error_words import BUSY
from bot.slack.interaction import Interaction, from_message
from bot.slack.transport.jobs import NOTICE_SPARED, Jobs, Lane
from tests.scenarios.slack.frame import Frame, framed, said, workspace


def words(frame: Frame) -> list[str]:
    return [message.words for message in frame.workspace.sees("U0ALICE", "C0INC")]


async def test_a_refusal_and_a_failure_become_private_words(frame: Frame) -> None:
    slack = frame.workspace
    errors: list[Exception] = [
        NotFound("3c5b"),
        VoIPBINUnreachable("no answer in 5 s", "req-7"),
        ExceptionGroup("g", [NotFound("99")]),
    ]

    async def fail(_: Interaction) -> None:
        raise errors.pop(0)

    frame.work = fail
    for wanted in range(1, 4):
        assert (await slack.types("U0ALICE", "C0INC", "/flows show 3c5b")).status == 200
        await slack.until(partial(lambda many: len(words(frame)) == many, wanted))
    first, second, third = words(frame)
    assert "No activeflow matches" in first
    assert "3c5b" in first
    assert "cannot be reached" in second
    assert "req-7" in second
    assert "99" in third
    assert slack.sees("U0BOB", "C0INC") == []


async def test_a_bug_is_told_with_an_incident_id_and_logged_without_its_values(frame: Frame) -> None:
    slack = frame.workspace

    async def bug(_: Interaction) -> None:
        raise KeyError("caller +15550100001")

    frame.work = bug
    with structlog.testing.capture_logs() as logs:
        await slack.types("U0ALICE", "C0INC", "/flows list")
        (told,) = await slack.until(lambda: words(frame))
    (line,) = [line for line in logs if line["event"] == "bug"]
    assert line["incident"] in told
    assert line["where"][-2].endswith(" bug")
    assert "+1555" not in str(logs) + told


async def test_long_work_says_so_once_and_answers_later() -> None:
    async with framed(workspace(), notice_after=0.05) as frame:
        slack, go = frame.workspace, asyncio.Event()

        async def long(interaction: Interaction) -> None:
            await go.wait()
            await frame.messenger.privately(interaction, said("done"))

        frame.work = long
        await slack.types("U0ALICE", "C0INC", "/flows list")
        await slack.until(lambda: words(frame))
        assert words(frame) == ["Still working on it: reading the activeflows. The answer follows."]
        go.set()
        await slack.until(lambda: len(words(frame)) == 2)
        assert words(frame)[1].startswith("done")


async def test_work_that_has_spoken_is_not_interrupted_by_a_notice() -> None:
    go, spoken, notices = asyncio.Event(), asyncio.Event(), list[Callable[[], None]]()

    def later(_: float, notice: Callable[[], None]) -> asyncio.Handle:
        notices.append(notice)
        return asyncio.get_running_loop().call_soon(bool)

    async with framed(workspace(), later=later) as frame:
        slack = frame.workspace

        async def spoke(interaction: Interaction) -> None:
            async with asyncio.TaskGroup() as group:
                group.create_task(frame.messenger.privately(interaction, said("first word")))
            spoken.set()
            await go.wait()

        frame.work = spoke
        await slack.types("U0ALICE", "C0INC", "/flows list")
        await spoken.wait()
        notices[0]()
        for _ in range(3):
            await asyncio.sleep(0)  # the notice has its turn
        go.set()
        await frame.jobs.drain()
        assert len(words(frame)) == 1


async def test_what_has_no_turn_in_time_is_refused_politely_and_the_rest_is_done() -> None:
    async with framed(workspace(), at_once=2, turn_within=0.2) as frame:
        slack, go = frame.workspace, asyncio.Event()
        running: list[int] = []

        async def wait(interaction: Interaction) -> None:
            running.append(1)
            await go.wait()
            await frame.messenger.privately(interaction, said("done"))

        frame.work = wait
        for _ in range(4):
            assert (await slack.types("U0ALICE", "C0INC", "/flows list")).status == 200
        await slack.until(lambda: len(words(frame)) == 2)
        assert {"I'm overloaded right now" in message for message in words(frame)} == {True}
        assert (frame.jobs.under_way, len(running)) == (2, 2)
        go.set()
        await slack.until(lambda: len(words(frame)) == 4)
        await frame.jobs.drain()
        assert (frame.jobs.under_way, len(running)) == (0, 2)


async def test_beyond_what_can_be_held_the_answer_itself_says_so_and_slack_warns_or_comes_again() -> None:
    async with framed(workspace(), at_once=1, turn_within=60.0, most=2) as frame:
        slack, go = frame.workspace, asyncio.Event()
        await slack.types("U0ALICE", "C0INC", "/flows list")
        (shown,) = await slack.until(lambda: slack.sees("U0ALICE", "C0INC"))

        async def held(_: Interaction) -> None:
            await go.wait()

        @frame.app.event("app_mention")
        async def mentioned(body: dict[str, Any]) -> None:
            frame.heard(from_message(body["event"]))

        await slack.until(lambda: frame.jobs.under_way == 0)
        frame.work = held
        for _ in range(2):
            await slack.types("U0BOB", "C0INC", "/flows list")
        typed = await slack.types("U0ALICE", "C0INC", "/flows list")
        assert (typed.status, typed.answer.decode()) == (200, BUSY.text)
        assert words(frame)[-1] == BUSY.text
        pressed = await slack.clicks("U0ALICE", shown, "press")
        assert pressed.status == 503
        assert pressed.error is not None
        assert (await slack.types("U0ALICE", "C0INC", "@flows-bot list")).status == 503  # which Slack delivers again
        go.set()
        await slack.until(lambda: frame.jobs.under_way == 0)
        frame.work = None
        assert (await slack.clicks("U0ALICE", shown, "press")).status == 200


async def test_somebodys_many_do_not_keep_a_colleague_waiting() -> None:
    async with framed(workspace(), at_once=3, each=2, turn_within=60.0) as frame:
        slack, go = frame.workspace, asyncio.Event()

        async def work(interaction: Interaction) -> None:
            if interaction.user_id == "U0GUEST":
                await go.wait()
            await frame.messenger.privately(interaction, said("done"))

        frame.work = work
        await asyncio.gather(*(slack.types("U0GUEST", "C0INC", "/flows list") for _ in range(20)))
        await slack.types("U0ALICE", "C0INC", "/flows list")
        await slack.until(lambda: words(frame))
        assert slack.sees("U0GUEST", "C0INC") == []
        go.set()
        await slack.until(lambda: len(slack.sees("U0GUEST", "C0INC")) == 20)


async def test_light_work_waits_for_nothing_that_asks_voipbin_and_more_of_it_goes_at_once() -> None:
    async with framed(workspace(), at_once=2, each=2, turn_within=60.0) as frame:
        go, running = asyncio.Event(), Counter[Lane]()
        alice = Interaction("U0ALICE", "T0HOME", "C0INC")

        async def held(lane: Lane) -> None:
            running[lane] += 1
            await go.wait()

        for lane in Lane:
            for _ in range(20):
                frame.jobs.start(alice, partial(held, lane), lane=lane)
        await frame.workspace.until(lambda: frame.jobs.running == 12)
        assert running == {Lane.STOP: 2, Lane.READ: 2, Lane.LIGHT: 8}
        go.set()
        await frame.jobs.drain()
        assert running == dict.fromkeys(Lane, 20)


async def test_work_that_waited_long_for_its_turn_may_answer_before_a_notice_is_said() -> None:
    waits: list[float] = []

    def later(seconds: float, _: Callable[[], None]) -> asyncio.Handle:
        waits.append(seconds)
        return asyncio.get_running_loop().call_soon(bool)

    async with framed(
        workspace(), at_once=1, each=1, turn_within=60.0, notice_after=NOTICE_SPARED, later=later
    ) as frame:
        go = asyncio.Event()
        alice = Interaction("U0ALICE", "T0HOME", "C0INC")
        for _ in range(2):
            frame.jobs.start(alice, go.wait)
        await frame.workspace.until(lambda: len(waits) == 1)
        await asyncio.sleep(0.01)  # which the other waits longer
        go.set()
        await frame.workspace.until(lambda: frame.jobs.under_way == 0)
        assert waits[-1] == NOTICE_SPARED


async def test_draining_waits_for_the_work_and_refuses_more(frame: Frame) -> None:
    slack, go = frame.workspace, asyncio.Event()
    done: list[str] = []

    async def finish(_: Interaction) -> None:
        await go.wait()
        done.append("finished")

    frame.work = finish
    await slack.types("U0ALICE", "C0INC", "/flows list")
    draining = asyncio.create_task(frame.jobs.drain(within=5))
    await asyncio.sleep(0)
    await slack.types("U0ALICE", "C0INC", "/flows list")
    await slack.until(lambda: words(frame))
    assert "I'm restarting" in words(frame)[0]
    go.set()
    assert await draining == 0
    assert done == ["finished"]


async def test_draining_ends_even_when_the_work_does_not(frame: Frame) -> None:
    ended: list[str] = []

    async def forever(_: Interaction) -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            ended.append("cancelled")
            raise

    frame.work = forever
    await frame.workspace.types("U0ALICE", "C0INC", "/flows list")
    await asyncio.sleep(0)
    assert await frame.jobs.drain(within=0.05) == 1
    assert (ended, frame.jobs.under_way) == (["cancelled"], 0)


@pytest.mark.parametrize("count", [40])
async def test_many_commands_at_once_are_all_answered(frame: Frame, count: int) -> None:
    slack = frame.workspace
    deliveries = await asyncio.gather(*(slack.types("U0ALICE", "C0INC", f"/flows {n}") for n in range(count)))
    assert {delivery.status for delivery in deliveries} == {200}
    await slack.until(lambda: len(words(frame)) == count)


async def test_what_is_itself_the_answer_takes_its_turn_and_is_not_waited_for_too_long() -> None:
    messenger: Any = None  # nothing is told
    jobs = Jobs(messenger, at_once=1, each=1)
    never = asyncio.get_running_loop().create_future()

    async def work() -> int:
        return 7

    assert await jobs.answered("U0ALICE", work, within=60) == 7
    with pytest.raises(TimeoutError):
        await jobs.answered("U0ALICE", lambda: never, within=0.01)
    held = [asyncio.ensure_future(jobs.answered("U0BOB", asyncio.Event().wait, within=60)) for _ in range(9)]
    await asyncio.sleep(0)
    with pytest.raises(TimeoutError):
        await jobs.answered("U0BOB", work, within=0.01)
    for task in held:
        task.cancel()
    await asyncio.gather(*held, return_exceptions=True)
    assert jobs.running == 0
    assert await jobs.answered("U0BOB", work, within=60) == 7

"""Speaking: every way that may fail, and who sees what in the end."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.activeflows.errors import LedgerUnavailable
from bot.activeflows.records import ChainedRecord, Entry, Record, RecordQuery
from bot.activeflows.stopping.stop import Declined, DeclineReason, Press
from bot.demo.slack.faults import error, hold, lose_answer, rate_limited, reset_before, status
from bot.slack.cards.stop_card import StopCards
from bot.slack.interaction import Interaction
from bot.slack.kit import date_token
from bot.slack.messaging.messenger import Message, SentMessage
from tests.scenarios.slack.frame import Frame, said, there


async def gesture_in(frame: Frame, channel: str = "C0INC") -> Interaction:
    """Somebody types; the listener says nothing."""

    async def nothing(_: Interaction) -> None:
        return

    frame.work = nothing
    await frame.workspace.types("U0ALICE", channel, "/flows quiet")
    return frame.interactions[-1]


def seen_by(frame: Frame, user: str, channel: str = "C0INC") -> list[str]:
    return [message.text for message in frame.workspace.sees(user, channel)]


async def test_private_words_go_by_the_response_url_with_everything_explicit(frame: Frame) -> None:
    interaction = await gesture_in(frame)
    assert await frame.messenger.privately(interaction, said("hello"))
    (response,) = frame.workspace.responses
    assert (response.body["response_type"], response.body["replace_original"]) == ("ephemeral", False)
    assert (seen_by(frame, "U0ALICE"), seen_by(frame, "U0BOB")) == (["hello"], [])


async def test_a_used_up_response_url_is_followed_by_an_ephemeral_message(frame: Frame) -> None:
    interaction = await gesture_in(frame)
    for number in range(6):
        assert await frame.messenger.privately(interaction, said(f"word {number}"))
    assert seen_by(frame, "U0ALICE") == [f"word {number}" for number in range(6)]
    assert [call.method for call in frame.workspace.calls][-1] == "chat.postEphemeral"


async def test_and_where_the_bot_is_no_member_by_a_direct_message(frame: Frame) -> None:
    interaction = await gesture_in(frame, "C0AWAY")
    frame.workspace.faults.on("response_url", error("expired_url"))
    assert await frame.messenger.privately(interaction, said("hello"))
    direct = frame.workspace.direct_channel("U0ALICE").id
    assert seen_by(frame, "U0ALICE", direct) == ["hello"]


@pytest.mark.parametrize("fault", [error("invalid_blocks"), status(500), rate_limited(60), reset_before()])
async def test_whatever_is_wrong_with_the_response_url_somebody_hears(frame: Frame, fault: object) -> None:
    interaction = await gesture_in(frame)
    frame.workspace.faults.on("response_url", fault)  # type: ignore[arg-type]  # parametrized
    assert await frame.messenger.privately(interaction, said("hello"))
    assert seen_by(frame, "U0ALICE") == ["hello"]


async def test_blocks_that_slack_refuses_are_left_away_before_the_words_are(frame: Frame) -> None:
    interaction = await gesture_in(frame)
    frame.workspace.faults.on("response_url", error("invalid_blocks"))
    for method in ("chat.postEphemeral", "chat.postMessage"):
        frame.workspace.faults.on(method, error("invalid_blocks"), times=None)
    assert await frame.messenger.privately(interaction, said("hello"))
    assert (seen_by(frame, "U0ALICE"), frame.workspace.sees("U0ALICE", "C0INC")[0].blocks) == (["hello"], ())


async def test_when_nobody_could_see_it_the_caller_is_told(frame: Frame) -> None:
    interaction = await gesture_in(frame)
    for method in ("response_url", "chat.postEphemeral", "chat.postMessage"):
        frame.workspace.faults.on(method, error("fatal_error"), times=None)
    assert not await frame.messenger.privately(interaction, said("hello"))


async def test_replacing_replaces_the_ephemeral_message_of_the_press(frame: Frame) -> None:
    slack = frame.workspace
    await slack.types("U0ALICE", "C0INC", "/flows list")
    (shown,) = await slack.until(lambda: slack.sees("U0ALICE", "C0INC"))

    async def replace(interaction: Interaction) -> None:
        await frame.messenger.privately(interaction, said("page 2"), replace=True)

    frame.work = replace
    await slack.clicks("U0ALICE", shown, "press")
    await slack.until(lambda: seen_by(frame, "U0ALICE") == ["page 2"])


async def test_private_words_never_replace_a_public_message(frame: Frame) -> None:
    slack = frame.workspace
    posted = there(await frame.messenger.publicly(await gesture_in(frame), said("public card")))

    async def replace(interaction: Interaction) -> None:
        await frame.messenger.privately(interaction, said("only for you"), replace=True)

    frame.work = replace
    await slack.clicks("U0ALICE", slack.message(posted.channel_id, posted.ts), "press")
    await slack.until(lambda: seen_by(frame, "U0ALICE") == ["public card", "only for you"])
    assert seen_by(frame, "U0BOB") == ["public card"]


async def test_public_words_are_the_bot_s_own_message_without_previews(frame: Frame) -> None:
    posted = there(await frame.messenger.publicly(await gesture_in(frame), said("card")))
    assert posted.ts
    arguments = frame.workspace.calls[-1].arguments
    assert (arguments["unfurl_links"], arguments["unfurl_media"], arguments["parse"]) == (False, False, "none")
    assert await frame.messenger.edit(posted, said("result"))
    assert seen_by(frame, "U0BOB") == ["result"]


async def test_where_the_bot_is_no_member_public_words_go_by_the_response_url(frame: Frame) -> None:
    slack = frame.workspace
    posted = there(await frame.messenger.publicly(await gesture_in(frame, "C0AWAY"), said("card")))
    assert posted == SentMessage("C0AWAY", "")
    card = slack.sees("U0BOB", "C0AWAY")[-1]
    assert card.text == "card"
    assert not await frame.messenger.edit(posted, said("result"))

    edited = []

    async def edit(interaction: Interaction) -> None:
        edited.append(bool(await frame.messenger.edit(posted, said("result"), interaction=interaction)))

    frame.work = edit
    await slack.clicks("U0BOB", card, "press")
    await slack.until(lambda: edited)
    assert edited == [True]
    assert seen_by(frame, "U0ALICE", "C0AWAY")[-1] == "result"


async def test_a_public_post_whose_answer_was_lost_is_not_sent_again(frame: Frame) -> None:
    interaction = await gesture_in(frame)
    frame.workspace.faults.on("chat.postMessage", lose_answer())
    assert not isinstance(await frame.messenger.publicly(interaction, said("card")), SentMessage)
    assert seen_by(frame, "U0BOB") == ["card"]


async def test_a_short_rate_limit_is_waited_for_and_a_long_one_is_not(frame: Frame) -> None:
    interaction = await gesture_in(frame)
    frame.workspace.faults.on("chat.postMessage", rate_limited(1))
    posted = there(await frame.messenger.publicly(interaction, said("card")))
    assert posted.ts
    frame.workspace.faults.on("chat.update", rate_limited(3600))
    assert not await frame.messenger.edit(posted, said("result"))
    assert seen_by(frame, "U0BOB") == ["card"]


async def test_an_edit_that_slack_refuses_goes_by_the_press_on_that_very_message_only(frame: Frame) -> None:
    slack = frame.workspace
    first = await gesture_in(frame)
    card = there(await frame.messenger.publicly(first, said("card")))
    other = there(await frame.messenger.publicly(first, said("another card")))
    slack.faults.on("chat.update", error("cant_update_message"), times=None)
    done: list[bool] = []

    async def edit(interaction: Interaction) -> None:
        done.append(bool(await frame.messenger.edit(card, said("result"), interaction=interaction)))
        done.append(bool(await frame.messenger.edit(other, said("wrong"), interaction=interaction)))
        done.append(bool(await frame.messenger.edit(card, said("wrong"), interaction=first)))

    frame.work = edit
    await slack.clicks("U0ALICE", slack.message("C0INC", card.ts), "press")
    await slack.until(lambda: len(done) == 3)
    assert done == [True, False, False]
    assert seen_by(frame, "U0BOB") == ["result", "another card"]


async def test_an_answer_to_a_press_in_a_thread_stays_in_the_thread(frame: Frame) -> None:
    slack = frame.workspace
    root = there(await frame.messenger.publicly(await gesture_in(frame), said("root")))
    in_thread = Interaction("U0ALICE", slack.team_id, "C0INC", thread_ts=root.ts)
    reply = there(await frame.messenger.publicly(in_thread, said("reply")))
    assert slack.message("C0INC", reply.ts).thread_ts == root.ts


async def test_plain_words_without_blocks_are_fine(frame: Frame) -> None:
    assert await frame.messenger.privately(await gesture_in(frame), Message("just words"))
    assert seen_by(frame, "U0ALICE") == ["just words"]


# ---------------------------------------------------------------- a slow press


class SlowRecords:
    """The audit, asked of a press that takes long; it answers with nothing when it may."""

    def __init__(self, refused: LedgerUnavailable | None = None) -> None:
        self.asked, self.may_answer, self._refused = asyncio.Event(), asyncio.Event(), refused

    async def record(self, record: Record) -> ChainedRecord:
        raise NotImplementedError

    async def records(self, question: RecordQuery) -> Sequence[Entry]:
        assert question.keys
        self.asked.set()
        await self.may_answer.wait()
        if self._refused is not None:
            raise self._refused
        return ()


@asynccontextmanager
async def pressed(frame: Frame, records: SlowRecords, clock: list[datetime]) -> AsyncIterator[tuple[StopCards, Press]]:
    """Somebody's press was recorded and takes long; the ledger is being asked about it."""
    cards = StopCards(frame.messenger, "/flows", now=lambda: clock[-1], reassure_after=0.5, records=records)
    press = Press("an-intent", "U0ALICE", frame.workspace.team_id, "C0INC", "1", clock[-1])
    cards.promise(press)
    cards.recorded(press)
    await records.asked.wait()
    try:
        yield cards, press
    finally:
        cards.close()


async def words_of_slow_press(frame: Frame) -> str:
    found = await frame.workspace.until(lambda: seen_by(frame, "U0ALICE"))
    assert isinstance(found, list)
    return str(found[0])


async def test_what_is_said_of_a_slow_press_is_of_before_the_ledger_was_asked(frame: Frame) -> None:
    clock, records = [datetime(2026, 3, 1, 12, tzinfo=UTC)], SlowRecords()
    async with pressed(frame, records, clock):
        clock.append(clock[0] + timedelta(seconds=9))
        records.may_answer.set()
        assert f"Nothing has been sent yet, as of {date_token(clock[0])}" in await words_of_slow_press(frame)


async def test_a_slow_press_that_was_answered_while_the_ledger_was_asked_is_not_told_of_after_that(
    frame: Frame,
) -> None:
    before = asyncio.all_tasks()
    async with pressed(frame, records := SlowRecords(), [datetime(2026, 3, 1, 12, tzinfo=UTC)]) as (cards, press):
        (telling,) = (task for task in asyncio.all_tasks() - before if "_reassure" in repr(task))
        assert await cards.decline(press, Declined(DeclineReason.OVER))
        records.may_answer.set()
        await telling
    (said_,) = seen_by(frame, "U0ALICE")
    assert said_.startswith("This card was already used")


async def test_of_a_slow_press_that_the_ledger_does_not_tell_of_it_is_not_said_that_nothing_was_sent(
    frame: Frame,
) -> None:
    records = SlowRecords(LedgerUnavailable("silent"))
    records.may_answer.set()
    async with pressed(frame, records, [datetime(2026, 3, 1, 12, tzinfo=UTC)]):
        told = await words_of_slow_press(frame)
    assert told.startswith("Your press is recorded.")
    assert "Nothing has been sent" not in told


async def test_that_a_press_is_stuck_is_not_said_any_more_when_something_has_come_of_it(frame: Frame) -> None:
    """The database answers before Slack takes what was to be said."""
    now = datetime(2026, 3, 1, 12, tzinfo=UTC)
    cards = StopCards(frame.messenger, "/flows", now=lambda: now, records=SlowRecords(), told_again=(0.05,) * 20)
    address = {"message_ts": "1700000000.000100"}
    press = Press("an-intent", "U0ALICE", frame.workspace.team_id, "C0INC", "1", now, reply_address=address)
    frame.workspace.faults.on("chat.postEphemeral", status(503))
    last_way = frame.workspace.faults.on("chat.postMessage", replace(hold(), status=503))
    assert last_way.hold is not None
    telling = asyncio.create_task(cards.stuck(press, None))
    await last_way.hold.arrived()
    cards.begun(press)
    last_way.hold.release()
    await telling
    assert not [message for user in ("U0ALICE", "U0BOB") for message in seen_by(frame, user)]

"""What the ledger says at the gate: one run of a press counts, by one clock, while the claim is its own."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert, update

from bot.activeflows.errors import LedgerUnavailable
from bot.activeflows.records import Record, RecordKind, RecordQuery
from bot.activeflows.stopping.authorization import record_of
from bot.activeflows.stopping.stop import (
    Attribution,
    CallAfter,
    Ended,
    Fence,
    GateRefusal,
    Intent,
    IntentState,
    Press,
    PressKind,
)
from bot.ledger.database import Database, SharedClock
from bot.ledger.stop_store import StopStore
from bot.ledger.tables import bulks
from tests.scenarios.ledger.test_ledger import a_press, a_record, an_intent

BEHIND = timedelta(seconds=60)


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def book(database: Database) -> StopStore:
    return StopStore(database, now=now)


async def claimed(book: StopStore, *, bulk_id: str = "") -> tuple[Intent, Press, Fence]:
    """A card that one press has claimed."""
    intent = an_intent(deadline=now() + timedelta(minutes=5), bulk_id=bulk_id)
    await book.open_intent(intent, a_record())
    press = a_press(intent, "U0ALICE")
    assert (await book.claim(intent, press)).mine
    return intent, press, await book.take_up(press.id)


def sending(intent: Intent, press: Press) -> Record:
    return record_of(intent, press, RecordKind.SENDING, now())


async def test_the_record_of_a_post_is_written_once_and_the_deadline_is_told(book: StopStore) -> None:
    intent, press, fence = await claimed(book)
    permitted = await book.permit(intent, press, fence, sending(intent, press))
    assert permitted.shut is None
    assert 290 < permitted.left <= 300
    assert [entry.record.what for entry in await book.records(RecordQuery(keys=(sending(intent, press).key,)))] == [
        RecordKind.SENDING
    ]
    assert (await book.permit(intent, press, fence, sending(intent, press))).shut is GateRefusal.SENT_BEFORE


async def test_that_nothing_was_sent_is_known_of_ones_own_claim_until_it_is_sent_or_over(book: StopStore) -> None:
    intent, press, fence = await claimed(book)
    another = a_press(intent, "U0BOB")
    await book.record(record_of(intent, press, RecordKind.PRESSED, now()))
    assert await book.unsent(intent, press.id)
    assert not await book.unsent(intent, another.id)
    await book.permit(intent, press, fence, sending(intent, press))
    assert not await book.unsent(intent, press.id)


async def test_a_card_that_can_be_pressed_is_one_process_alone_to_change(database: Database, book: StopStore) -> None:
    intent = an_intent(deadline=now() + timedelta(minutes=5))
    press = a_press(intent, "U0ALICE")
    assert not await book.unsent(intent, press.id)
    await book.open_intent(intent, a_record())
    assert await book.unsent(intent, press.id) is not database.is_postgresql
    await book.record(record_of(intent, press, RecordKind.REFUSED, now()))
    assert not await book.unsent(intent, press.id)


@pytest.mark.parametrize("pressable", [True, False])
async def test_after_an_outcome_it_is_not_said_that_nothing_was_sent(book: StopStore, *, pressable: bool) -> None:
    intent, press, fence = await claimed(book)
    outcome = record_of(intent, press, RecordKind.OUTCOME, now())
    state = IntentState.OPEN if pressable else IntentState.SETTLED
    await book.conclude(fence, intent, press, [outcome], state, None)
    assert not await book.unsent(intent, press.id)


async def test_whoever_takes_a_press_up_leaves_nothing_to_the_run_before(book: StopStore) -> None:
    intent, press, before = await claimed(book)
    after = await book.take_up(press.id)
    assert after.number > before.number
    assert not await book.holds(before)
    assert await book.holds(after)
    assert (await book.permit(intent, press, before, sending(intent, press))).shut is GateRefusal.FENCED
    outcome = record_of(intent, press, RecordKind.OUTCOME, now())
    ended = Ended("U0ALICE", Attribution.ALREADY, now())
    assert await book.conclude(before, intent, press, [outcome], IntentState.SETTLED, ended) == ""
    assert await book.records(RecordQuery(keys=(outcome.key,))) == []
    assert (await book.permit(intent, press, after, sending(intent, press))).shut is None
    receipt = await book.conclude(after, intent, press, [outcome], IntentState.SETTLED, ended)
    assert receipt != ""
    drawn_again = await book.hung_up(intent.id, CallAfter("hung_up"))  # a hang-up draws the card from what is kept
    assert drawn_again is not None
    assert drawn_again.receipt == receipt
    assert await book.intent(intent.id) == (intent, IntentState.SETTLED)


async def test_without_the_claim_nothing_goes_out(book: StopStore) -> None:
    intent, press, fence = await claimed(book)
    await book.settle(intent.id, press.id, IntentState.OPEN)
    assert (await book.permit(intent, press, fence, sending(intent, press))).shut is GateRefusal.NOT_CLAIMED


async def test_the_deadline_is_by_the_databases_clock_whatever_this_one_says(database: Database) -> None:
    slow = StopStore(database, now=lambda: now() - BEHIND)
    intent, press, fence = await claimed(slow)
    late = replace(intent, deadline=now() - timedelta(seconds=8))
    permitted = await slow.permit(late, press, fence, sending(intent, press))
    assert permitted.shut is (GateRefusal.LATE if database.is_postgresql else None)


@pytest.mark.parametrize("off", [-BEHIND, BEHIND])
async def test_two_replicas_a_minute_apart_agree_what_time_it_is(database: Database, off: timedelta) -> None:
    clock = SharedClock(database, lambda: now() + off)
    await clock.compare()
    expected = now() if database.is_postgresql else now() + off
    assert abs(clock.now() - expected) < timedelta(seconds=5)


@pytest.mark.parametrize(
    ("state", "shut"), [("stopping", None), ("aborting", GateRefusal.ABORTED), ("done", GateRefusal.ABORTED)]
)
async def test_a_member_of_an_aborted_bulk_stop_does_not_go_out_and_its_caller_may_be_hung_up(
    book: StopStore, database: Database, state: str, shut: GateRefusal | None
) -> None:
    row = {"id": "b" * 32, "state": state, "press_id": "", "by": "", "aborted_by": "", "body": ""}
    await database.within(lambda connection: connection.execute(insert(bulks).values(row)).rowcount)
    intent, press, fence = await claimed(book, bulk_id="b" * 32)
    assert (await book.permit(intent, press, fence, sending(intent, press))).shut is shut
    await book.settle(intent.id, press.id, IntentState.SETTLED)
    hang_up = replace(press, wish=PressKind.HANG_UP)
    assert (await book.claim(intent, hang_up)).mine
    assert not (await book.claim(intent, replace(hang_up, by="U0CAROL"))).mine
    fence = await book.take_up(hang_up.id)
    assert (await book.permit(intent, hang_up, fence, sending(intent, hang_up))).shut is None
    await database.within(lambda connection: connection.execute(update(bulks).values(state="done")).rowcount)


async def test_what_asks_once_more_takes_the_place_of_a_card_that_this_press_has_claimed(book: StopStore) -> None:
    intent, press, _ = await claimed(book)
    anew = replace(intent, id="a" * 32)
    assert not await book.open_intent(anew, a_record(), instead_of=intent.id, by_press="somebody else's")
    assert await book.open_intent(anew, a_record(), instead_of=intent.id, by_press=press.id)
    assert await book.intent(intent.id) == (intent, IntentState.SUPERSEDED)
    assert (await book.claim(anew, a_press(anew, "U0BOB"))).mine


@pytest.mark.parametrize("alone", [True, False])
async def test_while_the_database_does_not_answer_a_run_holds_only_if_nobody_can_have_taken_over(
    tmp_path: Path, alone: bool
) -> None:
    database = Database(f"sqlite:///{tmp_path / 'no such folder' / 'flows-bot.db'}")
    book = StopStore(database, now=now, alone=lambda: alone)
    if alone:
        assert await book.holds(Fence("x", 1))
    else:
        with pytest.raises(LedgerUnavailable):
            await book.holds(Fence("x", 1))
    await database.close()

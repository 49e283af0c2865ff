"""The ledger on real databases: one claim, one chain, whatever happens at the same moment."""

import asyncio
import json
import threading
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError

from bot.activeflows.errors import LedgerUnavailable
from bot.activeflows.queries.inspection import ShownState
from bot.activeflows.records import Record, RecordKind, RecordQuery
from bot.activeflows.stopping.stop import Intent, IntentState, Press
from bot.ledger import audit
from bot.ledger.database import Database
from bot.ledger.stop_store import StopStore

NOW = datetime(2026, 8, 20, 3, 0, tzinfo=UTC)
ENDS = ("0000-4000-8000-000000000001", "ffff-4fff-bfff-ffffffffffff")


@pytest.fixture
def book(database: Database) -> StopStore:
    return StopStore(database, now=lambda: NOW)


def an_intent(activeflow_id: UUID | None = None, **changes: object) -> Intent:
    seen = ShownState(
        "Support line", "digits", "waiting for keypad input", ("Hangs up.",), "call", uuid4(), "", None, NOW
    )
    intent = Intent(
        uuid4().hex,
        activeflow_id or uuid4(),
        uuid4(),
        seen,
        "U0ALICE",
        "C0INC",
        "loops",
        NOW,
        NOW + timedelta(minutes=5),
    )
    return replace(intent, **changes)  # type: ignore[arg-type] # fields by name


def a_press(intent: Intent, by: str, at: str = "1.0") -> Press:
    return Press(intent.id, by, "T0", "C0INC", at, NOW)


def a_record(key: str = "", **detail: str) -> Record:
    return Record(key or uuid4().hex, NOW, RecordKind.ASKED, "U0ALICE", "C0INC", uuid4(), detail=detail)


async def opened(book: StopStore, intent: Intent) -> Intent:
    assert await book.open_intent(intent, a_record())
    return intent


@pytest.mark.parametrize(("refusals", "kept"), [(0, True), (3, True), (99, False)])
async def test_a_transaction_that_is_refused_is_tried_again_for_a_moment(
    refusals: int, kept: bool, database: Database
) -> None:
    """As by a database that is started anew, or is moved to another machine."""
    tries: list[None] = []

    def work(connection: Connection) -> str:
        connection.execute(text("INSERT INTO runs (press_id, number, begun_at) VALUES ('p', 1, '')"))
        tries.append(None)
        if len(tries) <= refusals:
            raise OperationalError("away", None, Exception())
        return "kept"

    if kept:
        assert await database.within(work) == "kept"
        assert len(tries) == refusals + 1
    else:
        with pytest.raises(LedgerUnavailable) as refused:
            await database.within(work)
        assert not refused.value.may_be_kept
        assert 1 < len(tries) < 10
    rows = await database.reading(lambda connection: connection.execute(text("SELECT count(*) FROM runs")).scalar())
    assert rows == kept


async def test_what_is_asked_for_again_under_the_same_id_changes_nothing(book: StopStore) -> None:
    intent, draft = an_intent(), an_intent(on_behalf=True)
    done = await asyncio.gather(*(book.open_intent(intent, a_record(f"{intent.id}/asked")) for _ in range(5)))
    assert sorted(done) == [False] * 4 + [True]
    await asyncio.gather(*(book.draft_intent(draft) for _ in range(5)))
    assert await book.intent(draft.id) == (draft, IntentState.DRAFT)


async def test_an_intent_comes_back_as_it_was_written(book: StopStore) -> None:
    intent = await opened(book, an_intent())
    assert await book.intent(intent.id) == (intent, IntentState.OPEN)
    await book.card_posted(intent.id, "123.456")
    assert await book.intent(intent.id) == (replace(intent, message_ts="123.456"), IntentState.OPEN)
    assert await book.intent("nobody") is None


async def test_of_many_presses_at_one_moment_exactly_one_gets_the_claim(book: StopStore) -> None:
    activeflow = uuid4()
    cards = [await opened(book, an_intent(activeflow)) for _ in range(3)]
    presses = [(card, a_press(card, f"U{n}", f"{n}.0")) for card in cards for n in range(5)]
    claims = await asyncio.gather(*(book.claim(card, press) for card, press in presses))
    winners = [press.by for claim, (_, press) in zip(claims, presses, strict=True) if claim.mine]
    assert len(winners) == 1
    assert {claim.by for claim in claims if not claim.mine} == set(winners)


async def test_the_same_press_gets_its_claim_again_after_a_restart(book: StopStore) -> None:
    intent = await opened(book, an_intent())
    press = a_press(intent, "U0ALICE")
    assert (await book.claim(intent, press)).mine
    assert (await book.claim(intent, press)).mine


async def test_a_settled_claim_is_free_and_an_open_card_can_be_pressed_again(book: StopStore) -> None:
    intent = await opened(book, an_intent())
    first, second = a_press(intent, "U1"), a_press(intent, "U2", "2.0")
    assert (await book.claim(intent, first)).mine
    await book.settle(intent.id, first.id, IntentState.OPEN)
    assert (await book.claim(intent, second)).mine
    await book.settle(intent.id, second.id, IntentState.SETTLED)
    claim = await book.claim(intent, a_press(intent, "U3", "3.0"))
    assert (claim.mine, claim.state) == (False, IntentState.SETTLED)


async def test_a_claim_lapses_when_its_press_can_send_nothing_any_more(database: Database) -> None:
    clock = [NOW]
    book = StopStore(database, now=lambda: clock[0])
    activeflow = uuid4()
    old, new = await opened(book, an_intent(activeflow)), await opened(book, an_intent(activeflow))
    assert (await book.claim(old, a_press(old, "U1"))).mine
    clock[0] = old.deadline
    assert not (await book.claim(new, a_press(new, "U2"))).mine
    clock[0] = old.deadline + timedelta(seconds=31)
    assert (await book.claim(new, a_press(new, "U2"))).mine


async def test_a_card_is_superseded_once(book: StopStore) -> None:
    old = await opened(book, an_intent())
    heirs = [an_intent(old.activeflow_id) for _ in range(4)]
    done = await asyncio.gather(*(book.open_intent(heir, a_record(), instead_of=old.id) for heir in heirs))
    assert sorted(done) == [False, False, False, True]
    found = await book.intent(old.id)
    assert found is not None
    assert found[1] is IntentState.SUPERSEDED


async def test_of_a_press_and_a_cancel_at_one_moment_one_wins(book: StopStore) -> None:
    for number in range(40):
        intent = await opened(book, an_intent())
        press = a_press(intent, "U1", f"{number}.0")
        claim, away = await asyncio.gather(book.claim(intent, press), book.put_away(intent.id, a_record()))
        assert claim.mine is not away


async def test_a_card_being_stopped_cannot_be_put_away(book: StopStore) -> None:
    intent = await opened(book, an_intent())
    assert (await book.claim(intent, a_press(intent, "U1"))).mine
    assert not await book.put_away(intent.id, a_record())
    other = await opened(book, an_intent())
    assert await book.put_away(other.id, a_record())
    assert not (await book.claim(other, a_press(other, "U1"))).mine


async def test_the_chain_holds_when_many_write_at_once(book: StopStore, database: Database) -> None:
    written = await asyncio.gather(*(book.record(a_record(n=str(n))) for n in range(40)))
    assert sorted(one.seq for one in written) == list(range(1, 41))
    assert await database.within(lambda c: list(audit.verify(audit.chain(c)))) == []


async def test_the_same_record_twice_is_written_once(book: StopStore) -> None:
    record = a_record()
    first, second = await book.record(record), await book.record(record)
    assert (first.new, second.new) == (True, False)
    assert first.receipt == second.receipt


@pytest.mark.parametrize(
    ("tampering", "where"),
    [
        ("UPDATE audit SET body = replace(body, 'U0ALICE', 'U0MALLORY') WHERE seq = 2", 2),
        ("UPDATE audit SET who = 'U0MALLORY' WHERE seq = 2", 2),
        ("UPDATE audit SET hash = previous WHERE seq = 2", 2),
        ("DELETE FROM audit WHERE seq = 2", 3),
        ("DELETE FROM audit WHERE seq = 1", 2),
        ("UPDATE audit SET seq = 9 WHERE seq = 4", 9),
    ],
)
async def test_tampering_shows_and_says_where(book: StopStore, database: Database, tampering: str, where: int) -> None:
    for n in range(4):
        await book.record(a_record(n=str(n)))

    def tamper(connection: Connection) -> None:
        connection.execute(text(tampering))

    await database.within(tamper)
    flaws = await database.within(lambda c: list(audit.verify(audit.chain(c))))
    assert where in [flaw.seq for flaw in flaws]


async def test_records_are_found_by_person_activeflow_time_and_page(book: StopStore) -> None:
    activeflow = uuid4()
    for n in range(5):
        who = "U0BOB" if n % 2 else "U0ALICE"
        await book.record(replace(a_record(), who=who, activeflow_id=activeflow, at=NOW + timedelta(minutes=n)))
    await book.record(a_record())
    assert [e.seq for e in await book.records(RecordQuery(activeflow_id=activeflow))] == [5, 4, 3, 2, 1]
    assert [e.seq for e in await book.records(RecordQuery(who="U0BOB"))] == [4, 2]
    assert [e.seq for e in await book.records(RecordQuery(activeflow_prefix=str(activeflow)[:8], limit=2))] == [5, 4]
    assert [e.seq for e in await book.records(RecordQuery(before_seq=3))] == [2, 1]
    assert [e.seq for e in await book.records(RecordQuery(since=NOW + timedelta(minutes=3)))] == [5, 4]


@pytest.mark.parametrize("few", [0, 2, 100])
async def test_of_a_time_the_same_records_are_found_whether_they_are_few_or_many(
    book: StopStore, monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    monkeypatch.setattr(audit, "_FEW", few)
    for minutes in (0, 3, 1, 4, 2):  # replicas' clocks differ
        await book.record(a_record() if not minutes else replace(a_record(), at=NOW + timedelta(minutes=minutes)))
    assert [e.seq for e in await book.records(RecordQuery(since=NOW + timedelta(minutes=2)))] == [5, 4, 2]
    assert [e.seq for e in await book.records(RecordQuery(since=NOW + timedelta(minutes=3), before_seq=4))] == [2]
    assert await book.records(RecordQuery(since=NOW + timedelta(minutes=5))) == []


async def test_beginnings_of_ids_find_what_begins_so_and_nothing_else(book: StopStore) -> None:
    ids = [UUID(f"{beginning}-{end}") for beginning in ("99ffffff", "9a000000", "9affffff", "9b000000") for end in ENDS]
    for id_ in ids:
        await book.record(replace(a_record(), activeflow_id=id_))
    for beginning in ("9a00", "9aff", "9affffff", "9affffff-0", "9affffff-0000-4000-8000-000000000001"):
        expected = [id_ for id_ in ids if str(id_).startswith(beginning)]
        found = await book.records(RecordQuery(activeflow_prefix=beginning))
        assert [e.record.activeflow_id for e in reversed(found)] == expected != []


async def test_who_looks_far_through_the_audit_does_not_wait_for_whoever_writes(
    book: StopStore, database: Database
) -> None:
    await book.record(a_record())
    begun, go_on = threading.Event(), threading.Event()

    def writes(connection: Connection) -> None:
        audit.append(connection, replace(a_record(), key="second"))
        begun.set()
        go_on.wait(5)

    writing = asyncio.create_task(database.within(writes))
    await asyncio.to_thread(begun.wait)
    assert [e.seq for e in await book.records(RecordQuery(since=NOW - timedelta(days=1)))] == [1]
    assert not writing.done()
    go_on.set()
    await writing


async def test_an_export_is_read_in_pieces_that_make_the_whole(book: StopStore, database: Database) -> None:
    for _ in range(5):
        await book.record(a_record())
    whole = await database.reading(lambda c: list(audit.chain(c)))
    pieces: list[Mapping[str, Any]] = []
    while piece := await database.reading(partial(audit.piece, after=len(pieces), most=2)):
        assert len(piece) <= 2
        pieces += piece
    assert pieces == whole


async def test_an_export_carries_the_chain(book: StopStore, database: Database) -> None:
    await book.record(a_record(why="because"))
    lines = await database.within(lambda c: [json.loads(audit.exported(row)) for row in audit.chain(c)])
    assert lines[0]["seq"] == 1
    assert lines[0]["detail"] == {"why": "because"}
    assert lines[0]["previous"] == audit.GENESIS


async def test_a_database_that_is_gone_is_said_and_nothing_is_kept(sqlite_url: str) -> None:
    database = Database(sqlite_url.replace("flows-bot.db", "no/such/folder/flows-bot.db"))
    with pytest.raises(LedgerUnavailable) as unavailable:
        await database.prepare()
    assert "sqlite" not in str(unavailable.value)
    await database.close()


@given(
    st.builds(
        Record,
        key=st.text(min_size=1),
        at=st.datetimes(timezones=st.just(UTC)),
        what=st.sampled_from(RecordKind),
        who=st.text(),
        channel=st.text(),
        activeflow_id=st.none() | st.uuids(),
        reason=st.text(),
        detail=st.dictionaries(st.text(), st.text() | st.integers() | st.booleans() | st.none()),
    )
)
def test_a_record_survives_its_canonical_form(record: Record) -> None:
    body = audit.body_of(record)
    assert audit.record_of(body) == record
    assert audit.body_of(audit.record_of(body)) == body


async def test_whoever_reads_the_whole_chain_keeps_nobody_from_writing(book: StopStore, database: Database) -> None:
    await book.record(a_record())
    begun, written = threading.Event(), threading.Event()

    def walks(connection: Connection) -> tuple[bool, int]:
        rows = list(audit.chain(connection))
        begun.set()
        return written.wait(10), len(rows)

    reading = asyncio.create_task(database.reading(walks))
    assert await asyncio.to_thread(begun.wait, 10)
    await book.record(a_record())
    written.set()
    assert await reading == (True, 1)

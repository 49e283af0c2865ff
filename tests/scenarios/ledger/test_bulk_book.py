"""The ledger of bulk stops on real databases: a draft is no card until exactly one opens it."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Connection

from bot.activeflows.bulk.bulk_stop import Bulk, BulkCriteria, BulkState, Draft, Member, Run, intent_of
from bot.activeflows.queries.filters import Filters
from bot.activeflows.records import Record, RecordKind, RecordQuery
from bot.activeflows.stopping.stop import Press, PressKind
from bot.ledger import audit
from bot.ledger.bulk_store import BulkStore
from bot.ledger.database import Database
from bot.ledger.stop_store import StopStore

NOW = datetime(2026, 8, 20, 3, 0, tzinfo=UTC)
LATER = NOW + timedelta(minutes=5)
WANTED = BulkCriteria(
    Filters(flow="Support line", older=timedelta(minutes=10)), "they loop", frozenset({uuid4(), uuid4()})
)


@pytest.fixture
def book(database: Database) -> BulkStore:
    return BulkStore(database)


def a_draft(wanted: BulkCriteria = WANTED) -> Draft:
    return Draft(uuid4().hex, wanted, "U0BOB", "C0INC")


def a_bulk(id_: str = "") -> Bulk:
    member = Member(1, uuid4(), uuid4(), "Support line", "digits", "waiting", "call", NOW)
    known = WANTED.filters, (member,), "U0BOB", "C0INC", WANTED.reason
    return Bulk(id_ or uuid4().hex, *known, NOW, LATER, NOW, None, on_behalf=True)


def asked(bulk: Bulk, key: str = "") -> Record:
    return Record(key or uuid4().hex, NOW, RecordKind.ASKED, bulk.asked_by, bulk.channel, None, intent_id=bulk.id)


@pytest.mark.parametrize("wanted", [WANTED, BulkCriteria(Filters(type="call"))])
async def test_a_draft_comes_back_as_it_was_written_and_is_no_card(wanted: BulkCriteria, book: BulkStore) -> None:
    draft = a_draft(wanted)
    await book.draft_bulk(draft)
    assert await book.drafted(draft.id) == draft
    assert await book.drafted("nobody") is None
    assert await book.bulk(draft.id) is None


async def test_an_opened_draft_is_the_bulk_and_a_draft_no_more(book: BulkStore, database: Database) -> None:
    draft = a_draft()
    bulk = a_bulk(draft.id)
    await book.draft_bulk(draft)
    assert await book.open_draft(bulk, asked(bulk))
    assert await book.drafted(draft.id) is None
    assert await book.bulk(draft.id) == (bulk, Run())
    await book.bulk_posted(bulk.id, "1.2")
    assert await book.bulk(draft.id) == (replace(bulk, message_ts="1.2"), Run())
    assert [e.record.what for e in await StopStore(database, now=lambda: NOW).records(RecordQuery())] == [
        RecordKind.ASKED
    ]


async def test_of_many_who_open_a_draft_at_one_moment_exactly_one_does(book: BulkStore, database: Database) -> None:
    draft = a_draft()
    await book.draft_bulk(draft)
    cards = [a_bulk(draft.id) for _ in range(5)]
    opened = await asyncio.gather(*(book.open_draft(card, asked(card)) for card in cards))
    assert sorted(opened) == [False] * 4 + [True]
    assert await book.bulk(draft.id) == (cards[opened.index(True)], Run())
    rows = await database.within(_chain)
    assert len(rows) == 1


async def test_what_was_never_drafted_is_not_opened(book: BulkStore) -> None:
    bulk = a_bulk()
    assert not await book.open_draft(bulk, asked(bulk))
    await book.open_bulk(bulk, asked(bulk))
    assert not await book.open_draft(replace(bulk, reason="another"), asked(bulk))
    assert await book.bulk(bulk.id) == (bulk, Run())


async def test_a_draft_can_be_neither_aborted_nor_put_away(book: BulkStore, database: Database) -> None:
    draft = a_draft()
    bulk = a_bulk(draft.id)
    await book.draft_bulk(draft)
    assert not await book.abort_bulk(draft.id, "U0CAROL", asked(bulk))
    assert not await book.put_bulk_away(draft.id, "U0BOB", asked(bulk))
    assert await book.drafted(draft.id) == draft
    assert await database.within(_chain) == []


async def test_of_a_press_and_a_cancel_at_one_moment_one_wins(book: BulkStore) -> None:
    for number in range(10):
        bulk = a_bulk()
        await book.open_bulk(bulk, asked(bulk))
        press = Press(bulk.id, "U0CAROL", "T0", "C0INC", f"{number}.0", NOW, PressKind.BULK)
        intents = [intent_of(bulk, member, LATER) for member in bulk.members]
        run, away = await asyncio.gather(
            book.start_bulk(bulk, press, LATER, intents), book.put_bulk_away(bulk.id, "U0BOB", asked(bulk))
        )
        assert (run.press_id == press.id) is not away
        found = await book.bulk(bulk.id)
        assert found is not None
        assert found[1].state is (BulkState.CANCELLED if away else BulkState.STOPPING)


def _chain(connection: Connection) -> list[UUID | None]:
    return [audit.record_of(row["body"]).activeflow_id for row in audit.chain(connection)]


async def test_what_is_asked_for_again_under_the_same_id_changes_nothing(book: BulkStore) -> None:
    bulk, draft = a_bulk(), a_draft()
    assert await book.open_bulk(bulk, asked(bulk))
    other = replace(bulk, reason="another")
    assert not await book.open_bulk(other, asked(other))
    assert await book.bulk(bulk.id) == (bulk, Run())
    await book.draft_bulk(draft)
    await book.draft_bulk(replace(draft, asked_by="U0EVE"))
    assert await book.drafted(draft.id) == draft

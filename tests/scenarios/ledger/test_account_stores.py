"""Rows of one VoIPBIN account in a ledger that holds several: the stores of another one neither find nor change
them.
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from bot.activeflows.bulk.bulk_stop import BulkState
from bot.activeflows.records import RecordKind, RecordQuery
from bot.activeflows.stopping.stop import GateRefusal, Intent, IntentState, Press
from bot.activeflows.watching.watch import EndingKind, WatchEnding
from bot.ledger import audit
from bot.ledger.alert_store import AlertStore
from bot.ledger.baseline_store import BaselineStore
from bot.ledger.bulk_store import BulkStore
from bot.ledger.database import Database
from bot.ledger.stop_store import StopStore
from bot.ledger.watch_store import WatchStore
from bot.ledger.workflow_rows import unfinished
from tests.scenarios.ledger.test_alert_book import a_claim
from tests.scenarios.ledger.test_bulk_book import a_bulk, asked
from tests.scenarios.ledger.test_fences import sending
from tests.scenarios.ledger.test_ledger import a_press, a_record, an_intent
from tests.scenarios.ledger.test_usual_book import at, learned
from tests.scenarios.ledger.test_watch_book import KNOWN, a_watch

ACCOUNTS = ("", "prod", "staging")


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def books(database: Database) -> dict[str, StopStore]:
    return {name: StopStore(database, now=now, account=name) for name in ACCOUNTS}


async def test_the_same_activeflow_is_claimed_in_each_account_and_permitted_by_its_own_claim_only(
    books: dict[str, StopStore],
) -> None:
    activeflow, deadline = uuid4(), now() + timedelta(minutes=5)
    cards: dict[str, tuple[Intent, Press]] = {}
    for name, book in books.items():
        intent = an_intent(activeflow, deadline=deadline)
        assert await book.open_intent(intent, a_record())
        cards[name] = intent, a_press(intent, "U0ALICE", f"{len(cards)}.0")
    for name, (intent, press) in cards.items():
        assert (await books[name].claim(intent, press)).mine
    for name, (intent, press) in cards.items():
        fence = await books[name].take_up(press.id)
        for other in ACCOUNTS:
            found = await books[other].intent(intent.id)
            assert (found is not None) is (other == name)
            if other != name:
                permitted = await books[other].permit(intent, press, fence, sending(intent, press))
                assert permitted.shut is GateRefusal.NOT_CLAIMED
                assert not (await books[other].claim(intent, press)).mine
                assert not await books[other].put_away(intent.id, a_record())
                await books[other].card_posted(intent.id, "9.9")
                await books[other].hung_up(intent.id, None)  # type: ignore[arg-type] # nothing is there to be changed
        assert (await books[name].permit(intent, press, fence, sending(intent, press))).shut is None
        assert await books[name].intent(intent.id) == (intent, IntentState.STOPPING)


async def test_a_record_says_its_account_and_is_found_by_it_with_those_of_the_bot_itself(
    books: dict[str, StopStore], database: Database
) -> None:
    activeflow = uuid4()
    for name, book in books.items():
        await book.record(replace(a_record(), activeflow_id=activeflow, reason=f"of {name}"))
    await database.within(lambda c: audit.append(c, replace(a_record(), what=RecordKind.POLICY, activeflow_id=None)))
    for name, book in books.items():
        found = await book.records(RecordQuery(activeflow_id=activeflow))
        assert [(entry.record.account, entry.record.reason) for entry in found] == [(name, f"of {name}")]
        assert [entry.record.what for entry in await book.records(RecordQuery())] == [
            RecordKind.POLICY,
            RecordKind.ASKED,
        ]
    rows = await database.reading(lambda c: list(audit.chain(c)))
    assert list(audit.verify(rows)) == []
    assert ['"account"' in row["body"] for row in rows] == [False, True, True, False]
    forged = [{**row, "account": "staging"} for row in rows]
    assert {flaw.seq for flaw in audit.verify(forged)} == {1, 2, 4}


async def test_a_bulk_stop_is_there_for_its_own_account_only(database: Database) -> None:
    own, other = BulkStore(database, account="prod"), BulkStore(database, account="staging")
    bulk = a_bulk()
    assert await own.open_bulk(bulk, asked(bulk))
    assert not await other.open_bulk(bulk, asked(bulk))
    assert await other.bulk(bulk.id) is None
    assert not await other.put_bulk_away(bulk.id, "U0BOB", asked(bulk))
    assert not await other.abort_bulk(bulk.id, "U0BOB", asked(bulk))
    await other.bulk_posted(bulk.id, "9.9")
    found = await own.bulk(bulk.id)
    assert found is not None
    assert (found[0], found[1].state) == (bulk, BulkState.OPEN)


async def test_each_account_has_its_own_watch_of_the_same_activeflow(database: Database) -> None:
    books = {name: WatchStore(database, "one", account=name) for name in ACCOUNTS}
    id_ = uuid4()
    for book in books.values():
        watch = a_watch(id_)
        assert await book.begin(watch, KNOWN) is None
        await book.posted(watch.id, "1.2")
        assert await book.hold()
    for name, book in books.items():
        (kept,) = await book.watches()
        for other in ACCOUNTS:
            if other != name:
                assert await books[other].watch(kept.watch.id) is None
                assert await books[other].close(kept.watch.id, WatchEnding(EndingKind.UNWATCHED, now())) is None
                assert not await books[other].keep(kept.watch.id, KNOWN)
        assert await book.keep(kept.watch.id, KNOWN)
    assert await database.reading(unfinished) == frozenset(ACCOUNTS)


async def test_each_account_has_its_own_alerts_and_its_own_past(database: Database) -> None:
    alerts = {name: AlertStore(database, "one", account=name) for name in ACCOUNTS}
    past = {name: BaselineStore(database, account=name, most=1) for name in ACCOUNTS}
    claim = a_claim()
    for book in alerts.values():
        assert await book.hold()
        assert await book.claim(claim)
        assert not await book.claim(claim)
    for number, book_of_times in enumerate(past.values(), 1):
        await book_of_times.add({at(1): learned(*[45] * number)}, now())
    await alerts["prod"].drop([claim.claim])
    await alerts["staging"].told([claim.claim], now())
    told = {name: [each.told_at is not None for each in await book.claimed()] for name, book in alerts.items()}
    assert told == {"": [False], "prod": [], "staging": [True]}
    known = {name: (await book.all())[at(1)].counts for name, book in past.items()}
    assert known == {name: learned(*[45] * number).counts for number, name in enumerate(ACCOUNTS, 1)}

"""The ledger of alerts on real databases: one claim for each, by whoever holds the lease, told once."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from bot.activeflows.alerting.decision import AlertClaim, StoredAlertClaim
from bot.activeflows.anomalies import Reason
from bot.ledger.alert_store import AlertStore
from bot.ledger.database import Database

NOW = datetime(2026, 8, 20, 3, 0, tzinfo=UTC)


@pytest.fixture
async def book(database: Database) -> AlertStore:
    book = AlertStore(database, "first")
    assert await book.hold()
    return book


def a_claim(reason: Reason = Reason.STUCK, channel: str = "C0INC") -> StoredAlertClaim:
    return StoredAlertClaim(AlertClaim(uuid4(), reason, channel), f"{channel}:1", NOW)


async def test_a_claim_comes_back_as_it_was_written_and_is_told_or_dropped(book: AlertStore) -> None:
    told, held, dropped = a_claim(), a_claim(Reason.STALE), a_claim(channel="C0OTHER")
    for each in (told, held, dropped):
        assert await book.claim(each)
    await book.told([told.claim], NOW + timedelta(seconds=2))
    await book.drop([dropped.claim])
    assert set(await book.claimed()) == {replace(told, told_at=NOW + timedelta(seconds=2)), held}


async def test_each_reason_of_each_activeflow_in_each_channel_is_claimed_once(book: AlertStore) -> None:
    one = a_claim()
    others = [
        replace(one, claim=replace(one.claim, reason=Reason.STALE)),
        replace(one, claim=replace(one.claim, channel="C0OTHER")),
        replace(one, claim=replace(one.claim, activeflow_id=uuid4())),
    ]
    assert [await book.claim(each) for each in (one, one, *others, replace(one, rule="C0INC:2"))] == [
        *(True, False),
        *(True, True, True),
        False,
    ]


async def test_of_many_who_claim_the_same_at_one_moment_one_has_it(book: AlertStore) -> None:
    one = a_claim()
    assert sorted(await asyncio.gather(*(book.claim(one) for _ in range(8)))) == [*[False] * 7, True]


async def test_thousands_are_told_in_one_line(book: AlertStore) -> None:
    many = [a_claim() for _ in range(450)]
    for each in many:
        await book.claim(each)
    await book.told([each.claim for each in many], NOW)
    assert {each.told_at for each in await book.claimed()} == {NOW}
    await book.drop([each.claim for each in many])
    assert await book.claimed() == ()


async def test_nothing_to_tell_or_drop_changes_nothing(book: AlertStore) -> None:
    await book.claim(a_claim())
    await book.told([], NOW)
    await book.drop([])
    (kept,) = await book.claimed()
    assert kept.told_at is None


async def test_with_several_processes_only_the_holder_of_the_lease_claims(postgresql_url: str) -> None:
    database = Database(postgresql_url)
    await database.prepare()
    first, second = AlertStore(database, "first"), AlertStore(database, "second")
    assert await first.hold()
    assert not await second.hold()
    assert not await second.claim(a_claim())
    assert await first.claim(a_claim())
    await first.release()
    assert not await first.claim(a_claim())
    assert await second.hold()
    assert await second.claim(a_claim())
    assert len(await first.claimed()) == 2
    await database.close()

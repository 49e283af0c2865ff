"""Turning the pages of the audit on real databases: nothing twice, nothing left out, nobody else's."""

from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.activeflows.errors import NotPermitted
from bot.activeflows.operators import Grant, Operator, Permission, Person, Policy, Standing
from bot.activeflows.queries.audit_review import PAGE, AuditReview, Review
from bot.activeflows.queries.resolution import Prefix, Target
from bot.activeflows.records import Record, RecordKind
from bot.ledger.database import Database
from bot.ledger.stop_store import StopStore

NOW = datetime(2026, 8, 20, 3, 0, tzinfo=UTC)
PEOPLE = ("U0ALICE", "U0BOB", "U0CAROL")
FLOWS = (UUID(int=0x3C5B0F6E << 96 | 1), UUID(int=0x3C5B0F6E << 96 | 1 << 72), UUID(int=0xFF << 120))
KINDS = (
    RecordKind.ASKED,
    RecordKind.PRESSED,
    RecordKind.SENDING,
    RecordKind.OUTCOME,
    RecordKind.REFUSED,
    RecordKind.PRESSED,
    RecordKind.REVEALED,
)
STEPS = {RecordKind.ASKED, RecordKind.MOVED, RecordKind.SENDING, RecordKind.OUTCOME}
"""What has no line where each stop has one."""
COUNT = 53


def records() -> list[Record]:
    """Oldest first, as written; who and what about in no common rhythm."""
    return [
        Record(
            f"k{n}",
            NOW - timedelta(minutes=COUNT - n),
            KINDS[n * 3 % 7],
            PEOPLE[n * 7 % 3],
            "C0",
            FLOWS[n * 5 % 11 % 3],
        )
        for n in range(COUNT)
    ]


WRITTEN = records()


@pytest.fixture
async def reviewing(database: Database) -> AuditReview:
    book = StopStore(database, now=lambda: NOW)
    for record in WRITTEN:
        await book.record(record)
    return AuditReview(book, lambda: NOW)


def operator(user: str, *permissions: Permission, flows: frozenset[UUID] | None = None) -> Operator:
    grants = (Grant(1, frozenset({user}), frozenset(permissions), flows=flows),) if permissions else ()
    other = Grant(2, frozenset({"U0EVE"}), frozenset(Permission))
    return Operator(Person(user, Standing.MEMBER), "C0", Policy((*grants, other)))


AUDITOR = operator("U0ALICE", Permission.AUDIT)
targets = st.sampled_from(
    [None, *FLOWS, Prefix("3c5b0f6e"), Prefix("3c5b0f6e0"), Prefix("3c5b0f6e00000000001"), Prefix("ff00")]
)
sinces = st.none() | st.integers(0, COUNT + 5).map(lambda minutes: timedelta(minutes=minutes))


def fits(record: Record, target: Target | None, user: str | None, since: timedelta | None, *, every: bool) -> bool:
    right = target is None or (
        target.fits(record.activeflow_id) if isinstance(target, Prefix) else target == record.activeflow_id
    )
    right = right and (every or target is not None or record.what not in STEPS)
    return right and user in (None, record.who) and (since is None or record.at >= NOW - since)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(targets, st.none() | st.sampled_from(PEOPLE), sinces, st.booleans())
async def test_the_pages_together_are_all_that_fits_newest_first_and_lead_back_the_same_way(
    reviewing: AuditReview, target: Target | None, user: str | None, since: timedelta | None, every: bool
) -> None:
    asks = partial(reviewing.records, AUDITOR, target=target, user=user, since=since, every=every)
    page = await asks()
    assert not page.newer
    pages = [page]
    while page.older:
        page = await asks(before_seq=page.entries[-1].seq)
        assert page.newer
        assert page.entries
        pages.append(page)
    found = [entry.record.key for page in pages for entry in page.entries]
    assert found == [record.key for record in reversed(WRITTEN) if fits(record, target, user, since, every=every)]
    assert all(len(page.entries) == PAGE for page in pages[:-1])
    for before in reversed(pages[:-1]):
        page = await asks(after_seq=page.entries[0].seq)
        assert page == before


async def test_a_place_below_the_first_record_is_an_empty_page_that_leads_back(reviewing: AuditReview) -> None:
    page = await reviewing.records(AUDITOR, before_seq=1, every=True)
    assert (page.entries, page.older, page.newer) == ((), False, True)


@pytest.mark.parametrize("place", [COUNT - 3, COUNT, COUNT + 7])
async def test_the_newest_page_is_always_a_full_one(reviewing: AuditReview, place: int) -> None:
    newest = await reviewing.records(AUDITOR, after_seq=place, every=True)
    assert [entry.seq for entry in newest.entries] == list(range(COUNT, COUNT - PAGE, -1))
    assert not newest.newer


@pytest.mark.parametrize(
    ("asker", "user", "whose"),
    [
        (operator("U0BOB", Permission.VIEW), None, "U0BOB"),
        (operator("U0BOB", Permission.VIEW), "U0BOB", "U0BOB"),
        (operator("U0BOB", Permission.VIEW), "U0CAROL", "refused"),
        (operator("U0BOB", Permission.VIEW, flows=frozenset(FLOWS)), None, "U0BOB"),
        (operator("U0BOB", Permission.VIEW, Permission.AUDIT, flows=frozenset(FLOWS)), None, "U0BOB"),
        (operator("U0BOB", Permission.VIEW, Permission.AUDIT, flows=frozenset(FLOWS)), "U0CAROL", "refused"),
        (operator("U0BOB", Permission.AUDIT), None, None),
        (operator("U0BOB", Permission.AUDIT), "U0BOB", "U0BOB"),
        (operator("U0BOB", Permission.AUDIT), "U0CAROL", "U0CAROL"),
        (operator("U0BOB", Permission.STOP), None, "refused"),
        (operator("U0BOB"), None, "refused"),
        (operator("U0BOB"), "U0BOB", "refused"),
        (operator("U0BOB"), "U0CAROL", "refused"),
    ],
)
async def test_whose_records_somebody_may_read(
    tmp_path: Path, asker: Operator, user: str | None, whose: str | None
) -> None:
    database = Database(f"sqlite:///{tmp_path / 'flows-bot.db'}")  # without tables: a refusal must not even look
    reviewing = AuditReview(StopStore(database, now=lambda: NOW), lambda: NOW)
    if whose != "refused":
        await database.prepare()
        review = await reviewing.records(asker, user=user)
        assert (review.whose, review.own) == (whose, whose == "U0BOB")
        assert review.narrowed == (user is None and whose == "U0BOB")
    else:
        with pytest.raises(NotPermitted) as refused:
            await reviewing.records(asker, user=user)
        assert refused.value.decision.permission is (Permission.AUDIT if user == "U0CAROL" else Permission.VIEW)
        assert refused.value.decision.who_may == ("U0EVE",)
    await database.close()


async def test_what_was_asked_is_kept_with_the_page(reviewing: AuditReview) -> None:
    about, ago = Prefix("3c5b0f6e"), timedelta(hours=2)
    page = await reviewing.records(AUDITOR, target=about, user="U0BOB", since=ago)
    assert page == Review(page.entries, about, "U0BOB", False, False, NOW - ago, page.older, False)

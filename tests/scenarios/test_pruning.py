"""Cutting the audit's oldest records off: what stays is proven, and what went is not called missing."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from bot.activeflows.records import Head, Record, RecordKind
from bot.demo.voipbin.world import World
from bot.ledger import audit, audit_archive
from bot.ledger.database import Database
from bot.ledger.stop_store import StopStore
from bot.slack import ids
from tests.scenarios.conftest import ALICE, BOB, Stage
from tests.scenarios.program import Program
from tests.scenarios.test_audit import AUDITOR, lines
from tests.scenarios.typing_at import answers

NOW = datetime.now(UTC)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue(f"{request.param}_url"))


@pytest.fixture
async def ledger(url: str) -> AsyncIterator[Database]:
    """Thirty records, one a day, the newest of today."""
    database = Database(url)
    await database.prepare()
    book = StopStore(database, now=lambda: NOW)
    for number in range(30):
        at = NOW - timedelta(days=29 - number)
        await book.record(Record(f"k{number}", at, RecordKind.ASKED, "U0ALICE", "C0INC", None))
    yield database
    await database.close()


def receipts(proven: list[str]) -> Iterator[str]:
    return (line for line in proven if line.startswith("head "))


async def heads(database: Database) -> list[Head]:
    rows = await database.reading(lambda connection: list(audit.chain(connection)))
    return [Head(row["seq"], row["hash"]) for row in rows]


async def test_what_stays_is_proven_and_what_went_is_said_to_be_gone(
    url: str, ledger: Database, program: Program
) -> None:
    where = {"FLOWS_BOT_DATABASE_URL": url}
    before = await heads(ledger)
    day = (NOW - timedelta(days=9)).date().isoformat()
    ended = await program("audit", "prune", "--before", day, **where)
    assert (ended.status, ended.err) == (0, [])
    assert ended.out[0].startswith("records 1 to 20 were cut off"), ended.out
    now = await heads(ledger)
    assert [head.seq for head in now] == list(range(21, 32))
    asked = [before[11], before[19], before[25], Head(20, "0" * 64), Head(26, "0" * 64)]
    ended = await program("audit", "verify", *(w for h in asked[:3] for w in ("--head", str(h))), **where)
    assert (ended.status, ended.err) == (0, [])
    assert list(receipts(ended.out)) == [
        f"head {asked[0]}: was cut off with records 1 to 20, as record 31 says: whether it was this one cannot be told",
        f"head {asked[1]}: was the last of records 1 to 20 that were cut off, as record 31 says",
        f"head {asked[2]}: is in the chain",
    ]
    assert ended.out[-2].startswith("records 1 to 20 were cut off, as record 31 says")
    assert ended.out[-1].startswith("11 records, 0 flaws")
    for forged in asked[3:]:
        ended = await program("audit", "verify", "--head", str(forged), **where)
        assert ended.status == 1, ended.out
    again = await program("audit", "prune", "--before", day, **where)
    assert (again.status, again.out) == (0, ["nothing was cut off: no record is that old"])


async def test_a_second_cut_follows_the_first(ledger: Database) -> None:
    for days in (20, 5):
        written = await audit_archive.prune(ledger, NOW - timedelta(days=days), who="somebody", now=NOW)
        assert written is not None
    proof = await ledger.reading(audit.proof)
    assert proof.flaws == ()
    assert proof.cut is not None
    assert proof.cut.through == 24
    assert proof.count == 8


@pytest.mark.parametrize(
    "change",
    [
        "DELETE FROM audit WHERE seq = 11",
        "DELETE FROM audit WHERE what = 'pruned'",
        "UPDATE audit SET previous = hash WHERE seq = 11",
        "UPDATE audit SET body = replace(body, 'through', 'thorough') WHERE what = 'pruned'",
    ],
)
async def test_a_cut_hides_no_other_change(ledger: Database, change: str) -> None:
    await audit_archive.prune(ledger, NOW - timedelta(days=19, hours=1), who="somebody", now=NOW)
    assert (await ledger.reading(audit.proof)).flaws == ()
    await ledger.within(lambda connection: connection.execute(text(change)).rowcount)
    assert (await ledger.reading(audit.proof)).flaws != ()


async def test_whoever_is_ended_in_the_middle_leaves_the_rest_to_the_next_time(
    ledger: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_archive, "_AT_ONCE", 4)
    deleting, done = audit_archive._delete_some, []

    def ends(connection: object) -> int:
        done.append(1)
        if len(done) == 3:
            raise ZeroDivisionError
        return deleting(connection)  # type: ignore[arg-type] # as it was given

    monkeypatch.setattr(audit_archive, "_delete_some", ends)
    with pytest.raises(ZeroDivisionError):
        await audit_archive.prune(ledger, NOW - timedelta(days=10), who="somebody", now=NOW)
    proof = await ledger.reading(audit.proof)
    assert (proof.flaws, proof.count) == ((), 23)
    assert await audit_archive.prune(ledger, NOW - timedelta(days=10), who="somebody", now=NOW) is None
    proof = await ledger.reading(audit.proof)
    assert (proof.flaws, proof.count) == ((), 12)


async def test_the_newest_two_days_stay_whatever_is_asked(ledger: Database) -> None:
    await audit_archive.prune(ledger, NOW, who="somebody", now=NOW)
    assert [head.seq for head in await heads(ledger)] == [28, 29, 30, 31]


async def test_a_head_that_was_told_and_then_cut_off_breaks_nothing(ledger: Database) -> None:
    told = (await heads(ledger))[9]
    insert = text("INSERT INTO heads (day, seq, hash) VALUES ('2026-01-01', :seq, :hash)")
    await ledger.within(lambda connection: connection.execute(insert, {"seq": told.seq, "hash": told.hash}).rowcount)
    await audit_archive.prune(ledger, NOW - timedelta(days=10), who="somebody", now=NOW)
    assert await ledger.reading(lambda connection: audit.missing(connection, told)) == ""


async def test_it_is_cut_beside_a_running_bot_whose_stops_go_on(
    url: str, ledger: Database, stage: Stage, voipbin: World, program: Program
) -> None:
    stage.policy.write_text(stage.policy.read_text(encoding="utf-8") + AUDITOR, encoding="utf-8")
    async with stage.start(flows_bot_database_url=url):
        caller = voipbin.rings(at="play")
        card = await stage.asks_to_stop(caller)
        day = (NOW - timedelta(days=9)).date().isoformat()
        ended, _ = await asyncio.gather(
            program("audit", "prune", "--before", day, FLOWS_BOT_DATABASE_URL=url),
            stage.slack.clicks(ALICE, card, ids.STOP_FLOW),
        )
        assert ended.status == 0, ended.err
        await stage.reads("Receipt")
        said = await answers(stage, "audit all", user=BOB)
        assert any("audit prune cut off the oldest records, 1 to 20" in line for line in lines(said)), said.words
        proof = await ledger.reading(audit.proof)
    assert proof.flaws == ()
    assert stage.posts(caller) == 1


async def test_the_bot_cuts_by_itself_what_is_older_than_the_setting_says(
    url: str, ledger: Database, stage: Stage
) -> None:
    async with stage.start(flows_bot_database_url=url, flows_bot_audit_days=10), asyncio.timeout(60):
        while (await heads(ledger))[0].seq == 1:
            await stage.slack.next_change(0.05)
    proof = await ledger.reading(audit.proof)
    assert proof.flaws == ()
    assert proof.cut is not None
    assert proof.cut.through in {19, 20}  # midnight may pass

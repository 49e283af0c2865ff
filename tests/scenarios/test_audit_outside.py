"""The audit proves itself outside: a head told once a day, found again or missed, and exports for other programs."""

import asyncio
import csv
import json
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from functools import partial
from uuid import UUID

import pytest
import structlog

from bot.activeflows.records import Head, Record, RecordKind
from bot.composition.maintenance import HeadPublisher
from bot.demo.slack import faults as slack_faults
from bot.demo.slack.messages import Message
from bot.demo.slack.workspace import Workspace
from bot.demo.voipbin.world import World
from bot.ledger import audit
from bot.ledger.database import Database
from bot.ledger.stop_store import StopStore
from bot.slack import ids
from tests.scenarios.conftest import ALICE, BOB, INCIDENTS, LOBBY, Stage
from tests.scenarios.program import Program
from tests.scenarios.test_command_line import changed
from tests.scenarios.test_doctor import line
from tests.scenarios.test_health_for_machines import named, until
from tests.scenarios.typing_at import answers

NOW = datetime(2026, 8, 20, 3, 0, tzinfo=UTC)
WITNESS = "audit channel"
IN_LOBBY = f'\n[rules]\naudit_channel = "{LOBBY}"\n'


async def written(database: Database, *numbers: int) -> list[Head]:
    """One record an hour; the head after each."""
    book = StopStore(database, now=lambda: NOW)
    found = []
    for number in numbers:
        at = NOW + timedelta(hours=number)
        reason = ["=HYPERLINK(1)", 'said "no",\nand left'][number % 2]
        await book.record(
            Record(f"k{number}", at, RecordKind.ASKED, "U0ALICE", "C0INC", UUID(int=number + 1), reason=reason)
        )
        rows = await database.within(lambda connection: list(audit.chain(connection)))
        found.append(Head(rows[-1]["seq"], rows[-1]["hash"]))
    return found


# ---------------------------------------------------------------- told once a day


async def test_of_many_replicas_exactly_one_tells_a_days_head_and_each_day_has_one(database: Database) -> None:
    told: list[tuple[Head, date]] = []

    async def tell(head: Head, day: date) -> bool:
        told.append((head, day))
        return True

    clock = [NOW]
    replicas = [HeadPublisher(database, tell, now=lambda: clock[0]) for _ in range(5)]
    await asyncio.gather(*(replica.tell() for replica in replicas))
    assert told == [], "an empty chain has no head"
    first, second = await written(database, 0, 1)
    await asyncio.gather(*(replica.tell() for replica in replicas))
    assert told == [(second, NOW.date())]
    (third,) = await written(database, 2)
    await replicas[3].tell()
    assert len(told) == 1
    clock[0] = NOW.replace(day=21, hour=0, minute=0)
    await asyncio.gather(*(replica.tell() for replica in replicas))
    assert told[1:] == [(third, date(2026, 8, 21))]
    assert first not in [head for head, _ in told]


async def test_a_head_that_nobody_could_see_is_told_again_until_somebody_can(database: Database) -> None:
    told: list[Head] = []
    seen = [False, False, True]

    async def tell(head: Head, _day: date) -> bool:
        told.append(head)
        return seen[len(told) - 1]

    (head,) = await written(database, 0)
    telling = HeadPublisher(database, tell, now=lambda: NOW, again=0.0)
    for _ in range(5):
        await telling.tell()
    assert told == [head] * 3


async def test_each_outcome_has_its_head_and_a_receipt_of_a_card_is_one(
    stage: Stage, voipbin: World, sqlite_url: str, program: Program
) -> None:
    stage.policy.write_text(stage.policy.read_text(encoding="utf-8") + IN_LOBBY, encoding="utf-8")
    async with stage.start():
        receipts = []
        for _ in range(2):
            card = await stage.asks_to_stop(voipbin.rings(at="play"))
            await stage.slack.clicks(ALICE, card, ids.STOP_FLOW)
            await stage.slack.until(partial(_told, stage, card))
            receipts.append(_now(stage, card).words.partition("Receipt ")[2].split()[0])
            sought = f"--head {receipts[-1]}"
            await stage.reads(sought, channel=LOBBY)
    where = {"FLOWS_BOT_DATABASE_URL": sqlite_url}
    ended = await program("audit", "verify", *(word for receipt in receipts for word in ("--head", receipt)), **where)
    assert (ended.status, ended.out[:2]) == (0, [f"head {receipt}: is in the chain" for receipt in receipts])


def _told(stage: Stage, card: Message) -> bool:
    return "Receipt" in _now(stage, card).words


def _now(stage: Stage, card: Message) -> Message:
    (found,) = (message for message in stage.slack.sees(ALICE, INCIDENTS) if message.ts == card.ts)
    return found


async def test_the_head_is_posted_where_the_policy_says_once_also_across_a_restart(
    stage: Stage, slack: Workspace, sqlite_url: str, program: Program, capsys: pytest.CaptureFixture[str]
) -> None:
    stage.policy.write_text(stage.policy.read_text(encoding="utf-8") + IN_LOBBY, encoding="utf-8")
    async with stage.start():
        post = await stage.reads("flows-bot audit verify --head", channel=LOBBY)
        assert post.ephemeral_to is None
    async with stage.start():
        await slack.types(ALICE, INCIDENTS, "/flows whoami")
        await stage.reads("What you can do here")
    assert len(slack.sees(ALICE, LOBBY)) == 1
    logged = re.findall(r"audit_head +.*head=(\S+)", capsys.readouterr().out)
    (head,) = logged
    assert f"--head {head}" in post.words
    ended = await program("audit", "verify", "--head", head, FLOWS_BOT_DATABASE_URL=sqlite_url)
    assert (ended.status, ended.err) == (0, [])
    assert ended.out[0] == f"head {head}: is in the chain"


async def test_a_head_that_cannot_be_posted_is_in_the_log_and_that_is_said(
    stage: Stage, slack: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    stage.policy.write_text(stage.policy.read_text(encoding="utf-8") + IN_LOBBY, encoding="utf-8")
    slack.faults.on("chat.postMessage", slack_faults.error("not_in_channel"))
    said = ""
    async with stage.start(), asyncio.timeout(30):
        while "audit_head_not_posted" not in said:
            said += capsys.readouterr().out
            await slack.next_change(0.05)
    assert re.search(r"audit_head +.*head=1:[0-9a-f]{64}", said)
    assert slack.sees(ALICE, LOBBY) == []


# ---------------------------------------------------------------- found again, or missed


async def test_a_head_is_found_and_one_of_a_removed_or_rewritten_record_is_missed(database: Database) -> None:
    known = await written(database, *range(5))

    async def missing(head: Head) -> str:
        return await database.within(lambda connection: audit.missing(connection, head))

    assert [await missing(head) for head in known] == [""] * 5
    assert await missing(Head(3, known[2].hash[:10])) == ""
    assert await missing(Head(3, known[1].hash)) == "record 3 is another one now"
    await database.within(lambda c: c.exec_driver_sql("DELETE FROM audit WHERE seq > 3"))
    assert (await database.within(audit.proof)).flaws == (), "the rows alone do not show it"
    assert await missing(known[4]) == "the chain ends at record 3: its tail was removed"
    assert await missing(known[2]) == ""
    await written(database, 7, 8)
    assert await missing(known[4]) == "record 5 is another one now"


async def test_the_ledgers_own_heads_show_a_removed_tail_that_nobody_asks_about(
    program: Program, sqlite_url: str
) -> None:
    database = Database(sqlite_url)
    await database.prepare()
    (*_, head) = await written(database, *range(4))
    assert await database.within(lambda connection: audit.claim(connection, NOW.date())) == head
    await database.close()
    where = {"FLOWS_BOT_DATABASE_URL": sqlite_url}
    assert (await program("audit", "verify", **where)).out[:-1] == []
    changed(sqlite_url, "DELETE FROM audit WHERE seq = 4")
    ended = await program("audit", "verify", **where)
    assert (ended.status, ended.out[0]) == (1, f"head {head}: the chain ends at record 3: its tail was removed")
    changed(sqlite_url, "DROP TABLE heads")  # as in a ledger of an older version
    assert (await program("audit", "verify", **where)).status == 0


async def test_verify_with_heads_on_a_terminal_says_that_the_tail_was_removed(
    program: Program, sqlite_url: str
) -> None:
    database = Database(sqlite_url)
    await database.prepare()
    known = await written(database, *range(4))
    await database.close()
    log = program.folder / "bot.log"
    log.write_text(f"[info] audit_head day=2026-08-20 head={known[1]}\nThe audit … `{known[3]}`. At 12:30:55.\n")
    where = {"FLOWS_BOT_DATABASE_URL": sqlite_url}
    ended = await program("audit", "verify", "--heads", str(log), "--head", f"1:{known[0].hash[:10]}", **where)
    assert (ended.status, len(ended.out)) == (0, 4), ended
    changed(sqlite_url, "DELETE FROM audit WHERE seq = 4")
    assert (await program("audit", "verify", **where)).status == 0
    ended = await program("audit", "verify", "--heads", str(log), **where)
    assert ended.status == 1
    assert ended.out == [
        f"head {known[1]}: is in the chain",
        f"head {known[3]}: the chain ends at record 3: its tail was removed",
        f"3 records, 0 flaws, newest receipt 3:{known[2].hash[:10]}",
    ]
    for wrong in (["--head", "12"], ["--head", "1:xyz"], ["--heads", "no-such.log"]):
        ended = await program("audit", "verify", *wrong, **where)
        assert (ended.status, ended.out, len(ended.err)) == (2, [], 1), ended


async def test_verify_on_a_terminal_says_which_record_was_changed_on_either_database(
    program: Program, database: Database
) -> None:
    known = await written(database, *range(4))
    where = {"FLOWS_BOT_DATABASE_URL": database.url}
    whole = await program("audit", "verify", **where)
    assert (whole.status, whole.out) == (0, [f"4 records, 0 flaws, newest receipt 4:{known[3].hash[:10]}"])
    await database.within(lambda c: c.exec_driver_sql("UPDATE audit SET body = 'forged' WHERE seq = 2"))
    ended = await program("audit", "verify", **where)
    assert (ended.status, ended.out[0]) == (1, "record 2: was changed after it was written")


# ---------------------------------------------------------------- what the audit channel witnesses


@pytest.fixture
async def witnessed(stage: Stage, voipbin: World) -> Stage:
    """Heads of several records are posted, and the bot has ended."""
    stage.policy.write_text(stage.policy.read_text(encoding="utf-8") + IN_LOBBY, encoding="utf-8")
    stage.health_every = 0.05
    async with stage.start():
        card = await stage.asks_to_stop(voipbin.rings(at="play"))
        await stage.slack.clicks(ALICE, card, ids.STOP_FLOW)
        await stage.slack.until(partial(_told, stage, card))
        receipt = _now(stage, card).words.partition("Receipt ")[2].split()[0]
        await stage.reads(f"--head {receipt}", channel=LOBBY)
    return stage


async def noticed(stage: Stage, words: str) -> None:
    """Wait until the doctor, `/readyz` and the log say so, and that it makes nothing unready."""
    with structlog.testing.capture_logs() as lines:
        async with stage.start():
            found = named(await until(stage, lambda _, said: named(said, "warnings", WITNESS)), "warnings", WITNESS)
            assert found is not None
            assert words in found["why"]
            doctor = line(await answers(stage, "doctor"), WITNESS)
    assert words in doctor
    (logged,) = (line for line in lines if line["event"] == "health_changed" and line["about"] == WITNESS)
    assert (words in logged["why"], logged["ready"]) == (True, True)


@pytest.mark.parametrize(
    ("removed", "words"),
    [
        ("", "the chain ends at record 1: its tail was removed"),
        ("WHERE seq > 2", "the chain ends at record 2: its tail was removed"),
    ],
)
async def test_a_chain_that_was_emptied_or_shortened_is_noticed_at_the_next_start_by_what_was_posted(
    witnessed: Stage, sqlite_url: str, program: Program, enough: Mapping[str, str], removed: str, words: str
) -> None:
    changed(sqlite_url, "DELETE FROM heads")
    changed(sqlite_url, f"DELETE FROM audit {removed}")  # noqa: S608 - words of this test
    await noticed(witnessed, words)
    ended = await program("check", "--json", **enough)
    findings = {one["about"]: one for one in json.loads("\n".join(ended.out))["findings"]}
    assert (ended.status, findings[WITNESS]["state"], findings["ledger"]["state"]) == (0, "broken", "ok")


async def test_a_ledger_that_is_gone_is_said_by_a_check_and_one_that_never_was_too(
    witnessed: Stage, slack: Workspace, program: Program, enough: Mapping[str, str]
) -> None:
    elsewhere = {**enough, "FLOWS_BOT_DATABASE_URL": "sqlite:///new.db"}
    ended = await program("check", **elsewhere)
    (said,) = (line for line in ended.out if WITNESS in line)
    assert (ended.status, said[:8]) == (0, "WARNING ")
    assert "there is no ledger, but I posted heads there, up to " in said
    ended = await program("check", "--json", **elsewhere)
    assert WITNESS in [one["what"] for one in json.loads("\n".join(ended.out))["warnings"]]
    for message in slack.sees(ALICE, LOBBY):
        slack.delete(LOBBY, message.ts)
    ended = await program("check", **elsewhere)
    (said,) = (line for line in ended.out if WITNESS in line)
    assert said == f"ok      {WITNESS}: there is no ledger yet; no head was posted there yet"


async def test_whoever_begins_another_chain_is_noticed_also_when_its_heads_were_posted_since(
    witnessed: Stage, slack: Workspace, sqlite_url: str
) -> None:
    changed(sqlite_url, "DELETE FROM heads")
    changed(sqlite_url, "DELETE FROM audit")
    posted = len(slack.sees(ALICE, LOBBY))
    async with witnessed.start():
        await slack.until(lambda: len(slack.sees(ALICE, LOBBY)) > posted)
    await noticed(witnessed, "is not in the ledger")


async def test_a_whole_chain_is_well_whatever_anybody_else_writes_there(
    witnessed: Stage, slack: Workspace, program: Program, enough: Mapping[str, str]
) -> None:
    slack.add_user("U0OTHER", "other", is_bot=True)
    (head, *_) = (m for m in slack.sees(ALICE, LOBBY) if "--head" in m.words)
    for writer in ("U0OTHER", BOB):
        slack.post(LOBBY, writer, re.sub(r"\d+:[0-9a-f]{64}", f"99:{64 * 'a'}", head.text))
    async with witnessed.start():
        assert line(await answers(witnessed, "doctor"), WITNESS).startswith("ok · ")
        assert "warnings" not in await until(witnessed, lambda status, _: status == 200)
    ended = await program("check", **enough)
    assert [line[:8] for line in ended.out if WITNESS in line] == ["ok      "]


async def test_where_the_channel_cannot_be_read_that_is_a_warning(
    witnessed: Stage, slack: Workspace, program: Program, enough: Mapping[str, str]
) -> None:
    scopes, members = set(slack.scopes), slack.channels[LOBBY].members
    slack.scopes -= {"channels:history"}
    await noticed(witnessed, "channels:history")
    assert (await program("check", **enough)).status == 0
    slack.scopes = scopes
    members.remove(slack.bot_user_id)
    await noticed(witnessed, "not in that channel")


async def test_heads_that_are_buried_under_other_messages_are_said_not_to_be_found(
    witnessed: Stage, slack: Workspace
) -> None:
    for number in range(120):
        slack.post(LOBBY, BOB, f"lunch {number}")
    await noticed(witnessed, "no head among its newest 100 messages")


async def test_without_an_audit_channel_nothing_is_read(stage: Stage, slack: Workspace) -> None:
    stage.health_every = 0.05
    async with stage.start():
        assert WITNESS not in (await answers(stage, "doctor")).words
        await until(stage, lambda _, __: sum(call.method == "auth.test" for call in slack.calls) > 4)
    assert "conversations.history" not in {call.method for call in slack.calls}


# ---------------------------------------------------------------- exports


async def test_exports_hold_the_records_of_a_time_as_json_lines_and_as_csv(
    program: Program, database: Database
) -> None:
    known = await written(database, *range(4))
    where = {"FLOWS_BOT_DATABASE_URL": database.url}
    ended = await program(
        *("audit", "export", "--since", "2026-08-20T04:00", "--until", "2026-08-20T06:00:00+00:00"), **where
    )
    assert ended.status == 0, ended
    rows = [json.loads(line) for line in ended.out]
    assert [(row["seq"], row["hash"]) for row in rows] == [(2, known[1].hash), (3, known[2].hash)]
    ended = await program("audit", "export", "--format", "csv", "--until", "2026-08-20T05:00", **where)
    table = list(csv.DictReader("\n".join(ended.out).splitlines(keepends=True)))
    assert [(row["seq"], row["who"], row["hash"]) for row in table] == [
        (str(head.seq), "U0ALICE", head.hash) for head in known[:2]
    ]
    assert [row["reason"] for row in table] == ["'=HYPERLINK(1)", 'said "no",\nand left']
    assert (await program("audit", "export", "--since", "1h", "--until", "0s", **where)).out == []
    for wrong in (["--since", "yesterday"], ["--until", "99999999d"], ["--format", "xml"]):
        ended = await program("audit", "export", *wrong, **where)
        assert (ended.status, ended.out, len(ended.err)) == (2, [], 1), ended

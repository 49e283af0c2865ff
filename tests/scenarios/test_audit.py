"""`/flows audit`: who did what, and who may know it."""

import hashlib
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from bot.activeflows.records import Record, RecordKind
from bot.demo.slack.messages import Message
from bot.demo.slack.workspace import Workspace
from bot.demo.voipbin import faults
from bot.demo.voipbin.world import World
from bot.ledger.database import Database
from bot.ledger.stop_store import StopStore
from bot.slack import ids
from tests.scenarios.conftest import ALICE, BOB, CAROL, GUEST, INCIDENTS, LOBBY, Stage
from tests.scenarios.typing_at import answers, presses

AUDITOR = f'\n[[grant]]\nto = ["{BOB}"]\nmay = ["audit"]\n'


@pytest.fixture
def policy(policy: Path) -> Path:
    """As ever, and Bob may read the audit."""
    policy.write_text(policy.read_text(encoding="utf-8") + AUDITOR, encoding="utf-8")
    return policy


def lines(message: Message) -> list[str]:
    """The records, newest first."""
    return [line for line in message.words.splitlines() if "receipt" in line]


async def stopped(bot: Stage, slack: Workspace, voipbin: World) -> tuple[str, Message]:
    """Alice asks, Carol presses; the activeflow's short id, and the card."""
    activeflow = voipbin.rings(voipbin.add_flow("Support line"), at="play")
    card = await bot.asks_to_stop(activeflow, words="it loops")
    await slack.clicks(CAROL, card, ids.STOP_FLOW)
    return str(activeflow.id)[:8], await bot.reads("Receipt")


async def test_a_stop_can_be_read_from_the_question_to_its_end(bot: Stage, slack: Workspace, voipbin: World) -> None:
    short, card = await stopped(bot, slack, voipbin)
    answer = await answers(bot, "audit all", user=BOB)
    assert answer.ephemeral_to == BOB
    digest = hashlib.sha256(bot.policy.read_bytes()).hexdigest()
    told = [re.sub(r"^[\d-]+ [\d:]+ UTC · | · receipt \d+:\w{10}$", "", line) for line in lines(answer)]
    where = f"{short} · #incidents · reason: “it loops”"
    assert told == [
        f"@Carol outcome: ended, by this press · {where}",
        f"@Carol sending the stop (attempt 1) · {where}",
        f"@Carol pressed Stop flow, asked for by @Alice: allowed by grant 1 · {where}",
        f"@Alice asked to stop: allowed by grant 1 · {where}",
        f"policy file is in force: 3 grants, sha256 {digest[:12]}",
    ]
    receipts = [line.rpartition(" ")[2] for line in lines(answer)]
    assert f"Receipt {receipts[0]}" in card.words
    assert "5 records, newest first: everybody’s" in answer.words
    assert "flows-bot audit verify" in answer.words


def stops(message: Message) -> list[str]:
    """The lines that begin with a time, without it."""
    times = re.compile(r"^[\d-]+ [\d:]+ UTC · ")
    return [times.sub("", line) for line in message.words.splitlines() if times.match(line)]


async def test_each_stop_is_one_line_and_its_details_are_one_press_or_one_id_away(
    bot: Stage, slack: Workspace, voipbin: World
) -> None:
    short, _ = await stopped(bot, slack, voipbin)
    never_pressed = voipbin.rings(voipbin.add_flow("Front desk"), at="play")
    await bot.asks_to_stop(never_pressed)
    refused = await bot.asks_to_stop(voipbin.rings(voipbin.add_flow("After hours"), at="play"))
    await slack.clicks(BOB, refused, ids.STOP_FLOW)
    await bot.reads("You can't stop this", user=BOB)
    answer = await answers(bot, "audit", user=BOB)
    refusal, stop, policy = stops(answer)
    assert stop == f"Support line {short} · ended, by this press · @Carol"
    assert refusal.startswith("After hours ")
    assert "@Bob refused: no “stop” permission" in refusal
    assert policy.startswith("policy file is in force")
    assert "3 lines, newest first: everybody’s" in answer.words
    assert "All about one: /flows audit <id>" in answer.words
    every = await presses(bot, BOB, answer, ids.AUDIT_OTHERWISE)
    assert len(lines(every)) == len(lines(await answers(bot, "audit all", user=BOB))) == 8
    assert stops(await presses(bot, BOB, every, ids.AUDIT_OTHERWISE)) == stops(answer)
    assert len(lines(await answers(bot, f"audit {short}", user=BOB))) == 4
    assert stops(await answers(bot, "audit me", user=CAROL)) == [stop]


async def test_a_press_without_an_outcome_says_so(bot: Stage, slack: Workspace, voipbin: World) -> None:
    held = faults.hold()
    voipbin.faults.on("POST", "/activeflows/{id}/stop", held, times=1)
    activeflow = voipbin.rings(voipbin.add_flow("Support line"), at="play")
    await slack.clicks(CAROL, await bot.asks_to_stop(activeflow), ids.STOP_FLOW)
    await bot.reads("Stopping…")
    await slack.types(CAROL, INCIDENTS, "/flows audit")
    answer = await bot.reads("newest first", user=CAROL)  # and not that the press is slow, on a full machine
    assert stops(answer) == [f"Support line {activeflow.id.hex[:8]} · pressed, no outcome recorded yet · @Carol"]
    held.release()
    await bot.reads("Receipt")


async def test_whoever_may_not_audit_reads_their_own_records_and_is_told_so(
    bot: Stage, slack: Workspace, voipbin: World
) -> None:
    await stopped(bot, slack, voipbin)
    answer = await answers(bot, "audit all")
    assert answer.ephemeral_to == ALICE
    assert [line.partition("@")[2][:20] for line in lines(answer)] == ["Alice asked to stop:"]
    assert "1 record, newest first: your own" in answer.words
    assert "To see everybody’s records you need the audit permission: /flows whoami" in answer.words
    for asked in ("audit all me", "audit all @Alice"):
        mine = await answers(bot, asked)
        assert lines(mine) == lines(answer)
        assert "Everybody’s" not in mine.words


async def test_the_records_of_others_take_the_permission(bot: Stage, slack: Workspace, voipbin: World) -> None:
    await stopped(bot, slack, voipbin)
    refused = await answers(bot, "audit @Carol")
    assert "You don't have permission to read everybody’s records" in refused.words
    assert "You can ask @Bob" in refused.words
    assert not lines(refused)
    carols = await answers(bot, "audit all @Carol", user=BOB)
    assert len(lines(carols)) == 3
    assert "3 records, newest first: those of @Carol" in carols.words


async def test_a_guest_who_may_nothing_reads_nothing(bot: Stage) -> None:
    for asked in ("audit", "audit me", "audit @Alice"):
        refused = await answers(bot, asked, user=GUEST)
        assert "this account is a guest" in refused.words


async def test_a_press_that_was_refused_is_in_the_record(bot: Stage, slack: Workspace, voipbin: World) -> None:
    activeflow = voipbin.rings(voipbin.add_flow("Support line"), at="play")
    card = await bot.asks_to_stop(activeflow)
    await slack.clicks(BOB, card, ids.STOP_FLOW)
    await bot.reads("You can't stop this", user=BOB)
    newest = lines(await answers(bot, "audit all me", user=BOB))[0]
    assert "@Bob refused: no “stop” permission, directly or through a user group" in newest
    assert bot.posts(activeflow) == 0


async def test_nothing_fits_and_that_is_said(bot: Stage) -> None:
    answer = await answers(bot, "audit me", user=BOB)
    assert "No stops match." in answer.words
    assert [button.action_id for button in answer.buttons] == [ids.AUDIT_OTHERWISE]
    assert "No records match." in (await answers(bot, "audit all me", user=BOB)).words
    assert "Use the activeflow’s id" in (await answers(bot, "audit 3c5b0f6e", user=BOB)).words
    assert "member ID" in (await answers(bot, "audit @alicia", user=BOB)).words


# ---------------------------------------------------------------- many records

NOW = datetime.now(UTC)


def recorded(number: int, **changes: str) -> Record:
    """One of many: ids 00000000…, two people by turns, an hour between each and the next."""
    by = (ALICE, CAROL)[number % 2]
    at = NOW - timedelta(hours=30 - number)
    return Record(f"k{number}", at, RecordKind.ASKED, by, INCIDENTS, UUID(int=number << 96 | 7), reason=f"No{number}.")


@pytest.fixture
async def full(stage: Stage, sqlite_url: str) -> Stage:
    """A ledger with 23 records, written before the bot starts; its start adds which policy is in force."""
    database = Database(sqlite_url)
    await database.prepare()
    book = StopStore(database, now=lambda: NOW)
    for number in range(1, 24):
        await book.record(recorded(number))
    await database.close()
    return stage


def numbers(message: Message) -> list[int]:
    return [int(number) for number in re.findall(r"No(\d+)\.", message.words)]


async def test_pages_turn_in_place_and_each_record_is_on_one_of_them(full: Stage, slack: Workspace) -> None:
    async with full.start():
        page = await answers(full, "audit all", user=BOB)
        seen = len(slack.sees(BOB, INCIDENTS))
        assert numbers(page) == list(range(23, 14, -1))
        assert [button.action_id for button in page.buttons] == [ids.AUDIT_OLDER, ids.AUDIT_OTHERWISE]
        page = await presses(full, BOB, page, ids.AUDIT_OLDER)
        assert numbers(page) == list(range(14, 4, -1))
        assert [button.action_id for button in page.buttons] == [ids.AUDIT_NEWER, ids.AUDIT_OLDER, ids.AUDIT_OTHERWISE]
        page = await presses(full, BOB, page, ids.AUDIT_OLDER)
        assert numbers(page) == [4, 3, 2, 1]
        assert [button.action_id for button in page.buttons] == [ids.AUDIT_NEWER, ids.AUDIT_OTHERWISE]
        page = await presses(full, BOB, page, ids.AUDIT_NEWER)
        assert numbers(page) == list(range(14, 4, -1))
        page = await presses(full, BOB, page, ids.AUDIT_NEWER)
        assert numbers(page) == list(range(23, 14, -1))
        assert page.ephemeral_to == BOB
        assert len(slack.sees(BOB, INCIDENTS)) == seen


async def test_a_turned_page_keeps_to_what_was_asked(full: Stage) -> None:
    async with full.start():
        page = await answers(full, "audit all me")
        assert numbers(page) == list(range(22, 3, -2))
        page = await presses(full, ALICE, page, ids.AUDIT_OLDER)
        assert numbers(page) == [2]
        assert "your own" in page.words


async def test_records_are_found_by_a_whole_id_a_beginning_and_a_time(full: Stage) -> None:
    async with full.start():
        one = UUID(int=5 << 96 | 7)
        for asked in (str(one), one.hex[:8], one.hex[:12], str(one)[:11]):
            assert numbers(await answers(full, f"audit {asked}", user=BOB)) == [5], asked
        assert numbers(await answers(full, "audit 0000", user=BOB)) == list(range(23, 13, -1))
        recent = await answers(full, "audit all @Carol since:10h30m", user=BOB)
        assert numbers(recent) == [23, 21]
        assert "those of @Carol, since" in recent.words


async def test_the_audit_answers_in_any_channel(full: Stage) -> None:
    async with full.start():
        assert numbers(await answers(full, "audit all", user=BOB, channel=LOBBY)) == list(range(23, 14, -1))

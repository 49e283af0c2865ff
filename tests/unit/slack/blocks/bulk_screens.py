"""The bulk stop card in every state, and the answers instead of it, with whatever words."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from bot.activeflows.bulk.bulk_stop import (
    Bulk,
    BulkEnding,
    BulkState,
    Exclusions,
    Member,
    MemberGroup,
    MemberOutcome,
    Origin,
    Run,
)
from bot.activeflows.bulk.request import CardRefusal, NoCard
from bot.activeflows.bulk.snapshot import FrozenList
from bot.activeflows.queries.filters import Filters
from bot.activeflows.stopping.stop import CallAfter, Declined, DeclineReason
from bot.slack import ids
from bot.slack.blocks.declined import ask_others, declined_press
from bot.slack.cards.bulk_card import bulk_card, bulk_unasked
from bot.slack.messaging.messenger import Message

AT = datetime(2026, 11, 22, 12, 3, 10, tzinfo=UTC)


def a_bulk(count: int = 50, words: str = "Support line") -> Bulk:
    """So many members, in three flows and two kinds of situations."""
    members = tuple(
        Member(
            number=number,
            activeflow_id=UUID(int=(0x3C5B0F6D + number) << 96 | number),
            flow_id=UUID(int=number % 3) if number % 3 else None,
            flow_name=words if number % 3 else "",
            kind="digits" if number % 2 else "queue.waiting",
            words=words,
            reference_type="call" if number % 5 else words,
            created_at=AT - timedelta(minutes=number),
            call_id=UUID(int=number),
            on_complete=f"{words} {number % 11}" if number % 2 else "",
        )
        for number in range(1, count + 1)
    )
    left = Exclusions((UUID(int=1), UUID(int=2)), 3, 4)
    until = AT + timedelta(minutes=5)
    return Bulk(
        id="b" * 32, filters=Filters(flow=words or None, type="call"), members=members, asked_by="U0ALICE",
        channel="C0INCIDENTS", reason=words, asked_at=AT, deadline=until, as_of=AT, complete_since=AT, left=left,
        sample=(words, words), second_person=True, limit=50,
    )  # fmt: skip


def bulk_screens(words: str) -> Iterator[Message]:
    bulk = a_bulk(words=words)
    kinds = list(MemberOutcome)
    became = {member.number: kinds[member.number % len(kinds)] for member in bulk.members}
    everything = dict.fromkeys(range(1, 51), MemberOutcome.MOVED)
    for state in BulkState:
        yield bulk_card(bulk, Run(state, "p", "U0ALICE", AT, AT, "", became), "/flows")
    yield bulk_card(bulk, Run(BulkState.STOPPING, "p", "U0ALICE", AT, AT, unanswered=True), "/flows")
    everybody = tuple(range(1, 51))
    pressed = {
        n: CallAfter(("hung_up", "hanging_up", "up", "unknown")[n % 4], AT, "U0BOB", words) for n in everybody[5:]
    }
    endings = (
        *(
            BulkEnding(),
            BulkEnding(words, 3, words, everybody, everybody, words),
            BulkEnding("", 0),
            BulkEnding(more_as_of=AT),
        ),
        BulkEnding(up=everybody[::2], unheard=everybody[1::2], calls=pressed),
    )
    for ending in endings:
        for aborted_by in ("", "U0BOB"):
            for run in (became, everything, dict.fromkeys(range(1, 51), MemberOutcome.STOPPED)):
                yield bulk_card(bulk, Run(BulkState.DONE, "p", "U0ALICE", AT, AT, aborted_by, run, ending), "/flows")
    yield bulk_card(a_bulk(1, words), Run(), "/flows")
    origin = Origin((words, words), ((words, 1), (words, 2)), AT)
    yield bulk_card(bulk, Run(), "/flows", origin=origin)
    ended = Run(BulkState.DONE, "p", "U0ALICE", AT, AT, "", {}, BulkEnding(more=3, origin=origin, more_as_of=AT))
    yield bulk_card(bulk, ended, "/flows")
    yield bulk_card(a_bulk(1000, words), Run(), "/flows")
    asked = replace(bulk, on_behalf=True)
    for state in BulkState:
        yield bulk_card(asked, Run(state, "p", "U0BOB", AT, AT, "", became), "/flows", who_may=("U0BOB", "S0ONCALL"))
    refused = Declined(DeclineReason.NOT_PERMITTED, words, ("U0BOB",))
    yield declined_press(refused, "/flows", ask=ask_others(bulk.id, ids.BULK_ASK_OTHERS))
    frozen = FrozenList((), bulk.left, AT, AT, (words or "x",))
    groups = tuple(MemberGroup(words, words, 9) for _ in range(7))
    for why in NoCard:
        for on_behalf in (False, True):
            yield bulk_unasked(CardRefusal(why, bulk.filters, 51, 50, groups, frozen, on_behalf), command="/flows")

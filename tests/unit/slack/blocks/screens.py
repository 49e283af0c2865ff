"""Every screen this bot can draw, with whatever words somebody may have put into VoIPBIN or typed into Slack."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from bot.activeflows.errors import NotUnderstood
from bot.activeflows.model import Action, Activeflow, Call, Flow, Party, Reference, Status
from bot.activeflows.operators import Grant, Operator, Permission, Person, Policy, Standing
from bot.activeflows.queries.audit_review import AllowedPress, Review
from bot.activeflows.queries.details import Details, Family, Relative, StepTimes, WithheldReason
from bot.activeflows.queries.filters import Filters
from bot.activeflows.queries.inspection import Inspection, ShownState, consequences
from bot.activeflows.queries.listing import Listing, Row
from bot.activeflows.records import Entry, Record, RecordKind
from bot.activeflows.situation.current_step import Situation, situation
from bot.activeflows.situation.history import HistoryLine
from bot.activeflows.stopping.stop import (
    Attribution,
    CallAfter,
    Cancelled,
    ChildAfter,
    Declined,
    DeclineReason,
    Ended,
    Expired,
    FailureReason,
    Intent,
    Moved,
    NotKnown,
    NotSent,
    Phase,
    Press,
    PressInHand,
    StillRunning,
    StopInHand,
    Waiting,
)
from bot.slack.blocks.activeflow_details import activeflow_details
from bot.slack.blocks.activeflow_list import activeflow_list, shared_list
from bot.slack.blocks.audit_list import audit_list
from bot.slack.blocks.declined import ask_others, declined_press
from bot.slack.blocks.help import help_overview, not_understood
from bot.slack.blocks.home import whoami
from bot.slack.cards.stop_card import still_not_known, stop_card
from bot.slack.grammar.requests import Audit
from bot.slack.grammar.table import COMMANDS
from bot.slack.messaging.messenger import Message
from tests.unit.slack.blocks.alert_screens import alert_screens
from tests.unit.slack.blocks.bulk_screens import bulk_screens
from tests.unit.slack.blocks.found_screens import found_screens
from tests.unit.slack.blocks.home_screens import home_screens
from tests.unit.slack.blocks.picker_screens import picker_screens
from tests.unit.slack.blocks.recap_screens import recap_screens
from tests.unit.slack.blocks.watch_screens import watch_screens

NOW = datetime(2026, 11, 22, 12, 3, 10, tzinfo=UTC)
CUSTOMER = UUID("5e0b8f4c-0000-4000-8000-0000000000aa")
CALLER = "+15550109876"
EVERYTHING = Policy((Grant(1, frozenset({"U0ALICE"}), frozenset(Permission)),))
ALICE = Operator(Person("U0ALICE", Standing.MEMBER), "C0INCIDENTS", EVERYTHING)
NOBODY = Operator(Person("U0BOB", Standing.MEMBER), "C0INCIDENTS", EVERYTHING)
VIEWER = Operator(
    Person("U0BOB", Standing.MEMBER),
    "C0INCIDENTS",
    Policy((Grant(1, frozenset({"U0BOB"}), frozenset({Permission.VIEW})), *EVERYTHING.grants)),
)


def activeflow(number: int = 1, *, words: str = "", status: Status = Status.RUNNING) -> Activeflow:
    """One that waits for keypad input."""
    return Activeflow(
        id=UUID(int=(0x3C5B0F6D + number) << 96 | number),
        customer_id=CUSTOMER,
        flow_id=UUID(int=0xF10 << 96 | number),
        status=status,
        reference=Reference(words or "call", UUID(int=0xCA11 << 96 | number)),
        current=Action(UUID(int=77), words or "digits_receive", {"length": 6, "key": "#"}),
        executed=tuple(Action(UUID(int=9000 + step), words or "talk", {"language": words}) for step in range(85)),
        parent_id=UUID(int=5),
        on_complete_flow_id=UUID(int=6),
        created_at=NOW - timedelta(minutes=4),
        updated_at=NOW - timedelta(seconds=9),
    )


def listing(words: str = "Support line", *, rows: int = 10, **changes: object) -> Listing:
    """A middle page."""
    found = [activeflow(number + 1) for number in range(rows)]
    built = Listing(
        rows=tuple(Row(each, _doing(words, each), words) for each in found),
        filters=Filters(flow=words[:255]) if words else Filters(),
        first=10,
        total=23,
        hidden=2,
        unnamed=1,
        similar=(),
        as_of=NOW,
        complete_since=NOW - timedelta(minutes=65),
        stopped_because="pages",
        unreadable=1,
    )
    return replace(built, **changes)  # type: ignore[arg-type] # fields by name


def details(
    words: str = "Support line",
    *,
    status: Status = Status.RUNNING,
    timing: StepTimes = StepTimes.WHOLE,
    family: Family | None = None,
) -> Details:
    """One with everything that can be said about it."""
    one = activeflow(status=status)
    call = Call(
        id=UUID(int=8),
        activeflow_id=one.id,
        status=words or "progressing",
        direction=words or "incoming",
        source=Party("tel", CALLER, words),
        destination=Party("tel", "+15550100002"),
        answered_at=NOW - timedelta(minutes=3),
    )
    flow, follower = Flow(one.flow_id or one.id, words), Flow(UUID(int=6), words)
    doing = _doing(words, one)
    effects = consequences(one, situation=doing, now=NOW, call=call, looked_up=True, on_complete=follower)
    inspection = Inspection(one, doing, flow, follower, call, effects)
    return Details(inspection, _steps(words), NOW, _step(words, 1), timing, (words, None), family or _family(words))


def _step(words: str, times: int) -> HistoryLine:
    began = NOW - timedelta(hours=30)
    return HistoryLine(words or "talk", times, began, NOW - timedelta(seconds=45), timedelta(hours=29))


def _steps(words: str) -> tuple[HistoryLine, ...]:
    """As many lines as there can be, each as long as it can be."""
    return (
        *(_step(words, 7) for _ in range(5)),
        HistoryLine(words, left_out=23),
        *(_step(words, n) for n in range(1, 11)),
    )


def _family(words: str) -> Family:
    parent, *children = (Relative(activeflow(number), words) for number in range(20, 24))
    return Family(parent, tuple(children), more=2, hidden=1, looked=True)


def every_screen(words: str = "Support line") -> Iterator[Message]:
    """All of them; ``words`` stand wherever words of others stand."""
    for _, messages in groups(words):
        yield from messages


def groups(words: str) -> Iterator[tuple[str, Iterable[Message]]]:
    """The same, by what they are about."""
    yield "list", _lists(words)
    yield "details", _details(words)
    yield "help", _helps()
    yield "whoami", (whoami(operator) for operator in (ALICE, NOBODY, VIEWER))
    yield "not understood", (not_understood(NotUnderstood(words, words), command="/flows"),)
    yield "audit", _audits(words)
    yield "recap", recap_screens(words)
    yield "stop card", _stop_cards(words)
    yield "declined press", _declined(words)
    yield "bulk stop", bulk_screens(words)
    yield "watch", watch_screens(words)
    yield "search", found_screens(words, listing(words).rows, (ALICE, NOBODY))
    yield "picker", picker_screens(words, activeflow, NOBODY)
    yield "alert", alert_screens(words)
    yield "home and doctor", home_screens(words, listing(words), activeflow(words=words), details(words), ALICE, NOBODY)


def _lists(words: str) -> Iterator[Message]:
    for operator in (ALICE, NOBODY, VIEWER):
        yield activeflow_list(listing(words), operator, NOW, command="/flows")
    yield shared_list(listing(words), NOW, command="/flows", by="U0ALICE")
    yield activeflow_list(listing(words, rows=0, similar=(words or "x",)), ALICE, NOW, command="/flows")
    yield activeflow_list(listing("", rows=0, first=0, total=0, complete_since=None), ALICE, NOW, command="/flows")
    yield activeflow_list(listing(words, first=7), ALICE, NOW, command="/flows")


def _details(words: str) -> Iterator[Message]:
    for operator in (ALICE, NOBODY, VIEWER):
        yield activeflow_details(details(words), operator, command="/flows")
    yield activeflow_details(details(words, status=Status.ENDED), ALICE, command="/flows")
    for timing, parent in zip(StepTimes, (None, *WithheldReason, None), strict=True):
        shown = details(words, timing=timing, family=Family(parent, looked=timing is StepTimes.WHOLE))
        yield activeflow_details(shown, ALICE, command="/flows")


def _helps() -> Iterator[Message]:
    for operator in (ALICE, NOBODY, VIEWER):
        for word in ("", *(known.word for known in COMMANDS)):
            yield help_overview(operator, word, command="/flows")


def _doing(words: str, one: Activeflow) -> Situation:
    return replace(situation(one), words=words) if words else situation(one)


def _audits(words: str) -> Iterator[Message]:
    detail = dict.fromkeys(("because", "why", "was", "now", "attempt", "outcome", "attribution", "request_id"), words)
    entries = tuple(
        Entry(seq, Record("k", NOW, what, "U0ALICE", "C0INCIDENTS", UUID(int=1), "i", words, detail), "0123456789")
        for seq, what in enumerate((*RecordKind, RecordKind.ASKED, RecordKind.OUTCOME), 1)
    )
    asked = Audit(UUID(int=1), "U0ALICE", timedelta(hours=2))
    page = Review(entries, asked.target, "U0ALICE", own=False, narrowed=False, since=NOW, older=True, newer=True)
    yield audit_list(page, asked, command="/flows")
    stops = tuple(
        AllowedPress(e, entries[-1] if e.record.what is RecordKind.PRESSED else None, words) for e in entries[:3]
    )
    stops = (*stops, AllowedPress(entries[1], None))
    yield audit_list(replace(page, target=None, stops=stops), replace(asked, target=None), command="/flows")
    alone = Review((), None, "U0BOB", own=True, narrowed=True, since=None, older=False, newer=False)
    yield audit_list(alone, Audit(), command="/flows")


def _stop_cards(words: str) -> Iterator[Message]:
    intent, child = _intent(words), ChildAfter(UUID(int=7))
    phases: list[Phase] = [
        Waiting(),
        Waiting(who_may=("U0BOB", "S0ONCALL")),
        PressInHand("U0ALICE", NOW, NOW + timedelta(seconds=2)),
        StopInHand("U0ALICE", NOW),
        Moved("U0ALICE", words),
        *(Ended("U0ALICE", attribution, NOW, CallAfter("up"), child, words) for attribution in Attribution),
        *(Ended("U0ALICE", Attribution.THIS_PRESS, None, CallAfter(state, NOW)) for state in ("hung_up", "unknown")),
        *(NotKnown("U0ALICE", NOW, FailureReason(words, words), final=final) for final in (False, True)),
        StillRunning("U0ALICE", NOW, FailureReason(words, words), words),
        *(NotSent("U0ALICE", FailureReason(words, words), pressable=pressable) for pressable in (False, True)),
        Expired(),
        Cancelled("U0ALICE"),
    ]
    for phase in phases:
        yield stop_card(intent, phase, "/flows")
    press = Press(intent.id, "U0ALICE", "T0TEAM", intent.channel, "1.3", NOW)
    yield still_not_known(intent, press, NOW)


def _declined(words: str) -> Iterator[Message]:
    intent = _intent(words)
    for why in DeclineReason:
        declined = Declined(why, words, ("U0BOB",), "U0BOB", intent.activeflow_id)
        yield declined_press(declined, "/flows", ask=ask_others(intent.id))


def _intent(words: str) -> Intent:
    seen = ShownState(words, "digits", words, (words or "x",), words, None, words, None, NOW)
    return Intent("a" * 32, UUID(int=1), None, seen, "U0ALICE", "C0INCIDENTS", words, NOW, NOW)

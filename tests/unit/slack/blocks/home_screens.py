"""Every screen of the Home, of its modal and of the doctor."""

from collections.abc import Iterator
from dataclasses import replace
from uuid import UUID

from bot.activeflows.anomalies import Anomaly, Reason
from bot.activeflows.errors import LedgerUnavailable, VoIPBINUnreachable
from bot.activeflows.health import Finding, HealthState
from bot.activeflows.model import Activeflow, Freshness
from bot.activeflows.operators import Operator, Permission, Reach, reach
from bot.activeflows.queries.audit_review import AllowedPress
from bot.activeflows.queries.details import Details
from bot.activeflows.queries.filters import ActiveflowGroup
from bot.activeflows.queries.home import AnomalousActiveflow, Home, Overview
from bot.activeflows.queries.listing import Listing
from bot.activeflows.queries.resolution import NamedSituation
from bot.activeflows.records import Entry, Record, RecordKind
from bot.activeflows.situation.current_step import situation
from bot.activeflows.stopping.stop import Attribution
from bot.slack.blocks.activeflow_details import READING, activeflow_modal
from bot.slack.blocks.home import alive, doctor, home_page
from bot.slack.messaging.messenger import Message


def home_screens(
    words: str, listing: Listing, one: Activeflow, details: Details, can: Operator, cannot: Operator
) -> Iterator[Message]:
    """``words`` stand wherever words of others stand."""
    now = listing.as_of
    findings = tuple(Finding(words, state, words, words) for state in HealthState)
    whole = Home(can, reach(can.policy, can.person), _overview(words, listing, one), _stops(words, one), findings, True)
    somewhere = tuple(Reach(each, False, ("C0INCIDENTS",) * 12, True) for each in Permission)
    whole.mentioned = True
    for home in (
        Home(),
        Home(cannot, whole=True),
        Home(can, whole.reaches),
        whole,
        replace(whole, overview=VoIPBINUnreachable(words), stops=LedgerUnavailable(words)),
        replace(whole, overview=_overview("", replace(listing, total=0, groups=()), None), stops=()),
        replace(whole, reaches=somewhere, overview=None, mentioned=False),
    ):
        yield home_page(home, now, command="/flows")
    yield READING
    for operator in (can, cannot):
        yield activeflow_modal(details, operator, command="/flows")
    yield doctor(findings, now, command="/flows")
    yield doctor((findings[0],), now, command="/flows")
    yield alive(cannot.decide(Permission.VIEW), command="/flows")


def _overview(words: str, listing: Listing, one: Activeflow | None) -> Overview:
    doing = None if one is None else replace(situation(one), words=words, warning=words)
    troubled: tuple[AnomalousActiveflow, ...] = ()
    if one is not None and doing is not None:
        some = (replace(one, id=UUID(int=one.id.int + number)) for number in range(5))
        troubled = tuple(AnomalousActiveflow(each, NamedSituation(doing, words), _troubles(words)) for each in some)
    groups = (
        ()
        if one is None
        else (ActiveflowGroup(words, 12, one), ActiveflowGroup(None, 1, replace(one, created_at=None)))
    )
    shown = replace(
        listing, rows=(), first=0, by="flow", groups=groups, all_groups=len(groups), freshness=Freshness(live=True)
    )
    return Overview(shown, flows=9, troubled=troubled, troubled_in_all=7, judged=20)


def _troubles(words: str) -> tuple[Anomaly, ...]:
    return tuple(Anomaly(reason, words) for reason in Reason)


def _stops(words: str, one: Activeflow) -> tuple[AllowedPress, ...]:
    at = one.created_at
    assert at is not None

    def entry(what: RecordKind, activeflow_id: UUID | None = one.id, **detail: str) -> Entry:
        return Entry(7, Record("k", at, what, "U0ALICE", "C0INCIDENTS", activeflow_id, detail=detail), "0123456789")

    pressed = entry(RecordKind.PRESSED)
    return (
        AllowedPress(pressed, entry(RecordKind.OUTCOME, outcome="Ended", attribution=Attribution.THIS_PRESS)),
        AllowedPress(pressed, entry(RecordKind.OUTCOME, outcome=words, why=words, request_id=words)),
        AllowedPress(pressed, entry(RecordKind.MOVED, was=words, now=words)),
        AllowedPress(entry(RecordKind.PRESSED, None), None),
    )

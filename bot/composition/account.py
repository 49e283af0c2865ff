"""Build the parts of one VoIPBIN account: everything between its client and what people see of it.

Several accounts share Slack, the ledger's file, the policy's file, and the turns of people; nothing else. Each has its
own client, budget, index, event stream, watches, alerts, and its own stores, which know no other account's rows. So
nothing that is decided for one can be sent to another: the parts of one have no way to the client of the other.
"""

from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from bot.activeflows.alerting.announcer import AlertPace
from bot.activeflows.anomalies import AnomalyDetector
from bot.activeflows.bulk.request import OriginLookup
from bot.activeflows.health import Diagnosis
from bot.activeflows.operators import Policy
from bot.activeflows.queries.audit_review import AuditReview
from bot.activeflows.queries.details import Disclosure
from bot.activeflows.queries.home import HomeQuery, MentionChoice
from bot.activeflows.queries.listing import ActiveflowQueries
from bot.activeflows.recap import RecapQuery
from bot.activeflows.records import RefusalBound
from bot.activeflows.search.choices import Chooser
from bot.activeflows.search.finder import Finder
from bot.activeflows.stopping.request import StopRequests
from bot.activeflows.stopping.stop import Patience
from bot.activeflows.stopping.workflow import UnrecordedPresses
from bot.activeflows.watching.watch import EndingKind, WatchEnding, WatchPace
from bot.composition.health import HealthChecks
from bot.composition.maintenance import BaselineLearner, counted
from bot.composition.services import raising_alerts, watching_over
from bot.composition.workflows import StopWorkflows
from bot.ledger.alert_store import AlertStore
from bot.ledger.baseline_store import BaselineStore
from bot.ledger.bulk_store import BulkStore
from bot.ledger.database import Database
from bot.ledger.durable_workflows import Carrier, Durable
from bot.ledger.stop_store import StopStore
from bot.ledger.watch_store import WatchStore
from bot.policy.active_policy import PolicyOf
from bot.slack.cards.alert_card import AlertCards
from bot.slack.cards.bulk_card import BulkCards
from bot.slack.cards.home_view import HomeDrawing, Homes
from bot.slack.cards.stop_card import StopCards
from bot.slack.cards.watch_card import WatchCards
from bot.slack.grammar.table import written
from bot.slack.listeners.approval_requests import ApprovalRequests
from bot.slack.listeners.audits import AuditListener, RecapListener
from bot.slack.listeners.bulk_stops import BulkStopListener
from bot.slack.listeners.commands import CommandListener, MentionListener
from bot.slack.listeners.context import Accounts, Listeners
from bot.slack.listeners.homes import EventListener, HomeListener
from bot.slack.listeners.pickers import PickerListener
from bot.slack.listeners.read_actions import DisclosureListener, Pages, ReadListener, SearchListener
from bot.slack.listeners.stops import PressQueue, ReasonListener, StopListener
from bot.slack.listeners.watches import WatchListener
from bot.slack.messaging.files import Files
from bot.slack.messaging.messenger import Messenger
from bot.slack.messaging.views import Views
from bot.slack.messaging.web_client import Access
from bot.slack.people.identity import People
from bot.slack.people.installation import Installation
from bot.slack.people.outsiders import Appeals, Outsiders
from bot.slack.transport.http import Check
from bot.slack.transport.intake import App
from bot.slack.transport.jobs import Jobs
from bot.voipbin import IndexPace, LiveIndex, Urgency, VoIPBINClient

NOT_SET_UP: Final = "this bot is not set up for the VoIPBIN account that it belongs to"


@dataclass(frozen=True)
class SharedParts:
    """What all accounts share. ``command`` and ``mention``: what is typed before the words of a command."""

    database: Database
    durable: Durable
    policy: Callable[[], Policy]
    people: People
    messenger: Messenger
    unhurried: Messenger
    """The same for what is decided anew when Slack takes messages again: a 429 is told, and not waited for."""
    views: Views
    files: Files
    installation: Installation
    command: str
    mention: str
    refusals: RefusalBound
    patience: Patience
    now: Callable[[], datetime]
    alone: Callable[[], bool]
    homes: dict[str, HomeDrawing]
    """The newest drawing of each person's Home."""


@dataclass(frozen=True)
class ListenerParts:
    """What the listeners need beside that."""

    app: App
    jobs: Jobs
    access: Access
    accounts: Accounts


class Account:
    """One account; its name is empty where the bot has one only."""

    def __init__(self, name: str, voipbin: VoIPBINClient, shared: SharedParts) -> None:
        self.name, self.voipbin, self._shared = name, voipbin, shared
        database, now = shared.database, shared.now
        self.policy = PolicyOf(shared.policy, name)
        self._people, self._messenger = shared.people.under(self.policy), shared.messenger.of(name)
        said = f" {written(name)}" if name else ""
        self._command, self._mention = f"{shared.command}{said}", f"{shared.mention}{said}"
        self._stop_store = StopStore(database, now=now, alone=shared.alone, account=name)
        self._bulks = BulkStore(database, account=name)
        self._baselines = BaselineLearner(BaselineStore(database, account=name), now=now)
        self._mention_choice = MentionChoice(self._stop_store, now)
        self._cards = StopCards(
            self._messenger,
            self._command,
            mention=self._mention,
            now=now,
            told_again=shared.patience.told_again,
            records=self._stop_store,
            call_after=shared.patience.call_after,
            mentioned=self._mention_choice.is_mentioned,
        )
        self._bulk_cards = BulkCards(self._cards)
        self._stops = StopWorkflows(
            voipbin,
            self._stop_store,
            self._bulks,
            self._people,
            self._cards,
            self._bulk_cards,
            shared.durable,
            policy=self.policy,
            patience=shared.patience,
            now=now,
            detector=AnomalyDetector(self._baselines.stays),
        )
        self.live: LiveIndex | None = None

    def carrier(self) -> Carrier:
        """Return what carries out the presses on its cards."""
        return Carrier(
            self._stops.by_wish,
            self._stops.carry_out_member,
            UnrecordedPresses(self._stop_store, self._cards, now=self._shared.now).refuse,
            self._cards.stuck,
        )

    def close(self) -> None:
        """Say no more of presses that wait: who takes them over says it. Call it once none is carried out any more."""
        self._cards.close()

    async def follow(self, pace: IndexPace | None, *, events: bool, stack: AsyncExitStack) -> None:
        """Know what runs from now on."""
        self.live = await stack.enter_async_context(self.voipbin.live_index(pace).at_work()) if events else None

    async def listen(
        self,
        around: ListenerParts,
        health_checks: HealthChecks,
        *,
        watch_pace: WatchPace | None,
        alert_pace: AlertPace | None,
        stack: AsyncExitStack,
    ) -> Check:
        """Take presses and requests from now on, follow what is watched, and tell what is wrong. Says why it could not
        be told.
        """
        shared, voipbin, live, now = self._shared, self.voipbin, self.live, self._shared.now
        baselines, unhurried = self._baselines, shared.unhurried.of(self.name)
        detector = (
            await stack.enter_async_context(baselines.at_work(live.index)) if live else AnomalyDetector(baselines.stays)
        )
        outsiders = await stack.enter_async_context(counted(Outsiders(self._people, shared.refusals)))
        over = watching_over(
            voipbin,
            live,
            WatchStore(shared.database, shared.durable.executor_id, account=self.name),
            self._stop_store,
            WatchCards(unhurried, self._command, mention=self._mention, now=now),
            detector=detector,
            pace=watch_pace,
            now=now,
            people=self._people,
        )
        queries = ActiveflowQueries(
            voipbin.with_urgency(Urgency.SCREEN), now=now, live=live, past=voipbin, detector=detector
        )
        views, audit_review = shared.views.of(self.name), AuditReview(self._stop_store, now=now)
        alerts = AlertStore(shared.database, shared.durable.executor_id, account=self.name)
        at_home = HomeQuery(voipbin, live, detector, audit_review, self._mention_choice, health_checks.at_a_glance, now)
        listeners = Listeners(
            around.app,
            self._command,
            self._mention,
            self._messenger,
            self._people,
            around.jobs,
            account=self.name,
            accounts=around.accounts,
        )
        requests = StopRequests(
            voipbin, self._stop_store, shared.refusals, policy=self.policy, patience=shared.patience, now=now
        )
        queue = PressQueue(outsiders, self._cards, shared.durable, self.name)
        approvals = ApprovalRequests(Appeals())
        reasons = ReasonListener(views, self._stop_store, queue, self.policy, now)
        homes = Homes(
            self._people,
            at_home,
            views,
            self._messenger,
            self._command,
            now=now,
            newest=shared.homes,
            accounts=around.accounts.listeners,
        )
        home, pages = HomeListener(homes, self._mention_choice, queries, views, now), Pages(queries, now)
        listeners.add(
            CommandListener(queries, pages, Diagnosis(health_checks.looks), now),
            MentionListener(shared.installation.bot_user_id),
            ReadListener(queries, pages, home, now),
            StopListener(requests, self._stop_store, self._cards, queue, reasons, approvals, now),
            BulkStopListener(
                self._stops.bulk_requests,
                requests.refused,
                self._bulks,
                self._bulk_cards,
                queue,
                approvals,
                OriginLookup(voipbin, now=now),
                views,
                now,
            ),
            reasons,
            AuditListener(audit_review),
            RecapListener(RecapQuery(self._stop_store, alerts, now=now), shared.files.of(self.name)),
            DisclosureListener(
                Disclosure(voipbin, voipbin, self._stop_store, shared.refusals, policy=self.policy, now=now)
            ),
            WatchListener(await stack.enter_async_context(over), now),
            SearchListener(Finder(voipbin, voipbin, now, records=self._stop_store, detector=detector, live=live), now),
            PickerListener(Chooser(voipbin.with_urgency(Urgency.SCREEN), queries, now, live=live), views, now),
            home,
            EventListener(around.access),
        )
        return await stack.enter_async_context(
            raising_alerts(
                voipbin,
                live,
                detector,
                alerts,
                AlertCards(unhurried, self._command),
                self.policy,
                pace=alert_pace,
                now=now,
            )
        )

    async def give_up_watches(self) -> None:
        """End those of an account that is not set up any more: their last words say so. May raise
        ``LedgerUnavailable``.
        """
        book = WatchStore(self._shared.database, self._shared.durable.executor_id, account=self.name)
        for kept in await book.watches():
            await book.close(kept.watch.id, WatchEnding(EndingKind.NOT_SET_UP, self._shared.now()))


class Carriers(dict[str, Carrier]):
    """By the name of the account. One that is not set up has a carrier that sends nothing, and says so on the card."""

    def __init__(self, accounts: Mapping[str, Account], other: Callable[[str], Account]) -> None:
        super().__init__({name: account.carrier() for name, account in accounts.items()})
        self._other = other

    def __missing__(self, name: str) -> Carrier:
        self[name] = self._other(name).carrier()
        return self[name]


def paced(pace: WatchPace, accounts: int) -> WatchPace:
    """Share the edits among the accounts: Slack grants a workspace so many, however many accounts there are."""
    return replace(pace, rate=pace.rate / accounts)

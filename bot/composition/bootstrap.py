"""Build and run the whole bot.

``running`` puts the parts together, and takes them apart again in this order: nothing new comes in, what was acked is
finished, stops under way finish or stay pending in the ledger, then the connections close. Tests and the demo call the
same function; only their addresses differ.

Decision: apart from ``command_line``, so that commands which run no bot need not load all this.
"""

import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Final

import structlog
from prometheus_client import CollectorRegistry
from slack_sdk.web.async_client import AsyncWebClient

from bot.activeflows.alerting.delivery import AlertPace
from bot.activeflows.anomalies.detector import AnomalyDetector
from bot.activeflows.bulk.origin import OriginLookup
from bot.activeflows.diagnosis import Diagnosis
from bot.activeflows.errors import Failure
from bot.activeflows.numbers import Plan, read_by
from bot.activeflows.operators import Policy
from bot.activeflows.queries.audit_review import AuditReview
from bot.activeflows.queries.choices import Choices
from bot.activeflows.queries.disclosure import Disclosure
from bot.activeflows.queries.home import AtHome
from bot.activeflows.queries.listing import Reading
from bot.activeflows.recap import Recapping
from bot.activeflows.records import Head
from bot.activeflows.refusals import RefusalBound
from bot.activeflows.search.choices import Chooser
from bot.activeflows.search.finder import Finder
from bot.activeflows.stopping.request import StopRequests
from bot.activeflows.stopping.timeouts import Patience
from bot.activeflows.watching.pacing import Pace as WatchPace
from bot.composition.alert_service import raising_alerts
from bot.composition.background import beside
from bot.composition.baseline import BaselineLearner
from bot.composition.clients import installed, kept_alone, opened, reached, route_to_slack, secret_of
from bot.composition.file_permissions import exposed
from bot.composition.health_checks import HealthChecks
from bot.composition.health_watch import EVERY, HealthWatch
from bot.composition.maintenance import KEPT_FOR, LOOK_EVERY, counted, forgetting, kept_up
from bot.composition.metrics import measured
from bot.composition.watch_service import watching_over
from bot.composition.workflows import SILENT_AFTER, Workflows
from bot.ledger.alert_store import AlertStore
from bot.ledger.baseline_store import BaselineStore
from bot.ledger.clock import SharedClock
from bot.ledger.database import Database
from bot.ledger.durable_workflows import RECORD_WITHIN
from bot.ledger.replicas import LastSign, living
from bot.ledger.stop_store import StopStore
from bot.misconfigured import Misconfigured
from bot.policy import PolicyInForce
from bot.settings import Settings
from bot.slack.blocks.audit_head import audit_head
from bot.slack.cards.alert_cards import AlertCards
from bot.slack.cards.bulk_cards import BulkCards
from bot.slack.cards.home_view import Homes
from bot.slack.cards.stop_cards import StopCards
from bot.slack.cards.watch_cards import WatchCards
from bot.slack.interaction import Interaction
from bot.slack.listeners.app import build_app, web_client
from bot.slack.listeners.approval_requests import ApprovalRequests
from bot.slack.listeners.audits import AuditListener
from bot.slack.listeners.bulk_stops import BulkStopListener
from bot.slack.listeners.commands import CommandListener
from bot.slack.listeners.context import Listeners
from bot.slack.listeners.disclosures import DisclosureListener
from bot.slack.listeners.events import EventListener
from bot.slack.listeners.homes import HomeListener
from bot.slack.listeners.mentions import MentionListener
from bot.slack.listeners.pickers import PickerListener
from bot.slack.listeners.press_queue import PressQueue
from bot.slack.listeners.read_actions import ReadListener
from bot.slack.listeners.reasons import ReasonListener
from bot.slack.listeners.recaps import RecapListener
from bot.slack.listeners.searches import SearchListener
from bot.slack.listeners.stops import StopListener
from bot.slack.listeners.unknown import Unknown
from bot.slack.listeners.watches import WatchListener
from bot.slack.messaging.files import Files
from bot.slack.messaging.messenger import Messenger, Posted
from bot.slack.messaging.session import http_session
from bot.slack.messaging.views import Views
from bot.slack.people.access import Access
from bot.slack.people.appeals import Appeals
from bot.slack.people.identity import People
from bot.slack.people.installation import Installation
from bot.slack.people.outsiders import Outsiders
from bot.slack.transport.bolt_app import App
from bot.slack.transport.http import Check, http_app, serve
from bot.slack.transport.intake import Intake
from bot.slack.transport.jobs import Jobs
from bot.slack.transport.socket_mode import NotConnected, SocketMode
from bot.voipbin import Pace, Urgency, VoIPBINClient
from bot.voipbin import Patience as AskingPatience

log = structlog.get_logger(__name__)
_UTC_NOW: Final = partial(datetime.now, UTC)
LAST_WORDS: Final = 10.0
"""Seconds that acked work, and then stops under way, get at a shutdown; what is cut off of a stop goes on at the next start."""


@dataclass(frozen=True, slots=True)
class Running:
    """A bot at work."""

    port: int
    """Where its small server listens."""


@asynccontextmanager
async def running(
    settings: Settings,
    *,
    patience: Patience | None = None,
    asking: AskingPatience | None = None,
    pace: Pace | None = None,
    watch_pace: WatchPace | None = None,
    alert_pace: AlertPace | None = None,
    look_every: float = LOOK_EVERY,
    kept_for: timedelta = KEPT_FOR,
    last_words: float = LAST_WORDS,
    wall: Callable[[], datetime] = _UTC_NOW,
    record_within: timedelta = RECORD_WITHIN,
    silent_after: float = SILENT_AFTER,
    health_every: float = EVERY,
) -> AsyncIterator[Running]:
    """The whole bot, for as long as the block lasts. Raises ``Misconfigured`` with one line per mistake.

    ``look_every``: seconds between two looks at the policy file. ``kept_for``: what durable presses leave behind.
    ``record_within``: so long a press may take to be recorded. ``silent_after``: seconds that the database may be silent.
    ``health_every``: seconds between two looks at whether all is well.
    """
    read_by(_plan_of(settings.flows_bot_region) if settings.flows_bot_region else None)
    in_force, refusals, patience = PolicyInForce(settings.flows_bot_policy), RefusalBound(), patience or Patience()
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(http_session())
        access, token, route = Access(), settings.slack_bot_token.get_secret_value(), route_to_slack(settings)
        client = web_client(token, settings.slack_api_url, session, access=access, route=route)
        installation = await installed(client, settings, access)
        voipbin = await reached(settings, stack, asking)
        database, aside = await _ledger(settings, stack)
        clock = SharedClock(database, wall)
        now = clock.now
        last_sign = LastSign(lasts=not database.is_postgresql)
        book, teller = StopStore(database, now=now, alone=last_sign.nobody_took_over), Messenger(client, session, route)
        asked = web_client(token, settings.slack_api_url, session, access=access, waits=False, route=route)
        people = People(asked, installation, in_force.policy, alone=not database.is_postgresql)
        cards = StopCards(
            teller,
            settings.flows_bot_command,
            mention=installation.mention,
            now=now,
            call_after=patience.call_after,
            mentioned=Choices(book, now).is_mentioned,
        )
        bulk_cards, learning = BulkCards(teller, cards), BaselineLearner(BaselineStore(database), now=now)
        carrying = Workflows(
            voipbin,
            database,
            book,
            people,
            policy=in_force.policy,
            patience=patience,
            clock=clock,
            last_sign=last_sign,
            judging=AnomalyDetector(learning.stays),
            record_within=record_within,
            silent_after=silent_after,
        )
        bulk = await carrying.begin(cards, bulk_cards, stack, within=last_words)
        await stack.enter_async_context(beside(forgetting(carrying.forget, now, kept_for=kept_for)))
        outsiders = await stack.enter_async_context(counted(Outsiders(people, refusals)))
        jobs = Jobs(teller, command=settings.flows_bot_command)
        stack.push_async_callback(jobs.drain, within=last_words)

        live = await stack.enter_async_context(voipbin.following(pace).at_work()) if settings.voipbin_events else None
        alerts = AlertStore(database, carrying.durable.executor_id)
        judging = (
            await stack.enter_async_context(learning.at_work(live.index)) if live else AnomalyDetector(learning.stays)
        )
        over = watching_over(
            voipbin,
            live,
            database,
            book,
            WatchCards(teller, settings.flows_bot_command, mention=installation.mention, now=now),
            holder=carrying.durable.executor_id,
            judging=judging,
            pace=watch_pace,
            now=now,
            people=people,
        )
        reading = Reading(voipbin.with_urgency(Urgency.SCREEN), now=now, live=live, past=voipbin, judging=judging)
        to_stop = Reading(voipbin, now=now, live=live, judging=judging)
        views, reviewing, choices = Views(client), AuditReview(book, now=now), Choices(book, now)
        checks: dict[str, Check] = {}
        doctoring = HealthChecks(
            client,
            voipbin,
            live,
            aside,
            in_force,
            access,
            connection=lambda: checks.get("connection"),
            elsewhere=lambda: checks.get("elsewhere"),
            alerts=lambda: checks.get("alerts"),
            now=now,
        )
        at_home = AtHome(voipbin, live, judging, reviewing, choices, doctoring.at_a_glance, now)
        listeners = Listeners(
            build_app(client, installation, jobs, Unknown(teller, jobs, settings.flows_bot_command)),
            settings.flows_bot_command,
            installation.mention,
            teller,
            people,
            jobs,
        )
        requests = StopRequests(voipbin, book, to_stop.resolve, refusals, patience=patience, now=now)
        queue, approvals = PressQueue(outsiders, cards, carrying.durable), ApprovalRequests(Appeals())
        reasons = ReasonListener(views, book, queue, in_force.policy, now)
        home = HomeListener(
            Homes(people, at_home, views, teller, settings.flows_bot_command, now=now), choices, reading, views, now
        )
        listeners.add(
            CommandListener(reading, Diagnosis(doctoring.looks), now),
            MentionListener(installation.bot_user_id),
            ReadListener(reading, home, now),
            StopListener(requests, book, cards, queue, reasons, approvals, now),
            BulkStopListener(
                bulk,
                requests.refused,
                carrying.bulks,
                bulk_cards,
                queue,
                approvals,
                OriginLookup(voipbin, now=now),
                views,
                now,
            ),
            reasons,
            AuditListener(reviewing),
            RecapListener(Recapping(book, alerts, now=now), Files(client)),
            DisclosureListener(Disclosure(voipbin, voipbin, book, refusals, now=now)),
            WatchListener(await stack.enter_async_context(over), now),
            SearchListener(Finder(voipbin, voipbin, now, records=book, judging=judging, live=live), now),
            PickerListener(Chooser(voipbin.with_urgency(Urgency.SCREEN), reading, now, live=live), views, now),
            home,
            EventListener(access),
        )
        keeping = kept_up(
            in_force,
            database,
            partial(_tell_head, teller, in_force),
            now=now,
            look_every=look_every,
            audit_days=settings.flows_bot_audit_days,
        )
        raising = raising_alerts(
            voipbin,
            live,
            judging,
            alerts,
            AlertCards(teller, settings.flows_bot_command),
            in_force.policy,
            pace=alert_pace,
            now=now,
        )
        await stack.enter_async_context(keeping)
        checks["alerts"] = await stack.enter_async_context(raising)
        health = HealthWatch(doctoring.watched(), now=now)
        measuring = measured(settings, aside, voipbin, live, jobs, carrying.durable, in_force, health, now=now)
        port = await _doors(settings, listeners.app, installation, client, database, health, checks, measuring, stack)
        await stack.enter_async_context(beside(health.attend(health_every)))
        _say_hello(settings, in_force.policy(), installation, voipbin, port)
        yield Running(port)


def _plan_of(region: str) -> Plan:
    from bot.composition.dialling import plan_of  # noqa: PLC0415 — every country's rules, for who asks for a region's

    return plan_of(region)


async def _ledger(settings: Settings, stack: AsyncExitStack) -> tuple[Database, Database]:
    """The ledger for the work, and the same for what must not wait behind it."""
    database = await opened(settings, stack)
    kept_alone(database, stack)
    for words in exposed(settings):
        log.warning("file_open_to_others", what=words)
    aside = database.apart()
    stack.push_async_callback(aside.close)
    return database, aside


async def _doors(
    settings: Settings,
    app: App,
    installation: Installation,
    client: AsyncWebClient,
    database: Database,
    health: HealthWatch,
    checks: dict[str, Check],
    measuring: AbstractAsyncContextManager[CollectorRegistry],
    stack: AsyncExitStack,
) -> int:
    """Take deliveries, last of all: whatever comes in from now on can be carried out. The port of the server."""
    registry = await stack.enter_async_context(measuring)
    secret = secret_of(settings.slack_signing_secret)
    intake = Intake(app, installation, signing_secret="" if settings.socket_mode else secret, registry=registry)
    if settings.socket_mode:
        socket = SocketMode(
            intake,
            client,
            secret_of(settings.slack_app_token),
            replicas=partial(living, database),
            route=route_to_slack(settings),
        )
        try:
            await socket.open()
        except NotConnected as trouble:
            raise Misconfigured(f"{trouble}.") from None
        stack.push_async_callback(socket.close)
        checks["connection"], checks["elsewhere"] = socket.ready, socket.elsewhere
    server = http_app(None if settings.socket_mode else intake, health.readiness, registry)
    try:
        port = await stack.enter_async_context(serve(server, settings.flows_bot_host, settings.flows_bot_port))
    except OSError as taken:
        why = str(taken.strerror).partition(" (")[0]  # Python adds the address, which stands before it already
        raise Misconfigured(f"FLOWS_BOT_HOST and FLOWS_BOT_PORT: cannot listen there ({why}).") from None
    stack.push_async_callback(health.drained, settings.flows_bot_drain_seconds)
    return port


async def _tell_head(teller: Messenger, in_force: PolicyInForce, head: Head, day: date) -> bool:
    """Post it in the channel the policy names; whether it could be seen there. Without one the log is enough."""
    channel = in_force.policy().rules.audit_channel
    if not channel:
        return True
    return isinstance(await teller.publicly(Interaction("", "", channel), audit_head(head, day)), Posted)


def _say_hello(
    settings: Settings, policy: Policy, installation: Installation, voipbin: VoIPBINClient, port: int
) -> None:
    with contextlib.suppress(Failure):
        log.info("voipbin_account", customer=str(voipbin.customer.id), name=voipbin.customer.name)
    if not policy.grants:
        log.warning("nobody_may_do_anything", why="FLOWS_BOT_POLICY is not set, or grants nothing")
    mode = "socket" if settings.socket_mode else "http"
    log.info("ready", mode=mode, workspace=installation.team_id, command=settings.flows_bot_command, port=port)

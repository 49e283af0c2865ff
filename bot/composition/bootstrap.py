"""Build and run the whole bot.

``running`` puts the parts together, and takes them apart again in this order: nothing new comes in, what was acked is
finished, stops under way finish or stay pending in the ledger, then the connections close. Tests and the demo call the
same function; only their addresses differ.

Decision: apart from ``command_line``, so that commands which run no bot need not load all this.
"""

import contextlib
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Final

import structlog
from prometheus_client import CollectorRegistry
from slack_sdk.web.async_client import AsyncWebClient

from bot.activeflows.alerting.announcer import AlertPace
from bot.activeflows.errors import Failure, LedgerUnavailable
from bot.activeflows.numbers import read_by
from bot.activeflows.operators import Policy
from bot.activeflows.records import Head, RefusalBound
from bot.activeflows.stopping.stop import Patience
from bot.activeflows.watching.watch import WatchPace
from bot.composition.account import NOT_SET_UP, Account, Carriers, ListenerParts, SharedParts, paced
from bot.composition.background import beside
from bot.composition.clients import (
    all_reached,
    installed,
    kept_alone,
    not_set_up,
    opened,
    plan_of,
    route_to_slack,
    secret_of,
)
from bot.composition.health import EVERY, HealthChecks, HealthWatch, exposed
from bot.composition.maintenance import KEPT_FOR, LOOK_EVERY, forgetting, kept_up
from bot.composition.metrics import measured
from bot.composition.workflows import SILENT_AFTER, Workflows
from bot.ledger.database import Database, SharedClock
from bot.ledger.durable_workflows import RECORD_WITHIN
from bot.ledger.replicas import SignOfLife, living
from bot.ledger.workflow_rows import unfinished
from bot.misconfigured import Misconfigured
from bot.policy import PolicyInForce
from bot.settings import Settings
from bot.slack.blocks.audit_list import audit_head
from bot.slack.interaction import Interaction
from bot.slack.listeners.bolt_app import build_app
from bot.slack.listeners.context import Accounts
from bot.slack.listeners.unknown import Unknown
from bot.slack.messaging.files import Files
from bot.slack.messaging.messenger import Messenger, SentMessage
from bot.slack.messaging.views import Views
from bot.slack.messaging.web_client import Access, http_session, web_client
from bot.slack.people.identity import People
from bot.slack.people.installation import Installation
from bot.slack.transport.http import Check, http_app, serve
from bot.slack.transport.intake import App, Intake
from bot.slack.transport.jobs import Jobs
from bot.slack.transport.socket_mode import NotConnected, SocketMode
from bot.voipbin import IndexPace, RequestPauses, VoIPBINClient

log = structlog.get_logger(__name__)
_UTC_NOW: Final = partial(datetime.now, UTC)
LAST_WORDS: Final = 10.0
"""Seconds that acked work, and then stops under way, get at a shutdown; what is cut off of a stop goes on at the next
start.
"""


@dataclass(frozen=True, slots=True)
class RunningBot:
    """A bot at work."""

    port: int
    """Where its small server listens."""


@asynccontextmanager
async def running(
    settings: Settings,
    *,
    patience: Patience | None = None,
    asking: RequestPauses | None = None,
    pace: IndexPace | None = None,
    watch_pace: WatchPace | None = None,
    alert_pace: AlertPace | None = None,
    look_every: float = LOOK_EVERY,
    kept_for: timedelta = KEPT_FOR,
    last_words: float = LAST_WORDS,
    wall: Callable[[], datetime] = _UTC_NOW,
    record_within: timedelta = RECORD_WITHIN,
    silent_after: float = SILENT_AFTER,
    health_every: float = EVERY,
) -> AsyncIterator[RunningBot]:
    """Run the whole bot, for as long as the block lasts. Raises ``Misconfigured`` with one line per mistake.

    ``look_every``: seconds between two looks at the policy file. ``kept_for``: what durable presses leave behind.
    ``record_within``: so long a press may take to be recorded. ``silent_after``: seconds that the database may be
    silent. ``health_every``: seconds between two looks at whether all is well.
    """
    read_by(plan_of(settings.flows_bot_region) if settings.flows_bot_region else None)
    in_force, patience, command = (
        PolicyInForce(settings.flows_bot_policy),
        patience or Patience(),
        settings.flows_bot_command,
    )
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(http_session())
        access, token, route = Access(), settings.slack_bot_token.get_secret_value(), route_to_slack(settings)
        client = web_client(token, settings.slack_api_url, session, access=access, route=route)
        installation = await installed(client, settings, access)
        clients = await all_reached(settings, stack, asking)
        nobody = await not_set_up(settings, NOT_SET_UP, stack)
        database, aside = await _ledger(settings, stack)
        clock = SharedClock(database, wall)
        now, last_sign = clock.now, SignOfLife(lasts=not database.is_postgresql)
        messenger = Messenger(client, session, route)
        asked = web_client(token, settings.slack_api_url, session, access=access, waits=False, route=route)
        people = People(asked, installation, in_force.policy, alone=not database.is_postgresql)
        carrying = Workflows(
            database, clock=clock, last_sign=last_sign, record_within=record_within, silent_after=silent_after
        )
        shared = SharedParts(
            database=database,
            durable=carrying.durable,
            policy=in_force.policy,
            people=people,
            messenger=messenger,
            unhurried=Messenger(asked, session, route),
            views=Views(client),
            files=Files(client),
            installation=installation,
            command=command,
            mention=installation.mention,
            refusals=RefusalBound(),
            patience=patience,
            now=now,
            alone=last_sign.nobody_took_over,
            homes={},
        )
        accounts = {name: Account(name, voipbin, shared) for name, voipbin in clients.items()}
        useless = replace(shared, patience=replace(patience, looks=0, follow_for=0))  # nobody will know more later
        left_behind = await _left_behind(database, accounts, lambda name: Account(name, nobody, useless))
        carriers = Carriers(accounts, lambda name: Account(name, nobody, useless))
        for account in (*accounts.values(), *left_behind):
            stack.callback(account.close)
        await carrying.begin(carriers, stack, within=last_words)
        await stack.enter_async_context(beside(forgetting(carrying.forget, now, kept_for=kept_for)))
        jobs = Jobs(messenger, command=command)
        stack.push_async_callback(jobs.drain, within=last_words)
        for name, account in accounts.items():
            await account.follow(pace, events=settings.accounts[name].events is not False, stack=stack)

        checks: dict[str, Check] = {}
        alerting: dict[str, Check] = {}
        watched = {name: (account.voipbin, account.live) for name, account in accounts.items()}
        health_checks = HealthChecks(
            client,
            watched,
            aside,
            in_force,
            access,
            connection=lambda: checks.get("connection"),
            elsewhere=lambda: checks.get("elsewhere"),
            alerts=lambda: tuple(alerting.values()),
            now=now,
        )
        app = build_app(client, installation, jobs, Unknown(messenger, jobs, command))
        around = ListenerParts(
            app, jobs, access, Accounts(meant_in=lambda channel: in_force.policy().account_in(channel))
        )
        apart = ListenerParts(app, jobs, access, Accounts())
        shared_out = paced(watch_pace or WatchPace(), len(accounts))
        for account in (*accounts.values(), *left_behind):
            served = account.name in accounts
            alerting[account.name] = await account.listen(
                around if served else apart, health_checks, watch_pace=shared_out, alert_pace=alert_pace, stack=stack
            )
        maintenance = kept_up(
            in_force,
            database,
            partial(_tell_head, messenger, in_force),
            now=now,
            look_every=look_every,
            audit_days=settings.flows_bot_audit_days,
        )
        await stack.enter_async_context(maintenance)
        health = HealthWatch(health_checks.watched(), now=now)
        metrics = measured(settings, aside, watched, jobs, carrying.durable, in_force, health, now=now)
        port = await _doors(settings, app, installation, client, database, health, checks, metrics, stack)
        await stack.enter_async_context(beside(health.attend(health_every)))
        _say_hello(settings, in_force.policy(), installation, clients, port)
        yield RunningBot(port)


async def _ledger(settings: Settings, stack: AsyncExitStack) -> tuple[Database, Database]:
    """Return the ledger for the work, and the same for what must not wait behind it."""
    database = await opened(settings, stack)
    kept_alone(database, stack)
    for words in exposed(settings):
        log.warning("file_open_to_others", what=words)
    aside = database.apart()
    stack.push_async_callback(aside.close)
    return database, aside


async def _left_behind(
    database: Database, accounts: Mapping[str, Account], without_client: Callable[[str], Account]
) -> tuple[Account, ...]:
    """Return those that the settings do not have and of which something is unfinished; what was watched for them is
    ended.
    """
    try:
        names = sorted(await database.reading(unfinished) - accounts.keys())
        found = tuple(map(without_client, names))
        for account in found:
            await account.give_up_watches()
    except LedgerUnavailable:
        raise Misconfigured("FLOWS_BOT_DATABASE_URL: that database cannot be read or written.") from None
    for account in found:
        log.info("account_not_set_up", account=account.name, why="cards of it are open; nothing is sent for them")
    return found


async def _doors(
    settings: Settings,
    app: App,
    installation: Installation,
    client: AsyncWebClient,
    database: Database,
    health: HealthWatch,
    checks: dict[str, Check],
    metrics: AbstractAsyncContextManager[CollectorRegistry],
    stack: AsyncExitStack,
) -> int:
    """Take deliveries, last of all: whatever comes in from now on can be carried out. The port of the server."""
    registry = await stack.enter_async_context(metrics)
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


async def _tell_head(messenger: Messenger, in_force: PolicyInForce, head: Head, day: date) -> bool:
    """Post it in the channel the policy names; whether it could be seen there. Without one the log is enough."""
    channel = in_force.policy().rules.audit_channel
    if not channel:
        return True
    return isinstance(await messenger.publicly(Interaction("", "", channel), audit_head(head, day)), SentMessage)


def _say_hello(
    settings: Settings, policy: Policy, installation: Installation, clients: Mapping[str, VoIPBINClient], port: int
) -> None:
    for account, voipbin in clients.items():
        whose = {"account": account} if account else {}
        with contextlib.suppress(Failure):
            log.info("voipbin_account", customer=str(voipbin.customer.id), name=voipbin.customer.name, **whose)
    if not policy.grants:
        log.warning("nobody_may_do_anything", why="FLOWS_BOT_POLICY is not set, or grants nothing")
    mode = "socket" if settings.socket_mode else "http"
    log.info("ready", mode=mode, workspace=installation.team_id, command=settings.flows_bot_command, port=port)

"""The composition root: the one place that builds clients, and knows every room.

``running`` puts the rooms together, and takes them apart again in this order: nothing new comes in, what was acked is
finished, stops under way finish or stay pending in the ledger, then the connections close. Tests and the demo call the
same function; only their addresses differ.

Decision: beside ``__main__``, not in it, so that the command line and the house each stay one sitting's reading.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import partial
from typing import Final

import structlog
from prometheus_client import CollectorRegistry
from pydantic import SecretStr
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient
from sqlalchemy.exc import SQLAlchemyError

from bot.activeflows.asking import Asking
from bot.activeflows.errors import CredentialRejected, Failure, LedgerUnavailable
from bot.activeflows.operators import Policy
from bot.activeflows.patience import Patience
from bot.activeflows.reading import Reading
from bot.activeflows.records import Head
from bot.activeflows.reviewing import Reviewing
from bot.carrying_out import CarryingOut
from bot.ledger.book import Book
from bot.ledger.database import Database
from bot.misconfigured import Misconfigured
from bot.policy import PolicyInForce
from bot.settings import Settings
from bot.slack.app import build_app, http_session, web_client
from bot.slack.blocks.audit_head import audit_head
from bot.slack.bulk_cards import BulkCards
from bot.slack.cards import StopCards
from bot.slack.desk import Desk
from bot.slack.gestures import Gesture
from bot.slack.http import Check, http_app, serve
from bot.slack.identity import People
from bot.slack.installation import Installation, NotIntroduced, introduce
from bot.slack.intake import Intake
from bot.slack.jobs import Jobs
from bot.slack.listeners import register
from bot.slack.presses import OpenReasons, Pressers
from bot.slack.socket_mode import NotConnected, SocketMode
from bot.slack.telling import Teller
from bot.upkeep import LOOK_EVERY, kept_up
from bot.voipbin import AccessKey, Login, Pace, VoIPBINClient, connected
from bot.voipbin import Patience as AskingPatience

log = structlog.get_logger(__name__)
LAST_WORDS: Final = 10.0
"""Seconds that acked work, and then stops under way, get at a shutdown."""


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Running:
    """A bot at work: where its small server listens, and where it was installed."""

    port: int
    installation: Installation
    needs: Mapping[str, Check]
    """What ``/readyz`` asks."""


@asynccontextmanager
async def running(
    settings: Settings,
    *,
    patience: Patience | None = None,
    asking: AskingPatience | None = None,
    pace: Pace | None = None,
    look_every: float = LOOK_EVERY,
    only_checking: bool = False,
) -> AsyncIterator[Running]:
    """The whole bot, for as long as the block lasts. Raises ``Misconfigured`` with one line per mistake.

    ``look_every``: seconds between two looks at the policy file. ``only_checking``: it announces nothing.
    """
    in_force, patience = PolicyInForce(settings.flows_bot_policy), patience or Patience()
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(http_session())
        client = web_client(settings.slack_bot_token.get_secret_value(), settings.slack_api_url, session)
        installation = await _installation(client, settings)
        voipbin = await _voipbin(settings, asking, stack)
        database = await _database(settings, stack)

        book, teller = Book(database, now=utc_now), Teller(client, session)
        people, cards = People(client, installation, in_force.policy), StopCards(teller, settings.flows_bot_command)
        bulk_cards = BulkCards(teller, cards, settings.flows_bot_command)
        carrying = CarryingOut(voipbin, database, book, Pressers(people), policy=in_force.policy, patience=patience)
        bulk = await carrying.begin(cards, bulk_cards, stack, within=LAST_WORDS)
        jobs = Jobs(teller)
        stack.push_async_callback(jobs.drain, within=LAST_WORDS)

        follows = settings.voipbin_events and not only_checking
        live = await stack.enter_async_context(voipbin.following(pace).at_work()) if follows else None
        reading = Reading(voipbin, now=utc_now, live=live)
        desk = Desk(
            command=settings.flows_bot_command,
            people=people,
            jobs=jobs,
            teller=teller,
            cards=cards,
            reasons=OpenReasons(),
            policy=in_force.policy,
            web=client,
            reading=reading,
            reviewing=Reviewing(book, now=utc_now),
            asking=Asking(voipbin, book, reading.resolve, patience=patience, now=utc_now),
            bulk=bulk,
            bulk_cards=bulk_cards,
            bulks=carrying.bulks,
            presses=carrying.durable,
            records=book,
            now=utc_now,
        )
        app = build_app(client, installation, jobs)
        register(app, desk)
        tell = None if only_checking else partial(_tell_head, teller, in_force)
        keeping = kept_up(in_force, database, tell, now=utc_now, look_every=look_every)
        warnings = {"policy": await stack.enter_async_context(keeping)}
        needs = _needs(voipbin, database)
        port = await _doors(settings, app, installation, client, needs, warnings, stack)
        _say_hello(settings, in_force.policy(), installation, voipbin, port)
        yield Running(port, installation, needs)


async def _installation(client: AsyncWebClient, settings: Settings) -> Installation:
    try:
        return await introduce(client, app_token=_secret(settings.slack_app_token))
    except NotIntroduced as trouble:
        raise Misconfigured(f"{trouble}.") from None


async def _voipbin(settings: Settings, asking: AskingPatience | None, stack: AsyncExitStack) -> VoIPBINClient:
    """Connected and, if VoIPBIN can be reached, introduced; if not, the bot starts, says so, and keeps trying."""
    credential = (
        AccessKey(settings.voipbin_access_key.get_secret_value(), in_query=settings.voipbin_access_key_in_query)
        if settings.voipbin_access_key
        else Login(settings.voipbin_username or "", _secret(settings.voipbin_password))
    )
    try:
        voipbin = await stack.enter_async_context(
            connected(
                api_url=settings.voipbin_api_url,
                credential=credential,
                ca_file=settings.voipbin_ca_file,
                budget=settings.voipbin_requests_per_second,
                patience=asking,
            )
        )
    except (ValueError, OSError) as trouble:
        raise Misconfigured(f"VOIPBIN_API_URL or VOIPBIN_CA_FILE: {type(trouble).__name__}.") from None
    try:
        await voipbin.introduce()
    except CredentialRejected as refused:
        raise Misconfigured(f"VoIPBIN does not accept the credential: {refused.what} ({refused.request_id}).") from None
    except Failure as trouble:
        log.warning("voipbin_not_reached", why=trouble.what, request_id=trouble.request_id)
        task = asyncio.create_task(_introduce_later(voipbin))
        stack.push_async_callback(_cancelled, task)
    return voipbin


async def _introduce_later(voipbin: VoIPBINClient) -> None:
    while True:
        await asyncio.sleep(5)
        with contextlib.suppress(Failure):
            log.info("voipbin_reached", customer=str((await voipbin.introduce()).id))
            return


async def _database(settings: Settings, stack: AsyncExitStack) -> Database:
    try:
        database = Database(settings.flows_bot_database_url.get_secret_value())
        stack.push_async_callback(database.close)
        await database.prepare()
    except (LedgerUnavailable, SQLAlchemyError):
        raise Misconfigured("FLOWS_BOT_DATABASE_URL: that database cannot be opened or written.") from None
    return database


async def _doors(
    settings: Settings,
    app: AsyncApp,
    installation: Installation,
    client: AsyncWebClient,
    needs: dict[str, Check],
    warnings: Mapping[str, Check],
    stack: AsyncExitStack,
) -> int:
    """Open the front door, last of all: whatever comes in from now on can be carried out. The port of the server."""
    registry = CollectorRegistry()
    secret = _secret(settings.slack_signing_secret)
    intake = Intake(app, installation, signing_secret="" if settings.socket_mode else secret, registry=registry)
    if settings.socket_mode:
        socket = SocketMode(intake, client, _secret(settings.slack_app_token))
        try:
            await socket.open()
        except NotConnected as trouble:
            raise Misconfigured(f"{trouble}.") from None
        stack.push_async_callback(socket.close)
        needs["slack"] = socket.ready
    server = http_app(None if settings.socket_mode else intake, needs, registry, warnings=warnings)
    try:
        return await stack.enter_async_context(serve(server, settings.flows_bot_host, settings.flows_bot_port))
    except OSError as taken:
        raise Misconfigured(f"FLOWS_BOT_HOST and FLOWS_BOT_PORT: cannot listen there ({taken.strerror}).") from None


async def _tell_head(teller: Teller, in_force: PolicyInForce, head: Head, day: date) -> bool:
    """Post it in the channel the policy names; whether it could be seen there. Without one the log is enough."""
    channel = in_force.policy().rules.audit_channel
    if not channel:
        return True
    return await teller.publicly(Gesture("", "", channel), audit_head(head, day)) is not None


def _needs(voipbin: VoIPBINClient, database: Database) -> dict[str, Check]:
    """What ``/readyz`` asks: empty when ready, else why not."""

    async def reached() -> str:
        try:
            _ = voipbin.customer
        except Failure as trouble:
            return trouble.what
        return ""

    async def writable() -> str:
        try:
            await database.prepare()
        except LedgerUnavailable as trouble:
            return trouble.what
        return ""

    return {"voipbin": reached, "ledger": writable}


def _say_hello(
    settings: Settings, policy: Policy, installation: Installation, voipbin: VoIPBINClient, port: int
) -> None:
    with contextlib.suppress(Failure):
        log.info("voipbin_account", customer=str(voipbin.customer.id), name=voipbin.customer.name)
    if not policy.grants:
        log.warning("nobody_may_do_anything", why="FLOWS_BOT_POLICY is not set, or grants nothing")
    mode = "socket" if settings.socket_mode else "http"
    log.info("ready", mode=mode, workspace=installation.team_id, command=settings.flows_bot_command, port=port)


def _secret(secret: SecretStr | None) -> str:
    return secret.get_secret_value() if secret else ""


async def _cancelled(task: asyncio.Task[None]) -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task

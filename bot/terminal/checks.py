"""Look at each thing that the bot needs, without a bot: Slack, VoIPBIN, the ledger, the policy, the files."""

import asyncio
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, Final
from uuid import UUID

import aiohttp
from slack_sdk.web.async_client import AsyncWebClient

from bot.activeflows.errors import Failure
from bot.activeflows.health import Finding, HealthState, Look
from bot.composition import health, maintenance
from bot.composition.clients import rehearsed, route_to_slack, secret_of, voipbin_at
from bot.ledger import health as ledger
from bot.ledger.sqlite import taken
from bot.misconfigured import Misconfigured
from bot.policy import PolicyInForce, parsed_policy
from bot.policy import active_policy as policy
from bot.policy.advice import WrittenId, written_ids
from bot.policy.file import policy_text
from bot.settings import Settings, unread
from bot.slack import directory
from bot.slack import health as slack
from bot.slack.listeners.bolt_app import build_app
from bot.slack.listeners.unknown import Unknown
from bot.slack.messaging.messenger import Messenger
from bot.slack.messaging.web_client import http_session, web_client
from bot.slack.people.installation import Installation
from bot.slack.transport.http import always_ready, http_app, serve
from bot.slack.transport.intake import WINDOW, Intake
from bot.slack.transport.jobs import Jobs
from bot.voipbin import VoIPBINClient
from bot.voipbin import health as voipbin

# ---------------------------------------------------------------- door
# Try the door that Slack and the orchestrator come through: bind the port, and in HTTP mode deliver something signed.
#
# Where a bot listens already, that one is asked: ``check`` is often run beside it.

ABOUT: Final = "port"
_LOST: Final = (aiohttp.ClientError, OSError, TimeoutError, ValueError)
_WITHIN: Final = aiohttp.ClientTimeout(total=5)
_EVERYWHERE: Final = {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "::1"}  # noqa: S104 - where to knock, not to listen


async def look(settings: Settings, client: AsyncWebClient, session: aiohttp.ClientSession) -> Finding:
    """Look, and leave nothing behind."""
    host, port, http = settings.flows_bot_host, settings.flows_bot_port, not settings.socket_mode
    secret = secret_of(settings.slack_signing_secret)
    async with AsyncExitStack() as stack:
        try:
            server = http_app(_intake(settings, client, session) if http else None, always_ready, None)
            port = await stack.enter_async_context(serve(server, host, port, graceful=1.0))
        except OSError as taken:
            if not await _is_bot(session, _url(host, port)):
                why = str(taken.strerror).partition(" (")[0]
                then = "Set FLOWS_BOT_HOST and FLOWS_BOT_PORT to what is this bot's own."
                return Finding(ABOUT, HealthState.BROKEN, f"cannot listen there ({why})", then)
            found, state = "a bot listens there already; a second one could not start here", HealthState.WARNING
        else:
            found, state = "free", HealthState.OK
        if not http:
            return Finding(ABOUT, state, found)
        trouble = await _delivered(session, _url(host, port), secret)
    if trouble:
        then = "Look at SLACK_SIGNING_SECRET, and at what runs there."
        return Finding(ABOUT, HealthState.BROKEN, f"{found}; a signed delivery was not taken ({trouble})", then)
    return Finding(ABOUT, state, f"{found}; a signed delivery was taken")


def _intake(settings: Settings, client: AsyncWebClient, session: aiohttp.ClientSession) -> Intake:
    """Build an intake as the bot's own, with nobody listening: what is delivered here is only Slack's question
    whether the address works.
    """
    messenger, nowhere = Messenger(client, session), Installation("", "", "")
    jobs = Jobs(messenger, command=settings.flows_bot_command)
    app = build_app(client, nowhere, jobs, Unknown(messenger, jobs, settings.flows_bot_command))
    return Intake(app, nowhere, signing_secret=secret_of(settings.slack_signing_secret), registry=None)


async def _delivered(session: aiohttp.ClientSession, url: str, secret: str) -> str:
    """Deliver and say why it failed; empty when it was. https://docs.slack.dev/reference/events/url_verification"""
    challenge, stamp = secrets.token_hex(8), str(int(time.time()))
    body = json.dumps({"type": "url_verification", "challenge": challenge})
    signed = hmac.new(secret.encode(), f"v0:{stamp}:{body}".encode(), hashlib.sha256).hexdigest()
    headers = {
        "Content-Type": "application/json",
        "X-Slack-Request-Timestamp": stamp,
        "X-Slack-Signature": f"v0={signed}",
    }
    try:
        async with session.post(f"{url}/slack/events", data=body, headers=headers, timeout=_WITHIN) as answer:
            if answer.status == 200 and await answer.text() == challenge:
                return ""
            return f"status {answer.status}"
    except _LOST as lost:
        return type(lost).__name__


async def _is_bot(session: aiohttp.ClientSession, url: str) -> bool:
    try:
        async with session.get(f"{url}/readyz", timeout=_WITHIN) as answer:
            said: Any = await answer.json()
            return isinstance(said, dict) and "ready" in said
    except _LOST:
        return False


def _url(host: str, port: int) -> str:
    host = _EVERYWHERE.get(host, host)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


# ---------------------------------------------------------------- policy ids
# Look at every id in the policy file: does Slack or VoIPBIN know it? What is unknown is named with its line.

_POLICY_IDS: Final = "policy ids"
_CORRECT_THEM: Final = "Correct them: what is granted to, in or for an unknown id is granted to nobody."


async def _policy_ids(path: Path | None, client: AsyncWebClient, voipbin: Sequence[VoIPBINClient]) -> Finding:
    """Look at the ids in the policy. ``voipbin``: each account that can be asked."""
    if path is None:
        return Finding(_POLICY_IDS, HealthState.OK, "there is no policy file")
    try:
        text = policy_text(path)
        parsed_policy(text, name=path.name)
    except Misconfigured:
        return Finding(_POLICY_IDS, HealthState.WARNING, "cannot be read: the policy has mistakes", "Repair the file.")
    written = written_ids(text)
    flows, others = [one for one in written if "-" in one.id], [one.id for one in written if "-" not in one.id]
    wrong = {**await directory.troubles(client, others), **await _flows(flows, voipbin)}
    if not wrong:
        return Finding(_POLICY_IDS, HealthState.OK, f"all {len(written)} are known")
    lines = [f"{path.name}:{one.line}: {one.id}: {wrong[one.id]}." for one in written if one.id in wrong]
    return Finding(_POLICY_IDS, HealthState.WARNING, " ".join(lines), _CORRECT_THEM)


async def _flows(flows: Sequence[WrittenId], voipbin: Sequence[VoIPBINClient]) -> Mapping[str, str]:
    found = await asyncio.gather(*(_flow(one.id, voipbin) for one in flows))
    return {one.id: why for one, why in zip(flows, found, strict=True) if why}


async def _flow(flow_id: str, voipbin: Sequence[VoIPBINClient]) -> str:
    """Look for a flow, which is some account's; which one the grant is for is not looked at."""
    why = "" if voipbin else "cannot be checked, VoIPBIN is not configured"
    for account in voipbin:
        try:
            if await account.flow(UUID(flow_id)):
                return ""
        except Failure as trouble:
            why = f"cannot be checked, {trouble.what}"
    return why or "VoIPBIN has no flow with this id"


# ---------------------------------------------------------------- checks

_ENVIRONMENT: Final = "environment"
_ACCOUNTS: Final = "accounts"


async def looks(settings: Settings, stack: AsyncExitStack) -> Mapping[str, Look]:
    """Return what to look at, by name. What is opened for it is closed with ``stack``."""
    session = await stack.enter_async_context(http_session())
    token, route = settings.slack_bot_token.get_secret_value(), route_to_slack(settings)
    client = web_client(token, settings.slack_api_url, session, route=route)
    asked: dict[str, Look] = {slack.SLACK: partial(slack.token, client)}
    if settings.socket_mode:
        asked[slack.DELIVERIES] = partial(slack.may_connect, client, secret_of(settings.slack_app_token))
    asked[_ENVIRONMENT] = _environment
    asked[slack.CLOCK] = partial(slack.clock, client, _now, believed_for=None if settings.socket_mode else WINDOW)
    voipbin_, looks_ = await _voipbin(settings, stack)
    return {
        **asked,
        **looks_,
        health.ABOUT: partial(health.look, settings),
        **_own(settings, stack),
        **_witness(settings, stack, client),
        _POLICY_IDS: partial(_policy_ids, settings.flows_bot_policy, client, voipbin_),
        ABOUT: partial(look, settings, client, session),
    }


def _now() -> datetime:
    return datetime.now(UTC)


async def _environment() -> Finding:
    lines = tuple(unread(Settings))
    if not lines:
        return Finding(_ENVIRONMENT, HealthState.OK, "every variable of ours is read")
    return Finding(_ENVIRONMENT, HealthState.WARNING, " ".join(lines), "Correct them, or take them away.")


async def _voipbin(settings: Settings, stack: AsyncExitStack) -> tuple[list[VoIPBINClient], Mapping[str, Look]]:
    clients, found = list[VoIPBINClient](), dict[str, Look]()
    for name, account in settings.accounts.items():
        about, expiry = (voipbin.of_account(each, name) for each in (voipbin.ACCOUNT, voipbin.CREDENTIAL))
        try:
            client = await voipbin_at(settings, account, stack)
        except Misconfigured as trouble:
            found[about] = partial(_wrong, about, trouble)
            continue
        clients.append(client)
        found[about] = partial(_called, about, partial(voipbin.account, client))
        found[expiry] = partial(_called, expiry, partial(voipbin.credential, client, _now()))
    if len(clients) > 1:
        found[_ACCOUNTS] = partial(_one_each, clients, list(settings.accounts))
    return clients, found


async def _called(about: str, look: Look) -> Finding:
    return replace(await look(), about=about)


async def _one_each(clients: Sequence[VoIPBINClient], names: Sequence[str]) -> Finding:
    """Look whether each name opens an account of its own. One that cannot be reached is told of elsewhere."""
    opened: dict[UUID, str] = {}
    for name, client in zip(names, clients, strict=False):
        try:
            customer = await client.introduce()
        except Failure:
            continue
        other = opened.setdefault(customer.id, name)
        if other != name:
            then = "An account can have one name only: take one of them away, or correct its credential."
            return Finding(_ACCOUNTS, HealthState.BROKEN, f"{other} and {name} open the same VoIPBIN account", then)
    return Finding(_ACCOUNTS, HealthState.OK, f"{', '.join(names)}")


def _own(settings: Settings, stack: AsyncExitStack) -> Mapping[str, Look]:
    async def in_force() -> Finding:
        try:
            return await policy.in_force(PolicyInForce(settings.flows_bot_policy), list(settings.accounts))
        except Misconfigured as broken:
            return await _wrong("policy", broken)

    return {"ledger": partial(_ledger, settings, stack), "policy": in_force}


def _witness(settings: Settings, stack: AsyncExitStack, client: AsyncWebClient) -> Mapping[str, Look]:
    """Return the look at the posted heads; none where another look says what is wrong with the policy."""
    try:
        channel = PolicyInForce(settings.flows_bot_policy).policy().rules.audit_channel
    except Misconfigured:
        return {}
    if not channel:
        return {}

    async def compared() -> Finding:
        if _is_new(settings):
            return await maintenance.look_without_ledger(client, channel)
        try:
            database, there = await rehearsed(settings, stack)
        except Misconfigured as trouble:
            return await _wrong(maintenance.ABOUT, trouble)
        if not there:
            return await maintenance.look_without_ledger(client, channel)
        return await maintenance.look(client, database, channel)

    return {maintenance.ABOUT: compared}


def _is_new(settings: Settings) -> bool:
    """Tell whether it is a file that is not there yet."""
    url = settings.flows_bot_database_url.get_secret_value()
    return url.startswith("sqlite:///") and not Path(url.removeprefix("sqlite:///")).is_file()


async def _ledger(settings: Settings, stack: AsyncExitStack) -> Finding:
    url = settings.flows_bot_database_url.get_secret_value()
    if _is_new(settings):
        return _new_file(Path(url.removeprefix("sqlite:///")))
    try:
        database, there = await rehearsed(settings, stack)
        if not there:
            return Finding("ledger", HealthState.OK, "there is none in that database yet; the first start makes it")
        finding = await ledger.ledger(database)
    except Misconfigured as trouble:
        return await _wrong("ledger", trouble)
    if finding.state is HealthState.OK and taken(url):
        what = f"{finding.what}; a bot runs on it already, a second one could not start"
        return replace(finding, state=HealthState.WARNING, what=what)
    return finding


def _new_file(file: Path) -> Finding:
    """Look whether it could be made there. The file that is tried has no name."""
    try:
        with TemporaryFile(dir=file.parent) as trial:
            trial.write(b"a trial")
    except OSError as trouble:
        why = f"FLOWS_BOT_DATABASE_URL: no file can be made there ({trouble.strerror})"
        return Finding(
            "ledger", HealthState.BROKEN, why, "Make its folder, and let the bot's user write there.", disabling=True
        )
    return Finding("ledger", HealthState.OK, "there is none yet; the first start makes it")


async def _wrong(about: str, trouble: Misconfigured) -> Finding:
    return Finding(about, HealthState.BROKEN, str(trouble), disabling=True)

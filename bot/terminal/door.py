"""Try the door that Slack and the orchestrator come through: bind the port, and in HTTP mode deliver something signed.

Where a bot listens already, that one is asked: ``check`` is often run beside it.
"""

import hashlib
import hmac
import json
import secrets
import time
from contextlib import AsyncExitStack
from typing import Any, Final

import aiohttp
from slack_sdk.web.async_client import AsyncWebClient

from bot.activeflows.health import Finding, State
from bot.composition.clients import secret_of
from bot.settings import Settings
from bot.slack.listeners.app import build_app
from bot.slack.listeners.unknown import Unknown
from bot.slack.messaging.messenger import Messenger
from bot.slack.people.installation import Installation
from bot.slack.transport.http import always_ready, http_app, serve
from bot.slack.transport.intake import Intake
from bot.slack.transport.jobs import Jobs

ABOUT: Final = "port"
_LOST: Final = (aiohttp.ClientError, OSError, TimeoutError, ValueError)
_WITHIN: Final = aiohttp.ClientTimeout(total=5)
_EVERYWHERE: Final = {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "::1"}  # noqa: S104 - where to knock, not to listen


async def look(settings: Settings, client: AsyncWebClient, session: aiohttp.ClientSession) -> Finding:
    """Nothing is left behind."""
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
                return Finding(ABOUT, State.BROKEN, f"cannot listen there ({why})", then)
            found, state = "a bot listens there already; a second one could not start here", State.WARNING
        else:
            found, state = "free", State.OK
        if not http:
            return Finding(ABOUT, state, found)
        trouble = await _delivered(session, _url(host, port), secret)
    if trouble:
        then = "Look at SLACK_SIGNING_SECRET, and at what runs there."
        return Finding(ABOUT, State.BROKEN, f"{found}; a signed delivery was not taken ({trouble})", then)
    return Finding(ABOUT, state, f"{found}; a signed delivery was taken")


def _intake(settings: Settings, client: AsyncWebClient, session: aiohttp.ClientSession) -> Intake:
    """As the bot's own, with nobody listening: what is delivered here is only Slack's question whether the address works."""
    teller, nowhere = Messenger(client, session), Installation("", "", "")
    jobs = Jobs(teller, command=settings.flows_bot_command)
    app = build_app(client, nowhere, jobs, Unknown(teller, jobs, settings.flows_bot_command))
    return Intake(app, nowhere, signing_secret=secret_of(settings.slack_signing_secret), registry=None)


async def _delivered(session: aiohttp.ClientSession, url: str, secret: str) -> str:
    """Why not; empty when it was. https://docs.slack.dev/reference/events/url_verification"""
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

"""Build the Bolt app, without its surprises.

Decisions: who the bot is was asked at the start (``installation.introduce``) and is not asked again before an ack. The
environment changes nothing: with ``SLACK_CLIENT_ID`` set Bolt would otherwise drop the token and turn on OAuth. Bolt's
own log lines, which quote bodies, are off; ours stand in their place. A bug in a listener is acked, and told in words
with an incident id. One HTTP session serves all calls; a post whose answer was lost is never sent again by itself.

https://docs.slack.dev/tools/bolt-python/concepts/authorization
"""

import logging
import time
from collections.abc import Mapping
from typing import Any, Final

import aiohttp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.authorization.async_authorize import AsyncAuthorize
from slack_bolt.context.async_context import AsyncBoltContext
from slack_bolt.error import BoltUnhandledRequestError
from slack_bolt.response import BoltResponse
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_async_handlers import (
    AsyncConnectionErrorRetryHandler,
    AsyncRateLimitErrorRetryHandler,
)
from slack_sdk.http_retry.request import HttpRequest
from slack_sdk.http_retry.response import HttpResponse
from slack_sdk.http_retry.state import RetryState
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot import tracing
from bot.slack import metrics
from bot.slack.blocks.error_words import BUSY, incident
from bot.slack.interaction import from_body
from bot.slack.listeners.unknown import Unknown
from bot.slack.messaging.messenger import error_word
from bot.slack.messaging.outbound import Route
from bot.slack.people.installation import Installation
from bot.slack.people.single_flight_cache import Access
from bot.slack.transport.intake import NO_ROOM, App
from bot.slack.transport.jobs import Jobs, TooMany

LONGEST_WAIT: Final = 10
"""Seconds a 429 of Slack's is waited for; what is told to wait longer fails now."""
_NEVER_TWICE: Final = ("/chat.postMessage", "/chat.postEphemeral")


def web_client(
    token: str,
    base_url: str,
    session: aiohttp.ClientSession,
    *,
    access: Access | None = None,
    waits: bool = True,
    route: Route | None = None,
) -> AsyncWebClient:
    """Slack's Web API. ``base_url`` as in ``SLACK_API_URL``, with or without its last slash.

    ``access`` is told what Slack refuses for good. ``waits``: a 429 is waited for, shortly.
    """
    client = _Client(
        access or Access(),
        token=token,
        base_url=base_url.rstrip("/") + "/",
        session=session,
        retry_handlers=[*([_WaitShortly(max_retry_count=2)] if waits else []), _Reconnect()],
        logger=_quiet("bot.slack.web"),
        ssl=route.trust if route else None,
    )
    client.proxy = route.proxy.of(client.base_url) if route else None  # not what the SDK makes of the environment
    return client


def build_app(client: AsyncWebClient, installation: Installation, jobs: Jobs, unknown: Unknown) -> App:
    """The Bolt app, to which listeners are added. Bugs in them are told through ``jobs``, the rest by ``unknown``."""
    app = App(
        name="flows-bot",
        client=client,
        authorize=_Installed(installation, client.token or ""),
        signing_secret="",
        process_before_response=True,
        request_verification_enabled=False,  # done on the raw bytes, in intake
        ssl_check_enabled=False,
        url_verification_enabled=False,
        attaching_function_token_enabled=False,
        raise_error_for_unhandled_request=True,  # to be answered below
        logger=_quiet("bot.slack.bolt"),
    )

    async def unheard(error: Exception, body: Mapping[str, Any]) -> BoltResponse:
        try:
            return bug(error, body)
        except TooMany:
            return _full(body)

    def bug(error: Exception, body: Mapping[str, Any]) -> BoltResponse:
        """Acked all the same: the person reads our words instead of Slack's."""
        if isinstance(error, TooMany):
            raise error
        if isinstance(error, BoltUnhandledRequestError):
            return unknown.answer(body)
        interaction = from_body(body)
        if interaction is None or not interaction.user_id:
            incident(error, user="", doing="hearing an event")
            return BoltResponse(status=200, body="")

        async def tell() -> None:
            raise error

        jobs.start(interaction, tell, doing="listening")
        return BoltResponse(status=200, body="")

    app.on_bug(unheard)
    return app


def _full(body: Mapping[str, Any]) -> BoltResponse:
    """Words for whoever typed a command, Slack's own warning for whoever pressed; an event Slack brings again.

    https://docs.slack.dev/interactivity/implementing-slash-commands#command_response_immediate,
    https://docs.slack.dev/interactivity/handling-user-interaction#acknowledgment_response
    """
    return BoltResponse(status=200, body=BUSY.text) if "command" in body else BoltResponse(status=NO_ROOM, body="")


class _Client(AsyncWebClient):
    """The SDK's client, which tells of each call whether Slack took it."""

    def __init__(self, access: Access, **more: Any) -> None:
        super().__init__(**more)
        self._access = access

    async def api_call(self, api_method: str, **more: Any) -> AsyncSlackResponse:
        began = time.perf_counter()
        try:
            answer = await super().api_call(api_method, **more)
        except SlackApiError as refused:
            _traced(api_method, began, refused.response, error_word(refused))
            needed = refused.response.get("needed") if hasattr(refused.response, "get") else None
            self._access.refused(api_method, error_word(refused), str(needed or ""))
            metrics.called(api_method, error_word(refused))
            raise
        except Exception:
            _traced(api_method, began, None, "lost")
            metrics.called(api_method, "lost")
            raise
        metrics.called(api_method, "")
        _traced(api_method, began, answer, "")
        self._access.taken(api_method)
        return answer


def _traced(method: str, began: float, answer: Any, trouble: str) -> None:
    if not tracing.wanted():
        return
    headers = {name.lower(): value for name, value in (getattr(answer, "headers", None) or {}).items()}
    found = headers.get("x-slack-req-id", "")
    request_id = found[0] if isinstance(found, list) else found
    said = {"request_id": request_id, "trouble": trouble}
    tracing.told(f"Slack {method}", said, seconds=time.perf_counter() - began)


class _Installed(AsyncAuthorize):
    """The answer is known: one workspace, one token. ``intake`` has compared the workspace before."""

    def __init__(self, installation: Installation, token: str) -> None:
        self._known = AuthorizeResult(
            enterprise_id=installation.enterprise_id or None,
            team_id=installation.team_id,
            bot_user_id=installation.bot_user_id,
            bot_id=installation.bot_id,
            bot_token=token,
        )

    async def __call__(
        self,
        *,
        context: AsyncBoltContext,  # noqa: ARG002 - Bolt passes these by name
        enterprise_id: str | None,  # noqa: ARG002
        team_id: str | None,  # noqa: ARG002
        user_id: str | None,  # noqa: ARG002
        actor_enterprise_id: str | None = None,  # noqa: ARG002
        actor_team_id: str | None = None,  # noqa: ARG002
        actor_user_id: str | None = None,  # noqa: ARG002
    ) -> AuthorizeResult:
        return self._known


class _WaitShortly(AsyncRateLimitErrorRetryHandler):
    """Waits for a 429 as long as Slack says, unless that is too long for somebody who is looking.

    https://docs.slack.dev/apis/web-api/rate-limits
    """

    async def _can_retry_async(
        self,
        *,
        state: RetryState,  # noqa: ARG002 - the SDK passes these by name
        request: HttpRequest,
        response: HttpResponse | None = None,
        error: Exception | None = None,  # noqa: ARG002
    ) -> bool:
        if response is None or response.status_code != 429:
            return False
        metrics.THROTTLED.labels(request.url.rpartition("/")[2]).inc()
        given = [value for name, value in response.headers.items() if name.lower() == "retry-after"]
        wait = given[0][0] if given else "1"
        return wait.isdigit() and int(wait) <= LONGEST_WAIT


class _Reconnect(AsyncConnectionErrorRetryHandler):
    """Once more after a lost connection, but never for a post: it may have arrived."""

    async def _can_retry_async(
        self,
        *,
        state: RetryState,
        request: HttpRequest,
        response: HttpResponse | None = None,
        error: Exception | None = None,
    ) -> bool:
        if request.url.endswith(_NEVER_TWICE):
            return False
        return await super()._can_retry_async(state=state, request=request, response=response, error=error)


def _quiet(name: str) -> logging.Logger:
    """A logger for a library that quotes tokens, bodies and response_urls: nothing below critical."""
    logger = logging.getLogger(name)
    logger.setLevel(logging.CRITICAL)
    return logger

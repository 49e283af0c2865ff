"""Call Slack's Web API: one HTTP session, answers read with a bound, what is refused for good, and each call counted.

Decisions: a post whose answer was lost is never sent again by itself. The libraries' own log lines, which quote bodies,
are off. The labels of what is counted are bounded: methods are the bot's own, and of Slack's error words the first
``_MOST`` are told apart.
"""

import logging
import re
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import aiohttp
import msgspec
import structlog
from prometheus_client import Counter
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
from bot.network import DIRECT, Proxy, certificate_trouble

log = structlog.get_logger(__name__)

# ---------------------------------------------------------------- session
# Open the one HTTP session for everything said to Slack: answers are read with a bound.
#
# aiohttp unpacks an answer piece by piece, and stops reading where nobody takes the pieces; ``read`` alone has no bound
# of its own. https://docs.aiohttp.org/en/stable/client_advanced.html

LARGEST: Final = 4 * 2**20
"""Bytes of an answer, unpacked. The largest that is asked for, a hundred messages of a channel, is some hundred kB."""
_PIECE: Final = 64 * 1024
_PLAIN: Final = re.compile(r"[A-Za-z0-9:/._~%?=&+\[\]-]+")
"""Nothing that one parser of addresses takes for the end of the host, and another does not."""


@dataclass(frozen=True, slots=True)
class Route:
    """How Slack is reached: whatever is said to it goes this way."""

    proxy: Proxy = DIRECT
    trust: ssl.SSLContext | None = None
    """``None``: the public authorities."""


def route(proxy: Proxy, ca_file: Path | None) -> Route:
    """Find the route to Slack. ``ca_file`` adds an authority. Raises ``OSError`` for one that cannot be read
    (``ssl.SSLError`` is one).
    """
    if ca_file is None:
        return Route(proxy)
    trust = ssl.create_default_context()
    trust.load_verify_locations(cafile=str(ca_file))
    return Route(proxy, trust)


def http_session() -> aiohttp.ClientSession:
    """Open an HTTP session; whoever opens it closes it."""
    return aiohttp.ClientSession(
        timeout=aiohttp.ClientTimeout(total=30, connect=5),
        raise_for_status=False,
        response_class=_Bounded,
        cookie_jar=aiohttp.DummyCookieJar(),
        json_serialize_bytes=msgspec.json.encode,
    )


def is_below(url: str, api_url: str) -> bool:
    """Tell whether that address is at the host of Slack's API, or below it, as hooks.slack.com is?

    A response_url comes in with a delivery; posted to whatever it names, it would be a way out for what the bot knows.
    https://docs.slack.dev/interactivity/handling-user-interaction#message_responses
    """
    if not _PLAIN.fullmatch(url):
        return False
    try:
        there, api = urlsplit(url), urlsplit(api_url)
        host, home = (there.hostname or "").lower(), (api.hostname or "").lower().removeprefix("www.")
    except ValueError:
        return False
    return there.scheme == api.scheme and bool(home) and (host == home or host.endswith(f".{home}"))


def lost_words(lost: Exception) -> str:
    """Return what became of a call without an answer, after "Slack": never an address."""
    certificate = certificate_trouble(str(lost)) if isinstance(lost, aiohttp.ClientConnectorCertificateError) else ""
    return f"was not asked: its certificate {certificate}" if certificate else f"did not answer ({type(lost).__name__})"


class _Bounded(aiohttp.ClientResponse):
    async def read(self) -> bytes:
        """Return the body. Raises ``aiohttp.ClientPayloadError`` when it is longer than any of Slack's."""
        if self._body is None:
            try:
                self._body = await self._pieces()
            except BaseException:
                self.close()
                raise
        return await super().read()

    async def _pieces(self) -> bytes:
        pieces, size = [], 0
        async for piece in self.content.iter_chunked(_PIECE):
            size += len(piece)
            if size > LARGEST:
                raise aiohttp.ClientPayloadError("longer than an answer of Slack's")
            pieces.append(piece)
        return b"".join(pieces)


# ---------------------------------------------------------------- calls counted

CALLS: Final = Counter(
    "flows_bot_slack_calls", "Calls of Slack's Web API and of response_urls, by Slack's error word", ["method", "error"]
)
THROTTLED: Final = Counter("flows_bot_slack_throttled", "Answers 429 of Slack's Web API", ["method"])
_OTHER: Final = "other"
_MOST: Final = 60
_WORD: Final = re.compile(r"[a-z_]{1,40}|status \d{3}|")
_words: Final[set[str]] = set()


def called(method: str, error: str) -> None:
    """Note that Slack has answered so (``""``: well), or not at all (the name of the error)."""
    CALLS.labels(method, bounded(error)).inc()


def bounded(word: str) -> str:
    """Return the word, while there is room for another one in the labels."""
    if not _WORD.fullmatch(word) or (word not in _words and len(_words) >= _MOST):
        return _OTHER
    _words.add(word)
    return word


# ---------------------------------------------------------------- access
# Track what Slack refuses this app for good: such a refusal does not pass by waiting, and somebody has to be told.
#
# A token that Slack takes no more makes the bot useless, so it is not ready. A scope that is missing takes one thing
# away, so it is a warning. Each is an error in the log once, and over as soon as Slack takes the same call again.
#
# https://docs.slack.dev/reference/methods/auth.test
# https://docs.slack.dev/reference/events/tokens_revoked, https://docs.slack.dev/reference/events/app_uninstalled

REVOKED: Final = frozenset(
    {
        "account_inactive",
        "app_uninstalled",
        "invalid_auth",
        "not_authed",
        "team_access_not_granted",
        "token_expired",
        "token_revoked",
    }
)
"""Slack's words for a token that is good for nothing any more."""
MISSING: Final = "missing_scope"
LASTING: Final = REVOKED | {MISSING}
_TOKEN: Final = "SLACK_BOT_TOKEN"  # noqa: S105 - the name of a variable
_BY_APP_TOKEN: Final = frozenset({"apps.connections.open"})
_OPTIONAL: Final = frozenset({"conversations.info", "bots.info", "files.getUploadURLExternal"})
"""What the bot does well without."""


class Access:
    """What is refused for good right now. ``ready`` and ``complete`` say it in words; empty means nothing."""

    def __init__(self, bot_user_id: str = "") -> None:
        self.bot_user_id = bot_user_id
        self._revoked: dict[str, str] = {}
        self._missing: dict[str, str] = {}

    def refused(self, method: str, word: str, needed: str = "") -> None:
        """Note that Slack answered so. ``needed``: the scope it named."""
        if method in _BY_APP_TOKEN:
            return  # the socket says that itself
        if word in REVOKED:
            self._note(self._revoked, _TOKEN, word, about=_TOKEN)
        elif word == MISSING and method not in _OPTIONAL:
            self._note(self._missing, method, needed or "a scope that it does not name", about=method)

    def taken(self, method: str) -> None:
        """Note that Slack has done what it was asked to."""
        if method in _BY_APP_TOKEN:
            return
        for noted, key in ((self._revoked, _TOKEN), (self._missing, method)):
            if noted.pop(key, None) is not None:
                log.info("slack_accepts_again", about=key)

    def heard(self, event: Mapping[str, Any]) -> None:
        """Note that Slack says by itself that the app was uninstalled, or that tokens were revoked; maybe those of
        somebody else.
        """
        match event:
            case {"type": "app_uninstalled"}:
                self.refused("event", "app_uninstalled")
            case {"type": "tokens_revoked", "tokens": {"bot": [*users]}} if users:
                if not self.bot_user_id or self.bot_user_id in users:
                    self.refused("event", "token_revoked")

    async def ready(self) -> str:
        """Say for ``/readyz`` why the bot can do nothing in Slack."""
        return "; ".join(f"Slack does not accept {token} any more: {word}" for token, word in self._revoked.items())

    async def complete(self) -> str:
        """Say for ``/readyz``, under ``warnings``, what the app may not do for want of a scope."""
        words = (f"{method} needs {scope}" for method, scope in sorted(self._missing.items()))
        return f"the app is not allowed everything it needs: {'; '.join(words)}" if self._missing else ""

    def _note(self, noted: dict[str, str], key: str, why: str, *, about: str) -> None:
        if noted.get(key) != why:
            noted[key] = why
            log.error(
                "slack_refuses_for_good", about=about, why=why, then="look at the app's settings, install it again"
            )


# ---------------------------------------------------------------- client

LONGEST_WAIT: Final = 10
"""Seconds a 429 of Slack's is waited for; what is told to wait longer fails now."""
_NOT_AT_ALL: Final = -1
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
    """Build a client of Slack's Web API. ``base_url`` as in ``SLACK_API_URL``, with or without its last slash.

    ``access`` is told what Slack refuses for good. ``waits``: a 429 is waited for, shortly.
    """
    client = _Client(
        access or Access(),
        token=token,
        base_url=base_url.rstrip("/") + "/",
        session=session,
        retry_handlers=[_WaitShortly(LONGEST_WAIT if waits else _NOT_AT_ALL), _Reconnect()],
        logger=quiet("bot.slack.web"),
        ssl=route.trust if route else None,
    )
    client.proxy = route.proxy.of(client.base_url) if route else None  # not what the SDK makes of the environment
    return client


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
            called(api_method, error_word(refused))
            raise
        except Exception:
            _traced(api_method, began, None, "lost")
            called(api_method, "lost")
            raise
        called(api_method, "")
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


def error_word(refused: SlackApiError) -> str:
    """Return Slack's own word for why (``not_in_channel``), or ``unreadable`` when the answer was no JSON of
    Slack's.
    """
    answer = refused.response
    word = answer.get("error") if hasattr(answer, "get") else None
    return word if isinstance(word, str) and word else "unreadable"


def retry_after(refused: SlackApiError) -> float:
    """Return the seconds of a 429 (https://docs.slack.dev/apis/web-api/rate-limits)."""
    headers = getattr(refused.response, "headers", None) or {}
    given = next((str(value) for name, value in headers.items() if name.lower() == "retry-after"), "")
    return float(given) if given.isdigit() else 0.0


class _WaitShortly(AsyncRateLimitErrorRetryHandler):
    """Waits for a 429 as long as Slack says, unless that is too long for somebody who is looking.

    ``longest``: so many seconds. https://docs.slack.dev/apis/web-api/rate-limits
    """

    def __init__(self, longest: int) -> None:
        super().__init__(max_retry_count=2)
        self._longest = longest

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
        THROTTLED.labels(request.url.rpartition("/")[2]).inc()
        given = [value for name, value in response.headers.items() if name.lower() == "retry-after"]
        wait = given[0][0] if given else "1"
        return wait.isdigit() and int(wait) <= self._longest


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


def quiet(name: str) -> logging.Logger:
    """Return a logger for a library that quotes tokens, bodies and response_urls: nothing below critical."""
    logger = logging.getLogger(name)
    logger.setLevel(logging.CRITICAL)
    return logger

"""One question to VoIPBIN and its answer: credential, budget, request id, time limits and second tries.

Promises: every ending is a value or ``Unsuccessful``, never an exception of the HTTP library, because those carry the
URL; nothing here logs. Whether a request can have been carried out is decided in one place (``_lost``): only when no
connection was made is it certain that nothing was sent. A kept-open connection that VoIPBIN closed meanwhile looks like
an answer that was lost, and counts as one.
"""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeVar

import httpx
import stamina

from bot.voipbin.body import BodyUnread, read_body
from bot.voipbin.budget import Budget, Load, Urgency
from bot.voipbin.credential import Credential, Pass, refused_login
from bot.voipbin.decoding import Unreadable
from bot.voipbin.errors import Kind, Trouble, Unsuccessful, trouble_of
from bot.voipbin.patience import LONGEST, Patience, Waits, again_after
from bot.voipbin.wire import token

T = TypeVar("T")

LIST_READ: Final = 40.0
STOP_READ: Final = 15.0
OTHER_READ: Final = 12.0
LOGIN_READ: Final = 32.0
"""Seconds to wait for an answer: above what VoIPBIN gives itself (36, 12, 9 and 30)."""

_CONNECT: Final = 5.0
_LARGEST_ERROR: Final = 65_536


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer. An error whose body cannot be read, or is far too long for one, counts as one without a body."""

    status_code: int
    headers: httpx.Headers
    content: bytes


@dataclass(frozen=True, slots=True)
class Question:
    """What to ask. ``path`` begins with a slash and continues the API's URL."""

    method: str
    path: str
    urgency: Urgency
    read_within: float = OTHER_READ
    query: Mapping[str, str | int] | None = None
    not_after: datetime | None = None
    """Nothing is sent from then on, however long the question had to wait for its turn or its next try."""


class Exchange:
    """Asks VoIPBIN over one kept-open HTTP client."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        api_url: str,
        credential: Credential,
        budget: Budget,
        patience: Patience,
        *,
        now: Callable[[], datetime],
    ) -> None:
        self._http = http
        self._api_url = api_url
        self._credential = credential
        self._budget = budget
        self._patience = patience
        self._now = now

    def spare(self) -> bool:
        """Would one more question go at once?"""
        return self._budget.spare()

    def load(self) -> Load:
        """How the budget is used."""
        return self._budget.load()

    async def once(self, question: Question, understand: Callable[[bytes], T]) -> T:
        """Ask without a second try: for whoever wants to know how it is now. Raises ``Unsuccessful``."""
        return await self._ask(question, understand)

    async def read(self, question: Question, understand: Callable[[bytes], T]) -> T:
        """Ask until there is an answer or patience ends. Raises ``Unsuccessful``."""
        return await self._patiently(self._patience.for_reads(), lambda: self._ask(question, understand))

    async def act(self, question: Question, understand: Callable[[bytes], T]) -> T:
        """Ask for something to be done: again only where it certainly was not. Raises ``Unsuccessful``."""
        return await self._patiently(self._patience.for_stops(), lambda: self._ask(question, understand))

    async def _patiently(self, waits: Mapping[Kind, Waits], ask: Callable[[], Awaitable[T]]) -> T:
        tries = 1 + sum(len(each) for each in waits.values())
        async for attempt in stamina.retry_context(
            on=again_after(waits, self._patience.jitter), attempts=tries, timeout=LONGEST
        ):
            with attempt:
                return await ask()
        raise AssertionError("the last try either returned or raised")

    async def _ask(self, question: Question, understand: Callable[[bytes], T]) -> T:
        shown = await self._credential.show()
        try:
            return await self._ask_once(question, shown, understand)
        except Unsuccessful as unsuccessful:
            if unsuccessful.trouble.kind is not Kind.CREDENTIAL or not self._credential.refused(shown):
                raise
        return await self._ask_once(question, await self._credential.show(), understand)

    async def _ask_once(self, question: Question, shown: Pass, understand: Callable[[bytes], T]) -> T:
        request_id = new_request_id()
        request = self._http.build_request(
            question.method,
            self._api_url + question.path,
            params={**(question.query or {}), **shown.query} or None,
            headers={**shown.headers, "X-Request-Id": request_id},
        )
        async with self._budget.turn(question.urgency):
            connect = _CONNECT
            if question.not_after is not None:
                connect = min(connect, (question.not_after - self._now()).total_seconds())
            if connect <= 0:
                raise Unsuccessful(Trouble(Kind.LATE, "the deadline passed before it could be sent", request_id))
            request.extensions["timeout"] = httpx.Timeout(question.read_within, connect=connect, pool=connect).as_dict()
            answer = await send(self._http, request, question.read_within, request_id)
        if isinstance(answer, Trouble):
            raise Unsuccessful(answer)
        if answer.status_code != httpx.codes.OK:
            trouble = trouble_of(answer.status_code, answer.headers, answer.content, sent_as=request_id)
            if trouble.kind is Kind.THROTTLED:
                self._budget.slow_down(trouble.retry_after)
            raise Unsuccessful(trouble)
        try:
            return understand(answer.content)
        except Unreadable:
            pass
        raise Unsuccessful(Trouble(Kind.UNREADABLE, "VoIPBIN answered 200 with something unreadable", request_id))


def new_request_id() -> str:
    """VoIPBIN keeps an ``X-Request-Id`` of at most 64 letters, digits, ``_`` and ``-``, and logs it."""
    return f"flows-bot-{secrets.token_hex(10)}"


async def send(
    http: httpx.AsyncClient, request: httpx.Request, read_within: float, request_id: str
) -> Answer | Trouble:
    """The answer, whole, or why there is none. Nothing of the HTTP library's exceptions survives: they hold the URL."""
    try:
        async with asyncio.timeout(read_within + 2 * _CONNECT):  # an answer that trickles ends, too
            return await _whole(await http.send(request, stream=True))
    except BodyUnread as unread:
        return Trouble(Kind.UNREADABLE, f"VoIPBIN's answer {unread}", request_id)
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as problem:
        distrusted = "CERTIFICATE_VERIFY_FAILED" in str(problem)
        what = "VoIPBIN's certificate is not trusted" if distrusted else "VoIPBIN cannot be reached"
        return Trouble(Kind.UNSENT, what, request_id)
    except TimeoutError:
        return Trouble(Kind.LOST, "VoIPBIN did not answer in time", request_id)
    except httpx.TimeoutException:
        return Trouble(Kind.LOST, "VoIPBIN did not answer in time", request_id)
    except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError):
        return Trouble(Kind.LOST, "the connection to VoIPBIN broke before the answer was there", request_id)


async def _whole(answer: httpx.Response) -> Answer:
    done = answer.status_code == httpx.codes.OK
    try:
        content = await read_body(answer) if done else await read_body(answer, largest=_LARGEST_ERROR)
    except BodyUnread:
        if done:
            raise
        content = b""
    finally:
        await answer.aclose()
    return Answer(answer.status_code, answer.headers, content)


async def sign_in(http: httpx.AsyncClient, root_url: str, username: str, password: str) -> str:
    """One login, for its token. Raises ``Unsuccessful``; whatever went wrong, what was to be asked was not sent."""
    request_id = new_request_id()
    request = http.build_request(
        "POST",
        f"{root_url}/auth/login",
        json={"username": username, "password": password},
        headers={"X-Request-Id": request_id},
        timeout=httpx.Timeout(LOGIN_READ, connect=_CONNECT, pool=_CONNECT),
    )
    answer = await send(http, request, LOGIN_READ, request_id)
    if isinstance(answer, Trouble):
        raise Unsuccessful(Trouble(Kind.UNSENT, f"logging in: {answer.what}", request_id))
    if answer.status_code == httpx.codes.OK:
        try:
            return token(answer.content)
        except Unreadable:
            pass
    trouble = trouble_of(answer.status_code, answer.headers, answer.content, sent_as=request_id)
    if trouble.kind is Kind.THROTTLED:
        raise Unsuccessful(trouble)
    raise Unsuccessful(refused_login(answer.status_code, trouble.request_id))

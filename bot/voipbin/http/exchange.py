"""Ask VoIPBIN one question and read its answer: credential, budget, request id, time limits and second tries.

Promises: every ending is a value or ``Unsuccessful``, never an exception of the HTTP library, because those carry the
URL; what is logged holds none. Whether a request can have been carried out is decided in one place (``transport``):
only before its first byte is it certain that nothing was sent. A kept-open connection that VoIPBIN closed meanwhile
looks like an answer that was lost, and counts as one. Each request is counted and measured, and what acts on it is a
line in the log.
"""

import asyncio
import random
import re
import secrets
import time
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Final, Protocol, TypeAlias, TypeVar

import httpx
import stamina
import structlog

from bot import tracing
from bot.activeflows.ports import Check
from bot.network import certificate_trouble
from bot.voipbin.http.answer import FailureKind, RequestFailure, Unsuccessful, failure_of
from bot.voipbin.http.budget import Budget, Load, Urgency
from bot.voipbin.http.credential import Credential, RequestCredential, refused_login
from bot.voipbin.metrics import REQUESTS, SECONDS
from bot.voipbin.wire.answers import Unreadable, token

# ---------------------------------------------------------------- retries
# Table when a question is asked again, and after how long, in seconds.
#
# For each kind of trouble the waits before the second, third, … try; none means that the first answer counts. They add
# to what VoIPBIN asks for itself (Retry-After) and to a little jitter, so that many bots do not come back in step.

Waits: TypeAlias = tuple[float, ...]

LONGEST: Final = 60.0
"""Seconds after which nothing is tried again, whatever waits are left."""


@dataclass(frozen=True, slots=True)
class RequestPauses:
    """The waits; tests bring shorter ones."""

    throttled: Waits = (0.0, 0.5, 1.0)
    """429: refused before any work."""
    unavailable: Waits = (0.5, 2.0)
    """No connection, no answer in time, 502, 503, 504."""
    internal: Waits = (4.0,)
    """500: behind an open circuit breaker nothing works for up to 30 s."""
    hiccup: Waits = (1.0, 3.0)
    """400 INVALID_ARGUMENT: a fault of the flow service."""
    rejected: Waits = (1.0, 3.0)
    """401 on an access key, or a login refused: a look-up that failed gets the same answer as a wrong key."""
    unreadable: Waits = (1.0,)
    """A 200 whose body is not what VoIPBIN sends."""
    after_login: float = 1.0
    """After a login that failed: so long all who need one get the same answer instead of knocking one by one."""
    at_start: float = 8.0
    """So long a start waits to learn whose account this is: enough to see a credential refused again and again."""
    jitter: float = 0.3

    def for_reads(self) -> Mapping[FailureKind, Waits]:
        return {
            FailureKind.THROTTLED: self.throttled,
            FailureKind.UNSENT: self.unavailable,
            FailureKind.LOST: self.unavailable,
            FailureKind.UNAVAILABLE: self.unavailable,
            FailureKind.INTERNAL: self.internal,
            FailureKind.HICCUP: self.hiccup,
            FailureKind.CREDENTIAL: self.rejected,
            FailureKind.LOGIN: self.rejected,
            FailureKind.UNREADABLE: self.unreadable,
        }

    def pause_after(self, trouble: RequestFailure) -> float | None:
        """Return the seconds before whoever asked once comes again; ``None``: another try has no chance."""
        waits = self.for_reads().get(trouble.kind)
        return waits[0] + _asked_for(trouble) if waits else None


def again_after(waits: Mapping[FailureKind, Waits], jitter: float) -> Callable[[Exception], bool | float]:
    """Return, for one question, the seconds to wait after this exception, or ``False`` when it shall not be asked
    again.
    """
    used: dict[FailureKind, int] = {}

    def decide(problem: Exception) -> bool | float:
        if not isinstance(problem, Unsuccessful):
            return False
        trouble = problem.trouble
        left = waits.get(trouble.kind, ())[used.get(trouble.kind, 0) :]
        if not left:
            return False
        used[trouble.kind] = used.get(trouble.kind, 0) + 1
        return left[0] + _asked_for(trouble) + random.uniform(0, jitter)  # noqa: S311 — spreads load, guards nothing

    return decide


def _asked_for(trouble: RequestFailure) -> float:
    return trouble.retry_after if trouble.kind is FailureKind.THROTTLED else 0.0


# ---------------------------------------------------------------- body
# Read an answer's body with a bound on the memory it takes and on how long it holds the event loop, compressed or not.
#
# An answer of 1.5 MB can unpack to 1.5 GB. It is unpacked piece by piece here, and left where the bound is reached.
# https://www.rfc-editor.org/rfc/rfc9110#name-content-encoding

LARGEST: Final = 16 * 2**20
"""Bytes of a body, unpacked: a page of 100 activeflows with all their steps takes some megabytes."""
ENCODING: Final = "gzip"
"""What may be asked for; an answer in any other encoding cannot be read."""
_PIECE: Final = 256 * 1024
_GZIP: Final = 16 + zlib.MAX_WBITS


class BodyUnread(Exception):
    """The body cannot be read, and why. The text never quotes it."""


async def read_body(answer: httpx.Response, *, largest: int = LARGEST) -> bytes:
    """Return the body of an answer that is still open, unpacked. Raises ``BodyUnread``, and what httpx raises for a
    lost one.
    """
    parts, size = [], 0
    async for part in _unpacked(answer):
        size += len(part)
        if size > largest:
            raise BodyUnread(f"is longer than {largest // 1024} kB")
        parts.append(part)
    return b"".join(parts)


async def _unpacked(answer: httpx.Response) -> AsyncIterator[bytes]:
    encoding = answer.headers.get("content-encoding", "identity").strip().lower()
    if encoding in {"identity", ""}:
        async for chunk in answer.aiter_raw():
            yield chunk
    elif encoding in {"gzip", "x-gzip"}:
        async for chunk in _inflated(answer):
            yield chunk
    else:
        raise BodyUnread("is packed in a way that was not asked for")


async def _inflated(answer: httpx.Response) -> AsyncIterator[bytes]:
    inflater = zlib.decompressobj(_GZIP)
    try:
        async for chunk in answer.aiter_raw():
            yield inflater.decompress(chunk, _PIECE)
            while inflater.unconsumed_tail:
                await asyncio.sleep(0)  # a thousand times as much may come out of it: others have their turn in between
                yield inflater.decompress(inflater.unconsumed_tail, _PIECE)
        yield inflater.flush()
    except zlib.error:
        raise BodyUnread("is not packed as it says") from None
    if not inflater.eof:
        raise BodyUnread("is cut short")


# ---------------------------------------------------------------- exchange

T = TypeVar("T")
V = TypeVar("V")

LIST_READ: Final = 40.0
STOP_READ: Final = 15.0
OTHER_READ: Final = 12.0
LOGIN_READ: Final = 32.0
"""Seconds to wait for an answer: above what VoIPBIN gives itself (36, 12, 9 and 30)."""

log = structlog.get_logger(__name__)

_CONNECT: Final = 5.0
_CONNECT_TO_ACT: Final = 1.0
"""A stop comes straight after a look, so there is a connection; where there is none, a slow one is none."""
_FOR_GOOD: Final = 3
"""Refusals of the credential in a row, with no success between them, that are no hiccup any more."""
_CREDENTIAL: Final = frozenset({FailureKind.CREDENTIAL, FailureKind.LOGIN})
_LARGEST_ERROR: Final = 65_536
_STATUSES: Final = frozenset(HTTPStatus)
_ID: Final = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class RequestUnderWay:
    """One request under way. ``acts``: it stops an activeflow or hangs up a call, and so is worth a line."""

    method: str
    path: str
    request_id: str
    acts: bool
    began: float = field(default_factory=time.perf_counter)

    def over(self, status: int | None, trouble: RequestFailure | None) -> None:
        """Note that it was answered with this status (``None``: not at all), well or not."""
        seconds, template = time.perf_counter() - self.began, _ID.sub("{id}", self.path)
        kind = trouble.kind.name.lower() if trouble else ""
        REQUESTS.labels(self.method, template, _known(status), kind).inc()
        SECONDS.labels(self.method, template).observe(seconds)
        said = {
            "request_id": trouble.request_id if trouble and trouble.request_id else self.request_id,
            "status": status,
            "trouble": kind,
        }
        tracing.told(f"VoIPBIN {self.method} {template}", {**said, "acts": self.acts}, seconds=seconds)
        if not self.acts:
            return
        what = "call_id" if self.path.startswith("/calls/") else "activeflow_id"
        found = _ID.search(self.path)
        log.info(
            "sent",
            **{what: found[0] if found else ""},
            **said,
            seconds=round(seconds, 3),
        )


def _known(status: int | None) -> str:
    """Return a status that HTTP has a name for: whatever stands in front of VoIPBIN may answer others."""
    return "" if status is None else str(status) if status in _STATUSES else "other"


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


class FurtherQuestion(Protocol):
    """Asks one question more within a turn, once and without waiting. Raises ``Unsuccessful``."""

    def __call__(self, question: Question, understand: Callable[[bytes], V], /) -> Awaitable[V]: ...


class Exchange:
    """Asks VoIPBIN over one kept-open HTTP client."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        api_url: str,
        credential: Credential,
        budget: Budget,
        patience: RequestPauses,
    ) -> None:
        self._http = http
        self._api_url = api_url
        self._credential = credential
        self._budget = budget
        self._patience = patience
        self._rejections = 0
        """Answers in a row that refused the credential."""

    @property
    def rejected(self) -> bool:
        """Does VoIPBIN refuse the credential for good? Once or twice is a hiccup of its own."""
        return self._rejections >= _FOR_GOOD

    def spare(self) -> bool:
        """Tell whether one more question would go at once."""
        return self._budget.spare()

    def load(self) -> Load:
        """Return how the budget is used."""
        return self._budget.load()

    async def once(self, question: Question, understand: Callable[[bytes], T]) -> T:
        """Ask without a second try: for whoever wants to know how it is now. Raises ``Unsuccessful``."""
        return await self._ask(question, understand)

    async def read(self, question: Question, understand: Callable[[bytes], T]) -> T:
        """Ask until there is an answer or patience ends. Raises ``Unsuccessful``."""
        return await self._patiently(self._patience.for_reads(), lambda: self._ask(question, understand))

    async def act(
        self, question: Question, understand: Callable[[bytes], T], gate: Callable[[FurtherQuestion], Awaitable[Check]]
    ) -> T:
        """Ask for something to be done, once: first the credential, then a turn, then the gate, then the bytes.

        The gate is given what reads within the same turn. Raises ``Unsuccessful``, or what the gate raises.
        """
        shown = await self._shown()
        async with self._budget.turn(question.urgency):

            async def within(look: Question, understand_it: Callable[[bytes], V]) -> V:
                self._budget.spend()
                return await self._send_once(look, shown, understand_it)

            check = await gate(within)
            return await self._send_once(question, shown, understand, check)

    async def _patiently(self, waits: Mapping[FailureKind, Waits], ask: Callable[[], Awaitable[T]]) -> T:
        tries = 1 + sum(len(each) for each in waits.values())
        async for attempt in stamina.retry_context(
            on=again_after(waits, self._patience.jitter), attempts=tries, timeout=LONGEST
        ):
            with attempt:
                return await ask()
        raise AssertionError("the last try either returned or raised")

    async def _ask(self, question: Question, understand: Callable[[bytes], T]) -> T:
        shown = await self._shown()
        try:
            return await self._in_turn(question, shown, understand)
        except Unsuccessful as unsuccessful:
            if unsuccessful.trouble.kind is not FailureKind.CREDENTIAL or not self._credential.refused(shown):
                raise
        return await self._in_turn(question, await self._shown(), understand)

    async def _shown(self) -> RequestCredential:
        try:
            return await self._credential.show()
        except Unsuccessful as unsuccessful:
            self._note(unsuccessful.trouble)
            raise

    async def _in_turn(self, question: Question, shown: RequestCredential, understand: Callable[[bytes], T]) -> T:
        async with self._budget.turn(question.urgency):
            return await self._send(question, shown, understand)

    async def _send_once(
        self, question: Question, shown: RequestCredential, understand: Callable[[bytes], T], check: Check | None = None
    ) -> T:
        """Send once, without a second try, and said with the pause after which whoever asked may come again."""
        try:
            return await self._send(question, shown, understand, check)
        except Unsuccessful as unsuccessful:
            trouble = unsuccessful.trouble
        if trouble.kind is FailureKind.CREDENTIAL:
            self._credential.refused(shown)
        raise Unsuccessful(replace(trouble, pause=self._patience.pause_after(trouble)))

    async def _send(
        self, question: Question, shown: RequestCredential, understand: Callable[[bytes], T], check: Check | None = None
    ) -> T:
        request_id = new_request_id()
        connect = _CONNECT if check is None else _CONNECT_TO_ACT
        request = self._http.build_request(
            question.method,
            self._api_url + question.path,
            params={**(question.query or {}), **shown.query} or None,
            headers={**shown.headers, "X-Request-Id": request_id},
            timeout=httpx.Timeout(question.read_within, connect=connect, pool=connect),
        )
        if check is not None:
            check()
            request.extensions["trace"] = _before_the_first_byte(check)
        asked = RequestUnderWay(question.method, question.path, request_id, acts=check is not None)
        try:
            answer = await send(self._http, request, question.read_within, request_id)
        except asyncio.CancelledError:
            asked.over(None, RequestFailure(FailureKind.LOST, "cut off", request_id))
            raise
        status = None if isinstance(answer, RequestFailure) else answer.status_code
        understood = self._understood(answer, understand, request_id)
        asked.over(status, understood if isinstance(understood, RequestFailure) else None)
        if isinstance(understood, RequestFailure):
            raise Unsuccessful(understood)
        return understood[0]

    def _understood(
        self, answer: Answer | RequestFailure, understand: Callable[[bytes], T], request_id: str
    ) -> tuple[T] | RequestFailure:
        if isinstance(answer, RequestFailure):
            return answer
        if answer.status_code != httpx.codes.OK:
            trouble = failure_of(answer.status_code, answer.headers, answer.content, sent_as=request_id)
            self._note(trouble)
            if trouble.kind is FailureKind.THROTTLED:
                self._budget.slow_down(trouble.retry_after)
            return trouble
        self._note(None)
        try:
            return (understand(answer.content),)
        except Unreadable:
            return RequestFailure(FailureKind.UNREADABLE, "VoIPBIN answered 200 with something unreadable", request_id)

    def _note(self, trouble: RequestFailure | None) -> None:
        """Say once that the credential is good no more."""
        was = self.rejected
        if trouble is None:
            self._rejections = 0
        elif trouble.kind in _CREDENTIAL:
            self._rejections += 1
        if self.rejected and not was and trouble is not None:
            log.error(
                "voipbin_refuses_the_credential", request_id=trouble.request_id, then="look at the access key or login"
            )
        elif was and not self.rejected:
            log.info("voipbin_accepts_the_credential_again")


def _before_the_first_byte(check: Check) -> Callable[[str, Mapping[str, object]], Awaitable[None]]:
    """Trace a request for the transport: what ``check`` raises there leaves it unsent, however long the connecting
    took.

    https://www.encode.io/httpcore/extensions/#trace
    """

    async def trace(event: str, _: Mapping[str, object]) -> None:
        if event.endswith("send_request_headers.started"):
            check()

    return trace


def new_request_id() -> str:
    """Make a request id: VoIPBIN keeps an ``X-Request-Id`` of at most 64 letters, digits, ``_`` and ``-``, and logs
    it.
    """
    return f"flows-bot-{secrets.token_hex(10)}"


def longest(read_within: float) -> float:
    """Return the seconds after which a request is over, whatever came of it."""
    return read_within + 2 * _CONNECT


async def send(
    http: httpx.AsyncClient, request: httpx.Request, read_within: float, request_id: str
) -> Answer | RequestFailure:
    """Return the answer, whole, or why there is none. Nothing of the HTTP library's exceptions survives: they hold the
    URL.
    """
    try:
        async with asyncio.timeout(longest(read_within)):  # an answer that trickles ends, too
            return await _whole(await http.send(request, stream=True))
    except BodyUnread as unread:
        return RequestFailure(FailureKind.UNREADABLE, f"VoIPBIN's answer {unread}", request_id)
    except httpx.ProxyError:  # it refuses to connect
        return RequestFailure(FailureKind.UNSENT, "VoIPBIN cannot be reached: the proxy refuses", request_id)
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as problem:
        distrusted = certificate_trouble(str(problem))
        what = f"VoIPBIN's certificate {distrusted}" if distrusted else "VoIPBIN cannot be reached"
        return RequestFailure(FailureKind.UNSENT, what, request_id)
    except TimeoutError:
        return RequestFailure(FailureKind.LOST, "VoIPBIN did not answer in time", request_id)
    except httpx.TimeoutException:
        return RequestFailure(FailureKind.LOST, "VoIPBIN did not answer in time", request_id)
    except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError):
        return RequestFailure(
            FailureKind.LOST, "the connection to VoIPBIN broke before the answer was there", request_id
        )


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
    """Log in once, for a token. Raises ``Unsuccessful``; whatever went wrong, what was to be asked was not sent."""
    request_id = new_request_id()
    request = http.build_request(
        "POST",
        f"{root_url}/auth/login",
        json={"username": username, "password": password},
        headers={"X-Request-Id": request_id},
        timeout=httpx.Timeout(LOGIN_READ, connect=_CONNECT, pool=_CONNECT),
    )
    answer = await send(http, request, LOGIN_READ, request_id)
    if isinstance(answer, RequestFailure):
        raise Unsuccessful(RequestFailure(FailureKind.UNSENT, f"logging in: {answer.what}", request_id))
    if answer.status_code == httpx.codes.OK:
        try:
            return token(answer.content)
        except Unreadable:
            pass
    trouble = failure_of(answer.status_code, answer.headers, answer.content, sent_as=request_id)
    if trouble.kind is FailureKind.THROTTLED:
        raise Unsuccessful(trouble)
    raise Unsuccessful(refused_login(answer.status_code, trouble.request_id))

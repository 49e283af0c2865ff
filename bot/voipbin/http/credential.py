"""Show VoIPBIN who the bot is, without ever putting a secret where it could be read.

An access key goes into the ``Cookie: accesskey=`` header; VoIPBIN takes it there or in the URL's query, never in
another header. A user name and password are exchanged at ``/auth/login``, beside ``/v1.0`` and not under it, for a
token that goes into ``Authorization: Bearer`` (https://api.voipbin.net/docs/auth_overview.html).

Promises: a login happens once for all who wait for it, early enough before the token's end (a claim ``expire`` of the
token itself, read without trusting it), and once more when VoIPBIN answers 401. Secrets are in no ``repr`` and in no
error text. The cookie ``token`` that a login sets would outrank everything else and is never kept (see ``connected``).

``SingleFlight``, by which a login is shared, serves whoever else asks VoIPBIN the same thing at once.
"""

import asyncio
import base64
import binascii
import re
from collections.abc import Awaitable, Callable, Coroutine, Hashable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Generic, Protocol, TypeVar

import msgspec
import structlog

from bot.voipbin.http.answer import FailureKind, RequestFailure, Unsuccessful
from bot.voipbin.metrics import LOGINS
from bot.voipbin.wire.answers import instant

log = structlog.get_logger(__name__)
_KEY: Final = re.compile(r"[A-Za-z0-9_.~=-]{1,256}")
_TOKEN: Final = re.compile(r"[A-Za-z0-9_.=-]{1,8192}")
_PREFIX: Final = 11
_USED_FOR: Final = 0.9
"""The part of a token's life after which it is renewed: 6.3 of VoIPBIN's 7 days."""


@dataclass(frozen=True, slots=True)
class AccessKey:
    """A customer's access key: full power over the customer's account, there is no smaller one."""

    token: str = field(repr=False)
    in_query: bool = False
    """Only where something in front of VoIPBIN drops cookies: query strings end up in logs."""

    def __post_init__(self) -> None:
        if not _KEY.fullmatch(self.token):
            raise ValueError("the access key is empty or has characters that no access key has")

    @property
    def prefix(self) -> str:
        """What VoIPBIN's list of access keys shows of it (https://api.voipbin.net/docs/accesskey_overview.html)."""
        return self.token[:_PREFIX]


@dataclass(frozen=True, slots=True)
class Login:
    """An agent's user name and password: the way to a credential with less power than an access key."""

    username: str = field(repr=False)
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class NotSetUp:
    """No credential: what is left behind of an account that the settings do not have. ``why``: in words for people."""

    why: str


@dataclass(frozen=True, slots=True)
class RequestCredential:
    """What one request carries to be let in."""

    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    query: Mapping[str, str] = field(default_factory=dict, repr=False)


class Credential(Protocol):
    """What an exchange needs of either kind."""

    async def show(self) -> RequestCredential:
        """Return the pass for a request that is about to be sent. Raises ``Unsuccessful``."""
        ...

    def refused(self, shown: RequestCredential) -> bool:
        """Tell whether, after a 401 to this one, it is worth showing a new one at once."""
        ...


class NoCredential:
    """Lets nothing out."""

    def __init__(self, missing: NotSetUp) -> None:
        self._missing = missing

    async def show(self) -> RequestCredential:
        raise Unsuccessful(RequestFailure(FailureKind.NOT_SET_UP, self._missing.why))

    def refused(self, shown: RequestCredential) -> bool:  # noqa: ARG002 — the protocol's
        return False


class AccessKeyCredential:
    """Always the same pass. A 401 may pass by itself, a new pass does not exist."""

    def __init__(self, key: AccessKey) -> None:
        self._pass = (
            RequestCredential(query={"accesskey": key.token})
            if key.in_query
            else RequestCredential(headers={"Cookie": f"accesskey={key.token}"})
        )

    async def show(self) -> RequestCredential:
        return self._pass

    def refused(self, shown: RequestCredential) -> bool:  # noqa: ARG002 — the protocol's
        return False


class LoginCredential:
    """A token that is renewed in time. ``sign_in`` does one login and gives the token, or raises ``Unsuccessful``."""

    def __init__(self, sign_in: Callable[[], Awaitable[str]], *, now: Callable[[], datetime], pause: float) -> None:
        """``pause``: seconds after a refused login during which nobody tries again."""
        self._sign_in = sign_in
        self._now = now
        self._pause = pause
        self._one_at_a_time = asyncio.Lock()
        self._pass: RequestCredential | None = None
        self._renew_at: datetime | None = None
        self._refusal: tuple[float, RequestFailure] | None = None

    async def show(self) -> RequestCredential:
        if (current := self._fresh()) is not None:
            return current
        async with self._one_at_a_time:
            return self._fresh() or await self._renewed()

    def refused(self, shown: RequestCredential) -> bool:
        if self._pass is shown:
            self._pass = None
        return True

    def _fresh(self) -> RequestCredential | None:
        due = self._renew_at is not None and self._now() >= self._renew_at
        return None if due else self._pass

    async def _renewed(self) -> RequestCredential:
        clock = asyncio.get_running_loop().time
        if self._refusal is not None and clock() < self._refusal[0]:
            trouble = self._refusal[1]
        else:
            try:
                return self._accept(await self._sign_in())
            except Unsuccessful as unsuccessful:
                trouble = unsuccessful.trouble
            self._refusal = (clock() + self._pause, trouble)
        if self._pass is not None:  # due for renewal, but good for a while yet
            return self._pass
        raise Unsuccessful(trouble)

    def _accept(self, token: str) -> RequestCredential:
        if not _TOKEN.fullmatch(token):
            raise Unsuccessful(
                RequestFailure(FailureKind.LOGIN, "VoIPBIN's login answered with something that is no token")
            )
        now, end = self._now(), end_of(token)
        self._renew_at = None if end is None or end <= now else now + (end - now) * _USED_FOR
        self._refusal = None
        self._pass = RequestCredential(headers={"Authorization": f"Bearer {token}"})
        LOGINS.inc()
        log.info("voipbin_logged_in", until=str(end or "not known"), again_at=str(self._renew_at or "when refused"))
        return self._pass


class _Claims(msgspec.Struct):
    expire: str | None = None


def end_of(token: str) -> datetime | None:
    """Return when a token of VoIPBIN ends, by its own claim ``expire``; it has no ``exp``. ``None`` when it does not
    say.
    """
    try:
        payload = token.split(".")[1]
        raw = base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))
        return instant(msgspec.json.decode(raw, type=_Claims).expire)
    except (IndexError, binascii.Error, ValueError, RecursionError):
        return None


def refused_login(status: int, request_id: str) -> RequestFailure:
    """Explain a refused login: every failure of a login is an empty 400: a wrong password and an outage look alike."""
    what = f"VoIPBIN did not let the bot log in (HTTP {status}): a wrong user name or password, or trouble of its own"
    return RequestFailure(FailureKind.LOGIN, what, request_id)


# ---------------------------------------------------------------- single flight
# Ask the same question once at a time: who asks while it is being asked shares the answer.
#
# Promises: a caller that gives up does not take the answer from the others; a failure reaches all who wait and is not
# kept; leaving no task behind is one ``await land()``.

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class SingleFlight(Generic[K, V]):
    """Questions under way, by what they ask about."""

    def __init__(self) -> None:
        self._under_way: dict[K, asyncio.Task[V]] = {}

    async def share(self, key: K, ask: Callable[[], Coroutine[Any, Any, V]]) -> V:
        """Return the answer of the question under way for this key, else of a new one."""
        return await asyncio.shield(self.begin(key, ask))

    def begin(self, key: K, ask: Callable[[], Coroutine[Any, Any, V]]) -> "asyncio.Task[V]":
        """Return the same, for whoever does not wait for it."""
        task = self._under_way.get(key)
        if task is None:
            task = asyncio.create_task(ask())
            self._under_way[key] = task
            task.add_done_callback(lambda landed: self._landed(key, landed))
        return task

    def _landed(self, key: K, task: asyncio.Task[V]) -> None:
        del self._under_way[key]
        if not task.cancelled():
            task.exception()  # looked at, or asyncio would write it down when all who waited have given up

    async def land(self) -> None:
        """Cancel what is under way and wait until it is over."""
        tasks = list(self._under_way.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

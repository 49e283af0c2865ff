"""Remember answers of Slack's for a while, each asked for once at a time and within an allowance.

Decisions:

* A question that is under way is shared even by somebody who wants a new answer; it is younger than the time limit of a
  question. An answer that was under way when it was said to have changed is given to those who wait, and is not
  remembered.
* Who wants a new answer gets one while the allowance has plenty of turns. The fewer are left, the older an answer may
  be before it is asked for again, up to a bound: so turns go to the oldest answers, and everybody has one.
* Slack allows a method so many calls a minute for the whole app, whoever made the app ask. A bucket of turns stays
  below that in every minute (https://docs.slack.dev/apis/web-api/rate-limits): ``burst`` at once, ``a_minute`` after
  that. The last ones are a ``reserve``, for questions about those who are probably permitted.
"""

import asyncio
import math
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

import structlog
from slack_sdk.errors import SlackApiError

from bot.slack.health import REVOKED
from bot.slack.messaging.messenger import error_word, retry_after

K = TypeVar("K")
V = TypeVar("V")
_CHANGED = -math.inf


class Allowance:
    """Turns at one method. In any minute at most ``burst + a_minute`` of them are given."""

    def __init__(self, *, burst: int, a_minute: float, reserve: int, clock: Callable[[], float]) -> None:
        self._burst, self._a_second, self._reserve, self._clock = float(burst), a_minute / 60, reserve, clock
        self._left, self._at = float(burst), clock()
        self._shut_until = 0.0

    def scarcity(self) -> float:
        """0 while at least half is left, 1 when nothing is."""
        return max(0.0, 1.0 - self._now() / (self._burst / 2))

    def take(self, *, reserve: bool) -> bool:
        """Take a turn; ``reserve``: one of the last, too."""
        if self.wait(reserve=reserve) > 0:
            return False
        self._left -= 1
        return True

    def wait(self, *, reserve: bool) -> float:
        """Seconds until there is a turn."""
        needed = 1.0 if reserve else self._reserve + 1.0
        missing = needed - self._now()
        if self._shut_until > self._clock():
            return max(self._shut_until - self._clock(), missing / self._a_second)
        return missing / self._a_second if missing > 1e-9 else 0.0

    def shut(self, seconds: float) -> None:
        """Slack says that it is too much: nothing is left, and no turn is given for so long."""
        self._now()
        self._left = 0.0
        self._shut_until = max(self._shut_until, self._clock() + seconds)

    def _now(self) -> float:
        now = self._clock()
        self._left = min(self._burst, self._left + (now - self._at) * self._a_second)
        self._at = now
        return 0.0 if now < self._shut_until else self._left


@dataclass(frozen=True, slots=True)
class Ages:
    """How old an answer may be, in seconds: without asking anew, where there is no turn to ask, and where Slack is
    silent.
    """

    asked: float
    unturned: float = 0.0
    unanswered: float = 0.0


class NoTurn(Exception):
    """Slack's limit leaves no question in time."""


class Remembered(Generic[K, V]):
    """What ``ask(key)`` answered."""

    def __init__(
        self,
        ask: Callable[[K], Awaitable[V]],
        allowance: Allowance,
        *,
        within: float,
        clock: Callable[[], float],
        most: int = 10_000,
    ) -> None:
        self._ask, self._allowance, self._within, self._clock, self._most = ask, allowance, within, clock, most
        self._answers: dict[K, tuple[float, V]] = {}
        self._asking: dict[K, asyncio.Task[V]] = {}

    def last(self, key: K) -> V | None:
        """The last answer, however old; for guessing who needs what."""
        known = self._answers.get(key)
        return None if known is None else known[1]

    def true(self, key: K) -> V | None:
        """The last answer, unless it is known to be true no more."""
        known = self._answers.get(key)
        return None if known is None or known[0] == _CHANGED else known[1]

    def values(self) -> Iterable[V]:
        """All last answers."""
        return (value for _, value in self._answers.values())

    async def get(self, key: K, ages: Ages, *, reserve: bool) -> V:
        """The answer; ``reserve``: it may cost one of the last turns.

        Raises whatever ``ask`` raises, ``NoTurn`` or ``TimeoutError``, when there is none that is young enough.
        """
        scarcity = self._allowance.scarcity()
        young = ages.asked + max(0.0, ages.unturned - ages.asked) * scarcity
        if (known := self._younger(key, young)) is not None:
            return known[0]
        try:
            await self._turn(key, ages.unturned, reserve=reserve)
            if (known := self._younger(key, young)) is not None:
                return known[0]
            async with asyncio.timeout(self._within):
                return await asyncio.shield(self._asked(key))
        except Exception as trouble:
            limited = isinstance(trouble, NoTurn) or _shuts(self._allowance, trouble)
            if (known := self._younger(key, ages.unturned if limited else ages.unanswered)) is not None:
                return known[0]
            raise

    async def _turn(self, key: K, enough: float, *, reserve: bool) -> None:
        """Wait for a turn to ask, unless somebody asks already, or what is known is young enough then."""
        try:
            async with asyncio.timeout(self._within):
                while key not in self._asking and not self._allowance.take(reserve=reserve):
                    if self._younger(key, enough) is not None:
                        raise NoTurn
                    await asyncio.sleep(max(0.01, self._allowance.wait(reserve=reserve)))
        except TimeoutError:
            raise NoTurn from None

    def changed(self, key: K) -> None:
        """The last answer is not true any more."""
        known = self._answers.get(key)
        if known is not None:
            self._answers[key] = (_CHANGED, known[1])
        self._asking.pop(key, None)

    def _younger(self, key: K, seconds: float) -> tuple[V] | None:
        """The last answer, if it is younger than that."""
        known = self._answers.get(key)
        return (known[1],) if known is not None and self._clock() - known[0] < seconds else None

    def _asked(self, key: K) -> "asyncio.Task[V]":
        task = self._asking.get(key)
        if task is None:
            task = asyncio.ensure_future(self._ask(key))
            self._asking[key] = task
            began = self._clock()
            task.add_done_callback(lambda done: self._remember(key, began, done))
        return task

    def _remember(self, key: K, began: float, task: "asyncio.Task[V]") -> None:
        failed = task.cancelled() or task.exception() is not None
        if self._asking.get(key) is not task:
            return
        del self._asking[key]
        if failed:
            return
        if len(self._answers) >= self._most and key not in self._answers:
            self._answers.pop(next(iter(self._answers)))
        self._answers[key] = (began, task.result())


def _shuts(allowance: Allowance, trouble: Exception) -> bool:
    """Whether Slack's limit is the reason; then nothing more is asked for as long as Slack says."""
    if not isinstance(trouble, SlackApiError) or error_word(trouble) not in {"ratelimited", "rate_limited"}:
        return False
    allowance.shut(retry_after(trouble) or 1.0)
    return True


# ---------------------------------------------------------------- access
# Track what Slack refuses this app for good: such a refusal does not pass by waiting, and somebody has to be told.
#
# A token that Slack takes no more makes the bot useless, so it is not ready. A scope that is missing takes one thing
# away, so it is a warning. Each is an error in the log once, and over as soon as Slack takes the same call again.
#
# https://docs.slack.dev/reference/methods/auth.test
# https://docs.slack.dev/reference/events/tokens_revoked, https://docs.slack.dev/reference/events/app_uninstalled

log = structlog.get_logger(__name__)

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
        """Slack answered so. ``needed``: the scope it named."""
        if method in _BY_APP_TOKEN:
            return  # the socket says that itself
        if word in REVOKED:
            self._note(self._revoked, _TOKEN, word, about=_TOKEN)
        elif word == MISSING and method not in _OPTIONAL:
            self._note(self._missing, method, needed or "a scope that it does not name", about=method)

    def taken(self, method: str) -> None:
        """Slack has done what it was asked to."""
        if method in _BY_APP_TOKEN:
            return
        for noted, key in ((self._revoked, _TOKEN), (self._missing, method)):
            if noted.pop(key, None) is not None:
                log.info("slack_accepts_again", about=key)

    def heard(self, event: Mapping[str, Any]) -> None:
        """Slack says by itself that the app was uninstalled, or that tokens were revoked; maybe those of somebody
        else.
        """
        match event:
            case {"type": "app_uninstalled"}:
                self.refused("event", "app_uninstalled")
            case {"type": "tokens_revoked", "tokens": {"bot": [*users]}} if users:
                if not self.bot_user_id or self.bot_user_id in users:
                    self.refused("event", "token_revoked")

    async def ready(self) -> str:
        """For ``/readyz``: why the bot can do nothing in Slack."""
        return "; ".join(f"Slack does not accept {token} any more: {word}" for token, word in self._revoked.items())

    async def complete(self) -> str:
        """For ``/readyz``, under ``warnings``: what the app may not do for want of a scope."""
        words = (f"{method} needs {scope}" for method, scope in sorted(self._missing.items()))
        return f"the app is not allowed everything it needs: {'; '.join(words)}" if self._missing else ""

    def _note(self, noted: dict[str, str], key: str, why: str, *, about: str) -> None:
        if noted.get(key) != why:
            noted[key] = why
            log.error(
                "slack_refuses_for_good", about=about, why=why, then="look at the app's settings, install it again"
            )

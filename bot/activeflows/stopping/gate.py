"""Say whether a stop or a hang-up may go out now: the one gate, straight before the bytes.

The client takes its turn in the request budget first, then asks the gate, then sends; nothing waits between its yes and
the bytes. So the gate is asked after every wait: for a turn, after 429, 401 or 503, between two tries, in a queue,
after a restart, and when another replica takes over. In this order, the fastest to go stale last:

1. who pressed and who asked, the policy, its rules (``authorization``);
2. a look at the activeflow, or the call, held against what the card showed;
3. one transaction of the ledger: this run of the press, its claim, no abort, the deadline by the database's clock, and
  the record that a POST goes out.

``max_ages`` says how old each may be at the first byte; what the gate gives back is looked at there (by a clock that
goes on while the process is frozen). A record whose POST was held back then is harmless: the next try has its own.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, TypeVar

from bot.activeflows import ports
from bot.activeflows.errors import NOT_SHOWN, Failure, LedgerUnavailable, NotFound, NotOurs
from bot.activeflows.model import Activeflow
from bot.activeflows.records import Record
from bot.activeflows.stopping import max_ages
from bot.activeflows.stopping.authorization import Act, Authorization, Authorized, asked_of
from bot.activeflows.stopping.ports import Ledger
from bot.activeflows.stopping.stop import NO_TROUBLE, Declined, Fence, Intent, Press, Shut, Trouble, Why

# ---------------------------------------------------------------- fence
# Keep a run of a press from going on once another run has taken the press up.
#
# Two processes may run one press: the one that was thought dead (frozen, cut off) and the one that took over. Each
# begins by taking a number from the ledger, higher than those before. Whoever's number is not the highest sends
# nothing, edits nothing and writes nothing any more: it is cut off (``Fenced``), without a word, because the other one
# says everything. (The results of its steps are remembered by a fence of the same kind, ``ports.Step``.)

T = TypeVar("T")
_AGAIN: Final = 1.0
_TRIES: Final = 6
"""Of a write that the ledger refuses: then it is said that nothing was done."""


class Fenced(asyncio.CancelledError):
    """Another run has taken this press up. Cut off rather than failed: a failure would end the other run's workflow."""


class Hold:
    """What one run has of its press."""

    def __init__(self, ledger: Ledger, fence: Fence) -> None:
        self._ledger, self.fence = ledger, fence

    @classmethod
    async def take(cls, ledger: Ledger, press_id: str) -> "Hold":
        """Begin a run: every earlier one of this press counts no more. Waits for a ledger that does not answer."""
        while True:
            try:
                return cls(ledger, await ledger.take_up(press_id))
            except LedgerUnavailable:
                await asyncio.sleep(_AGAIN)

    async def must_hold(self) -> None:
        """Raises ``Fenced``. While the ledger does not answer it holds for as long as nobody can have taken over."""
        while True:
            try:
                holds = await self._ledger.holds(self.fence)
            except LedgerUnavailable:
                await asyncio.sleep(_AGAIN)
            else:
                if holds:
                    return
                raise Fenced

    async def until_known(self, write: Callable[[], Awaitable[T]]) -> T:
        """Write until it is known whether the ledger has it: what it kept without saying so would stay for good.

        Raises ``LedgerUnavailable`` after some tries of which none can have been kept.
        """
        for attempt in range(1, _TRIES + 1):
            try:
                return await write()
            except LedgerUnavailable as failure:
                if failure.may_be_kept:
                    break
                if attempt == _TRIES:
                    raise
        return await self.until_written(write)

    async def until_written(
        self, write: Callable[[], Awaitable[T]], meanwhile: Callable[[], Awaitable[object]] | None = None
    ) -> T:
        """Write until the ledger has it. ``meanwhile`` tells once, without a receipt, what has to wait for that."""
        while True:
            try:
                return await write()
            except LedgerUnavailable:
                await self.must_hold()
            if meanwhile is not None:
                await meanwhile()
                meanwhile = None
            await asyncio.sleep(_AGAIN)


# ---------------------------------------------------------------- gate

_AT_ONCE: Final = 0.0
_SOON: Final = 1.0


@dataclass(frozen=True, slots=True)
class Closed:
    """Why nothing went out. ``retry_after`` (seconds): coming again is right."""

    shut: Shut
    trouble: Trouble = NO_TROUBLE
    at: datetime | None = None
    """VoIPBIN's time of the end, or of the reading."""
    declined: Declined | None = None
    retry_after: float | None = None


class GateClosed(Exception):
    """Nothing was sent. ``seen``: the activeflow that has moved on, and ``kind``: to which kind of situation."""

    def __init__(self, closed: Closed, seen: Activeflow | None = None, kind: str = "") -> None:
        super().__init__(closed.shut)
        self.closed, self.seen, self.kind = closed, seen, kind


@dataclass(frozen=True, slots=True)
class Errand:
    """What one press wants of one activeflow or its call."""

    act: Act
    intent: Intent
    press: Press


def boot_time() -> float:
    """Seconds that go on while this process, or the whole machine, sleeps.
    https://man7.org/linux/man-pages/man2/clock_gettime.2.html
    """
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if clock is None else time.clock_gettime(clock)


class Gate:
    """Asked by the client for every POST. ``clock`` gives seconds, as ``boot_time`` does."""

    def __init__(self, ledger: Ledger, authorization: Authorization, *, clock: Callable[[], float] = boot_time) -> None:
        self._ledger, self._authorization, self._clock = ledger, authorization, clock

    def of(
        self,
        errand: Errand,
        fence: Fence,
        sending: Record,
        held_against: Callable[[T], None],
        opens: Callable[[], None],
    ) -> ports.Gate[T]:
        """The gate for one POST, announced by the record ``sending``.

        ``held_against`` raises ``GateClosed`` when what was read is not what the card showed. ``opens`` is called at
        the yes.
        """

        async def gate(look: Callable[[], Awaitable[T]]) -> ports.Check:
            decided = await self._decided(errand)
            looked_at = self._clock()
            held_against(await _read(look))
            asked_at = self._clock()
            left = await self._permitted(errand, fence, _by(sending, decided, errand))
            opens()
            return self._check(decided, looked_at + max_ages.LOOK, asked_at + max_ages.PERMIT, asked_at + left)

        return gate

    async def _decided(self, errand: Errand) -> Authorized:
        decided = await self._authorization.of(
            errand.act, asked_of(errand.intent), errand.press, max_age=max_ages.FACTS
        )
        if isinstance(decided, Authorized):
            return decided
        unanswered = decided.why is Why.IDENTITY_UNKNOWN
        shut = Shut.UNANSWERED if unanswered else Shut.REFUSED
        raise GateClosed(Closed(shut, Trouble(decided.because), declined=decided))

    async def _permitted(self, errand: Errand, fence: Fence, sending: Record) -> float:
        try:
            permitted = await self._ledger.permit(errand.intent, errand.press, fence, sending)
        except LedgerUnavailable as failure:
            raise GateClosed(Closed(Shut.UNWRITTEN, Trouble(failure.what))) from None
        if permitted.shut is Shut.FENCED:
            raise Fenced
        if permitted.shut is not None:
            raise GateClosed(Closed(permitted.shut))
        return permitted.left

    def _check(self, decided: Authorized, look: float, permit: float, deadline: float) -> ports.Check:
        def check() -> None:
            now = self._clock()
            if now >= deadline:
                raise GateClosed(Closed(Shut.LATE))
            if now >= min(look, permit):
                raise GateClosed(Closed(Shut.STALE, Trouble(_TOO_OLD), retry_after=_AT_ONCE))
            if not self._authorization.in_force(decided):
                raise GateClosed(Closed(Shut.CHANGED, Trouble(_CHANGED), retry_after=_AT_ONCE))

        return check


_TOO_OLD: Final = "answers came too slowly to be sure what it would stop"
_CHANGED: Final = "the policy changed at that moment"


async def _read(look: Callable[[], Awaitable[T]]) -> T:
    try:
        async with asyncio.timeout(max_ages.LOOK):
            return await look()
    except NotFound:
        closed = Closed(Shut.GONE, Trouble("VoIPBIN no longer has this activeflow"))
    except NotOurs:
        closed = Closed(Shut.UNREAD, Trouble(NOT_SHOWN))
    except TimeoutError:
        closed = Closed(Shut.STALE, Trouble(_TOO_OLD), retry_after=_SOON)
    except Failure as failure:
        closed = Closed(Shut.UNREAD, Trouble(failure.what, failure.request_id), retry_after=failure.retry_after)
    raise GateClosed(closed)


def _by(sending: Record, decided: Authorized, errand: Errand) -> Record:
    return replace(sending, detail={**sending.detail, **decided.detail(errand.intent.flow_id)})

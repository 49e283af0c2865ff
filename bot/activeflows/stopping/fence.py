"""Keep a run of a press from going on once another run has taken the press up.

Two processes may run one press: the one that was thought dead (frozen, cut off) and the one that took over. Each begins
by taking a number from the ledger, higher than those before. Whoever's number is not the highest sends nothing, edits
nothing and writes nothing any more: it is cut off (``Fenced``), without a word, because the other one says everything.
(The results of its steps are remembered by a fence of the same kind, ``ports.Step``.)
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from bot.activeflows.errors import LedgerUnavailable
from bot.activeflows.stopping.claims import Fence
from bot.activeflows.stopping.ports import Ledger

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
        for tries_left in reversed(range(_TRIES)):
            try:
                return await write()
            except LedgerUnavailable as failure:
                if failure.may_be_kept:
                    break
                if not tries_left:
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

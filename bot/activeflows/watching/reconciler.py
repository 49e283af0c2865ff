"""Reconcile the watch cards with the watched activeflows until each has ended.

Five things go on beside each other: the ledger is looked at for watches that began or ended; events are taken in; what
no event tells is read (both ``observer``); it is looked whether each watcher may still view; and cards are edited, one
after the other, so that no older words can overtake newer ones. Promises:

- What a card says next is remembered before it is said, by a process that holds the lease: a restart goes on from
  there, and of several processes one speaks.
- "Ended" is said when VoIPBIN said so, once, and nothing is said after it. While it is not known, the card says what
  was known, and when.
- Nothing new is said for somebody who may not view it any more: whether they may is asked after each wait for the
  ledger, and the watch ends with what was said before.
- Whatever fails is tried again; nothing here ends by itself, and nothing is said at a shutdown.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final

from bot.activeflows.errors import IdentityUnknown, LedgerUnavailable
from bot.activeflows.operators import Operator, Permission
from bot.activeflows.watching.observer import FollowedWatch, WatchObserver
from bot.activeflows.watching.ports import ViewCheck, WatchCards, WatchLedger
from bot.activeflows.watching.watch import (
    LEASE,
    EndingKind,
    Observation,
    StoredWatch,
    Watch,
    WatchCardContent,
    WatchEnding,
    WatchPace,
)

_RENEW: Final = LEASE / 3
_MARGIN: Final = 3.0
"""Seconds before its end in which the lease is not trusted any more."""
_IDLE: Final = 10.0
"""Between two looks into a ledger without watches."""
_FORGET_EVERY: Final = timedelta(hours=1)
_KEPT_FOR: Final = timedelta(days=1)
_FINISHED: Final = 1000
"""Ids remembered, so that a look into the ledger that was under way brings none back."""


async def permitted_always(watch: Watch) -> bool | None:  # noqa: ARG001 - as ``ViewCheck``
    return True


class ViewPermission:
    """Says whether whoever wanted a watch may still view what it follows (``ViewCheck``).

    ``operator_of``: somebody by id, with what they may do in a channel. May raise ``IdentityUnknown``.
    """

    def __init__(self, operator_of: Callable[[str, str], Awaitable[Operator]]) -> None:
        self._operator_of = operator_of

    async def __call__(self, watch: Watch) -> bool | None:
        try:
            operator = await self._operator_of(watch.by, watch.channel)
        except IdentityUnknown:
            return None
        may = operator.may(Permission.VIEW, watch.flow_id)
        return None if not may and operator.person.unanswered else may


class WatchReconciler:
    """``attend`` is at work for as long as it runs. ``broken`` is told of what nobody foresaw."""

    def __init__(
        self,
        observer: WatchObserver,
        ledger: WatchLedger,
        cards: WatchCards,
        *,
        pace: WatchPace,
        now: Callable[[], datetime],
        broken: Callable[[Exception], None],
        permitted: ViewCheck = permitted_always,
    ) -> None:
        self._observer, self._watched, self._ledger, self._cards = observer, observer.watched, ledger, cards
        self._pace, self._now, self._broken = pace, now, broken
        self._permitted = permitted
        self._clock = asyncio.get_running_loop().time
        self._stirred = asyncio.Event()
        self._held_until = self._renew_at = 0.0
        self._finished: dict[str, None] = {}
        self._forgot_at: datetime | None = None

    def stir(self) -> None:
        """Look into the ledger now."""
        self._stirred.set()

    async def attend(self) -> None:
        """Keep the cards true until cancelled."""
        observer = self._observer
        try:
            with observer.listening():
                async with asyncio.TaskGroup() as beside:
                    for work in (self._look, observer.take_in, observer.read_next, self._permit_all, self._tell):
                        beside.create_task(self._on_and_on(work))
        finally:
            if self._held_until:
                with suppress(LedgerUnavailable):
                    await self._ledger.release()

    async def _on_and_on(self, work: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                await work()
            except LedgerUnavailable:  # said by the database's own log
                await asyncio.sleep(self._pace.look_every)
            except Exception as trouble:  # noqa: BLE001 - whatever it was, the cards must go on
                self._broken(trouble)
                await asyncio.sleep(self._pace.look_every)

    # ---------------------------------------------------------------- the ledger

    async def _look(self) -> None:
        self._stirred.clear()
        kept, held = await self._ledger.watches(), bool(self._held_until)
        ours = bool(kept) and await self._hold()
        if ours and not held:
            kept = await self._ledger.watches()  # as they are now that nobody else follows them
        self._follow(kept if ours else ())
        await self._forget()
        with suppress(TimeoutError):
            async with asyncio.timeout(self._pace.look_every if kept else _IDLE):
                await self._stirred.wait()

    async def _hold(self) -> bool:
        asked = self._clock()
        if asked >= self._renew_at:
            held = await self._ledger.hold()
            self._held_until, self._renew_at = (asked + LEASE - _MARGIN, asked + _RENEW) if held else (0.0, 0.0)
        return bool(self._held_until)

    def _follow(self, kept: Sequence[StoredWatch]) -> None:
        """Follow these and no others."""
        open_ = {each.watch.id: each for each in kept if each.watch.id not in self._finished}
        for followed in self._watched.all():
            if followed.watch.id not in open_:
                self._watched.drop(followed)
        for id_, each in open_.items():
            followed_already = self._watched.get(id_)
            if followed_already is None:
                self._watched.put(each, self._clock())
            elif each.ending is not None and not followed_already.closed:
                followed_already.ending, followed_already.closed = each.ending, True
                self._watched.news(followed_already)
            elif self._now() >= each.watch.until:
                self._watched.end(followed_already, WatchEnding(EndingKind.TOO_LONG, self._now()))

    async def _forget(self) -> None:
        now = self._now()
        if self._forgot_at is None or now - self._forgot_at >= _FORGET_EVERY:
            self._forgot_at = now
            await self._ledger.forget(now - _KEPT_FOR)

    async def _permit_all(self) -> None:
        for followed in self._watched.all():
            await self._permit(followed)
        await asyncio.sleep(self._pace.permit_every)

    async def _permit(self, followed: FollowedWatch) -> None:
        """Let the card say nothing new where its watcher may not view it any more, and how it ended neither; while that
        is not known, it goes on.
        """
        if followed.ending is not None and followed.ending.how is EndingKind.NOT_PERMITTED:
            return
        permitted = None
        with suppress(TimeoutError):
            async with asyncio.timeout(self._pace.side_look):
                permitted = await self._permitted(followed.watch)
        if permitted is not False:
            return
        if followed.ending is None or followed.ending.over:
            followed.ending = WatchEnding(EndingKind.NOT_PERMITTED, self._now())
        elif followed.known == followed.said:
            return
        followed.known = followed.said
        self._watched.news(followed)

    # ---------------------------------------------------------------- the cards

    async def _tell(self) -> None:
        """Edit the next card when it is due; waits for that."""
        self._watched.to_tell.clear()
        pacing = self._watched.pacing
        wait = pacing.wait(self._clock())
        if wait is None or wait > 0:
            with suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await self._watched.to_tell.wait()
            return
        id_ = pacing.next(self._clock())
        followed = self._watched.get(id_) if id_ is not None else None
        if followed is None:
            await asyncio.sleep(self._pace.again / 100)  # not to be expected, and not worth a busy loop
            return
        try:
            told = await self._say(followed)
        except Exception:
            pacing.failed(followed.watch.id, self._clock())
            raise
        if not told:
            pacing.failed(followed.watch.id, self._clock())

    async def _say(self, followed: FollowedWatch) -> bool:
        """Say what is known of it now. False when that has to be tried again."""
        await self._observer.catch_up(followed)
        while True:  # whoever wanted it is asked about after each wait for the ledger
            await self._permit(followed)
            if followed.told:
                return await self._finish(followed)
            lost = self._clock() >= self._held_until
            if not lost and followed.known == followed.kept and (followed.ending is None or followed.closed):
                break
            if lost or not await self._recorded(followed, followed.known):
                self._watched.drop(followed)  # somebody else follows it, or it has ended otherwise: the ledger says
                self.stir()
                return True
        known, ending = followed.known, followed.ending
        source = self._observer.source(followed)
        edited = await self._cards.edit(WatchCardContent(followed.watch, known, source, followed.silent_since, ending))
        self._watched.pacing.edited(followed.watch.id, self._clock())
        if edited.done or edited.unsure:
            followed.said = known
        if edited.wait:
            self._watched.pacing.refused(self._clock(), edited.wait)
            self._watched.news(followed)
            return True
        if edited.gone:
            return await self._lose(followed)
        if edited.done and ending is not None:
            followed.told = True
            return await self._finish(followed)
        if edited.done:
            self._watched.pacing.succeeded(followed.watch.id)
        return edited.done

    async def _recorded(self, followed: FollowedWatch, known: Observation) -> bool:
        """Tell whether what is to be said stands in the ledger."""
        if known != followed.kept:
            if not await self._ledger.keep(followed.watch.id, known):
                return False
            followed.kept = known
        if followed.ending is not None and not followed.closed:
            stands = await self._ledger.close(followed.watch.id, followed.ending)
            if stands is None:
                return False
            followed.ending, followed.closed = stands, True
        return True

    async def _lose(self, followed: FollowedWatch) -> bool:
        """Give up a watch whose card is gone: there is nothing to be said any more, and nowhere to say it."""
        await self._ledger.close(followed.watch.id, WatchEnding(EndingKind.CARD_GONE, self._now()))
        followed.told = True
        return await self._finish(followed)

    async def _finish(self, followed: FollowedWatch) -> bool:
        if await self._ledger.over(followed.watch.id, self._now()):
            self._finished[followed.watch.id] = None
            while len(self._finished) > _FINISHED:
                del self._finished[next(iter(self._finished))]
        self._watched.drop(followed)
        return True

"""Begin and end a watch: what ``/flows watch``, ``/flows unwatch`` and *Unwatch* do. Nothing is ever stopped here.

A place is kept in the ledger before the card is posted, so that two people who ask at once get one card; following it
is ``reconciler``. Decision: whoever began a watch may end it, and so may everybody who may view that flow here.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.activeflows.anomalies import WarningSource
from bot.activeflows.errors import NotFound
from bot.activeflows.model import Activeflow
from bot.activeflows.operators import Operator, Permission
from bot.activeflows.ports import VoIPBIN
from bot.activeflows.queries.resolution import NamedSituation, Prefix, Target, find, what_it_does
from bot.activeflows.watching.ports import WatchLedger
from bot.activeflows.watching.watch import (
    EndingKind,
    StoredWatch,
    Watch,
    WatchCardContent,
    WatchEnding,
    WatchLimit,
    WatchPace,
    WatchSource,
    learnt,
)


@dataclass(frozen=True, slots=True)
class AlreadyWatched:
    """It is watched in this channel already."""

    watch: Watch


@dataclass(frozen=True, slots=True)
class AlreadyEnded:
    """It has ended: there is nothing to follow."""

    activeflow: Activeflow
    words: str


@dataclass(frozen=True, slots=True)
class UnwatchResult:
    """What an ``unwatch`` did: those that end now, and those that are left here and may be seen by whoever asked."""

    ended: tuple[Watch, ...]
    left: tuple[Watch, ...] = ()


class WatchRequests:
    """``stir`` is called when the ledger has changed, so that the card need not wait for the next look."""

    def __init__(
        self,
        voipbin: VoIPBIN,
        ledger: WatchLedger,
        *,
        source: Callable[[], WatchSource],
        stir: Callable[[], None],
        now: Callable[[], datetime],
        warned: WarningSource,
        pace: WatchPace,
    ) -> None:
        self._voipbin, self._ledger, self._source, self._stir = voipbin, ledger, source, stir
        self._now, self._warned, self._pace = now, warned, pace

    async def begin(
        self, operator: Operator, target: Target
    ) -> WatchCardContent | AlreadyWatched | AlreadyEnded | WatchLimit:
        """Return what the card says at first, to be posted; then call ``posted`` or ``not_posted``.

        Raises what ``queries.resolution.find`` raises, or ``LedgerUnavailable``.
        """
        operator.require(Permission.VIEW)
        activeflow = await find(self._voipbin, operator, target)
        as_of = self._now()
        doing = await what_it_does(self._voipbin, activeflow, within=self._pace.side_look)
        if activeflow.ended or activeflow.deleted_at is not None:
            return AlreadyEnded(activeflow, doing.situation.words)
        watch = self._watch(operator, activeflow, doing)
        warnings = await self._warned(activeflow, doing.situation)
        known = learnt(None, activeflow, doing.situation, warnings, as_of)
        instead = await self._ledger.begin(watch, known)
        if isinstance(instead, WatchLimit):
            return instead
        return AlreadyWatched(instead) if instead is not None else WatchCardContent(watch, known, self._source())

    async def posted(self, watch: Watch, message_ts: str) -> None:
        """Note that its card stands there: it is followed from now on."""
        await self._ledger.posted(watch.id, message_ts)
        self._stir()

    async def not_posted(self, watch: Watch) -> None:
        """Forget a watch without a card."""
        await self._ledger.not_posted(watch.id)

    async def end(self, operator: Operator, watch_id: str) -> bool:
        """End a watch (*Unwatch*). False when this card follows nothing (any more)."""
        operator.require(Permission.VIEW)
        kept = await self._ledger.watch(watch_id)
        if kept is None or kept.watch.channel != operator.channel:
            return False
        if kept.watch.by != operator.person.id:
            operator.require(Permission.VIEW, kept.watch.flow_id)
        return await self._close(operator, kept)

    async def unwatch(self, operator: Operator, target: Target | None) -> UnwatchResult:
        """End the one that is meant, or all that this person began here. Raises ``NotFound`` when none is meant."""
        operator.require(Permission.VIEW)
        here = [kept for kept in await self._ledger.watches(operator.channel) if _open_to(operator, kept.watch)]
        if target is None:
            meant = [kept for kept in here if kept.watch.by == operator.person.id]
        else:
            meant = [kept for kept in here if _means(target, kept.watch)] or await self._by_call(operator, target, here)
        ended = tuple([kept.watch for kept in meant if await self._close(operator, kept)])
        return UnwatchResult(ended, tuple(kept.watch for kept in here if kept not in meant and kept.ending is None))

    async def _by_call(self, operator: Operator, target: Target, here: list[StoredWatch]) -> list[StoredWatch]:
        """Find watches by a call: whoever types the id of a call means its activeflow."""
        if here and not isinstance(target, Prefix):
            activeflow = await find(self._voipbin, operator, target)
            found = [kept for kept in here if kept.watch.activeflow_id == activeflow.id]
            if found:
                return found
        raise NotFound(str(target), "No card in this channel follows an activeflow with this id")

    async def _close(self, operator: Operator, kept: StoredWatch) -> bool:
        ending = WatchEnding(EndingKind.UNWATCHED, self._now(), by=operator.person.id)
        stands = await self._ledger.close(kept.watch.id, ending)
        self._stir()
        return stands == ending

    def _watch(self, operator: Operator, activeflow: Activeflow, doing: NamedSituation) -> Watch:
        now = self._now()
        return Watch(
            id=secrets.token_hex(16),
            activeflow_id=activeflow.id,
            flow_id=activeflow.flow_id,
            flow_name=doing.flow_name,
            reference_type=activeflow.reference.type,
            began=activeflow.created_at,
            channel=operator.channel,
            by=operator.person.id,
            since=now,
            until=now + timedelta(seconds=self._pace.lasts),
            thread=operator.thread,
        )


def _open_to(operator: Operator, watch: Watch) -> bool:
    return watch.by == operator.person.id or operator.may(Permission.VIEW, watch.flow_id)


def _means(target: Target, watch: Watch) -> bool:
    return target.fits(watch.activeflow_id) if isinstance(target, Prefix) else target == watch.activeflow_id

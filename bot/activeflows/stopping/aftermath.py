"""Look at what happens after an activeflow has ended: VoIPBIN hangs up its call, and starts the next flow.

Both happen beside the stop and may fail unnoticed upstream, so they are looked at and told apart from "ended".

Decision: what is learnt is told as it is learnt, but a call that is up is called so only after some seconds: until then
the hang-up may simply be on its way.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import replace
from datetime import datetime
from typing import Final
from uuid import UUID

from bot.activeflows.errors import Failure
from bot.activeflows.ports import VoIPBIN
from bot.activeflows.stopping.stop import Attribution, CallAfter, ChildAfter, Ended, Intent, hung_up_first
from bot.activeflows.stopping.timeouts import Patience

_ON_ITS_WAY: Final = 3
"""Looks in which a call may be up without being called so; with production's pauses, two seconds."""


class Aftermath:
    """Looks until both are known, or for as long as ``Patience.after`` says."""

    def __init__(self, voipbin: VoIPBIN, patience: Patience, now: Callable[[], datetime]) -> None:
        self._voipbin, self._patience, self._now = voipbin, patience, now

    async def of(self, intent: Intent, ended: Ended) -> AsyncIterator[Ended]:
        """The same end with what is known of the call and the on-complete flow, each time more is; the last one is final."""
        told, call, child = ended, None, None
        for look, pause in enumerate(self._patience.after, 1):
            await asyncio.sleep(pause)
            if intent.seen.call_id is not None and (call is None or call.state != "hung_up"):
                call = await self._call(intent.seen.call_id) or call
            if intent.seen.on_complete_flow_id is not None and child is None:
                child = await self._child(intent)
            if self._known(intent, call, child):
                break
            sure = call if call is None or call.state != "up" or look > _ON_ITS_WAY else None
            known = replace(_cleared_up(ended, call), call=sure, child=child)
            if _without_times(known) != _without_times(told):
                told = known
                yield told
        if intent.seen.call_id is not None:
            call = call or CallAfter("unknown")
        if intent.seen.on_complete_flow_id is not None:
            child = child or ChildAfter()
        yield replace(_cleared_up(ended, call), call=call, child=child)

    async def call(self, intent: Intent) -> CallAfter | None:
        """How its call is now; ``None`` when that could not be read."""
        return await self._call(intent.seen.call_id) if intent.seen.call_id is not None else None

    def _known(self, intent: Intent, call: CallAfter | None, child: ChildAfter | None) -> bool:
        over = intent.seen.call_id is None or (call is not None and call.state == "hung_up")
        return over and (intent.seen.on_complete_flow_id is None or child is not None)

    async def calls(self, call_ids: Iterable[UUID]) -> dict[UUID, str]:
        """The state of many calls, as in ``CallAfter``: each looked at once, and once more if it is not known to go."""
        states: dict[UUID, str] = {}
        asked = list(call_ids)
        for pause in self._patience.after[-2:] if asked else ():
            await asyncio.sleep(pause)
            for call_id in asked:
                call = await self._call(call_id)
                states[call_id] = "unknown" if call is None else call.state
            asked = [call_id for call_id in asked if states[call_id] in {"up", "unknown"}]
        return states

    async def _call(self, call_id: UUID) -> CallAfter | None:
        try:
            call = await self._voipbin.call(call_id)
        except Failure:
            return None
        if call is None:
            return None
        if call.over:
            return CallAfter("hung_up", call.hangup_at)
        return CallAfter("hanging_up" if call.hanging_up else "up", read_at=self._now())

    async def _child(self, intent: Intent) -> ChildAfter | None:
        try:
            newest = await self._voipbin.newest()
        except Failure:
            return None
        # A call's other end-hooks have the same parent; the on-complete child is the one of that flow.
        for activeflow in newest:
            if activeflow.parent_id == intent.activeflow_id and activeflow.flow_id == intent.seen.on_complete_flow_id:
                return ChildAfter(activeflow.id)
        return None


def _without_times(ended: Ended) -> Ended:
    """For comparing: that a call was read again changes nothing."""
    return ended if ended.call is None else replace(ended, call=replace(ended.call, read_at=None))


def _cleared_up(ended: Ended, call: CallAfter | None) -> Ended:
    """A call that could not be read at first says later whose doing the end was: one that outlived it did not cause it."""
    if ended.attribution is not Attribution.CALL_UNREAD or call is None or call.state == "unknown":
        return ended
    if call.state != "hung_up":
        return replace(ended, attribution=Attribution.THIS_PRESS)
    if call.at is None or ended.at is None:
        return ended
    first = hung_up_first(call.at, ended.at)
    return replace(ended, attribution=Attribution.BY_ITSELF if first else Attribution.THIS_PRESS)

"""Follow what a card says is so by now ("still running", "call: still up"), until it is not, or as long as the card
says.

Looking costs one request each time, changes nothing, and sends nothing. Decision: the card is changed when something
has changed, and not at each look: "as of" on it says when that was read.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Final, TypeAlias
from uuid import UUID

from bot.activeflows.errors import Failure
from bot.activeflows.ports import VoIPBIN
from bot.activeflows.stopping.authorization import PressHold
from bot.activeflows.stopping.ports import Ledger, Step
from bot.activeflows.stopping.read_back import ReadState, Subject, Verdict
from bot.activeflows.stopping.stop import (
    Attribution,
    CallAfter,
    ChildAfter,
    Ended,
    Intent,
    NotKnown,
    Patience,
    Phase,
    Press,
    StillRunning,
    follow_until,
    hung_up_first,
)

# ---------------------------------------------------------------- aftermath
# Look at what happens after an activeflow has ended: VoIPBIN hangs up its call, and starts the next flow.
#
# Both happen beside the stop and may fail unnoticed upstream, so they are looked at and told apart from "ended".
#
# Decision: what is learnt is told as it is learnt, but a call that is up is called so only after some seconds: until
# then the hang-up may simply be on its way.

_ON_ITS_WAY: Final = 3
"""Looks in which a call may be up without being called so; with production's pauses, two seconds."""


class Aftermath:
    """Looks until both are known, or for as long as ``Patience.after`` says."""

    def __init__(self, voipbin: VoIPBIN, patience: Patience, now: Callable[[], datetime]) -> None:
        self._voipbin, self._patience, self._now = voipbin, patience, now

    async def of(self, intent: Intent, ended: Ended) -> AsyncIterator[Ended]:
        """Yield the same end with what is known of the call and the on-complete flow, each time more is; the last
        one is final.
        """
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
        """Return how its call is now; ``None`` when that could not be read."""
        return await self._call(intent.seen.call_id) if intent.seen.call_id is not None else None

    def _known(self, intent: Intent, call: CallAfter | None, child: ChildAfter | None) -> bool:
        over = intent.seen.call_id is None or (call is not None and call.state == "hung_up")
        return over and (intent.seen.on_complete_flow_id is None or child is not None)

    async def calls(self, call_ids: Iterable[UUID]) -> dict[UUID, str]:
        """Return the state of many calls, as in ``CallAfter``: each looked at once, and once more if it is not known
        to go.
        """
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
    """Strip what does not count in comparing: that a call was read again changes nothing."""
    return ended if ended.call is None else replace(ended, call=replace(ended.call, read_at=None))


def _cleared_up(ended: Ended, call: CallAfter | None) -> Ended:
    """Clear up whose doing the end was: a call that could not be read at first says later whose doing the end was:
    one that outlived it did not cause it.
    """
    if ended.attribution is not Attribution.CALL_UNREAD or call is None or call.state == "unknown":
        return ended
    if call.state != "hung_up":
        return replace(ended, attribution=Attribution.THIS_PRESS)
    if call.at is None or ended.at is None:
        return ended
    first = hung_up_first(call.at, ended.at)
    return replace(ended, attribution=Attribution.BY_ITSELF if first else Attribution.THIS_PRESS)


# ---------------------------------------------------------------- follow up

Show: TypeAlias = Callable[[Intent, Phase], Awaitable[bool]]
Unsettled: TypeAlias = StillRunning | NotKnown


@dataclass(frozen=True, slots=True)
class FollowUpRead:
    """One look. ``late``: the time that the card said is over."""

    verdict: Verdict
    late: bool


@dataclass(frozen=True, slots=True)
class CallLook:
    """The same at the call; how it ended, as the card is to say now."""

    ended: Ended
    changed: bool
    late: bool


class StopFollowUp:
    """Looks every so often. A restart goes on with it: how often is counted in steps, and not by the clock."""

    def __init__(
        self, ledger: Ledger, subject: Subject, aftermath: Aftermath, patience: Patience, *, now: Callable[[], datetime]
    ) -> None:
        self._ledger, self._subject, self._aftermath = ledger, subject, aftermath
        self._patience, self._now = patience, now

    def until(self) -> datetime | None:
        """Return until when what is so by now is followed; ``None``: it is not."""
        return follow_until(self._now(), self._patience)

    async def until_ended(
        self, intent: Intent, press: Press, phase: Unsettled, hold: PressHold, step: Step, show: Show
    ) -> Unsettled | Ended:
        """Follow an activeflow that a stop did not end, as far as is known."""
        for _ in range(self._patience.follow_looks):
            await step.idle(self._patience.follow_every)
            look = await step("follow", FollowUpRead, partial(self._look, intent, phase))
            verdict = look.verdict
            if verdict.ended:
                ended = _ended(press, phase, verdict)
                await step("followed", bool, partial(self._settle, hold, intent, press, ended, show))
                return ended
            if verdict.state is ReadState.RUNNING:
                phase = _read_again(phase, verdict)
            if look.late:
                break
        phase = replace(phase, until=None)
        await step("followed", bool, partial(show, intent, phase))
        return phase

    async def call(self, intent: Intent, press: Press, ended: Ended, hold: PressHold, step: Step, show: Show) -> None:
        """Follow the call of one that has ended."""
        for _ in range(self._patience.follow_looks):
            await step.idle(self._patience.follow_every)
            look = await step("follow the call", CallLook, partial(self._look_at_call, intent, ended))
            ended = look.ended
            if look.changed:
                await step("call", bool, partial(self._settle, hold, intent, press, ended, show))
            if ended.call is None or ended.call.state == "hung_up":
                return
            if look.late:
                break
        if ended.call is not None:
            over = replace(ended, call=replace(ended.call, until=None))
            await step("call followed", bool, partial(self._settle, hold, intent, press, over, show))

    async def _look(self, intent: Intent, phase: Unsettled) -> FollowUpRead:
        verdict = await self._subject.once(intent)
        return FollowUpRead(verdict, phase.until is not None and self._now() >= phase.until)

    async def _look_at_call(self, intent: Intent, ended: Ended) -> CallLook:
        was = ended.call
        late = was is None or was.until is None or self._now() >= was.until
        call = await self._aftermath.call(intent)
        if was is None or call is None:
            return CallLook(ended, changed=False, late=late)
        call = replace(call, until=was.until, read_at=None if call.state == "hung_up" else self._now())
        return CallLook(replace(ended, call=call), changed=call.state != was.state, late=late)

    async def kept(self, hold: PressHold, intent: Intent, press: Press, ended: Ended, show: Show) -> Ended:
        """Write down how it ended; how that then stands. Raises ``Fenced``.

        While the ledger does not answer an end is told all the same. A call that is up is not: whoever pressed *Hang up
        the call* may know better, and the ledger says so.
        """
        over = ended.call is None or ended.call.state == "hung_up"
        keep = partial(hold.counted, partial(self._ledger.keep_end, hold.fence, intent.id, press.id, ended))
        return await hold.until_written(keep, partial(show, intent, ended) if over else None)

    async def _settle(self, hold: PressHold, intent: Intent, press: Press, ended: Ended, show: Show) -> bool:
        return await show(intent, await self.kept(hold, intent, press, ended, show))


def _read_again(phase: Unsettled, verdict: Verdict) -> Unsettled:
    """Read it again. Of a stop that VoIPBIN took it stays unknown what came of it: what still shows it as running
    may be a cache.
    """
    if verdict.read_at is None or isinstance(phase, NotKnown):
        return phase
    return replace(phase, at=verdict.read_at)


def _ended(press: Press, phase: Unsettled, verdict: Verdict) -> Ended:
    how = Attribution.LATER if isinstance(phase, StillRunning) else Attribution.UNCERTAIN
    return Ended(press.by, how, verdict.at, receipt=phase.receipt, trouble=phase.trouble)

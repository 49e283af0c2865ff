"""Read an activeflow back after a stop was sent: ended, running, or not readable.

VoIPBIN answers a stop the same whether it ended the activeflow or found it ended, and a caller may hang up in that
moment. The call tells: a stop ends the activeflow first and the call after it, a caller the other way round. Both times
are VoIPBIN's own. https://api.voipbin.net/docs/activeflow_overview.html
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import partial
from typing import Protocol
from uuid import UUID

from bot.activeflows.anomalies import AnomalyDetector, DwellTimes
from bot.activeflows.errors import NOT_SHOWN, Failure, NotFound, NotOurs
from bot.activeflows.model import Activeflow, Call, Flow
from bot.activeflows.ports import VoIPBIN
from bot.activeflows.queries.filters import WRONG
from bot.activeflows.queries.inspection import as_it_was, in_time
from bot.activeflows.records import Record
from bot.activeflows.situation.current_step import Situation, situation
from bot.activeflows.stopping.authorization import ClosedGate, Gate, GateClosed, PressHold, PressOperation
from bot.activeflows.stopping.stop import (
    NO_FAILURE,
    Attribution,
    Ended,
    Expired,
    FailureReason,
    GateRefusal,
    Intent,
    Moved,
    NotKnown,
    NotSent,
    Outcome,
    Patience,
    Press,
    StillRunning,
    StopState,
    hung_up_first,
)


class ReadState(StrEnum):
    ENDED = "ended"
    RUNNING = "running"
    UNREAD = "unread"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the last readings said. ``at`` is VoIPBIN's time of the end; a deleted activeflow counts as ended."""

    state: ReadState = ReadState.UNREAD
    at: datetime | None = None
    by_itself: bool | None = False
    """``None``: the call, which would say whether its caller hung up first, could not be read."""
    trouble: FailureReason = NO_FAILURE
    read_at: datetime | None = None
    """When it was seen running: a run that goes on after a restart says so of the reading, not of the restart."""
    hanging_up: bool = False
    """Of a call that is not over: it is on its way out."""

    @property
    def ended(self) -> bool:
        return self.state is ReadState.ENDED


class Readback:
    """Reads an activeflow, and whose doing its end was."""

    def __init__(self, voipbin: VoIPBIN, patience: Patience, now: Callable[[], datetime]) -> None:
        self._voipbin, self._patience, self._now = voipbin, patience, now

    async def once(self, activeflow_id: UUID, call_id: UUID | None = None) -> Verdict:
        """Read it once. ``call_id``: of the call it ran for, to learn whose doing the end was."""
        try:
            activeflow = await self._voipbin.activeflow(activeflow_id)
        except NotFound:
            return Verdict(ReadState.ENDED, trouble=FailureReason("VoIPBIN no longer has this activeflow"))
        except NotOurs:  # it is there, and whether it runs is not shown
            return Verdict(ReadState.UNREAD, trouble=FailureReason(NOT_SHOWN))
        except Failure as failure:
            return Verdict(ReadState.UNREAD, trouble=FailureReason(failure.what, failure.request_id))
        if activeflow.ended:
            by_itself = activeflow.ended_by_itself or await self._hung_up_first(call_id, activeflow.updated_at)
            return Verdict(ReadState.ENDED, at=activeflow.updated_at, by_itself=by_itself)
        return Verdict(ReadState.RUNNING, at=activeflow.updated_at, read_at=self._now())

    async def _hung_up_first(self, call_id: UUID | None, ended_at: datetime | None) -> bool | None:
        if call_id is None:
            return False
        looked = await in_time(partial(self._voipbin.call, call_id), self._patience.side_look)
        call = looked.value
        if not looked.answered:
            return None
        if call is None or not call.over:
            return False
        if call.hangup_at is None or ended_at is None:
            return None
        return hung_up_first(call.hangup_at, ended_at)


class ReadUntilEnded:
    """Waits for the end: ``soon`` (seconds), ``settled`` (until a lost POST must be over). ``once`` reads."""

    def __init__(self, patience: Patience, clock: Callable[[], float] | None = None) -> None:
        """``clock``: seconds that nobody sets on, as the event loop's; a POST is not over for another time of day."""
        self._patience, self._clock = patience, clock

    async def soon(self, once: Callable[[], Awaitable[Verdict]]) -> Verdict:
        return await self._until_ended(once, self._patience.soon)

    async def settled(self, once: Callable[[], Awaitable[Verdict]]) -> Verdict:
        """Read until the verdict counts: that is only once ``settle`` has passed, or it has ended."""
        clock = self._clock or asyncio.get_running_loop().time
        until = clock() + self._patience.settle

        def pauses() -> Iterable[float]:
            yield self._patience.every
            while clock() < until:
                yield self._patience.every

        return await self._until_ended(once, pauses())

    async def _until_ended(self, once: Callable[[], Awaitable[Verdict]], pauses: Iterable[float]) -> Verdict:
        verdict = Verdict()
        for pause in pauses:
            await asyncio.sleep(pause)
            verdict = await once()
            if verdict.ended:
                break
        return verdict


# ---------------------------------------------------------------- judgment
# Say what is true of a stop, from what was sent, what the gate said, and what was read. Pure.


class SendResult(StrEnum):
    """What is certain after trying to send one stop."""

    ANSWERED = "answered"  # VoIPBIN said yes
    LOST = "lost"  # it may have been done
    NOT_DONE = "not done"  # sent, and refused before any work
    CONFLICT = "conflict"  # sent, and refused because of the state VoIPBIN says it is in, such as being stopped already
    CLOSED = "closed"  # not sent: the gate was shut


@dataclass(frozen=True, slots=True)
class StopAttempt:
    """One try. ``retry_after`` (seconds): nothing was done, and trying again is right."""

    sent: SendResult
    trouble: FailureReason = NO_FAILURE
    retry_after: float | None = None
    closed: ClosedGate | None = None
    renewed: Intent | None = None
    """What asks once more, when it has moved on."""

    @property
    def may_have_worked(self) -> bool:
        return self.sent in {SendResult.ANSWERED, SendResult.LOST}


@dataclass(frozen=True, slots=True)
class LostAttempt:
    """A stop whose answer was lost, and what was read after it: it still ran."""

    attempt: StopAttempt
    verdict: Verdict


def not_sent(
    press: Press, attempt: StopAttempt, lost: LostAttempt | None, now: datetime, *, was: str = ""
) -> Outcome | Moved:
    """Return what is true when nothing (more) is sent. ``was``: what the card showed, where it can ask once more."""
    closed = attempt.closed
    if closed is None:
        return NotSent(press.by, attempt.trouble) if lost is None else judged(press, lost.attempt, lost.verdict, now)
    if closed.shut is GateRefusal.ENDED or (closed.shut is GateRefusal.GONE and lost is not None):
        if lost is not None:
            return Ended(press.by, Attribution.UNCERTAIN, closed.at, trouble=lost.attempt.trouble)
        return Ended(press.by, Attribution.ALREADY, closed.at)
    return _never(press, closed, was) if lost is None else _not_again(press, closed, lost, now)


def _never(press: Press, closed: ClosedGate, was: str) -> Outcome | Moved:
    match closed.shut:
        case GateRefusal.MOVED if was:
            return Moved(press.by, was)
        case GateRefusal.LATE:
            return Expired()
        case GateRefusal.ABORTED:
            return NotSent(press.by, FailureReason("it was aborted"), pressable=False, shut=GateRefusal.ABORTED)
        case _:
            return NotSent(press.by, closed.trouble, pressable=closed.shut is not GateRefusal.GONE, shut=closed.shut)


def _not_again(press: Press, closed: ClosedGate, lost: LostAttempt, now: datetime) -> Outcome:
    """Say what is true when another stop was due after one that was lost."""
    why = {
        GateRefusal.MOVED: "it has moved on, so no other stop was sent",
        GateRefusal.REFUSED: f"no other stop was sent: {closed.trouble.why}",
        GateRefusal.ABORTED: "it was aborted, so no other stop was sent",
    }.get(closed.shut)
    if why is None:
        return judged(press, lost.attempt, lost.verdict, now)
    return StillRunning(press.by, lost.verdict.read_at or now, FailureReason(why, lost.attempt.trouble.request_id))


def judged(press: Press, attempt: StopAttempt, verdict: Verdict, now: datetime) -> Outcome:
    """Return what can truly be said of a stop that was sent, from what was read."""
    if verdict.ended:
        certain = Attribution.CALL_UNREAD if verdict.by_itself is None else Attribution.THIS_PRESS
        answered = certain if attempt.sent is SendResult.ANSWERED else Attribution.UNCERTAIN
        if not verdict.by_itself and answered is Attribution.UNCERTAIN:
            return Ended(press.by, answered, verdict.at, trouble=attempt.trouble)
        return Ended(press.by, Attribution.BY_ITSELF if verdict.by_itself else answered, verdict.at)
    if verdict.state is ReadState.RUNNING and attempt.sent is not SendResult.ANSWERED:
        return StillRunning(press.by, verdict.read_at or now, attempt.trouble)
    return not_known(press, attempt, verdict, now, final=True)


def refused_for_its_state(
    press: Press, attempt: StopAttempt, verdict: Verdict, lost: LostAttempt | None, now: datetime
) -> Outcome:
    """Return what is true when VoIPBIN refused a stop for the state it says this is in, and it was read after that."""
    if verdict.ended and lost is None:
        return Ended(press.by, Attribution.BEFORE, verdict.at, trouble=attempt.trouble)
    if lost is not None:
        return judged(press, lost.attempt, verdict if verdict.ended else lost.verdict, now)
    return NotSent(press.by, attempt.trouble)


def not_known(press: Press, attempt: StopAttempt, verdict: Verdict, now: datetime, *, final: bool = False) -> NotKnown:
    why = attempt.trouble.why or verdict.trouble.why or _TAKEN
    request_id = attempt.trouble.request_id or verdict.trouble.request_id
    return NotKnown(press.by, now, FailureReason(why, request_id), final=final)


_TAKEN = "VoIPBIN accepted the stop, but still shows it as running"


def state_of(phase: Outcome | Moved) -> StopState:
    """Return the final state that a phase stands for."""
    match phase:
        case Ended():
            return StopState.ENDED
        case NotKnown():
            return StopState.NOT_KNOWN
        case StillRunning():
            return StopState.STILL_RUNNING
        case NotSent():
            return StopState.NOT_SENT
        case Expired():
            return StopState.EXPIRED
        case Moved():
            return StopState.MOVED


# ---------------------------------------------------------------- subject
# Say what a stop is sent for: an activeflow, or the call that stayed up after it. One machine stops both.


class Subject(Protocol):
    """How one kind of thing is stopped and read back."""

    async def send(
        self, operation: PressOperation, hold: PressHold, sending: Record, opens: Callable[[], None]
    ) -> None:
        """Send a stop through the gate, once. Raises ``GateClosed``, what ``VoIPBIN.stop`` raises, or ``Fenced``."""
        ...

    async def once(self, intent: Intent) -> Verdict:
        """Read it now."""
        ...


class ActiveflowSubject:
    """An activeflow."""

    def __init__(
        self,
        voipbin: VoIPBIN,
        gate: Gate,
        patience: Patience,
        *,
        now: Callable[[], datetime],
        detector: AnomalyDetector | None = None,
    ) -> None:
        """``detector``: says whether one that was listed for what is wrong with it is still wrong."""
        self._voipbin, self._gate, self._patience, self._now = voipbin, gate, patience, now
        self._detector = detector or AnomalyDetector(DwellTimes())
        self._readback = Readback(voipbin, patience, now)

    async def send(
        self, operation: PressOperation, hold: PressHold, sending: Record, opens: Callable[[], None]
    ) -> None:
        intent, ours = operation.intent, self._voipbin.customer.id
        # Looked up before the turn, because the gate asks nobody but VoIPBIN about the activeflow itself.
        flow = (
            await in_time(
                partial(self._voipbin.flow, intent.flow_id) if intent.flow_id else None, self._patience.side_look
            )
        ).value

        def held_against(activeflow: Activeflow) -> None:
            if activeflow.customer_id != ours:
                raise GateClosed(
                    ClosedGate(GateRefusal.GONE, FailureReason("it belongs to another customer's account"))
                )
            if activeflow.ended:
                raise GateClosed(ClosedGate(GateRefusal.ENDED, at=activeflow.updated_at))
            self._must_be_as_it_was(intent, activeflow, flow)

        gate = self._gate.of(operation, hold, sending, held_against, opens)
        await self._voipbin.stop(intent.activeflow_id, gate=gate)

    async def once(self, intent: Intent) -> Verdict:
        return await self._readback.once(intent.activeflow_id, intent.seen.call_id)

    def _must_be_as_it_was(self, intent: Intent, activeflow: Activeflow, flow: Flow | None) -> None:
        if intent.without_second_question:
            return
        doing = situation(activeflow, flow=flow)
        if not as_it_was(intent.seen, activeflow, doing) or not self._as_wrong(intent, activeflow, doing):
            raise GateClosed(
                ClosedGate(GateRefusal.MOVED, FailureReason(doing.words), at=self._now()), activeflow, doing.kind
            )

    def _as_wrong(self, intent: Intent, activeflow: Activeflow, doing: Situation) -> bool:
        """Tell whether what it was listed for is still wrong with it, if it was listed for that."""
        if not intent.seen.wrong:
            return True
        wrong = {trouble.reason for trouble in self._detector.of(activeflow, doing, self._now())}
        return not wrong.isdisjoint(WRONG.get(intent.seen.wrong, ()))


class CallSubject:
    """The call of an activeflow that has ended."""

    def __init__(self, voipbin: VoIPBIN, gate: Gate, *, now: Callable[[], datetime]) -> None:
        self._voipbin, self._gate, self._now = voipbin, gate, now

    async def send(
        self, operation: PressOperation, hold: PressHold, sending: Record, opens: Callable[[], None]
    ) -> None:
        intent = operation.intent
        if intent.seen.call_id is None:
            raise GateClosed(ClosedGate(GateRefusal.GONE, FailureReason("this activeflow ran for no call")))

        def held_against(call: Call | None) -> None:
            if call is None:
                raise GateClosed(ClosedGate(GateRefusal.GONE, FailureReason("VoIPBIN no longer has its call")))
            if call.over:
                raise GateClosed(ClosedGate(GateRefusal.ENDED, at=call.hangup_at))
            if call.activeflow_id not in {None, intent.activeflow_id}:
                raise GateClosed(
                    ClosedGate(
                        GateRefusal.MOVED, FailureReason("the call is in another activeflow by now"), at=self._now()
                    )
                )

        gate = self._gate.of(operation, hold, sending, held_against, opens)
        await self._voipbin.hang_up(intent.seen.call_id, gate=gate)

    async def once(self, intent: Intent) -> Verdict:
        try:
            call = await self._voipbin.call(intent.seen.call_id) if intent.seen.call_id else None
        except Failure as failure:
            return Verdict(ReadState.UNREAD, trouble=FailureReason(failure.what, failure.request_id))
        if call is None:
            return Verdict(ReadState.UNREAD, trouble=FailureReason("VoIPBIN no longer has its call"))
        if call.over:
            return Verdict(ReadState.ENDED, at=call.hangup_at)
        return Verdict(ReadState.RUNNING, read_at=self._now(), hanging_up=call.hanging_up)

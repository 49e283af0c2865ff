"""Say what a stop is sent for: an activeflow, or the call that stayed up after it. One machine stops both."""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Protocol

from bot.activeflows.anomalies.detector import AnomalyDetector
from bot.activeflows.anomalies.dwell_times import DwellTimes
from bot.activeflows.errors import Failure
from bot.activeflows.model import Activeflow, Call, Flow
from bot.activeflows.ports import VoIPBIN
from bot.activeflows.queries.filters import WRONG
from bot.activeflows.queries.inspection import as_it_was, in_time
from bot.activeflows.records import Record
from bot.activeflows.situation.current_step import Situation, situation
from bot.activeflows.stopping.failures import Shut, Trouble
from bot.activeflows.stopping.fence import Hold
from bot.activeflows.stopping.gate import Closed, Errand, Gate, GateClosed
from bot.activeflows.stopping.read_back import Readback, State, Verdict
from bot.activeflows.stopping.stop import Intent
from bot.activeflows.stopping.timeouts import Patience


class Subject(Protocol):
    """How one kind of thing is stopped and read back."""

    async def send(self, errand: Errand, hold: Hold, sending: Record, opens: Callable[[], None]) -> None:
        """Through the gate, once. Raises ``GateClosed``, what ``VoIPBIN.stop`` raises, or ``Fenced``."""
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
        judging: AnomalyDetector | None = None,
    ) -> None:
        """``judging``: who says whether one that was listed for what is wrong with it is still wrong."""
        self._voipbin, self._gate, self._patience, self._now = voipbin, gate, patience, now
        self._judging = judging or AnomalyDetector(DwellTimes())
        self._readback = Readback(voipbin, patience, now)

    async def send(self, errand: Errand, hold: Hold, sending: Record, opens: Callable[[], None]) -> None:
        intent, ours = errand.intent, self._voipbin.customer.id
        # Looked up before the turn, because the gate asks nobody but VoIPBIN about the activeflow itself.
        flow = (
            await in_time(
                partial(self._voipbin.flow, intent.flow_id) if intent.flow_id else None, self._patience.side_look
            )
        ).value

        def held_against(activeflow: Activeflow) -> None:
            if activeflow.customer_id != ours:
                raise GateClosed(Closed(Shut.GONE, Trouble("it belongs to another customer's account")))
            if activeflow.ended:
                raise GateClosed(Closed(Shut.ENDED, at=activeflow.updated_at))
            self._must_be_as_it_was(intent, activeflow, flow)

        gate = self._gate.of(errand, hold.fence, sending, held_against, opens)
        await self._voipbin.stop(intent.activeflow_id, gate=gate)

    async def once(self, intent: Intent) -> Verdict:
        return await self._readback.once(intent.activeflow_id, intent.seen.call_id)

    def _must_be_as_it_was(self, intent: Intent, activeflow: Activeflow, flow: Flow | None) -> None:
        if intent.without_second_question:
            return
        doing = situation(activeflow, flow=flow)
        if not as_it_was(intent.seen, activeflow, doing) or not self._as_wrong(intent, activeflow, doing):
            raise GateClosed(Closed(Shut.MOVED, Trouble(doing.words), at=self._now()), activeflow, doing.kind)

    def _as_wrong(self, intent: Intent, activeflow: Activeflow, doing: Situation) -> bool:
        """Is still wrong with it what it was listed for, if it was listed for that?"""
        if not intent.seen.wrong:
            return True
        wrong = {trouble.reason for trouble in self._judging.of(activeflow, doing, self._now())}
        return not wrong.isdisjoint(WRONG.get(intent.seen.wrong, ()))


class CallSubject:
    """The call of an activeflow that has ended."""

    def __init__(self, voipbin: VoIPBIN, gate: Gate, *, now: Callable[[], datetime]) -> None:
        self._voipbin, self._gate, self._now = voipbin, gate, now

    async def send(self, errand: Errand, hold: Hold, sending: Record, opens: Callable[[], None]) -> None:
        intent = errand.intent
        if intent.seen.call_id is None:
            raise GateClosed(Closed(Shut.GONE, Trouble("this activeflow ran for no call")))

        def held_against(call: Call | None) -> None:
            if call is None:
                raise GateClosed(Closed(Shut.GONE, Trouble("VoIPBIN no longer has its call")))
            if call.over:
                raise GateClosed(Closed(Shut.ENDED, at=call.hangup_at))
            if call.activeflow_id not in {None, intent.activeflow_id}:
                raise GateClosed(
                    Closed(Shut.MOVED, Trouble("the call is in another activeflow by now"), at=self._now())
                )

        gate = self._gate.of(errand, hold.fence, sending, held_against, opens)
        await self._voipbin.hang_up(intent.seen.call_id, gate=gate)

    async def once(self, intent: Intent) -> Verdict:
        try:
            call = await self._voipbin.call(intent.seen.call_id) if intent.seen.call_id else None
        except Failure as failure:
            return Verdict(State.UNREAD, trouble=Trouble(failure.what, failure.request_id))
        if call is None:
            return Verdict(State.UNREAD, trouble=Trouble("VoIPBIN no longer has its call"))
        if call.over:
            return Verdict(State.ENDED, at=call.hangup_at)
        return Verdict(State.RUNNING, read_at=self._now(), hanging_up=call.hanging_up)

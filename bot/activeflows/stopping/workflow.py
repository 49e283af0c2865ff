"""Carry out a press on a stop card, from *Stop flow* or *Hang up the call* to the sentence everybody can rely on.

Each is one durable workflow: admitted (``authorization``), stopped by the machine (``machine``), and told on the card
that everybody sees. What becomes of the call and of the next flow is told last.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from types import TracebackType
from typing import Final, Self

from bot.activeflows.errors import LedgerUnavailable
from bot.activeflows.records import Record, RecordKind
from bot.activeflows.stopping.authorization import Act, Admission, PressAdmission, PressHold, PressOperation, record_of
from bot.activeflows.stopping.follow_up import Aftermath, StopFollowUp
from bot.activeflows.stopping.machine import Show, StopMachine
from bot.activeflows.stopping.ports import Cards, Guard, Ledger, Step
from bot.activeflows.stopping.read_back import ReadState, Subject, Verdict
from bot.activeflows.stopping.stop import (
    CallAfter,
    Declined,
    DeclineReason,
    Ended,
    Expired,
    FailureReason,
    Intent,
    IntentState,
    Moved,
    NotKnown,
    NotSent,
    Phase,
    Press,
    PressInHand,
    PressKind,
    StillRunning,
    StopResult,
    Waiting,
)

# ---------------------------------------------------------------- slow press
# Say on the card, for everybody, that somebody pressed, when nothing was sent within the first seconds.
#
# Else only whoever pressed would know, and a colleague would press, too, or believe that nobody had. What is said is so
# as of a time and stays true. It is never drawn over anything newer: it is decided when it is this edit's turn, by the
# ledger, and what comes of the press has its turn after it.


class SlowPress:
    """One run of a press, as long as nothing else is said of it."""

    def __init__(
        self, ledger: Ledger, cards: Cards, press: Press, hold: PressHold, *, after: float, now: Callable[[], datetime]
    ) -> None:
        """``after``: seconds from the press."""
        self._ledger, self._cards, self._press, self._hold = ledger, cards, press, hold
        self._after, self._now = timedelta(seconds=after), now
        self._over = asyncio.Event()
        self._telling: asyncio.Task[None] | None = None
        self._said = False

    @property
    def may_have_said(self) -> bool:
        """Whether the card may say so by now: by this run, or by one that was cut off before it."""
        return self._said or self._hold.fence.number > 1

    async def __aenter__(self) -> Self:
        self._telling = asyncio.create_task(self._tell())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.over()
        if self._telling is not None and not self._said:
            self._telling.cancel()

    def over(self) -> None:
        """Note that what came of the press is said from now on."""
        self._over.set()

    async def _tell(self) -> None:
        try:
            async with asyncio.timeout((self._press.at + self._after - self._now()).total_seconds()):
                await self._over.wait()
        except TimeoutError:
            pass
        else:
            return
        try:
            found = await self._ledger.intent(self._press.intent_id)
        except LedgerUnavailable:
            return  # nobody can say whether the card is still that
        if found is not None:
            await self._cards.redraw(found[0], partial(self._unsent, found[0]))

    async def _unsent(self, intent: Intent) -> PressInHand | None:
        """Say that nothing was sent yet; ``None`` when that, or whether this run still counts, cannot be said any
        more.
        """
        at, press = self._now(), self._press
        try:
            unsent = await self._ledger.unsent(intent, press.id) and await self._ledger.holds(self._hold.fence)
        except LedgerUnavailable:
            return None
        if not unsent or self._over.is_set():
            return None
        self._said = True
        return PressInHand(press.by, press.at, at)


# ---------------------------------------------------------------- unrecorded
# Refuse presses that were recorded too late: they come to nothing, and nobody is left believing anything else.

_TOO_LATE: Final = "it could not be recorded in time"


class UnrecordedPresses:
    """Writes the refusal down, and tells the presser if nobody has."""

    def __init__(self, ledger: Ledger, cards: Cards, *, now: Callable[[], datetime]) -> None:
        self._ledger, self._cards, self._now = ledger, cards, now

    async def refuse(self, press: Press, told: bool) -> bool:
        """Refuse a press, and tell whether the presser knows. ``told``: that the press could not be recorded was
        said already.
        """
        activeflow_id = None
        with suppress(LedgerUnavailable):
            found = None if press.wish is PressKind.BULK else await self._ledger.intent(press.intent_id)
            activeflow_id = None if found is None else found[0].activeflow_id
            refused = Record(
                key=f"{press.id}/{RecordKind.REFUSED}",
                at=self._now(),
                what=RecordKind.REFUSED,
                who=press.by,
                channel=press.channel,
                activeflow_id=activeflow_id,
                intent_id=press.intent_id,
                detail={"because": _TOO_LATE, "why": str(DeclineReason.LEDGER), "wish": str(press.wish)},
            )
            await self._ledger.record(refused)
        return told or await self._cards.decline(
            press, Declined(DeclineReason.LEDGER, _TOO_LATE, activeflow_id=activeflow_id)
        )


# ---------------------------------------------------------------- workflow
# Carry out a press: admit it, stop, and tell what came of it.
#
# Decision: the claim is given back before Slack has drawn what came of a press. So another replica's press on a card
# that can be pressed again may draw "Stopping…" before "Nothing was stopped" of the press before it has arrived, and be
# drawn over until its own outcome. That stops nothing wrongly: the words name whose press came to nothing, and whoever
# presses meanwhile is told by the claim who is stopping it. A claim that was held until Slack has answered would let a
# slow Slack keep everybody from stopping that activeflow. In one process the edits of a card are made in their order.

CallTeller = Callable[[Intent, CallAfter, Press, Guard], Awaitable[bool | None]]
"""Tells what came of a press; whether somebody could see it, ``None`` when nobody knows the card any more. The guard is
as for ``Cards.show``.
"""


class StopWorkflow:
    """Carries out presses on *Stop flow*. All it may touch is handed to it."""

    def __init__(
        self,
        ledger: Ledger,
        cards: Cards,
        press_admission: PressAdmission,
        machine: StopMachine,
        aftermath: Aftermath,
        follow: StopFollowUp,
        *,
        in_hand_after: float,
        now: Callable[[], datetime],
    ) -> None:
        """``in_hand_after``: as in ``Patience``."""
        self._ledger, self._cards, self._press_admission = ledger, cards, press_admission
        self._machine, self._aftermath, self._follow = machine, aftermath, follow
        self._in_hand_after, self._now = in_hand_after, now

    async def carry_out(self, press: Press, step: Step) -> None:
        """Carry out a press, and tell of it to the end."""
        hold = await PressHold.take_card(self._ledger, press)
        async with SlowPress(self._ledger, self._cards, press, hold, after=self._in_hand_after, now=self._now) as slow:
            await self._carry_out(press, hold, step, slow)

    async def _carry_out(self, press: Press, hold: PressHold, step: Step, slow: SlowPress) -> None:
        admit = partial(self._press_admission.admit, press, hold.stored)
        admission = await step("admit", Admission, admit, repeatable=True, ledger_first=True)
        intent, declined = admission.intent, admission.declined
        if declined is not None or intent is None:
            refusal = declined or Declined(DeclineReason.NO_SUCH_CARD)
            await self._decline(press, refusal, hold, step, slow)
            return

        def show(intent: Intent, phase: Phase) -> Awaitable[bool]:
            slow.over()
            self._cards.begun(press)  # at once: what is sent next is not waited for
            return self._cards.show(intent, phase, press, guard=hold.must_hold)

        result = await self._machine.carry_out(PressOperation(Act.STOP, intent, press), hold, step, show)
        phase = result.phase
        if result.anew is not None and phase is not None:
            await step("ask once more", bool, partial(show, result.anew, phase))
        elif phase is None or isinstance(phase, Moved):
            refusal = result.declined or Declined(DeclineReason.SUPERSEDED, activeflow_id=intent.activeflow_id)
            await self._decline(press, refusal, hold, step, slow)
        else:
            await self._go_on(intent, press, phase, hold, step, show)

    async def _go_on(self, intent: Intent, press: Press, phase: Phase, hold: PressHold, step: Step, show: Show) -> None:
        """Tell what comes after the outcome: an end that comes later, the call, the flow that was to come next."""
        if isinstance(phase, StillRunning | NotKnown) and phase.until is not None:
            phase = await self._follow.until_ended(intent, press, phase, hold, step, show)
        if isinstance(phase, Ended) and (intent.seen.call_id or intent.seen.on_complete_flow_id):
            tell = partial(self._tell_aftermath, intent, press, phase, hold, show)
            ended = await step("aftermath", Ended, tell, repeatable=True, ledger_first=True)
            if ended.call is not None and ended.call.until is not None:
                await self._follow.call(intent, press, ended, hold, step, show)

    async def _decline(self, press: Press, declined: Declined, hold: PressHold, step: Step, slow: SlowPress) -> None:
        slow.over()
        await step("decline", bool, lambda: self._cards.decline(press, declined))
        late = declined.why is DeclineReason.LATE
        if late or slow.may_have_said:
            draw = partial(self._draw_untaken, press, late=late)
            await step("draw untaken", bool, partial(hold.until_written, draw))

    async def _draw_untaken(self, press: Press, *, late: bool) -> bool:
        """Draw the card as what it is after a press that came to nothing, unless it is over or another is at work."""
        found = await self._ledger.intent(press.intent_id)
        if found is None or found[1] is not IntentState.OPEN:
            return False  # one sent in time is being read back: the card is not over for this press' being late
        if late:
            return await self._cards.show(found[0], Expired(), press)
        return await self._cards.redraw(found[0], partial(self._untaken, found[0]), press)

    async def _untaken(self, intent: Intent) -> Waiting | Expired | None:
        found = await self._ledger.intent(intent.id)
        if found is None or found[1] is not IntentState.OPEN:
            return None
        return Expired() if intent.late(self._now()) else Waiting()

    async def _tell_aftermath(self, intent: Intent, press: Press, ended: Ended, hold: PressHold, show: Show) -> Ended:
        told = ended
        async for after in self._aftermath.of(intent, ended):
            told = await self._follow.kept(hold, intent, press, self._followed(after), show)
            await show(intent, told)
        return told

    def _followed(self, ended: Ended) -> Ended:
        """Note until when its call is followed, when that is not over."""
        if ended.call is None or ended.call.state == "hung_up":
            return ended
        return replace(ended, call=replace(ended.call, until=self._follow.until()))


class HangUpWorkflow:
    """Carries out presses on *Hang up the call*: a call that stayed on the line although its activeflow has ended.

    VoIPBIN hangs a stopped activeflow's call up by itself, but only as best it can; when that is lost, the caller hears
    the last thing for ever. ``of_member`` tells it of a member of a bulk stop.
    """

    def __init__(
        self,
        ledger: Ledger,
        cards: Cards,
        press_admission: PressAdmission,
        machine: StopMachine,
        subject: Subject,
        *,
        of_member: CallTeller,
        now: Callable[[], datetime],
    ) -> None:
        self._ledger, self._cards, self._press_admission = ledger, cards, press_admission
        self._machine, self._subject, self._of_member, self._now = machine, subject, of_member, now

    async def carry_out(self, press: Press, step: Step) -> None:
        """Carry out such a press."""
        hold = await PressHold.take_card(self._ledger, press)
        admit = partial(self._press_admission.admit, press, hold.stored)
        admission = await step("admit", Admission, admit, repeatable=True, ledger_first=True)
        intent, declined = admission.intent, admission.declined
        if intent is not None and declined is None:
            operation = PressOperation(Act.HANG_UP, intent, press)

            def sends(_intent: Intent, _phase: Phase) -> Awaitable[bool]:
                self._cards.begun(press)
                return _unseen()

            result = await self._machine.stop(operation, hold, step, sends)
            declined = result.declined
            if declined is None:
                await step("outcome", bool, partial(self._tell, operation, hold, result), ledger_first=True)
        if intent is None or declined is not None:
            refusal = declined or Declined(DeclineReason.NO_SUCH_CARD)
            await step("decline", bool, lambda: self._cards.decline(press, refusal))

    async def _tell(self, operation: PressOperation, hold: PressHold, result: StopResult) -> bool:
        intent, press = operation.intent, operation.press
        call, trouble = await self._call_after(operation, result)
        detail = {"outcome": call.state, "why": trouble.why or None, "request_id": trouble.request_id or None}
        record = record_of(intent, press, RecordKind.OUTCOME, self._now(), **detail)
        await hold.conclude(intent, press, [record], IntentState.SETTLED)
        unread = partial(self._cards.decline, press, Declined(DeclineReason.CARD_UNREAD, call.state))
        tell = (
            partial(self._of_member, intent, call, press, hold.must_hold)
            if intent.bulk_id
            else partial(self._alone, operation, hold, call)
        )
        seen = await hold.until_written(tell, unread)
        return await unread() if seen is None else seen

    async def _alone(self, operation: PressOperation, hold: PressHold, call: CallAfter) -> bool | None:
        intent = operation.intent
        ended = await self._ledger.hung_up(intent.id, call)
        return None if ended is None else await self._cards.show(intent, ended, operation.press, guard=hold.must_hold)

    async def _call_after(self, operation: PressOperation, result: StopResult) -> tuple[CallAfter, FailureReason]:
        """Return what became of the call: what the machine found, else what one more reading says."""
        match result.phase:
            case Ended(at=at):
                return CallAfter("hung_up", at, operation.press.by), FailureReason()
            case NotKnown(trouble=trouble) | NotSent(trouble=trouble) | StillRunning(trouble=trouble):
                pass
            case _:
                trouble = FailureReason("it could not be sent within a minute of the press")
        verdict = await self._subject.once(operation.intent)
        if verdict.ended:
            return CallAfter("hung_up", verdict.at, operation.press.by), trouble
        return CallAfter(_state(verdict), None, operation.press.by, trouble.why, verdict.read_at), trouble


def _state(verdict: Verdict) -> str:
    if verdict.state is not ReadState.RUNNING:
        return "unknown"
    return "hanging_up" if verdict.hanging_up else "up"


async def _unseen() -> bool:
    """Say nothing of a hang-up before its end."""
    return True

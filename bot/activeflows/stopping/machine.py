"""Carry one stop from its claim to what came of it: a lone one, a member of a bulk stop, a hang-up alike.

``StopState`` names the states and ``docs/stop.md`` draws them. Each ``step`` runs once and the ledger remembers its
result; a process that is killed anywhere goes on at the step it was in. What makes that safe:

* **Never a wrong stop.** Every POST goes through the gate (``authorization.Gate``), which is asked after every wait.
* **At most one POST per record.** The gate writes a ``SENDING`` record under a key of its own. A key that is there
  already means that an earlier run was cut off around that POST: it is cleared up by reading, not by sending.
* **Never a lie.** "Ended" is what a reading said. A lost answer is "not known yet" until readings clear it up; only if
  it still runs when the first POST can no longer be at work, one more is sent.
* **One run.** Whoever was thought dead and wakes up finds its number outdone (``PressHold``), and is cut off.

The words are the caller's: ``show`` is told each phase. Decision: the phases before the last are told beside the work,
so that a slow Slack does not delay a stop, and from within the step, so that a replay does not tell them anew.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime
from functools import partial
from hashlib import sha256
from typing import Final, TypeAlias

from bot.activeflows.errors import Failure, LedgerUnavailable, NotFound, NotOurs, StateConflict, StopUnconfirmed
from bot.activeflows.model import Activeflow
from bot.activeflows.operators import Policy
from bot.activeflows.ports import VoIPBIN
from bot.activeflows.queries.inspection import as_seen, look_at
from bot.activeflows.records import Record, RecordKind, RecordQuery
from bot.activeflows.stopping.authorization import (
    Act,
    ClosedGate,
    GateClosed,
    PressHold,
    PressOperation,
    not_claimed,
    record_of,
)
from bot.activeflows.stopping.ports import Ledger, Step
from bot.activeflows.stopping.read_back import (
    LostAttempt,
    ReadState,
    ReadUntilEnded,
    SendResult,
    StopAttempt,
    Subject,
    Verdict,
    judged,
    not_known,
    not_sent,
    refused_for_its_state,
    state_of,
)
from bot.activeflows.stopping.stop import (
    Claim,
    Declined,
    Ended,
    Expired,
    FailureReason,
    GateRefusal,
    Intent,
    IntentState,
    Moved,
    NotKnown,
    NotSent,
    Outcome,
    OutcomeNotice,
    Path,
    Patience,
    Phase,
    StillRunning,
    StopInHand,
    StopResult,
    StopState,
    follow_until,
    renewed,
)

# ---------------------------------------------------------------- reconfirmation
# Ask once more about an activeflow that has moved to another kind of situation than its card showed.


class Renewal:
    """Opens the intent that takes the place of one that shows what is no longer so."""

    def __init__(
        self,
        voipbin: VoIPBIN,
        ledger: Ledger,
        *,
        policy: Callable[[], Policy],
        patience: Patience,
        now: Callable[[], datetime],
    ) -> None:
        self._voipbin, self._ledger, self._policy = voipbin, ledger, policy
        self._patience, self._now = patience, now

    async def of(self, operation: PressOperation, activeflow: Activeflow) -> Intent | None:
        """Return the new one, as it is by now; ``None`` when the card is not this press's any more. May raise
        ``LedgerUnavailable``.
        """
        intent, press = operation.intent, operation.press
        sight = await look_at(self._voipbin, activeflow, now=self._now(), within=self._patience.side_look)
        at = self._now()
        moved = record_of(intent, press, RecordKind.MOVED, at, was=intent.seen.kind, now=sight.situation.kind)
        # Derived, so that a run cut off after writing finds its own intent again; as unguessable as the one before.
        id_ = sha256(f"{intent.id}/{press.id}".encode()).hexdigest()[:32]
        deadline = at + self._policy().rules.confirm_within
        anew = renewed(intent, id_=id_, seen_now=as_seen(sight), at=at, deadline=deadline)
        replaced = await self._ledger.open_intent(anew, moved, instead_of=intent.id, by_press=press.id)
        return anew if replaced else None


# ---------------------------------------------------------------- machine

Show: TypeAlias = Callable[[Intent, Phase], Awaitable[bool]]
"""Tells a phase to whom it concerns; whether somebody could see it. Raises nothing but ``Fenced``."""


class StopMachine:
    """Stops one thing for a press that was admitted. All it may touch is handed to it."""

    def __init__(
        self,
        ledger: Ledger,
        subject: Subject,
        renewal: Renewal | None,
        *,
        patience: Patience,
        now: Callable[[], datetime],
    ) -> None:
        """``renewal``: when it has moved on, asks once more; without one it is left as it is."""
        self._ledger, self._subject, self._renewal = ledger, subject, renewal
        self._patience, self._now = patience, now
        self._until_ended = ReadUntilEnded(patience)
        self._unanswered: Counter[str] = Counter()
        self._telling: set[asyncio.Task[bool]] = set()

    def unanswered(self, bulk_id: str) -> bool:
        """Tell whether members of this bulk rest in this process, because Slack does not say who pressed."""
        return self._unanswered[bulk_id] > 0

    async def carry_out(self, operation: PressOperation, hold: PressHold, step: Step, show: Show) -> StopResult:
        """Stop it, write down what came of it, and tell it. The last phase is shown when it is written down."""
        result = await self.stop(operation, hold, step, show)
        phase = result.phase
        if phase is None or isinstance(phase, Moved):
            return result
        outcome = partial(self._outcome, operation, hold, phase, result.refused, show)
        told = await step("outcome", OutcomeNotice, outcome, repeatable=True, ledger_first=True)
        if isinstance(phase, StillRunning | NotKnown):
            phase = replace(phase, until=told.until)
        return StopResult(replace(phase, receipt=told.receipt), told.receipt)

    async def stop(self, operation: PressOperation, hold: PressHold, step: Step, show: Show) -> StopResult:
        """Claim, send through the gate, read back; the claim is still held when it was not declined."""
        path = Path(StopState.ADMITTED)
        claiming = partial(self._claim, operation, hold)
        claim = await step("claim", Claim, claiming, repeatable=True, ledger_first=True)
        if not claim.mine:
            path.to(StopState.DECLINED)
            return StopResult(declined=not_claimed(claim, operation.intent))
        path.to(StopState.CLAIMED)
        lost: LostAttempt | None = None
        tries: Counter[bool] = Counter()
        number = 0
        while True:
            number += 1
            path.to(StopState.AT_GATE)
            send = partial(self._send, operation, hold, number, show, again=lost is not None)
            attempt = await step(f"send {number}", StopAttempt, send, ledger_first=True)
            if attempt.sent is SendResult.CONFLICT:
                once = partial(self._subject.once, operation.intent)
                soon = partial(self._until_ended.soon, once)
                verdict = await step("verify", Verdict, soon, repeatable=True)
                return self._over(path, refused_for_its_state(operation.press, attempt, verdict, lost, self._now()))
            if attempt.may_have_worked:
                path.to(StopState.SENT)
                verdict = await self._read_back(operation, attempt, step, show)
                if lost is None and verdict.state is ReadState.RUNNING and attempt.sent is SendResult.LOST:
                    lost = LostAttempt(attempt, verdict)
                    continue
                return self._over(path, judged(operation.press, attempt, verdict, self._now()))
            pause = self._pause(attempt, tries)
            if pause is None:
                was = operation.intent.seen.words if operation.act is Act.STOP else ""
                phase = not_sent(operation.press, attempt, lost, self._now(), was=was)
                return self._over(path, phase, attempt)
            path.to(StopState.RESTING)
            await self._rest(operation, attempt, pause, step)

    def _over(self, path: Path, phase: Outcome | Moved, attempt: StopAttempt | None = None) -> StopResult:
        path.to(state_of(phase))
        if attempt is None:
            return StopResult(phase)
        return StopResult(phase, anew=attempt.renewed, refused=attempt.closed.declined if attempt.closed else None)

    # ------------------------------------------------------------ sending

    async def _claim(self, operation: PressOperation, hold: PressHold) -> Claim:
        """Return the one right to stop this, or who has it."""
        try:
            return await hold.until_known(partial(self._ledger.claim, operation.intent, operation.press))
        except LedgerUnavailable as failure:
            return Claim(mine=False, unwritten=failure.what)

    async def _send(
        self, operation: PressOperation, hold: PressHold, number: int, show: Show, *, again: bool
    ) -> StopAttempt:
        """Send one POST at most, through the gate. Only here does anything in the bot stop an activeflow or a call."""
        intent, press = operation.intent, operation.press
        record = record_of(intent, press, RecordKind.SENDING, self._now(), attempt=number)
        record = replace(record, key=f"{record.key}/{number}")

        def opens() -> None:
            self._soon(show(intent, StopInHand(press.by, press.at)))

        try:
            if hold.fence.number > 1 and await hold.until_written(partial(self._sent_before, record)):
                return _CUT_OFF  # asked until that is answered: else it might be said that nothing was sent
            await self._subject.send(operation, hold, record, opens)
        except GateClosed as gate:
            return await self._held_back(operation, gate, again=again)
        except StopUnconfirmed as failure:
            return StopAttempt(SendResult.LOST, FailureReason(failure.what, failure.request_id))
        except (NotFound, NotOurs):
            return StopAttempt(SendResult.NOT_DONE, FailureReason("VoIPBIN no longer has this activeflow"))
        except LedgerUnavailable as failure:
            return _closed(ClosedGate(GateRefusal.UNWRITTEN, FailureReason(failure.what)))
        except StateConflict as failure:
            return StopAttempt(SendResult.CONFLICT, FailureReason(failure.what, failure.request_id))
        except Failure as failure:
            return StopAttempt(
                SendResult.NOT_DONE, FailureReason(failure.what, failure.request_id), failure.retry_after
            )
        return StopAttempt(SendResult.ANSWERED)

    async def _sent_before(self, record: Record) -> bool:
        """Tell whether an earlier run of this press was cut off around this very POST."""
        return bool(await self._ledger.records(RecordQuery(keys=(record.key,))))

    async def _held_back(self, operation: PressOperation, gate: GateClosed, *, again: bool) -> StopAttempt:
        closed = gate.closed
        if closed.shut is GateRefusal.SENT_BEFORE:
            return _CUT_OFF
        if closed.shut is not GateRefusal.MOVED or operation.act is not Act.STOP:
            return _closed(closed)
        try:
            if self._renewal is not None and gate.seen is not None and not again:
                return replace(_closed(closed), renewed=await self._renewal.of(operation, gate.seen))
            moved = record_of(
                operation.intent,
                operation.press,
                RecordKind.MOVED,
                self._now(),
                was=operation.intent.seen.kind,
                now=gate.kind,
            )
            await self._ledger.record(moved)
            if not again:
                await self._ledger.settle(operation.intent.id, operation.press.id, IntentState.OPEN)
        except LedgerUnavailable as failure:
            return _closed(ClosedGate(GateRefusal.UNWRITTEN, FailureReason(failure.what)))
        return _closed(closed)

    def _pause(self, attempt: StopAttempt, tries: Counter[bool]) -> float | None:
        """Return the seconds to rest before the gate is asked again; ``None`` when it is not asked any more."""
        silent = attempt.closed is not None and attempt.closed.shut is GateRefusal.UNANSWERED
        tries[silent] += 1
        if silent:
            return self._patience.rest if tries[silent] * self._patience.rest <= self._patience.unanswered else None
        if attempt.retry_after is None or tries[silent] >= self._patience.attempts:
            return None
        return attempt.retry_after + (self._patience.longer * 2 ** (tries[silent] - 2) if tries[silent] > 1 else 0.0)

    async def _rest(self, operation: PressOperation, attempt: StopAttempt, pause: float, step: Step) -> None:
        silent = attempt.closed is not None and attempt.closed.shut is GateRefusal.UNANSWERED
        waits = Counter((operation.intent.bulk_id,) if silent else ())
        self._unanswered += waits
        try:
            await step.sleep(pause)
        finally:
            self._unanswered -= waits  # which forgets what is at zero

    # ------------------------------------------------------------ reading back

    async def _read_back(self, operation: PressOperation, attempt: StopAttempt, step: Step, show: Show) -> Verdict:
        """Read until it is clear; a few seconds quietly, then telling that it is not known yet, for minutes."""
        once = partial(self._subject.once, operation.intent)
        verdict = await step("verify", Verdict, partial(self._until_ended.soon, once), repeatable=True)
        if verdict.ended or (operation.act is Act.HANG_UP and attempt.sent is SendResult.ANSWERED):
            return verdict

        async def longer() -> Verdict:
            self._soon(show(operation.intent, not_known(operation.press, attempt, verdict, self._now())))
            return await self._until_ended.settled(once)

        settled = await step("verify longer", Verdict, longer)
        for _ in range(self._patience.looks):
            if settled.ended or (settled.state is ReadState.RUNNING and attempt.sent is SendResult.LOST):
                break  # what still runs when the lost POST can no longer be at work has not been stopped by it
            await step.sleep(self._patience.rest)
            settled = await step("look again", Verdict, once)
        return settled

    # ------------------------------------------------------------ records and words

    async def _outcome(
        self, operation: PressOperation, hold: PressHold, phase: Outcome, refused: Declined | None, show: Show
    ) -> OutcomeNotice:
        """Write the outcome down and give the claim back, in one transaction; then tell everybody."""
        trouble = phase.trouble if not isinstance(phase, Ended | Expired) else FailureReason()
        detail = {
            "outcome": _NOT_PERMITTED if refused and operation.intent.bulk_id else type(phase).__name__,
            "attribution": str(phase.attribution) if isinstance(phase, Ended) else None,
            "why": trouble.why or None,
            "request_id": trouble.request_id or None,
        }
        state = IntentState.OPEN if isinstance(phase, NotSent) and phase.pressable else IntentState.SETTLED
        records = [record_of(operation.intent, operation.press, RecordKind.OUTCOME, self._now(), **detail)]
        if refused is not None:
            why: dict[str, str] = {"because": refused.because, "why": str(refused.why)}
            records.insert(0, record_of(operation.intent, operation.press, RecordKind.REFUSED, self._now(), **why))
        ended = phase if isinstance(phase, Ended) else None
        tell = partial(show, operation.intent, phase)
        receipt = await hold.conclude(operation.intent, operation.press, records, state, ended, meanwhile=tell)
        until = follow_until(self._now(), self._patience)
        if isinstance(phase, StillRunning | NotKnown):
            phase = replace(phase, until=until)
        return OutcomeNotice(await show(operation.intent, replace(phase, receipt=receipt)), receipt, until)

    def _soon(self, telling: Awaitable[bool]) -> None:
        """Tell beside the work. A courtesy: the outcome is told by a step of its own, after it."""
        task = asyncio.ensure_future(telling)
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)


_NOT_PERMITTED: Final = "not permitted"
"""The word for a member of a bulk stop (``bulk.bulk_stop.MemberOutcome``)."""
_CUT_OFF: Final = StopAttempt(SendResult.LOST, FailureReason("the bot was cut off while the stop was being sent"))


def _closed(closed: ClosedGate) -> StopAttempt:
    return StopAttempt(SendResult.CLOSED, closed.trouble, closed.retry_after, closed)

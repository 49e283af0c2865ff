"""One stop, from the second look to the outcome: what *Stop flow* and each member of a bulk stop have in common.

Each ``step`` runs once and the ledger remembers its result; a process that is killed anywhere goes on at the step it was
in. What makes that safe:

* **Never a wrong stop.** The activeflow is read again and held against what was shown. One claim per activeflow, across
  people, cards, bulk stops and replicas.
* **At most one POST per record.** A ``SENDING`` record is written before each POST, under a key of its own. A key that
  is there already means that an earlier run was cut off around that POST: it is cleared up by reading, not by sending.
* **Never late.** The deadline is looked at after that record is written, straight before the POST, by whoever runs it.
* **Never a lie.** "Ended" is what a reading said. A lost answer is "not known yet" until readings clear it up; only if
  it still runs when the first POST can no longer be at work, one more is sent.

The words are the caller's: ``show`` is told each phase. Decision: the phases before the last are told beside the work,
so that a slow Slack does not delay a stop, and from within the step, so that a replay does not tell them anew.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial
from typing import Final, TypeAlias

from bot.activeflows.errors import Failure, LedgerUnavailable, NotFound, NotOurs, StopTooLate, StopUnconfirmed
from bot.activeflows.ports import VoIPBIN
from bot.activeflows.records import Question, Record, What
from bot.activeflows.stopping.patience import Patience
from bot.activeflows.stopping.ports import Ledger, Step
from bot.activeflows.stopping.pressing import Look, Looked, Pressing, not_claimed, record_of
from bot.activeflows.stopping.readback import Readback, State, Verdict
from bot.activeflows.stopping.stops import (
    Attribution,
    Claim,
    Declined,
    Ended,
    Expired,
    Intent,
    IntentState,
    Moved,
    NotKnown,
    NotSent,
    Outcome,
    Phase,
    Press,
    StillRunning,
    StopInHand,
)

_FRESH: Final = timedelta(seconds=3)
"""So old a look may be when the stop is sent."""
Show: TypeAlias = Callable[[Intent, Phase], Awaitable[bool]]
"""Tells a phase to whom it concerns; whether somebody could see it. Never raises."""
Still: TypeAlias = Callable[[Intent, Press], Awaitable[Declined | None]]
"""Why this press does not count any more, if it does not; then it is on record."""


class Sent(StrEnum):
    """What is certain after trying to send one stop."""

    ANSWERED = "answered"  # VoIPBIN said yes
    LOST = "lost"  # it may have been done
    NOT_DONE = "not done"  # certainly not done
    LATE = "late"  # not sent: the deadline had passed
    OTHERWISE = "otherwise"  # not sent: it is not any more what it was when it was looked at


@dataclass(frozen=True, slots=True)
class Sending:
    """One attempt. ``retry_after`` (seconds): nothing was done and trying again is right."""

    sent: Sent
    why: str = ""
    request_id: str = ""
    retry_after: float | None = None
    looked: Looked | None = None
    """What it is instead."""


@dataclass(frozen=True, slots=True)
class Told:
    """Whether somebody could see it, and the receipt of the outcome's record."""

    seen: bool
    receipt: str = ""


@dataclass(frozen=True, slots=True)
class Result:
    """What came of it: a ``phase``, or why it was ``declined``; ``anew`` is the intent to be asked once more."""

    phase: Phase | None = None
    receipt: str = ""
    declined: Declined | None = None
    anew: Intent | None = None


class OneStop:
    """Stops one activeflow for a press that was admitted. All it may touch is handed to it."""

    def __init__(
        self,
        voipbin: VoIPBIN,
        ledger: Ledger,
        pressing: Pressing,
        *,
        patience: Patience,
        now: Callable[[], datetime],
        asks_again: bool = True,
        still: Still | None = None,
    ) -> None:
        """``asks_again``: when it has moved on, open the intent to ask once more; else it is left as it is.

        ``still``: asked before each look, so before another POST and after a restart, too.
        """
        self._voipbin, self._ledger = voipbin, ledger
        self._pressing, self._asks_again, self._still = pressing, asks_again, still
        self._patience, self._now = patience, now
        self._readback = Readback(voipbin, patience, now)
        self._telling: set[asyncio.Task[bool]] = set()

    async def carry_out(self, intent: Intent, press: Press, step: Step, show: Show) -> Result:
        """Look again, claim, send, verify, record, settle. The last phase is shown when it is written down."""
        looked = await step("look", Looked, lambda: self._look(intent, press))
        if looked.look is Look.MOVED:
            return Result(Moved(press.by, intent.seen.words), anew=looked.renewed)
        # Whatever is said on the card from here on, is said by one press: a second one, which found it ended by the
        # first, would take its name off the card.
        claim = await step("claim", Claim, lambda: self._pressing.claim(intent, press))
        if not claim.mine:
            return Result(declined=not_claimed(claim, intent))
        if looked.look is not Look.SAME:
            return await self._conclude(intent, press, _no_further(press, looked), step, show)
        return await self._conclude(intent, press, await self._stop(intent, press, looked, step, show), step, show)

    async def _stop(self, intent: Intent, press: Press, looked: Looked, step: Step, show: Show) -> Outcome:
        """POST, read back; another POST only when the one before certainly did nothing, or was lost without effect."""
        lost: Sending | None = None
        sending, verdict = Sending(Sent.NOT_DONE), Verdict()
        for attempt in range(1, self._patience.attempts + 1):
            if attempt > 1:  # some time has passed: a second POST is bound to what the card showed as the first was
                looked = await step(f"look {attempt}", Looked, lambda: self._look(intent, press))
                if looked.look is not Look.SAME and (looked.look is not Look.UNREAD or lost is None):
                    return self._not_again(press, lost, looked)
            send = partial(self._send, intent, press, attempt, looked, show)
            sending = await step(f"send {attempt}", Sending, send)
            if sending.looked is not None:
                return self._not_again(press, lost, sending.looked)
            if sending.sent is Sent.NOT_DONE and sending.retry_after is not None:
                await step.sleep(sending.retry_after)
                continue
            if sending.sent in {Sent.LATE, Sent.NOT_DONE}:
                break
            verdict = await self._read_back(intent, press, sending, step, show)
            if lost is not None or verdict.state is not State.RUNNING or sending.sent is Sent.ANSWERED:
                return _judged(press, sending, verdict, self._now())
            lost = sending
        if lost is not None:
            return _judged(press, lost, verdict, self._now())
        return Expired() if sending.sent is Sent.LATE else NotSent(press.by, sending.why, sending.request_id)

    def _not_again(self, press: Press, lost: Sending | None, looked: Looked) -> Outcome:
        """What is true when another POST was due and is not sent, because the activeflow is not what it was."""
        if looked.look in {Look.ENDED, Look.GONE}:
            by = Attribution.BY_ITSELF if lost is None else Attribution.UNCERTAIN
            return Ended(press.by, by, looked.at)
        refused = looked.look is Look.REFUSED
        if lost is not None:
            moved = f"no other stop was sent: {looked.why}" if refused else "it has moved on, so no other stop was sent"
            return StillRunning(press.by, looked.at or self._now(), moved, lost.request_id)
        later = "it had to wait, and meanwhile the activeflow has moved on; press again to see where it is now"
        why = later if looked.look is Look.MOVED else looked.why
        return NotSent(press.by, why, looked.request_id, permitted=not refused)

    async def _look(self, intent: Intent, press: Press, *, asks_again: bool = True) -> Looked:
        at = self._now()
        refused = await self._still(intent, press) if self._still is not None else None
        if refused is not None:
            return Looked(Look.REFUSED, at, why=refused.because)
        return await self._pressing.look(intent, press, asks_again=asks_again and self._asks_again)

    async def _send(self, intent: Intent, press: Press, attempt: int, looked: Looked, show: Show) -> Sending:
        """Record, look at the clock, POST once. Only here does anything in the house stop an activeflow."""
        record = record_of(intent, press, What.SENDING, self._now(), attempt=attempt)
        record = replace(record, key=f"{record.key}/{attempt}")
        try:
            if looked.at is None or self._now() - looked.at > _FRESH:
                otherwise = await self._otherwise(intent, press, record)
                if otherwise is not None:
                    return Sending(Sent.OTHERWISE, looked=otherwise)
            written = await self._ledger.record(record)
        except LedgerUnavailable as failure:
            return Sending(Sent.NOT_DONE, failure.what)
        if not written.new:
            return Sending(Sent.LOST, "the bot was restarted while the stop was being sent")
        if intent.late(self._now()):
            return Sending(Sent.LATE)
        self._soon(show(intent, StopInHand(press.by, press.at)))
        try:
            await self._voipbin.stop(intent.activeflow_id, not_after=intent.deadline)
        except StopTooLate:
            return Sending(Sent.LATE)
        except StopUnconfirmed as failure:
            return Sending(Sent.LOST, failure.what, failure.request_id)
        except (NotFound, NotOurs):
            return Sending(Sent.NOT_DONE, "VoIPBIN has no such activeflow any more")
        except Failure as failure:
            retry_after: float | None = getattr(failure, "retry_after", None)
            return Sending(Sent.NOT_DONE, failure.what, failure.request_id, retry_after)
        return Sending(Sent.ANSWERED)

    async def _otherwise(self, intent: Intent, press: Press, sending: Record) -> Looked | None:
        """A look remembered from before a restart is old: look anew, unless that stop may have been sent already."""
        entries = await self._ledger.records(Question(activeflow_id=intent.activeflow_id, limit=100))
        if any(entry.record.key == sending.key for entry in entries):
            return None
        looked = await self._look(intent, press, asks_again=False)
        return None if looked.look is Look.SAME else looked

    async def _read_back(self, intent: Intent, press: Press, sending: Sending, step: Step, show: Show) -> Verdict:
        """Read until it is clear; a few seconds quietly, then telling that it is not known yet, for minutes."""
        verdict = await step("verify", Verdict, lambda: self._readback.soon(intent.activeflow_id, intent.seen.call_id))
        if verdict.ended:
            return verdict

        async def longer() -> Verdict:
            self._soon(show(intent, _not_known(press, sending, verdict, self._now())))
            return await self._readback.settled(intent.activeflow_id, intent.seen.call_id)

        again = partial(self._readback.once, intent.activeflow_id, intent.seen.call_id)
        settled = await step("verify longer", Verdict, longer)
        for _ in range(self._patience.looks):
            if settled.ended or (settled.state is State.RUNNING and sending.sent is Sent.LOST):
                break  # what still runs when the lost POST can no longer be at work has not been stopped by it
            await step.sleep(self._patience.rest)
            settled = await step("look again", Verdict, again)
        return settled

    # ------------------------------------------------------------ records and words

    async def _conclude(self, intent: Intent, press: Press, phase: Outcome, step: Step, show: Show) -> Result:
        told = await step("outcome", Told, lambda: self._outcome(intent, press, phase, show))
        return Result(replace(phase, receipt=told.receipt), told.receipt)

    async def _outcome(self, intent: Intent, press: Press, phase: Outcome, show: Show) -> Told:
        """Write the outcome down, give the claim back, and tell everybody, in this order."""
        detail = {
            "outcome": type(phase).__name__,
            "attribution": str(phase.attribution) if isinstance(phase, Ended) else None,
            "why": getattr(phase, "why", None),
            "request_id": getattr(phase, "request_id", None) or None,
        }
        state = IntentState.OPEN if isinstance(phase, NotSent) and phase.pressable else IntentState.SETTLED
        receipt = ""
        try:
            written = await self._ledger.record(record_of(intent, press, What.OUTCOME, self._now(), **detail))
            receipt = written.receipt
            phase = replace(phase, receipt=receipt)
            await self._ledger.settle(intent.id, press.id, state, phase if isinstance(phase, Ended) else None)
        except LedgerUnavailable:
            pass  # the channel is told all the same, without a receipt; the claim lapses by itself
        return Told(await show(intent, phase), receipt)

    def _soon(self, telling: Awaitable[bool]) -> None:
        """Tell beside the work. A courtesy: the outcome is told by a step of its own, after it."""
        task = asyncio.ensure_future(telling)
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)


def _no_further(press: Press, looked: Looked) -> Outcome:
    match looked.look:
        case Look.ENDED:
            return Ended(press.by, Attribution.ALREADY, looked.at)
        case Look.GONE:
            return NotSent(press.by, looked.why or "VoIPBIN has no such activeflow any more", pressable=False)
        case _:
            return NotSent(press.by, looked.why, looked.request_id, permitted=looked.look is not Look.REFUSED)


def _not_known(press: Press, sending: Sending, verdict: Verdict, now: datetime, *, final: bool = False) -> NotKnown:
    why = sending.why or verdict.why or "VoIPBIN took the stop, but still shows the activeflow as running"
    return NotKnown(press.by, now, why, sending.request_id or verdict.request_id, final=final)


def _judged(press: Press, sending: Sending, verdict: Verdict, now: datetime) -> Outcome:
    """What can truly be said, from what was sent and what was read."""
    if verdict.ended:
        certain = Attribution.CALL_UNREAD if verdict.by_itself is None else Attribution.THIS_PRESS
        answered = certain if sending.sent is Sent.ANSWERED else Attribution.UNCERTAIN
        return Ended(press.by, Attribution.BY_ITSELF if verdict.by_itself else answered, verdict.at)
    if verdict.state is State.RUNNING and sending.sent is not Sent.ANSWERED:
        return StillRunning(press.by, verdict.read_at or now, sending.why, sending.request_id)
    return _not_known(press, sending, verdict, now, final=True)

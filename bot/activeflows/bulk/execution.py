"""Carry out a press on a bulk card: one member first, then two at a time, each to a true sentence.

``BulkStopWorkflow`` is one durable workflow; each member is a durable workflow of its own, taken from a queue, and runs
the same machine as a lone stop (``stopping.machine``). What makes five hundred as safe as one:

* **Frozen.** Exactly the members that were shown, and of these the ones the presser's grant covers.
* **The canary.** One alone first. Only when it was read back as ended the others follow; one that had ended or moved on
  proves nothing, so the next one is tried. If it does not obey, nothing else is touched.
* **Through the gate.** Straight before each member's stop whoever pressed must still be allowed to stop it, by the
  rules and the ceiling of that moment; the bulk stop must not be aborted nor its time be over. If whoever pressed may
  not, nothing further is sent, and everybody reads why.
* **A few at a time.** No more are queued than keep the two lanes busy, so that an abort leaves the rest untouched.

Decision: the card is kept true by a task beside the work, every two seconds, from what the ledger says; it tells
nothing that a restart would lose, so it is no step. It has ended before the last word is told, so it cannot overwrite
it.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Final

from bot.activeflows.bulk.authorization import OVER, BulkAdmission, BulkPressAdmission
from bot.activeflows.bulk.bulk_stop import (
    NO_FURTHER,
    SKIPPED,
    Bulk,
    BulkEnding,
    BulkState,
    Member,
    MemberOutcome,
    Run,
    intent_id,
    intent_of,
    outcome_words,
    press_on,
    unsettled,
)
from bot.activeflows.bulk.follow_up import BulkFollowUp, BulkReadback, FinalCheck
from bot.activeflows.bulk.ports import BulkCards, BulkLedger, Members
from bot.activeflows.errors import LedgerUnavailable
from bot.activeflows.records import Record, RecordKind, RecordQuery, record_on
from bot.activeflows.stopping.authorization import Act, PressHold, PressOperation, record_of
from bot.activeflows.stopping.machine import StopMachine
from bot.activeflows.stopping.ports import Guard, Ledger, Step
from bot.activeflows.stopping.stop import (
    Attribution,
    CallAfter,
    Declined,
    DeclineReason,
    Ended,
    Expired,
    GateRefusal,
    Intent,
    Moved,
    NotKnown,
    NotSent,
    Phase,
    Press,
    StillRunning,
    StopResult,
)

# ---------------------------------------------------------------- results
# Derive what became of a member from what came of its stop, and why a bulk stop went no further.


def became_of(result: StopResult) -> MemberOutcome:
    match result.phase:
        case Ended(attribution=Attribution.ALREADY | Attribution.BY_ITSELF | Attribution.BEFORE):
            return MemberOutcome.ALREADY
        case Ended():
            return MemberOutcome.STOPPED
        case Moved():
            return MemberOutcome.MOVED
        case NotKnown():
            return MemberOutcome.UNKNOWN
        case StillRunning():
            return MemberOutcome.RUNNING
        case NotSent(shut=shut):
            return _NOT_SENT.get(shut, MemberOutcome.NOT_SENT)
        case Expired():
            return MemberOutcome.LATE
        case None if result.declined is not None and result.declined.why is not DeclineReason.LEDGER:
            return MemberOutcome.TAKEN
        case _:
            return MemberOutcome.NOT_SENT


_NOT_SENT: Final[dict[GateRefusal | None, MemberOutcome]] = {
    GateRefusal.REFUSED: MemberOutcome.NOT_PERMITTED,
    GateRefusal.UNANSWERED: MemberOutcome.NOT_PERMITTED,
    GateRefusal.ABORTED: MemberOutcome.ABORTED,
    GateRefusal.GONE: MemberOutcome.GONE,
}
_CANARY: Final = {
    MemberOutcome.UNKNOWN: "it is not known whether the first one ended",
    MemberOutcome.RUNNING: "the first one still runs after its stop was sent",
    MemberOutcome.NOT_SENT: "the stop of the first one could not be sent",
}


def halted(became: Mapping[int, MemberOutcome]) -> str:
    """Return why it went no further than the canary; empty when it did."""
    if MemberOutcome.STOPPED in became.values():
        return ""
    return next((_CANARY[result] for result in became.values() if result in _CANARY), "")


def refused(records: list[Record]) -> str:
    """Return why whoever pressed could go no further, from what is on record about the members that were refused."""
    if not records:
        return "whoever pressed can no longer stop it"
    because, why = (str(records[0].detail.get(name) or "") for name in ("because", "why"))
    if why == DeclineReason.IDENTITY_UNKNOWN:
        return f"Slack did not say who pressed and what groups they are in ({because})"
    return f"whoever pressed can no longer stop it: {because}"


# ---------------------------------------------------------------- hang up results
# Record on the bulk's card what came of *Hang up*: a member has no card of its own.


class HungUp:
    """Tells of calls that stayed up although their members of a bulk stop have ended."""

    def __init__(self, bulks: BulkLedger, cards: BulkCards) -> None:
        self._bulks, self._cards = bulks, cards

    async def tell(self, intent: Intent, call: CallAfter, press: Press, guard: Guard) -> bool | None:
        """Tell how it ended, and whether somebody could see it; ``None`` when no such bulk is known to be over.
        Raises ``LedgerUnavailable``.
        """
        found = await self._bulks.bulk(intent.bulk_id)
        if found is None:
            return None
        bulk, _ = found
        number = next(member.number for member in bulk.members if member.activeflow_id == intent.activeflow_id)
        run = await self._bulks.heard(bulk.id, number, call)
        return None if run is None else await self._cards.show(bulk, run, press, guard=guard)


# ---------------------------------------------------------------- execution

AHEAD: Final = 6
"""Members queued and not done: enough for two lanes between two looks of the queue."""
EDIT_EVERY: Final = 2.0
"""Seconds between two edits of the card. https://docs.slack.dev/apis/web-api/rate-limits allows about one a second."""


class BulkStopWorkflow:
    """Carries out presses on bulk cards. ``unanswered``: does a member of this bulk stop wait for an answer of
    Slack's?
    """

    def __init__(
        self,
        bulks: BulkLedger,
        ledger: Ledger,
        cards: BulkCards,
        pressing: BulkPressAdmission,
        around: BulkReadback,
        follow: BulkFollowUp,
        members: Members,
        *,
        unanswered: Callable[[str], bool],
        now: Callable[[], datetime],
    ) -> None:
        self._bulks, self._ledger, self._cards = bulks, ledger, cards
        self._pressing, self._around, self._follow_up = pressing, around, follow
        self._members, self._unanswered, self._now = members, unanswered, now

    async def carry_out(self, press: Press, step: Step) -> None:
        """Carry out a press, and tell of it to the end."""
        hold = await PressHold.take(self._ledger, press.id)
        admission = await step("admit bulk", BulkAdmission, lambda: self._pressing.admit(press))
        bulk, declined = admission.bulk, admission.declined
        if bulk is None or declined is not None or admission.until is None:
            await step(
                "decline bulk",
                bool,
                lambda: self._decline(press, bulk, declined or Declined(DeclineReason.NO_SUCH_CARD)),
            )
            return
        run = await step("start bulk", Run, partial(self._start, bulk, press, hold, admission))
        if run.press_id != press.id:
            expired = run.state is BulkState.EXPIRED
            not_taken = Declined(
                DeclineReason.LATE if expired else OVER.get(run.state, DeclineReason.LEDGER), by=run.by
            )
            await step("decline bulk", bool, lambda: self._decline(press, bulk, not_taken))
            return
        async with self._followed(bulk, run, press, hold):
            became = await self._stop(press, admission.numbers)
        ending = BulkEnding(halted=halted(became))
        if MemberOutcome.NOT_PERMITTED in became.values():
            why = await step("why no further", str, partial(self._why_refused, bulk, press, dict(became)))
            ending = replace(ending, refused=why)
        became |= {m.number: MemberOutcome.NOT_PERMITTED for m in bulk.members if m.number not in admission.numbers}
        around = await step("look around", FinalCheck, partial(self._around.of, bulk, became))
        became |= dict.fromkeys(around.ended, MemberOutcome.STOPPED)
        ending = replace(
            ending,
            more=around.more,
            more_as_of=around.at,
            up=around.up,
            unheard=around.unheard,
            origin=around.origin,
            as_of=around.at,
        )
        await step("bulk outcome", bool, partial(self._conclude, bulk, press, hold, became, ending))
        if unsettled(Run(became=became, ending=ending)):
            await self._follow_up.until_settled(bulk, press, hold, step)

    # ------------------------------------------------------------ the members

    async def _stop(self, press: Press, numbers: tuple[int, ...]) -> dict[int, MemberOutcome]:
        """Stop the canary, then the others, until there are no more or no further."""
        became: dict[int, MemberOutcome] = {}
        waiting = list(numbers)
        while waiting and all(result in SKIPPED for result in became.values()):
            number = waiting.pop(0)
            await self._members.put(press, number)
            became[number] = await self._members.done(press, number)
        if not any(result is MemberOutcome.STOPPED for result in became.values()):
            return became
        queued: list[int] = []
        while queued or waiting:
            no_further = any(result in NO_FURTHER for result in became.values())
            while waiting and len(queued) < AHEAD and not no_further:
                queued.append(waiting.pop(0))
                await self._members.put(press, queued[-1])
            if not queued:
                break
            first = queued.pop(0)
            became[first] = await self._members.done(press, first)
        return became

    async def _why_refused(self, bulk: Bulk, press: Press, became: Mapping[int, MemberOutcome]) -> str:
        members = [member for member in bulk.members if became.get(member.number) is MemberOutcome.NOT_PERMITTED]
        keys = [f"{press_on(intent_of(bulk, m, bulk.deadline), press).id}/{RecordKind.REFUSED}" for m in members]
        try:
            entries = await self._ledger.records(RecordQuery(keys=tuple(keys)))
        except LedgerUnavailable:
            entries = ()
        return refused([entry.record for entry in reversed(entries)])

    # ------------------------------------------------------------ around them

    async def _start(self, bulk: Bulk, press: Press, hold: PressHold, admission: BulkAdmission) -> Run:
        """Return the run as it then stands: of this press, of another one, or of none, when that could not be
        written.
        """
        until = admission.until or bulk.deadline
        chosen = [member for member in bulk.members if member.number in admission.numbers]
        intents = [intent_of(bulk, m, until, among=len(chosen)) for m in chosen]
        try:
            return await hold.until_known(partial(self._bulks.start_bulk, bulk, press, until, intents))
        except LedgerUnavailable:
            return Run()

    async def _decline(self, press: Press, bulk: Bulk | None, declined: Declined) -> bool:
        if bulk is not None and declined.why is DeclineReason.LATE:
            run = await self._bulks.expire_bulk(bulk.id)
            if run.state is BulkState.EXPIRED:  # and not begun in time: nobody begins it any more
                await self._cards.show(bulk, run, press)
        return await self._cards.decline(press, declined)

    @asynccontextmanager
    async def _followed(self, bulk: Bulk, begun: Run, press: Press, hold: PressHold) -> AsyncIterator[None]:
        """Keep the card true while the block lasts."""
        over = asyncio.Event()
        following = asyncio.create_task(self._follow(bulk, begun, press, hold, over))
        try:
            yield
            over.set()
            await following
        finally:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)

    async def _follow(self, bulk: Bulk, begun: Run, press: Press, hold: PressHold, over: asyncio.Event) -> None:
        """Keep the card true. ``begun``: as it was then, and is told at once; a run that is not the first one may be
        further by now.
        """
        told: Run | None = None
        if hold.fence.number == 1:
            told = begun
            await self._cards.show(bulk, begun, press, guard=hold.must_hold)
        while not over.is_set():
            with suppress(LedgerUnavailable):
                found = await self._bulks.bulk(bulk.id)
                if found is not None:
                    run = replace(found[1], unanswered=self._unanswered(bulk.id))
                    if run != told:
                        told = run
                        await self._cards.show(found[0], run, press, guard=hold.must_hold)
            with suppress(TimeoutError):
                async with asyncio.timeout(EDIT_EVERY):
                    await over.wait()

    async def _conclude(
        self, bulk: Bulk, press: Press, hold: PressHold, became: dict[int, MemberOutcome], ending: BulkEnding
    ) -> bool:
        """Write down what is not written yet, the whole last, and tell everybody."""
        now = self._now()
        records = [
            self._outcome(bulk, member, press, became.get(member.number, MemberOutcome.LEFT)) for member in bulk.members
        ]
        ended, others = outcome_words(bulk, became)
        whole = record_on(
            bulk,
            RecordKind.OUTCOME,
            now,
            press.actor,
            key=f"{press.id}/{RecordKind.OUTCOME}",
            outcome=ended,
            why=others or None,
            halted=ending.halted or ending.refused,
        )
        unwritten = Run(BulkState.DONE, press.id, press.by, press.at, became=became, ending=ending)
        dated = self._follow_up.dated(unwritten, ending)
        finish = partial(self._bulks.finish_bulk, hold.fence, bulk.id, became, dated, [*records, whole])
        show = partial(self._cards.show, guard=hold.must_hold)
        run = await hold.until_written(partial(hold.counted, finish), partial(show, bulk, unwritten, press))
        return await show(bulk, run, press)

    def _outcome(self, bulk: Bulk, member: Member, press: Press, became: MemberOutcome) -> Record:
        """Return a member's own outcome. One that has written it already has it under the same key, so it is not
        written twice.
        """
        intent = intent_of(bulk, member, bulk.deadline)
        own = press_on(intent, press)
        return record_of(intent, own, RecordKind.OUTCOME, self._now(), outcome=str(became))


# ---------------------------------------------------------------- member
# Stop one member of a bulk stop, when its turn has come: by the machine of a lone stop (``stopping.machine``).


@dataclass(frozen=True, slots=True)
class MemberTurn:
    """A member whose turn has come: to be stopped, or what it became without."""

    intent: Intent | None = None
    became: MemberOutcome | None = None


class MemberWorkflow:
    """Carries out the turns of members, each a durable workflow of its own."""

    def __init__(self, bulks: BulkLedger, ledger: Ledger, machine: StopMachine, *, now: Callable[[], datetime]) -> None:
        self._bulks, self._ledger, self._machine, self._now = bulks, ledger, machine, now

    async def carry_out(self, press: Press, number: int, step: Step) -> MemberOutcome:
        """Carry out one member's turn."""
        hold = await PressHold.take(self._ledger, f"{press.id}/{number}")
        turn = await step("turn", MemberTurn, partial(self._turn, press, number))
        if turn.intent is None:
            return turn.became or MemberOutcome.LEFT
        own = press_on(turn.intent, press)
        result = await self._machine.carry_out(PressOperation(Act.STOP, turn.intent, own), hold, step, _unseen)
        became = became_of(result)
        await step("count", bool, partial(self._count, turn.intent, own, number, became))
        return became

    async def _turn(self, press: Press, number: int) -> MemberTurn:
        """Return a member as a lone stop, or why its turn is none. (What matters is decided once more at the gate.)"""
        try:
            found = await self._bulks.bulk(press.intent_id)
            if found is None:
                return MemberTurn(became=MemberOutcome.LEFT)
            return await self._turn_of(number, *found)
        except LedgerUnavailable:
            return MemberTurn(became=MemberOutcome.NOT_SENT)

    async def _turn_of(self, number: int, bulk: Bulk, run: Run) -> MemberTurn:
        if MemberOutcome.NOT_PERMITTED in run.became.values():
            return MemberTurn(became=run.became.get(number, MemberOutcome.LEFT))
        if run.state is not BulkState.STOPPING or run.until is None:
            return MemberTurn(became=MemberOutcome.ABORTED)
        if self._now() >= run.until:
            return MemberTurn(became=MemberOutcome.LATE)
        member = next(member for member in bulk.members if member.number == number)
        own = await self._ledger.intent(intent_id(bulk, member))
        return MemberTurn(became=MemberOutcome.LEFT) if own is None else MemberTurn(own[0])

    async def _count(self, intent: Intent, press: Press, number: int, became: MemberOutcome) -> bool:
        """Write down what its own stop has not. (The bulk's own last step writes what is missing.)"""
        with suppress(LedgerUnavailable):
            await self._bulks.became(intent.bulk_id, number, became)
            if became in {MemberOutcome.MOVED, MemberOutcome.TAKEN}:
                await self._ledger.record(
                    record_of(intent, press, RecordKind.OUTCOME, self._now(), outcome=str(became))
                )
            return True
        return False


async def _unseen(_intent: Intent, _phase: Phase) -> bool:
    """Draw nothing: a member has no card of its own: the bulk's card counts it."""
    return True

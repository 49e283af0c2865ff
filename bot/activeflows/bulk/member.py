"""Stop one member of a bulk stop, when its turn has come: by the machine of a lone stop (``stopping.machine``)."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from bot.activeflows.bulk.bulk_stop import (
    Became,
    Bulk,
    BulkState,
    Run,
    intent_id,
    press_on,
)
from bot.activeflows.bulk.ports import BulkLedger
from bot.activeflows.bulk.results import became_of
from bot.activeflows.errors import LedgerUnavailable
from bot.activeflows.records import What
from bot.activeflows.stopping.admission import record_of
from bot.activeflows.stopping.authorization import Act
from bot.activeflows.stopping.fence import Hold
from bot.activeflows.stopping.gate import Errand
from bot.activeflows.stopping.machine import StopMachine
from bot.activeflows.stopping.ports import Ledger, Step
from bot.activeflows.stopping.stop import Intent, Phase, Press


@dataclass(frozen=True, slots=True)
class Turn:
    """A member whose turn has come: to be stopped, or what it became without."""

    intent: Intent | None = None
    became: Became | None = None


class MemberWorkflow:
    """Carries out the turns of members, each a durable workflow of its own."""

    def __init__(self, bulks: BulkLedger, ledger: Ledger, machine: StopMachine, *, now: Callable[[], datetime]) -> None:
        self._bulks, self._ledger, self._machine, self._now = bulks, ledger, machine, now

    async def carry_out(self, press: Press, number: int, step: Step) -> Became:
        """One member's turn."""
        hold = await Hold.take(self._ledger, f"{press.id}/{number}")
        turn = await step("turn", Turn, partial(self._turn, press, number))
        if turn.intent is None:
            return turn.became or Became.LEFT
        own = press_on(turn.intent, press)
        result = await self._machine.carry_out(Errand(Act.STOP, turn.intent, own), hold, step, _unseen)
        became = became_of(result)
        await step("count", bool, partial(self._count, turn.intent, own, number, became))
        return became

    async def _turn(self, press: Press, number: int) -> Turn:
        """A member as a lone stop, or why its turn is none. (What matters is decided once more at the gate.)"""
        try:
            found = await self._bulks.bulk(press.intent_id)
            if found is None:
                return Turn(became=Became.LEFT)
            return await self._turn_of(number, *found)
        except LedgerUnavailable:
            return Turn(became=Became.NOT_SENT)

    async def _turn_of(self, number: int, bulk: Bulk, run: Run) -> Turn:
        if Became.NOT_PERMITTED in run.became.values():
            return Turn(became=run.became.get(number, Became.LEFT))
        if run.state is not BulkState.STOPPING or run.until is None:
            return Turn(became=Became.ABORTED)
        if self._now() >= run.until:
            return Turn(became=Became.LATE)
        member = next(member for member in bulk.members if member.number == number)
        own = await self._ledger.intent(intent_id(bulk, member))
        return Turn(became=Became.LEFT) if own is None else Turn(own[0])

    async def _count(self, intent: Intent, press: Press, number: int, became: Became) -> bool:
        """Write down what its own stop has not. (The bulk's own last step writes what is missing.)"""
        with suppress(LedgerUnavailable):
            await self._bulks.became(intent.bulk_id, number, became)
            if became in {Became.MOVED, Became.TAKEN}:
                await self._ledger.record(record_of(intent, press, What.OUTCOME, self._now(), outcome=str(became)))
            return True
        return False


async def _unseen(_intent: Intent, _phase: Phase) -> bool:
    """A member has no card of its own: the bulk's card counts it."""
    return True

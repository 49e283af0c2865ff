"""The life of a press: from *Stop flow* to the sentence everybody in the channel can rely on.

``Stopping.carry_out`` is one durable workflow: who may is decided anew (``pressing``), the stop itself is ``one_stop``,
and its words go to the card everybody sees. What becomes of the call and of the next flow is told last.
"""

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from functools import partial

from bot.activeflows.errors import LedgerUnavailable
from bot.activeflows.ports import VoIPBIN
from bot.activeflows.stopping.aftermath import Aftermath
from bot.activeflows.stopping.one_stop import OneStop
from bot.activeflows.stopping.patience import Patience
from bot.activeflows.stopping.ports import Cards, Ledger, Step
from bot.activeflows.stopping.pressing import Admission, Pressing
from bot.activeflows.stopping.stops import Declined, Ended, Expired, Intent, IntentState, Moved, Phase, Press, Why


class Stopping:
    """Carries out presses. All it may touch is handed to it."""

    def __init__(
        self,
        voipbin: VoIPBIN,
        ledger: Ledger,
        cards: Cards,
        pressing: Pressing,
        *,
        patience: Patience,
        now: Callable[[], datetime],
    ) -> None:
        self._ledger, self._cards, self._pressing = ledger, cards, pressing
        self._one_stop = OneStop(voipbin, ledger, pressing, patience=patience, now=now)
        self._aftermath = Aftermath(voipbin, patience)

    async def carry_out(self, press: Press, step: Step) -> None:
        """The whole life of a press, told to the end."""
        admission = await step("admit", Admission, lambda: self._pressing.admit(press))
        intent, declined = admission.intent, admission.declined
        if declined is not None or intent is None:
            await step("decline", bool, lambda: self._decline(press, intent, declined or Declined(Why.NO_SUCH_CARD)))
            return

        async def show(intent: Intent, phase: Phase) -> bool:
            return await self._cards.show(intent, phase, press)

        result = await self._one_stop.carry_out(intent, press, step, show)
        phase = result.phase
        if result.anew is not None and phase is not None:
            await step("ask once more", bool, partial(show, result.anew, phase))
        elif phase is None or isinstance(phase, Moved):
            refusal = result.declined or Declined(Why.SUPERSEDED, activeflow_id=intent.activeflow_id)
            await step("decline", bool, lambda: self._decline(press, intent, refusal))
        elif isinstance(phase, Ended) and (intent.seen.call_id or intent.seen.on_complete_flow_id):
            await step("aftermath", bool, partial(self._tell_aftermath, intent, press, phase))

    async def _decline(self, press: Press, intent: Intent | None, declined: Declined) -> bool:
        if intent is not None and declined.why is Why.LATE and await self._nobody_is_at_it(intent):
            await self._cards.show(intent, Expired(), press)
        return await self._cards.decline(press, declined)

    async def _nobody_is_at_it(self, intent: Intent) -> bool:
        """Else a stop sent in time is still being read back, and the card is not over for this press' being late."""
        try:
            found = await self._ledger.intent(intent.id)
        except LedgerUnavailable:
            return False
        return found is not None and found[1] is IntentState.OPEN

    async def _tell_aftermath(self, intent: Intent, press: Press, ended: Ended) -> bool:
        seen = False
        async for after in self._aftermath.of(intent, ended):
            told = after
            with suppress(LedgerUnavailable):  # the card is told all the same
                told = await self._ledger.settle(intent.id, press.id, IntentState.SETTLED, after) or after
            seen = await self._cards.show(intent, told, press)
        return seen

"""Hanging up a call that stayed on the line although its activeflow has ended.

VoIPBIN hangs a stopped activeflow's call up by itself, but only as best it can; when that is lost, the caller hears the
last thing for ever. So the card offers this, under the same rules as a stop: permission asked anew, a record before the
POST under a key of its own, sent once and not late, and only what was read back is said.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from bot.activeflows.errors import Failure, LedgerUnavailable, NotFound
from bot.activeflows.ports import VoIPBIN
from bot.activeflows.records import What
from bot.activeflows.stopping.patience import Patience
from bot.activeflows.stopping.ports import Cards, Ledger, Step
from bot.activeflows.stopping.pressing import Admission, Pressing, record_of
from bot.activeflows.stopping.stops import CallAfter, Declined, Intent, Press, Why

_SEND_WITHIN: Final = timedelta(minutes=1)
"""From the press: a hang-up is never sent later, not even by a recovery."""

CallTeller = Callable[[Intent, CallAfter, Press], Awaitable[bool | None]]
"""Tells what came of a press; whether somebody could see it, ``None`` when nobody knows the card any more."""


@dataclass(frozen=True, slots=True)
class Tried:
    """``why`` is empty when VoIPBIN took it."""

    why: str = ""
    request_id: str = ""


class HangingUp:
    """Carries out presses on *Hang up the call*. ``of_member`` tells it of a member of a bulk stop."""

    def __init__(
        self,
        voipbin: VoIPBIN,
        ledger: Ledger,
        cards: Cards,
        pressing: Pressing,
        *,
        of_member: CallTeller,
        patience: Patience,
        now: Callable[[], datetime],
    ) -> None:
        self._voipbin, self._ledger, self._cards, self._pressing = voipbin, ledger, cards, pressing
        self._of_member = of_member
        self._patience, self._now = patience, now

    async def carry_out(self, press: Press, step: Step) -> None:
        """The whole life of such a press."""
        admission = await step("admit", Admission, lambda: self._pressing.admit_after(press))
        intent, declined = admission.intent, admission.declined
        if intent is None or declined is not None:
            refusal = declined or Declined(Why.NO_SUCH_CARD)
            await step("decline", bool, lambda: self._cards.decline(press, refusal))
            return
        tried = await step("hang up", Tried, lambda: self._send(intent, press))
        await step("outcome", bool, lambda: self._tell(intent, press, tried))

    async def _send(self, intent: Intent, press: Press) -> Tried:
        if intent.seen.call_id is None:
            return Tried("this activeflow ran for no call")
        deadline = press.at + _SEND_WITHIN
        try:
            written = await self._ledger.record(
                record_of(intent, press, What.SENDING, self._now(), call=str(intent.seen.call_id))
            )
            if not written.new:
                return Tried("the bot was restarted while it was being sent")
            await self._voipbin.hang_up(intent.seen.call_id, not_after=deadline)
        except NotFound:
            return Tried("VoIPBIN has no such call any more")
        except Failure as failure:
            return Tried(failure.what, failure.request_id)
        return Tried()

    async def _tell(self, intent: Intent, press: Press, tried: Tried) -> bool:
        call = await self._after(intent, press)
        detail = {"outcome": call.state, "why": tried.why or None, "request_id": tried.request_id or None}
        with suppress(LedgerUnavailable):  # the channel is told all the same
            await self._ledger.record(record_of(intent, press, What.OUTCOME, self._now(), **detail))
        if call.state != "hung_up":
            call = replace(call, why=tried.why or "VoIPBIN took it, and has not hung it up")
        seen = None
        with suppress(LedgerUnavailable):
            seen = await (self._of_member if intent.bulk_id else self._alone)(intent, call, press)
        if seen is None:
            return await self._cards.decline(press, Declined(Why.CARD_UNREAD, call.state))
        return seen

    async def _alone(self, intent: Intent, call: CallAfter, press: Press) -> bool | None:
        ended = await self._ledger.hung_up(intent.id, call)
        return None if ended is None else await self._cards.show(intent, ended, press)

    async def _after(self, intent: Intent, press: Press) -> CallAfter:
        """What became of the call, read until it is over or patience ends."""
        state = CallAfter("unknown", hung_up_by=press.by)
        for pause in self._patience.after:
            await asyncio.sleep(pause)
            try:
                call = await self._voipbin.call(intent.seen.call_id) if intent.seen.call_id else None
            except Failure:
                continue
            if call is None:
                return state
            if call.over:
                return replace(state, state="hung_up", at=call.hangup_at)
            state = replace(state, state="hanging_up" if call.hanging_up else "up")
        return state

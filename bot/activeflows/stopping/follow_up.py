"""Follow what a card says is so by now ("still running", "call: still up"), until it is not, or as long as the card says.

Looking costs one request each time, changes nothing, and sends nothing. Decision: the card is changed when something has
changed, and not at each look: "as of" on it says when that was read.
"""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import TypeAlias

from bot.activeflows.errors import LedgerUnavailable
from bot.activeflows.stopping.aftermath import Aftermath
from bot.activeflows.stopping.ports import Ledger, Step
from bot.activeflows.stopping.read_back import State, Verdict
from bot.activeflows.stopping.stop import Attribution, Ended, Intent, IntentState, NotKnown, Phase, Press, StillRunning
from bot.activeflows.stopping.subject import Subject
from bot.activeflows.stopping.timeouts import Patience, follow_until

Show: TypeAlias = Callable[[Intent, Phase], Awaitable[bool]]
Unsettled: TypeAlias = StillRunning | NotKnown


@dataclass(frozen=True, slots=True)
class Look:
    """One look. ``late``: the time that the card said is over."""

    verdict: Verdict
    late: bool


@dataclass(frozen=True, slots=True)
class CallLook:
    """The same at the call; how it ended, as the card is to say now."""

    ended: Ended
    changed: bool
    late: bool


class Follow:
    """Looks every so often. A restart goes on with it: how often is counted in steps, and not by the clock."""

    def __init__(
        self, ledger: Ledger, subject: Subject, aftermath: Aftermath, patience: Patience, *, now: Callable[[], datetime]
    ) -> None:
        self._ledger, self._subject, self._aftermath = ledger, subject, aftermath
        self._patience, self._now = patience, now

    def until(self) -> datetime | None:
        """Until when what is so by now is followed; ``None``: it is not."""
        return follow_until(self._now(), self._patience)

    async def until_ended(
        self, intent: Intent, press: Press, phase: Unsettled, step: Step, show: Show
    ) -> Unsettled | Ended:
        """Follow an activeflow that a stop did not end, as far as is known."""
        for _ in range(self._patience.follow_looks):
            await step.idle(self._patience.follow_every)
            look = await step("follow", Look, partial(self._look, intent, phase))
            verdict = look.verdict
            if verdict.ended:
                ended = _ended(press, phase, verdict)
                await step("followed", bool, partial(self._settle, intent, press, ended, show))
                return ended
            if verdict.state is State.RUNNING:
                phase = _read_again(phase, verdict)
            if look.late:
                break
        phase = replace(phase, until=None)
        await step("followed", bool, partial(show, intent, phase))
        return phase

    async def call(self, intent: Intent, press: Press, ended: Ended, step: Step, show: Show) -> None:
        """Follow the call of one that has ended."""
        for _ in range(self._patience.follow_looks):
            await step.idle(self._patience.follow_every)
            look = await step("follow the call", CallLook, partial(self._look_at_call, intent, ended))
            ended = look.ended
            if look.changed:
                await step("call", bool, partial(self._settle, intent, press, ended, show))
            if ended.call is None or ended.call.state == "hung_up":
                return
            if look.late:
                break
        if ended.call is not None:
            over = replace(ended, call=replace(ended.call, until=None))
            await step("call followed", bool, partial(self._settle, intent, press, over, show))

    async def _look(self, intent: Intent, phase: Unsettled) -> Look:
        verdict = await self._subject.once(intent)
        return Look(verdict, phase.until is not None and self._now() >= phase.until)

    async def _look_at_call(self, intent: Intent, ended: Ended) -> CallLook:
        was = ended.call
        late = was is None or was.until is None or self._now() >= was.until
        call = await self._aftermath.call(intent)
        if was is None or call is None:
            return CallLook(ended, changed=False, late=late)
        call = replace(call, until=was.until, read_at=None if call.state == "hung_up" else self._now())
        return CallLook(replace(ended, call=call), changed=call.state != was.state, late=late)

    async def _settle(self, intent: Intent, press: Press, ended: Ended, show: Show) -> bool:
        told = ended
        with suppress(LedgerUnavailable):  # the card is told all the same
            told = await self._ledger.settle(intent.id, press.id, IntentState.SETTLED, ended) or ended
        return await show(intent, told)


def _read_again(phase: Unsettled, verdict: Verdict) -> Unsettled:
    """Of a stop that VoIPBIN took it stays unknown what came of it: what still shows it as running may be a cache."""
    if verdict.read_at is None or isinstance(phase, NotKnown):
        return phase
    return replace(phase, at=verdict.read_at)


def _ended(press: Press, phase: Unsettled, verdict: Verdict) -> Ended:
    how = Attribution.LATER if isinstance(phase, StillRunning) else Attribution.UNCERTAIN
    return Ended(press.by, how, verdict.at, receipt=phase.receipt, trouble=phase.trouble)

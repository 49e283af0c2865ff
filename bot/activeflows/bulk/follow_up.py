"""Follow what the end of a bulk stop says is so by now, until it is not, or as long as the card says.

Members that may still run after a stop was sent, and callers who may still be on the line. As for a lone stop
(``stopping.follow_up``): looking sends nothing, and the card is changed when something has changed. What was left alone
is not looked at: of that the card says only that no stop was begun.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial

from bot.activeflows.bulk.bulk_stop import MAY_RUN, Bulk, BulkEnding, MemberOutcome, Origin, Run, intent_of, unsettled
from bot.activeflows.bulk.ports import BulkCards, BulkLedger
from bot.activeflows.bulk.request import OriginLookup
from bot.activeflows.bulk.snapshot import BulkSnapshot
from bot.activeflows.errors import BotError
from bot.activeflows.operators import Permission
from bot.activeflows.stopping import max_ages
from bot.activeflows.stopping.authorization import PressHold
from bot.activeflows.stopping.follow_up import Aftermath
from bot.activeflows.stopping.ports import People, Step
from bot.activeflows.stopping.read_back import Readback
from bot.activeflows.stopping.stop import Patience, Press, follow_until

# ---------------------------------------------------------------- final check
# Check the rest after a bulk stop: what was not known, who is still on the line, what else matches.


@dataclass(frozen=True, slots=True)
class FinalCheck:
    """Members by number. ``more``: how many fit that were not in the list; ``None`` when that could not be read."""

    ended: tuple[int, ...] = ()
    """Those that have ended after all."""
    more: int | None = None
    up: tuple[int, ...] = ()
    """Ended, and their callers are still on the line."""
    unheard: tuple[int, ...] = ()
    """Ended, and it is not known whether their callers are still on the line."""
    origin: Origin = field(default_factory=Origin)
    at: datetime | None = None
    """When this look began: all that is said to be still so was so then. ``None`` in steps of an older build."""


@dataclass(frozen=True, slots=True)
class Recheck:
    """By number: members that have ended by now, and calls as far as they could be read (``CallAfter.state``)."""

    ended: tuple[int, ...] = ()
    calls: Mapping[int, str] = field(default_factory=dict)


class BulkReadback:
    """Reads; nothing is changed here."""

    def __init__(
        self,
        people: People,
        freezing: BulkSnapshot,
        readback: Readback,
        aftermath: Aftermath,
        origins: OriginLookup,
        *,
        now: Callable[[], datetime],
    ) -> None:
        self._people, self._freezing, self._readback = people, freezing, readback
        self._aftermath, self._origins, self._now = aftermath, origins, now

    async def of(self, bulk: Bulk, became: Mapping[int, MemberOutcome]) -> FinalCheck:
        """Check what is left. ``became``: what is known so far."""
        at = self._now()
        ended = await self._ended(bulk, became)
        stopped = {number for number, result in became.items() if result is MemberOutcome.STOPPED}.union(ended)
        calls = {m.number: m.call_id for m in bulk.members if m.number in stopped and m.call_id is not None}
        states = await self._aftermath.calls(calls.values())
        up, unheard = (
            tuple(number for number, call_id in calls.items() if states[call_id] == state)
            for state in ("up", "unknown")
        )
        return FinalCheck(ended, await self._more(bulk), up, unheard, await self._origins.of(bulk), at)

    async def again(self, bulk: Bulk, run: Run) -> Recheck:
        """Look once at what was not settled. A call whose activeflow has ended only now may be on its way: not known
        yet.
        """
        ended = await self._ended(bulk, run.became)
        on_the_line = run.ending.on_the_line() if run.ending is not None else {}
        calls: dict[int, str] = {}
        for member in bulk.members:
            if member.call_id is None or not (member.number in on_the_line or member.number in ended):
                continue
            call = await self._aftermath.call(intent_of(bulk, member, bulk.deadline))
            if member.number in ended and (call is None or call.state == "up"):
                calls[member.number] = "unknown"
            elif call is not None:
                calls[member.number] = call.state
        return Recheck(ended, calls)

    async def _ended(self, bulk: Bulk, became: Mapping[int, MemberOutcome]) -> tuple[int, ...]:
        ended = []
        for member in bulk.members:
            if became.get(member.number) in MAY_RUN:
                verdict = await self._readback.once(member.activeflow_id)
                if verdict.ended:
                    ended.append(member.number)
        return tuple(ended)

    async def _more(self, bulk: Bulk) -> int | None:
        try:
            permission = Permission.VIEW if bulk.on_behalf else Permission.BULK
            asker = await self._people.identify(bulk.asked_by, bulk.channel, may=(permission,), max_age=max_ages.FACTS)
            asker.require(permission)
            listed = frozenset(member.activeflow_id for member in bulk.members)
            return await self._freezing.more(asker, bulk.filters, listed, on_behalf=bulk.on_behalf)
        except BotError:
            return None


# ---------------------------------------------------------------- follow up


class BulkFollowUp:
    """Looks every so often. A restart goes on with it: how often is counted in steps, and not by the clock."""

    def __init__(
        self,
        bulks: BulkLedger,
        cards: BulkCards,
        around: BulkReadback,
        patience: Patience,
        *,
        now: Callable[[], datetime],
    ) -> None:
        self._bulks, self._cards, self._around, self._patience, self._now = bulks, cards, around, patience, now

    def dated(self, run: Run, ending: BulkEnding) -> BulkEnding:
        """Return the ending with until when it is followed, where there is anything to follow, and with when it was
        read.
        """
        now = self._now()
        until = follow_until(now, self._patience) if unsettled(replace(run, ending=ending)) else None
        return replace(ending, as_of=ending.as_of or now, until=until)

    async def until_settled(self, bulk: Bulk, press: Press, hold: PressHold, step: Step) -> None:
        """Look at it for as long as the card says. What is told is in the ledger before."""
        for left in reversed(range(self._patience.follow_looks)):
            await step.idle(self._patience.follow_every)
            if not await step("follow bulk", bool, partial(self._look, bulk, press, hold, last=not left)):
                return

    async def _look(self, bulk: Bulk, press: Press, hold: PressHold, *, last: bool) -> bool:
        """Look once more, and tell whether there is to be another look."""
        found = await self._bulks.bulk(bulk.id)
        if found is None or found[1].ending is None or found[1].ending.until is None:
            return False
        bulk, run = found
        now = self._now()  # what is still so at the end of the look was so at its beginning
        around = await self._around.again(bulk, run)
        late = last or now >= found[1].ending.until
        keep = partial(self._bulks.followed, hold.fence, bulk.id, around.ended, around.calls, now, late=late)
        followed = await hold.counted(keep)
        if followed.ending != run.ending or around.ended:
            await self._cards.show(bulk, followed, press, guard=hold.must_hold)
        return followed.ending is not None and followed.ending.until is not None

"""Check the rest after a bulk stop: what was not known, who is still on the line, what else matches."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from bot.activeflows.bulk.bulk_stop import MAY_RUN, Became, Bulk, Origin, Run, intent_of
from bot.activeflows.bulk.origin import OriginLookup
from bot.activeflows.bulk.snapshot import BulkSnapshot
from bot.activeflows.errors import BotError
from bot.activeflows.operators import Permission
from bot.activeflows.stopping import max_ages
from bot.activeflows.stopping.aftermath import Aftermath
from bot.activeflows.stopping.ports import People
from bot.activeflows.stopping.read_back import Readback


@dataclass(frozen=True, slots=True)
class Around:
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
class Again:
    """By number: members that have ended by now, and calls as far as they could be read (``CallAfter.state``)."""

    ended: tuple[int, ...] = ()
    calls: Mapping[int, str] = field(default_factory=dict)


class LookingAround:
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

    async def of(self, bulk: Bulk, became: Mapping[int, Became]) -> Around:
        """``became``: what is known so far."""
        at = self._now()
        ended = await self._ended(bulk, became)
        stopped = {number for number, result in became.items() if result is Became.STOPPED}.union(ended)
        calls = {m.number: m.call_id for m in bulk.members if m.number in stopped and m.call_id is not None}
        states = await self._aftermath.calls(calls.values())
        up, unheard = (
            tuple(number for number, call_id in calls.items() if states[call_id] == state)
            for state in ("up", "unknown")
        )
        return Around(ended, await self._more(bulk), up, unheard, await self._origins.of(bulk), at)

    async def again(self, bulk: Bulk, run: Run) -> Again:
        """One look at what was not settled. A call whose activeflow has ended only now may be on its way: not known yet."""
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
        return Again(ended, calls)

    async def _ended(self, bulk: Bulk, became: Mapping[int, Became]) -> tuple[int, ...]:
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

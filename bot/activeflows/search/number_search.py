"""Find what one person may learn from the calls that have a number, and record each such search.

A call whose activeflow is hidden from them is answered like no call at all: neither it, nor how many there are, nor
that the number was on the line. What was looked for by its last digits is shown only where they may reveal the caller
anyway.
"""

import asyncio
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Final
from uuid import UUID

from bot.activeflows.callers import CallFound, CallsLooked
from bot.activeflows.errors import TooManySearches
from bot.activeflows.model import Activeflow, Picture
from bot.activeflows.numbers import Number
from bot.activeflows.operators import Operator, Permission
from bot.activeflows.ports import Records, VoIPBIN
from bot.activeflows.queries.inspection import in_time
from bot.activeflows.queries.resolution import visible
from bot.activeflows.records import Record, RecordKind, RecordQuery
from bot.activeflows.search.ranking import Match, by_calls

# ---------------------------------------------------------------- number log
# Record each search for telephone numbers before anything is read, and let one person look for so many an hour.
#
# Whoever may look for a number can guess at the digits that are masked. Decisions:
#
# - The audit itself is what is counted, so the bound holds over restarts and replicas.
# - A search that is refused for it is not recorded: somebody who goes on pressing shall not fill the chain.
# - A record names how many numbers were looked for and how they end, which the answer shows as well.

MOST: Final = 30
"""Numbers that one person may look for …"""
WITHIN: Final = timedelta(hours=1)
"""… in any time as long as this."""


class NumberRecord:
    """The one way to a search for numbers."""

    def __init__(self, records: Records, *, now: Callable[[], datetime]) -> None:
        self._records, self._now = records, now
        self._turn = asyncio.Lock()  # counted and written as one: guesses at the same moment do not all pass the bound

    async def write(self, operator: Operator, numbers: Sequence[Number]) -> None:
        """Write down the search. Raises ``TooManySearches``, or ``LedgerUnavailable``: then nothing may be looked
        for.
        """
        async with self._turn:
            now = self._now()
            before = await self._records.records(
                RecordQuery(who=operator.person.id, what=RecordKind.SEARCHED, since=now - WITHIN, limit=MOST)
            )
            counts = [int(entry.record.detail.get("numbers") or 0) for entry in before]
            if sum(counts) + len(numbers) > MOST:
                raise TooManySearches(MOST, before[-1].record.at + WITHIN)
            detail: dict[str, str | int | bool | None] = {
                "numbers": len(numbers),
                "endings": ", ".join(number.ending for number in numbers),
                "because": operator.decide(Permission.VIEW).because,
            }
            key = f"searched:{secrets.token_hex(16)}"
            who, channel = operator.person.id, operator.channel
            await self._records.record(Record(key, now, RecordKind.SEARCHED, who, channel, None, detail=detail))


# ---------------------------------------------------------------- call trace
# Trace calls to the activeflows they lead to, as far as these can be read in time.
#
# A call runs for one activeflow; a leg that another call placed, for that one's; and what comes after an activeflow and
# still runs for the same call (its on-complete flow) names that call, and not the other way round. What runs is known
# from the picture; of the rest only so many are read, the newest.

MOST_READ: Final = 10
"""Activeflows, and calls that placed others, which are read one by one."""


@dataclass(frozen=True, slots=True)
class TracedCalls:
    """Where the calls led."""

    activeflows: tuple[tuple[Activeflow, Match], ...]
    unread: int
    """Activeflows that do not run, as far as is known, and were not read."""
    without: int
    """Calls that run for no activeflow, or for one that is not known."""
    calls: tuple[CallFound, ...] = ()
    """The same calls, with the activeflow that each runs for, as far as is known."""


async def traced(voipbin: VoIPBIN, calls: Sequence[CallFound], picture: Picture, *, within: float) -> TracedCalls:
    """Follow the calls to their activeflows. ``calls``: newest first. ``within``: seconds each look-up may take."""
    owned = await _owned(voipbin, calls, within)
    here = {activeflow.id: activeflow for activeflow in picture.activeflows}
    matches = by_calls(owned, picture.activeflows)
    elsewhere = [id_ for id_ in matches if id_ not in here][:MOST_READ]
    reads = await asyncio.gather(*(in_time(partial(voipbin.activeflow, id_), within) for id_ in elsewhere))
    here.update({read.value.id: read.value for read in reads if read.value is not None})
    return TracedCalls(
        activeflows=tuple((here[id_], match) for id_, match in matches.items() if id_ in here),
        unread=sum(1 for id_ in matches if id_ not in here),
        without=sum(1 for call in owned if call.activeflow_id is None),
        calls=tuple(owned),
    )


async def _owned(voipbin: VoIPBIN, calls: Sequence[CallFound], within: float) -> list[CallFound]:
    """Return them with the activeflow of the call that placed each, also where that one was not among those looked
    through.
    """
    unknown = {call.owner_id: None for call in calls if call.leg and call.activeflow_id is None}
    asked = list(unknown)[:MOST_READ]
    reads = await asyncio.gather(*(in_time(partial(voipbin.call, id_), within) for id_ in asked))
    known: dict[UUID, UUID | None] = {
        id_: read.value.activeflow_id for id_, read in zip(asked, reads, strict=True) if read.value is not None
    }
    return [replace(call, activeflow_id=call.activeflow_id or known.get(call.owner_id)) for call in calls]


# ---------------------------------------------------------------- number search


@dataclass(frozen=True, slots=True)
class NumberMatches:
    """The activeflows, why each is there, and the calls that were looked through with those found that are shown."""

    activeflows: tuple[tuple[Activeflow, Match], ...]
    calls: CallsLooked
    unread: int = 0
    without: int = 0


async def shown(
    voipbin: VoIPBIN, operator: Operator, calls: CallsLooked, picture: Picture, *, within: float
) -> NumberMatches:
    """Return what this person may be shown. ``within``: seconds each look-up may take."""
    by_ending = operator.may(Permission.REVEAL)
    led = await traced(voipbin, [call for call in calls.found if call.whole or by_ending], picture, within=within)
    may_view = {activeflow.id for activeflow in visible(voipbin, operator, [a for a, _ in led.activeflows])}
    activeflows = tuple(
        (activeflow, match)
        for activeflow, match in led.activeflows
        if activeflow.id in may_view and _in_whole(operator, activeflow, match)
    )
    if operator.may(Permission.VIEW, None) and (
        operator.may(Permission.REVEAL, None) or all(call.whole for call in led.calls)
    ):  # nothing is hidden from them
        return NumberMatches(activeflows, replace(calls, found=led.calls), led.unread, led.without)
    known: set[UUID | None] = {activeflow.id for activeflow, _ in activeflows}
    known |= {match.call.id for _, match in activeflows if match.call is not None}
    found = tuple(call for call in led.calls if call.id in known or call.activeflow_id in known)
    return NumberMatches(activeflows, replace(calls, found=found))


def _in_whole(operator: Operator, activeflow: Activeflow, match: Match) -> bool:
    return match.call is None or match.call.whole or operator.may(Permission.REVEAL, activeflow.flow_id)

"""Trace calls to the activeflows they lead to, as far as these can be read in time.

A call runs for one activeflow; a leg that another call placed, for that one's; and what comes after an activeflow and
still runs for the same call (its on-complete flow) names that call, and not the other way round. What runs is known from the
picture; of the rest only so many are read, the newest.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final
from uuid import UUID

from bot.activeflows.callers import CallFound
from bot.activeflows.model import Activeflow, Picture
from bot.activeflows.ports import VoIPBIN
from bot.activeflows.queries.inspection import in_time
from bot.activeflows.search.ranking import Match, by_calls

MOST_READ: Final = 10
"""Activeflows, and calls that placed others, which are read one by one."""


@dataclass(frozen=True, slots=True)
class Traced:
    """Where the calls led."""

    activeflows: tuple[tuple[Activeflow, Match], ...]
    unread: int
    """Activeflows that do not run, as far as is known, and were not read."""
    without: int
    """Calls that run for no activeflow, or for one that is not known."""
    calls: tuple[CallFound, ...] = ()
    """The same calls, with the activeflow that each runs for, as far as is known."""


async def traced(voipbin: VoIPBIN, calls: Sequence[CallFound], picture: Picture, *, within: float) -> Traced:
    """``calls``: newest first. ``within``: seconds each look-up may take."""
    owned = await _owned(voipbin, calls, within)
    here = {activeflow.id: activeflow for activeflow in picture.activeflows}
    matches = by_calls(owned, picture.activeflows)
    elsewhere = [id_ for id_ in matches if id_ not in here][:MOST_READ]
    reads = await asyncio.gather(*(in_time(partial(voipbin.activeflow, id_), within) for id_ in elsewhere))
    here.update({read.value.id: read.value for read in reads if read.value is not None})
    return Traced(
        activeflows=tuple((here[id_], match) for id_, match in matches.items() if id_ in here),
        unread=sum(1 for id_ in matches if id_ not in here),
        without=sum(1 for call in owned if call.activeflow_id is None),
        calls=tuple(owned),
    )


async def _owned(voipbin: VoIPBIN, calls: Sequence[CallFound], within: float) -> list[CallFound]:
    """With the activeflow of the call that placed each, also where that one was not among those looked through."""
    unknown = {call.owner_id: None for call in calls if call.leg and call.activeflow_id is None}
    asked = list(unknown)[:MOST_READ]
    reads = await asyncio.gather(*(in_time(partial(voipbin.call, id_), within) for id_ in asked))
    known: dict[UUID, UUID | None] = {
        id_: read.value.activeflow_id for id_, read in zip(asked, reads, strict=True) if read.value is not None
    }
    return [replace(call, activeflow_id=call.activeflow_id or known.get(call.owner_id)) for call in calls]

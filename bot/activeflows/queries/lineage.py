"""Find the activeflows that came before and after one.

VoIPBIN starts an activeflow when another one ends (its on-complete flow), or when a recording or a transcript of it is done;
the new one names the old one (``reference_activeflow_id``), the old one names nobody. A flow that is entered by a step
stays in the same activeflow and is no relative. https://api.voipbin.net/docs/activeflow_overview.html

Promises: of a relative that this person may not view nothing is told but that it is there; what could not be looked up in
time is said as not known, and never as absent.

Decision: what comes after an end is created within moments of it, so it is looked for among the activeflows created last
before just after that end: one request, however long ago it was. What runs is looked for in the index, for nothing.
"""

import asyncio
import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum, auto
from functools import partial
from typing import Final, TypeAlias
from uuid import UUID

from bot.activeflows.errors import BotError, NotFound, NotOurs
from bot.activeflows.model import Activeflow
from bot.activeflows.operators import Operator
from bot.activeflows.ports import Live, Past, VoIPBIN
from bot.activeflows.queries.inspection import in_time
from bot.activeflows.queries.lookups import flows
from bot.activeflows.queries.resolution import visible

MOST: Final = 3
"""Children that are told of one by one."""
_SOON: Final = timedelta(seconds=10)
"""What an end starts was created by then."""


class Unshown(Enum):
    """Why nothing is told of a relative."""

    HIDDEN = auto()  # this person may not view it here
    GONE = auto()
    NOT_KNOWN = auto()


@dataclass(frozen=True, slots=True)
class Relative:
    """Another activeflow. ``flow_name`` is ``None`` when it has no flow or its name is not known."""

    activeflow: Activeflow
    flow_name: str | None


@dataclass(frozen=True, slots=True)
class Family:
    """Parent and children, newest child first."""

    parent: Relative | Unshown | None = None
    """``None``: it came after nobody."""
    children: tuple[Relative, ...] = ()
    more: int = 0
    """Children that may be viewed and are not among these."""
    hidden: int = 0
    """Children that may not."""
    looked: bool | None = None
    """Whether what began after its end was looked through: ``None`` when nothing was to begin, or it has not ended."""


_Found: TypeAlias = tuple[list[Activeflow], bool | None]


async def family_of(
    voipbin: VoIPBIN, past: Past | None, live: Live | None, operator: Operator, activeflow: Activeflow, *, within: float
) -> Family:
    """All look-ups together get ``within`` seconds. ``operator`` may view the activeflow itself."""
    clock = asyncio.get_running_loop().time
    until = clock() + within
    async with asyncio.TaskGroup() as asking:
        parent = asking.create_task(_parent(voipbin, operator, activeflow.parent_id, within))
        held = asking.create_task(_held(live, activeflow.id, within))
        after = asking.create_task(_after(past, activeflow, within))
    begun, looked = after.result()
    children = _newest_first((*held.result(), *begun))
    shown = visible(voipbin, operator, children)
    above = parent.result()
    told = [*shown[:MOST], *([above] if isinstance(above, Activeflow) else [])]
    names = await flows(voipbin, (one.flow_id for one in told), within=max(until - clock(), 0))

    def relative(one: Activeflow) -> Relative:
        flow = names.get(one.flow_id) if one.flow_id is not None else None
        return Relative(one, flow.name if flow is not None else None)

    return Family(
        parent=relative(above) if isinstance(above, Activeflow) else above,
        children=tuple(relative(one) for one in shown[:MOST]),
        more=max(len(shown) - MOST, 0),
        hidden=len(children) - len(shown),
        looked=looked,
    )


async def _parent(
    voipbin: VoIPBIN, operator: Operator, parent_id: UUID | None, within: float
) -> Activeflow | Unshown | None:
    if parent_id is None:
        return None
    try:
        async with asyncio.timeout(within):
            parent = await voipbin.activeflow(parent_id)
    except NotFound:
        return Unshown.GONE
    except NotOurs:
        return Unshown.HIDDEN
    except (BotError, TimeoutError):
        return Unshown.NOT_KNOWN
    return parent if visible(voipbin, operator, [parent]) else Unshown.HIDDEN


async def _held(live: Live | None, activeflow_id: UUID, within: float) -> list[Activeflow]:
    """Its children among what runs, as far as that is held; nothing is read for it."""
    if live is None:
        return []
    picture = (await in_time(partial(live.running, max_age=math.inf), within)).value
    return [one for one in picture.activeflows if one.parent_id == activeflow_id] if picture is not None else []


async def _after(past: Past | None, activeflow: Activeflow, within: float) -> _Found:
    """What its end started, and whether all that began then could be looked through."""
    if past is None or not activeflow.ended or activeflow.on_complete_flow_id is None:
        return [], None
    if activeflow.updated_at is None:
        return [], False
    begun = (await in_time(partial(past.begun_before, activeflow.updated_at + _SOON), within)).value
    if begun is None:
        return [], False
    oldest = min((one.created_at for one in begun if one.created_at is not None), default=None)
    reached = oldest is not None and oldest < activeflow.updated_at  # as it was created itself, it is among them
    return [one for one in begun if one.parent_id == activeflow.id], reached


def _newest_first(found: Iterable[Activeflow]) -> list[Activeflow]:
    """Each once, as it was told last."""
    latest = {one.id: one for one in found}
    return sorted(latest.values(), key=lambda one: (-one.created_at.timestamp() if one.created_at else 0.0, one.id))

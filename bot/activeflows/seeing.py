"""Looking at one activeflow with everything a person should know before stopping it, in bounded time.

Names and callers are courtesies: a look-up that is slow or fails is said as unknown and never holds up a stop.
"""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from bot.activeflows.consequences import consequences
from bot.activeflows.errors import BotError
from bot.activeflows.model import Activeflow, Call, Flow
from bot.activeflows.ports import VoIPBIN
from bot.activeflows.situation import Situation, queues_named, situation
from bot.activeflows.stops import Seen

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Sight:
    """An activeflow with what belongs to it. ``None``: there is none, or it could not be looked up in time."""

    activeflow: Activeflow
    situation: Situation
    flow: Flow | None
    on_complete: Flow | None
    call: Call | None
    effects: tuple[str, ...]
    """What stopping it would do, most serious first."""

    @property
    def flow_name(self) -> str:
        return self.flow.name if self.flow else ""


async def look_at(voipbin: VoIPBIN, activeflow: Activeflow, *, now: datetime, within: float) -> Sight:
    """All look-ups at once, each given ``within`` seconds."""
    queues = tuple(queues_named(activeflow))
    call_id = activeflow.reference.id if activeflow.reference.is_call else None
    flow, on_complete, call, *names = await asyncio.gather(
        _in_time(voipbin.flow(activeflow.flow_id), within) if activeflow.flow_id else _none(),
        _in_time(voipbin.flow(activeflow.on_complete_flow_id), within) if activeflow.on_complete_flow_id else _none(),
        _in_time(voipbin.call(call_id), within) if call_id else _none(),
        *(_in_time(voipbin.queue_name(queue), within) for queue in queues),
    )
    known: dict[UUID, str | None] = dict(zip(queues, names, strict=True))
    doing = situation(activeflow, flow=flow, name_of=known.get)
    effects = consequences(activeflow, situation=doing, call=call, on_complete=on_complete, now=now)
    return Sight(activeflow, doing, flow, on_complete, call, tuple(effects))


def as_seen(sight: Sight) -> Seen:
    """What a stop card keeps of it."""
    activeflow = sight.activeflow
    return Seen(
        flow_name=sight.flow_name,
        kind=sight.situation.kind,
        words=sight.situation.words,
        consequences=sight.effects,
        reference_type=activeflow.reference.type,
        call_id=activeflow.reference.id if activeflow.reference.is_call else None,
        on_complete=sight.on_complete.name if sight.on_complete else "",
        on_complete_flow_id=activeflow.on_complete_flow_id,
        created_at=activeflow.created_at,
    )


async def _in_time(look_up: Awaitable[T], seconds: float) -> T | None:
    try:
        async with asyncio.timeout(seconds):
            return await look_up
    except (BotError, TimeoutError):
        return None


async def _none() -> None:
    return None

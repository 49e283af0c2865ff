"""Inspect one activeflow with all that a person should know before stopping it, in bounded time.

Names and callers are courtesies: a look-up that is slow or fails is said as unknown and never holds up a stop.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final, Generic, TypeVar
from uuid import UUID

from bot.activeflows.errors import BotError
from bot.activeflows.model import Activeflow, Call, Flow
from bot.activeflows.ports import VoIPBIN
from bot.activeflows.queries.consequences import consequences
from bot.activeflows.situation.current_step import Situation, queues_named, situation
from bot.activeflows.situation.loops import last_lap

_MENU: Final = {"digits", "talk", "play", "sleep"}
"""Kinds of situation in which the flow itself speaks to a caller, or listens."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What somebody was shown before pressing: the stop is bound to this."""

    flow_name: str
    kind: str
    """``Situation.kind``; what asks once more is in ``as_it_was``."""
    words: str
    consequences: tuple[str, ...]
    reference_type: str
    call_id: UUID | None
    on_complete: str
    """Name of the flow that starts when this one ends; empty when none does."""
    on_complete_flow_id: UUID | None
    created_at: datetime | None
    circle: tuple[UUID, ...] = ()
    """The steps it went round in, by id, when it did and nobody was with the caller."""
    wrong: str = ""
    """The word of ``filters.WRONG`` it was listed for: that has still to be so."""


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
    queues = queues_named(activeflow)
    flow_id, next_id = activeflow.flow_id, activeflow.on_complete_flow_id
    call_id = activeflow.reference.id if activeflow.reference.is_call else None
    async with asyncio.TaskGroup() as asking:
        flow = asking.create_task(in_time(partial(voipbin.flow, flow_id) if flow_id else None, within))
        on_complete = asking.create_task(in_time(partial(voipbin.flow, next_id) if next_id else None, within))
        call = asking.create_task(in_time(partial(voipbin.call, call_id) if call_id else None, within))
        names = {queue: asking.create_task(in_time(partial(voipbin.queue_name, queue), within)) for queue in queues}
    known = {queue: name.result().value for queue, name in names.items()}
    definition = flow.result().value
    doing = situation(activeflow, flow=definition, name_of=known.get)
    effects = consequences(
        activeflow,
        situation=doing,
        now=now,
        call=call.result().value,
        looked_up=call.result().answered,
        on_complete=on_complete.result().value,
    )
    return Sight(activeflow, doing, definition, on_complete.result().value, call.result().value, effects)


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
        circle=circle_of(activeflow, sight.situation),
    )


def circle_of(activeflow: Activeflow, doing: Situation) -> tuple[UUID, ...]:
    """For ``Seen``. Empty in a queue, with an agent, another party, a conference or an AI: there going round is no circle."""
    alone = doing.kind in _MENU or doing.kind.startswith("action.")
    return tuple(sorted({action.id for action in last_lap(activeflow)})) if alone else ()


def as_it_was(seen: Seen, activeflow: Activeflow, doing: Situation) -> bool:
    """Is it still what was shown? So is mere progress: in the same kind of situation, in the menu, or in the same circle.

    A menu speaks and listens by turns, every few seconds: were each turn a move, nearly every press would be asked about
    once more, people would learn to press twice without reading, and a bulk stop would skip nearly everybody.
    """
    in_menu = doing.kind in _MENU and seen.kind in _MENU
    return doing.kind == seen.kind or in_menu or not set(seen.circle).isdisjoint(circle_of(activeflow, doing))


@dataclass(frozen=True, slots=True)
class _LookedUp(Generic[T]):
    value: T | None = None
    answered: bool = False


async def in_time(look_up: Callable[[], Awaitable[T | None]] | None, seconds: float) -> _LookedUp[T]:
    """Ask within so many seconds. Not even the question is made before: who is cancelled until then leaves none behind."""
    if look_up is None:
        return _LookedUp()
    try:
        async with asyncio.timeout(seconds):
            return _LookedUp(await look_up(), answered=True)
    except (BotError, TimeoutError):
        return _LookedUp()

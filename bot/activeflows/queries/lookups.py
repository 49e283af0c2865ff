"""Look up what runs, and names of flows and queues, several at once, in bounded time.

Only what VoIPBIN answered in time is in the result: a missing key means "not known", ``None`` means "there is none".
"""

import asyncio
import math
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, TypeAlias
from uuid import UUID

from bot.activeflows.model import Activeflow, Flow, Picture, number_of
from bot.activeflows.ports import Live, VoIPBIN
from bot.activeflows.queries.inspection import in_time
from bot.activeflows.situation.action_words import option_id
from bot.activeflows.situation.current_step import Situation, queues_named, situation

MOST: Final = 200
"""Different flows (or queues) looked up at once."""
_BREATH: Final = 20
Flows: TypeAlias = Mapping[UUID, Flow | None]
"""Definitions by id; ``None``: there is no such flow (any more). What is not in it is not known."""


async def in_turns(activeflows: Sequence[Activeflow]) -> AsyncIterator[Activeflow]:
    """One by one; now and then others on the event loop get their turn."""
    for number, activeflow in enumerate(activeflows, 1):
        yield activeflow
        if number % _BREATH == 0:
            await asyncio.sleep(0)


async def pictured(voipbin: VoIPBIN, live: Live | None, *, max_age: float) -> Picture:
    """What runs, from memory where it is kept; else what VoIPBIN's list tells, with what ended."""
    picture = await live.running(max_age=max_age) if live is not None else None
    return picture or await voipbin.picture(max_age=max_age)


async def pictured_soon(voipbin: VoIPBIN, live: Live | None, *, max_age: float, within: float) -> Picture:
    """As it is in memory; while it has to be read again that is waited for so many seconds, then the last one will do."""
    picture = None
    if live is not None:
        try:
            async with asyncio.timeout(within):
                picture = await live.running(max_age=max_age)
        except TimeoutError:
            picture = await live.running(max_age=math.inf)
    return picture or await voipbin.picture(max_age=max_age)


async def flows(voipbin: VoIPBIN, ids: Iterable[UUID | None], *, within: float) -> dict[UUID, Flow | None]:
    """The definitions of these flows; each look-up gets ``within`` seconds."""
    asked = list({number_of(id_): id_ for id_ in ids if id_ is not None}.values())[:MOST]
    answers = await asyncio.gather(*(in_time(partial(voipbin.flow, id_), within) for id_ in asked))
    return {id_: answer.value for id_, answer in zip(asked, answers, strict=True) if answer.answered}


def flow_of(activeflow: Activeflow, known: Flows) -> Flow | None:
    """Its flow's definition, as far as that is known."""
    return known.get(activeflow.flow_id) if activeflow.flow_id is not None else None


async def queue_names(voipbin: VoIPBIN, ids: Iterable[UUID], *, within: float) -> dict[UUID, str | None]:
    """The names of these queues; each look-up gets ``within`` seconds."""
    asked = list(dict.fromkeys(ids))[:MOST]
    answers = await asyncio.gather(*(in_time(partial(voipbin.queue_name, id_), within) for id_ in asked))
    return {id_: answer.value for id_, answer in zip(asked, answers, strict=True) if answer.answered}


async def names_in(voipbin: VoIPBIN, activeflow: Activeflow, *, within: float) -> dict[UUID, str | None]:
    """The queues and flows its steps speak of."""
    steps = (*activeflow.executed, activeflow.current)
    queues = [found for step in steps if (found := option_id(step, "queue_id")) is not None]
    entered = [found for step in steps if (found := option_id(step, "flow_id")) is not None]
    definitions, names = await asyncio.gather(
        flows(voipbin, entered, within=within), queue_names(voipbin, queues, within=within)
    )
    return {**{id_: flow.name if flow else None for id_, flow in definitions.items()}, **names}


@dataclass(frozen=True, slots=True)
class Doing:
    """What one does now; ``flow_name`` is empty when it has no flow, or its name is not known."""

    situation: Situation
    flow_name: str


async def what_it_does(voipbin: VoIPBIN, activeflow: Activeflow, *, within: float) -> Doing:
    """Its situation, with the names that could be had; the look-ups get ``within`` seconds, one after the other."""
    known = await flows(voipbin, [activeflow.flow_id], within=within)
    flow = flow_of(activeflow, known)
    names = await queue_names(voipbin, queues_named(activeflow, flow=flow), within=within)
    return Doing(situation(activeflow, flow=flow, name_of=names.get), flow.name if flow else "")

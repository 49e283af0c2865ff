"""Names of flows and queues, several at once, in bounded time.

Only what VoIPBIN answered in time is in the result: a missing key means "not known", ``None`` means "there is none".
"""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from bot.activeflows.model import Activeflow, Flow
from bot.activeflows.ports import VoIPBIN
from bot.activeflows.seeing import in_time
from bot.activeflows.situation import Situation, queues_named, situation
from bot.activeflows.wording import option_id

MOST: Final = 200
"""Different flows (or queues) looked up at once."""


async def flows(voipbin: VoIPBIN, ids: Iterable[UUID | None], *, within: float) -> dict[UUID, Flow | None]:
    """The definitions of these flows; each look-up gets ``within`` seconds."""
    asked = [id_ for id_ in dict.fromkeys(ids) if id_ is not None][:MOST]
    answers = await asyncio.gather(*(in_time(voipbin.flow(id_), within) for id_ in asked))
    return {id_: answer.value for id_, answer in zip(asked, answers, strict=True) if answer.answered}


async def queue_names(voipbin: VoIPBIN, ids: Iterable[UUID], *, within: float) -> dict[UUID, str | None]:
    """The names of these queues; each look-up gets ``within`` seconds."""
    asked = list(dict.fromkeys(ids))[:MOST]
    answers = await asyncio.gather(*(in_time(voipbin.queue_name(id_), within) for id_ in asked))
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
    flow = known.get(activeflow.flow_id) if activeflow.flow_id is not None else None
    names = await queue_names(voipbin, queues_named(activeflow, flow=flow), within=within)
    return Doing(situation(activeflow, flow=flow, name_of=names.get), flow.name if flow else "")

"""Describe activeflows as the lines of a list: flow's name, what it is doing, what is wrong with it.

Names are looked up for the rows that are asked for only; a look-up that is slow or fails leaves its row without the name.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import chain
from uuid import UUID

from bot.activeflows.anomalies.anomaly import Trouble
from bot.activeflows.anomalies.detector import AnomalyDetector, may_be_stale
from bot.activeflows.model import Activeflow, Call, Flow
from bot.activeflows.ports import VoIPBIN
from bot.activeflows.queries.inspection import in_time
from bot.activeflows.queries.lookups import flow_of, flows, queue_names
from bot.activeflows.situation.current_step import Situation, queues_named, situation


@dataclass(frozen=True, slots=True)
class Row:
    """One activeflow on screen. ``flow_name`` is ``None`` when it has no flow or its name is not known."""

    activeflow: Activeflow
    situation: Situation
    flow_name: str | None
    troubles: tuple[Trouble, ...] = ()


class Rows:
    """Makes rows; ``within``: seconds each look-up may take."""

    def __init__(
        self, voipbin: VoIPBIN, judging: AnomalyDetector, now: Callable[[], datetime], *, within: float
    ) -> None:
        self._voipbin, self._judging, self._now, self._within = voipbin, judging, now, within

    async def of(self, activeflows: Sequence[Activeflow]) -> tuple[Row, ...]:
        """These, in their order."""
        known = await flows(self._voipbin, (a.flow_id for a in activeflows), within=self._within)
        queues = chain.from_iterable(queues_named(a, flow=flow_of(a, known)) for a in activeflows)
        names, calls = await asyncio.gather(
            queue_names(self._voipbin, queues, within=self._within), self._calls_of_the_old(activeflows)
        )
        return tuple(self._row(each, flow_of(each, known), names, calls.get(each.id)) for each in activeflows)

    async def _calls_of_the_old(self, activeflows: Sequence[Activeflow]) -> dict[UUID, Call | None]:
        """The calls of those that are older than any call can be; asked for what is on screen only."""
        now = self._now()
        old = {a.id: a.reference.id for a in activeflows if a.reference.id is not None and may_be_stale(a, now)}
        looks = (in_time(partial(self._voipbin.call, call_id), self._within) for call_id in old.values())
        return {id_: look.value for id_, look in zip(old, await asyncio.gather(*looks), strict=True)}

    def _row(
        self, activeflow: Activeflow, flow: Flow | None, names: Mapping[UUID, str | None], call: Call | None
    ) -> Row:
        doing = situation(activeflow, flow=flow, name_of=names.get)
        wrong = self._judging.of(activeflow, doing, self._now(), call=call)
        return Row(activeflow, doing, flow.name if flow else None, wrong)

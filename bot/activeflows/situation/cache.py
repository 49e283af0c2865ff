"""Cache what each of many activeflows is doing, worked out once for every version of it.

Filtering thousands by what they do would otherwise work it all out again for every page that is turned. Promises: the same
as ``situation`` without names; others on the event loop get their turn; what is remembered is bounded, and a small part
of what runs does not push out the rest.
"""

import asyncio
from collections.abc import Iterable, Mapping
from typing import Final
from uuid import UUID

from bot.activeflows.model import Activeflow, Flow, number_of
from bot.activeflows.situation.current_step import Situation, situation

MOST: Final = 20_000
_BREATH: Final = 20
"""Situations worked out before others on the event loop get their turn."""


class Doings:
    """Situations by activeflow."""

    def __init__(self) -> None:
        self._last: dict[int, tuple[Activeflow, Flow | None, Situation]] = {}

    async def of(self, activeflows: Iterable[Activeflow], flows: Mapping[UUID, Flow | None]) -> list[Situation]:
        """In the same order; ``flows``: their definitions by id, as far as they are known."""
        found, new = dict[int, tuple[Activeflow, Flow | None, Situation]](), 0
        known = {number_of(id_): flow for id_, flow in flows.items()}
        for activeflow in activeflows:
            flow, id_ = known.get(number_of(activeflow.flow_id)), number_of(activeflow.id)
            last = self._last.get(id_)
            if last is None or last[0] is not activeflow or not (last[1] is flow or last[1] == flow):
                last = (activeflow, flow, situation(activeflow, flow=flow))
                new += 1
                if new % _BREATH == 0:
                    await asyncio.sleep(0)
            found[id_] = last
        if 2 * len(found) >= len(self._last) or len(self._last) > MOST:
            self._last = found
        else:
            self._last |= found
        return [doing for _, _, doing in found.values()]

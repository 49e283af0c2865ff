"""Cache what each of many activeflows is doing, worked out once for every version of it.

Filtering thousands by what they do would otherwise work it all out again for every page that is turned. Promises: the same
as ``situation`` without names; others on the event loop get their turn; what is remembered is bounded, and a small part
of what runs does not push out the rest.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, cast
from uuid import UUID

from bot.activeflows.model import Activeflow, Flow, number_of
from bot.activeflows.situation.current_step import Situation, situation

MOST: Final = 20_000
_BREATH: Final = 20
"""Situations worked out before others on the event loop get their turn."""


@dataclass(slots=True, eq=False)
class _Known:
    activeflow: Activeflow
    flow_number: int
    flow: Flow | None
    doing: Situation


class Doings:
    """Situations by activeflow."""

    def __init__(self) -> None:
        self._last: dict[int, _Known] = {}
        """By the activeflow's id."""
        self._by_object: dict[int, _Known] = {}
        """The same by the object, which C compares; it is held, so that no other one gets its number."""

    async def of(self, activeflows: Sequence[Activeflow], flows: Mapping[UUID, Flow | None]) -> list[Situation]:
        """In the same order; ``flows``: their definitions by id, as far as they are known."""
        definitions = {number_of(id_): flow for id_, flow in flows.items()}
        known: list[_Known | None] = list(map(self._by_object.get, map(id, activeflows)))
        defined = definitions.get
        changed = [n for n, one in enumerate(known) if one is None or one.flow is not defined(one.flow_number)]
        for worked, number in enumerate(changed, 1):
            known[number] = self._kept(activeflows[number], known[number], definitions)
            if worked % _BREATH == 0:
                await asyncio.sleep(0)
        found = cast("list[_Known]", known)
        if changed:
            self._forget_others(found)
        return [one.doing for one in found]

    def _kept(self, activeflow: Activeflow, known: _Known | None, definitions: Mapping[int, Flow | None]) -> _Known:
        number = number_of(activeflow.flow_id)
        flow = definitions.get(number)
        if known is not None and known.flow == flow:  # read again, and the same
            known.flow = flow
            return known
        before = self._last.get(activeflow.id.int)
        if before is not None:
            self._by_object.pop(id(before.activeflow), None)
        one = _Known(activeflow, number, flow, situation(activeflow, flow=flow))
        self._last[activeflow.id.int] = self._by_object[id(activeflow)] = one
        return one

    def _forget_others(self, found: list[_Known]) -> None:
        held = len(self._last)
        if held > MOST or (held > len(found) + len(found) // 4 and held <= 2 * len(found)):
            self._last = {one.activeflow.id.int: one for one in found}
            self._by_object = {id(one.activeflow): one for one in found}

"""Remember what flows and queues are called for some minutes.

Promises: each thing is asked for once at a time, "there is none" is remembered more briefly than a name, a failure is
not remembered at all, and the memory is bounded: the entry that was asked for longest ago goes first.
"""

from collections import OrderedDict
from collections.abc import Callable, Coroutine
from typing import Any, Final, Generic, TypeVar
from uuid import UUID

from bot.voipbin.http.credential import SingleFlight

V = TypeVar("V")

KEPT_FOR: Final = 300.0
ABSENT_KEPT_FOR: Final = 30.0
"""Seconds. Short, because a flow may be created, or readable again, a moment later."""
ROOM: Final = 2048


class NameCache(Generic[V]):
    """Answers by id, each good for a while."""

    def __init__(
        self, look_up: Callable[[UUID], Coroutine[Any, Any, V | None]], *, clock: Callable[[], float], room: int = ROOM
    ) -> None:
        self._look_up = look_up
        self._clock = clock
        self._room = room
        self._kept: OrderedDict[UUID, tuple[float, V | None]] = OrderedDict()
        self._single_flight: SingleFlight[UUID, V | None] = SingleFlight()

    def kept(self, key: UUID) -> tuple[V | None] | None:
        """Return the answer that is still good, as the only element, if there is one."""
        kept = self._kept.get(key)
        if kept is None or self._clock() >= kept[0]:
            return None
        self._kept.move_to_end(key)
        return (kept[1],)

    async def get(self, key: UUID) -> V | None:
        kept = self.kept(key)
        return kept[0] if kept is not None else await self._single_flight.share(key, lambda: self._ask(key))

    async def close(self) -> None:
        await self._single_flight.land()

    async def _ask(self, key: UUID) -> V | None:
        found = await self._look_up(key)
        self._kept[key] = (self._clock() + (ABSENT_KEPT_FOR if found is None else KEPT_FOR), found)
        self._kept.move_to_end(key)
        while len(self._kept) > self._room:
            self._kept.popitem(last=False)
        return found

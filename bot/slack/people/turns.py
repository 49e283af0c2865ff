"""Share turns among people: so many at once, so many for each, and those who wait in a circle of people.

Whoever asks for a hundred turns waits behind themselves; somebody who asks for one goes with the next that is free.
"""

import asyncio
from collections import Counter, OrderedDict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Turns:
    """``at_once`` turns in all, ``each`` of them at most for one person."""

    def __init__(self, at_once: int, each: int) -> None:
        self._free, self._each = at_once, each
        self._taken: Counter[str] = Counter()
        self._waiting: OrderedDict[str, deque[asyncio.Future[None]]] = OrderedDict()

    @property
    def taken(self) -> int:
        """Turns that are held now."""
        return self._taken.total()

    @asynccontextmanager
    async def turn(self, who: str, *, within: float) -> AsyncIterator[None]:
        """Wait for a turn and hold it while the block lasts. Raises ``TimeoutError`` when none came in so many seconds."""
        go = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(who, deque()).append(go)
        self._give()
        try:
            async with asyncio.timeout(within):
                await go
        except BaseException:
            if go.done() and not go.cancelled():
                self._back(who)
            else:
                self._forget(who, go)
            raise
        try:
            yield
        finally:
            self._back(who)

    def _give(self) -> None:
        for who in list(self._waiting):
            if self._free == 0:
                return
            if self._taken[who] >= self._each:
                continue
            queue = self._waiting[who]
            while queue and queue[0].cancelled():  # gave up, and has not noticed yet
                queue.popleft()
            if queue:
                queue.popleft().set_result(None)
                self._free -= 1
                self._taken[who] += 1
            if queue:
                self._waiting.move_to_end(who)
            else:
                del self._waiting[who]

    def _back(self, who: str) -> None:
        self._free += 1
        self._taken -= Counter((who,))  # which forgets what is at zero
        self._give()

    def _forget(self, who: str, go: "asyncio.Future[None]") -> None:
        queue = self._waiting.get(who, deque())
        if go in queue:  # else it was dropped when a turn was given
            queue.remove(go)
            if not queue:
                del self._waiting[who]

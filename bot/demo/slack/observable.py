"""How everybody who waits for a change of the workspace learns of it at once."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class Observable:
    """Something that rings a bell at each change; `version` counts them."""

    def __init__(self) -> None:
        self.version = 0
        self._bell = asyncio.Event()

    def dump(self) -> str:
        """Return what it is like now, in words, for whoever waited in vain."""
        raise NotImplementedError

    def changed(self) -> None:
        """Wake everybody who waits for a change."""
        self.version += 1
        bell, self._bell = self._bell, asyncio.Event()
        bell.set()

    async def next_change(self, seconds: float | None = None) -> bool:
        """Wait for the next change. Return False when `seconds` passed without one."""
        try:
            await asyncio.wait_for(self._bell.wait(), seconds)
        except TimeoutError:
            return False
        return True

    async def until(self, condition: Callable[[], T | bool | None], *, seconds: float = 30) -> T:
        """Wait until `condition` returns something true, and return that; a LookupError inside it means "not yet".

        Wakes on every change of the workspace; for conditions that also ask elsewhere it looks again every 50 ms.
        Raises AssertionError with a dump of what people see when `seconds` have passed.
        """
        last = asyncio.get_running_loop().time() + seconds
        while True:
            found = _tried(condition)
            if found is not None and found is not False:
                return found  # type: ignore[return-value]  # True comes back as T = bool
            if asyncio.get_running_loop().time() >= last:
                raise AssertionError(f"not seen within {seconds} s; what people see now:\n{self.dump()}")
            await self.next_change(0.05)


def _tried(condition: Callable[[], T | bool | None]) -> T | bool | None:
    try:
        return condition() or None
    except LookupError:
        return None

"""Read the bodies of deliveries with a bound: in bytes, in time, and in how many long ones are held at once.

Slack's clicks carry 10 to 50 kB, and a shortcut on a long message half a megabyte: a body of up to 2 MB is taken, but only
when the headers look like a fresh signature of Slack's, and only sixteen such at a time, because anybody can send them.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Final

from starlette.requests import ClientDisconnect, Request

LARGEST: Final = 2 * 2**20
"""Bytes of a body."""
WITHIN: Final = 5.0
"""Seconds in which a body has to arrive. Slack itself waits three for everything."""
_LONG: Final = 256 * 1024
_LONG_ONES: Final = 16


class BodyRefused(Exception):
    """The body is not taken, and why; ``status`` is what the sender is told."""

    def __init__(self, why: str, status: int) -> None:
        super().__init__(why)
        self.status = status


class Bodies:
    """All bodies that are read just now."""

    def __init__(self, *, within: float = WITHIN) -> None:
        self._within, self._long = within, 0

    @asynccontextmanager
    async def read(self, request: Request, most: int) -> AsyncIterator[bytes]:
        """The body, of at most ``most`` bytes, while it is worked on. Raises ``BodyRefused``."""
        announced = request.headers.get("content-length", "0")
        if announced.isdigit() and int(announced[:12]) > most:
            raise BodyRefused("too long", 413)
        chunks: list[bytes] = []
        with self._room() as admit:
            try:
                async with asyncio.timeout(self._within):
                    size = 0
                    async for chunk in request.stream():
                        size += len(chunk)
                        if size > most:
                            raise BodyRefused("too long", 413)
                        if size > _LONG:
                            admit()
                        chunks.append(chunk)
            except TimeoutError:
                raise BodyRefused("too slow", 408) from None
            except ClientDisconnect:
                raise BodyRefused("cut off", 400) from None
            yield b"".join(chunks)

    @contextmanager
    def _room(self) -> Iterator[Callable[[], None]]:
        """Gives what makes this a long one, once. Raises ``BodyRefused`` when there are too many."""
        admitted = False

        def admit() -> None:
            nonlocal admitted
            if not admitted and self._long >= _LONG_ONES:
                raise BodyRefused("too many long ones at once", 503)
            self._long += not admitted
            admitted = True

        try:
            yield admit
        finally:
            self._long -= admitted

"""An event loop in which time passes only when nobody has anything to do, and then at once.

An hour of waiting costs nothing, and the same story takes the same turns every time: what production does in threads
(the ledger's transactions) happens here in the loop, whole, at a moment of its own: a while after it was asked for, and
a while before the answer is there. Nothing may wait for a socket or a thread.
"""

import asyncio
import selectors
from collections.abc import Callable
from typing import Any, Final

WRITE: Final = 0.002
"""Seconds that a transaction takes: half of them before it is done, half of them before that is known."""


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """``time()`` begins at 0."""

    def __init__(self) -> None:
        self.passed = 0.0
        super().__init__(_Leaping(self))

    def time(self) -> float:
        return self.passed

    def run_in_executor(  # type: ignore[override] # narrower than asyncio's: the executor is not asked
        self,
        executor: object,  # noqa: ARG002 # asyncio’s
        func: Callable[..., Any],
        *args: Any,
    ) -> asyncio.Future[Any]:
        answer: asyncio.Future[Any] = self.create_future()

        def works() -> None:
            if answer.cancelled():
                return
            try:
                result = func(*args)
            except Exception as trouble:  # noqa: BLE001 # it is handed on, as a thread's would be
                self.call_later(WRITE / 2, _told, answer, answer.set_exception, trouble)
            else:
                self.call_later(WRITE / 2, _told, answer, answer.set_result, result)

        self.call_later(WRITE / 2, works)
        return answer


def _told(answer: asyncio.Future[Any], tell: Callable[[Any], None], what: object) -> None:
    if not answer.done():
        tell(what)


class _Leaping(selectors.DefaultSelector):
    """Waits for nothing: the time it was to wait is over at once."""

    def __init__(self, loop: VirtualTimeLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if timeout is None and not ready:
            raise RuntimeError("everybody waits for something that never comes")
        if not ready and timeout:
            self._loop.passed += timeout
        return ready

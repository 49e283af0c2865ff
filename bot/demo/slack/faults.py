"""What may go wrong on Slack's side, on order.

Promises: `faults.on("chat.update", delay(2))` makes the next call of that method late, `times=None` every one until
`clear()`. The method `response_url` stands for posts to any response_url. Several faults of one method are used up in
the order they were ordered, one a call.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


class Hold:
    """A call that waits, so that a test can stop the world exactly there."""

    def __init__(self) -> None:
        self._arrived = asyncio.Event()
        self._released = asyncio.Event()

    async def arrived(self) -> None:
        """Wait until the call is held."""
        async with asyncio.timeout(60):  # a test that waits for what never comes fails, and does not hang
            await self._arrived.wait()

    def release(self) -> None:
        """Let it go on."""
        self._released.set()

    async def keep(self) -> None:
        """Hold whoever calls this until `release`."""
        self._arrived.set()
        await self._released.wait()


@dataclass(frozen=True)
class Fault:
    """One thing that goes wrong with one call; the functions below build the usual ones."""

    wait: float = 0.0
    error: str | None = None
    details: Mapping[str, Any] = field(default_factory=dict)
    status: int | None = None
    body: bytes = b""
    retry_after: int | None = None
    cut: bool = False
    after_work: bool = False
    hold: Hold | None = None


def delay(seconds: float) -> Fault:
    """Answer, but later."""
    return Fault(wait=seconds)


def error(code: str, **details: Any) -> Fault:
    """Answer `{"ok": false, "error": code}` without doing the work."""
    return Fault(error=code, details=details)


def status(code: int, body: bytes = b"<html>upstream trouble</html>") -> Fault:
    """Answer this HTTP status without doing the work."""
    return Fault(status=code, body=body)


def rate_limited(retry_after: int = 1) -> Fault:
    """Answer 429 with `Retry-After` in seconds, without doing the work."""
    return Fault(retry_after=retry_after)


def reset_before() -> Fault:
    """Close the connection before the work."""
    return Fault(cut=True)


def lose_answer() -> Fault:
    """Do the work, then close the connection without an answer."""
    return Fault(cut=True, after_work=True)


def hold(*, after_work: bool = False) -> Fault:
    """Stop before (or after) the work until `fault.hold.release()`; needs a running loop."""
    return Fault(hold=Hold(), after_work=after_work)


class Faults:
    """The orders that are still open."""

    def __init__(self) -> None:
        self._open: dict[str, list[tuple[Fault, int | None]]] = {}

    def on(self, method: str, fault: Fault, *, times: int | None = 1) -> Fault:
        """Order `fault` for the next `times` calls of `method`, for all when None. Returns the fault, for its
        `hold`.
        """
        self._open.setdefault(method, []).append((fault, times))
        return fault

    def clear(self, method: str | None = None) -> None:
        """Forget the orders for this method, or all."""
        if method is None:
            self._open.clear()
        else:
            self._open.pop(method, None)

    def take(self, method: str) -> Fault | None:
        """Use one order up."""
        orders = self._open.get(method)
        if not orders:
            return None
        fault, times = orders.pop(0)
        if times is None or times > 1:
            orders.insert(0, (fault, None if times is None else times - 1))
        return fault

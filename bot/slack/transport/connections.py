"""Accept HTTP connections so that nobody can use them all up: each has a deadline, together they have a bound.

Whoever reaches the port can open connections and say nothing. The bot needs descriptors of its own (VoIPBIN, Slack, the
ledger), so only a part of the process's limit is given to callers. When that is used up, a new connection takes the place
of those that have kept a request waiting longest, from the address that has most of them: a delivery of Slack's arrives
whole and at once, so it is never among them for long. One whose request is there is never closed for another.

Around uvicorn's own protocol, which parses and answers; it is asked only how far its request has come.
"""

import asyncio
import resource
import socket
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

import structlog

log = structlog.get_logger(__name__)

MOST: Final = 256
"""Connections, unless the process may open fewer than four times as many files."""
HEADER_WITHIN: Final = 5.0
"""Seconds in which a header has to arrive. Slack itself waits three for everything."""
REQUEST_WITHIN: Final = 12.0
"""Seconds in which a whole request has to; a body has a limit of its own before that."""
ANSWER_WITHIN: Final = 30.0
"""Seconds in which the answer has to be taken, from the request's beginning."""
_LONGEST_HEADER: Final = 64 * 1024
_A_TURN: Final = 64
"""Connections taken in before the others have their turn."""
_SWEEP_EVERY: Final = 0.5
_PAUSE: Final = 0.5


def most_connections() -> int:
    """How many callers may be connected: a quarter of what the process may open, so that three are left to the bot."""
    may_open, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MOST if may_open == resource.RLIM_INFINITY else max(8, min(MOST, may_open // 4))


@dataclass(frozen=True, slots=True)
class Bounds:
    """What callers may use up, in connections and seconds."""

    most: int = field(default_factory=most_connections)
    header_within: float = HEADER_WITHIN
    request_within: float = REQUEST_WITHIN
    answer_within: float = ANSWER_WITHIN


class Connections:
    """All connections of callers. ``protocol`` builds uvicorn's for one of them."""

    def __init__(self, listener: socket.socket, protocol: Callable[[], Any], bounds: Bounds) -> None:
        self._listener, self._protocol, self._bounds = listener, protocol, bounds
        self._loop = asyncio.get_running_loop()
        self._open: set[_Connection] = set()
        self._beginning: set[asyncio.Task[Any]] = set()
        self._sweeping: asyncio.TimerHandle | None = None
        self._stopped = False

    def start(self) -> None:
        """Take connections from now on."""
        self._listener.setblocking(False)
        self._resume()
        self._sweep()

    def stop(self) -> None:
        """Take no more; those that are open stay so."""
        self._stopped = True
        self._loop.remove_reader(self._listener)
        if self._sweeping is not None:
            self._sweeping.cancel()

    def gone(self, connection: "_Connection") -> None:
        """One has ended: there is room again."""
        self._open.discard(connection)
        self._resume()

    def end(self, connection: "_Connection", why: str) -> None:
        """Close it at once, without a word."""
        log.warning("connection_closed", why=why, address=connection.address, open=len(self._open))
        self._open.discard(connection)
        connection.abort()

    def _resume(self) -> None:
        if not self._stopped:
            self._loop.add_reader(self._listener, self._take)

    def _take(self) -> None:
        for _ in range(_A_TURN):
            if len(self._open) >= self._bounds.most and not self._make_room():
                self._loop.remove_reader(self._listener)  # all are at work, so one of them ends soon
                return
            try:
                caller, address = self._listener.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as trouble:  # no descriptor is left: the loop would ask again without a pause
                log.error("no_connection_can_be_taken", trouble=type(trouble).__name__, errno=trouble.errno)
                self._make_room()
                self._loop.remove_reader(self._listener)
                self._loop.call_later(_PAUSE, self._resume)
                return
            self._begin(caller, str(address[0]))

    def _begin(self, caller: socket.socket, address: str) -> None:
        caller.setblocking(False)
        connection = _Connection(self, self._protocol(), address, self._loop.time())
        self._open.add(connection)
        beginning = self._loop.create_task(self._begun(connection, caller))
        self._beginning.add(beginning)
        beginning.add_done_callback(self._beginning.discard)

    async def _begun(self, connection: "_Connection", caller: socket.socket) -> None:
        try:
            await self._loop.connect_accepted_socket(lambda: connection, caller)
        except OSError:
            caller.close()
            self.gone(connection)

    def _make_room(self) -> bool:
        """End an eighth of the connections: those that wait longest, at the address that has most of such."""
        waiting = [connection for connection in self._open if connection.waiting]
        if not waiting:
            return False
        ((most, _),) = Counter(connection.address for connection in waiting).most_common(1)
        theirs = sorted((each for each in waiting if each.address == most), key=lambda each: each.since)
        for connection in theirs[: max(1, self._bounds.most // 8)]:
            self.end(connection, "others want to connect")
        return True

    def _sweep(self) -> None:
        now = self._loop.time()
        for connection in [each for each in self._open if each.overdue(now, self._bounds)]:
            self.end(connection, "its request did not arrive, or its answer was not taken, in time")
        self._sweeping = self._loop.call_later(_SWEEP_EVERY, self._sweep)


class _Connection(asyncio.Protocol):
    """One caller. ``since``: when the request began for which the bot waits, or was last answered."""

    def __init__(self, all_: Connections, inner: Any, address: str, now: float) -> None:
        self.address, self.since = address, now
        self._all, self._inner = all_, inner
        self._transport: asyncio.Transport | None = None
        self._answered: object = None
        self._header, self._unread = 0, False

    @property
    def waiting(self) -> bool:
        """Is it the caller's turn? The request is not there, or not whole, or answered; or the answer is not read."""
        cycle = self._inner.cycle
        if self._transport is None:
            return False
        return self._unread or cycle is None or cycle.response_complete or cycle.more_body

    def overdue(self, now: float, bounds: Bounds) -> bool:
        """Has it kept the bot waiting too long? One that is idle after an answer is ended sooner, by uvicorn."""
        cycle, within = self._inner.cycle, bounds.answer_within
        if cycle is self._answered:
            within = bounds.header_within
        elif cycle.more_body and not cycle.response_complete:
            within = bounds.request_within
        return self._transport is not None and now - self.since > within

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - a socket's
        self._transport = transport
        self._inner.connection_made(transport)

    def data_received(self, data: bytes) -> None:
        cycle = self._inner.cycle
        if cycle is not self._answered and cycle.response_complete:  # another request begins
            self._answered, self._header = cycle, 0
            self.since = asyncio.get_running_loop().time()
        self._inner.data_received(data)
        if self._inner.cycle is self._answered:
            self._header += len(data)
            if self._header > _LONGEST_HEADER:
                self._all.end(self, "its header is too long")

    def eof_received(self) -> bool | None:
        ended: bool | None = self._inner.eof_received()
        return ended

    def connection_lost(self, exc: Exception | None) -> None:
        self._inner.connection_lost(exc)
        self._all.gone(self)

    def pause_writing(self) -> None:
        self._unread = True
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        self._unread = False
        self._inner.resume_writing()

"""Serve HTTP: Slack's deliveries, and what an operator of this bot asks (alive? ready? how much?).

Nothing of a body, a query or a URL is ever logged. A body is read with a bound: in bytes, in time, and in how many long
ones are held at once. Slack's clicks carry 10 to 50 kB, and a shortcut on a long message half a megabyte: up to 2 MB
are taken, but only when the headers look like a fresh signature of Slack's, and only sixteen such at a time, because
anybody can send them.
"""

import asyncio
import resource
import socket
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Any, Final, TypeAlias

import structlog
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn import Config
from uvicorn.server import ServerState

from bot.slack.transport.intake import LARGEST, Intake

# ---------------------------------------------------------------- connections
# Accept HTTP connections so that nobody can use them all up: each has a deadline, together they have a bound.
#
# Whoever reaches the port can open connections and say nothing. The bot needs descriptors of its own (VoIPBIN, Slack,
# the ledger), so only a part of the process's limit is given to callers. When that is used up, a new connection takes
# the place of those that have kept a request waiting longest, from the address that has most of them: a delivery of
# Slack's arrives whole and at once, so it is never among them for long. One whose request is there is never closed for
# another.
#
# Around uvicorn's own protocol, which parses and answers; it is asked only how far its request has come. Uvicorn's own
# server is left out: it wakes ten times a second, and takes two of these turns to end.

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
_LAST_TURN: Final = 0.1


def most_connections() -> int:
    """Return how many callers may be connected: a quarter of what the process may open, so that three are left to
    the bot.
    """
    may_open, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MOST if may_open == resource.RLIM_INFINITY else max(8, min(MOST, may_open // 4))


@dataclass(frozen=True, slots=True)
class ConnectionBounds:
    """What callers may use up, in connections and seconds."""

    most: int = field(default_factory=most_connections)
    header_within: float = HEADER_WITHIN
    request_within: float = REQUEST_WITHIN
    answer_within: float = ANSWER_WITHIN


class Connections:
    """All connections of callers. ``config``: of uvicorn's protocol, which each of them has."""

    def __init__(self, listener: socket.socket, config: Config, bounds: ConnectionBounds) -> None:
        self._listener, self._config, self._bounds = listener, config, bounds
        self._state = ServerState()
        self._loop = asyncio.get_running_loop()
        self._open: set[_Connection] = set()
        self._beginning: set[asyncio.Task[Any]] = set()
        self._sweeping: asyncio.TimerHandle | None = None
        self._stopped, self._left = False, asyncio.Event()

    def start(self) -> None:
        """Take connections from now on."""
        self._listener.setblocking(False)
        self._resume()
        self._sweep()

    async def close(self, *, within: float) -> None:
        """Take no more, answer what is under way, and end what is not answered and taken ``within`` seconds."""
        self._stopped = True
        self._loop.remove_reader(self._listener)
        for connection in tuple(self._open):
            connection.shutdown()
        with suppress(TimeoutError):
            async with asyncio.timeout(within):
                while self._open:
                    self._left.clear()
                    await self._left.wait()
        for connection in tuple(self._open):
            self.end(connection, "the bot is being stopped")
        if self._state.tasks:  # who answers is told of the end
            _, unmoved = await asyncio.wait(self._state.tasks, timeout=_LAST_TURN)
            for task in unmoved:
                task.cancel()
        if self._sweeping is not None:
            self._sweeping.cancel()

    @property
    def stopped(self) -> bool:
        return self._stopped

    def gone(self, connection: "_Connection") -> None:
        """One has ended: there is room again."""
        self._open.discard(connection)
        self._left.set()
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

    def _protocol(self) -> Any:
        build: Any = self._config.http_protocol_class  # httptools' where it is installed
        return build(config=self._config, server_state=self._state, app_state={})

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
        self._state.default_headers = [(b"date", formatdate(usegmt=True).encode()), *self._config.encoded_headers]
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

    def overdue(self, now: float, bounds: ConnectionBounds) -> bool:
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

    def shutdown(self) -> None:
        """End it, after the answer that is under way."""
        if self._transport is not None:
            self._inner.shutdown()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - a socket's
        self._transport = transport
        self._inner.connection_made(transport)
        if self._all.stopped:
            self.shutdown()

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


# ---------------------------------------------------------------- http


Check = Callable[[], Awaitable[str]]
"""Asks one thing this bot needs: empty when it is ready, else why not, in words without secrets."""
Readiness = Callable[[], Awaitable[Mapping[str, Any]]]
"""Says how the bot is, as ``/readyz`` answers it; ``ready`` among it."""
_READY_WITHIN: Final = 2.0
WITHIN: Final = 5.0
"""Seconds in which a body has to arrive. Slack itself waits three for everything."""
_LONG: Final = 256 * 1024
_LONG_ONES: Final = 16
Headers: TypeAlias = Sequence[tuple[bytes, bytes]]
"""As ASGI gives them, names in lower case."""


class BodyRefused(Exception):
    """The body is not taken, and why; ``status`` is what the sender is told."""

    def __init__(self, why: str, status: int) -> None:
        super().__init__(why)
        self.status = status


class Bodies:
    """All bodies that are read just now."""

    def __init__(self, *, within: float = WITHIN) -> None:
        self.within, self.long = within, 0

    def read(self, headers: Headers, receive: Receive, most: int) -> "_Body":
        """One, of at most ``most`` bytes: it is held while the block lasts. Raises ``BodyRefused``."""
        return _Body(self, headers, receive, most)


class _Body:
    """No generator, which costs more than all of this: every ack comes by here."""

    def __init__(self, all_: Bodies, headers: Headers, receive: Receive, most: int) -> None:
        self._all, self._headers, self._receive, self._most = all_, headers, receive, most
        self._long = False

    async def __aenter__(self) -> bytes:
        announced = next((value for name, value in self._headers if name == b"content-length"), b"")
        if announced.isdigit() and int(announced[:12]) > self._most:
            raise BodyRefused("too long", 413)
        try:
            async with asyncio.timeout(self._all.within):
                return await self._read()
        except TimeoutError:
            self._release()
            raise BodyRefused("too slow", 408) from None
        except BaseException:
            self._release()
            raise

    async def __aexit__(self, *_: object) -> None:
        self._release()

    async def _read(self) -> bytes:
        chunks: list[bytes] = []
        size, more = 0, True
        while more:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise BodyRefused("cut off", 400)
            chunks.append(message.get("body", b""))
            size, more = size + len(chunks[-1]), message.get("more_body", False)
            if size > self._most:
                raise BodyRefused("too long", 413)
            if size > _LONG and not self._long:
                if self._all.long >= _LONG_ONES:
                    raise BodyRefused("too many long ones at once", 503)
                self._all.long, self._long = self._all.long + 1, True
        return b"".join(chunks)

    def _release(self) -> None:
        self._all.long, self._long = self._all.long - self._long, False


_EVENTS: Final = ("/slack/events", "/slack/events/")


@dataclass(frozen=True, slots=True)
class EventsEndpoint:
    """Takes Slack's deliveries, as an ASGI application: what stands before them is paid for by every ack."""

    intake: Intake
    bodies: Bodies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one delivery."""
        headers: Headers = scope["headers"]
        most = self.intake.worth_reading(headers)
        try:
            async with self.bodies.read(headers, receive, most) as body:
                answer = await self.intake.request(headers, body)
        except BodyRefused as why:
            if most == LARGEST:
                answer = self.intake.refused(str(why), why.status)
            else:  # nothing makes it believable
                answer = await self.intake.request(headers, b"")
            told = (b"connection", b"close")  # the rest of it is not read
        else:
            told = (b"content-type", answer.content_type.encode())
        content = answer.body.encode()
        heads = [told, (b"content-length", b"%d" % len(content))]
        await send({"type": "http.response.start", "status": answer.status, "headers": heads})
        await send({"type": "http.response.body", "body": content})


class _Served(Starlette):
    """What operators ask; deliveries go straight to ``events``."""

    events: EventsEndpoint | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.events is not None and scope.get("path") in _EVENTS and scope["method"] == "POST":
            await self.events(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)


async def always_ready() -> Mapping[str, Any]:
    return {"ready": True, "missing": []}


def http_app(
    intake: Intake | None,
    readiness: Readiness,
    registry: CollectorRegistry | None,
    *,
    body_within: float = WITHIN,
) -> Starlette:
    """``POST /slack/events`` (only with an ``intake``), ``GET /healthz``, ``/readyz``, ``/metrics`` (with a registry).

    ``/readyz`` answers what ``readiness`` says, with 503 while that is not ready, or cannot be said.
    """

    async def healthz(_: Request) -> Response:
        return PlainTextResponse("ok")

    async def readyz(_: Request) -> Response:
        try:
            async with asyncio.timeout(_READY_WITHIN):
                answer = await readiness()
        except Exception as error:  # noqa: BLE001 - what cannot be said is not ready
            why = f"could not be checked ({type(error).__name__})"
            answer = {"ready": False, "missing": [{"what": "flows-bot", "why": why}]}
        return JSONResponse(answer, 200 if answer["ready"] else 503)

    async def metrics(_: Request) -> Response:
        assert registry is not None  # noqa: S101 - the route exists only then
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    routes = [Route("/healthz", healthz), Route("/readyz", readyz)]
    routes += [Route("/metrics", metrics)] if registry is not None else []
    app = _Served(routes=routes, exception_handlers={HTTPException: _unhandled})
    if intake is not None:
        app.events = EventsEndpoint(intake, Bodies(within=body_within))
        app.routes.extend(Route(path, app.events, methods=["POST"]) for path in _EVENTS)
    return app


@asynccontextmanager
async def serve(
    app: ASGIApp, host: str, port: int, *, graceful: float = 5.0, bounds: ConnectionBounds | None = None
) -> AsyncIterator[int]:
    """Serve while the block lasts; yields the port bound (0 picks a free one). Raises ``OSError`` when it is taken.

    Leaving takes no more connections and waits ``graceful`` seconds for requests under way. It stays on the asyncio
    loop: uvloop takes one new connection a turn, too slow in a burst.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, port), family=family, backlog=2048) as listener:
        config = Config(
            app,
            log_config=None,
            access_log=False,
            lifespan="off",
            ws="none",
            server_header=False,
            proxy_headers=False,  # anybody may write them, and nothing here asks
        )
        config.load()
        connections = Connections(listener, config, bounds or ConnectionBounds())
        connections.start()
        try:
            yield listener.getsockname()[1]
        finally:
            await connections.close(within=graceful)


async def _unhandled(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 404
    log.info("http_request_not_handled", method=request.method, status=status)
    return Response(status_code=status)

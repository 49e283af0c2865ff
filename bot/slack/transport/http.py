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
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from bot.slack.transport.intake import ACKED, LARGEST, DeliveryAnswer, Intake

# ---------------------------------------------------------------- connections
# Accept HTTP connections so that nobody can use them all up: each has a deadline, together they have a bound.
#
# Whoever reaches the port can open connections and say nothing. The bot needs descriptors of its own (VoIPBIN, Slack,
# the ledger), so only a part of the process's limit is given to callers. When that is used up, a new connection takes
# the place of those that have kept a request waiting longest, from the address that has most of them: a delivery of
# Slack's arrives whole and at once, so it is never among them for long. One whose request is there is never closed for
# another.
#
# It is uvicorn's own protocol, which parses and answers, but for deliveries that are there as a whole. Uvicorn's own
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
_EVENTS: Final = ("/slack/events", "/slack/events/")
_RAW_EVENTS: Final = tuple(path.encode() for path in _EVENTS)


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
    """All connections of callers. ``config``: of uvicorn's protocol, which each is. ``intake``: takes deliveries."""

    def __init__(
        self, listener: socket.socket, config: Config, bounds: ConnectionBounds, intake: Intake | None
    ) -> None:
        self._listener, self.config, self._bounds, self.intake = listener, config, bounds, intake
        self.state = ServerState()
        self.head = self.acked = b""
        """The headers that every answer has, and most acks as they are written."""
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
        if self.state.tasks:  # who answers is told of the end
            _, unmoved = await asyncio.wait(self.state.tasks, timeout=_LAST_TURN)
            for task in unmoved:
                task.cancel()
        if self._sweeping is not None:
            self._sweeping.cancel()

    @property
    def stopped(self) -> bool:
        return self._stopped

    def gone(self, connection: "_Connection") -> None:
        """Note that one has ended: there is room again."""
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
        connection = _Connection(self, address, self._loop.time())
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
        for connection in tuple(self._open):
            if connection.idle(now, self._bounds):
                connection.shutdown()
            elif connection.overdue(now, self._bounds):
                self.end(connection, "its request did not arrive, or its answer was not taken, in time")
        headers = [(b"date", formatdate(usegmt=True).encode()), *self.config.encoded_headers]
        self.state.default_headers = headers
        self.head = b"".join(b"%b: %b\r\n" % header for header in headers)
        self.acked = _written(ACKED, self.head)
        self._sweeping = self._loop.call_later(_SWEEP_EVERY, self._sweep)


class _Connection(HttpToolsProtocol):
    """One caller. ``since``: when the request began for which the bot waits, or was last answered.

    A delivery of Slack's that is there as a whole, and that nothing else has to be waited for, is answered while it is
    received: the task, the queue and the dictionaries that an ASGI application takes are most of such an ack.
    """

    def __init__(self, all_: Connections, address: str, now: float) -> None:
        super().__init__(all_.config, all_.state, {})
        self.address, self.since = address, now
        self._all, self._intake = all_, all_.intake
        self._answered: object = None
        self._header, self._unread, self._connected = 0, False, False
        self._delivered: list[bytes] | None = None
        """What there is of a delivery's body until it is clear whether all of it comes at once."""
        self._acked = False
        """Was the last request answered while it was received? Then uvicorn has no cycle for it."""

    @property
    def waiting(self) -> bool:
        """Is it the caller's turn? The request is not there, or not whole, or answered; or the answer is not read."""
        cycle = self._at_work()
        return self._connected and (self._unread or cycle is None or cycle.more_body)

    def _at_work(self) -> RequestResponseCycle | None:
        cycle: Any = self.cycle  # None at first, whatever uvicorn says of it
        return None if cycle is None or cycle.response_complete else cycle

    def overdue(self, now: float, bounds: ConnectionBounds) -> bool:
        """Say whether it kept the bot waiting too long. One that is idle after an answer is ended sooner."""
        cycle, within = self.cycle, bounds.answer_within
        if cycle is self._answered and not self._acked:
            within = bounds.header_within
        elif cycle is not self._answered and cycle.more_body and not cycle.response_complete:
            within = bounds.request_within
        return self._connected and now - self.since > within

    def idle(self, now: float, bounds: ConnectionBounds) -> bool:
        """Say whether nothing came for a while after an answer at once. After any other, uvicorn ends it."""
        return self._acked and not self._unread and now - self.since > bounds.header_within

    def abort(self) -> None:
        if self._connected:
            self.transport.abort()

    def shutdown(self) -> None:
        """End it, after the answer that is under way."""
        if self._connected:
            super().shutdown()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn has it
        super().connection_made(transport)
        self._connected = True
        if self._all.stopped:
            self.shutdown()

    def data_received(self, data: bytes) -> None:
        if self._acked or (self.cycle is not self._answered and self.cycle.response_complete):  # another request begins
            self._answered, self._header, self._acked = self.cycle, 0, False
            self.since = self.loop.time()
        super().data_received(data)
        if self._delivered is not None and not self.transport.is_closing():
            self._hand_on()
        if self.cycle is self._answered and not self._acked:
            self._header += len(data)
            if self._header > _LONGEST_HEADER:
                self._all.end(self, "its header is too long")

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._all.gone(self)

    def pause_writing(self) -> None:
        self._unread = True
        super().pause_writing()

    def resume_writing(self) -> None:
        self._unread = False
        super().resume_writing()

    # ------------------------------------------------------------ a delivery, while it is received

    def on_headers_complete(self) -> None:
        at_once = self.url in _RAW_EVENTS and self.parser.get_method() == b"POST" and self._intake is not None
        if at_once and self._at_work() is None and not (self._acked or self._unread):  # one, then it is others' turn
            self._delivered = []
        else:
            self._acked = False
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        if self._delivered is None:
            super().on_body(body)
        else:
            self._delivered.append(body)

    def on_message_complete(self) -> None:
        if self.transport.is_closing():  # nothing is taken behind the last request
            self._delivered = None
            return
        if self._delivered is None or self._intake is None:
            super().on_message_complete()
            return
        believed = self._intake.believed(self.headers, b"".join(self._delivered))
        answer = believed if isinstance(believed, DeliveryAnswer) else self._intake.take_at_once(believed)
        if answer is not None:
            self._delivered = None
            self._ack(answer)
        elif isinstance(believed, dict):
            self._hand_on(_later(self._intake, believed))
            super().on_message_complete()

    def _hand_on(self, app: Any = None) -> None:
        """Hand the request on to the application, or to this one, as any other."""
        parts, self._delivered, usual = self._delivered or [], None, self.app
        self.app = app or usual
        super().on_headers_complete()
        self.app = usual
        for part in parts if app is None else ():
            super().on_body(part)

    def _ack(self, answer: DeliveryAnswer) -> None:
        keep = self.parser.should_keep_alive() and self.parser.get_http_version() != "1.0"
        most = answer is ACKED and keep
        self.transport.write(self._all.acked if most else _written(answer, self._all.head, keep=keep))
        self._acked, self.since = True, self.loop.time()
        if not keep:
            self.transport.close()


def _written(answer: DeliveryAnswer, head: bytes, *, keep: bool = True) -> bytes:
    content = answer.body.encode()
    return b"%b%bcontent-type: %b\r\ncontent-length: %d\r\n%b\r\n%b" % (
        STATUS_LINE[answer.status],
        head,
        answer.content_type.encode(),
        len(content),
        b"" if keep else b"connection: close\r\n",
        content,
    )


def _later(intake: Intake, payload: dict[str, Any]) -> Any:
    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        await _tell(send, await intake.wait_for(payload))

    return app


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
        """Read one, of at most ``most`` bytes: it is held while the block lasts. Raises ``BodyRefused``."""
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
            await _tell(send, answer, (b"connection", b"close"))  # the rest of it is not read
        else:
            await _tell(send, answer)


async def _tell(send: Send, answer: DeliveryAnswer, *more: tuple[bytes, bytes]) -> None:
    content = answer.body.encode()
    heads = [(b"content-type", answer.content_type.encode()), (b"content-length", b"%d" % len(content)), *more]
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
    """Build the ASGI application: ``POST /slack/events`` (only with an ``intake``), ``GET /healthz``, ``/readyz``,
    ``/metrics`` (with a registry).

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
        intake = app.events.intake if isinstance(app, _Served) and app.events is not None else None
        connections = Connections(listener, config, bounds or ConnectionBounds(), intake)
        connections.start()
        try:
            yield listener.getsockname()[1]
        finally:
            await connections.close(within=graceful)


async def _unhandled(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 404
    log.info("http_request_not_handled", method=request.method, status=status)
    return Response(status_code=status)

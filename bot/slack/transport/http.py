"""Serve HTTP: Slack's deliveries, and what an operator of this bot asks (alive? ready? how much?).

Nothing of a body, a query or a URL is ever logged. A body is read with a bound: in bytes, in time, and in how many long ones
are held at once. Slack's clicks carry 10 to 50 kB, and a shortcut on a long message half a megabyte: up to 2 MB are
taken, but only when the headers look like a fresh signature of Slack's, and only sixteen such at a time, because anybody
can send them.
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, nullcontext
from typing import Any, Final

import structlog
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp
from uvicorn import Config, Server

from bot.slack.transport.connections import Bounds, Connections
from bot.slack.transport.intake import LARGEST, Intake

log = structlog.get_logger(__name__)

Check = Callable[[], Awaitable[str]]
"""Asks one thing this bot needs: empty when it is ready, else why not, in words without secrets."""
Readiness = Callable[[], Awaitable[Mapping[str, Any]]]
"""Says how the bot is, as ``/readyz`` answers it; ``ready`` among it."""
_READY_WITHIN: Final = 2.0
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
    bodies = Bodies(within=body_within)

    async def events(request: Request) -> Response:
        assert intake is not None  # noqa: S101 - the route exists only then
        headers = request.headers.raw
        most = intake.worth_reading(headers)
        try:
            async with bodies.read(request, most) as body:
                answer = await intake.request(headers, body)
        except BodyRefused as why:
            believable = most == LARGEST
            answer = intake.refused(str(why), why.status) if believable else await intake.request(headers, b"")
            return Response(answer.body, answer.status, headers={"connection": "close"})  # the rest of it is not read
        return Response(answer.body, answer.status, headers={"content-type": answer.content_type})

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
    if intake is not None:
        routes += [Route(path, events, methods=["POST"]) for path in ("/slack/events", "/slack/events/")]
    routes += [Route("/metrics", metrics)] if registry is not None else []
    return Starlette(routes=routes, exception_handlers={HTTPException: _unhandled})


@asynccontextmanager
async def serve(
    app: ASGIApp, host: str, port: int, *, graceful: float = 5.0, bounds: Bounds | None = None
) -> AsyncIterator[int]:
    """Serve while the block lasts; yields the port bound (0 picks a free one). Raises ``OSError`` when it is taken.

    Leaving takes no more connections, waits ``graceful`` seconds for requests under way, and leaves the process's signal
    handlers alone. It stays on the asyncio loop: uvloop takes one new connection a turn, too slow in a burst.
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
            timeout_graceful_shutdown=max(1, round(graceful)),
        )
        config.load()
        server = _Server(config)

        def protocol() -> asyncio.Protocol:
            build: Any = config.http_protocol_class  # httptools' where it is installed
            made: asyncio.Protocol = build(config=config, server_state=server.server_state, app_state={})
            return made

        connections = Connections(listener, protocol, bounds or Bounds())
        serving = asyncio.create_task(server.serve(sockets=[]))
        connections.start()
        try:
            yield listener.getsockname()[1]
        finally:
            connections.stop()
            server.should_exit = True
            await serving


class _Server(Server):
    def capture_signals(self) -> nullcontext[None]:  # type: ignore[override]  # uvicorn's is a generator of its own
        """Signals are the business of whoever runs the whole bot."""
        return nullcontext()


async def _unhandled(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 404
    log.info("http_request_not_handled", method=request.method, status=status)
    return Response(status_code=status)

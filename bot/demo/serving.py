"""Serve an ASGI app on loopback for as long as a block lasts, with the power to cut a connection.

Promises: the address is real (a bound socket, port 0 picks a free one); leaving the block is immediate, open
connections are cut, not waited for; the signal handlers of the process stay whose they were; nothing is logged but
errors of the app itself. Decision: uvicorn's `Server` is started and stopped in the caller's own task instead of
through `serve()`, whose main loop wakes every 100 ms and whose shutdown sleeps and waits
(https://www.uvicorn.org/server-behavior/#graceful-process-shutdown).
"""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn import Config, Server
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_TURNS_TO_BEGIN = 3
"""Of the event loop, until a connection that was taken has begun."""
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)  # SO_LINGER on, zero seconds: close() sends RST, not FIN


@asynccontextmanager
async def serving(app: ASGIApp, *, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[str]:
    """Yield the base URL, `http://HOST:PORT` without a trailing slash, under which `app` answers HTTP and WebSocket.

    Raises OSError when the address cannot be bound. Works on the running asyncio loop; several may run side by side.
    """
    leaving = asyncio.Event()
    listener = socket.create_server((host, port), backlog=512)
    config = Config(
        _quiet_when(leaving, app),
        http=_CuttableConnection,
        ws="websockets-sansio",
        log_config=None,
        log_level="error",
        access_log=False,
        date_header=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=60,
    )
    config.load()
    server = Server(config)
    server.lifespan = config.lifespan_class(config)
    try:
        await server.startup(sockets=[listener])
        yield f"http://{host}:{listener.getsockname()[1]}"
    finally:
        leaving.set()
        await _stop(server)
        listener.close()


async def cut(scope: Scope, receive: Receive, *, reset: bool = False) -> None:
    """Close the connection of this request as if the cable was cut: no answer, or an unfinished one, reaches the
    client.

    With `reset` the peer gets a TCP reset (ECONNRESET) instead of an orderly end of stream. Returns once the server
    has noticed, so the app may simply return. Only for requests that came through `serving`.
    """
    transport: asyncio.Transport = scope["state"]["transport"]
    if reset:
        peer: socket.socket = transport.get_extra_info("socket")
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        transport.abort()
    else:
        transport.close()  # what was already written is still sent
    while (await receive())["type"] not in {"http.disconnect", "websocket.disconnect"}:
        pass


class _CuttableConnection(HttpToolsProtocol):
    """uvicorn's HTTP/1.1 connection, handing its transport to the app in `scope["state"]["transport"]`."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # uvicorn narrows it so
        super().connection_made(transport)
        self.app_state = {**self.app_state, "transport": transport}


def _quiet_when(leaving: asyncio.Event, app: ASGIApp) -> ASGIApp:
    """Wrap `app` so that requests cancelled by leaving the block end without a traceback in the log."""

    async def served(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await app(scope, receive, send)
        except asyncio.CancelledError:
            if not leaving.is_set():
                raise

    return served


async def _stop(server: Server) -> None:
    servers = getattr(server, "servers", [])
    for listening in servers:
        for taking in listening.sockets:
            asyncio.get_running_loop().remove_reader(taking.fileno())
    for _ in range(_TURNS_TO_BEGIN):  # what was just taken has to be there: asyncio leaves it open where that is closed
        await asyncio.sleep(0)
    for listening in servers:
        listening.close()
    for connection in list(server.server_state.connections):
        cast("Any", connection).transport.abort()
    await asyncio.sleep(0)  # lets the connections notice, so that nothing is written to them any more
    tasks = list(server.server_state.tasks)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await server.lifespan.shutdown()

"""The wire between the bot's HTTP client and the simulated VoIPBIN, and its event stream, without sockets, for virtual
time.

What was sent arrives and is worked on even if the sender gives up, is cancelled, or dies. Each stop that is sent is
written down before it is on its way, with what became of it.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import partial
from http import HTTPStatus
from typing import Any, Final
from uuid import UUID

import aiohttp
import httpx
from aiohttp.client_proto import ResponseHandler
from aiohttp.connector import Connection

from bot.demo.voipbin import wire
from bot.demo.voipbin.api import voipbin_app
from bot.demo.voipbin.faults import StopSeen
from bot.demo.voipbin.records import Changed
from bot.demo.voipbin.state import Call
from bot.demo.voipbin.world import World
from bot.voipbin.live.stream import StreamLost

_LEG: Final = 0.02
"""Seconds that anything takes each way."""
_REFUSED: Final = {401, 403, 404, 429}
"""Answered before any work: such a POST did certainly nothing."""


class Break(StrEnum):
    """What can become of a connection."""

    UNREACHABLE = "unreachable"  # nothing was sent
    BEFORE = "before"  # sent, never arrived
    SLOW = "slow connection"  # it takes long until anything can be sent
    AFTER = "after"  # done, and the answer never arrived


@dataclass(eq=False)
class Post:
    """One stop on the wire. ``status``: what VoIPBIN answered, seen or not; ``None`` while it is at work."""

    activeflow_id: UUID
    at: datetime
    announced_as: str = ""
    member: str = ""
    """The member of a bulk stop that sent it, as its workflow's id."""
    waited_for: bool = True
    """Whoever sent it waits for the answer."""
    on_its_way: bool = True
    status: int | None = None
    effective: bool = False

    @property
    def refused(self) -> bool:
        return self.status in _REFUSED


_at_work: ContextVar[Post | None] = ContextVar("_at_work", default=None)


class Line:
    """``breaks`` are used up one a request of their kind: ``"stop"`` or ``"read"``."""

    def __init__(self, world: World, now: Callable[[], datetime]) -> None:
        world.stops, self._now = _Stops(), now
        self._voipbin = httpx.ASGITransport(voipbin_app(world))
        self._at_work: set[asyncio.Task[None]] = set()
        self.breaks: dict[str, list[Break]] = {"stop": [], "read": []}
        self.posts: list[Post] = []
        self.not_found: set[str] = set()
        """Paths of what VoIPBIN said it does not have, which is believed for good."""
        self.sends: Callable[[Post], None] = lambda _: None

    async def connects(self, request: aiohttp.ClientRequest, _: aiohttp.ClientTimeout) -> Callable[["Wire"], None]:
        """As ``Connector`` wants it."""
        breaks = self.breaks["stop" if _is_stop(request) else "read"]
        is_list = request.url.path.endswith("/activeflows")
        broken = breaks.pop(0) if breaks and not is_list else None
        if broken is Break.UNREACHABLE:
            raise aiohttp.ClientConnectorError(request.connection_key, OSError("refused"))
        if broken is Break.SLOW:
            await asyncio.sleep(5.0)
        return partial(self._sent, request, broken)

    def _sent(self, request: aiohttp.ClientRequest, broken: Break | None, wire: "Wire") -> None:
        post = None
        if _is_stop(request):
            post = Post(UUID(request.url.path.split("/")[-2]), self._now())
            self.sends(post)
            self.posts.append(post)
        wire.post = post
        task = asyncio.get_running_loop().create_task(self._answer(request, wire, post, broken))
        self._at_work.add(task)
        task.add_done_callback(self._at_work.discard)

    async def _answer(
        self, request: aiohttp.ClientRequest, wire: "Wire", post: Post | None, broken: Break | None
    ) -> None:
        if broken is Break.BEFORE:
            if post is not None:
                post.on_its_way = False
            await asyncio.sleep(_LEG)
            wire.breaks(ConnectionResetError("reset"))
            return
        answer = await self._arrives(request, post)
        if broken is Break.AFTER:
            wire.breaks(None)
            return
        await asyncio.sleep(_LEG)
        wire.gives(answer)

    async def _arrives(self, request: aiohttp.ClientRequest, post: Post | None) -> bytes:
        await asyncio.sleep(_LEG)
        _at_work.set(post)
        asked = httpx.Request(request.method, str(request.url), headers=list(request.headers.items()))
        answer = await self._voipbin.handle_async_request(asked)
        if answer.status_code == HTTPStatus.NOT_FOUND:
            self.not_found.add(request.url.path)
        if post is not None:
            post.status, post.on_its_way = answer.status_code, False
        body = await answer.aread()
        said = {**answer.headers, "content-length": str(len(body))}
        head = [f"HTTP/1.1 {answer.status_code} .", *(f"{name}: {value}" for name, value in said.items()), "", ""]
        return "\r\n".join(head).encode() + body


def _is_stop(request: aiohttp.ClientRequest) -> bool:
    return request.method == "POST" and request.url.path.endswith("/stop")


class Connector(aiohttp.BaseConnector):
    """Connects an HTTP session without sockets. ``connects`` is asked before each request, and gives what happens as
    soon as its bytes go out.
    """

    def __init__(
        self,
        connects: Callable[[aiohttp.ClientRequest, aiohttp.ClientTimeout], Awaitable[Callable[["Wire"], None]]],
    ) -> None:
        super().__init__(limit=0)
        self._connects = connects

    async def connect(self, req: aiohttp.ClientRequest, *args: Any, **kwargs: Any) -> Connection:
        limits: aiohttp.ClientTimeout = kwargs["timeout"]
        sends = await self._connects(req, limits)
        connection = await super().connect(req, *args, **kwargs)
        wire = connection.transport
        assert isinstance(wire, Wire)
        wire.sends = sends
        return connection

    async def _create_connection(self, *_: object) -> ResponseHandler:
        protocol = ResponseHandler(self._loop)
        protocol.connection_made(Wire(protocol))
        return protocol


class Wire(asyncio.Transport):
    """One connection, as the client sees it."""

    def __init__(self, protocol: ResponseHandler) -> None:
        super().__init__()
        self._protocol, self._closed = protocol, False
        self.sends: Callable[[Wire], None] = lambda _: None
        self.post: Post | None = None
        """The stop that was sent last, while its answer is waited for."""

    def write(self, _data: bytes | bytearray | memoryview) -> None:
        self.sends(self)  # aiohttp writes a short request at once

    def gives(self, answer: bytes) -> None:
        """An answer arrives."""
        self._waited_for_no_more()
        if not self._closed:
            self._protocol.data_received(answer)

    def breaks(self, how: Exception | None) -> None:
        """The connection is lost."""
        self._waited_for_no_more()
        if not self._closed:
            self._closed = True
            self._protocol.connection_lost(how)

    def close(self) -> None:
        self._waited_for_no_more()
        if not self._closed:
            self._closed = True
            asyncio.get_running_loop().call_soon(self._protocol.connection_lost, None)

    abort = close

    def is_closing(self) -> bool:
        return self._closed

    def _waited_for_no_more(self) -> None:
        if self.post is not None:
            self.post.waited_for, self.post = False, None


class Events:
    """VoIPBIN's event stream. ``fates``: what becomes of the next events, one each: told, lost, twice or late."""

    def __init__(self, world: World) -> None:
        self.fates: list[str] = []
        self.down = False
        self._late: list[bytes] = []
        self._open: list[asyncio.Queue[bytes | None]] = []
        world.subscribe(self._changed)

    def _changed(self, change: Changed) -> None:
        if isinstance(change.resource, Call):
            return
        frame, fate = json.dumps(wire.activeflow(change.resource)).encode(), self.fates.pop(0) if self.fates else "told"
        if fate == "late":
            self._late.append(frame)
        for _ in range({"told": 1, "twice": 2}.get(fate, 0)):
            self._put(frame)

    def late_ones_come(self) -> None:
        """The last first."""
        while self._late:
            self._put(self._late.pop())

    def is_cut(self) -> None:
        """What comes until it is open again is heard by nobody."""
        self._put(None)

    def _put(self, frame: bytes | None) -> None:
        for queue in self._open:
            queue.put_nowait(frame)

    @asynccontextmanager
    async def subscribed(self, _: UUID) -> AsyncIterator[AsyncIterator[bytes]]:
        if self.down:
            raise StreamLost("it is down")
        queue: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._open.append(queue)
        try:
            yield _frames(queue)
        finally:
            self._open.remove(queue)


async def _frames(queue: asyncio.Queue[bytes | None]) -> AsyncIterator[bytes]:
    while (frame := await queue.get()) is not None:
        await asyncio.sleep(_LEG)
        yield frame
    raise StreamLost("it was cut")


class _Stops(list[StopSeen]):
    """The simulator's list of stops, which tells each post what it did."""

    def append(self, stop: StopSeen) -> None:
        post = _at_work.get()
        if post is not None:
            post.effective = stop.changed
        super().append(stop)

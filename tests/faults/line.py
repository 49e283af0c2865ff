"""The wire between the bot's HTTP client and the simulated VoIPBIN, and its event stream, without sockets, for virtual
time.

What was sent arrives and is worked on even if the sender gives up, is cancelled, or dies. Each stop that is sent is
written down before it is on its way, with what became of it.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from http import HTTPStatus
from typing import Final
from uuid import UUID

import httpx

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


class Line(httpx.AsyncBaseTransport):
    """``breaks`` are used up one a request of their kind: ``"stop"`` or ``"read"``."""

    def __init__(self, world: World, now: Callable[[], datetime]) -> None:
        world.stops, self._now = _Stops(), now
        self._voipbin = httpx.ASGITransport(voipbin_app(world))
        self._at_work: set[asyncio.Task[httpx.Response]] = set()
        self.breaks: dict[str, list[Break]] = {"stop": [], "read": []}
        self.posts: list[Post] = []
        self.not_found: set[str] = set()
        """Paths of what VoIPBIN said it does not have, which is believed for good."""
        self.sends: Callable[[Post], None] = lambda _: None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        is_stop = request.method == "POST" and request.url.path.endswith("/stop")
        is_list = request.url.path.endswith("/activeflows")
        breaks = self.breaks["stop" if is_stop else "read"]
        broken = breaks.pop(0) if breaks and not is_list else None
        if broken is Break.UNREACHABLE:
            raise httpx.ConnectError("refused")
        if broken is Break.SLOW:
            await asyncio.sleep(5.0)
        if "trace" in request.extensions:  # as httpcore does, straight before the first byte
            await request.extensions["trace"]("http11.send_request_headers.started", {})
        post = None
        if is_stop:
            post = Post(UUID(request.url.path.split("/")[-2]), self._now())
            self.sends(post)
            self.posts.append(post)
        try:
            return await self._answer(request, post, broken)
        finally:
            if post is not None:
                post.waited_for = False

    async def _answer(self, request: httpx.Request, post: Post | None, broken: Break | None) -> httpx.Response:
        if broken is Break.BEFORE:
            if post is not None:
                post.on_its_way = False
            await asyncio.sleep(_LEG)
            raise httpx.ReadError("reset")
        task = asyncio.get_running_loop().create_task(self._arrives(request, post))
        self._at_work.add(task)
        task.add_done_callback(self._at_work.discard)
        try:
            answer = await asyncio.wait_for(asyncio.shield(task), request.extensions["timeout"]["read"])
        except TimeoutError:
            raise httpx.ReadTimeout("no answer") from None
        if broken is Break.AFTER:
            raise httpx.RemoteProtocolError("closed without an answer")
        await asyncio.sleep(_LEG)
        return answer

    async def _arrives(self, request: httpx.Request, post: Post | None) -> httpx.Response:
        await asyncio.sleep(_LEG)
        _at_work.set(post)
        answer = await self._voipbin.handle_async_request(request)
        if answer.status_code == HTTPStatus.NOT_FOUND:
            self.not_found.add(request.url.path)
        if post is not None:
            post.status, post.on_its_way = answer.status_code, False
        return httpx.Response(answer.status_code, headers=answer.headers, stream=httpx.ByteStream(await answer.aread()))


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

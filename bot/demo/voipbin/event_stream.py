"""VoIPBIN's WebSocket of events, with its habits (https://api.voipbin.net/docs/websocket_overview.html).

Topics are plain prefixes; every change is published under two of them, so that whoever subscribes to what both begin
with hears it twice; nothing is acknowledged, replayed or numbered; a topic one may not have closes the socket without a
word; what does not fit into a connection's buffer is dropped silently. The frame is the bare resource, without a type.
"""

import asyncio
import json
import random
from collections import deque
from collections.abc import Callable

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.websockets import WebSocket, WebSocketDisconnect

from bot.demo.serving import cut
from bot.demo.voipbin import wire
from bot.demo.voipbin.endpoint import Caller, caller_of
from bot.demo.voipbin.errors import Refused
from bot.demo.voipbin.faults import RequestSeen
from bot.demo.voipbin.records import Changed
from bot.demo.voipbin.state import OPERATORS, Call
from bot.demo.voipbin.world import World

BUFFER = 2000
"""Frames that wait for one connection."""


class _Connection:
    def __init__(self, websocket: WebSocket, room: int) -> None:
        self.websocket = websocket
        self.topics: set[str] = set()
        self.waiting: asyncio.Queue[str] = asyncio.Queue(room)


class EventStream:
    """All open sockets, and what can be made to go wrong with them."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._connections: list[_Connection] = []
        self._late: deque[Changed] = deque()
        self._dice = random.Random(11)
        self.asked: list[RequestSeen] = []
        """Every attempt to connect."""
        self.buffer = BUFFER
        self.unordered = 0
        """How many changes may wait for each other: 0 keeps their order."""
        self.form = "bare"
        """"bare", "wrapped" (`{"type", "data"}`, as before 2026-07-15) or "both" (as between)."""
        self.refuses_with: int | None = None
        """An HTTP status instead of the upgrade: 200 is what a delegate's token gets."""
        self.muted = False
        """The socket lives and answers pings, and no event comes."""
        self.dropped = 0
        world.subscribe(self.publish)

    @property
    def connected(self) -> int:
        """Number of open sockets that have subscribed to something."""
        return sum(1 for connection in self._connections if connection.topics)

    async def endpoint(self, websocket: WebSocket) -> None:
        """GET /v1.0/ws: one socket, until it ends."""
        caller = await self._admitted(websocket)
        if caller is None:
            return
        await websocket.accept()
        connection = _Connection(websocket, self.buffer)
        self._connections.append(connection)
        sending = asyncio.create_task(_send(connection))
        try:
            while self._heard(caller, connection, await websocket.receive_json()):
                pass
            await cut_socket(websocket)
        except (WebSocketDisconnect, RuntimeError, KeyError):  # gone, or a binary frame
            pass
        finally:
            self._connections.remove(connection)
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)

    def publish(self, change: Changed) -> None:
        """Send a change to whoever subscribed to it; the newest ones may change places."""
        if self.muted:
            return
        self._late.append(change)
        while len(self._late) > self.unordered:
            place = self._dice.randrange(len(self._late)) if self.unordered else 0
            late = self._late[place]
            del self._late[place]
            self._send_out(late)

    def flush(self) -> None:
        """Send what still waited for its place."""
        while self._late:
            self._send_out(self._late.popleft())

    async def drops_all(self, *, reset: bool = False) -> None:
        """Cut every connection as a broken cable does."""
        await asyncio.gather(*(cut_socket(c.websocket, reset=reset) for c in list(self._connections)))

    def goes_deaf(self) -> Callable[[], None]:
        """The open connections are not served any more, not even their pings; the result ends that."""
        transports = [c.websocket.scope["state"]["transport"] for c in self._connections]
        for transport in transports:
            transport.pause_reading()

        def hears_again() -> None:
            for transport in transports:
                transport.resume_reading()

        return hears_again

    async def _admitted(self, websocket: WebSocket) -> Caller | None:
        seen = RequestSeen(
            "GET",
            websocket.url.path,
            websocket.url.query,
            dict(Headers(scope=websocket.scope)),
            self._world.clock.now(),
        )
        self.asked.append(seen)
        refusal: Response
        try:
            caller = caller_of(websocket, self._world)
        except Refused as refused:
            refusal = refused.response(websocket.scope)
        else:
            if self.refuses_with is None and self._world.limits.admits(caller.customer_id):
                seen.status = 101
                return caller
            refusal = Response(status_code=self.refuses_with or 429)
        seen.status = refusal.status_code
        await websocket.send_denial_response(refusal)
        return None

    def _heard(self, caller: Caller, connection: _Connection, said: object) -> bool:
        """False when the socket is to be closed."""
        if not isinstance(said, dict):
            return True
        topics = [topic for topic in said.get("topics", []) if isinstance(topic, str)]
        if said.get("type") == "subscribe":
            if any(not _may(caller, topic) for topic in topics):
                return False
            connection.topics.update(topics)
        elif said.get("type") == "unsubscribe":
            connection.topics.difference_update(topics)
        return True

    def _send_out(self, change: Changed) -> None:
        frames: list[str] = []
        kind = "call" if isinstance(change.resource, Call) else "activeflow"
        about = f"customer_id:{change.resource.customer_id}:{kind}"
        for topic in (f"{about}:{change.resource.id}", f"{about}:{change.event_type}:{change.resource.id}"):
            for connection in self._connections:
                if any(topic.startswith(prefix) for prefix in connection.topics):
                    frames = frames or self._frames(change)
                    for frame in frames:
                        self._put(connection, frame)

    def _frames(self, change: Changed) -> list[str]:
        resource = change.resource
        data = wire.call(resource) if isinstance(resource, Call) else wire.activeflow(resource)
        bare, wrapped = json.dumps(data), json.dumps({"type": change.event_type, "data": data})
        return {"bare": [bare], "wrapped": [wrapped], "both": [bare, wrapped]}[self.form]

    def _put(self, connection: _Connection, frame: str) -> None:
        try:
            connection.waiting.put_nowait(frame)
        except asyncio.QueueFull:
            self.dropped += 1


async def cut_socket(websocket: WebSocket, *, reset: bool = False) -> None:
    """End one connection without a closing handshake."""
    if reset:
        await cut(websocket.scope, _at_once, reset=True)
    else:
        websocket.scope["state"]["transport"].close()


async def _at_once() -> dict[str, str]:
    return {"type": "websocket.disconnect"}


async def _send(connection: _Connection) -> None:
    while True:
        await connection.websocket.send_text(await connection.waiting.get())


def _may(caller: Caller, topic: str) -> bool:
    mine = f"customer_id:{caller.customer_id}"
    return bool(caller.permission & OPERATORS) and (topic == mine or topic.startswith(f"{mine}:"))

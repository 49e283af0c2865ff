"""Socket Mode: deliveries through a WebSocket that the bot opens.

Promises: the address from apps.connections.open works once; the first frame is `hello`; each delivery is an envelope to
any one connection, done when its `envelope_id` is acknowledged; no connection, or none that acknowledges in time, is an
error the person sees; `disconnect` asks the bot to come again
(https://docs.slack.dev/apis/events-api/using-socket-mode), and one connection too many is told `too_many_websockets`
and closed (https://github.com/slackapi/node-slack-sdk/issues/1654). `hello` counts what Slack believes to be connected,
`ghosts` among them (https://github.com/slackapi/python-slack-sdk/issues/1940).
"""

import asyncio
import json
import secrets
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from starlette.websockets import WebSocket, WebSocketDisconnect

from bot.demo.slack.delivery import JSON, BotAnswer

if TYPE_CHECKING:
    from bot.demo.slack.team import Team

MOST_CONNECTIONS = 10
_ANSWERABLE = {"slash_commands", "interactive"}


class Socket:
    """All connections the bot has open, and the deliveries that wait for an acknowledgement."""

    def __init__(self, workspace: "Team") -> None:
        self._workspace = workspace
        self._tickets: set[str] = set()
        self._connections: list[WebSocket] = []
        self._waiting: dict[str, asyncio.Future[dict[str, Any]]] = {}
        self._turn = 0
        self.ghosts = 0
        self.warning_seconds = 10.0
        self.frames: list[Mapping[str, Any]] = []

    @property
    def connected(self) -> int:
        """Number of open connections."""
        return len(self._connections)

    def ticket(self, base_url: str) -> str:
        """Return a WebSocket address that works once."""
        ticket = secrets.token_urlsafe(24)
        self._tickets.add(ticket)
        return f"{base_url.replace('http', 'ws', 1)}/socket?ticket={ticket}&app_id={self._workspace.api_app_id}"

    async def endpoint(self, websocket: WebSocket) -> None:
        """Serve one connection of the bot until it ends."""
        ticket = websocket.query_params.get("ticket", "")
        if ticket not in self._tickets:
            await websocket.close(1008)
            return
        self._tickets.discard(ticket)
        await websocket.accept()
        if self.connected + self.ghosts >= MOST_CONNECTIONS:
            await websocket.send_text(_disconnect("too_many_websockets"))
            await websocket.close(1000)
            return
        self._connections.append(websocket)
        try:
            await websocket.send_text(json.dumps(self._hello()))
            self._workspace.changed()
            while True:
                self._heard(await websocket.receive_text())
        except WebSocketDisconnect:
            pass
        finally:
            if websocket in self._connections:
                self._connections.remove(websocket)
            self._workspace.changed()

    async def deliver(
        self, kind: str, payload: Mapping[str, Any], *, patience: float, again: tuple[int, str] = (0, "")
    ) -> BotAnswer:
        """Send one envelope (`slash_commands`, `interactive`, `events_api`) and wait for its acknowledgement.

        `again` is for events: the number of the retry, and its reason.
        """
        if not self._connections:
            return BotAnswer(None, error="dispatch_failed")
        envelope_id = secrets.token_hex(16)
        envelope = {
            "envelope_id": envelope_id,
            "payload": payload,
            "type": kind,
            "accepts_response_payload": kind in _ANSWERABLE,
        }
        if kind == "events_api":
            envelope |= {"retry_attempt": again[0], "retry_reason": again[1]}
        self._turn += 1
        acknowledged: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._waiting[envelope_id] = acknowledged
        try:
            await self._connections[self._turn % self.connected].send_text(json.dumps(envelope))
            answer = await asyncio.wait_for(acknowledged, patience)
        except (TimeoutError, RuntimeError, WebSocketDisconnect):  # no answer, or the connection is just closing
            return BotAnswer(None, error="dispatch_failed")
        finally:
            del self._waiting[envelope_id]
        body = json.dumps(answer["payload"]).encode() if answer.get("payload") else b""
        return BotAnswer(200, body, JSON)

    async def disconnect(self, reason: str = "refresh_requested") -> None:
        """Ask every connection to come again (`warning`, `refresh_requested`, `link_disabled`) and end it.

        After a `warning` the connection takes deliveries for `warning_seconds` more, and is then closed.
        """
        leaving = list(self._connections)
        for websocket in leaving:
            await websocket.send_text(_disconnect(reason))
        if reason == "warning":
            await asyncio.sleep(self.warning_seconds)
        for websocket in leaving:
            if websocket in self._connections:
                self._connections.remove(websocket)
                await websocket.close(1000)
        self._workspace.changed()

    def _hello(self) -> dict[str, Any]:
        return {
            "type": "hello",
            "num_connections": self.connected + self.ghosts,
            "debug_info": {"host": "simulated", "build_number": 1, "approximate_connection_time": 18060},
            "connection_info": {"app_id": self._workspace.api_app_id},
        }

    def _heard(self, frame: str) -> None:
        try:
            said = json.loads(frame)
        except ValueError:
            return  # Slack ignores what it cannot read
        if not isinstance(said, dict):
            return
        self.frames.append(said)
        waiting = self._waiting.get(str(said.get("envelope_id")))
        if waiting is not None and not waiting.done():
            waiting.set_result(said)


def _disconnect(reason: str) -> str:
    return json.dumps({"type": "disconnect", "reason": reason, "debug_info": {"host": "simulated"}})

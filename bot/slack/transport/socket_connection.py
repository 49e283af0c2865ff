"""Hold one connection of Socket Mode, from its ``hello`` until it ends.

Every envelope is acked, whatever became of it: an envelope without an ack is an error in the face of a person.

https://docs.slack.dev/apis/events-api/using-socket-mode
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any, Final

import aiohttp
import structlog

from bot.slack.transport.intake import NO_ROOM, Answer
from bot.slack.transport.payload import Unreadable, decoded

log = structlog.get_logger(__name__)

Take = Callable[[Mapping[str, Any]], Awaitable[Answer]]
LARGEST_FRAME: Final = 4 * 2**20
LOST: Final = (aiohttp.ClientError, OSError, ValueError, RuntimeError)
"""What a connection that breaks is told by."""
_AT_ONCE: Final = 256
"""Envelopes in work; as long as there are so many, no more is read."""
_DEPARTURE: Final = 15.0
_GOODBYE: Final = 2.0


class SocketConnection:
    """Envelopes in, acks out. ``websocket`` reads text as bytes and leaves pings to whoever reads."""

    def __init__(self, websocket: aiohttp.ClientWebSocketResponse[Any], take: Take, *, silent_after: float) -> None:
        self._websocket, self._take, self._silent_after = websocket, take, silent_after
        self._heard_at = asyncio.get_running_loop().time()
        self._working: set[asyncio.Task[None]] = set()
        self.greeted = asyncio.Event()
        """Set when Slack has said hello."""
        self.connections = 0
        """How many connections of this app Slack counted then, this one among them; 0 when it did not say."""

    def quiet_for(self) -> float:
        """Seconds since anything was heard: a message, a ping or a pong."""
        return asyncio.get_running_loop().time() - self._heard_at

    async def serve(self) -> str:
        """Take envelopes until it ends, or is asked to end; why, in Slack's word (``refresh_requested``) if it has one."""
        while True:
            try:
                message = await self._websocket.receive(timeout=self._silent_after)
            except TimeoutError:
                return "silent"
            except LOST as lost:
                return f"lost: {type(lost).__name__}"
            self._heard_at = asyncio.get_running_loop().time()
            match message.type:
                case aiohttp.WSMsgType.TEXT:
                    if reason := await self._read(message.data):
                        return reason
                case aiohttp.WSMsgType.PING:
                    await self._sent(self._websocket.pong(message.data), "pong")
                case aiohttp.WSMsgType.PONG | aiohttp.WSMsgType.BINARY:
                    pass
                case _:
                    return f"closed: {self._websocket.close_code}"

    async def leave(self) -> None:
        """Take what still comes until Slack closes it, for some seconds at most: another connection is there already."""
        try:
            async with asyncio.timeout(_DEPARTURE):
                while not (await self.serve()).startswith(("closed", "lost", "silent")):
                    pass
        except TimeoutError:
            pass
        finally:
            await self.close()

    async def finish(self, *, within: float) -> None:
        """Wait until what is in work has been acked."""
        if self._working:
            await asyncio.wait(self._working, timeout=within)

    async def close(self) -> None:
        """Leave it at once."""
        with suppress(*LOST):
            async with asyncio.timeout(_GOODBYE):
                await self._websocket.close()

    async def _read(self, frame: bytes) -> str:
        """Take one frame; the reason, when it asks the bot to go."""
        try:
            envelope = decoded(frame)
        except Unreadable as why:
            log.warning("frame_not_read", why=str(why))
            return ""
        match envelope.get("type"):
            case "hello":
                counted = envelope.get("num_connections")
                self.connections = counted if isinstance(counted, int) else 0
                self.greeted.set()
            case "disconnect":
                return str(envelope.get("reason") or "disconnect")[:40]
            case _ if isinstance(envelope.get("envelope_id"), str):
                await self._start(envelope)
            case _:
                log.warning("frame_not_known")
        return ""

    async def _start(self, envelope: Mapping[str, Any]) -> None:
        while len(self._working) >= _AT_ONCE:
            await asyncio.wait(self._working, return_when=asyncio.FIRST_COMPLETED)
        task = asyncio.create_task(self._answer(envelope))
        self._working.add(task)
        task.add_done_callback(self._working.discard)

    async def _answer(self, envelope: Mapping[str, Any]) -> None:
        kind, payload = str(envelope.get("type"))[:40], envelope.get("payload")
        answer = Answer(500)
        try:
            answer = await self._take(payload if isinstance(payload, dict) else {})
        except Exception as error:  # noqa: BLE001 - acked all the same
            log.error("envelope_not_taken", kind=kind, error=type(error).__name__)
        finally:
            if answer.status != NO_ROOM:  # without an ack Slack warns whoever pressed, and brings an event again
                said = answer.response_payload() if answer.taken else _not_taken(kind)
                ack: dict[str, Any] = {"envelope_id": envelope["envelope_id"]}
                if said is not None and envelope.get("accepts_response_payload") is True:
                    ack["payload"] = said
                await self._sent(self._websocket.send_str(json.dumps(ack)), kind)

    async def _sent(self, sending: Awaitable[object], what: str) -> None:
        try:
            await sending
        except LOST as lost:
            log.error("ack_lost", kind=what, error=type(lost).__name__)


def _not_taken(kind: str) -> dict[str, object] | None:
    """Over a socket Slack shows no error of its own once acked, so a command is answered in words."""
    if kind != "slash_commands":
        return None
    return {"response_type": "ephemeral", "text": "I could not take this command. Nothing was done."}

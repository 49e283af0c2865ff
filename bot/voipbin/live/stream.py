"""Receive VoIPBIN's events: one WebSocket, subscribed, and watched so that its silence is noticed.

``GET /v1.0/ws`` (https://api.voipbin.net/docs/websocket_overview.html) takes the credential in a header; the documented
way, in the address, is not gone. Nothing is acknowledged: a topic one may not have ends the connection without a word,
and a refusal may come as 200. Promises: whatever ends it is ``StreamLost``, whose words hold no address and no
credential; when ``subscribed`` yields, the server has read the subscription, because it has answered a ping that was
sent after it.

Decision: the topic is what both names of an event begin with, so that everything comes twice; the one that brings it
once relies on the order of words in a name that no document promises.
"""

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final
from uuid import UUID

import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus, WebSocketException

from bot.voipbin.http.answer import Unsuccessful
from bot.voipbin.http.budget import Budget, Urgency
from bot.voipbin.http.credential import Credential, RequestCredential

_LARGEST_FRAME: Final = 4 * 2**20
"""Bytes: one activeflow with all its steps."""
_QUEUE: Final = 64
"""Frames read ahead; beyond that the server's own buffer fills, which drops what does not fit."""
_OPEN_WITHIN: Final = 10.0
_REFUSED: Final = frozenset({401, 403})


class StreamLost(Exception):
    """There is no event stream (any more), and why."""


class EventStream:
    """Opens the stream, as often as it takes."""

    def __init__(
        self,
        url: str,
        credential: Credential,
        budget: Budget,
        trust: ssl.SSLContext,
        *,
        proxy: str | None = None,
        ping_every: float = 10.0,
    ) -> None:
        """``url``: ``wss://…/v1.0/ws``. A ping that is not answered within ``ping_every`` seconds ends the stream."""
        self._url = url
        self._credential = credential
        self._budget = budget
        self._trust = trust if url.startswith("wss:") else None
        self._ping_every, self._proxy = ping_every, proxy
        # The library would write down the credential; this logger is in no tree that a configuration could reach.
        self._quiet = logging.Logger("unsaid")  # noqa: LOG001 — as just said
        self._quiet.disabled = True

    @asynccontextmanager
    async def subscribed(self, customer_id: UUID) -> AsyncIterator[AsyncIterator[bytes]]:
        """Yield the frames about this customer's activeflows, from now on. Raises ``StreamLost``, also while one
        reads.
        """
        connection = await self._opened()
        try:
            already = await self._subscribe(connection, customer_id)
            yield _frames(connection, already)
        finally:
            connection.transport.abort()  # there is nothing to say to the other side that it would wait for

    async def _opened(self) -> ClientConnection:
        try:
            shown = await self._credential.show()
        except Unsuccessful as unsuccessful:
            what = unsuccessful.trouble.what
        else:
            if shown.headers:
                return await self._connected(shown)
            what = "the access key is sent in addresses, and the event stream is not asked for in that way"
        raise StreamLost(what)

    async def _connected(self, shown: RequestCredential) -> ClientConnection:
        try:
            async with self._budget.turn(Urgency.SCREEN):
                return await _Connect(
                    self._url,
                    additional_headers=dict(shown.headers),
                    ssl=self._trust,
                    proxy=self._proxy,
                    compression=None,
                    open_timeout=_OPEN_WITHIN,
                    ping_interval=self._ping_every,
                    ping_timeout=self._ping_every,
                    close_timeout=1.0,
                    max_size=_LARGEST_FRAME,
                    max_queue=_QUEUE,
                    logger=self._quiet,
                )
        except InvalidStatus as refused:
            status = refused.response.status_code
            what = f"VoIPBIN answered {status} instead of opening the event stream"
            if status in _REFUSED:
                self._credential.refused(shown)
        except (WebSocketException, OSError, TimeoutError, EOFError):
            what = "the event stream cannot be reached"
        raise StreamLost(what)

    async def _subscribe(self, connection: ClientConnection, customer_id: UUID) -> list[bytes]:
        """Subscribe; gives what came already: unread, it would hold up the answer to the ping behind it."""
        asked = {"type": "subscribe", "topics": [f"customer_id:{customer_id}:activeflow"]}
        already: list[bytes] = []
        waited_for: list[asyncio.Future[Any]] = []
        try:
            async with asyncio.timeout(_OPEN_WITHIN):
                await connection.send(msgspec.json.encode(asked).decode())
                pong = asyncio.ensure_future(await connection.ping())
                waited_for[:] = [pong]
                while not pong.done():
                    frame = asyncio.create_task(connection.recv(decode=False))
                    waited_for[1:] = [frame]
                    await asyncio.wait({pong, frame}, return_when=asyncio.FIRST_COMPLETED)
                    if not frame.done():
                        frame.cancel()
                    (told,) = await asyncio.gather(frame, return_exceptions=True)
                    if isinstance(told, (bytes, str)):
                        already.append(_bytes(told))
                await pong
        except (WebSocketException, OSError, TimeoutError, EOFError):
            pass
        else:
            return already
        finally:
            for each in waited_for:
                each.cancel()
            await asyncio.gather(*waited_for, return_exceptions=True)
        raise StreamLost("the event stream ended when the bot subscribed")


class _Connect(connect):
    """Follows no redirect, as everywhere."""

    def process_redirect(self, exc: Exception) -> Any:
        return exc


async def _frames(connection: ClientConnection, already: list[bytes]) -> AsyncIterator[bytes]:
    for frame in already:
        yield frame
    while True:
        try:
            told = _bytes(await connection.recv(decode=False))
        except (WebSocketException, OSError, EOFError):
            break
        yield told
    raise StreamLost("the event stream ended")


def _bytes(frame: bytes | str) -> bytes:
    return frame if isinstance(frame, bytes) else frame.encode()

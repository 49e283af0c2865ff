"""Socket Mode: Slack's deliveries over a WebSocket that this bot opens. No inbound port, no signatures.

The socket was authenticated when it was opened, so envelopes go straight to the intake. Every envelope is acked, whatever
became of it: an envelope without an ack is an error in the face of a person. The SDK's client reconnects by itself, and has
been seen to fall silent while doing so: a watchdog opens a new connection when neither a message nor a pong came for a
while, and readiness says so meanwhile.

https://docs.slack.dev/apis/events-api/using-socket-mode
"""

import asyncio
import logging
import time
from contextlib import suppress
from typing import Final

import aiohttp
import structlog
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.deliveries import Answer
from bot.slack.intake import Intake
from bot.slack.telling import error_word

log = structlog.get_logger(__name__)

SILENT_AFTER: Final = 30.0
"""Seconds without a message or a pong (pings go out every five) until the connection counts as dead."""
_WATCH_EVERY: Final = 5.0
_LAST_ACKS: Final = 3.0
_RECONNECT_TIME: Final = 30.0
_LOST: Final = (SlackClientError, aiohttp.ClientError, OSError, ValueError)


class NotConnected(Exception):
    """Socket Mode cannot be opened. The text says what to do, never the token."""


class SocketMode:
    """One connection of this app, kept alive."""

    def __init__(
        self,
        intake: Intake,
        web: AsyncWebClient,
        app_token: str,
        *,
        silent_after: float = SILENT_AFTER,
        watch_every: float = _WATCH_EVERY,
        ping_every: float = 5.0,
    ) -> None:
        self._intake = intake
        self._web = web
        self._app_token = app_token
        self._silent_after = silent_after
        self._watch_every = watch_every
        self._ping_every = ping_every
        self._client: _Client | None = None
        self._watchdog: asyncio.Task[None] | None = None
        self._answering: set[asyncio.Task[None]] = set()

    async def open(self, *, within: float = 15.0) -> None:
        """Check the token, connect, and keep watch. Raises ``NotConnected`` within ``within`` seconds.

        The token is checked by itself first: the SDK's client would try a bad one for ever.
        """
        try:
            async with asyncio.timeout(within):
                opened = await self._web.apps_connections_open(app_token=self._app_token)
                self._client = _Client(self._web, self._app_token, ping_every=self._ping_every)
                self._client.wss_uri = str(opened["url"])
                self._client.socket_mode_request_listeners.append(self._take)
                await self._client.connect()  # type: ignore[no-untyped-call]  # the SDK gives no types
        except SlackApiError as refused:
            raise NotConnected(f"Slack does not accept SLACK_APP_TOKEN: {error_word(refused)}") from None
        except _LOST as lost:
            await self.close()
            raise NotConnected(f"Slack's socket could not be opened: {type(lost).__name__}") from None
        self._watchdog = asyncio.create_task(self._watch())

    async def ready(self) -> str:
        """Empty when connected and heard from lately, else why not."""
        if self._client is None:
            return "not opened"
        if not await self._client.is_connected():
            return "not connected"
        quiet = self._client.quiet_for()
        return "" if quiet < self._silent_after else f"nothing heard for {round(quiet)} s"

    async def close(self) -> None:
        """Take no more envelopes, let those under way be acked, then leave."""
        if self._watchdog is not None:
            self._watchdog.cancel()
            with suppress(asyncio.CancelledError):
                await self._watchdog
        if self._client is None:
            return
        self._client.socket_mode_request_listeners.clear()
        if self._answering:
            await asyncio.wait(self._answering, timeout=_LAST_ACKS)
        await self._client.close()  # type: ignore[no-untyped-call]  # the SDK gives no types
        await self._client.finished()

    async def _take(self, client: AsyncBaseSocketModeClient, request: SocketModeRequest) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._answering.add(task)
            task.add_done_callback(self._answering.discard)
        answer = Answer(500)
        try:
            answer = await self._intake.take(request.payload)
        except Exception as error:  # noqa: BLE001 - acked all the same
            log.error("envelope_not_taken", kind=request.type, error=type(error).__name__)
        finally:
            await self._ack(client, request, answer)

    async def _ack(self, client: AsyncBaseSocketModeClient, request: SocketModeRequest, answer: Answer) -> None:
        payload = answer.response_payload() if answer.taken else _not_taken(request)
        if not request.accepts_response_payload:
            payload = None
        try:
            await client.send_socket_mode_response(SocketModeResponse(request.envelope_id, payload))
        except _LOST as lost:
            log.error("ack_lost", kind=request.type, error=type(lost).__name__)

    async def _watch(self) -> None:
        client = self._client
        while client is not None:
            await asyncio.sleep(self._watch_every)
            if client.quiet_for() < self._silent_after:
                continue
            log.warning("socket_silent", seconds=round(client.quiet_for()))
            try:
                async with asyncio.timeout(_RECONNECT_TIME):
                    await client.connect_to_new_endpoint(force=True)
            except _LOST as lost:
                log.warning("socket_not_reopened", error=type(lost).__name__)


def _not_taken(request: SocketModeRequest) -> dict[str, object] | None:
    """Over a socket Slack shows no error of its own once acked, so a command is answered in words."""
    if request.type != "slash_commands":
        return None
    return {"response_type": "ephemeral", "text": "I could not take this command. Nothing was done."}


class _Client(SocketModeClient):
    """The SDK's client, which holds on to its tasks and remembers when it last heard anything."""

    def __init__(self, web: AsyncWebClient, app_token: str, *, ping_every: float) -> None:
        logger = logging.getLogger("bot.slack.socket")
        logger.setLevel(logging.CRITICAL)  # it quotes payloads and URLs
        super().__init__(app_token=app_token, web_client=web, logger=logger, ping_interval=ping_every)
        self._heard_at = time.time()
        self._running: set[asyncio.Task[None]] = set()
        self.message_listeners.append(self._hear)

    def quiet_for(self) -> float:
        """Seconds since the last message or pong."""
        return time.time() - max(self._heard_at, self.last_ping_pong_time or 0.0)

    async def run_message_listeners(self, message: dict[str, object], raw_message: str) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._running.add(task)
            task.add_done_callback(self._running.discard)
        await super().run_message_listeners(message, raw_message)

    async def finished(self) -> None:
        """Wait for the tasks that ``close`` cancelled."""
        ended = [self.message_processor, self.current_session_monitor, self.message_receiver]
        await asyncio.gather(*(task for task in ended if task is not None), return_exceptions=True)

    async def _hear(self, _client: object, _message: object, _raw: object) -> None:
        self._heard_at = time.time()

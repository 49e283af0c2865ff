"""Receive Slack's deliveries by Socket Mode, over a WebSocket that this bot opens. No inbound port, no signatures.

The socket was authenticated when it was opened, so envelopes go straight to the intake. When it ends, another is
opened: at once when Slack asked for that, else after a pause that grows, by the reason. (The SDK's client opens another
at once, whatever the reason: against ``too_many_websockets`` some hundred times a second, until Slack answers no more
at all.)

https://docs.slack.dev/apis/events-api/using-socket-mode
"""

import asyncio
import json
import random
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import aiohttp
import structlog
from prometheus_client import Counter
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

from bot.activeflows.errors import Failure
from bot.slack.messaging.web_client import Route, bounded, error_word, http_session, retry_after
from bot.slack.transport.intake import NO_ROOM, DeliveryAnswer, Intake, Unreadable, decoded

# ---------------------------------------------------------------- socket connection
# Hold one connection of Socket Mode, from its ``hello`` until it ends.
#
# Every envelope is acked, whatever became of it: an envelope without an ack is an error in the face of a person.
#
# https://docs.slack.dev/apis/events-api/using-socket-mode

log = structlog.get_logger(__name__)

Take = Callable[[dict[str, Any]], Awaitable[DeliveryAnswer]]
SOCKETS: Final = Counter("flows_bot_slack_socket_connections", "Socket Mode connections that Slack has greeted")
SOCKETS_ENDED: Final = Counter(
    "flows_bot_slack_socket_endings",
    "Socket Mode connections that ended or could not be opened, by the reason",
    ["reason"],
)
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
        """Return the seconds since anything was heard: a message, a ping or a pong."""
        return asyncio.get_running_loop().time() - self._heard_at

    async def serve(self) -> str:
        """Take envelopes until it ends, or is asked to end; why, in Slack's word (``refresh_requested``) if it has
        one.
        """
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
        """Take what still comes until Slack closes it, for some seconds at most: another connection is there
        already.
        """
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
        answer = DeliveryAnswer(500)
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
    """Say that it was not taken: over a socket Slack shows no error of its own once acked, so a command is answered
    in words.
    """
    if kind != "slash_commands":
        return None
    return {"response_type": "ephemeral", "text": "I could not take this command. Nothing was done."}


# ---------------------------------------------------------------- socket mode


SILENT_AFTER: Final = 30.0
"""Seconds without a message or a pong (pings go out every ten) until the connection counts as dead."""
_PING_EVERY: Final = 10.0
_OPEN_WITHIN: Final = 30.0
_STEADY: Final = 30.0
"""Seconds that a connection has to last for its predecessors' troubles to be forgotten."""
_LAST_ACKS: Final = 3.0
_ASKED_FOR: Final = frozenset({"refresh_requested", "warning"})
_PERMANENT: Final = frozenset(
    {"invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired", "not_allowed_token_type"}
    | {"no_permission", "missing_scope", "app_uninstalled", "link_disabled"}
)
"""Nothing that waiting helps against: somebody has to change the app or its token."""


@dataclass(frozen=True, slots=True)
class Pauses:
    """Seconds before another try: at first, and at most, doubled in between; anything between half of it and all."""

    usual: tuple[float, float] = (1.0, 60.0)
    too_many: tuple[float, float] = (5.0, 60.0)
    permanent: tuple[float, float] = (60.0, 600.0)

    def after(self, reason: str, tries: int) -> float:
        """Return the pause. ``tries``: how many there were since it was last connected for long."""
        if reason in _ASKED_FOR and tries == 0:
            return 0.0
        first, most = self.usual
        if reason in _PERMANENT:
            first, most = self.permanent
        elif reason == "too_many_websockets":
            first, most = self.too_many
        return min(most, first * 2.0 ** min(tries, 16)) * random.uniform(0.5, 1.0)  # noqa: S311 - keeps bots apart, no secret


class NotConnected(Exception):
    """Socket Mode cannot be opened. The text says what to do, never the token."""


class _Refused(Exception):
    """There is no connection; the text is Slack's word, or the error's name."""

    def __init__(self, reason: str, retry_after: float = 0.0) -> None:
        super().__init__(reason)
        self.reason, self.retry_after = reason, retry_after


async def one() -> int:
    return 1


class SocketMode:
    """One connection of this app, kept alive. ``replicas``: how many connections this deployment has, one for each
    bot.
    """

    def __init__(
        self,
        intake: Intake,
        web: AsyncWebClient,
        app_token: str,
        *,
        replicas: Callable[[], Awaitable[int]] = one,
        route: Route | None = None,
        pauses: Pauses | None = None,
        silent_after: float = SILENT_AFTER,
        ping_every: float = _PING_EVERY,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._intake, self._web, self._app_token, self._replicas = intake, web, app_token, replicas
        self._pauses, self._silent_after, self._ping_every = pauses or Pauses(), silent_after, ping_every
        self._sleep, self._route = sleep, route or Route()
        self._session: aiohttp.ClientSession | None = None
        self._newest: SocketConnection | None = None
        self._connection: SocketConnection | None = None
        """The one that Slack has greeted last, while it is there."""
        self._settled = asyncio.Event()
        self._keeper: asyncio.Task[None] | None = None
        self._leaving: dict[asyncio.Task[None], SocketConnection] = {}
        """Those that Slack asked to come again: acks still go out over them."""
        self._trouble = ""
        self._extra = 0
        self._counted_at = datetime.now(UTC)

    async def open(self, *, within: float = 15.0) -> None:
        """Connect, and keep watch. Raises ``NotConnected`` within ``within`` seconds.

        What Slack says over the socket itself (``too_many_websockets``) is no reason not to start: it is tried again.
        """
        self._session = http_session()
        try:
            async with asyncio.timeout(within):
                connection = await self._opened()
        except _Refused as refused:
            await self.close()
            raise NotConnected(f"Slack does not accept SLACK_APP_TOKEN: {refused.reason}") from None
        except (*LOST, SlackClientError) as lost:
            await self.close()
            raise NotConnected(f"Slack's socket could not be opened: {type(lost).__name__}") from None
        self._keeper = asyncio.create_task(self._keep(connection))
        with suppress(TimeoutError):
            await asyncio.wait_for(self._settled.wait(), within)

    async def ready(self) -> str:
        """Say why it is not ready; empty when connected and heard from lately, else why not."""
        if self._keeper is None:
            return "not opened"
        if self._connection is None:
            return self._trouble or "not connected"
        quiet = self._connection.quiet_for()
        return "" if quiet < self._silent_after else f"nothing heard for {round(quiet)} s"

    async def elsewhere(self) -> str:
        """Say that others connect, too; empty when all of this app's connections are this deployment's, else that
        they are not.
        """
        connection = self._connection
        if connection is None or not connection.connections:
            return ""
        own = await self._replicas() + self._extra
        if connection.connections <= own:
            return ""
        return (
            f"Slack counted {connection.connections} connections of this app at "
            f"{self._counted_at:%Y-%m-%d %H:%M:%S} UTC, and "
            f"this deployment has {own}: another program uses SLACK_APP_TOKEN, and what people do "
            "may go there and not here"
        )

    async def close(self) -> None:
        """Take no more envelopes, let those under way be acked, then leave."""
        keeper, connection, self._keeper = self._keeper, self._newest, None
        there = [one for one in (connection, *self._leaving.values()) if one is not None]
        await asyncio.gather(*(one.finish(within=_LAST_ACKS) for one in there))
        tasks = [task for task in (keeper, *self._leaving) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if connection is not None:
            await connection.finish(within=_LAST_ACKS)
            await connection.close()
        if self._session is not None:
            await self._session.close()

    async def _keep(self, connection: SocketConnection | None) -> None:
        loop, tries, told = asyncio.get_running_loop(), 0, ""
        while True:
            wait, began = 0.0, loop.time()
            try:
                if connection is None:
                    async with asyncio.timeout(_OPEN_WITHIN):
                        connection = await self._opened()
                reason = await self._served(connection)
            except _Refused as refused:
                reason, wait = refused.reason, refused.retry_after
            except (*LOST, SlackClientError) as lost:
                reason = type(lost).__name__
            if connection is not None and connection.greeted.is_set() and loop.time() - began > _STEADY:
                tries, told = 0, ""
            SOCKETS_ENDED.labels(bounded(reason)).inc()
            pause = max(wait, self._pauses.after(reason, tries))
            if reason not in _ASKED_FOR and reason != told:
                say = log.error if reason in _PERMANENT else log.warning
                say("socket_ended", reason=reason, again_in_seconds=round(pause, 1))
                told = reason
            tries += 1
            self._ended(connection, reason, pause)
            connection = None
            await self._sleep(pause)

    def _ended(self, connection: SocketConnection | None, reason: str, pause: float) -> None:
        """Say so; and where Slack asked the bot to come again, take what still comes until Slack closes the old one."""
        if pause > 0:
            self._connection, self._trouble = None, f"{_in_words(reason)}; trying again in {round(pause)} s"
        self._extra = 0 if connection is None else 1  # Slack may still count it
        self._settled.set()
        if connection is not None:
            left = connection.leave() if reason in _ASKED_FOR else connection.close()
            task = asyncio.ensure_future(left)
            self._leaving[task] = connection
            task.add_done_callback(self._leaving.pop)

    async def _opened(self) -> SocketConnection:
        assert self._session is not None  # noqa: S101 - opened before
        try:
            opened = await self._web.apps_connections_open(app_token=self._app_token)
        except SlackApiError as refused:
            raise _Refused(error_word(refused), retry_after(refused)) from None
        websocket = await self._session.ws_connect(
            str(opened["url"]),
            autoping=False,
            heartbeat=self._ping_every,
            max_msg_size=LARGEST_FRAME,
            decode_text=False,
            proxy=self._route.proxy.of(str(opened["url"])),
            ssl=self._route.trust or True,
        )
        self._newest = SocketConnection(websocket, self._intake.take, silent_after=self._silent_after)
        return self._newest

    async def _served(self, connection: SocketConnection) -> str:
        greeting = asyncio.create_task(self._greeted(connection))
        try:
            return await connection.serve()
        finally:
            greeting.cancel()

    async def _greeted(self, connection: SocketConnection) -> None:
        await connection.greeted.wait()
        self._connection, self._trouble, self._counted_at = connection, "", datetime.now(UTC)
        self._settled.set()
        SOCKETS.inc()
        log.info("socket_connected", slack_counts=connection.connections)
        try:
            why = await self.elsewhere()
        except Failure as trouble:
            log.warning("connections_not_compared", why=trouble.what)
        else:
            if why:
                log.warning("connections_elsewhere", why=why)


def _in_words(reason: str) -> str:
    match reason:
        case "too_many_websockets":
            return "Slack has too many connections of this app already (too_many_websockets)"
        case "link_disabled":
            return "Socket Mode is switched off in the app's settings (link_disabled)"
        case _ if reason in _PERMANENT:
            return f"Slack does not accept SLACK_APP_TOKEN any more ({reason}): tell whoever looks after this bot"
        case _:
            return f"not connected ({reason})"

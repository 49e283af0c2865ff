"""The one way in, for both transports: verified, readable, ours, then Bolt.

Bolt is given the decoded payload and nothing else: no header that Slack did not sign reaches it (``X-Slack-Bolt-Lazy-*``
would), nothing is parsed twice, and its own form parser, which stumbles over the word "payload", is never used.

Decisions: unsigned, stale or foreign deliveries are answered 401 (somebody using the command in a foreign workspace sees
Slack's own error, and the log says why), unreadable ones 400, what has not Slack's shape 404. An event that was taken once is acked
and dropped when Slack delivers it again. Presses are not de-duplicated here: what may happen only once (a stop) claims
that itself.
"""

import json
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import structlog
from prometheus_client import CollectorRegistry, Counter, Histogram
from slack_bolt.async_app import AsyncApp
from slack_bolt.request.async_request import AsyncBoltRequest

from bot.slack.installation import Installation
from bot.slack.payload import OTHER, Unreadable, is_ours, kind_of, read
from bot.slack.signature import is_signed

log = structlog.get_logger(__name__)

LARGEST: Final = 256 * 1024
"""Bytes of a body. Slack's clicks carry 10 to 50 kB."""
_TEXT: Final = "text/plain; charset=utf-8"
_EVENTS_REMEMBERED: Final = 1000
_ACK_BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 1.0, 3.0)


@dataclass(frozen=True, slots=True)
class Answer:
    """What Slack is told: the ack, or why not."""

    status: int
    body: str = ""
    content_type: str = _TEXT

    @property
    def taken(self) -> bool:
        return self.status == 200

    def response_payload(self) -> dict[str, Any] | None:
        """The body as a Socket Mode response carries it."""
        if not self.body:
            return None
        if not self.content_type.startswith("application/json"):
            return {"text": self.body}
        decoded = json.loads(self.body)
        return decoded if isinstance(decoded, dict) else None


class Intake:
    """Takes deliveries. Without a ``signing_secret`` nothing that comes by HTTP is believed."""

    def __init__(
        self,
        app: AsyncApp,
        installation: Installation,
        *,
        signing_secret: str = "",
        clock: Callable[[], float] = time.time,
        registry: CollectorRegistry | None = None,
    ) -> None:
        self._app = app
        self._home = installation
        self._secret = signing_secret.encode()
        self._clock = clock
        self._events: OrderedDict[str, None] = OrderedDict()
        self._count = Counter("flows_bot_deliveries", "Deliveries from Slack", ["kind", "status"], registry=registry)
        self._seconds = Histogram(
            "flows_bot_ack_seconds", "From delivery to ack", buckets=_ACK_BUCKETS, registry=registry
        )

    async def request(self, headers: Sequence[tuple[bytes, bytes]], body: bytes) -> Answer:
        """An HTTP delivery: raw headers (names in lower case) and the raw body, at most ``LARGEST`` bytes."""
        if is_ssl_check(body):
            return Answer(200)
        if not self._secret or not is_signed(self._secret, headers, body, now=self._clock()):
            return self._refused("unsigned", 401)
        content_type = next((value for name, value in headers if name == b"content-type"), b"")
        try:
            payload = read(body, content_type.decode("latin-1"))
        except Unreadable as reason:
            return self._refused(f"unreadable: {reason}", 400)
        if kind_of(payload) == "url_verification":
            return Answer(200, str(payload.get("challenge", "")))
        return await self.take(payload)

    async def take(self, payload: Mapping[str, Any]) -> Answer:
        """A payload whose origin is certain: a verified request's, or a Socket Mode envelope's."""
        began = time.perf_counter()
        kind = kind_of(payload)
        if not kind:
            return self._refused("unknown kind", 404)
        if not is_ours(payload, self._home):
            return self._refused("another app or workspace", 401, kind)
        event_id = payload.get("event_id") if kind == "event_callback" else None
        if isinstance(event_id, str) and event_id in self._events:
            return Answer(200)
        answer = await self._dispatched(kind, dict(payload))
        if isinstance(event_id, str) and answer.taken:
            self._remember(event_id)
        self._count.labels(kind, str(answer.status)).inc()
        self._seconds.observe(time.perf_counter() - began)
        return answer

    async def _dispatched(self, kind: str, payload: dict[str, Any]) -> Answer:
        if kind == OTHER:  # Bolt takes the shapes of kinds for granted that this bot has no listener for
            payload["type"] = f"{OTHER}: {payload['type']}"
        try:
            request = AsyncBoltRequest(body=payload, mode="socket_mode", headers={})
        except (AttributeError, KeyError, IndexError, TypeError, ValueError) as error:
            return self._refused(f"odd shape: {type(error).__name__}", 400, kind)
        response = await self._app.async_dispatch(request)
        if response.status != 200:
            log.warning("delivery_not_taken", kind=kind, status=response.status)
        content_type = response.headers.get("content-type", [_TEXT])
        return Answer(response.status, response.body or "", content_type[0])

    def _refused(self, reason: str, status: int, kind: str = "unknown") -> Answer:
        log.warning("delivery_refused", reason=reason, status=status, kind=kind)
        self._count.labels(kind, str(status)).inc()
        return Answer(status)

    def _remember(self, event_id: str) -> None:
        self._events[event_id] = None
        if len(self._events) > _EVENTS_REMEMBERED:
            self._events.popitem(last=False)


def is_ssl_check(body: bytes) -> bool:
    """Slack's occasional look at a certificate: ``ssl_check=1&token=…``, not signed, harmless to answer.

    https://docs.slack.dev/interactivity/implementing-slash-commands
    """
    return len(body) < 300 and b"ssl_check=1" in body.split(b"&")[:3] and b"command=" not in body

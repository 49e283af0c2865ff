"""How a workspace reaches its bot: commands, interactions and events, over HTTP or through the socket.

Promises: commands and interactions are delivered once; an event that is answered with an error, or not within
`patience` seconds, is delivered three more times after the waits in `event_retries`, with `X-Slack-Retry-Num` and
`X-Slack-Retry-Reason` (https://docs.slack.dev/apis/events-api/#retries), unless the answer says `X-Slack-No-Retry: 1`.
"""

import asyncio
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from bot.demo.slack import payloads
from bot.demo.slack.delivery import FORM, JSON, BotAnswer, Delivery, posted, record, signed, timed
from bot.demo.slack.installation import Installation
from bot.demo.slack.socket_mode import Socket
from bot.demo.slack.team import Background, Team

_ENVELOPES = {"slash_command": "slash_commands", "event_callback": "events_api"}
_MESSAGES_IN = {"channel": "message.channels", "group": "message.groups", "im": "message.im"}
_REASONS = {"operation_timeout": "http_timeout", "dispatch_failed": "connection_failed"}


class Outbound(Team, Installation):
    """A workspace with the bot installed, and its ways to the bot: `request_url`, or the socket in `socket_mode`."""

    def __init__(self, *, now: Callable[[], float] = time.time) -> None:
        Installation.__init__(self)
        Team.__init__(self, now=now)
        self.request_url: str | None = None
        self.socket_mode = False
        self.patience = 3.0
        self.event_retries: tuple[float, ...] = (0.0, 60.0, 300.0)
        self.socket = Socket(self)
        self.background = Background()
        self.deliveries: list[Delivery] = []

    async def tells(self, event: Mapping[str, Any]) -> Delivery:
        """Deliver an event of the Events API, such as `{"type": "user_change", "user": {…}}`; return the first
        delivery.

        Raises LookupError when the app is not subscribed to it: Slack would not send it.
        """
        subscription = _subscription(event)
        if subscription not in self.events:
            raise LookupError(f"the app is not subscribed to {subscription}, only to {sorted(self.events)}")
        payload = payloads.event(self, event)
        user = event.get("user", "")
        planned = Delivery("event_callback", str(user["id"] if isinstance(user, Mapping) else user), payload)
        delivery, taken = await self._told(planned, 0, "")
        if taken.error is not None and not taken.no_retry:
            self.background.start(self._tell_again(planned, taken))
        return delivery

    async def interacts(self, kind: str, user: str, payload: Mapping[str, Any], shown: str) -> Delivery:
        """Deliver a command or an interaction; `shown` is what the person reads when the bot does not take it."""
        body, content_type = _encoded(kind, payload)
        delivery, _ = await self._handed_over(Delivery(kind, user, payload, body), content_type, shown, {})
        return delivery

    async def delivers(self, body: bytes, headers: Mapping[str, str]) -> Delivery:
        """Post these bytes to the bot as they are: for replays and forgeries. Always over HTTP."""
        taken, seconds = await timed(lambda: posted(self.request_url, body, headers, patience=self.patience))
        return self._delivered(Delivery("raw", "", body=body, headers=dict(headers)), taken, seconds, "raw:")

    def signed(self, body: bytes, *, content_type: str = FORM, at: float | None = None) -> dict[str, str]:
        """Return the headers with which `delivers` makes a valid delivery of `body`."""
        return signed(self.signing_secret, body, content_type=content_type, at=at)

    def shows_error(self, delivery: Delivery, error: str) -> Delivery:
        """Say that Slack could not use what the bot answered: the same delivery, with this error, also in
        `deliveries`.
        """
        wrong = replace(delivery, error=error)
        self.deliveries[self.deliveries.index(delivery)] = wrong
        self.changed()
        return wrong

    async def _tell_again(self, planned: Delivery, taken: BotAnswer) -> None:
        for attempt, wait in enumerate(self.event_retries, start=1):
            await asyncio.sleep(wait)
            reason = "http_error" if taken.status else _REASONS[taken.error or "dispatch_failed"]
            _, taken = await self._told(planned, attempt, reason)
            if taken.error is None or taken.no_retry:
                return

    async def _told(self, planned: Delivery, attempt: int, reason: str) -> tuple[Delivery, BotAnswer]:
        body, content_type = _encoded("event_callback", planned.payload)
        again = {"X-Slack-Retry-Num": str(attempt), "X-Slack-Retry-Reason": reason} if attempt else {}
        return await self._handed_over(replace(planned, body=body), content_type, "", again)

    async def _handed_over(
        self, planned: Delivery, content_type: str, shown: str, more: Mapping[str, str]
    ) -> tuple[Delivery, BotAnswer]:
        if self.socket_mode:
            envelope = _ENVELOPES.get(planned.kind, "interactive")
            again = (int(more.get("X-Slack-Retry-Num", 0)), "timeout" if more else "")
            taken, seconds = await timed(
                lambda: self.socket.deliver(envelope, planned.payload, patience=self.patience, again=again)
            )
        else:
            headers = {**self.signed(planned.body, content_type=content_type), **more}
            planned = replace(planned, headers=headers)
            taken, seconds = await timed(
                lambda: posted(self.request_url, planned.body, headers, patience=self.patience)
            )
        return self._delivered(planned, taken, seconds, shown), taken

    def _delivered(self, planned: Delivery, taken: BotAnswer, seconds: float, shown: str) -> Delivery:
        delivery = replace(
            planned,
            status=taken.status,
            answer=taken.answer,
            content_type=taken.content_type,
            seconds=seconds,
            error=f'{shown} "{taken.error}"' if taken.error else None,
        )
        self.deliveries.append(delivery)
        if delivery.kind != "raw":
            record(delivery.kind, delivery.payload, _json(taken))
        self.changed()
        return delivery


def _json(taken: BotAnswer) -> Any:
    try:
        return json.loads(taken.answer) if taken.content_type.startswith(JSON) and taken.answer.strip() else None
    except ValueError:
        return None


def _subscription(event: Mapping[str, Any]) -> str:
    if event["type"] != "message":
        return str(event["type"])
    return _MESSAGES_IN.get(str(event.get("channel_type")), "message")


def _encoded(kind: str, payload: Mapping[str, Any]) -> tuple[bytes, str]:
    if kind == "slash_command":
        return urlencode(payload).encode(), FORM
    if kind == "event_callback":
        return json.dumps(payload).encode(), JSON
    return urlencode({"payload": json.dumps(payload)}).encode(), FORM

"""Identify a delivery of Slack's: which one it is, what it asked for, and what Slack was told.

The same bytes may come twice within the five minutes in which their signature is good: from somebody who kept them, from
a proxy that tries again, or as Slack's own retry of an event (https://docs.slack.dev/apis/events-api#retries).
"""

import asyncio
import json
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

TEXT: Final = "text/plain; charset=utf-8"
JSON: Final = "application/json"
_REMEMBERED: Final = 4096


@dataclass(frozen=True, slots=True)
class Answer:
    """What Slack is told: the ack, or why not."""

    status: int
    body: str = ""
    content_type: str = TEXT

    @property
    def taken(self) -> bool:
        return self.status == 200

    def response_payload(self) -> dict[str, Any] | None:
        """The body as a Socket Mode response carries it."""
        if not self.body:
            return None
        if not self.content_type.startswith(JSON):
            return {"text": self.body}
        decoded = json.loads(self.body)
        return decoded if isinstance(decoded, dict) else None


class Answers:
    """What was answered to the last deliveries, so that one that comes again gets the same and does nothing."""

    def __init__(self) -> None:
        self._given: OrderedDict[str, asyncio.Future[Answer]] = OrderedDict()

    async def once(self, delivery: str, take: Callable[[], Awaitable[Answer]]) -> tuple[Answer, bool]:
        """The answer, and whether it was given before. What was not taken may be delivered again. ``""``: it has no id."""
        if not delivery:
            return await take(), False
        given = self._given.get(delivery)
        if given is not None:
            return await asyncio.shield(given), True
        given = self._given[delivery] = asyncio.get_running_loop().create_future()
        if len(self._given) > _REMEMBERED:
            self._given.popitem(last=False)
        answer = Answer(500)
        try:
            answer = await take()
        finally:
            given.set_result(answer)
            if not answer.taken:
                self._given.pop(delivery, None)
        return answer, False


def delivery_id(payload: Mapping[str, Any]) -> str:
    """An event's id, anything else's trigger: each is given once. ``""`` when there is none, as in a look-up of options.

    https://docs.slack.dev/interactivity/handling-user-interaction#triggers
    """
    key = "event_id" if payload.get("type") == "event_callback" else "trigger_id"
    given = payload.get(key)
    return f"{key}:{given}" if isinstance(given, str) and given else ""

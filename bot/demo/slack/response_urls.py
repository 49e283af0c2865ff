"""response_urls: where a bot may answer a command or a press, five times in thirty minutes.

Promises: each URL belongs to one payload and knows whom it came from and which message was pressed; after five posts it
answers HTTP 404 `used_url`, after 30 minutes 404 `expired_url`
(https://docs.slack.dev/interactivity/handling-user-interaction#message_responses).
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field

from bot.demo.slack.refusals import Refused

USES = 5
MINUTES = 30


@dataclass
class Source:
    """What a response_url belongs to: a user in a channel, and the ts of the pressed message if it was a press."""

    user: str
    channel: str
    message_ts: str | None
    expires: float
    uses: int = 0


@dataclass
class ResponseUrls:
    """All URLs handed out, by the clock `now`."""

    now: Callable[[], float]
    _given: dict[str, Source] = field(default_factory=dict)

    def give(self, kind: str, team: str, *, user: str, channel: str, message_ts: str | None = None) -> str:
        """Return the path of a new URL: `/commands/TEAM/NUMBER/SECRET` or `/actions/…`."""
        path = f"/{kind}/{team}/{secrets.randbelow(10**13)}/{secrets.token_urlsafe(18)}"
        self._given[path] = Source(user, channel, message_ts, self.now() + MINUTES * 60)
        return path

    def move(self, old: str, new: str) -> None:
        """Follow a channel to its new id."""
        for source in self._given.values():
            source.channel = new if source.channel == old else source.channel

    def take(self, path: str) -> Source:
        """Use the URL once. Raises Refused (`expired_url`, `used_url`, `no_service`) when it cannot be used."""
        source = self._given.get(path)
        if source is None:
            raise Refused("no_service")
        if self.now() > source.expires:
            raise Refused("expired_url")
        if source.uses >= USES:
            raise Refused("used_url")
        source.uses += 1
        return source

"""What a Web API method is here: the token and scopes it wants, its work, its rate limit, and how it is refused."""

import math
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from bot.demo.slack.messages import Message
from bot.demo.slack.people import Channel

if TYPE_CHECKING:
    from bot.demo.slack.workspace import Workspace


# ---------------------------------------------------------------- limits
# Slack's rate limits: so many calls of a method a minute, about one message a second in a channel.
#
# Promises: a call over the limit is answered 429 with a `Retry-After` in whole seconds and has no effect
# (https://docs.slack.dev/apis/web-api/rate-limits). Decision: Slack lets short bursts of posts pass and says of no
# number; here a channel takes `burst` at once and one more each second. A story whose bot lives faster than the clock
# lets Slack's minute pass faster as well: `minute` is how many seconds it lasts.

A_MINUTE = {1: 1, 2: 20, 3: 50, 4: 100}  # calls a minute that each tier grants at least
TIERS = {
    "apps.connections.open": 3,  # the method's own page; an older list says 1
    "users.list": 2,
    "conversations.list": 2,
    "usergroups.list": 2,
    "usergroups.users.list": 2,
    "conversations.info": 3,
    "conversations.open": 3,
    "conversations.history": 3,  # of an app for one's own workspace; one sold outside the Marketplace gets 1 a minute
    "chat.update": 3,
    "chat.delete": 3,
    "bots.info": 3,
    "conversations.members": 4,
    "chat.postEphemeral": 4,
    "users.info": 4,
    "files.getUploadURLExternal": 4,
    "files.completeUploadExternal": 4,
    "views.open": 4,
    "views.push": 4,
    "views.update": 4,
    "views.publish": 4,
}


@dataclass
class Limits:
    """Counts calls by the clock `now`; `tiers` and `a_minute` may be replaced to make a test short."""

    now: Callable[[], float]
    enabled: bool = True
    tiers: Mapping[str, int] = field(default_factory=lambda: dict(TIERS))
    a_minute: Mapping[int, int] = field(default_factory=lambda: dict(A_MINUTE))
    burst: int = 10
    minute: float = 60.0
    refused: int = 0
    _seen: dict[str, deque[float]] = field(default_factory=dict)
    _posted: dict[str, float] = field(default_factory=dict)

    def retry_after(self, method: str, channel: str = "") -> int | None:
        """Count one call. Return None when it may pass, else the seconds to wait before the next try."""
        if not self.enabled:
            return None
        if method == "chat.postMessage":
            wait = self._post(channel)
        else:
            tier = self.tiers.get(method)
            wait = None if tier is None else self._wait(method, self.a_minute[tier], self.minute)
        self.refused += wait is not None
        return wait

    def forget(self) -> None:
        """Begin all windows anew."""
        self._seen.clear()
        self._posted.clear()

    def _post(self, channel: str) -> int | None:
        now, second = self.now(), self.minute / 60
        free = max(self._posted.get(channel, 0.0), now - second * self.burst) + second
        if free > now:
            return max(1, math.ceil(free - now))
        self._posted[channel] = free
        return None

    def _wait(self, key: str, calls: int, seconds: float) -> int | None:
        seen = self._seen.setdefault(key, deque())
        now = self.now()
        while seen and seen[0] <= now - seconds:
            seen.popleft()
        if len(seen) < calls:
            seen.append(now)
            return None
        return max(1, math.ceil(seen[0] + seconds - now))


# ---------------------------------------------------------------- refusals
# How Slack says no: an error code, sometimes with messages that point into the blocks.


class Refused(Exception):  # reads as the outcome it is
    """The call is refused with Slack's error `code`; `details` are further keys of the answer."""

    def __init__(self, code: str, *, messages: Sequence[str] = (), details: Mapping[str, Any] | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.messages = list(messages)
        self.details = dict(details or {})

    def as_json(self) -> dict[str, Any]:
        """Return the body, as described at https://docs.slack.dev/apis/web-api/#responses."""
        body: dict[str, Any] = {"ok": False, "error": self.code, **self.details}
        if self.messages:
            body["errors"] = self.messages
            body["response_metadata"] = {"messages": [f"[ERROR] {message}" for message in self.messages]}
        return body


# ---------------------------------------------------------------- method


@dataclass(frozen=True)
class Arguments:
    """The arguments of one call, forgiving about how JSON and forms write booleans and numbers."""

    given: Mapping[str, Any]

    def text(self, name: str, default: str = "") -> str:
        """Return a string."""
        value = self.given.get(name)
        return default if value is None else str(value)

    def needed(self, name: str) -> str:
        """Return a string that must be there. Raises Refused `invalid_arguments`."""
        if not self.given.get(name):
            raise Refused("invalid_arguments", messages=[f"missing required field: {name}"])
        return str(self.given[name])

    def flag(self, name: str) -> bool:
        """Return a boolean."""
        return self.given.get(name) in (True, "1", "true", "True")  # an unhashable value may come

    def number(self, name: str, default: int) -> int:
        """Return a whole number."""
        value = self.text(name)
        return int(value) if value.isdigit() else default


@dataclass(frozen=True)
class Method:
    """One method; `scopes` are those of which one is enough, none means no scope is needed."""

    work: Callable[["Workspace", Arguments], dict[str, Any]]
    scopes: frozenset[str] = frozenset()
    token: Literal["bot", "app", "none"] = "bot"


def channel_for_posting(workspace: "Workspace", id_: str) -> Channel:
    """Return where the bot may write: a channel it is in, or the direct messages of a user id. Raises Refused."""
    if id_ in workspace.users and id_ != workspace.bot_user_id:
        if workspace.users[id_].deleted or workspace.users[id_].is_bot:
            raise Refused("cannot_dm_bot" if workspace.users[id_].is_bot else "user_disabled")
        channel = workspace.direct_channel(id_)
    else:
        channel = visible_channel(workspace, id_)
    if channel.im_with is not None and not workspace.messages_tab_enabled:
        raise Refused("messages_tab_disabled")
    writable(channel)
    if workspace.bot_user_id not in channel.members:
        raise Refused("not_in_channel")
    return channel


def writable(channel: Channel) -> None:
    """Raise Refused for a channel in which nothing can be written or changed any more: `is_archived`, `is_inactive`."""
    if channel.is_archived:
        raise Refused("is_archived")
    if channel.is_frozen:
        raise Refused("is_inactive")


def visible_channel(workspace: "Workspace", id_: str) -> Channel:
    """Return a channel the bot can know of; private ones only from inside. Raises Refused `channel_not_found`."""
    channel = workspace.channels.get(id_)
    if channel is None or (channel.is_private and workspace.bot_user_id not in channel.members):
        raise Refused("channel_not_found")
    return channel


def own_message(workspace: "Workspace", channel: Channel, ts: str, *, refusal: str) -> Message:
    """Return a public message of the bot. Raises Refused `message_not_found`, or `refusal` for somebody else's."""
    try:
        message = workspace.message(channel.id, ts)
    except KeyError:
        raise Refused("message_not_found") from None
    if message.ephemeral_to is not None:
        raise Refused("message_not_found")
    if message.user != workspace.bot_user_id:
        raise Refused(refusal)
    return message

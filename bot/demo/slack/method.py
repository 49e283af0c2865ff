"""What a Web API method is here: the token and scopes it wants, and its work."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from bot.demo.slack.messages import Message
from bot.demo.slack.people import Channel
from bot.demo.slack.refusals import Refused

if TYPE_CHECKING:
    from bot.demo.slack.workspace import Workspace


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

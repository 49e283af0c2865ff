"""The events that follow a message: `app_mention`, `message` and its changes.

Promises: an app hears of a mention only in a channel it is in and with the scope `app_mentions:read`, and never by
`app_mention` in a direct message (https://docs.slack.dev/reference/events/app_mention); with `message.im` it hears of
everything in its direct messages, its own posts, edits and deletions too
(https://docs.slack.dev/reference/events/message).
"""

import uuid
from typing import TYPE_CHECKING, Any

from bot.demo.slack import payloads
from bot.demo.slack.delivery import Delivery
from bot.demo.slack.messages import Message
from bot.demo.slack.people import Channel

if TYPE_CHECKING:
    from bot.demo.slack.outbound import Outbound

_KINDS = {"channel": ("message.channels", "channels:history"), "group": ("message.groups", "groups:history")}
_KINDS["im"] = ("message.im", "im:history")
Event = dict[str, Any]


async def tell_of_message(workspace: "Outbound", message: Message) -> Delivery | None:
    """Tell the app of a message that a person wrote: the delivery, or None when it does not hear of it."""
    heard = None
    if hears_messages(workspace, workspace.channels[message.channel]):
        heard = await workspace.tells(_message(workspace, message))
    if _mentions(workspace, message):
        heard = await workspace.tells(_mention(workspace, message))
    return heard


def follow_post(workspace: "Outbound", message: Message) -> None:
    """Tell the app later of what it posted itself, as Slack does where it hears of messages."""
    if message.ephemeral_to is None and hears_messages(workspace, workspace.channels[message.channel]):
        workspace.background.start(workspace.tells(_message(workspace, message)))


def follow_change(workspace: "Outbound", before: Message, after: Message | None) -> None:
    """Tell the app later that a message was edited, or (`after` None) deleted."""
    channel = workspace.channels[before.channel]
    if before.ephemeral_to is not None or not hears_messages(workspace, channel):
        return
    where: Event = {"type": "message", "hidden": True, "channel": channel.id, "ts": workspace.new_ts()}
    where |= {"channel_type": channel.kind, "previous_message": payloads.message_json(workspace, before)}
    if after is None:
        changed = where | {"subtype": "message_deleted", "deleted_ts": before.ts}
    else:
        changed = where | {"subtype": "message_changed", "message": payloads.message_json(workspace, after)}
    workspace.background.start(workspace.tells(changed))


def hears_messages(workspace: "Outbound", channel: Channel) -> bool:
    """Tell whether the app is told of every message in this place."""
    event, scope = _KINDS[channel.kind]
    return event in workspace.events and scope in workspace.scopes and workspace.bot_user_id in channel.members


def _mentions(workspace: "Outbound", message: Message) -> bool:
    channel = workspace.channels[message.channel]
    named = f"<@{workspace.bot_user_id}>" in message.text and message.user != workspace.bot_user_id
    may_hear = "app_mention" in workspace.events and "app_mentions:read" in workspace.scopes
    return named and may_hear and channel.im_with is None and workspace.bot_user_id in channel.members


def _message(workspace: "Outbound", message: Message) -> Event:
    channel = workspace.channels[message.channel]
    return _told(workspace, message) | {"type": "message", "channel_type": channel.kind}


def _mention(workspace: "Outbound", message: Message) -> Event:
    told = _told(workspace, message)
    told.pop("parent_user_id", None)  # that is for those who read all messages
    return told | {"type": "app_mention"}


def _told(workspace: "Outbound", message: Message) -> Event:
    wire = payloads.message_json(workspace, message)
    wire.pop("app_id", None)  # an event names the bot by `bot_id`
    told: Event = {**wire, "channel": message.channel, "event_ts": message.ts}
    if not message.by_bot:
        told["client_msg_id"] = str(uuid.uuid5(uuid.NAMESPACE_OID, message.ts))
        team = workspace.users[message.user].team_id
        told["team"] = team
        if team != workspace.team_id:  # https://docs.slack.dev/apis/slack-connect/
            told |= {"user_team": team, "source_team": team}
    return told

"""chat.*: posting, editing, deleting (https://docs.slack.dev/reference/methods/chat.postMessage and its siblings)."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from bot.demo.slack.message_events import follow_change, follow_post
from bot.demo.slack.method import (
    Arguments,
    Method,
    Refused,
    channel_for_posting,
    own_message,
    visible_channel,
    writable,
)
from bot.demo.slack.payloads import message_json
from bot.demo.slack.responses import checked

if TYPE_CHECKING:
    from bot.demo.slack.workspace import Workspace

LONGEST_POST = 40_000
"""Characters after which a text is cut off: https://docs.slack.dev/reference/methods/chat.postMessage#truncating."""
LONGEST_PIECE = 4_000
"""Characters after which a post without blocks goes on in a second message, and an edit is refused."""


def _content(args: Arguments) -> tuple[str, list[Any]]:
    text, blocks = args.text("text"), checked(args.given)
    if not text.strip() and not blocks and not args.given.get("attachments"):
        raise Refused("no_text")
    return text, blocks


def _thread(workspace: "Workspace", channel: str, args: Arguments) -> str | None:
    """Return the ts of the parent; a reply cannot be one, and neither can what only one person sees."""
    ts = args.text("thread_ts") or None
    parent = workspace.present(channel, ts) if ts else None
    if parent is not None and (parent.ephemeral_to is not None or parent.thread_ts not in {None, ts}):
        raise Refused("cannot_reply_to_message")
    return ts


def post_message(workspace: "Workspace", args: Arguments) -> dict[str, Any]:
    """Post for everybody in a channel; a user id as channel is a direct message.

    A long text without blocks becomes several messages, of which the caller learns of the first only.
    """
    channel = channel_for_posting(workspace, args.needed("channel"))
    text, blocks = _content(args)
    thread = _thread(workspace, channel.id, args)
    metadata = args.given.get("metadata")
    if metadata is not None and not isinstance(metadata, Mapping):
        raise Refused("invalid_metadata_format")
    text = text[:LONGEST_POST]
    pieces = [text] if blocks else [text[at : at + LONGEST_PIECE] for at in range(0, len(text), LONGEST_PIECE)] or [""]
    posted = []
    for piece in pieces:
        message = workspace.post(
            channel.id, workspace.bot_user_id, piece, blocks=blocks, thread_ts=thread, metadata=metadata
        )
        follow_post(workspace, message)
        posted.append(message)
    return {"channel": channel.id, "ts": posted[0].ts, "message": message_json(workspace, posted[0])}


def post_ephemeral(workspace: "Workspace", args: Arguments) -> dict[str, Any]:
    """Post for one person in a channel both are in."""
    channel = channel_for_posting(workspace, args.needed("channel"))
    reader = args.needed("user")
    if reader not in workspace.users:
        raise Refused("user_not_found")
    if not workspace.inside(reader, channel.id):
        raise Refused("user_not_in_channel")
    text, blocks = _content(args)
    if len(text) > LONGEST_PIECE:
        raise Refused("msg_too_long")
    thread = _thread(workspace, channel.id, args)
    posted = workspace.post(
        channel.id, workspace.bot_user_id, text, blocks=blocks, ephemeral_to=reader, thread_ts=thread
    )
    return {"message_ts": posted.ts}


def update(workspace: "Workspace", args: Arguments) -> dict[str, Any]:
    """Put other content into an own message. Blocks that are not given stay on the screen; `[]` takes them away.

    https://docs.slack.dev/reference/methods/chat.update: the top-level text then only speaks in notifications.
    """
    channel = visible_channel(workspace, args.needed("channel"))
    message = own_message(workspace, channel, args.needed("ts"), refusal="cant_update_message")
    writable(channel)
    text, blocks = _content(args)
    if len(text) > LONGEST_PIECE:
        raise Refused("msg_too_long")
    kept = message.blocks if args.given.get("blocks") is None else blocks
    edited = workspace.edit(message, text=text, blocks=kept)
    follow_change(workspace, message, edited)
    return {"channel": channel.id, "ts": edited.ts, "text": edited.text, "message": message_json(workspace, edited)}


def delete(workspace: "Workspace", args: Arguments) -> dict[str, Any]:
    """Delete an own message."""
    channel = visible_channel(workspace, args.needed("channel"))
    message = own_message(workspace, channel, args.needed("ts"), refusal="cant_delete_message")
    writable(channel)
    workspace.delete(channel.id, message.ts)
    follow_change(workspace, message, None)
    return {"channel": channel.id, "ts": message.ts}


def get_permalink(workspace: "Workspace", args: Arguments) -> dict[str, Any]:
    """Return the link to a message."""
    channel, ts = visible_channel(workspace, args.needed("channel")), args.needed("message_ts")
    try:
        message = workspace.message(channel.id, ts)
    except KeyError:
        raise Refused("message_not_found") from None
    if message.ephemeral_to is not None:
        raise Refused("message_not_found")
    link = f"{workspace.url}/archives/{channel.id}/p{message.ts.replace('.', '')}"
    return {"channel": channel.id, "permalink": link}


_WRITE = frozenset({"chat:write"})
METHODS = {
    "chat.postMessage": Method(post_message, _WRITE),
    "chat.postEphemeral": Method(post_ephemeral, _WRITE),
    "chat.update": Method(update, _WRITE),
    "chat.delete": Method(delete, _WRITE),
    "chat.getPermalink": Method(get_permalink),
}

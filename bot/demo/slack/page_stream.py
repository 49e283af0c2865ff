"""What one person's screen shows, as a stream of differences.

Promises: the first event is everything (`"reset": true`), each later one only what changed; because messages and views
never change in place, "changed" is "another object". An event is also sent when something changed that is not on this
screen, so that a page can look after things of its own (the demo's panel).
"""

import json
from collections.abc import AsyncGenerator
from typing import Any

from bot.demo.slack.messages import Message, View
from bot.demo.slack.people import Channel
from bot.demo.slack.workspace import Workspace

STILL_HERE = 15.0  # seconds between signs of life, so that a dead connection is noticed
MOST_MESSAGES = 300  # of one channel; a page is not an archive


async def stream(workspace: Workspace, user: str, since: str = "") -> AsyncGenerator[str, None]:
    """Yield server-sent events for this person until the page goes away.

    What only this person sees is shown from `since` on, which is when the page was loaded: Slack keeps none of it.
    https://docs.slack.dev/messaging/#ephemeral
    """
    shown: dict[str, Any] = {}
    reset = True
    while True:
        seen_version = workspace.version
        screen = _screen(workspace, user, since)
        put = {key: _json(thing) for key, thing in screen.items() if shown.get(key) != thing}
        drop = [key for key in shown if key not in screen]
        yield f"data: {json.dumps({'reset': reset, 'put': put, 'drop': drop, 'names': workspace.names})}\n\n"
        shown, reset = screen, False
        while workspace.version == seen_version:
            if not await workspace.next_change(STILL_HERE):
                yield ": still here\n\n"


def _screen(workspace: Workspace, user: str, since: str) -> dict[str, Any]:
    screen: dict[str, Any] = {}
    for channel in list(workspace.channels.values()):
        if workspace.inside(user, channel.id):
            screen[f"channel/{channel.id}"] = _channel(channel)
        for message in workspace.sees(user, channel.id)[-MOST_MESSAGES:]:
            if message.ephemeral_to is None or message.ts >= since:
                screen[f"message/{channel.id}/{message.ts}"] = message
    screen["views"] = workspace.views_of(user)
    screen["home"] = workspace.home_of(user)
    return screen


def _channel(channel: Channel) -> dict[str, Any]:
    return {
        "id": channel.id,
        "name": channel.name,
        "direct": channel.im_with is not None,
        "private": channel.is_private,
        "shared": channel.is_ext_shared,
        "members": len(channel.members),
        "topic": channel.topic,
    }


def _json(thing: Any) -> Any:
    if isinstance(thing, Message):
        return {
            "channel": thing.channel,
            "ts": thing.ts,
            "user": thing.user,
            "bot": thing.by_bot,
            "text": thing.text,
            "blocks": list(thing.blocks),
            "ephemeral": thing.ephemeral_to is not None,
            "edited": thing.edited,
            "thread": thing.thread_ts,
        }
    if isinstance(thing, View):
        place = {"place": thing.place}
        return {"id": thing.id, "hash": thing.hash, "content": thing.content, "errors": dict(thing.errors), **place}
    return [_json(view) for view in thing] if isinstance(thing, list) else thing

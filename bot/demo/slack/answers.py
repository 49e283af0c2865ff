"""What a bot says in answer to a command or a press: in the HTTP answer itself or at the response_url.

Promises: the rules of https://docs.slack.dev/interactivity/handling-user-interaction#message_responses: ephemeral unless
`in_channel`; `replace_original` and `delete_original` act on the pressed message; nobody's visibility ever changes.
Decision: for a press, leaving `replace_original` out replaces the message. Slack's own pages disagree about that default,
and the simulation takes the harsher reading, so that a bot which forgets the flag is found out.
"""

from collections.abc import Mapping
from typing import Any

from bot.demo.slack import block_kit
from bot.demo.slack.messages import Message
from bot.demo.slack.refusals import Refused
from bot.demo.slack.response_urls import Source
from bot.demo.slack.team import Team


def say(team: Team, source: Source, body: Mapping[str, Any]) -> Message | None:
    """Do what this answer asks for; the message that came of it, if any. Raises Refused.

    Nothing is written into a channel that is archived.
    """
    blocks = checked(body)
    if not isinstance(body.get("text", ""), str) or not isinstance(body.get("thread_ts") or "", str):
        raise Refused("invalid_payload")
    if team.channels[source.channel].is_archived:
        raise Refused("channel_is_archived")
    if body.get("delete_original"):
        if source.message_ts is not None:
            team.delete(source.channel, source.message_ts)
        if not body.get("text") and not blocks:
            return None
    elif source.message_ts is not None and body.get("replace_original", True):
        return _replaced(team, source.channel, source.message_ts, str(body.get("text") or ""), blocks)
    if not body.get("text") and not blocks:
        raise Refused("no_text")
    public = body.get("response_type") == "in_channel"
    return team.post(
        source.channel,
        team.bot_user_id,
        str(body.get("text") or ""),
        blocks=blocks,
        ephemeral_to=None if public else source.user,
        thread_ts=body.get("thread_ts"),
    )


def checked(body: Mapping[str, Any]) -> list[Any]:
    """Return the blocks of a message that Slack would show. Raises Refused `invalid_blocks`."""
    blocks = body.get("blocks") or []
    messages = block_kit.check(blocks, "message")
    if messages:
        raise Refused("invalid_blocks", messages=messages)
    return list(blocks)


def _replaced(team: Team, channel: str, ts: str, text: str, blocks: list[Any]) -> Message:
    if not text and not blocks:
        raise Refused("no_text")
    try:
        pressed = team.message(channel, ts)
    except KeyError:
        raise Refused("message_not_found") from None
    return team.edit(pressed, text=text, blocks=blocks, marked=False)

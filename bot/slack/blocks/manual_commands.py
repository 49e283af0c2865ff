"""Give the same stop with VoIPBIN's own client, so that a broken bot never blocks an emergency.

It asks nobody, confirms nothing, and needs a key of one's own; no key ever stands here. https://github.com/voipbin/cli
"""

from collections.abc import Iterator, Sequence
from typing import Final
from uuid import UUID

from bot.activeflows.targets import Target
from bot.slack import kit
from bot.slack.blocks.mrkdwn import code
from bot.slack.messaging.messenger import Message

_IN_ONE_LINE: Final = 50
_MOST_NAMED: Final = 150
"""A longer card would not be taken by Slack."""


def without_bot(target: Target) -> str:
    """One line of small print."""
    if isinstance(target, UUID):
        return f"Without this bot: {code(f'vn activeflows stop {target}')}"
    listing, stop = code("vn activeflows list"), code(f"vn activeflows stop {target}…")
    return f"Without this bot: {listing}, then {stop} with the whole id"


def hang_up_without_bot(call_id: UUID) -> str:
    """The same for a call that may have stayed up."""
    return f"Without this bot: {code(f'vn calls hangup {call_id}')}"


def all_without_bot(ids: Sequence[UUID], command: str = "activeflows stop") -> Iterator[str]:
    """The same for many: lines of small print for a shell, each short enough for one block; empty for none."""
    for start in range(0, min(len(ids), _MOST_NAMED), _IN_ONE_LINE):
        some = " ".join(str(id_) for id_ in ids[start : start + _IN_ONE_LINE])
        yield f"Without this bot: {code(f'for id in {some}; do vn {command} $id; done', 2900)}"
    more = len(ids) - _MOST_NAMED
    if more > 0:
        listing = command.partition(" ")[0]
        yield f"The other {more} without this bot: {code(f'vn {listing} list')}, then {code(f'vn {command} <id>')}"


def any_without_bot(activeflows: Sequence[UUID], calls: Sequence[UUID]) -> Iterator[str]:
    """The same without their ids, for a card that everybody reads: it holds while the bot is down, too."""
    for some, noun, command in ((activeflows, "activeflows", "stop"), (calls, "calls", "hangup")):
        if some:
            yield f"Without this bot: {code(f'vn {noun} list')}, then {code(f'vn {noun} {command} <id>')}"


def with_way_out(message: Message, target: Target) -> Message:
    """The message with that line below it."""
    line = without_bot(target)
    blocks = message.blocks or (kit.section(message.text),)
    return Message(f"{message.text} {line}", (*blocks, kit.context(line)))

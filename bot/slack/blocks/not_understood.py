"""Say what is wrong with a line that was not understood, and what to type instead."""

from bot.activeflows.errors import NotUnderstood
from bot.slack import kit
from bot.slack.blocks.mrkdwn import code, escaped
from bot.slack.blocks.suggested_line import to_type
from bot.slack.messaging.messenger import Message


def not_understood(error: NotUnderstood, *, command: str) -> Message:
    """For the typist alone."""
    problem = escaped(error.problem, 600)
    problem = problem[:1].upper() + problem[1:].rstrip(".")
    better = to_type(command, error.suggestion)
    instead = f" Did you mean {better}?" if better else ""
    words = f"{problem}.{instead} Nothing was done. All commands: {code(f'{command} help')}"
    return Message(words, (kit.section(words),))

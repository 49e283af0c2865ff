"""A line that was not understood: what is wrong with it, and what to type instead."""

from slack_sdk.models.blocks import MarkdownTextObject, SectionBlock

from bot.activeflows.errors import NotUnderstood
from bot.slack.blocks.mrkdwn import code, escaped
from bot.slack.blocks.to_type import to_type
from bot.slack.telling import Message


def not_understood(error: NotUnderstood, *, command: str) -> Message:
    """For the typist alone."""
    problem = escaped(error.problem, 600)
    problem = problem[:1].upper() + problem[1:].rstrip(".")
    better = to_type(command, error.suggestion)
    instead = f" Did you mean {better}?" if better else ""
    words = f"{problem}. Nothing was done.{instead} All there is: {code(f'{command} help')}"
    return Message(words, (SectionBlock(text=MarkdownTextObject(text=words)),))

"""Show a line that the bot suggests only if its own grammar reads it as it is shown."""

from typing import Final

from bot.activeflows.errors import NotUnderstood
from bot.slack.blocks.mrkdwn import code, plain
from bot.slack.grammar.table import parse

LONGEST: Final = 600
"""Characters; a longer line would be cut, and a cut one means something else."""


def to_type(command: str, line: str) -> str:
    """The line in mrkdwn, to be typed after the command; empty when typing it would not be understood."""
    shown = plain(line.replace("`", "ˋ"), LONGEST + 1, empty="")
    if not line or len(shown) > LONGEST:
        return ""
    try:
        parse(shown)
    except NotUnderstood:
        return ""
    return code(f"{command} {shown}", LONGEST + len(command) + 1)

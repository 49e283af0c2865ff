"""Draw the help from the grammar's own table, for the person who asks."""

from bot.activeflows.operators import Operator
from bot.slack import kit
from bot.slack.blocks.mrkdwn import bold, code, escaped, mentions
from bot.slack.grammar.table import HelpLine, help_lines
from bot.slack.messaging.messenger import Message


def help_overview(operator: Operator, *, command: str) -> Message:
    """Only what this person may do in this channel, and where to learn about the rest."""
    lines = help_lines()
    open_ = [line for line in lines if line.needs is None or operator.may(line.needs)]
    closed = [line for line in lines if line not in open_]
    told = "\n\n".join(f"{code(f'{command} {line.usage}')}\n{escaped(line.about)}" for line in open_)
    blocks = [
        kit.header("What you can do here"),
        kit.section(told),
    ]
    small = _closed(closed, operator, command)
    if small:
        blocks.append(kit.context(small))
    aloud = f"What you can do here: {', '.join(f'{command} {line.usage}' for line in open_)}"
    return Message(f"{escaped(aloud)}. {small}".strip(), tuple(blocks))


def _closed(closed: list[HelpLine], operator: Operator, command: str) -> str:
    if not closed:
        return ""
    words = ", ".join(bold(line.word) for line in closed)
    asked = dict.fromkeys(who for line in closed if line.needs for who in operator.decide(line.needs).who_may)
    ask = f" You can ask {mentions(asked)}." if asked else ""
    return f"No permission here: {words}. Why: {code(f'{command} whoami')}.{ask}"

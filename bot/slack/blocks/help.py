"""Draw the help from the grammar's own table, for the person who asks."""

from collections.abc import Sequence

from bot.activeflows.operators import Operator
from bot.slack import kit
from bot.slack.blocks.mrkdwn import bold, code, escaped, mentions
from bot.slack.grammar.table import COMMANDS, Command
from bot.slack.messaging.messenger import Message


def help_overview(operator: Operator, word: str = "", *, command: str) -> Message:
    """One line and one example for each command this person may use here; ``word``: more about that one."""
    asked = next((known for known in COMMANDS if known.word == word), None)
    return _about(asked, operator, command) if asked is not None else _overview(operator, command)


def _overview(operator: Operator, command: str) -> Message:
    open_ = [known for known in COMMANDS if known.needs is None or operator.may(known.needs)]
    closed = [known for known in COMMANDS if known not in open_]
    lines = [f"{code(f'{command} {known.example}')}  {escaped(known.about)}" for known in open_]
    small = _closed(closed, operator, command)
    blocks = [kit.header("What you can do here"), kit.section("\n".join(lines))]
    blocks += [kit.context(small)] if small else []
    aloud = f"What you can do here: {', '.join(known.word for known in open_)}."
    return Message(f"{aloud} {small}".strip(), tuple(blocks))


def _about(asked: Command, operator: Operator, command: str) -> Message:
    lines = [asked.about, *asked.more]
    small = _closed([asked] if asked.needs and not operator.may(asked.needs) else [], operator, command)
    blocks = [
        kit.header(f"{command} {asked.word}"),
        kit.section("\n".join([code(f"{command} {asked.usage}"), *map(escaped, lines)])),
        kit.context(*(part for part in (f"Example: {code(f'{command} {asked.example}')}", small) if part)),
    ]
    return Message(escaped(f"{command} {asked.usage}: {' '.join(lines)}"), tuple(blocks))


def _closed(closed: Sequence[Command], operator: Operator, command: str) -> str:
    if not closed:
        return ""
    words = ", ".join(bold(known.word) for known in closed)
    asked = dict.fromkeys(who for known in closed if known.needs for who in operator.decide(known.needs).who_may)
    ask = f" You can ask {mentions(asked)}." if asked else ""
    return f"No permission here: {words}. Why: {code(f'{command} whoami')}.{ask}"

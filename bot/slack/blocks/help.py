"""Draw the help from the grammar's own table, for the person who asks."""

from collections.abc import Sequence
from typing import Final

from bot.activeflows.errors import NotUnderstood
from bot.activeflows.operators import Operator
from bot.slack import kit
from bot.slack.blocks.picker import not_listed
from bot.slack.grammar.table import COMMANDS, Command, parse
from bot.slack.kit import bold, code, escaped, mentions, plain
from bot.slack.messaging.messenger import Message, account_of


def help_overview(operator: Operator, word: str = "", *, command: str) -> Message:
    """Draw one line and one example for each command this person may use here; ``word``: more about that one."""
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


# ---------------------------------------------------------------- unknown interaction
# Say that a button, menu, form, shortcut or command is not known to this bot.


def not_known(kind: str, name: str, command: str) -> Message:
    """Say to the person who did it that it is not known. ``kind`` as in Slack's payload; ``name``: a command's, else
    only its account is said.
    """
    account = account_of(name) if kind != "command" else ""
    match kind:
        case _ if account:
            words = (
                f"This bot is not set up any more for {code(account, 40)}, the VoIPBIN account of this "
                f"button. {_next(command)}"
            )
        case "command":
            words = (
                f"This bot does not know the command {code(name, 40)}. It listens to {code(command)}, "
                "so the name in the "
                f"Slack app and the bot's setting differ. Nothing was stopped. Type {code(f'{command} help')}."
            )
        case "shortcut" | "message_action":
            words = f"This bot does not know this shortcut any more. {_next(command)}"
        case _:
            words = f"This bot does not know this button any more. {_next(command)}"
    return Message(words, (kit.section(words),))


def form_not_known(command: str) -> str:
    """Say the same in the form itself, which shows no formatting."""
    return f"This bot does not know this form any more. Nothing was stopped. Copy your words, then type {command} help."


def menu_not_known() -> list[kit.Element]:
    """Say the same in the open menu, which shows nothing but options."""
    return not_listed("This bot does not know this menu any more.")


def _next(command: str) -> str:
    return f"Nothing was stopped. Type {code(f'{command} list')} for what is running, or {code(f'{command} help')}."


# ---------------------------------------------------------------- suggested line
# Show a line that the bot suggests only if its own grammar reads it as it is shown.

LONGEST: Final = 600
"""Characters; a longer line would be cut, and a cut one means something else."""


def to_type(command: str, line: str) -> str:
    """Return the line in mrkdwn, to be typed after the command; empty when typing it would not be understood."""
    shown = plain(line.replace("`", "ˋ"), LONGEST + 1, empty="")
    if not line or len(shown) > LONGEST:
        return ""
    try:
        parse(shown)
    except NotUnderstood:
        return ""
    return code(f"{command} {shown}", LONGEST + len(command) + 1)


# ---------------------------------------------------------------- not understood
# Say what is wrong with a line that was not understood, and what to type instead.


def not_understood(error: NotUnderstood, *, command: str) -> Message:
    """Say what was not understood, to the typist alone."""
    problem = escaped(error.problem, 600)
    problem = problem[:1].upper() + problem[1:].rstrip(".")
    better = to_type(command, error.suggestion)
    instead = f" Did you mean {better}?" if better else ""
    words = f"{problem}.{instead} Nothing was done. All commands: {code(f'{command} help')}"
    return Message(words, (kit.section(words),))

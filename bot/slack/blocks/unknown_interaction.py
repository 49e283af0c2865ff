"""Say that a button, menu, form, shortcut or command is not known to this bot."""

from bot.slack import kit
from bot.slack.blocks.mrkdwn import code
from bot.slack.blocks.picker import not_listed
from bot.slack.messaging.account_mark import account_of
from bot.slack.messaging.messenger import Message


def not_known(kind: str, name: str, command: str) -> Message:
    """For the person who did it. ``kind`` as in Slack's payload; ``name``: a command's, else only its account is said."""
    account = account_of(name) if kind != "command" else ""
    match kind:
        case _ if account:
            words = f"This bot is not set up any more for {code(account, 40)}, the VoIPBIN account of this button. {_next(command)}"
        case "command":
            words = (
                f"This bot does not know the command {code(name, 40)}. It listens to {code(command)}, so the name in the "
                f"Slack app and the bot's setting differ. Nothing was stopped. Type {code(f'{command} help')}."
            )
        case "shortcut" | "message_action":
            words = f"This bot does not know this shortcut any more. {_next(command)}"
        case _:
            words = f"This bot does not know this button any more. {_next(command)}"
    return Message(words, (kit.section(words),))


def form_not_known(command: str) -> str:
    """For the form itself, which shows no formatting."""
    return f"This bot does not know this form any more. Nothing was stopped. Copy your words, then type {command} help."


def menu_not_known() -> list[kit.Element]:
    """For the open menu, which shows nothing but options."""
    return not_listed("This bot does not know this menu any more.")


def _next(command: str) -> str:
    return f"Nothing was stopped. Type {code(f'{command} list')} for what is running, or {code(f'{command} help')}."

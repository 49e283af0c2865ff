"""Draw the menus to choose an activeflow from, and what they offer while somebody types.

A menu shows nothing but options, 75 characters of plain text each: what else there is to say (how many more, how old
the list is, why there is none) is the heading of a group, or an option that says it and stands last. Options carry ids,
and no personal data: what an activeflow is doing is said in the words of the list, where callers and texts are left
out.

https://docs.slack.dev/reference/block-kit/composition-objects/option-object
"""

from collections.abc import Iterator
from datetime import datetime
from itertools import groupby
from typing import Final, Literal, TypeAlias

from bot.activeflows.errors import BotError, IdentityUnknown, NotPermitted
from bot.activeflows.model import Picture, in_words, name_of
from bot.activeflows.search.choices import Choice, Choices
from bot.slack import ids, kit
from bot.slack.blocks.activeflow_list import left_out
from bot.slack.blocks.activeflow_parts import TROUBLE_WORDS
from bot.slack.kit import code, plain
from bot.slack.messaging.messenger import Message

Word: TypeAlias = Literal["show", "stop", "watch"]
MENUS: Final[dict[Word, str]] = {"show": ids.PICK_SHOW, "stop": ids.PICK_STOP, "watch": ids.PICK_WATCH}
_ASKS: Final[dict[Word, tuple[str, str]]] = {
    "show": ("Show which activeflow?", "Only you see the answer."),
    "stop": (
        "Stop which activeflow?",
        "Choosing one posts its stop card here. Nothing stops until somebody presses it.",
    ),
    "watch": ("Watch which activeflow?", "Choosing one posts a card here that follows it until it ends."),
}
_PLACEHOLDER: Final = "Type a flow, what it does, or an id"
_EXAMPLE: Final = "3c5b0f6e"
_LINE: Final = 75
CHOOSE_PLACE: Final = "Choose the channel first."
CHOOSE_ONE: Final = "Choose an activeflow. That line only says something."


def picker(word: Word, *, command: str) -> Message:
    """Draw the menu in a message for one person, for what needs an id."""
    title, about = _ASKS[word]
    typed = code(f"{command} {word} {_EXAMPLE}")
    blocks = (
        kit.section(f"*{title}* {about}"),
        kit.actions(kit.external_select(MENUS[word], _PLACEHOLDER)),
        kit.context(f"What is wrong comes first. Or type the id: {typed}"),
    )
    return Message(f"{title} {about} Choose it in the menu, or type its id: {typed}", blocks)


def stop_form() -> kit.View:
    """Draw the same as a form, which stands in no channel and asks where the stop card goes."""
    blocks = (
        kit.asked_for("Channel for the stop card", kit.conversations_select(ids.PICK_WHERE)),
        kit.asked_for("Activeflow", kit.external_select(ids.PICK_STOP, _PLACEHOLDER, focused=True)),
        kit.context("What is wrong comes first. Nothing stops until somebody presses the card."),
    )
    return kit.modal(
        "Stop an activeflow", blocks, submit="Post stop card", close="Cancel", callback_id=ids.STOP_SHORTCUT
    )


def chose_a_note(word: Word, *, command: str) -> Message:
    """Say so to whoever chose a line that only says something."""
    return Message(f"{CHOOSE_ONE} Or type the id: {code(f'{command} {word} {_EXAMPLE}')}")


# ---------------------------------------------------------------- options


def offered(choices: Choices, now: datetime, *, command: str) -> list[kit.Element]:
    """Return the groups of the open menu: by what is wrong, then the rest, then what else there is to say."""
    age = _age(choices.picture, now)
    groups: list[kit.Element] = []
    for reason, some in groupby(choices.found, key=lambda choice: choice.reason):
        title = TROUBLE_WORDS[reason] if reason is not None else _rest(choices)
        label = title if groups or not age else f"{title} · {age}"
        groups.append(kit.option_group(label, (_option(choice, now) for choice in some)))
    notes = list(_notes(choices, age if not groups else "", command))
    return [*groups, kit.option_group("Please note", notes)] if notes else groups


def not_listed(why: str, then: str = "") -> list[kit.Element]:
    """Return a menu without a choice, why, and what to do then."""
    return [kit.option_group("Please note", [kit.option(why, ids.NOTE, description=then)])]


def explained_in_menu(trouble: BotError, word: Word, *, command: str) -> list[kit.Element]:
    """Return the same, for whatever keeps the list from being read."""
    match trouble:
        case NotPermitted():
            where = "from this channel" if trouble.decision.channels else "here"
            return not_listed(f"You can't see activeflows {where}.", f"{command} whoami says why.")
        case IdentityUnknown():
            return not_listed("Not listed: Slack did not tell me who you are.", "Type again in a moment.")
        case _:
            return not_listed("Not listed: VoIPBIN cannot be read right now.", type_it(word, command))


def type_it(word: Word, command: str) -> str:
    """Return what to do where no menu helps."""
    return f"Type the id instead: {command} {word} {_EXAMPLE}"


def _option(choice: Choice, now: datetime) -> kit.Element:
    """Draw one option, as in "Support line · 4 min · 3c5b0f6d", and below it what it is doing; only the name is cut."""
    age = choice.activeflow.age(now)
    rest = f" · {'age unknown' if age is None else in_words(age)} · {choice.activeflow.short_id}"
    name = plain(name_of(choice.flow_name), _LINE - len(rest))
    return kit.option(
        f"{name}{rest}", ids.encode_activeflow(choice.activeflow.id), description=plain(choice.words, _LINE)
    )


def _rest(choices: Choices) -> str:
    wrong = any(choice.reason is not None for choice in choices.found)
    return "The rest, the oldest first" if wrong else "The oldest first"


def _notes(choices: Choices, age: str, command: str) -> Iterator[kit.Element]:
    what = " · ".join(filter(None, ["" if choices.found else _none(choices), age]))
    if what:
        yield kit.option(what, ids.NOTE, description=_instead(choices, command))
    more = choices.total - len(choices.found)
    if more:
        yield kit.option(f"{more} more. Type to narrow them down.", ids.NOTE)
    for left in (*_incomplete(choices.picture), *left_out(choices.hidden, choices.unnamed)):
        yield kit.option(left[:1].upper() + left[1:], ids.NOTE)


def _none(choices: Choices) -> str:
    if choices.number:
        return "Phone numbers are not searched here"
    if not choices.anything:
        return "No match among those that run"
    return "Nothing is running that you may see here" if choices.hidden else "Nothing is running"


def _instead(choices: Choices, command: str) -> str:
    if choices.found or (choices.anything and not choices.number):
        return ""
    return f"Type {command} find and the number." if choices.number else f"To search more: {command} find"


def _incomplete(picture: Picture) -> Iterator[str]:
    if picture.complete_since is not None:
        yield f"Older than {in_words(picture.as_of - picture.complete_since)}: not all read, type the id"
    if picture.unreadable:
        yield f"{picture.unreadable} could not be read"


def _age(picture: Picture, now: datetime) -> str:
    """Return how old it is, unless it is followed live."""
    if picture.freshness is not None and picture.freshness.live:
        return ""
    read = f"read {in_words(now - picture.as_of)} ago"
    down = picture.freshness is not None and picture.freshness.down_since is not None
    return f"{read}, event stream down" if down else read

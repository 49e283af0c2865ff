"""Build Block Kit as plain dicts, each part bounded where it is built: what Slack would refuse never gets as far as
Slack.

A text that is too long is shortened: better a cut name than silence. Everything else that Slack refuses (an empty
block, too many elements, an id that is too long) is a mistake of the drawer and raises ``Unsendable``. Every mrkdwn
text is ``verbatim`` and every plain one without emoji, so that Slack finds nothing of its own in what people named
their flows.

Each limit stands below the page that names it; all pages: https://docs.slack.dev/reference/block-kit
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Any, Final, TypeAlias

Block: TypeAlias = dict[str, Any]
Element: TypeAlias = dict[str, Any]
View: TypeAlias = dict[str, Any]

# https://docs.slack.dev/reference/block-kit/blocks
_ID: Final = 255
# https://docs.slack.dev/reference/block-kit/blocks/section-block
_SECTION: Final = 3000
_FIELD, _FIELDS = 2000, 10
# https://docs.slack.dev/reference/block-kit/blocks/header-block
_HEADER: Final = 150
# https://docs.slack.dev/reference/block-kit/blocks/context-block
_SMALL, _SMALLS = 2000, 10
# https://docs.slack.dev/reference/block-kit/blocks/actions-block
_BUTTONS: Final = 25
# https://docs.slack.dev/reference/block-kit/block-elements/button-element
_BUTTON, _LABEL, LONGEST_VALUE = 75, 75, 2000
# https://docs.slack.dev/reference/block-kit/composition-objects/confirmation-dialog-object
_QUESTION_TITLE, _QUESTION, _ANSWER = 100, 300, 30
# https://docs.slack.dev/reference/block-kit/composition-objects/option-object, …/option-group-object
_OPTION, _OPTION_VALUE, MOST_OPTIONS = 75, 150, 100
# https://docs.slack.dev/reference/block-kit/block-elements/select-menu-element
_PLACEHOLDER: Final = 150
# https://docs.slack.dev/reference/block-kit/blocks/input-block
_INPUT_LABEL: Final = 2000
# https://docs.slack.dev/reference/views/modal-views
_VIEW_WORDS, _METADATA = 24, 3000

_ELLIPSIS: Final = "…"


class Unsendable(ValueError):
    """A mistake of the drawer: Slack would refuse this. The text names the place, never the content."""


def shortened(text: str, limit: int) -> str:
    """Cut finished mrkdwn to ``limit`` characters, never inside an entity, a mention or a date."""
    if len(text) <= limit:
        return text
    kept = text[: limit - len(_ELLIPSIS)]
    for opens, closes in (("<", ">"), ("&", ";")):
        start = kept.rfind(opens)
        if start > kept.rfind(closes) and (opens == "<" or len(kept) - start < len("&amp;")):
            kept = kept[:start]
    return kept.rstrip() + _ELLIPSIS


# ---------------------------------------------------------------- blocks


def header(text: str) -> Block:
    """Build a header. ``text`` is shown as it is: nothing in it is formatted."""
    return {"type": "header", "text": _plain(text, _HEADER)}


def section(text: str, *, accessory: Element | None = None, block_id: str = "") -> Block:
    """Build a section: words in mrkdwn, with one button beside them or none."""
    block: Block = {"type": "section", "text": _mrkdwn(text, _SECTION)}
    if accessory is not None:
        block["accessory"] = accessory
    return _identified(block, block_id)


def fields(texts: Iterable[str]) -> Block:
    """Build a section of short texts in two columns."""
    drawn = [_mrkdwn(text, _FIELD) for text in texts]
    _counted("fields", drawn, _FIELDS)
    return {"type": "section", "fields": drawn}


def context(*texts: str) -> Block:
    """Build small print in mrkdwn."""
    _counted("texts in small print", texts, _SMALLS)
    return {"type": "context", "elements": [_mrkdwn(text, _SMALL) for text in texts]}


def actions(*buttons: Element, block_id: str = "") -> Block:
    """Build a row of buttons."""
    _counted("buttons in a row", buttons, _BUTTONS)
    if len({each["action_id"] for each in buttons}) < len(buttons):
        raise Unsendable("two buttons of a row share an action_id")
    return _identified({"type": "actions", "elements": list(buttons)}, block_id)


def divider() -> Block:
    """Build a divider."""
    return {"type": "divider"}


def field(action_id: str, label: str, *, longest: int) -> Block:
    """Build a line to type into, in a modal; what is typed comes back under ``action_id`` in a block of the same
    name.
    """
    element = {"type": "plain_text_input", "action_id": action_id, "max_length": longest, "focus_on_load": True}
    return asked_for(label, element)


def asked_for(label: str, element: Element) -> Block:
    """Build a field of a modal; its block is called as its element."""
    drawn = {"type": "input", "label": _plain(label, _INPUT_LABEL), "element": element}
    return _identified(drawn, element["action_id"])


def labelled(block: Block, label: str) -> Block | None:
    """Return the same block with a short label before its first words; ``None`` where it has none to stand before."""
    words = block.get("text")
    if block["type"] == "header" and words:
        return {**block, "text": _plain(f"{label} · {words['text']}", _HEADER)}
    if block["type"] == "section" and words:
        return {**block, "text": _mrkdwn(_labelled(words["text"], label), _SECTION)}
    if block["type"] == "input":
        return {**block, "label": _plain(f"{label} · {block['label']['text']}", _INPUT_LABEL)}
    for part, longest in (("fields", _FIELD), ("elements", _SMALL)):
        texts = block.get(part) or ()
        if texts and texts[0]["type"] == "mrkdwn":
            return {**block, part: [_mrkdwn(_labelled(texts[0]["text"], label), longest), *texts[1:]]}
    return None


def with_action_ids(block: Block, rename: Callable[[str], str], label: str) -> Block:
    """Build the same block with the ids of what asks the bot (buttons, menus) renamed, and a label before each
    question about a press.
    """
    if block["type"] == "actions":
        return {**block, "elements": [_renamed(each, rename, label) for each in block["elements"]]}
    if "accessory" in block:
        return {**block, "accessory": _renamed(block["accessory"], rename, label)}
    if block["type"] == "input" and block["element"]["type"] == "external_select":
        return {**block, "element": _renamed(block["element"], rename, label)}
    return block


def _renamed(element: Element, rename: Callable[[str], str], label: str) -> Element:
    asks = element.get("confirm")
    asked = (
        {"confirm": {**asks, "title": _plain(f"{label} · {asks['title']['text']}", _QUESTION_TITLE)}} if asks else {}
    )
    return {**element, **asked, "action_id": rename(element["action_id"])}


def _labelled(text: str, label: str) -> str:
    """Put a label before a text: what begins a quotation, a list or code begins a line."""
    return f"*{label}*{chr(10) if text.startswith((chr(62), '&gt;', '•', '`')) else ' · '}{text}"


# ---------------------------------------------------------------- in blocks


def button(
    text: str, action_id: str, value: str, *, label: str = "", danger: bool = False, confirm: Element | None = None
) -> Element:
    """Return one button. ``label``: what a screen reader says instead of ``text``."""
    if not 0 < len(action_id) <= _ID:
        raise Unsendable(f"a button needs an action_id of 1 to {_ID} characters")
    if not 0 < len(value) <= LONGEST_VALUE:
        raise Unsendable(f"a button needs a value of 1 to {LONGEST_VALUE} characters")
    drawn = {"type": "button", "text": _plain(text, _BUTTON), "action_id": action_id, "value": value}
    if label:
        drawn["accessibility_label"] = shortened(label, _LABEL)
    if danger:
        drawn["style"] = "danger"
    if confirm is not None:
        drawn["confirm"] = confirm
    return drawn


def confirm(title: str, text: str, *, yes: str, no: str) -> Element:
    """Build Slack's own question before a press is sent."""
    return {
        "title": _plain(title, _QUESTION_TITLE),
        "text": _mrkdwn(text, _QUESTION),
        "confirm": _plain(yes, _ANSWER),
        "deny": _plain(no, _ANSWER),
    }


def option(text: str, value: str, *, description: str = "") -> Element:
    """Build something to choose in a menu: two lines, shown as they are."""
    if not 0 < len(value) <= _OPTION_VALUE:
        raise Unsendable(f"an option needs a value of 1 to {_OPTION_VALUE} characters")
    drawn = {"text": _plain(text, _OPTION), "value": value}
    return {**drawn, "description": _plain(description, _OPTION)} if description else drawn


def option_group(label: str, options: Iterable[Element]) -> Element:
    """Build options under a heading, which itself cannot be chosen."""
    drawn = list(options)
    _counted("options in a group", drawn, MOST_OPTIONS)
    return {"label": _plain(label, _OPTION), "options": drawn}


def external_select(action_id: str, placeholder: str, *, focused: bool = False) -> Element:
    """Return a menu to type into, whose options the bot is asked for with each text, the empty one, too.

    ``focused``: it has the cursor when its modal opens, which one element may.
    https://docs.slack.dev/reference/block-kit/block-elements/select-menu-element#external_select
    """
    menu: Element = {"type": "external_select", "action_id": action_id, "min_query_length": 0}
    menu["placeholder"] = _plain(placeholder, _PLACEHOLDER)
    return {**menu, "focus_on_load": True} if focused else menu


def conversations_select(action_id: str) -> Element:
    """Return a menu of the channels that somebody sees, with the one they look at; what is submitted can be answered
    there.

    https://docs.slack.dev/reference/block-kit/block-elements/select-menu-element#conversations_select
    """
    return {
        "type": "conversations_select",
        "action_id": action_id,
        "default_to_current_conversation": True,
        "response_url_enabled": True,
        "filter": {"include": ["public", "private"]},
    }


# ---------------------------------------------------------------- views


def home(blocks: Iterable[Block]) -> View:
    """Build somebody's Home tab. https://docs.slack.dev/reference/views/home-tab-views"""
    return {"type": "home", "blocks": list(blocks)}


def modal(
    title: str, blocks: Iterable[Block], *, close: str, submit: str = "", callback_id: str = "", metadata: str = ""
) -> View:
    """Build a modal; ``submit`` for one with fields."""
    if len(callback_id) > _ID or len(metadata) > _METADATA:
        raise Unsendable("what the modal carries is too long")
    view: View = {"type": "modal", "title": _plain(title, _VIEW_WORDS), "close": _plain(close, _VIEW_WORDS)}
    view["blocks"] = list(blocks)
    if submit:
        view["submit"] = _plain(submit, _VIEW_WORDS)
    elif any(block["type"] == "input" for block in view["blocks"]):
        raise Unsendable("a modal with fields needs a submit button")
    if callback_id:
        view["callback_id"] = callback_id
    if metadata:
        view["private_metadata"] = metadata
    return view


# ---------------------------------------------------------------- bounds


def _plain(text: str, longest: int) -> Element:
    return {"type": "plain_text", "text": shortened(text, longest) or "—", "emoji": False}


def _mrkdwn(text: str, longest: int) -> Element:
    return {"type": "mrkdwn", "text": shortened(text, longest) or "—", "verbatim": True}


def _counted(what: str, parts: Sequence[object], most: int) -> None:
    if not 0 < len(parts) <= most:
        raise Unsendable(f"{len(parts)} {what}, 1 to {most} are allowed")


def _identified(block: Block, block_id: str) -> Block:
    if len(block_id) > _ID:
        raise Unsendable(f"a block_id is longer than {_ID}")
    if block_id:
        block["block_id"] = block_id
    return block


# ---------------------------------------------------------------- mrkdwn
# Escape words for Slack's mrkdwn, safe whatever they say.
#
# Everything that comes from outside (a flow's name, a typed reason, a pasted text) passes ``escaped`` or ``plain``
# before it stands in a message. What comes out is one line, of bounded length, holds no control or direction-changing
# character, and cannot start a mention, a link or a format. Marks that would format (``*``, `` ` ``, ``~``, and ``_``
# at the edge of a word, the colons of an emoji) become look-alikes: a name is shown, not obeyed.
#
# https://docs.slack.dev/messaging/formatting-message-text

_GRAVE: Final = "\N{MODIFIER LETTER GRAVE ACCENT}"
_LOOK_ALIKES: Final = (("*", "\N{ASTERISK OPERATOR}"), ("`", _GRAVE), ("~", "\N{TILDE OPERATOR}"))
_EMOJI: Final = re.compile(r":(?=[a-z0-9_+'-]+:)")
_COLON: Final = "\N{MODIFIER LETTER COLON}"
_LOW_LINE: Final = "\N{FULLWIDTH LOW LINE}"
MOST_ASKED: Final = 10
_UNSAFE: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Unicode categories that are never shown: controls, direction marks and joiners, lone surrogates, private use."""
_EDGE: Final = re.compile(r"(?<![^\W_])_+|_+(?![^\W_])")
"""Low lines that do not stand between letters or digits."""
_INSTANT: Final = re.compile(rf"\b(\d{{4}}-\d\d-\d\d \d\d)[:{_COLON}](\d\d(?::\d\d)?) UTC\b")
"""``escaped`` takes the first colon of a time with seconds for that of an emoji."""
_USER: Final = re.compile(r"[UW][A-Z0-9]{1,30}")
_GROUP: Final = re.compile(r"S[A-Z0-9]{1,30}")
_CHANNEL: Final = re.compile(r"[CGD][A-Z0-9]{1,30}")


def plain(text: str, limit: int = 3000, *, empty: str = "—") -> str:
    """Return one safe line for a ``plain_text`` object, at most ``limit`` characters; ``empty`` when nothing is
    left.
    """
    line = _one_line(text)
    if len(line) > limit:
        line = line[: limit - 1].rstrip() + _ELLIPSIS
    return line or empty


def escaped(text: str, limit: int = 3000, *, empty: str = "—") -> str:
    """Return one safe line for mrkdwn, at most ``limit`` characters as sent; an entity is never cut."""
    return _clamped(_disarmed(_one_line(text)), limit) or empty


def bold(text: str, limit: int = 3000, *, empty: str = "—") -> str:
    """Write ``*text*``, escaped; ``limit`` counts the text without its marks."""
    return f"*{escaped(text, limit, empty=empty)}*"


def code(text: str, limit: int = 3000, *, empty: str = "—") -> str:
    """Write `` `text` ``, escaped; ``limit`` counts the text without its marks."""
    line = _one_line(text).replace("`", _GRAVE)
    return f"`{_clamped(line, limit) or empty}`"


def mention(slack_id: str) -> str:
    """Write ``<@U…>``, ``<!subteam^S…>`` or ``<#C…>`` for an id of Slack's; anything else as escaped words.

    A user group mention notifies its members when it stands in a public message: keep those to private ones.
    """
    if _USER.fullmatch(slack_id):
        return f"<@{slack_id}>"
    if _GROUP.fullmatch(slack_id):
        return f"<!subteam^{slack_id}>"
    if _CHANNEL.fullmatch(slack_id):
        return f"<#{slack_id}>"
    return escaped(slack_id, 80)


def mentions(slack_ids: Iterable[str]) -> str:
    """Return the first ``MOST_ASKED`` of those who can be asked."""
    return ", ".join(mention(slack_id) for slack_id in islice(slack_ids, MOST_ASKED))


def date_token(when: datetime) -> str:
    """Return an instant in the reader's own zone, with its day: Slack writes "today" or "yesterday" as it is when it
    is read.

    The one way the bot says a time: a card stands for days, so a time without its day is another time tomorrow. Where
    Slack cannot format it, such as in a notification, it is UTC.
    https://docs.slack.dev/messaging/formatting-message-text#date-formatting
    """
    instant = when.astimezone(UTC)
    return f"<!date^{int(instant.timestamp())}^{{time_secs}} {{date_short_pretty}}|{instant:%Y-%m-%d %H:%M:%S} UTC>"


def with_date_tokens(text: str) -> str:
    """Give escaped words with each instant that they state in UTC as the reader writes it."""

    def token(said: re.Match[str]) -> str:
        try:
            return date_token(datetime.fromisoformat(f"{said[1]}:{said[2]}+00:00"))
        except ValueError:  # looks like one, and is none
            return said[0]

    return _INSTANT.sub(token, text)


def _one_line(text: str) -> str:
    """Line breaks and tabs become spaces, what is never shown is dropped, runs of spaces become one."""
    if not text.isprintable():  # in what is printable there is nothing of either
        text = "".join(" " if c.isspace() else "" if unicodedata.category(c) in _UNSAFE else c for c in text)
    return " ".join(text.split())


def _disarmed(line: str) -> str:
    """Write formatting marks as look-alikes; low lines inside a word (``queue_join``) format nothing and stay."""
    if ":" in line:
        line = _EMOJI.sub(_COLON, line)
    for mark, alike in _LOOK_ALIKES:
        line = line.replace(mark, alike)
    return _EDGE.sub(lambda lows: _LOW_LINE * len(lows.group()), line) if "_" in line else line


def _with_entities(line: str) -> str:
    return line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _clamped(line: str, limit: int) -> str:
    """Cut a text with its entities, at most ``limit`` characters."""
    whole = _with_entities(line)
    if len(whole) <= limit:
        return whole
    kept, room = [], limit - len(_ELLIPSIS)
    for character in line:
        piece = _with_entities(character)
        room -= len(piece)
        if room < 0:
            break
        kept.append(piece)
    return "".join(kept).rstrip() + _ELLIPSIS

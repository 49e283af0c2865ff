r"""Normalise what people really type: phones, word processors and Slack change characters on the way.

Smart quotes count as quotes, long dashes as dashes, full-width forms as the ASCII they widen, backticks as blanks;
zero-width characters and odd blanks vanish. The original is kept beside it, so that a reason or a flow's name stays as
it was written. A value with blanks stands in quotes; inside them ``\"`` and ``\\`` are a quote and a backslash.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from bot.activeflows.numbers import numbers_in
from bot.activeflows.queries.resolution import targets_in

_ENTITIES: Final = {"&lt;": "<", "&gt;": ">", "&amp;": "&"}
_LINK: Final = re.compile(r"<(?:[a-z][a-z0-9+.-]*:[^<>|]*|[#!][^<>|]*)(?:\|([^<>]*))?>", re.IGNORECASE)
_MENTION: Final = re.compile(r"<@([UW][A-Z0-9]+)(?:\|([^<>]*))?>")
_QUOTES: Final = "“”„‟«»″＂"
_APOSTROPHES: Final = "‘’‚‛′"
_DASHES: Final = "‐‑‒–—―−﹣－"
_WIDE: Final = {chr(code + 0xFEE0): chr(code) for code in range(0x21, 0x7F)}
"""What input methods write for ASCII: https://www.unicode.org/charts/PDF/UFF00.pdf"""
_COLONS: Final = "：︓﹕꞉∶"
SEPARATORS: Final = f":=<>{_COLONS}＝＜＞"
"""What can stand between a filter's key and its value, in every width."""
_SAME_LENGTH: Final = str.maketrans(
    {
        **_WIDE,
        **dict.fromkeys(_COLONS, ":"),
        **dict.fromkeys(_QUOTES, '"'),
        **dict.fromkeys(_APOSTROPHES, "'"),
        **dict.fromkeys(_DASHES, "-"),
        "`": " ",
    }
)
_WORD: Final = re.compile(
    rf"""(?:(?<=[:={_COLONS}＝])[{_APOSTROPHES}'][^{_APOSTROPHES}']*[{_APOSTROPHES}']"""
    r"""|"(?:[^"\\]|\\.)*(?:"|\\?$)"""
    rf"""|[{_QUOTES}](?:[^"{_QUOTES}\\]|\\.)*(?:["{_QUOTES}]|\\?$)"""
    rf"""|[^\s`"{_QUOTES}])+"""
)
_IN_QUOTES: Final = re.compile(
    rf"""[\s`]*(?:"((?:[^"\\]|\\.)*)"|[{_QUOTES}]((?:[^"{_QUOTES}\\]|\\.)*)["{_QUOTES}]"""
    rf"""|[{_APOSTROPHES}']([^{_APOSTROPHES}']*)[{_APOSTROPHES}'])[\s`]*"""
)
_CODE: Final = re.compile(r":[^\s:]+:")
_SKIN_TONE: Final = re.compile(r":skin-tone-([2-6]):")
_FLAG: Final = re.compile(r":flag-([a-z]{2}):")
_FIRST_TONE: Final = 0x1F3FB
_FIRST_LETTER: Final = 0x1F1E6
_DROPPED: Final = frozenset({"Cc", "Cf", "Cs"})


@dataclass(frozen=True, slots=True)
class Word:
    """One word: as the grammar reads it, and as it was written; where it ends in the line."""

    text: str
    written: str
    end: int


def from_slack(text: str) -> str:
    """Return the text of a slash command as the person sees it: links and channels by what they say, entities
    decoded.

    A link whose address has an id in it, or a number that its words do not show, stands as its address; mentions stay
    (``<@U…|name>``): ids matter here. https://docs.slack.dev/interactivity/implementing-slash-commands#escaping-text
    """
    return with_emoji(decoded(_LINK.sub(_as_shown, text)))


def decoded(text: str) -> str:
    """Return the text without the entities as which Slack hands ``&``, ``<`` and ``>`` back; whether it does so in a
    form is not written down.

    https://docs.slack.dev/messaging/formatting-message-text#escaping
    """
    return re.sub("|".join(_ENTITIES), lambda entity: _ENTITIES[entity[0]], text) if "&" in text else text


def with_emoji(text: str) -> str:
    """Put emoji in place of their short codes, as which Slack hands them over: ``:+1::skin-tone-4:`` is 👍🏽.

    https://docs.slack.dev/messaging/formatting-message-text#emoji
    """
    if not _CODE.search(text):
        return text
    toned = _SKIN_TONE.sub(lambda tone: chr(_FIRST_TONE + int(tone[1]) - 2), text)
    flagged = _FLAG.sub(lambda flag: "".join(chr(_FIRST_LETTER + ord(c) - ord("a")) for c in flag[1]), toned)
    import emoji  # noqa: PLC0415 # 3 MB, for the few lines with a code

    return emoji.emojize(flagged, language="alias")


def _as_shown(link: re.Match[str]) -> str:
    address = link[0][1:-1].partition("|")[0]
    if link[1] and (address.startswith(("!", "#")) or not _hides(address, link[1])):
        return link[1]
    return address.removeprefix("mailto:").removeprefix("tel:")


def _hides(address: str, shown: str) -> bool:
    """Tell whether it names something that its words do not."""
    return bool(targets_in(address)) or (address.startswith("tel:") and not numbers_in(shown))


def cleaned(text: str) -> str:
    """Return one line, single blanks, nothing invisible."""
    if text.isascii() and text.isprintable():  # as most lines are
        return " ".join(text.split())
    visible = "".join(" " if c.isspace() else "" if unicodedata.category(c) in _DROPPED else c for c in text)
    return " ".join(visible.split())


def plain(text: str) -> str:
    """Write it with simple quotes, apostrophes and dashes, and blanks for backticks: as long as before."""
    return text.translate(_SAME_LENGTH)


def words(line: str) -> tuple[Word, ...]:
    """Return the words of a cleaned line; blanks inside quotes do not part."""
    return tuple(Word(plain(m[0]), m[0], m.end()) for m in _WORD.finditer(line))


def unquoted(text: str) -> str:
    """Return what stands inside the quotes, if it stands in quotes as a whole; else the text itself.

    What a straight quote opens, a straight one closes; what a smart quote opens, any quote does.
    """
    match = _IN_QUOTES.fullmatch(text)
    if match is None:
        return text
    inside = next(group for group in match.groups() if group is not None)
    return inside if match[3] is not None else re.sub(r"\\([\"\\])", r"\1", inside)


def without_mentions(text: str) -> str:
    """Write mentions as words (``@alice``): they ring nobody's phone."""
    before = ""
    while before != text:
        before, text = text, _MENTION.sub(lambda who: "@" + (who[2] or who[1]), text)
    return text


def mentioned(word: str) -> str | None:
    """Return the user id this word is, as a mention or bare."""
    match = _MENTION.fullmatch(word) or re.fullmatch(r"@?([UW][A-Z0-9]{4,30})", word)
    return match[1] if match else None


# ---------------------------------------------------------------- message text
# Read what a message says: its text, and what stands in its blocks and attachments.
#
# Only what a reader can see is taken: not the values, ids and addresses that buttons and blocks carry, but the
# addresses of links, in which ids stand. A forwarded message carries what it says in ``attachments[].message_blocks``.
# What is not read is said: what is beyond the bounds, what stands inside files, and blocks of a kind that is not known
# here.
#
# https://docs.slack.dev/reference/interaction-payloads/shortcuts-interaction-payload
# https://docs.slack.dev/messaging/formatting-message-text#attachments

LONGEST: Final = 100_000
"""Characters that are looked through; Slack cuts a text at 40,000."""
_DEEPEST: Final = 40
_MOST_PARTS: Final = 50_000
_WORDS: Final = (
    *("text", "pretext", "fallback", "title", "subtitle", "body", "description", "caption", "label", "hint", "value"),
    *("author_name", "author_subname", "service_name", "footer", "alt_text", "plain_text", "preview", "subject"),
    *("url", "title_link", "from_url", "original_url", "author_link", "title_url"),
)
"""What holds words or the address of a link, or an object that does."""
_PARTS: Final = (
    *("blocks", "message_blocks", "message", "attachments", "elements", "fields", "rows", "cells", "columns"),
    *("accessory", "element", "children", "items", "files", "actions", "tasks", "sources", "output", "details"),
)
"""What holds further parts."""
_IN_LINE: Final = ("rich_text_section", "rich_text_preformatted", "rich_text_quote")
"""Whose elements follow each other in one line."""
_WITHOUT_WORDS: Final = ("divider", "image", "actions", "context_actions", "file", "call", "video", "share_shortcut")
"""Blocks that may say nothing."""


@dataclass(frozen=True, slots=True)
class MessageText:
    """``text``: one line for each part. ``unread``: what was not read, in words; empty when all of it was."""

    text: str
    unread: str = ""


def said(message: Mapping[str, Any] | None) -> MessageText:
    """Return all of it that can be read. What is of another shape than Slack's is passed over."""
    reading = _MessageReader()
    reading.take(message or {}, 0)
    text = "\n".join(dict.fromkeys(from_slack(line) for line in reading.lines if line.strip()))
    if len(text) > LONGEST:
        reading.unread[f"what comes after its first {LONGEST:,} characters"] = None
    return MessageText(text[:LONGEST], " and ".join(reading.unread))


class _MessageReader:
    """One walk through a message."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.unread: dict[str, None] = {}
        self._parts = self._length = 0

    def take(self, thing: object, depth: int) -> None:
        self._parts += 1
        if depth > _DEEPEST or self._parts > _MOST_PARTS or self._length > 4 * LONGEST:
            self.unread["what is nested too deep, or too much"] = None
        elif isinstance(thing, list):
            for part in thing:
                self.take(part, depth + 1)
        elif isinstance(thing, Mapping) and thing.get("type") in _IN_LINE:
            within = _MessageReader()
            within._parts, within._length = self._parts, self._length
            within.take(thing.get("elements"), depth + 1)
            self._parts = within._parts
            self.unread |= within.unread
            self._say("".join(within.lines))
        elif isinstance(thing, Mapping):
            self._take_object(thing, depth)

    def _take_object(self, thing: Mapping[str, Any], depth: int) -> None:
        pressed = "action_id" in thing
        for key in _WORDS:
            if isinstance(word := thing.get(key), str) and not (pressed and key != "text"):
                self._say(word)
            elif isinstance(word, Mapping):
                self.take(word, depth + 1)
        for key in _PARTS:
            if key in ("blocks", "message_blocks"):
                self._take_blocks(thing.get(key), depth)
            else:
                self.take(thing.get(key), depth + 1)
        if isinstance(files := thing.get("files"), list) and files:
            self._take_names(files)

    def _take_blocks(self, blocks: object, depth: int) -> None:
        for block in blocks if isinstance(blocks, list) else ():
            before = len(self.lines)
            self.take(block, depth + 2)
            if isinstance(block, Mapping) and len(self.lines) == before and _says_something(block):
                self.unread["a part of a kind that I do not know"] = None

    def _take_names(self, files: list[Any]) -> None:
        for file in files:
            name = file.get("name") if isinstance(file, Mapping) else None
            if isinstance(name, str):
                self._say(name)
        self.unread["what stands inside its files"] = None

    def _say(self, words: str) -> None:
        self._length += len(words)
        self.lines.append(words)


def _says_something(block: Mapping[str, Any]) -> bool:
    return isinstance(block.get("type"), str) and block["type"] not in _WITHOUT_WORDS

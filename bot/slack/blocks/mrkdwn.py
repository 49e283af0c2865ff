"""Escape words for Slack's mrkdwn, safe whatever they say.

Everything that comes from outside (a flow's name, a typed reason, a pasted text) passes ``escaped`` or ``plain`` before
it stands in a message. What comes out is one line, of bounded length, holds no control or direction-changing
character, and cannot start a mention, a link or a format. Marks that would format (``*``, `` ` ``, ``~``, and ``_`` at
the edge of a word, the colons of an emoji) become look-alikes: a name is shown, not obeyed.

https://docs.slack.dev/messaging/formatting-message-text
"""

import re
import unicodedata
from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import islice
from typing import Final

_GRAVE: Final = "\N{MODIFIER LETTER GRAVE ACCENT}"
_LOOK_ALIKES: Final = (("*", "\N{ASTERISK OPERATOR}"), ("`", _GRAVE), ("~", "\N{TILDE OPERATOR}"))
_EMOJI: Final = re.compile(r":(?=[a-z0-9_+'-]+:)")
_COLON: Final = "\N{MODIFIER LETTER COLON}"
_LOW_LINE: Final = "\N{FULLWIDTH LOW LINE}"
_ELLIPSIS: Final = "…"
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
    """One safe line for a ``plain_text`` object, at most ``limit`` characters; ``empty`` when nothing is left."""
    line = _one_line(text)
    if len(line) > limit:
        line = line[: limit - 1].rstrip() + _ELLIPSIS
    return line or empty


def escaped(text: str, limit: int = 3000, *, empty: str = "—") -> str:
    """One safe line for mrkdwn, at most ``limit`` characters as sent; an entity is never cut."""
    return _clamped(_disarmed(_one_line(text)), limit) or empty


def bold(text: str, limit: int = 3000, *, empty: str = "—") -> str:
    """``*text*``, escaped; ``limit`` counts the text without its marks."""
    return f"*{escaped(text, limit, empty=empty)}*"


def code(text: str, limit: int = 3000, *, empty: str = "—") -> str:
    """`` `text` ``, escaped; ``limit`` counts the text without its marks."""
    line = _one_line(text).replace("`", _GRAVE)
    return f"`{_clamped(line, limit) or empty}`"


def mention(slack_id: str) -> str:
    """``<@U…>``, ``<!subteam^S…>`` or ``<#C…>`` for an id of Slack's; anything else as escaped words.

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
    """The first ``MOST_ASKED`` of those who can be asked."""
    return ", ".join(mention(slack_id) for slack_id in islice(slack_ids, MOST_ASKED))


def date_token(when: datetime) -> str:
    """An instant in the reader's own zone, with its day: Slack writes "today" or "yesterday" as it is when it is read.

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
    """Formatting marks as look-alikes; low lines inside a word (``queue_join``) format nothing and stay."""
    if ":" in line:
        line = _EMOJI.sub(_COLON, line)
    for mark, alike in _LOOK_ALIKES:
        line = line.replace(mark, alike)
    return _EDGE.sub(lambda lows: _LOW_LINE * len(lows.group()), line) if "_" in line else line


def _with_entities(line: str) -> str:
    return line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _clamped(line: str, limit: int) -> str:
    """With its entities, at most ``limit`` characters."""
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

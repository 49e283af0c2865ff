"""What a message says: its text, and what stands in its blocks and attachments, where other apps put theirs.

Only what a reader can see is taken: not the values, ids and addresses that buttons and blocks carry, but the addresses of
links, in which ids stand. https://docs.slack.dev/reference/interaction-payloads/shortcuts-interaction-payload
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from bot.slack.grammar.typed import from_slack

LONGEST: Final = 20_000
"""Characters that are looked through."""
_DEEPEST: Final = 12
_WORDS: Final = (
    "text",
    "pretext",
    "fallback",
    "title",
    "author_name",
    "footer",
    "alt_text",
    "url",
    "value",
    "label",
    "hint",
)
"""What holds words, or an object that does."""
_PARTS: Final = ("blocks", "attachments", "elements", "fields", "rows", "accessory", "element", "children")
"""What holds further parts."""
_IN_LINE: Final = ("rich_text_section", "rich_text_preformatted", "rich_text_quote")
"""Whose elements follow each other in one line."""


def said(message: Mapping[str, Any] | None) -> str:
    """All of it, one line for each part. What is of another shape than Slack's is passed over."""
    return "\n".join(dict.fromkeys(from_slack(line) for line in _lines(message or {}, 0) if line.strip()))[:LONGEST]


def _lines(thing: object, depth: int) -> Iterator[str]:
    if depth > _DEEPEST:
        return
    if isinstance(thing, list):
        for part in thing:
            yield from _lines(part, depth + 1)
    elif isinstance(thing, Mapping) and thing.get("type") in _IN_LINE:
        yield "".join(_lines(thing.get("elements"), depth + 1))
    elif isinstance(thing, Mapping):
        pressed = "action_id" in thing
        for key in _WORDS:
            if isinstance(word := thing.get(key), str) and not (pressed and key != "text"):
                yield word
            elif isinstance(word, Mapping):
                yield from _lines(word, depth + 1)
        for key in _PARTS:
            yield from _lines(thing.get(key), depth + 1)

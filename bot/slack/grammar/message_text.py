"""Read what a message says: its text, and what stands in its blocks and attachments.

Only what a reader can see is taken: not the values, ids and addresses that buttons and blocks carry, but the addresses of
links, in which ids stand. A forwarded message carries what it says in ``attachments[].message_blocks``. What is not read is
said: what is beyond the bounds, what stands inside files, and blocks of a kind that is not known here.

https://docs.slack.dev/reference/interaction-payloads/shortcuts-interaction-payload
https://docs.slack.dev/messaging/formatting-message-text#attachments
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from bot.slack.grammar.normalization import from_slack

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
class Said:
    """``text``: one line for each part. ``unread``: what was not read, in words; empty when all of it was."""

    text: str
    unread: str = ""


def said(message: Mapping[str, Any] | None) -> Said:
    """All of it that can be read. What is of another shape than Slack's is passed over."""
    reading = _Reading()
    reading.take(message or {}, 0)
    text = "\n".join(dict.fromkeys(from_slack(line) for line in reading.lines if line.strip()))
    if len(text) > LONGEST:
        reading.unread[f"what comes after its first {LONGEST:,} characters"] = None
    return Said(text[:LONGEST], " and ".join(reading.unread))


class _Reading:
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
            within = _Reading()
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

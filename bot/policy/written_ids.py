"""Find every id that a policy file names, with its line: ``flows-bot check`` asks Slack and VoIPBIN whether they exist."""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from bot.activeflows.operators import MEMBERS
from bot.policy.source_lines import line_of, places


@dataclass(frozen=True, slots=True)
class WrittenId:
    """One id, at the first place where it stands."""

    id: str
    line: int


def written_ids(text: str) -> tuple[WrittenId, ...]:
    """Of people, groups, channels and flows, in the order of the file. ``text`` is a policy without mistakes."""
    text = text.removeprefix("\ufeff")
    file, lines = tomllib.loads(text), places(text)
    found: dict[str, WrittenId] = {}
    for where, word in _named(file):
        found.setdefault(word, WrittenId(word, line_of(lines, where) or 0))
    return tuple(sorted(found.values(), key=lambda written: written.line))


def _named(file: dict[str, Any]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    for table, keys in (("grant", ("to", "in", "flows")), ("alert", ("to", "flows"))):
        for number, entry in enumerate(file.get(table, ())):
            for key in keys:
                words = entry.get(key) or ()
                for place, word in enumerate([words] if isinstance(words, str) else words):
                    if word != MEMBERS:
                        yield (table, number, key, place), word
    for account, entry in file.get("account", {}).items():
        for place, word in enumerate(entry.get("channels", ())):
            yield ("account", account, "channels", place), word
    for key in ("ask_in", "audit_channel"):
        if word := file.get("rules", {}).get(key):
            yield ("rules", key), word

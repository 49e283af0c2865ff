"""Find the line of a TOML text on which each of its keys and entries stands. Lines count from 1.

``tomllib`` says where a text breaks the grammar and forgets every other line number, so a mistake in a value could only
be said by its key. This walks over a text that ``tomllib`` has already accepted, and is no parser: it skips values
without understanding them. Keys are read by ``tomllib`` itself.

https://toml.io/en/v1.0.0
"""

import re
import tomllib
from typing import Final, TypeAlias

Path: TypeAlias = tuple[str | int, ...]
"""Where something stands in the document: ("grant", 0, "to", 1)."""

_BLANK: Final = re.compile(r"(?:[ \t\n]|#[^\n]*)*")
_KEY: Final = re.compile(r"""[ \t]*(?:"(?:[^"\\\n]|\\.)*"|'[^'\n]*'|[A-Za-z0-9_-]+)[ \t]*""")
_STRING: Final = re.compile(
    r'"{3}(?:[^"\\]|\\.|"{1,2}(?!"))*"{3,5}' r"|'{3}(?:[^']|'{1,2}(?!'))*'{3,5}" r'|"(?:[^"\\\n]|\\.)*"' r"|'[^'\n]*'",
    re.DOTALL,
)
_PLAIN: Final = re.compile(r"[^,\]}#\n]*")


def places(text: str) -> dict[Path, int]:
    """Return the line of every key, table and entry. ``text`` is TOML that ``tomllib`` reads; of another one nothing is
    known.
    """
    walk = _SourceWalk(text.replace("\r\n", "\n"))
    try:
        walk.document()
    except (ValueError, RecursionError):  # an honest nothing: the mistake is still said by its key
        return {}
    return walk.found


def line_of(found: dict[Path, int], where: Path) -> int | None:
    """Return the line of that place; of what is missing, the line of the nearest thing around it that is there."""
    return next((found[where[:end]] for end in range(len(where), 0, -1) if where[:end] in found), None)


class _SourceWalk:
    def __init__(self, text: str) -> None:
        self._text, self._at = text, 0
        self._line, self._counted = 1, 0
        self._tables: dict[Path, int] = {}
        """How many ``[[…]]`` there were of each."""
        self.found: dict[Path, int] = {}

    def document(self) -> None:
        table: Path = ()
        while self._more():
            if self._takes("[["):
                table = self._appended(self._inside(self._key()))
                self._expect("]]")
            elif self._takes("["):
                table = self._inside(self._key())
                self._note(table)
                self._expect("]")
            else:
                self._pair(table)

    def _pair(self, table: Path) -> None:
        """Read ``key = value``; every part of a dotted key stands on that line."""
        start = len(table)
        path = (*table, *self._key())
        for end in range(start + 1, len(path) + 1):
            self._note(path[:end])
        self._expect("=")
        self._value(path)

    def _value(self, path: Path) -> None:
        self._more()
        if self._takes("["):
            self._entries(path)
        elif self._takes("{"):
            while self._more() and not self._takes("}"):
                self._pair(path)
                self._more()
                self._takes(",")
        else:
            self._skip(_STRING) or self._skip(_PLAIN)

    def _entries(self, path: Path) -> None:
        number = 0
        while self._more() and not self._takes("]"):
            entry = (*path, number)
            self._note(entry)
            self._value(entry)
            self._more()
            self._takes(",")
            number += 1

    def _key(self) -> list[str]:
        """Return the parts of a dotted key."""
        parts: list[str] = []
        while True:
            found = _KEY.match(self._text, self._at)
            if found is None:
                raise ValueError("no key here")
            parts += tomllib.loads(f"{found[0]} = 0")
            self._at = found.end()
            if not self._takes("."):
                return parts

    def _inside(self, key: list[str]) -> Path:
        """Return where a header points: below the last of the tables that it goes through."""
        path: Path = ()
        for part in key[:-1]:
            path = (*path, part)
            path = (*path, self._tables[path] - 1) if path in self._tables else path
        return (*path, key[-1])

    def _appended(self, path: Path) -> Path:
        self._note(path)
        number = self._tables.get(path, 0)
        self._tables[path] = number + 1
        self._note((*path, number))
        return (*path, number)

    def _note(self, path: Path) -> None:
        self._line += self._text.count("\n", self._counted, self._at)
        self._counted = self._at
        self.found.setdefault(path, self._line)

    def _more(self) -> bool:
        """Go past blanks and comments; tell whether there is anything left."""
        self._skip(_BLANK)
        return self._at < len(self._text)

    def _takes(self, sign: str) -> bool:
        there = self._text.startswith(sign, self._at)
        self._at += len(sign) * there
        return there

    def _expect(self, sign: str) -> None:
        if not self._takes(sign):
            raise ValueError("not the TOML that was read")

    def _skip(self, pattern: re.Pattern[str]) -> bool:
        found = pattern.match(self._text, self._at)
        self._at = found.end() if found else self._at
        return found is not None

"""Read which activeflow a line means: its id, the beginning of one, the id of its call, or a pasted text.

Text in, a ``Target`` out, or ``NotUnderstood`` with a line that comes closer.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from bot.activeflows.errors import NotUnderstood
from bot.activeflows.numbers import numbers_in
from bot.activeflows.targets import SHORTEST, Found, Prefix, Target, read_target, targets_in
from bot.slack.grammar.normalization import Word, plain

_DIGITS: Final = re.compile(r"[\d +()./-]+", re.ASCII)
EDGES: Final = "\"'<>()[],;:.|*_"
"""What may stand around a word without belonging to it."""


@dataclass(frozen=True, slots=True)
class Line:
    """What stands after the command's word."""

    text: str
    words: tuple[Word, ...]


def reference(line: Line, word: str, *, strict: bool) -> tuple[Target, str]:
    """The activeflow that is meant, and what follows it. ``strict``: nothing after it may name another."""
    if not line.words:
        raise NotUnderstood(f"{word} which activeflow? Give its id, at least the first {SHORTEST} digits", "list")
    first = line.words[0]
    found = targets_in(plain(line.text))
    bare = _named_by(first)
    if bare is not None and not strict:
        return bare, line.text[first.end :].strip(" `")
    meant = [place.target for place in found]
    if bare is not None and not any(_same(bare, target) for target in meant):
        meant.insert(0, bare)
    if len(meant) == 1:
        end = found[0].end if found else first.end
        return meant[0], line.text[end:].partition(" ")[2].strip(" `")
    if meant:
        several = ", ".join(str(target) for target in meant[:5])
        raise NotUnderstood(f"that names several activeflows ({several}). Name one")
    problem = f"“{first.written[:40]}” is not an activeflow or call id. Give at least its first {SHORTEST} digits"
    raise NotUnderstood(problem, "list")


def phone_number(line: Line) -> bool:
    """Is a phone number there where an activeflow should be named? One word that can be an id is one."""
    text = plain(line.text).strip(f"{EDGES} ")
    numbers = numbers_in(text)
    if not numbers or read_target(text) is not None:
        return False
    if len(line.words) > 1 and len(numbers) == 1 and _DIGITS.fullmatch(text):
        return True
    return _named_by(line.words[0]) is None and not targets_in(text)


def lone_reference(line: Line, word: str) -> Target:
    """The activeflow that is meant, by an id with nothing after it or by a pasted text."""
    target, _ = reference(line, word, strict=True)
    first, *more = line.words
    if more and _named_by(first) is not None:
        rest = line.text[first.end :].strip(" `")
        raise NotUnderstood(f"{word} takes only an id. Leave out “{rest[:40]}”", f"{word} {target}")
    return target


def _named_by(first: Word) -> Target | None:
    return read_target(first.text.strip(EDGES)) or _only(targets_in(first.text))


def _only(found: Sequence[Found]) -> Target | None:
    return found[0].target if len(found) == 1 else None


def _same(short: Target, other: Target) -> bool:
    return short == other or (isinstance(short, Prefix) and _digits(other).startswith(short.digits))


def _digits(target: Target) -> str:
    return target.digits if isinstance(target, Prefix) else target.hex

"""Read which activeflow a line means: its id, the beginning of one, the id of its call, or a pasted text.

Text in, a ``Target`` out, or ``NotUnderstood`` with a line that comes closer.
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Final

from bot.activeflows.errors import NotUnderstood
from bot.activeflows.numbers import numbers_in
from bot.activeflows.queries.resolution import SHORTEST, Found, Prefix, Target, read_target, targets_in
from bot.slack.grammar.filter_words import closest
from bot.slack.grammar.normalization import SEPARATORS, Word, cleaned, plain, words

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


# ---------------------------------------------------------------- account words
# Read which VoIPBIN account a line is about: ``account:staging``, a word of its own, wherever it stands.
#
# A word that nearly says so is refused and not read as anything else: the line would be about another account than was
# meant.

_KEY: Final = "account"
_WORD: Final = re.compile(rf"-*(?P<key>[a-z]+)[{SEPARATORS}]+(?P<name>.*)", re.IGNORECASE | re.DOTALL)
_ALIKE: Final = 0.75
_SHORT: Final = ("acc", "acct")


class NoAccount(Exception):
    """No account that there is. ``meant``: the one that may be, or the first; the suggestion is the line without it."""

    def __init__(self, problem: str, meant: str, suggestion: str = "") -> None:
        super().__init__(problem)
        self.meant, self.refusal = meant, NotUnderstood(problem, suggestion)


def written(account: str) -> str:
    """What one types for it."""
    return f"{_KEY}:{account}"


def read_account(text: str, accounts: Collection[str]) -> tuple[str, str]:
    """The account of a line, empty where it says none, and the line without that word. Raises ``NoAccount``."""
    line, start = cleaned(text), 0
    kept, said = list[str](), list[str]()
    for word in words(line):
        between, start = line[start : word.end], word.end
        found = _WORD.fullmatch(word.text)
        if found is not None and _is_key(found["key"]):
            said.append(found["name"].strip("\"'").lower() if found["key"].lower() == _KEY else word.text)
        else:
            kept.append(between)
    rest = "".join(kept).strip()
    strange = next((name for name in said if name not in accounts), None)
    if strange is not None:
        meant = closest(strange, sorted(accounts)) or closest(strange.partition(":")[2], sorted(accounts))
        problem = f"there is no VoIPBIN account “{strange[:40]}” here. {_all(accounts)}"
        raise NoAccount(problem, meant or min(accounts), rest if meant else "")
    if len(set(said)) > 1:
        raise NoAccount(f"one line is about one VoIPBIN account, not about {' and '.join(said[:2])}", said[0])
    return (said or [""])[0], rest


def which(accounts: Collection[str]) -> NoAccount:
    """What is said where no account is meant and none was said."""
    return NoAccount(f"say which VoIPBIN account: none belongs to this place. {_all(accounts)}", min(accounts))


def _is_key(word: str) -> bool:
    return word.lower() in _SHORT or SequenceMatcher(None, word.lower(), _KEY).ratio() >= _ALIKE


def _all(accounts: Collection[str]) -> str:
    return f"There are {', '.join(map(written, sorted(accounts)))}"

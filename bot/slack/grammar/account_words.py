"""Read which VoIPBIN account a line is about: ``account:staging``, a word of its own, wherever it stands.

A word that nearly says so is refused and not read as anything else: the line would be about another account than was meant.
"""

import re
from collections.abc import Collection
from difflib import SequenceMatcher
from typing import Final

from bot.activeflows.errors import NotUnderstood
from bot.slack.grammar.filter_words import closest
from bot.slack.grammar.normalization import SEPARATORS, cleaned, words

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

"""Score how like a name is to what somebody typed.

Names are compared word by word, by their keys (``names``) without regard to accents (an emoji is a word): a typed word counts in whole when a word of the name
begins with it, and else as much as the two look alike; every typed word must find its like. Whole names are compared, too,
so that "supportline" finds "Support line". 0 is unlike, 1 the same.
"""

import unicodedata
from difflib import SequenceMatcher
from typing import Final

from bot.activeflows.names import name_key

ALIKE: Final = 0.75
"""From here on two words look alike: one letter in four may differ."""
_NEARLY: Final = 0.99


def likeness(typed: str, name: str) -> float:
    """From 0 to 1; what is not alike is 0."""
    wanted, there = _words(typed), _words(name)
    if not wanted or not there:
        return 0.0
    if wanted == there:
        return 1.0
    each = [max(_alike(word, other) for other in there) for word in wanted]
    by_words = sum(each) / len(each) if min(each) >= ALIKE else 0.0
    whole = _ratio("".join(wanted), "".join(there))
    return _NEARLY * max(by_words, whole if whole >= ALIKE else 0.0)


def says(sentence: str, typed: str) -> bool:
    """Does each typed word begin a word of the sentence?"""
    wanted, there = _words(typed), _words(sentence)
    return bool(wanted) and all(any(other.startswith(word) for other in there) for word in wanted)


def _alike(word: str, other: str) -> float:
    return 1.0 if other.startswith(word) else _ratio(word, other)


def _ratio(one: str, other: str) -> float:
    matcher = SequenceMatcher(None, one, other, autojunk=False)
    return matcher.ratio() if matcher.real_quick_ratio() >= ALIKE and matcher.quick_ratio() >= ALIKE else 0.0


def _words(text: str) -> list[str]:
    letters = (c for c in unicodedata.normalize("NFKD", name_key(text)) if not unicodedata.combining(c))
    return "".join(c if c.isalnum() else f" {c} " if unicodedata.category(c) == "So" else " " for c in letters).split()

"""Compare names: whether two spellings are the same name, and which names are most like what was typed.

One way for everything that compares names. Decisions: case and Unicode's form do not count (macOS types decomposed
letters, input methods full-width ones), nor how an emoji is to be drawn, nor blanks at the ends and how many there are.
Everything else counts, accents too: a bulk stop must not take "Support test" for "Support". Short codes of emoji
(``:fire:``) became emoji at the doors, where both a typed name and a flow's come in.

https://unicode.org/reports/tr15/
"""

import unicodedata
from collections.abc import Iterable
from difflib import SequenceMatcher, get_close_matches
from functools import lru_cache
from typing import Final

_SHOWN: Final = str.maketrans("∗ˋ∼꞉", "*`~:")
"""What stands in messages for marks that would format: a name may be copied from one."""
_NO_CHARACTERS: Final = frozenset({"Cc", "Cf", "Cs"})
"""Controls and joiners, which what is typed loses, too; and lone surrogates."""
_DRAWN: Final = frozenset({"\N{VARIATION SELECTOR-15}", "\N{VARIATION SELECTOR-16}"})


@lru_cache(maxsize=16_384)
def name_key(name: str) -> str:
    """Return what is the same for all spellings of a name: compare keys, and show names."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name.translate(_SHOWN)).casefold())
    kept = "".join(c for c in folded if _counts(c))
    return " ".join(unicodedata.normalize("NFKC", kept).split())


def same_name(one: str, other: str) -> bool:
    """Tell whether these are two spellings of one name."""
    return name_key(one) == name_key(other)


def closest_names(typed: str, names: Iterable[str], *, most: int = 3) -> tuple[str, ...]:
    """Return the names that look most like this one, and are not it; the likest first."""
    wanted = name_key(typed)
    known = {key: name for name in names if (key := name_key(name)) and key != wanted}
    return tuple(known[near] for near in get_close_matches(wanted, known, n=most, cutoff=0.5))


def _counts(character: str) -> bool:
    if character in _DRAWN:
        return False
    return character.isspace() or unicodedata.category(character) not in _NO_CHARACTERS


# ---------------------------------------------------------------- similarity
# Score how like a name is to what somebody typed.
#
# Names are compared word by word, by their keys (``names``) without regard to accents (an emoji is a word): a typed
# word counts in whole when a word of the name begins with it, and else as much as the two look alike; every typed word
# must find its like. Whole names are compared, too, so that "supportline" finds "Support line". 0 is unlike, 1 the
# same.

ALIKE: Final = 0.75
"""From here on two words look alike: one letter in four may differ."""
_NEARLY: Final = 0.99


def likeness(typed: str, name: str) -> float:
    """Measure how alike two names are, from 0 to 1; what is not alike is 0."""
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
    """Tell whether each typed word begins a word of the sentence."""
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

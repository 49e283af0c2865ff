"""Compare telephone numbers as people write them: do two writings mean the same telephone?

A number is read national or international, with blanks, dashes, dots, slashes and brackets, with ``+`` or ``00`` before it
and ``(0)`` in it, in any script's digits. Two are the same when the shorter one is the end of the longer one, without the
zeros in front that only a national writing has; when both say their country, they must be the same in whole. Fewer than 7
digits are never compared, and are no number. https://www.itu.int/rec/T-REC-E.164

Decisions: dates, times of day and IPv4 addresses in a text are no numbers; neither is what is part of a word, of an address
on the web, or of an id. Two numbers with only blanks between them are parted where they would be longer than any number is.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

SHORTEST: Final = 7
"""Digits below which nothing is compared."""
LONGEST: Final = 15
"""Digits of the longest number there is, country code included."""
_BETWEEN: Final = r"[ ().\-/\u2010-\u2015\u2212]"
_WRITTEN: Final = re.compile(
    rf"(?<![\w/.#@-])(?<!\d:)\(?(?:\+ ?)?\(?\d(?:{_BETWEEN}{{0,3}}\d)*(?!\w|-\w|:\d)", re.ASCII
)
_NO_NUMBER: Final = re.compile(
    r"\d{4}([-/.])\d{1,2}\1\d{1,2}|\d{1,2}([-/.])\d{1,2}\2(?:\d\d|\d{4})|\d{1,3}(?:\.\d{1,3}){3}", re.ASCII
)
"""Dates, and IPv4 addresses."""
_COUNTRY: Final = re.compile(
    r"(?:1|7|2[07]|3[0-469]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58]"
    r"|(?:2[1-689]|3[578]|42|5[09]|6[7-9]|8[0578]|9[679])\d)0?",
    re.ASCII,
)
"""Country codes: https://www.itu.int/pub/T-SP-E.164D"""
_SCHEME: Final = re.compile(r"(?:sips?|tel):", re.IGNORECASE)
_DIALLED: Final = re.compile(rf"\+?(?:{_BETWEEN}?\d)+", re.ASCII)


@dataclass(frozen=True, slots=True)
class Number:
    """A telephone number. Personal: only its ``ending`` is shown."""

    digits: str = field(repr=False)
    """Without prefix; without the zeros in front of a national one where enough is left."""
    international: bool = False
    """It says its country."""

    def same(self, other: "Number") -> bool:
        """Do both mean the same telephone, as far as their writing tells?"""
        if self.international and other.international:
            return self.digits == other.digits
        short, long = sorted((self.digits, other.digits), key=len)
        return len(short) >= SHORTEST and long.endswith(short)

    def whole(self, other: "Number") -> bool:
        """Does each say the other in whole: digit for digit, or all but the country (and the zero some countries keep)?"""
        short, long = sorted((self.digits, other.digits), key=len)
        cut = long.removesuffix(short)
        return self.same(other) and (not cut or _COUNTRY.fullmatch(cut) is not None)

    @property
    def ending(self) -> str:
        """The two digits by which whoever asked knows it again."""
        return self.digits[-2:]


def dialled(target: str) -> Number | None:
    """The number an end of a call has (``+15550100001``, ``sip:+15550100001@…``), if it has one."""
    bare = _plain(_SCHEME.sub("", target, count=1)).partition("@")[0].partition(";")[0].strip()
    return _read(bare) if _DIALLED.fullmatch(bare) else None


def numbers_in(text: str) -> tuple[Number, ...]:
    """The different numbers a text holds, in their order. Lines part."""
    found: dict[Number, None] = {}
    for line in text.splitlines():
        for match in _WRITTEN.finditer(_plain(line)):
            found.update((number, None) for run in _runs(match[0]) if (number := _read(run)) is not None)
    return tuple(found)


def _plain(text: str) -> str:
    """Plain digits and blanks, nothing invisible: telephones put direction marks around what they copy."""
    folded = unicodedata.normalize("NFKC", text)
    visible = (c for c in folded if unicodedata.category(c) != "Cf")
    return "".join(str(int(c)) if c.isdecimal() else " " if c.isspace() else c for c in visible)


def _runs(written: str) -> Iterator[str]:
    """Its groups, joined to numbers; one digit at the end is left out.

    A group that is a date or an address parts, unless a number that has only begun needs it: "+47 22.33.44.55", "(0)10-11-2026".
    """
    groups, begun = written.replace("(0)", " ").split(), written.startswith("(0)")
    too_long = _count(written) > _most(written)
    run: list[str] = []
    for group in groups:
        together = "".join(run)
        begins = group.startswith(("0", "(0")) and _count(together) >= SHORTEST
        if _NO_NUMBER.fullmatch(group) and (not (run or begun) or _count(together) >= SHORTEST):
            yield together
            run = []
        elif too_long and (begins or _count(together) + _count(group) > _most(together)):
            yield together
            run = [group]
        else:
            run.append(group)
        begun = False
    if len(run) > 1 and _count(run[-1]) == 1 and _count("".join(run)) > SHORTEST:
        run.pop()  # "0171 2345678 2 times"
    yield "".join(run)


def _read(run: str) -> Number | None:
    digits = "".join(c for c in run if c.isdigit())
    international = "+" in run or digits.startswith("00")
    significant = digits.lstrip("0")
    if not international and len(significant) < SHORTEST:
        significant = digits
    if not SHORTEST <= len(significant) <= LONGEST:
        return None
    return Number(significant, international)


def _count(written: str) -> int:
    return sum(c.isdigit() for c in written)


def _most(written: str) -> int:
    """Digits of the longest number that begins so."""
    return LONGEST + 2 if written.lstrip("(").startswith("00") else LONGEST

"""Compare telephone numbers as people write them (do two mean the same telephone?), and mask them.

A number is read national or international, with blanks, dashes, dots, slashes and brackets, with ``+`` or ``00`` before
it and ``(0)`` in it, in any script's digits. Two are the same when the shorter one is the end of the longer one,
without the zeros in front that only a national writing has; when both say their country, they must be the same in
whole. Fewer than 7 digits are never compared, and are no number. https://www.itu.int/rec/T-REC-E.164

What only a country's own rules tell (``8 912 …`` in Russia, ``011`` before a country, the 1 in ``+52 1 55 …``) a
``Plan`` knows, which the composition puts in place for the whole process (``read_by``). Without one, numbers are read
as above.

Decisions: dates, times of day and IPv4 addresses in a text are no numbers; neither is what is part of a word, of an
address on the web, or of an id. A freephone number of North America may end in a word ("1-800-FLOWERS"). Two numbers
with only blanks between them are parted where they would be longer than any number is.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Final, TypeAlias

from bot.activeflows.model import Party

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
_OLD_MOBILE: Final = "521"
"""Mexico's mobile numbers had a 1 after the country until 2019:
https://en.wikipedia.org/wiki/Telephone_numbers_in_Mexico
"""
_SCHEME: Final = re.compile(r"(?:sips?|tel):", re.IGNORECASE)
_FREE: Final = "8(?:00|33|44|55|66|77|88)"
_VANITY: Final = re.compile(
    rf"(?<![\w/.#@-])(?:\+?1[ .-]?\(?{_FREE}\)?[ .-]?|\({_FREE}\) ?|{_FREE}-)"
    rf"(?=\d*-?[A-Z])[A-Z\d]{{3}}-?[A-Z\d]{{4}}(?![\w-])"
)
"""Freephone numbers of North America that are words on the keys, as they are advertised: in capitals."""
_KEYS: Final = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "22233344455566677778889999")
_DIALLED: Final = re.compile(rf"\+?(?:{_BETWEEN}?\d)+", re.ASCII)


@dataclass(frozen=True, slots=True)
class Number:
    """A telephone number. Personal: only its ``ending`` is shown."""

    digits: str = field(repr=False)
    """Without prefix; without the zeros in front of a national one where enough is left."""
    international: bool = False
    """It says its country."""
    written: str = field(default="", repr=False)
    """Its digits as they were written, where a ``Plan`` reads them as others."""
    country: str = ""
    """Of one that leaves out its country and its area: the only country that it may be in."""

    def same(self, other: "Number") -> bool:
        """Do both mean the same telephone, as far as their writing tells?"""
        if self.digits in {other.digits, other.written} or self.written == other.digits:
            return True
        if self.international and other.international:
            return False
        elsewhere = (self.international and not self.digits.startswith(other.country)) or (
            other.international and not other.digits.startswith(self.country)
        )
        return not elsewhere and self._ends(other)

    def _ends(self, other: "Number") -> bool:
        short, long = sorted((self.digits, other.digits), key=len)
        return len(short) >= SHORTEST and long.endswith(short)

    def whole(self, other: "Number") -> bool:
        """Tell whether each says the other in whole: digit for digit, or all but the country (and the zero some
        countries keep).
        """
        short, long = sorted((self.digits, other.digits), key=len)
        cut = long.removesuffix(short)
        return self.same(other) and (not cut or _COUNTRY.fullmatch(cut) is not None)

    @property
    def ending(self) -> str:
        """The two digits by which whoever asked knows it again."""
        return self.digits[-2:]


Plan: TypeAlias = Callable[[str], Number | None]
"""Reads one number by the rules of its country, from its digits with ``+`` before it where it was written or dialled
so; ``None`` where these do not tell.
"""
_plans: Final[list[Plan]] = []


def read_by(plan: Plan | None) -> None:
    """Read numbers by this plan, too, from now on and in the whole process, as locales are: it is a setting of the
    bot.
    """
    _plans[:] = [] if plan is None else [plan]


def dialled(target: str) -> Number | None:
    """Return the number an end of a call has (``+15550100001``, ``sip:+15550100001@…``), if it has one.

    Nobody wrote it, so one that does not say its country is in none.
    """
    bare = _plain(_SCHEME.sub("", target, count=1)).partition("@")[0].partition(";")[0].strip()
    read = _read(bare) if _DIALLED.fullmatch(bare) else None
    return _planned(read, bare) if read is not None and read.international else read


def numbers_in(text: str) -> tuple[Number, ...]:
    """Return the different numbers a text holds, in their order. Lines part."""
    found: dict[Number, None] = {}
    for line in text.splitlines():
        spelt = _VANITY.sub(lambda word: word[0].translate(_KEYS), _plain(line))
        for match in _WRITTEN.finditer(spelt):
            found.update((_planned(number, run), None) for run in _runs(match[0]) if (number := _read(run)) is not None)
    return tuple(found)


def _plain(text: str) -> str:
    """Return plain digits and blanks, nothing invisible: telephones put direction marks around what they copy."""
    if text.isascii() and text.isprintable():  # as most lines are
        return text
    folded = unicodedata.normalize("NFKC", text)
    visible = (c for c in folded if unicodedata.category(c) != "Cf")
    return "".join(str(int(c)) if c.isdecimal() else " " if c.isspace() else c for c in visible)


def _runs(written: str) -> Iterator[str]:
    """Yield its groups, joined to numbers; one digit at the end is left out.

    A group that is a date or an address parts, unless a number that has only begun needs it: "+47 22.33.44.55",
    "(0)10-11-2026".
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
    if international and len(significant) == 13 and significant.startswith(_OLD_MOBILE):
        return Number(significant.replace("1", "", 1), international, written=significant)
    return Number(significant, international)


def _planned(read: Number, written: str) -> Number:
    """Read the number as the plan does, if it does."""
    digits = "".join(c for c in written if c.isdigit())
    meant = next((number for plan in _plans if (number := plan(f"+{digits}" if "+" in written else digits))), None)
    return (
        read
        if meant is None
        else replace(meant, written=read.written or (read.digits if read.digits != meant.digits else ""))
    )


def _count(written: str) -> int:
    return sum(c.isdigit() for c in written)


def _most(written: str) -> int:
    """Count the digits of the longest number that begins so."""
    return LONGEST + 2 if written.lstrip("(").startswith("00") else LONGEST


# ---------------------------------------------------------------- redaction
# Mask personal data for people who need not know it: enough to recognise, too little to dial.


def masked(party: Party) -> str:
    """Mask a number: ``+15550100001`` becomes ``+1555•••••01``; anything that is not a number becomes its kind ("a
    SIP address").
    """
    target = party.target
    digits = sum(c.isdigit() for c in target)
    if party.type in {"tel", "whatsapp", ""} and digits >= 4 and all(c.isdigit() or c in "+ -()" for c in target):
        compact = "".join(c for c in target if c.isdigit() or c == "+")
        shown = min(5, max(0, len(compact) - 6))
        return f"{compact[:shown]}{'•' * (len(compact) - shown - 2)}{compact[-2:]}"
    kinds = {
        "sip": "a SIP address",
        "extension": "an extension",
        "agent": "an agent",
        "ai": "an AI",
        "email": "an e-mail address",
    }
    return kinds.get(party.type, "a hidden address" if target else "unknown")

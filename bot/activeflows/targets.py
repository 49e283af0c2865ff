"""Read which activeflow somebody means: a whole id, or the beginning of one.

Ids are read in every spelling that occurs in logs, links and other people's tools: upper case, braces, ``urn:uuid:``,
without dashes. A beginning needs at least 4 hex digits. Text that is neither gives ``None``: never a guess.
"""

import re
from dataclasses import dataclass
from typing import Final, TypeAlias
from uuid import UUID

SHORTEST: Final = 4
"""Hex digits a beginning must have."""
_DASHED: Final = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_ID: Final = re.compile(rf"(?:urn:uuid:)?(?:{_DASHED}|[0-9a-f]{{32}})", re.ASCII | re.IGNORECASE)
_BEGINNING: Final = re.compile(r"[0-9a-f][0-9a-f-]*", re.ASCII | re.IGNORECASE)
_IN_TEXT: Final = re.compile(rf"(?<![0-9a-z_+-])(?:{_DASHED}|[0-9a-f]{{8,32}})(?![0-9a-z_-])", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Prefix:
    """The first 4 to 31 hex digits of an id, in lower case and without dashes."""

    digits: str

    def __post_init__(self) -> None:
        if not re.fullmatch(rf"[0-9a-f]{{{SHORTEST},31}}", self.digits, re.ASCII):
            raise ValueError(f"a beginning of an id has {SHORTEST} to 31 hex digits in lower case")

    def fits(self, id_: UUID | None) -> bool:
        """Does this id begin so?"""
        return id_ is not None and id_.hex.startswith(self.digits)

    @property
    def dashed(self) -> str:
        """As the beginning of an id written with dashes."""
        whole = str(UUID(self.digits.ljust(32, "0")))
        return whole[: len(self.digits) + sum(len(self.digits) > place for place in (8, 12, 16, 20))]

    def __str__(self) -> str:
        return self.digits


Target: TypeAlias = UUID | Prefix


def read_target(word: str) -> Target | None:
    """The target this one word names, if it names one. The zero UUID names nothing."""
    bare = word.strip().lower().removeprefix("{").removesuffix("}")
    if _ID.fullmatch(bare):
        whole = UUID(bare)
        return whole if whole.int else None
    digits = bare.replace("-", "")
    if not _BEGINNING.fullmatch(bare) or not SHORTEST <= len(digits) < 32:
        return None
    prefix = Prefix(digits)
    return prefix if "-" not in bare or bare in (prefix.dashed, f"{prefix.dashed}-") else None


@dataclass(frozen=True, slots=True)
class Found:
    """A target inside a longer text, and where it ends."""

    target: Target
    end: int


def targets_in(text: str) -> tuple[Found, ...]:
    """The different targets a pasted text names: whole ids, or beginnings of at least 8 digits (shorter ones are words).

    A beginning of a whole id that stands in the text, too, is the same target.
    """
    found: dict[Target, Found] = {}
    for match in _IN_TEXT.finditer(text):
        target = read_target(match[0])
        if target is not None:
            found.setdefault(target, Found(target, match.end()))
    whole = [target for target in found if isinstance(target, UUID)]
    return tuple(
        place for target, place in found.items() if not (isinstance(target, Prefix) and any(map(target.fits, whole)))
    )


def without_ids(text: str) -> str:
    """The text with a line break in the place of each whole id."""
    return _ID.sub("\n", text)

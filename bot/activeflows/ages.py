"""Write durations as people read them ("1 h 12 min"), and read them as people type them ("10m").

Both round down: an age is never said to be longer than it is.
"""

import re
from datetime import timedelta
from typing import Final

_SECOND: Final = timedelta(seconds=1)
_MINUTE: Final = timedelta(minutes=1)
_HOUR: Final = timedelta(hours=1)
_DAY: Final = timedelta(days=1)
_UNITS: Final = {"d": _DAY, "h": _HOUR, "m": _MINUTE, "s": _SECOND}
_TYPED: Final = re.compile(
    r"(?:(?P<d>\d{1,5})d)?(?:(?P<h>\d{1,6})h)?(?:(?P<m>\d{1,7})m)?(?:(?P<s>\d{1,9})s)?", re.ASCII
)


def in_words(duration: timedelta) -> str:
    """For reading: "under 1 s", "8 s", "4 min", "1 h 12 min", "2 d". Negative durations (skewed clocks) count as
    none.
    """
    if duration < _SECOND:
        return "under 1 s"
    if duration < _MINUTE:
        return f"{duration // _SECOND} s"
    if duration < _HOUR:
        return f"{duration // _MINUTE} min"
    if duration < _DAY:
        minutes = duration % _HOUR // _MINUTE
        return f"{duration // _HOUR} h" + (f" {minutes} min" if minutes else "")
    return f"{duration // _DAY} d"


def as_typed(duration: timedelta) -> str:
    """For typing: "90s", "10m", "2h", "3d", in the largest unit that says it exactly; parts of a second are dropped."""
    if duration < _SECOND:
        return "0s"
    whole = duration // _SECOND * _SECOND
    return next(f"{whole // unit}{letter}" for letter, unit in _UNITS.items() if not whole % unit)


def from_typed(text: str) -> timedelta | None:
    """The other way round; also "1h30m". ``None`` when it is not a duration."""
    found = _TYPED.fullmatch(text.strip().lower())
    if found is None or not text.strip():
        return None
    return sum((int(number) * _UNITS[letter] for letter, number in found.groupdict().items() if number), timedelta(0))

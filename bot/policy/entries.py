"""Read single entries of the policy file, and say what is wrong with one."""

import re
from collections.abc import Callable
from datetime import time, timedelta, tzinfo
from typing import Any, Final
from zoneinfo import ZoneInfo

from pydantic import ConfigDict

from bot.activeflows.ages import from_typed
from bot.activeflows.operators import MEMBERS

_HOURS: Final = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)", re.ASCII)


STRICT: Final = ConfigDict(extra="forbid", hide_input_in_errors=True)
"""Of every table: what it does not know is a mistake, and no mistake repeats what was written."""


def who(word: str) -> str:
    """Raises ``ValueError`` in words for people, as all of these do."""
    if word == MEMBERS or is_group(word) or re.fullmatch(r"[UW][A-Z0-9]{2,31}", word):
        return word
    raise ValueError('must be an id: a user (U…), a user group (S…) or "members"; names can be faked')


def is_group(word: str) -> bool:
    """Is it the id of a user group?"""
    return re.fullmatch(r"S[A-Z0-9]{2,31}", word) is not None


def channel(word: str) -> str:
    if re.fullmatch(r"[CGD][A-Z0-9]{2,31}", word):
        return word
    raise ValueError("must be a channel id (C…): copy it from the channel's details")


def account(word: str) -> str:
    if re.fullmatch(r"[a-z][a-z0-9_]{0,19}", word):
        return word
    raise ValueError(
        "must be the name of a VoIPBIN account, as the settings have it in VOIPBIN_ACCOUNT__<name>__…, in small letters"
    )


def duration(shortest: str, longest: str, *, like: str) -> Callable[[Any], timedelta]:
    """As people type it; all three are such."""
    least, most = from_typed(shortest) or timedelta(0), from_typed(longest) or timedelta.max

    def parsed(value: Any) -> timedelta:
        found = from_typed(value) if isinstance(value, str) else None
        if found is None or not least <= found <= most:
            raise ValueError(f'must be a duration from "{shortest}" to "{longest}", like "{like}"')
        return found

    return parsed


def hours(value: Any) -> tuple[time, time]:
    """As in "22:00-07:00"."""
    found = _HOURS.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise ValueError('must be two times of the day, like "22:00-07:00"')
    since, until = time(int(found[1]), int(found[2])), time(int(found[3]), int(found[4]))
    if since == until:
        raise ValueError("must end at another time than it begins")
    return since, until


def time_zone(value: Any) -> tzinfo:
    """https://data.iana.org/time-zones/tz-link.html"""
    try:
        return ZoneInfo(value)
    except (ValueError, KeyError, OSError, TypeError, AttributeError):
        raise ValueError('must be a time zone this machine knows, like "Europe/Berlin"') from None

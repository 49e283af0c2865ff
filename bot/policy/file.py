"""Read ``policy.toml`` into the rules that ``bot.activeflows`` decides by. Unset is deny; ids only, never names.

A name ("@alice", "#incidents") is refused with a hint: names can be changed by anybody, and then a grant would belong
to somebody else. A mistake is said with the line it stands on: ``policy.toml:12: grant 2, to, entry 1 must be …``.
"""

import re
import tomllib
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import UTC, time, timedelta, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    ValidationError,
    model_validator,
)

from bot.activeflows.alert_rules import MOST_MESSAGES, AlertRule, QuietHours, key
from bot.activeflows.anomalies import Reason
from bot.activeflows.model import from_typed
from bot.activeflows.operators import MEMBERS, AccountPlaces, Grant, Permission, Policy, Rules
from bot.misconfigured import Misconfigured
from bot.policy.source_lines import line_of, places

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails


# ---------------------------------------------------------------- entries
# Read single entries of the policy file, and say what is wrong with one.

_HOURS: Final = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)", re.ASCII)


STRICT: Final = ConfigDict(extra="forbid", hide_input_in_errors=True)
"""Of every table: what it does not know is a mistake, and no mistake repeats what was written."""


def who(word: str) -> str:
    """Read whom a grant names. Raises ``ValueError`` in words for people, as all of these do."""
    if word == MEMBERS or is_group(word) or re.fullmatch(r"[UW][A-Z0-9]{2,31}", word):
        return word
    raise ValueError('must be an id: a user (U…), a user group (S…) or "members"; names can be faked')


def is_group(word: str) -> bool:
    """Tell whether it is the id of a user group."""
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
    """Read a duration as people type it; all three are such."""
    least, most = from_typed(shortest) or timedelta(0), from_typed(longest) or timedelta.max

    def parsed(value: Any) -> timedelta:
        found = from_typed(value) if isinstance(value, str) else None
        if found is None or not least <= found <= most:
            raise ValueError(f'must be a duration from "{shortest}" to "{longest}", like "{like}"')
        return found

    return parsed


def hours(value: Any) -> tuple[time, time]:
    """Read hours as in "22:00-07:00"."""
    found = _HOURS.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise ValueError('must be two times of the day, like "22:00-07:00"')
    since, until = time(int(found[1]), int(found[2])), time(int(found[3]), int(found[4]))
    if since == until:
        raise ValueError("must end at another time than it begins")
    return since, until


def time_zone(value: Any) -> tzinfo:
    """Read a time zone: https://data.iana.org/time-zones/tz-link.html"""
    try:
        return ZoneInfo(value)
    except (ValueError, KeyError, OSError, TypeError, AttributeError):
        raise ValueError('must be a time zone this machine knows, like "Europe/Berlin"') from None


# ---------------------------------------------------------------- alerts
# Read ``[[alert]]`` of the policy file.


class Alert(BaseModel):
    """One table, as it is written."""

    model_config = ConfigDict(**STRICT, arbitrary_types_allowed=True)  # tzinfo is no type of pydantic's

    to: Annotated[str, AfterValidator(channel)]
    about: Annotated[list[Reason], Field(min_length=1)] = list(Reason)
    flows: list[UUID] | None = None
    accounts: Annotated[list[Annotated[str, AfterValidator(account)]] | None, Field(min_length=1)] = None
    quiet: Annotated[tuple[time, time], BeforeValidator(hours)] | None = None
    zone: Annotated[tzinfo, BeforeValidator(time_zone)] = UTC
    at_most: Annotated[StrictInt, Field(ge=1, le=MOST_MESSAGES)] = 10
    within: Annotated[timedelta, BeforeValidator(duration("1m", "24h", like="1h"))] = timedelta(hours=1)


def alert_rules(alerts: Iterable[Alert]) -> tuple[AlertRule, ...]:
    """Return the alert rules in the order of the file."""
    seen: Counter[str] = Counter()
    rules = []
    for alert in alerts:
        seen[alert.to] += 1
        rules.append(
            AlertRule(
                key=key(alert.to, seen[alert.to]),
                to=alert.to,
                about=frozenset(alert.about),
                flows=None if alert.flows is None else frozenset(alert.flows),
                quiet=None if alert.quiet is None else QuietHours(*alert.quiet, alert.zone),
                at_most=alert.at_most,
                within=alert.within,
                accounts=None if alert.accounts is None else frozenset(alert.accounts),
            )
        )
    return tuple(rules)


# ---------------------------------------------------------------- file

_PLAINLY: Final = {
    "missing": "is missing",
    "extra_forbidden": "is nothing that a policy can say",
    "model_type": "must be a table",
    "dict_type": "must be a table",
    "list_type": "must be a list, in square brackets",
    "too_short": "must not be empty",
    "string_type": "must be a text, in quotes",
    "bool_type": "must be true or false",
    "int_type": "must be a whole number",
    "enum": "must be one of {expected}",
    "literal_error": "must be one of {expected}",
    "uuid_parsing": "must be the id of a flow (a UUID)",
    "uuid_type": "must be the id of a flow (a UUID)",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
}
"""Pydantic's kinds of mistake, in words for the person who writes the file."""
_NUMBERED: Final = frozenset({"grant", "alert"})
"""Tables of which there can be many."""
_LONGEST: Final = 40
"""Of a word out of the file that is repeated in a mistake."""


_AccountName = Annotated[str, AfterValidator(account)]


class _Strict(BaseModel):
    model_config = STRICT


class _Grant(_Strict):
    to: Annotated[list[Annotated[str, AfterValidator(who)]], Field(min_length=1)]
    may: Annotated[list[Permission], Field(min_length=1)]
    channels: Annotated[list[Annotated[str, AfterValidator(channel)]] | None, Field(alias="in")] = None
    flows: list[UUID] | None = None
    accounts: Annotated[list[_AccountName] | None, Field(min_length=1)] = None


class _Account(_Strict):
    channels: list[Annotated[str, AfterValidator(channel)]] = []
    default: StrictBool = False


class _Rules(_Strict):
    reason_required: StrictBool = False
    two_person: list[Literal["stop", "bulk"]] = ["bulk"]
    bulk_limit: Annotated[StrictInt, Field(ge=1, le=1000)] = 50
    confirm_within: Annotated[timedelta, BeforeValidator(duration("1s", "1h", like="5m"))] = timedelta(minutes=5)
    ask_in: Annotated[str, AfterValidator(channel)] | None = None
    audit_channel: Annotated[str, AfterValidator(channel)] | None = None


class _File(_Strict):
    grant: list[_Grant] = []
    alert: list[Alert] = []
    rules: _Rules = _Rules()
    account: dict[_AccountName, _Account] = {}

    @model_validator(mode="after")
    def _one_account_each(self) -> "_File":
        """Refuse a file in which somebody would have to guess which one is meant."""
        counted = Counter(channel for account in self.account.values() for channel in account.channels)
        twice = [channel for channel, count in counted.items() if count > 1]
        if twice:
            raise ValueError(f"{twice[0]} is a channel of two accounts; it can be of one only")
        if sum(account.default for account in self.account.values()) > 1:
            raise ValueError("two accounts have default = true; one only can have it")
        return self


def read_policy(path: Path | None) -> Policy:
    """Return the policy in that file; without a file the empty one, by which nobody may do anything.

    Raises ``Misconfigured`` with one line per mistake.
    """
    return Policy() if path is None else parsed_policy(policy_text(path), name=path.name)


def policy_text(path: Path) -> str:
    """Return what stands in that file. Raises ``Misconfigured``."""
    try:
        return decoded_policy(path.read_bytes())
    except (OSError, UnicodeDecodeError) as trouble:
        raise unreadable_policy(path, trouble) from None


def decoded_policy(content: bytes) -> str:
    """Return the text of a file with that content. Raises ``UnicodeDecodeError``."""
    return content.decode().removeprefix("\ufeff")  # some editors mark their files


def unreadable_policy(path: Path, trouble: Exception) -> Misconfigured:
    """Return what is said of a file that cannot be read."""
    return Misconfigured(f"{path.name}: cannot be read ({type(trouble).__name__}).")


def parsed_policy(text: str, *, name: str = "policy.toml") -> Policy:
    """Return the policy in that text. Raises ``Misconfigured``."""
    text = text.removeprefix("\ufeff")
    try:
        file = _File.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as trouble:
        line = _line_of_the_end(text, str(trouble))
        raise Misconfigured(f"{name}:{line}: is not TOML: {_shown(str(trouble), 200)}.") from None
    except ValidationError as wrong:
        lines = places(text)
        raise Misconfigured(*(f"{_at(name, lines, e['loc'])}{_message(e)}." for e in wrong.errors())) from None
    except (ValueError, RecursionError):  # numbers of thousands of digits, lists in lists in lists
        raise Misconfigured(f"{name}: is not TOML that can be read.") from None
    rules = file.rules
    return Policy(
        grants=tuple(_grant(number, grant) for number, grant in enumerate(file.grant, 1)),
        rules=Rules(
            reason_required=rules.reason_required,
            two_person=frozenset(rules.two_person),
            bulk_limit=rules.bulk_limit,
            confirm_within=rules.confirm_within,
            ask_in=rules.ask_in or "",
            audit_channel=rules.audit_channel or "",
        ),
        alerts=alert_rules(file.alert),
        accounts=tuple(
            AccountPlaces(name, frozenset(account.channels), account.default) for name, account in file.account.items()
        ),
    )


def _grant(number: int, grant: _Grant) -> Grant:
    return Grant(
        number=number,
        to=frozenset(grant.to),
        may=frozenset(grant.may),
        channels=None if grant.channels is None else frozenset(grant.channels),
        flows=None if grant.flows is None else frozenset(grant.flows),
        groups=frozenset(filter(is_group, grant.to)),
        accounts=None if grant.accounts is None else frozenset(grant.accounts),
    )


def _at(name: str, lines: dict[tuple[str | int, ...], int], where: tuple[int | str, ...]) -> str:
    line = line_of(lines, where)
    place = _place(where)
    return f"{name}{f':{line}' if line else ''}: {f'{place} ' if place else ''}"


def _line_of_the_end(text: str, trouble: str) -> int:
    """Return where the grammar was broken: tomllib says the line, or "at end of document"."""
    said = re.search(r"\(at line (\d+), column \d+\)$", trouble)
    return int(said[1]) if said else text.count("\n") + 1


def _place(where: tuple[int | str, ...]) -> str:
    """Say where a mistake stands: ("grant", 0, "to", 1) becomes "grant 1, to, entry 2"."""
    words: list[str] = []
    for before, part in zip(("", *where), where, strict=False):
        if isinstance(part, int):
            words[-1:] = [f"{before} {part + 1}"] if before in _NUMBERED else [*words[-1:], f"entry {part + 1}"]
        else:
            words.append(_shown(part) if part.isidentifier() else f"“{_shown(part)}”")
    return ", ".join(words)


def _message(mistake: "ErrorDetails") -> str:
    words = _PLAINLY.get(mistake["type"])
    if words is not None:
        return words.format(**mistake.get("ctx", {}))
    return mistake["msg"].removeprefix("Value error, ").rstrip(".")


def _shown(word: str, longest: int = _LONGEST) -> str:
    """Show a value on one line, and not at any length."""
    printable = "".join(c if c.isprintable() else "�" for c in word)
    return printable if len(printable) <= longest else printable[: longest - 1] + "…"

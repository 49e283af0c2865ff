"""Turn an answer that is no success into one ``RequestFailure``: (HTTP status, reason, body) in. Sans-I/O.

VoIPBIN's envelope is ``{"error": {"status", "reason", "message", "request_id", "details"?}}``
(https://api.voipbin.net/docs/restful_api_errors.html), but errors also come empty (login, panics, old deployments),
as HTML (whatever stands in front) and labelled ``text/plain``: the content decides, not the Content-Type. Reasons are
open-ended; an unknown one falls back on the HTTP status. ``message`` is never read, so it can never be shown.

Two readings are not obvious. 401 ``INVALID_CREDENTIALS`` is also what a good access key gets when it could not be
looked up. 400 ``INVALID_ARGUMENT`` is also what the flow service's own faults become: it is no fault of the asker.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from bot.activeflows.errors import (
    AccountFrozen,
    AccountNotSetUp,
    CredentialRejected,
    Failure,
    PaymentDue,
    StateConflict,
    VoIPBINBroken,
    VoIPBINBusy,
    VoIPBINUnreachable,
)
from bot.voipbin.wire.answers import Unreadable, forgivingly, instant
from bot.voipbin.wire.shapes import WireEnvelope, WireError


class FailureKind(Enum):
    """What can be done about it, which is all that callers branch on."""

    UNSENT = auto()  # no connection: nothing left this machine
    LOST = auto()  # sent, no (whole) answer in time
    THROTTLED = auto()  # 429: refused before any work
    CREDENTIAL = auto()  # 401: refused before any work
    LOGIN = auto()  # the login was refused, or failed: VoIPBIN does not say which
    FROZEN = auto()
    FORBIDDEN = auto()  # 403: role too low, or somebody else's
    ABSENT = auto()  # 404 about the object: never existed, or deleted
    GONE = auto()  # 409 STATE_INVALID, 410: a deleted call
    CONFLICT = auto()  # any other 409, 412: refused because of the state it is in, such as being stopped already
    UNPAID = auto()  # 402
    NOT_SET_UP = auto()  # there is no credential to show: nothing left this machine
    REFUSED = auto()  # checked at the edge before any work: a wrong route, a malformed id
    HICCUP = auto()  # 400 INVALID_ARGUMENT
    INTERNAL = auto()  # 500: also "circuit breaker open"
    UNAVAILABLE = auto()  # 502, 503, 504: the work may have been done
    UNREADABLE = auto()  # a success whose body is not one
    UNCLASSIFIED = auto()


_BEFORE_ANY_WORK: Final = frozenset(
    {
        FailureKind.UNSENT,
        FailureKind.THROTTLED,
        FailureKind.CREDENTIAL,
        FailureKind.LOGIN,
        FailureKind.FROZEN,
        FailureKind.FORBIDDEN,
        FailureKind.ABSENT,
        FailureKind.GONE,
        FailureKind.CONFLICT,
        FailureKind.UNPAID,
        FailureKind.NOT_SET_UP,
        FailureKind.REFUSED,
    }
)
_ABOUT_THE_REQUEST: Final = (405, 406, 411, 413, 414, 415, 417, 421, 422, 426, 428, 431, 451)
"""Statuses by which a request is refused for what it is: https://www.rfc-editor.org/rfc/rfc9110#section-15.5"""
_BY_REASON: Final[Mapping[tuple[int, str], FailureKind]] = {
    (400, "INVALID_ARGUMENT"): FailureKind.HICCUP,
    (400, "INVALID_ID"): FailureKind.REFUSED,
    (400, "INVALID_REQUEST_PARAMETER"): FailureKind.REFUSED,
    (400, "MISSING_REQUEST_PARAMETER"): FailureKind.REFUSED,
    (403, "ACCOUNT_FROZEN"): FailureKind.FROZEN,
    (404, ""): FailureKind.REFUSED,  # a 404 that is not VoIPBIN's says nothing about the object
    (404, "ROUTE_NOT_FOUND"): FailureKind.REFUSED,
    (409, "STATE_INVALID"): FailureKind.GONE,
}
_BY_STATUS: Final[Mapping[int, FailureKind]] = {
    401: FailureKind.CREDENTIAL,
    402: FailureKind.UNPAID,
    403: FailureKind.FORBIDDEN,
    404: FailureKind.ABSENT,
    408: FailureKind.UNAVAILABLE,
    409: FailureKind.CONFLICT,
    410: FailureKind.GONE,
    412: FailureKind.CONFLICT,
    429: FailureKind.THROTTLED,
    500: FailureKind.INTERNAL,
    502: FailureKind.UNAVAILABLE,
    503: FailureKind.UNAVAILABLE,
    504: FailureKind.UNAVAILABLE,
    **dict.fromkeys(_ABOUT_THE_REQUEST, FailureKind.REFUSED),
    **dict.fromkeys(range(300, 400), FailureKind.REFUSED),  # a redirect is followed by nobody here
}
_FAILURES: Final[Mapping[FailureKind, type[Failure]]] = {
    FailureKind.UNSENT: VoIPBINUnreachable,
    FailureKind.LOST: VoIPBINUnreachable,
    FailureKind.UNAVAILABLE: VoIPBINUnreachable,
    FailureKind.CREDENTIAL: CredentialRejected,
    FailureKind.LOGIN: CredentialRejected,
    FailureKind.FORBIDDEN: CredentialRejected,
    FailureKind.FROZEN: AccountFrozen,
    FailureKind.CONFLICT: StateConflict,
    FailureKind.GONE: StateConflict,
    FailureKind.UNPAID: PaymentDue,
    FailureKind.NOT_SET_UP: AccountNotSetUp,
}

_REASON: Final = re.compile(r"[A-Z][A-Z0-9_]{0,63}")
_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
_LARGEST_ENVELOPE: Final = 65_536
_LONGEST_PAUSE: Final = 30.0


@dataclass(frozen=True, slots=True)
class RequestFailure:
    """Why there is no answer to work with, in words that hold no URL, no credential and nothing VoIPBIN wrote
    freely.
    """

    kind: FailureKind
    what: str
    request_id: str = ""
    reason: str = ""
    retry_after: float = 1.0
    """Seconds, as a 429 asks for."""
    pause: float | None = None
    """Seconds after which asking once more is right; ``None``: it is not."""

    @property
    def before_any_work(self) -> bool:
        """True when it is certain that the request was not carried out."""
        return self.kind in _BEFORE_ANY_WORK

    def failure(self) -> Failure:
        """Return the error that tells a person; ``NotFound`` and ``StopUnconfirmed`` need to know more, and are the
        client's.
        """
        if self.kind is FailureKind.THROTTLED:
            return VoIPBINBusy(self.what, self.request_id, self.retry_after if self.pause is None else self.pause)
        return _FAILURES.get(self.kind, VoIPBINBroken)(self.what, self.request_id, self.pause)


class Unsuccessful(Exception):
    """No success, and why: from the wire to the client, never further."""

    def __init__(self, trouble: RequestFailure) -> None:
        super().__init__(trouble.what)
        self.trouble = trouble


def failure_of(status: int, headers: Mapping[str, str], body: bytes, *, sent_as: str) -> RequestFailure:
    """Return what this answer means. ``headers`` are looked up in lower case; ``sent_as`` is the request id we
    chose.
    """
    error = _envelope(body)
    reason = _matching(_REASON, error.reason)
    kind = _BY_REASON.get((status, reason)) or _BY_STATUS.get(status, FailureKind.UNCLASSIFIED)
    return RequestFailure(
        kind=kind,
        what=_words(kind, status, reason, error),
        request_id=_matching(_REQUEST_ID, error.request_id)
        or _matching(_REQUEST_ID, headers.get("x-request-id"))
        or sent_as,
        reason=reason,
        retry_after=_seconds(headers.get("retry-after")),
    )


def _envelope(body: bytes) -> WireError:
    if len(body) > _LARGEST_ENVELOPE:
        return WireError()
    try:
        return forgivingly(body, WireEnvelope).error or WireError()
    except Unreadable:
        return WireError()


def _matching(pattern: re.Pattern[str], value: object) -> str:
    return value if isinstance(value, str) and pattern.fullmatch(value) else ""


def _seconds(header: str | None) -> float:
    """Read Retry-After, which is in whole seconds, and old deployments leave it out."""
    return min(float(header), _LONGEST_PAUSE) if header and re.fullmatch(r"[0-9]{1,6}", header) else 1.0


def _words(kind: FailureKind, status: int, reason: str, error: WireError) -> str:
    answered = f"VoIPBIN answered {status} {reason}".rstrip()
    match kind:
        case FailureKind.CREDENTIAL:
            return f"{answered}: it did not accept the bot's credential, or could not look it up just now"
        case FailureKind.FORBIDDEN:
            return f"{answered}: the bot's credential may not do this"
        case FailureKind.FROZEN:
            return f"{answered}: the customer's account is frozen{_freeze(error.details)}"
        case FailureKind.UNPAID:
            return f"{answered}: the customer's account has to be paid first"
        case FailureKind.CONFLICT | FailureKind.GONE:
            return f"{answered}: it refused, because of the state that it says this is in"
        case FailureKind.THROTTLED:
            return f"{answered}: too many requests for this customer's account"
        case FailureKind.REFUSED if status == 404:
            return f"{answered}: there is no such address; is the API URL right?"
        case _ if 300 <= status < 400:
            return f"{answered}, a redirect; is the API URL right?"
        case _:
            return answered


def _freeze(details: object) -> str:
    """Return the dates of the deletion (UTC), when the answer says them."""
    first = details[0] if isinstance(details, list) and details and isinstance(details[0], dict) else {}
    scheduled, effective = instant(first.get("deletion_scheduled_at")), instant(first.get("deletion_effective_at"))
    said = [f"deletion asked for on {scheduled:%Y-%m-%d}"] if scheduled else []
    said += [f"due on {effective:%Y-%m-%d}"] if effective else []
    return f" ({', '.join(said)})" if said else ""

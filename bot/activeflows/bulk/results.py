"""Derive what became of a member from what came of its stop, and why a bulk stop went no further."""

from collections.abc import Mapping
from typing import Final

from bot.activeflows.bulk.bulk_stop import Became
from bot.activeflows.records import Record
from bot.activeflows.stopping.failures import Shut
from bot.activeflows.stopping.result import Result
from bot.activeflows.stopping.stop import Attribution, Ended, Expired, Moved, NotKnown, NotSent, StillRunning, Why


def became_of(result: Result) -> Became:
    match result.phase:
        case Ended(attribution=Attribution.ALREADY | Attribution.BY_ITSELF | Attribution.BEFORE):
            return Became.ALREADY
        case Ended():
            return Became.STOPPED
        case Moved():
            return Became.MOVED
        case NotKnown():
            return Became.UNKNOWN
        case StillRunning():
            return Became.RUNNING
        case NotSent(shut=shut):
            return _NOT_SENT.get(shut, Became.NOT_SENT)
        case Expired():
            return Became.LATE
        case None if result.declined is not None and result.declined.why is not Why.LEDGER:
            return Became.TAKEN
        case _:
            return Became.NOT_SENT


_NOT_SENT: Final[dict[Shut | None, Became]] = {
    Shut.REFUSED: Became.NOT_PERMITTED,
    Shut.UNANSWERED: Became.NOT_PERMITTED,
    Shut.ABORTED: Became.ABORTED,
    Shut.GONE: Became.GONE,
}
_CANARY: Final = {
    Became.UNKNOWN: "it is not known whether the first one ended",
    Became.RUNNING: "the first one still runs after its stop was sent",
    Became.NOT_SENT: "the stop of the first one could not be sent",
}


def halted(became: Mapping[int, Became]) -> str:
    """Why it went no further than the canary; empty when it did."""
    if Became.STOPPED in became.values():
        return ""
    return next((_CANARY[result] for result in became.values() if result in _CANARY), "")


def refused(records: list[Record]) -> str:
    """Why whoever pressed could go no further, from what is on record about the members that were refused."""
    if not records:
        return "whoever pressed can no longer stop it"
    because, why = (str(records[0].detail.get(name) or "") for name in ("because", "why"))
    if why == Why.IDENTITY_UNKNOWN:
        return f"Slack did not say who pressed and what groups they are in ({because})"
    return f"whoever pressed can no longer stop it: {because}"

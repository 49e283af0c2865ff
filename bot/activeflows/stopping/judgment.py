"""Say what is true of a stop, from what was sent, what the gate said, and what was read. Pure."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.activeflows.stopping.failures import NO_TROUBLE, Shut, Trouble
from bot.activeflows.stopping.gate import Closed
from bot.activeflows.stopping.read_back import State, Verdict
from bot.activeflows.stopping.states import StopState
from bot.activeflows.stopping.stop import (
    Attribution,
    Ended,
    Expired,
    Intent,
    Moved,
    NotKnown,
    NotSent,
    Outcome,
    Press,
    StillRunning,
)


class Sent(StrEnum):
    """What is certain after trying to send one stop."""

    ANSWERED = "answered"  # VoIPBIN said yes
    LOST = "lost"  # it may have been done
    NOT_DONE = "not done"  # sent, and refused before any work
    CONFLICT = "conflict"  # sent, and refused because of the state VoIPBIN says it is in, such as being stopped already
    CLOSED = "closed"  # not sent: the gate was shut


@dataclass(frozen=True, slots=True)
class Sending:
    """One try. ``retry_after`` (seconds): nothing was done, and trying again is right."""

    sent: Sent
    trouble: Trouble = NO_TROUBLE
    retry_after: float | None = None
    closed: Closed | None = None
    renewed: Intent | None = None
    """What asks once more, when it has moved on."""

    @property
    def may_have_worked(self) -> bool:
        return self.sent in {Sent.ANSWERED, Sent.LOST}


@dataclass(frozen=True, slots=True)
class Lost:
    """A stop whose answer was lost, and what was read after it: it still ran."""

    sending: Sending
    verdict: Verdict


def not_sent(press: Press, sending: Sending, lost: Lost | None, now: datetime, *, was: str = "") -> Outcome | Moved:
    """What is true when nothing (more) is sent. ``was``: what the card showed, where it can ask once more."""
    closed = sending.closed
    if closed is None:
        return NotSent(press.by, sending.trouble) if lost is None else judged(press, lost.sending, lost.verdict, now)
    if closed.shut is Shut.ENDED or (closed.shut is Shut.GONE and lost is not None):
        if lost is not None:
            return Ended(press.by, Attribution.UNCERTAIN, closed.at, trouble=lost.sending.trouble)
        return Ended(press.by, Attribution.ALREADY, closed.at)
    return _never(press, closed, was) if lost is None else _not_again(press, closed, lost, now)


def _never(press: Press, closed: Closed, was: str) -> Outcome | Moved:
    match closed.shut:
        case Shut.MOVED if was:
            return Moved(press.by, was)
        case Shut.LATE:
            return Expired()
        case Shut.ABORTED:
            return NotSent(press.by, Trouble("it was aborted"), pressable=False, shut=Shut.ABORTED)
        case _:
            return NotSent(press.by, closed.trouble, pressable=closed.shut is not Shut.GONE, shut=closed.shut)


def _not_again(press: Press, closed: Closed, lost: Lost, now: datetime) -> Outcome:
    """Another stop was due after one that was lost."""
    why = {
        Shut.MOVED: "it has moved on, so no other stop was sent",
        Shut.REFUSED: f"no other stop was sent: {closed.trouble.why}",
        Shut.ABORTED: "it was aborted, so no other stop was sent",
    }.get(closed.shut)
    if why is None:
        return judged(press, lost.sending, lost.verdict, now)
    return StillRunning(press.by, lost.verdict.read_at or now, Trouble(why, lost.sending.trouble.request_id))


def judged(press: Press, sending: Sending, verdict: Verdict, now: datetime) -> Outcome:
    """What can truly be said of a stop that was sent, from what was read."""
    if verdict.ended:
        certain = Attribution.CALL_UNREAD if verdict.by_itself is None else Attribution.THIS_PRESS
        answered = certain if sending.sent is Sent.ANSWERED else Attribution.UNCERTAIN
        if not verdict.by_itself and answered is Attribution.UNCERTAIN:
            return Ended(press.by, answered, verdict.at, trouble=sending.trouble)
        return Ended(press.by, Attribution.BY_ITSELF if verdict.by_itself else answered, verdict.at)
    if verdict.state is State.RUNNING and sending.sent is not Sent.ANSWERED:
        return StillRunning(press.by, verdict.read_at or now, sending.trouble)
    return not_known(press, sending, verdict, now, final=True)


def refused_for_its_state(
    press: Press, sending: Sending, verdict: Verdict, lost: Lost | None, now: datetime
) -> Outcome:
    """What is true when VoIPBIN refused a stop for the state it says this is in, and it was read after that."""
    if verdict.ended and lost is None:
        return Ended(press.by, Attribution.BEFORE, verdict.at, trouble=sending.trouble)
    if lost is not None:
        return judged(press, lost.sending, verdict if verdict.ended else lost.verdict, now)
    return NotSent(press.by, sending.trouble)


def not_known(press: Press, sending: Sending, verdict: Verdict, now: datetime, *, final: bool = False) -> NotKnown:
    why = sending.trouble.why or verdict.trouble.why or _TAKEN
    request_id = sending.trouble.request_id or verdict.trouble.request_id
    return NotKnown(press.by, now, Trouble(why, request_id), final=final)


_TAKEN = "VoIPBIN accepted the stop, but still shows it as running"


def state_of(phase: Outcome | Moved) -> StopState:
    """The final state that a phase stands for."""
    match phase:
        case Ended():
            return StopState.ENDED
        case NotKnown():
            return StopState.NOT_KNOWN
        case StillRunning():
            return StopState.STILL_RUNNING
        case NotSent():
            return StopState.NOT_SENT
        case Expired():
            return StopState.EXPIRED
        case Moved():
            return StopState.MOVED

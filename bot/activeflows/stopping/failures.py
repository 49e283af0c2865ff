"""Hold why a stop did not work, or did not go out."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why something did not work, in words, and the request that VoIPBIN can find it by, if there was one."""

    why: str = ""
    request_id: str = ""


NO_TROUBLE: Final = Trouble()


class Shut(StrEnum):
    """Why the gate lets a stop not go out."""

    LATE = "late"
    ABORTED = "aborted"
    NOT_CLAIMED = "not claimed"  # the claim is somebody else's by now
    SENT_BEFORE = "sent before"  # an earlier run of this press may have sent it
    FENCED = "fenced"  # another run of this press has taken over
    REFUSED = "refused"  # whoever pressed may not, or a rule says no
    UNANSWERED = "unanswered"  # Slack does not say who pressed
    ENDED = "ended"
    GONE = "gone"
    MOVED = "moved"  # to another kind of situation than the card showed
    UNREAD = "unread"  # the activeflow could not be read
    STALE = "stale"  # what was looked at was too old before the first byte
    CHANGED = "changed"  # another policy is in force since it was decided
    UNWRITTEN = "unwritten"  # the ledger did not answer

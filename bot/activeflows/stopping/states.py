"""Define the states of a stop, of a hang-up alike, and which can follow which. ``docs/stop.md`` draws them."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class StopState(StrEnum):
    """Where a press that was recorded stands."""

    RECORDED = "Recorded"
    ADMITTED = "Admitted"
    CLAIMED = "Claimed"
    AT_GATE = "AtGate"
    RESTING = "Resting"
    SENT = "Sent"
    DECLINED = "Declined"
    ENDED = "Ended"
    MOVED = "Moved"
    NOT_SENT = "NotSent"
    EXPIRED = "Expired"
    STILL_RUNNING = "StillRunning"
    NOT_KNOWN = "NotKnown"


_S = StopState
NEXT: Final[Mapping[StopState, frozenset[StopState]]] = {
    _S.RECORDED: frozenset({_S.ADMITTED, _S.DECLINED}),
    _S.ADMITTED: frozenset({_S.CLAIMED, _S.DECLINED}),
    _S.CLAIMED: frozenset({_S.AT_GATE}),
    _S.AT_GATE: frozenset(
        {_S.SENT, _S.RESTING, _S.ENDED, _S.MOVED, _S.NOT_SENT, _S.EXPIRED, _S.STILL_RUNNING, _S.NOT_KNOWN}
    ),
    _S.RESTING: frozenset({_S.AT_GATE}),
    _S.SENT: frozenset({_S.ENDED, _S.AT_GATE, _S.STILL_RUNNING, _S.NOT_KNOWN}),
}
"""What is not in it is final."""


class Path:
    """The way of one press through the states. A step that ``NEXT`` does not know is an error of ours."""

    def __init__(self, state: StopState = StopState.RECORDED) -> None:
        self.state = state

    def to(self, state: StopState) -> None:
        if state not in NEXT.get(self.state, frozenset()):
            raise RuntimeError(f"a stop cannot go from {self.state} to {state}")
        self.state = state

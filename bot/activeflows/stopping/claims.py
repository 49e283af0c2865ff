"""Hold who may send a stop at this moment: the claim, the run, and what the ledger says at the gate."""

from dataclasses import dataclass

from bot.activeflows.stopping.failures import Shut
from bot.activeflows.stopping.stop import IntentState


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to send a stop for one activeflow: one at a time, across people, cards and replicas."""

    mine: bool
    by: str = ""
    """Who has it, when it is not mine; empty when nobody has."""
    state: IntentState = IntentState.OPEN
    """Where the intent stands, when it is not mine."""
    unwritten: str = ""
    """Why the ledger could not write the claim down."""


@dataclass(frozen=True, slots=True)
class Fence:
    """One run of a press's workflow. Whoever takes the press up again has a higher number, and this one counts no more."""

    press_id: str
    number: int


@dataclass(frozen=True, slots=True)
class Permitted:
    """What the ledger says at the gate: ``shut`` is ``None`` when it is written down that a POST goes out now."""

    shut: Shut | None = None
    left: float = 0.0
    """Seconds to the deadline, by the database's clock."""

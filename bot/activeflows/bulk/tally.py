"""Count the members of a bulk stop once, for every number and picture that is made of them."""

from collections.abc import Mapping
from dataclasses import dataclass

from bot.activeflows.bulk.bulk_stop import Became, Bulk, counted


@dataclass(frozen=True, slots=True)
class Tally:
    """Each member is counted in exactly one of the fields."""

    stopped: int
    already: int
    """Had ended before a stop reached it, or is not there any more."""
    skipped: int
    unknown: int
    running: int
    """Not stopped: a stop was sent in vain, or could not be sent."""
    left: int
    """Nothing was begun."""

    @property
    def over(self) -> int:
        """Certainly not running any more."""
        return self.stopped + self.already

    @property
    def count(self) -> int:
        return self.over + self.may_run

    @property
    def may_run(self) -> int:
        """All others."""
        return self.skipped + self.unknown + self.running + self.left


def tally(bulk: Bulk, became: Mapping[int, Became]) -> Tally:
    """The members by what can be said of them."""
    counts = counted(bulk, became)

    def of(*kinds: Became) -> int:
        return sum(counts[kind] for kind in kinds)

    return Tally(
        stopped=of(Became.STOPPED),
        already=of(Became.ALREADY, Became.GONE),
        skipped=of(Became.MOVED, Became.TAKEN),
        unknown=of(Became.UNKNOWN),
        running=of(Became.RUNNING, Became.NOT_SENT),
        left=of(Became.LEFT, Became.ABORTED, Became.LATE, Became.NOT_PERMITTED),
    )


def bar(counted_: Tally, cells: int) -> tuple[int, int, int]:
    """Cells of a bar for those that are over, for those that had their turn and may run, and for those left."""
    over, left = cells * counted_.over // counted_.count, cells * counted_.left // counted_.count
    if counted_.over + counted_.left == counted_.count:  # nobody to draw in between: what rounding took is left
        left = cells - over
    return over, cells - over - left, left

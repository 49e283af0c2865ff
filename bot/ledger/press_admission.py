"""Decide whether a recorded press may begin: not when its presser was told that it could not be recorded.

DBOS tries to record a workflow for as long as the database is locked or lost, and cannot be told to give up
(https://docs.dbos.dev/python/reference/configuration). So whoever waits for the record gives up by itself; a record that
is made all the same, later, must come to nothing. In the process that took the press that is known. A process that finds
the record after a restart goes by when it was made.
"""

from collections import OrderedDict
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

from dbos import DBOS

from bot.activeflows.stopping.stop import Press
from bot.ledger.database import WORKFLOW_LOCK

_MOST: Final = 10_000
_RECORDED_LATER: Final = timedelta(milliseconds=WORKFLOW_LOCK)
"""How much later than DBOS says a record may have been made: on PostgreSQL it says when the transaction began, which may have
waited for a lock; on SQLite it says the second."""


class Beginning(StrEnum):
    """What is to become of a recorded press."""

    IN_TIME = "in time"
    GIVEN_UP = "given up"  # the presser was told so
    TOO_LATE = "too late"  # nobody who could have told the presser is left


class Presses:
    """The presses that this process has in hand."""

    def __init__(self, *, within: timedelta, now: Callable[[], datetime]) -> None:
        """``within``: so long a record is waited for."""
        self.within, self._now = within, now
        self._in_hand: OrderedDict[str, bool] = OrderedDict()

    def take(self, press: Press) -> str | None:
        """Wait for the record of this press from now on; until when, or ``None`` when it was given up already."""
        if not self._in_hand.setdefault(press.id, True):
            return None
        while len(self._in_hand) > _MOST:
            self._in_hand.popitem(last=False)
        return (self._now() + self.within).isoformat()

    def give_up(self, press: Press) -> None:
        """From now on its record comes too late."""
        self._in_hand[press.id] = False

    async def beginning(self, press: Press, record_by: str | None) -> Beginning:
        """Whether a press that is on record was recorded in time."""
        in_hand = self._in_hand.get(press.id)
        if in_hand is not None:
            return Beginning.IN_TIME if in_hand else Beginning.GIVEN_UP
        if record_by is None:
            return Beginning.IN_TIME
        status = await DBOS.get_workflow_status_async(press.id)
        if status is None or status.created_at is None:
            return Beginning.TOO_LATE
        recorded = datetime.fromtimestamp(status.created_at / 1000, UTC) + _RECORDED_LATER
        return Beginning.IN_TIME if recorded <= datetime.fromisoformat(record_by) else Beginning.TOO_LATE

"""Refuse presses that were recorded too late: they come to nothing, and nobody is left believing anything else."""

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from typing import Final

from bot.activeflows.errors import LedgerUnavailable
from bot.activeflows.records import Record, What
from bot.activeflows.stopping.ports import Cards, Ledger
from bot.activeflows.stopping.stop import Declined, Press, Why, Wish

_TOO_LATE: Final = "it could not be recorded in time"


class Unrecorded:
    """Writes the refusal down, and tells the presser if nobody has."""

    def __init__(self, ledger: Ledger, cards: Cards, *, now: Callable[[], datetime]) -> None:
        self._ledger, self._cards, self._now = ledger, cards, now

    async def refuse(self, press: Press, told: bool) -> bool:
        """Whether the presser knows. ``told``: that the press could not be recorded was said already."""
        activeflow_id = None
        with suppress(LedgerUnavailable):
            found = None if press.wish is Wish.BULK else await self._ledger.intent(press.intent_id)
            activeflow_id = None if found is None else found[0].activeflow_id
            refused = Record(
                key=f"{press.id}/{What.REFUSED}",
                at=self._now(),
                what=What.REFUSED,
                who=press.by,
                channel=press.channel,
                activeflow_id=activeflow_id,
                intent_id=press.intent_id,
                detail={"because": _TOO_LATE, "why": str(Why.LEDGER), "wish": str(press.wish)},
            )
            await self._ledger.record(refused)
        return told or await self._cards.decline(press, Declined(Why.LEDGER, _TOO_LATE, activeflow_id=activeflow_id))

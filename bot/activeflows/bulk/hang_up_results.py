"""Record on the bulk's card what came of *Hang up*: a member has no card of its own."""

from bot.activeflows.bulk.ports import BulkCards, BulkLedger
from bot.activeflows.stopping.stop import CallAfter, Intent, Press


class HungUp:
    """Tells of calls that stayed up although their members of a bulk stop have ended."""

    def __init__(self, bulks: BulkLedger, cards: BulkCards) -> None:
        self._bulks, self._cards = bulks, cards

    async def tell(self, intent: Intent, call: CallAfter, press: Press) -> bool | None:
        """Whether somebody could see it; ``None`` when no such bulk is known to be over. Raises ``LedgerUnavailable``."""
        found = await self._bulks.bulk(intent.bulk_id)
        if found is None:
            return None
        bulk, _ = found
        number = next(member.number for member in bulk.members if member.activeflow_id == intent.activeflow_id)
        run = await self._bulks.heard(bulk.id, number, call)
        return None if run is None else await self._cards.show(bulk, run, press)

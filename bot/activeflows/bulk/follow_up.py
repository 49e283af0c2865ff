"""Follow what the end of a bulk stop says is so by now, until it is not, or as long as the card says.

Members that may still run after a stop was sent, and callers who may still be on the line. As for a lone stop
(``stopping.follow_up``): looking sends nothing, and the card is changed when something has changed. What was left alone
is not looked at: of that the card says only that no stop was begun.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from functools import partial

from bot.activeflows.bulk.bulk_stop import Bulk, Ending, Run, unsettled
from bot.activeflows.bulk.final_check import LookingAround
from bot.activeflows.bulk.ports import BulkCards, BulkLedger
from bot.activeflows.stopping.fence import Hold
from bot.activeflows.stopping.ports import Step
from bot.activeflows.stopping.stop import Press
from bot.activeflows.stopping.timeouts import Patience, follow_until


class BulkFollow:
    """Looks every so often. A restart goes on with it: how often is counted in steps, and not by the clock."""

    def __init__(
        self,
        bulks: BulkLedger,
        cards: BulkCards,
        around: LookingAround,
        patience: Patience,
        *,
        now: Callable[[], datetime],
    ) -> None:
        self._bulks, self._cards, self._around, self._patience, self._now = bulks, cards, around, patience, now

    def dated(self, run: Run, ending: Ending) -> Ending:
        """The ending with until when it is followed, where there is anything to follow, and with when it was read."""
        now = self._now()
        until = follow_until(now, self._patience) if unsettled(replace(run, ending=ending)) else None
        return replace(ending, as_of=ending.as_of or now, until=until)

    async def until_settled(self, bulk: Bulk, press: Press, hold: Hold, step: Step) -> None:
        """Look at it for as long as the card says. What is told is in the ledger before."""
        for left in reversed(range(self._patience.follow_looks)):
            await step.idle(self._patience.follow_every)
            if not await step("follow bulk", bool, partial(self._look, bulk, press, hold, last=not left)):
                return

    async def _look(self, bulk: Bulk, press: Press, hold: Hold, *, last: bool) -> bool:
        """Whether there is to be another look."""
        found = await self._bulks.bulk(bulk.id)
        if found is None or found[1].ending is None or found[1].ending.until is None:
            return False
        bulk, run = found
        now = self._now()  # what is still so at the end of the look was so at its beginning
        around = await self._around.again(bulk, run)
        late = last or now >= found[1].ending.until
        await hold.must_hold()
        followed = await self._bulks.followed(bulk.id, around.ended, around.calls, now, late=late)
        if followed.ending != run.ending or around.ended:
            await self._cards.show(bulk, followed, press, guard=hold.must_hold)
        return followed.ending is not None and followed.ending.until is not None

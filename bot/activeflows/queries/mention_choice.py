"""Keep what a person chose on their Home: whether to be mentioned when it is not known what became of their stop.

Decision: a choice is a record of the audit, because whether somebody was called about a stop belongs to what happened. The
newest one counts. Who chose nothing is mentioned, and so is whoever's choice was pruned, or cannot be read.
"""

from collections.abc import Callable
from datetime import datetime

from bot.activeflows.errors import LedgerUnavailable
from bot.activeflows.operators import Operator, Permission
from bot.activeflows.permitted_places import may_somewhere, reach
from bot.activeflows.ports import Records
from bot.activeflows.records import Question, Record, What


class MentionChoice:
    """What each person chose."""

    def __init__(self, records: Records, now: Callable[[], datetime]) -> None:
        self._records, self._now = records, now

    async def mentioned(self, person_id: str) -> bool:
        """What this person chose. Raises ``LedgerUnavailable``."""
        newest = await self._records.records(Question(who=person_id, what=What.CHOSE, limit=1))
        return newest[0].record.detail.get("mentioned") is not False if newest else True

    async def is_mentioned(self, person_id: str) -> bool:
        """The same; yes when it cannot be read."""
        try:
            return await self.mentioned(person_id)
        except LedgerUnavailable:
            return True

    async def choose(self, operator: Operator, *, mentioned: bool) -> None:
        """Raises ``NotPermitted`` for whoever may view nowhere, and so has no stops; or ``LedgerUnavailable``."""
        person = operator.person
        if may_somewhere(reach(operator.policy, person), Permission.VIEW) is None:
            operator.require(Permission.VIEW)
        if await self.mentioned(person.id) is mentioned:
            return
        now = self._now()
        key = f"{What.CHOSE}:{person.id}:{now.isoformat()}"
        await self._records.record(Record(key, now, What.CHOSE, person.id, "", None, detail={"mentioned": mentioned}))

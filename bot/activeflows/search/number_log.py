"""Record each search for telephone numbers before anything is read, and let one person look for so many an hour.

Whoever may look for a number can guess at the digits that are masked. Decisions:

- The audit itself is what is counted, so the bound holds over restarts and replicas.
- A search that is refused for it is not recorded: somebody who goes on pressing shall not fill the chain.
- A record names how many numbers were looked for and how they end, which the answer shows as well.
"""

import asyncio
import secrets
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final

from bot.activeflows.errors import TooManySearches
from bot.activeflows.numbers import Number
from bot.activeflows.operators import Operator, Permission
from bot.activeflows.ports import Records
from bot.activeflows.records import Question, Record, What

MOST: Final = 30
"""Numbers that one person may look for …"""
WITHIN: Final = timedelta(hours=1)
"""… in any time as long as this."""


class NumberRecord:
    """The one way to a search for numbers."""

    def __init__(self, records: Records, *, now: Callable[[], datetime]) -> None:
        self._records, self._now = records, now
        self._turn = asyncio.Lock()  # counted and written as one: guesses at the same moment do not all pass the bound

    async def write(self, operator: Operator, numbers: Sequence[Number]) -> None:
        """Raises ``TooManySearches``, or ``LedgerUnavailable``: then nothing may be looked for."""
        async with self._turn:
            now = self._now()
            before = await self._records.records(
                Question(who=operator.person.id, what=What.SEARCHED, since=now - WITHIN, limit=MOST)
            )
            counts = [int(entry.record.detail.get("numbers") or 0) for entry in before]
            if sum(counts) + len(numbers) > MOST:
                raise TooManySearches(MOST, before[-1].record.at + WITHIN)
            detail: dict[str, str | int | bool | None] = {
                "numbers": len(numbers),
                "endings": ", ".join(number.ending for number in numbers),
                "because": operator.decide(Permission.VIEW).because,
            }
            key = f"searched:{secrets.token_hex(16)}"
            who, channel = operator.person.id, operator.channel
            await self._records.record(Record(key, now, What.SEARCHED, who, channel, None, detail=detail))

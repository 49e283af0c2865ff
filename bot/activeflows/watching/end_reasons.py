"""Say how an activeflow ended, as far as anybody can know, from VoIPBIN and from this bot's own records.

VoIPBIN does not say who ended one. It shows whether it reached its own finish; that a stop of this bot's ended it stands
in the audit; everything else is said as what it may have been.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from bot.activeflows.model import Activeflow
from bot.activeflows.ports import Records
from bot.activeflows.records import Question, Record, What
from bot.activeflows.stopping.stop import Attribution, Wish
from bot.activeflows.watching.watch import Ending, How

_LOOKED_AT: Final = 50
"""Records of one activeflow, newest first."""


@dataclass(frozen=True, slots=True)
class _Stop:
    """Somebody's stop: its doing, perhaps its doing, or still being read back."""

    how: How
    by: str
    under_way: bool = False


class Endings:
    """Asks the records."""

    def __init__(self, records: Records) -> None:
        self._records = records

    async def of(self, activeflow: Activeflow, words: str, noticed: datetime, *, final: bool) -> Ending | None:
        """How this one, which has ended, did. ``words``: its situation.

        ``None``: a stop is under way, and its outcome will say more; with ``final`` it is said without it.
        """
        at = activeflow.updated_at or noticed
        if activeflow.ended_by_itself:
            return Ending(How.BY_ITSELF, at, words)
        entries = await self._records.records(Question(activeflow_id=activeflow.id, limit=_LOOKED_AT))
        stop = _stop_in([entry.record for entry in entries])
        if stop is None:
            return Ending(How.INTERRUPTED, at, words)
        if stop.under_way and not final:
            return None
        return Ending(stop.how, at, words, stop.by)


def _stop_in(newest_first: list[Record]) -> _Stop | None:
    concluded: set[str] = set()
    for record in newest_first:
        if record.detail.get("wish") == str(Wish.HANG_UP):
            continue
        if record.what is What.OUTCOME:
            concluded.add(record.intent_id)
            stop = _concluded(record)
            if stop is not None:
                return stop
        elif record.what is What.SENDING and record.intent_id not in concluded:
            return _Stop(How.PERHAPS_STOPPED, record.who, under_way=True)
    return None


def _concluded(record: Record) -> _Stop | None:
    match record.detail.get("outcome"), record.detail.get("attribution"):
        case "Ended", Attribution.THIS_PRESS:
            return _Stop(How.STOPPED, record.who)
        case ("Ended", Attribution.UNCERTAIN | Attribution.CALL_UNREAD) | ("NotKnown" | "StillRunning", _):
            return _Stop(How.PERHAPS_STOPPED, record.who)
        case _:
            return None

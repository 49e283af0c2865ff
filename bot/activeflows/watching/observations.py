"""Keep what a watch knows: an older version never overwrites a newer one.

A new situation is another kind of thing, or the same kind somewhere else (another queue); progress inside one ("3rd
lap") changes its words and keeps its time.
"""

from dataclasses import replace
from datetime import datetime
from typing import Final

from bot.activeflows.model import Activeflow
from bot.activeflows.situation.current_step import Situation
from bot.activeflows.watching.watch import BEGINNING, Known, Moment, Version

EARLIER: Final = 5
"""Situations kept before the present one."""


def version_of(activeflow: Activeflow) -> Version:
    return activeflow.updated_at or BEGINNING, activeflow.steps_used


def learnt(
    known: Known | None, activeflow: Activeflow, situation: Situation, warnings: tuple[str, ...], as_of: datetime
) -> Known:
    """What is known after this version came, which was so at ``as_of``. An older one changes nothing."""
    version, at = version_of(activeflow), min(activeflow.updated_at or as_of, as_of)
    now = Moment(at, situation.words)
    if known is None:
        return Known(version, situation.kind, now, activeflow.steps_used, as_of, warnings=warnings)
    if version < known.version:
        return known
    earlier = known.earlier
    if version == known.version or _same(known, situation):  # a name that was looked up late is no new situation
        now = replace(now, at=known.now.at)
    else:
        now, earlier = replace(now, at=max(at, known.now.at)), (*earlier, known.now)[-EARLIER:]
    as_of = max(as_of, known.as_of)
    return Known(version, situation.kind, now, activeflow.steps_used, as_of, earlier, warnings)


def _same(known: Known, situation: Situation) -> bool:
    return known.kind == situation.kind and _place(known.now.words) == _place(situation.words)


def _place(words: str) -> str:
    """Without what only progresses: "waiting in queue Support, 3rd time round" is at "waiting in queue Support"."""
    return words.partition(", ")[0]

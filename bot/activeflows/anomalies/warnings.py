"""Select what is worth a warning on a card, in words."""

from typing import Protocol

from bot.activeflows.model import Activeflow
from bot.activeflows.situation.current_step import Situation


class Warned(Protocol):
    """Warnings in plain words, nothing personal. What is asked for them is a courtesy: never raises, never takes long."""

    async def __call__(self, activeflow: Activeflow, situation: Situation, /) -> tuple[str, ...]: ...


async def by_situation(_: Activeflow, situation: Situation) -> tuple[str, ...]:
    """What the situation itself warns of."""
    return (situation.warning,) if situation.warning else ()

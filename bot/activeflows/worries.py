"""What is worth a warning on a card, in words, for whoever judges it."""

from typing import Protocol

from bot.activeflows.model import Activeflow
from bot.activeflows.situation import Situation


class Warned(Protocol):
    """Warnings in plain words, nothing personal; quick, and without asking anybody."""

    def __call__(self, activeflow: Activeflow, situation: Situation, /) -> tuple[str, ...]: ...


def by_situation(_: Activeflow, situation: Situation) -> tuple[str, ...]:
    """What the situation itself warns of."""
    return (situation.warning,) if situation.warning else ()

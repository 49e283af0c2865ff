"""Run ``/flows doctor``: is everything this bot needs working?

Decision: whoever may view here is told everything, because it is what a list or a stop stands on; whoever may not is told
that the bot is alive, and that they may nothing. Each look gets so long that the answer comes before anybody has to be
told to wait; of what has not answered by then it says that.
"""

from collections.abc import Callable, Mapping
from typing import Final

from bot.activeflows.health import Finding, Look, looked
from bot.activeflows.operators import Operator, Permission

WITHIN: Final = 1.7
"""Seconds for each look."""


class Diagnosis:
    """``looks``: what there is to look at for somebody in this channel."""

    def __init__(self, looks: Callable[[str], Mapping[str, Look]], *, within: float = WITHIN) -> None:
        self._looks, self._within = looks, within

    async def examine(self, operator: Operator) -> tuple[Finding, ...]:
        """What every look found. Raises ``NotPermitted`` before anything is looked at."""
        operator.require(Permission.VIEW)
        return await looked(self._looks(operator.channel), within=self._within)

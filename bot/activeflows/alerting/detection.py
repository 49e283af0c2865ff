"""Find the troubles that a rule wants to be told of and nobody was told of yet.

Decisions: a round, not events, because trouble comes from time passing as much as from change, and because so many looks
in a beat cost the same whatever happens. What a first look suspects is looked at again with the flow's definition and the
names, and only what is still so then is an alert. That a call is over is claimed only of a call that VoIPBIN was asked
about and answered: an alert that says "probably stale" of a living caller would be a lie.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable, Sequence
from datetime import datetime
from functools import partial
from typing import Final
from uuid import UUID

from bot.activeflows.alert_rules import AlertRule, by_channel
from bot.activeflows.alerting.decision import Claim
from bot.activeflows.alerting.ports import Alert, Running
from bot.activeflows.anomalies.anomaly import Reason, Trouble
from bot.activeflows.anomalies.detector import AnomalyDetector, may_be_stale
from bot.activeflows.model import Activeflow, Call
from bot.activeflows.ports import VoIPBIN
from bot.activeflows.queries.inspection import in_time
from bot.activeflows.queries.lookups import what_it_does

_BREATH: Final = 10
"""Activeflows looked at before others on the event loop get their turn."""


class LookingOut:
    """``looks`` in a beat, ``calls`` of them with a question about a call, about each at most every ``again`` seconds."""

    def __init__(
        self,
        voipbin: VoIPBIN,
        running: Running,
        judging: AnomalyDetector,
        *,
        now: Callable[[], datetime],
        side_look: float = 1.5,
        looks: int = 200,
        calls: int = 3,
        again: float = 60.0,
    ) -> None:
        self._voipbin, self._running, self._judging, self._now = voipbin, running, judging, now
        self._side_look, self._looks, self._calls, self._again = side_look, looks, calls, again
        self._clock = asyncio.get_running_loop().time
        self._round: deque[UUID] = deque()
        self._asked_at: dict[UUID, float] = {}
        self._questions = 0

    async def beat(self, rules: Sequence[AlertRule], known: Callable[[Claim], bool]) -> AsyncGenerator[Alert, None]:
        """What the next looks find."""
        if not self._round:
            self._begin_round()
        self._questions = self._calls
        for number in range(min(self._looks, len(self._round))):
            activeflow = self._running.index.get(self._round.popleft())
            for alert in await self._look(activeflow, rules, known) if activeflow is not None else ():
                yield alert
            if number % _BREATH == 0:
                await asyncio.sleep(0)

    def _begin_round(self) -> None:
        self._round.extend(activeflow.id for activeflow in self._running.index.newest_first())
        self._asked_at = {id_: at for id_ in self._round if (at := self._asked_at.get(id_)) is not None}

    async def _look(
        self, activeflow: Activeflow, rules: Sequence[AlertRule], known: Callable[[Claim], bool]
    ) -> list[Alert]:
        def wanted(trouble: Trouble) -> list[AlertRule]:
            found = by_channel(rules, activeflow.flow_id, trouble.reason)
            return [rule for to, rule in found.items() if not known(Claim(activeflow.id, trouble.reason, to))]

        suspected = self._judging.troubles(activeflow, self._now())
        if not any(wanted(trouble) for trouble in suspected):
            return []
        asks = any(trouble.reason is Reason.STALE for trouble in suspected)
        call, answered = await self._call(activeflow) if asks else (None, True)
        doing = await what_it_does(self._voipbin, activeflow, within=self._side_look)
        if (
            self._running.index.get(activeflow.id) is not activeflow
        ):  # it moved on meanwhile: another round, another look
            return []
        as_of = self._now()
        troubles = self._judging.of(activeflow, doing.situation, as_of, call=call)
        return [
            Alert(rule, activeflow, doing.flow_name, doing.situation, trouble, as_of)
            for trouble in troubles
            if answered or trouble.reason is not Reason.STALE
            for rule in wanted(trouble)
        ]

    async def _call(self, activeflow: Activeflow) -> tuple[Call | None, bool]:
        """Its call, and whether VoIPBIN said so just now; not asked too often, nor too many at once."""
        call_id, asked_at = activeflow.reference.id, self._asked_at.get(activeflow.id)
        lately = asked_at is not None and self._clock() - asked_at < self._again
        if call_id is None or lately or not self._questions or not may_be_stale(activeflow, self._now()):
            return None, False
        self._questions -= 1
        self._asked_at[activeflow.id] = self._clock()
        look = await in_time(partial(self._voipbin.call, call_id), self._side_look)
        return look.value, look.answered

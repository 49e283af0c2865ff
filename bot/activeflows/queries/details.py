"""Read one activeflow with its whole story: what it does, what it did, its parent and its children.

All that is looked up beside the activeflow itself is a courtesy: it is asked for at the same time and gets the same few
seconds, and what has not come by then is said as not known; reading it again tries again. Nothing is asked of the
timeline when there is no step to time.
"""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, auto
from uuid import UUID

from bot.activeflows.anomalies.anomaly import Trouble
from bot.activeflows.anomalies.detector import AnomalyDetector
from bot.activeflows.errors import BotError
from bot.activeflows.model import Activeflow
from bot.activeflows.operators import Operator, Permission
from bot.activeflows.ports import Live, Past, VoIPBIN
from bot.activeflows.queries.inspection import Sight, look_at
from bot.activeflows.queries.lineage import Family, family_of
from bot.activeflows.queries.lookups import names_in
from bot.activeflows.situation.action_words import option_id
from bot.activeflows.situation.history import Done, present_step, step_history
from bot.activeflows.situation.timeline import Timeline, step_times


class Timing(Enum):
    """What is known of when the steps began."""

    WHOLE = auto()  # all that is told has its times, or there is nothing to time
    PARTLY = auto()
    NOT_KEPT = auto()  # VoIPBIN's timeline has none of these steps
    LATE = auto()  # VoIPBIN did not answer in time
    FAILED = auto()


@dataclass(frozen=True, slots=True)
class Details:
    """One activeflow, read at ``as_of``, with its history."""

    sight: Sight
    history: tuple[Done, ...]
    as_of: datetime
    present: Done | None = None
    """The step it is at, or was interrupted in."""
    timing: Timing = Timing.WHOLE
    entered: tuple[str | None, ...] = ()
    """The names of the flows it entered by a step, which does not make it another activeflow; each once."""
    family: Family = field(default_factory=Family)
    troubles: tuple[Trouble, ...] = ()


class Around:
    """Looks around an activeflow for as long as ``within`` says, in seconds."""

    def __init__(
        self, voipbin: VoIPBIN, past: Past | None, live: Live | None, judging: AnomalyDetector, *, within: float
    ) -> None:
        self._voipbin, self._past, self._live, self._judging, self._within = voipbin, past, live, judging, within

    async def details(self, operator: Operator, activeflow: Activeflow, as_of: datetime) -> Details:
        """What there is to tell of it to this person, who may view it. Never raises for what is not found."""
        within = self._within
        async with asyncio.TaskGroup() as asking:
            sight = asking.create_task(look_at(self._voipbin, activeflow, now=as_of, within=within))
            names = asking.create_task(names_in(self._voipbin, activeflow, within=within))
            told = asking.create_task(self._told(activeflow))
            family = asking.create_task(
                family_of(self._voipbin, self._past, self._live, operator, activeflow, within=within)
            )
        timeline, why = told.result()
        times = step_times(activeflow, timeline)
        entered = _entered(activeflow)
        hidden = {flow_id for flow_id in entered if not operator.may(Permission.VIEW, flow_id)}
        known = {id_: name for id_, name in names.result().items() if id_ not in hidden}
        history = step_history(activeflow, times=times, name_of=known.get)
        present = present_step(activeflow, times=times, name_of=known.get)
        seen = sight.result()
        return Details(
            sight=seen,
            history=history,
            as_of=as_of,
            present=present,
            timing=_timing(_to_time(activeflow, history, present), why),
            entered=tuple(known.get(flow_id) for flow_id in entered),
            family=family.result(),
            troubles=self._judging.of(activeflow, seen.situation, as_of, call=seen.call),
        )

    async def _told(self, activeflow: Activeflow) -> tuple[Timeline | None, Timing]:
        """The timeline and, when it did not come, why."""
        if self._past is None or not _to_time(activeflow, step_history(activeflow), present_step(activeflow)):
            return None, Timing.WHOLE
        try:
            async with asyncio.timeout(self._within):
                return await self._past.timeline(activeflow.id), Timing.WHOLE
        except TimeoutError:
            return None, Timing.LATE
        except BotError:
            return None, Timing.FAILED


def _to_time(activeflow: Activeflow, history: tuple[Done, ...], present: Done | None) -> list[Done]:
    """The lines whose times only the timeline can tell: not those of the step that a running one is at."""
    told = [done for done in history if not done.left_out]
    return [*told, present] if present is not None and activeflow.ended else told


def _timing(lines: list[Done], why: Timing) -> Timing:
    if why is not Timing.WHOLE:
        return why
    timed = {done.began is not None for done in lines}
    return Timing.WHOLE if timed <= {True} else Timing.PARTLY if True in timed else Timing.NOT_KEPT


def _entered(activeflow: Activeflow) -> tuple[UUID, ...]:
    """The flows whose steps became its own."""
    steps = (*activeflow.executed, activeflow.current)
    found = (option_id(step, "flow_id") for step in steps if step.type == "fetch_flow")
    return tuple(dict.fromkeys(id_ for id_ in found if id_ is not None))

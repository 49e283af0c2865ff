"""Read one activeflow with its whole story (what it does, what it did, its relatives), and disclose who is on the line.

All that is looked up beside the activeflow itself is a courtesy: it is asked for at the same time and gets the same few
seconds, and what has not come by then is said as not known; reading it again tries again. Nothing is asked of the
timeline when there is no step to time.
"""

import asyncio
import math
import secrets
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import Enum, auto
from functools import partial
from typing import Final, TypeAlias
from uuid import UUID

from bot.activeflows.anomalies import Anomaly, AnomalyDetector
from bot.activeflows.errors import BotError, LedgerUnavailable, NotFound, NotOurs, NotPermitted
from bot.activeflows.model import Activeflow, Call, SpokenText
from bot.activeflows.operators import Operator, Permission, Policy
from bot.activeflows.ports import ActiveflowHistory, Live, Records, Texts, VoIPBIN
from bot.activeflows.queries.inspection import Inspection, in_time, look_at
from bot.activeflows.queries.resolution import find, flows, names_in, visible
from bot.activeflows.records import Record, RecordKind, RefusalBound, in_thread
from bot.activeflows.situation.actions import option_id
from bot.activeflows.situation.history import HistoryLine, Timeline, present_step, step_history, step_times

# ---------------------------------------------------------------- lineage
# Find the activeflows that came before and after one.
#
# VoIPBIN starts an activeflow when another one ends (its on-complete flow), or when a recording or a transcript of it
# is done; the new one names the old one (``reference_activeflow_id``), the old one names nobody. A flow that is entered
# by a step stays in the same activeflow and is no relative. https://api.voipbin.net/docs/activeflow_overview.html
#
# Promises: of a relative that this person may not view nothing is told but that it is there; what could not be looked
# up in time is said as not known, and never as absent.
#
# Decision: what comes after an end is created within moments of it, so it is looked for among the activeflows created
# last before just after that end: one request, however long ago it was. What runs is looked for in the index, for
# nothing.

MOST: Final = 3
"""Children that are told of one by one."""
_SOON: Final = timedelta(seconds=10)
"""What an end starts was created by then."""


class WithheldReason(Enum):
    """Why nothing is told of a relative."""

    HIDDEN = auto()  # this person may not view it here
    GONE = auto()
    NOT_KNOWN = auto()


@dataclass(frozen=True, slots=True)
class Relative:
    """Another activeflow. ``flow_name`` is ``None`` when it has no flow or its name is not known."""

    activeflow: Activeflow
    flow_name: str | None


@dataclass(frozen=True, slots=True)
class Family:
    """Parent and children, newest child first."""

    parent: Relative | WithheldReason | None = None
    """``None``: it came after nobody."""
    children: tuple[Relative, ...] = ()
    more: int = 0
    """Children that may be viewed and are not among these."""
    hidden: int = 0
    """Children that may not."""
    looked: bool | None = None
    """Whether what began after its end was looked through: ``None`` when nothing was to begin, or it has not ended."""


_Found: TypeAlias = tuple[list[Activeflow], bool | None]


async def family_of(
    voipbin: VoIPBIN,
    past: ActiveflowHistory | None,
    live: Live | None,
    operator: Operator,
    activeflow: Activeflow,
    *,
    within: float,
) -> Family:
    """Look up its relatives; all look-ups together get ``within`` seconds. ``operator`` may view the activeflow
    itself.
    """
    clock = asyncio.get_running_loop().time
    until = clock() + within
    async with asyncio.TaskGroup() as asking:
        parent = asking.create_task(_parent(voipbin, operator, activeflow.parent_id, within))
        held = asking.create_task(_held(live, activeflow.id, within))
        after = asking.create_task(_after(past, activeflow, within))
    begun, looked = after.result()
    children = _newest_first((*held.result(), *begun))
    shown = visible(voipbin, operator, children)
    above = parent.result()
    told = [*shown[:MOST], *([above] if isinstance(above, Activeflow) else [])]
    names = await flows(voipbin, (one.flow_id for one in told), within=max(until - clock(), 0))

    def relative(one: Activeflow) -> Relative:
        flow = names.get(one.flow_id) if one.flow_id is not None else None
        return Relative(one, flow.name if flow is not None else None)

    return Family(
        parent=relative(above) if isinstance(above, Activeflow) else above,
        children=tuple(relative(one) for one in shown[:MOST]),
        more=max(len(shown) - MOST, 0),
        hidden=len(children) - len(shown),
        looked=looked,
    )


async def _parent(
    voipbin: VoIPBIN, operator: Operator, parent_id: UUID | None, within: float
) -> Activeflow | WithheldReason | None:
    if parent_id is None:
        return None
    try:
        async with asyncio.timeout(within):
            parent = await voipbin.activeflow(parent_id)
    except NotFound:
        return WithheldReason.GONE
    except NotOurs:
        return WithheldReason.HIDDEN
    except (BotError, TimeoutError):
        return WithheldReason.NOT_KNOWN
    return parent if visible(voipbin, operator, [parent]) else WithheldReason.HIDDEN


async def _held(live: Live | None, activeflow_id: UUID, within: float) -> list[Activeflow]:
    """Return its children among what runs, as far as that is held; nothing is read for it."""
    if live is None:
        return []
    picture = (await in_time(partial(live.running, max_age=math.inf), within)).value
    return [one for one in picture.activeflows if one.parent_id == activeflow_id] if picture is not None else []


async def _after(past: ActiveflowHistory | None, activeflow: Activeflow, within: float) -> _Found:
    """Return what its end started, and whether all that began then could be looked through."""
    if past is None or not activeflow.ended or activeflow.on_complete_flow_id is None:
        return [], None
    if activeflow.updated_at is None:
        return [], False
    begun = (await in_time(partial(past.begun_before, activeflow.updated_at + _SOON), within)).value
    if begun is None:
        return [], False
    oldest = min((one.created_at for one in begun if one.created_at is not None), default=None)
    reached = oldest is not None and oldest < activeflow.updated_at  # as it was created itself, it is among them
    return [one for one in begun if one.parent_id == activeflow.id], reached


def _newest_first(found: Iterable[Activeflow]) -> list[Activeflow]:
    """Return each activeflow once, as it was told last."""
    latest = {one.id: one for one in found}
    return sorted(latest.values(), key=lambda one: (-one.created_at.timestamp() if one.created_at else 0.0, one.id))


# ---------------------------------------------------------------- disclosure
# Disclose the caller, the called party and the texts spoken, in full, to one person who may, on the record.
#
# Everywhere else they are masked or dropped. Decisions:
#
# - The permission is decided before anything is read, and again for the activeflow's own flow.
# - The record is written after reading and before showing, so that it says what is shown. If it cannot be written,
#   nothing is. It may say more than was seen (Slack may lose the message), never less. One press is one record.
# - Once it is written, the policy in force is asked once more: what was taken away meanwhile is not shown.
# - A refusal is recorded, too; a ledger that cannot take that one changes nothing about the refusal.


@dataclass(frozen=True, slots=True)
class UnmaskedDetails:
    """What may now be shown to the person who pressed, and to nobody else."""

    activeflow: Activeflow
    call: Call | None
    """``None``: it runs for no call, or VoIPBIN does not know the call any more."""
    spoken: tuple[SpokenText, ...]
    """Oldest first."""
    receipt: str
    as_of: datetime


class Disclosure:
    """*Reveal*."""

    def __init__(
        self,
        voipbin: VoIPBIN,
        texts: Texts,
        records: Records,
        refusals: RefusalBound,
        *,
        policy: Callable[[], Policy],
        now: Callable[[], datetime],
    ) -> None:
        self._voipbin, self._texts, self._records, self._refusals = voipbin, texts, records, refusals
        self._policy, self._now = policy, now

    async def reveal(self, operator: Operator, activeflow_id: UUID, *, press: str) -> UnmaskedDetails:
        """Return what is personal about an activeflow, once that is on the record. ``press``: identifies the press.

        Raises ``NotPermitted``, ``LedgerUnavailable`` (then nothing may be shown), and what ``resolution.find`` raises.
        """
        try:
            return await self._reveal(operator, activeflow_id, press)
        except NotPermitted as refused:
            with suppress(LedgerUnavailable):
                await self._record_refusal(operator, activeflow_id, refused.decision.because)
            raise

    async def _reveal(self, operator: Operator, activeflow_id: UUID, press: str) -> UnmaskedDetails:
        operator.require(Permission.REVEAL)
        activeflow = await find(self._voipbin, operator, activeflow_id)
        decision = operator.require(Permission.REVEAL, activeflow.flow_id)
        as_of = self._now()
        call = await self._call(activeflow)
        spoken = await self._texts.spoken(activeflow.id)
        detail = {"shown": _words(call, spoken), "because": decision.because, "grant": decision.grant}
        record = self._record(f"reveal:{press}:{activeflow.id}", RecordKind.REVEALED, operator, activeflow.id, detail)
        written = await self._records.record(record)
        replace(operator, policy=self._policy()).require(Permission.REVEAL, activeflow.flow_id)
        return UnmaskedDetails(activeflow, call, spoken, written.receipt, as_of)

    async def _call(self, activeflow: Activeflow) -> Call | None:
        reference = activeflow.reference
        return await self._voipbin.call(reference.id) if reference.is_call and reference.id else None

    async def _record_refusal(self, operator: Operator, activeflow_id: UUID, because: str) -> None:
        if not self._refusals.has_room(operator.person.id):
            return
        detail = {"because": because, "wanted": str(Permission.REVEAL)}
        key = f"refused:{secrets.token_hex(16)}"
        await self._records.record(self._record(key, RecordKind.REFUSED, operator, activeflow_id, detail))

    def _record(
        self,
        key: str,
        what: RecordKind,
        operator: Operator,
        activeflow_id: UUID,
        detail: Mapping[str, str | int | None],
    ) -> Record:
        told = in_thread(detail, operator.thread)
        return Record(key, self._now(), what, operator.person.id, operator.channel, activeflow_id, detail=told)


def _words(call: Call | None, spoken: tuple[SpokenText, ...]) -> str:
    """Return what is shown, without a word of it."""
    texts = f"{len(spoken)} {'text' if len(spoken) == 1 else 'texts'}" if spoken else ""
    return ", ".join(word for word in ("caller, called party" if call else "", texts) if word) or "nothing was there"


# ---------------------------------------------------------------- details


class StepTimes(Enum):
    """What is known of when the steps began."""

    WHOLE = auto()  # all that is told has its times, or there is nothing to time
    PARTLY = auto()
    NOT_KEPT = auto()  # VoIPBIN's timeline has none of these steps
    LATE = auto()  # VoIPBIN did not answer in time
    FAILED = auto()


@dataclass(frozen=True, slots=True)
class Details:
    """One activeflow, read at ``as_of``, with its history."""

    inspection: Inspection
    history: tuple[HistoryLine, ...]
    as_of: datetime
    present: HistoryLine | None = None
    """The step it is at, or was interrupted in."""
    timing: StepTimes = StepTimes.WHOLE
    entered: tuple[str | None, ...] = ()
    """The names of the flows it entered by a step, which does not make it another activeflow; each once."""
    family: Family = field(default_factory=Family)
    troubles: tuple[Anomaly, ...] = ()


class DetailsQuery:
    """Looks up what there is to tell of an activeflow. ``within``: seconds that each look-up may take."""

    def __init__(
        self,
        voipbin: VoIPBIN,
        past: ActiveflowHistory | None,
        live: Live | None,
        detector: AnomalyDetector,
        *,
        within: float,
    ) -> None:
        self._voipbin, self._past, self._live, self._detector, self._within = voipbin, past, live, detector, within

    async def details(self, operator: Operator, activeflow: Activeflow, as_of: datetime) -> Details:
        """Return what there is to tell of it to this person, who may view it. Never raises for what is not found."""
        within = self._within
        async with asyncio.TaskGroup() as asking:
            inspection = asking.create_task(look_at(self._voipbin, activeflow, now=as_of, within=within))
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
        seen = inspection.result()
        return Details(
            inspection=seen,
            history=history,
            as_of=as_of,
            present=present,
            timing=_timing(_to_time(activeflow, history, present), why),
            entered=tuple(known.get(flow_id) for flow_id in entered),
            family=family.result(),
            troubles=self._detector.of(activeflow, seen.situation, as_of, call=seen.call),
        )

    async def _told(self, activeflow: Activeflow) -> tuple[Timeline | None, StepTimes]:
        """Return the timeline and, when it did not come, why."""
        if self._past is None or not _to_time(activeflow, step_history(activeflow), present_step(activeflow)):
            return None, StepTimes.WHOLE
        try:
            async with asyncio.timeout(self._within):
                return await self._past.timeline(activeflow.id), StepTimes.WHOLE
        except TimeoutError:
            return None, StepTimes.LATE
        except BotError:
            return None, StepTimes.FAILED


def _to_time(
    activeflow: Activeflow, history: tuple[HistoryLine, ...], present: HistoryLine | None
) -> list[HistoryLine]:
    """Return the lines whose times only the timeline can tell: not those of the step that a running one is at."""
    told = [done for done in history if not done.left_out]
    return [*told, present] if present is not None and activeflow.ended else told


def _timing(lines: list[HistoryLine], why: StepTimes) -> StepTimes:
    if why is not StepTimes.WHOLE:
        return why
    timed = {done.began is not None for done in lines}
    return StepTimes.WHOLE if timed <= {True} else StepTimes.PARTLY if True in timed else StepTimes.NOT_KEPT


def _entered(activeflow: Activeflow) -> tuple[UUID, ...]:
    """Return the flows whose steps became its own."""
    steps = (*activeflow.executed, activeflow.current)
    found = (option_id(step, "flow_id") for step in steps if step.type == "fetch_flow")
    return tuple(dict.fromkeys(id_ for id_ in found if id_ is not None))

"""Resolve the one activeflow a person means, and look up what runs and what flows and queues are called.

A beginning of an id is looked for among the activeflows they may view only, so that nothing is given away about others;
it means the running one, if only one that runs begins so.
"""

import asyncio
import math
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, TypeAlias, TypeVar
from uuid import UUID

from bot.activeflows.errors import Ambiguous, NotFound, NotOurs
from bot.activeflows.model import Activeflow, Flow, Kind, Picture, number_of
from bot.activeflows.operators import Operator, Permission
from bot.activeflows.ports import Live, VoIPBIN
from bot.activeflows.queries.inspection import in_time
from bot.activeflows.situation.actions import option_id
from bot.activeflows.situation.current_step import Situation, queues_named, situation

# ---------------------------------------------------------------- targets
# Read which activeflow somebody means: a whole id, or the beginning of one.
#
# Ids are read in every spelling that occurs in logs, links and other people's tools: upper case, braces, ``urn:uuid:``,
# without dashes. A beginning needs at least 4 hex digits. Text that is neither gives ``None``: never a guess.

SHORTEST: Final = 4
"""Hex digits a beginning must have."""
_DASHED: Final = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_ID: Final = re.compile(rf"(?:urn:uuid:)?(?:{_DASHED}|[0-9a-f]{{32}})", re.ASCII | re.IGNORECASE)
_BEGINNING: Final = re.compile(r"[0-9a-f][0-9a-f-]*", re.ASCII | re.IGNORECASE)
_IN_TEXT: Final = re.compile(rf"(?<![0-9a-z_+-])(?:{_DASHED}|[0-9a-f]{{8,32}})(?![0-9a-z_-])", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Prefix:
    """The first 4 to 31 hex digits of an id, in lower case and without dashes."""

    digits: str

    def __post_init__(self) -> None:
        if not re.fullmatch(rf"[0-9a-f]{{{SHORTEST},31}}", self.digits, re.ASCII):
            raise ValueError(f"a beginning of an id has {SHORTEST} to 31 hex digits in lower case")

    def fits(self, id_: UUID | None) -> bool:
        """Tell whether this id begins so."""
        return id_ is not None and id_.hex.startswith(self.digits)

    @property
    def dashed(self) -> str:
        """As the beginning of an id written with dashes."""
        whole = str(UUID(self.digits.ljust(32, "0")))
        return whole[: len(self.digits) + sum(len(self.digits) > place for place in (8, 12, 16, 20))]

    def __str__(self) -> str:
        return self.digits


T = TypeVar("T")
Target: TypeAlias = UUID | Prefix


def read_target(word: str) -> Target | None:
    """Return the target this one word names, if it names one. The zero UUID names nothing."""
    bare = word.strip().lower().removeprefix("{").removesuffix("}")
    if _ID.fullmatch(bare):
        whole = UUID(bare)
        return whole if whole.int else None
    digits = bare.replace("-", "")
    if not _BEGINNING.fullmatch(bare) or not SHORTEST <= len(digits) < 32:
        return None
    prefix = Prefix(digits)
    return prefix if "-" not in bare or bare in (prefix.dashed, f"{prefix.dashed}-") else None


@dataclass(frozen=True, slots=True)
class FoundTarget:
    """A target inside a longer text, and where it ends."""

    target: Target
    end: int


def targets_in(text: str) -> tuple[FoundTarget, ...]:
    """Return the different targets a pasted text names: whole ids, or beginnings of at least 8 digits (shorter ones
    are words).

    A beginning of a whole id that stands in the text, too, is the same target.
    """
    found: dict[Target, FoundTarget] = {}
    for match in _IN_TEXT.finditer(text):
        target = read_target(match[0])
        if target is not None:
            found.setdefault(target, FoundTarget(target, match.end()))
    whole = [target for target in found if isinstance(target, UUID)]
    return tuple(
        place for target, place in found.items() if not (isinstance(target, Prefix) and any(map(target.fits, whole)))
    )


def without_ids(text: str) -> str:
    """Return the text with a line break in the place of each whole id."""
    return _ID.sub("\n", text)


# ---------------------------------------------------------------- lookups
# Look up what runs, and names of flows and queues, several at once, in bounded time.
#
# Only what VoIPBIN answered in time is in the result: a missing key means "not known", ``None`` means "there is none".

MOST: Final = 200
"""Different flows (or queues) looked up at once."""
_BREATH: Final = 20
Flows: TypeAlias = Mapping[UUID, Flow | None]
"""Definitions by id; ``None``: there is no such flow (any more). What is not in it is not known."""


async def in_turns(activeflows: Sequence[Activeflow]) -> AsyncIterator[Activeflow]:
    """Yield them one by one; now and then others on the event loop get their turn."""
    for number, activeflow in enumerate(activeflows, 1):
        yield activeflow
        if number % _BREATH == 0:
            await asyncio.sleep(0)


async def pictured(voipbin: VoIPBIN, live: Live | None, *, max_age: float) -> Picture:
    """Return what runs, from memory where it is kept; else what VoIPBIN's list tells, with what ended."""
    picture = await live.running(max_age=max_age) if live is not None else None
    return picture or await voipbin.picture(max_age=max_age)


async def pictured_soon(voipbin: VoIPBIN, live: Live | None, *, max_age: float, within: float) -> Picture:
    """Return the picture as it is in memory; while it has to be read again that is waited for so many seconds, then
    the last one will do.
    """
    picture = None
    if live is not None:
        try:
            async with asyncio.timeout(within):
                picture = await live.running(max_age=max_age)
        except TimeoutError:
            picture = await live.running(max_age=math.inf)
    return picture or await voipbin.picture(max_age=max_age)


async def flows(voipbin: VoIPBIN, ids: Iterable[UUID | None], *, within: float) -> dict[UUID, Flow | None]:
    """Return the definitions of these flows; each look-up gets ``within`` seconds."""
    asked = list({number_of(id_): id_ for id_ in ids if id_ is not None}.values())[:MOST]
    return await _looked_up(asked, voipbin.flow_remembered, voipbin.flow, within)


def flow_of(activeflow: Activeflow, known: Flows) -> Flow | None:
    """Return its flow's definition, as far as that is known."""
    return known.get(activeflow.flow_id) if activeflow.flow_id is not None else None


async def queue_names(voipbin: VoIPBIN, ids: Iterable[UUID], *, within: float) -> dict[UUID, str | None]:
    """Return the names of these queues; each look-up gets ``within`` seconds."""
    asked = list(dict.fromkeys(ids))[:MOST]
    return await _looked_up(asked, voipbin.queue_name_remembered, voipbin.queue_name, within)


async def _looked_up(
    ids: Sequence[UUID],
    remembered: Callable[[UUID], tuple[T | None] | None],
    look_up: Callable[[UUID], Awaitable[T | None]],
    within: float,
) -> dict[UUID, T | None]:
    """Look up, each in a task with a time limit, what has to be asked for only: as a rule everything is remembered."""
    known = {id_: remembered(id_) for id_ in ids}
    asked = [id_ for id_, answer in known.items() if answer is None]
    answers = await asyncio.gather(*(in_time(partial(look_up, id_), within) for id_ in asked)) if asked else ()
    known |= {id_: (answer.value,) for id_, answer in zip(asked, answers, strict=True) if answer.answered}
    return {id_: answer[0] for id_, answer in known.items() if answer is not None}


async def names_in(voipbin: VoIPBIN, activeflow: Activeflow, *, within: float) -> dict[UUID, str | None]:
    """Return the queues and flows its steps speak of."""
    steps = (*activeflow.executed, activeflow.current)
    queues = [found for step in steps if (found := option_id(step, "queue_id")) is not None]
    entered = [found for step in steps if (found := option_id(step, "flow_id")) is not None]
    definitions, names = await asyncio.gather(
        flows(voipbin, entered, within=within), queue_names(voipbin, queues, within=within)
    )
    return {**{id_: flow.name if flow else None for id_, flow in definitions.items()}, **names}


@dataclass(frozen=True, slots=True)
class NamedSituation:
    """What one does now; ``flow_name`` is empty when it has no flow, or its name is not known."""

    situation: Situation
    flow_name: str


async def what_it_does(voipbin: VoIPBIN, activeflow: Activeflow, *, within: float) -> NamedSituation:
    """Return its situation, with the names that could be had; the look-ups get ``within`` seconds, one after the
    other.
    """
    known = await flows(voipbin, [activeflow.flow_id], within=within)
    flow = flow_of(activeflow, known)
    names = await queue_names(voipbin, queues_named(activeflow, flow=flow), within=within)
    return NamedSituation(situation(activeflow, flow=flow, name_of=names.get), flow.name if flow else "")


# ---------------------------------------------------------------- resolution

MOST_CANDIDATES: Final = 10


async def find(voipbin: VoIPBIN, operator: Operator, target: Target) -> Activeflow:
    """Return the activeflow that is meant, read now.

    Raises ``NotPermitted`` (first of all, and for a flow this person may not view), ``NotFound``, ``Ambiguous``,
    ``NotOurs``, or a ``Failure``.
    """
    operator.require(Permission.VIEW)
    if isinstance(target, Prefix):
        activeflow = await _the_one(voipbin, operator, target)
    else:
        activeflow = await with_id(voipbin, target)
    if activeflow.customer_id != voipbin.customer.id:
        raise NotOurs(activeflow.id)
    operator.require(Permission.VIEW, activeflow.flow_id)
    return activeflow


def visible(
    voipbin: VoIPBIN, operator: Operator, activeflows: Sequence[Activeflow], kinds: Collection[Kind] | None = None
) -> Sequence[Activeflow]:
    """Return those of which anything may be shown to this person here; decided once for each flow.

    ``kinds``: all that are among them, if that is known; where each may be seen, so may all.
    """
    ours = voipbin.customer.id
    known = kinds if kinds is not None else ((ours, activeflow.flow_id) for activeflow in activeflows)
    flows_there = {number_of(flow): flow for _, flow in known}
    may = {number for number, flow in flows_there.items() if operator.may(Permission.VIEW, flow)}
    if kinds is not None and len(may) == len(flows_there) and all(customer == ours for customer, _ in kinds):
        return activeflows
    us = ours.int
    of_us = [a for a in activeflows if a.customer_id is not None and a.customer_id.int == us]
    return [a for a in of_us if (0 if a.flow_id is None else a.flow_id.int) in may]


async def with_id(voipbin: VoIPBIN, target: UUID) -> Activeflow:
    """Find one by its own id, or that of the call it runs for; whether it may be shown is not asked. Raises
    ``NotFound``.
    """
    try:
        return await voipbin.activeflow(target)
    except NotFound:
        call = await voipbin.call(target)
    if call is None or call.activeflow_id is None:
        raise NotFound(str(target), "Neither an activeflow nor a call of an activeflow has this id")
    return await voipbin.activeflow(call.activeflow_id)


async def beginning(voipbin: VoIPBIN, operator: Operator, prefix: Prefix) -> tuple[list[Activeflow], Picture]:
    """Return those they may view whose id begins so, and what was looked through."""
    picture = await voipbin.picture()
    found = fitting(voipbin, operator, prefix, picture)
    if not found:  # it may have begun since
        picture = await voipbin.picture(max_age=0.0)
        found = fitting(voipbin, operator, prefix, picture)
    return found, picture


async def _the_one(voipbin: VoIPBIN, operator: Operator, prefix: Prefix) -> Activeflow:
    found, picture = await beginning(voipbin, operator, prefix)
    if not found:
        raise NotFound(str(prefix), _looked(picture))
    if len(found) > 1:
        raise Ambiguous(str(prefix), found[:MOST_CANDIDATES])
    return await voipbin.activeflow(found[0].id)


def fitting(voipbin: VoIPBIN, operator: Operator, prefix: Prefix, picture: Picture) -> list[Activeflow]:
    """Find them by their own ids, else by those of their calls; those that run, if any does."""
    seen = visible(voipbin, operator, picture.activeflows)
    found = [a for a in seen if prefix.fits(a.id)] or [a for a in seen if prefix.fits(a.reference.id)]
    return [a for a in found if a.running] or found


def _looked(picture: Picture) -> str:
    """Return how far the look went, in words."""
    number = len(picture.activeflows)
    if picture.complete_since is None:
        return f"I looked at all there are ({number})"
    since = f"{picture.complete_since:%Y-%m-%d %H:%M} UTC"
    return f"I looked at {number}, among them all that began since {since}; an older one is found by its whole id"

"""Choose from what runs while somebody types: what fits so far, what is wrong first, as in the list.

Whoever waits is Slack's open menu, which shows nothing after three seconds. Decisions:

- It is answered from memory; nothing is asked of VoIPBIN but names of flows and queues, which are remembered for
  minutes. While the list has to be read again, that is waited for a moment, and then the last one will do: its age is
  said.
- What fits is what ``ranking`` reads in the text, as for `find`, among what this person may view here: an id or its
  beginning, else words of the flow's name, of a queue's, or of what it is doing.
- A phone number fits nothing here. No calls are looked through, and only what a row shows in clear is compared, so that
  nobody learns masked digits by typing: that is what `find` is for, which records it and counts.
- The order is the list's, not that of likeness: what is wrong stays at the top whatever is typed.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import Final, Protocol
from uuid import UUID

from bot.activeflows.anomalies import FINE, AnomalyCache, Reason
from bot.activeflows.model import Activeflow, Picture, number_of
from bot.activeflows.names import likeness, says
from bot.activeflows.operators import Operator, Permission
from bot.activeflows.ports import Live, VoIPBIN
from bot.activeflows.queries.listing import in_order, unnamed_among
from bot.activeflows.queries.resolution import (
    Flows,
    Prefix,
    Target,
    flow_of,
    flows,
    pictured_soon,
    queue_names,
    visible,
)
from bot.activeflows.search.ranking import SearchTerms, terms_in
from bot.activeflows.situation.current_step import SituationCache, queues_named, situation

MOST: Final = 50
"""Choices at once. Whoever does not see theirs goes on typing."""
LONGEST_WORDS: Final = 100
_RECENT: Final = 5.0
_BREATH: Final = 20
_QUEUE: Final = "queue_join"
_REASONS: Final = tuple(Reason)


@dataclass(frozen=True, slots=True)
class Choice:
    """One that can be chosen. ``flow_name`` as in ``Row``; ``words``: what it is doing; ``reason``: the gravest that is
    wrong.
    """

    activeflow: Activeflow
    flow_name: str | None
    words: str
    reason: Reason | None


@dataclass(frozen=True, slots=True)
class Choices:
    """What fits, and what it was looked for in."""

    found: tuple[Choice, ...]
    """The first, at most ``MOST``."""
    total: int
    hidden: int
    """Those that run and that they may not view here; whether one fits is not said."""
    unnamed: int
    """Those whose flow's name was looked for and not known: they may be missing."""
    picture: Picture
    anything: bool
    """Nothing was typed, so everything fits."""
    number: bool = False
    """What was typed is a phone number, which is not looked for here."""


class ListingCaches(Protocol):
    """What is worked out already of what runs: what is wrong with each, seen without names, and what each does."""

    at_a_glance: AnomalyCache
    situations: SituationCache


class Chooser:
    """Offers choices. ``look_within``: seconds each look-up may take."""

    def __init__(
        self,
        voipbin: VoIPBIN,
        known: ListingCaches,
        now: Callable[[], datetime],
        *,
        live: Live | None = None,
        look_within: float = 0.6,
    ) -> None:
        """``known``: what the list has worked out, which is not worked out again."""
        self._voipbin, self._live, self._now, self._within = voipbin, live, now, look_within
        self._anomalies, self._situations = known.at_a_glance, known.situations

    async def fitting(self, operator: Operator, typed: str) -> Choices:
        """Return what fits that they may view. Raises ``NotPermitted``, or a ``Failure`` when nothing at all is
        known.
        """
        operator.require(Permission.VIEW)
        typed = typed.strip()[:LONGEST_WORDS]
        terms = terms_in(typed)
        picture = await pictured_soon(self._voipbin, self._live, max_age=_RECENT, within=self._within)
        running = [activeflow for activeflow in picture.activeflows if activeflow.running]
        seen = visible(self._voipbin, operator, running, picture.kinds)
        known = await flows(self._voipbin, (a.flow_id for a in seen), within=self._within)
        fits = await self._fits(seen, terms, known) if typed else None
        found = [a for a in seen if fits is None or a.id in fits]
        found = found if picture.freshness is not None else in_order(found)
        found.reverse()
        found, ranks = await self._anomalies.worst_first(found, self._now())
        reasons = [None if rank == FINE else _REASONS[rank] for rank in ranks[:MOST]]
        return Choices(
            found=await self._choices(found[:MOST], reasons, known),
            total=len(found),
            hidden=len(running) - len(seen),
            unnamed=unnamed_among(seen, found, known) if terms.words else 0,
            picture=picture,
            anything=not typed,
            number=bool(terms.numbers) and not found,
        )

    async def _choices(
        self, found: Sequence[Activeflow], reasons: Sequence[Reason | None], known: Flows
    ) -> tuple[Choice, ...]:
        inside = chain.from_iterable(queues_named(a, flow=flow_of(a, known)) for a in found)
        names = await queue_names(self._voipbin, inside, within=self._within)
        choices = []
        for activeflow, reason in zip(found, reasons, strict=True):
            flow = flow_of(activeflow, known)
            doing = situation(activeflow, flow=flow, name_of=names.get)
            choices.append(Choice(activeflow, flow.name if flow else None, doing.words, reason))
        return tuple(choices)

    # ---------------------------------------------------------------- what fits

    async def _fits(self, seen: Sequence[Activeflow], terms: SearchTerms, known: Flows) -> set[UUID]:
        fitting = {a.id for a in seen if any(_named(target, a) for target in terms.targets)}
        if terms.words:
            fitting |= await self._with_words(seen, terms.words, known)
        return fitting

    async def _with_words(self, seen: Sequence[Activeflow], words: str, known: Flows) -> set[UUID]:
        """Find those with these words: by the flow's name, which is decided once for each flow, then by what the row
        says.
        """
        called = {number_of(id_) for id_, flow in known.items() if flow is not None and likeness(words, flow.name)}
        fitting = {a.id for a in seen if number_of(a.flow_id) in called}
        others = [a for a in seen if a.id not in fitting]
        doings = await self._situations.of(others, known)
        inside, said = dict[UUID, tuple[UUID, ...]](), dict[str, bool]()
        for number, (activeflow, doing) in enumerate(zip(others, doings, strict=True), 1):
            sentence = " ".join((doing.words, doing.action, *doing.openers))
            if sentence not in said:  # thousands do what others do, too
                said[sentence] = says(sentence, words)
            if said[sentence]:
                fitting.add(activeflow.id)
            elif _QUEUE in (doing.action, *doing.openers):
                inside[activeflow.id] = queues_named(activeflow, flow=flow_of(activeflow, known))
            if number % _BREATH == 0:
                await asyncio.sleep(0)
        names = await queue_names(self._voipbin, chain.from_iterable(inside.values()), within=self._within)
        alike = {id_ for id_, name in names.items() if name and likeness(words, name)}
        return fitting | {id_ for id_, queues in inside.items() if not alike.isdisjoint(queues)}


def _named(target: Target, activeflow: Activeflow) -> bool:
    """Tell whether it is this one's own id, or that of its call, or the beginning of one."""
    ids = (activeflow.id, activeflow.reference.id)
    return any(target.fits(id_) for id_ in ids) if isinstance(target, Prefix) else target in ids

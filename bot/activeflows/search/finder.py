"""Find activeflows by an id, a telephone number, a name, or a word of what one is doing.

Permission comes first. What belongs to flows that one may not view is answered like what is not there. Decisions:

- A number is looked for in whole; by its last digits only what belongs to flows of which one may reveal the caller.
  Each such search is recorded and counted, and says the same of a call that is hidden and of none (``number_search``).
- Words are looked for in what runs; an id and a number also find what has ended, because that is an answer, too.
- A number finds calls, and these lead to activeflows (``number_search``); how far that went is said.
- An id is looked for among what runs first, which costs nothing, then as everywhere (``queries.resolution``); what may
  be a word or a number as well, among what runs only: a walk through the list is not made for a word that looks like an
  id.
- There are no pages: whoever finds more than a screenful narrows it. So no button need carry what was looked for.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain
from typing import Final
from uuid import UUID

from bot.activeflows.anomalies import AnomalyDetector
from bot.activeflows.callers import CallsLooked
from bot.activeflows.errors import NotFound, NotOurs, NotUnderstood
from bot.activeflows.model import Activeflow, Picture
from bot.activeflows.operators import Operator, Permission
from bot.activeflows.ports import Calls, Live, Records, VoIPBIN
from bot.activeflows.queries.listing import Rows
from bot.activeflows.queries.resolution import (
    Prefix,
    Target,
    beginning,
    fitting,
    flow_of,
    flows,
    in_turns,
    pictured,
    queue_names,
    visible,
    with_id,
)
from bot.activeflows.search.number_search import NumberRecord, shown
from bot.activeflows.search.ranking import MOST, Findings, Match, MatchKind, RankedMatch, SearchTerms, by_words
from bot.activeflows.situation.current_step import queues_named, situation

LONGEST_WORDS: Final = 100
_SHARED_FOR: Final = 5.0


@dataclass(slots=True)
class _Found:
    """What one of the ways found; each is looked at for permission in the end."""

    matches: dict[UUID, tuple[Activeflow, Match]] = field(default_factory=dict)
    absent: list[Target] = field(default_factory=list)
    hidden: int = 0
    unnamed: int = 0
    unread: int = 0
    without: int = 0

    def add(self, activeflow: Activeflow, match: Match) -> None:
        known = self.matches.get(activeflow.id)
        if known is None or match.rank > known[1].rank:
            self.matches[activeflow.id] = (activeflow, match)


class Finder:
    """What ``/flows find`` and the message shortcut do."""

    def __init__(
        self,
        voipbin: VoIPBIN,
        calls: Calls,
        now: Callable[[], datetime],
        *,
        records: Records,
        detector: AnomalyDetector,
        live: Live | None = None,
        side_look: float = 1.5,
        name_look: float = 8.0,
    ) -> None:
        """``live``: what runs, from memory. ``side_look``: seconds for a courtesy; ``name_look``: for names looked
        for.
        """
        self._voipbin, self._calls, self._live, self._now = voipbin, calls, live, now
        self._number_record = NumberRecord(records, now=now)
        self._rows = Rows(voipbin, detector, now, within=side_look)
        self._side_look, self._name_look = side_look, name_look

    async def find(self, operator: Operator, terms: SearchTerms) -> Findings:
        """Return everything these terms lead to.

        Raises ``NotPermitted``, ``NotUnderstood`` for too much or nothing, ``TooManySearches``, or a ``Failure``.
        """
        operator.require(Permission.VIEW)
        if terms.nothing:
            raise NotUnderstood("nothing to look for: no id, phone number or word in it")
        if len(terms.words) > LONGEST_WORDS:
            raise NotUnderstood(f"too long: without an id or a phone number, at most {LONGEST_WORDS} characters")
        if terms.numbers:
            await self._number_record.write(operator, terms.numbers)
        found, as_of = _Found(), self._now()
        picture, calls = await self._looked(terms)
        if terms.targets:
            await self._by_ids(operator, terms, picture, found)
        if calls is not None and picture is not None:
            led = await shown(self._voipbin, operator, calls, picture, within=self._side_look)
            calls, found.unread, found.without = led.calls, led.unread, led.without
            for activeflow, match in led.activeflows:
                found.add(activeflow, match)
        if terms.words and picture is not None:
            await self._by_words(operator, terms.words, picture, found)
        best = sorted(found.matches.values(), key=_place)
        rows = await self._rows.of([activeflow for activeflow, _ in best[:MOST]])
        return Findings(
            terms=terms,
            hits=tuple(RankedMatch(row, match) for row, (_, match) in zip(rows, best[:MOST], strict=True)),
            total=len(best),
            hidden=found.hidden,
            as_of=as_of,
            absent=tuple(found.absent),
            unnamed=found.unnamed,
            unread=found.unread,
            without=found.without,
            picture=picture,
            calls=calls,
        )

    async def _looked(self, terms: SearchTerms) -> tuple[Picture | None, CallsLooked | None]:
        """Return what runs, and the calls, read at the same time; nothing is read that no term needs."""
        if not (terms.numbers or terms.words):
            live = self._live  # for ids it is only a short cut
            return await live.running(max_age=_SHARED_FOR) if live is not None else None, None
        async with asyncio.TaskGroup() as asking:
            picture = asking.create_task(pictured(self._voipbin, self._live, max_age=_SHARED_FOR))
            calls = asking.create_task(self._calls.calls_with(terms.numbers)) if terms.numbers else None
        return picture.result(), calls.result() if calls is not None else None

    # ---------------------------------------------------------------- by an id

    async def _by_ids(self, operator: Operator, terms: SearchTerms, picture: Picture | None, found: _Found) -> None:
        async with asyncio.TaskGroup() as asking:
            looks = [
                asking.create_task(self._having(operator, target, picture, deep=not terms.doubtful(target)))
                for target in terms.targets
            ]
        for target, look in zip(terms.targets, looks, strict=True):
            activeflows = visible(self._voipbin, operator, look.result())
            for activeflow in activeflows:
                found.add(activeflow, Match(MatchKind.ID))
            if not activeflows and not terms.doubtful(target):
                found.absent.append(target)

    async def _having(
        self, operator: Operator, target: Target, picture: Picture | None, *, deep: bool
    ) -> list[Activeflow]:
        if isinstance(target, Prefix):
            here = fitting(self._voipbin, operator, target, picture) if picture is not None else []
            return here if here or not deep else (await beginning(self._voipbin, operator, target))[0]
        try:
            return [await with_id(self._voipbin, target)]
        except (NotFound, NotOurs):
            return []

    # ---------------------------------------------------------------- by words

    async def _by_words(self, operator: Operator, words: str, picture: Picture, found: _Found) -> None:
        running = [activeflow for activeflow in picture.activeflows if activeflow.running]
        seen = visible(self._voipbin, operator, running)
        found.hidden += len(running) - len(seen)
        known = await flows(self._voipbin, (a.flow_id for a in seen), within=self._name_look)
        inside = {a.id: queues_named(a, flow=flow_of(a, known)) async for a in in_turns(seen)}
        names = await queue_names(self._voipbin, chain.from_iterable(inside.values()), within=self._name_look)
        async for activeflow in in_turns(seen):
            flow = flow_of(activeflow, known)
            doing = situation(activeflow, flow=flow, name_of=names.get)
            queues = [names.get(queue) for queue in inside[activeflow.id]]
            match = by_words(words, doing, flow_name=flow.name if flow else None, queues=queues)
            if match is not None:
                found.add(activeflow, match)
            elif activeflow.flow_id is not None and activeflow.flow_id not in known:
                found.unnamed += 1


def _place(found: tuple[Activeflow, Match]) -> tuple[bool, float, int, float]:
    """Return what runs first, then what fits best, then what is newest."""
    activeflow, match = found
    likeness, how = match.rank
    began = activeflow.created_at.timestamp() if activeflow.created_at is not None else 0.0
    return (activeflow.ended, -likeness, -how, -began)

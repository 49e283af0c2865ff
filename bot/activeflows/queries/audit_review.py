"""Read the record of who did what, newest first, a page at a time.

One's own records are open to whoever may view here; anybody else's take the permission ``audit``. Whoever asks for
nobody in particular without having it reads their own, and is told so. Decisions:

- A record does not say which flow its activeflow was of, so a grant limited to flows does not open the audit.
- A page is remembered by where it begins or ends in the chain, not by a number: records that are added meanwhile move
  nothing on it.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Protocol

from bot.activeflows.errors import NotPermitted
from bot.activeflows.operators import Operator, Permission
from bot.activeflows.ports import Records
from bot.activeflows.queries.resolution import Prefix, Target
from bot.activeflows.records import Entry, RecordKind, RecordQuery

PAGE: Final = 10
"""Records on a page."""
_TELLING: Final = tuple(
    kind
    for kind in RecordKind
    if kind not in {RecordKind.ASKED, RecordKind.MOVED, RecordKind.SENDING, RecordKind.OUTCOME}
)
"""What has a line of its own where a stop has one: the others are steps of a press, or questions nobody may have
pressed.
"""


class StopRecords(Records, Protocol):
    """The audit, and what is known of the cards that its records are about."""

    async def flow_names(self, intent_ids: Collection[str]) -> Mapping[str, str]:
        """Return the names of their flows as the cards showed them; a card of many, or without a flow's name, is not
        in it.
        """
        ...


@dataclass(frozen=True, slots=True)
class Review:
    """One page of records, with what was asked."""

    entries: tuple[Entry, ...]
    """Newest first."""
    target: Target | None
    whose: str | None
    """The person whose records these are; ``None``: everybody's."""
    own: bool
    """They are the asker's own."""
    narrowed: bool
    """They are the asker's own only because the asker may not read everybody's."""
    since: datetime | None
    older: bool
    """There are older records that fit."""
    newer: bool
    cut: Entry | None = None
    """On the last page: what says that the oldest records are no longer kept."""
    stops: tuple["AllowedPress", ...] | None = None
    """Where each stop has one line: the entries, with what became of those that are presses; ``None``: every record."""


@dataclass(frozen=True, slots=True)
class AllowedPress:
    """A press that was allowed, and what became of it; ``None``: that is not on record (yet), or it is no press at
    all.
    """

    pressed: Entry
    became: Entry | None
    flow: str = ""
    """Its flow's name, as the card showed it."""


class AuditReview:
    """``/flows audit``, and the last stops on the Home."""

    def __init__(self, records: StopRecords, now: Callable[[], datetime]) -> None:
        self._records, self._now = records, now

    async def records(
        self,
        operator: Operator,
        *,
        target: Target | None = None,
        user: str | None = None,
        since: timedelta | None = None,
        every: bool = False,
        before_seq: int | None = None,
        after_seq: int | None = None,
    ) -> Review:
        """Return the newest page that fits; or the one older than ``before_seq``, or the one just newer than
        ``after_seq``.

        One entry for each stop, unless ``every`` record is asked for, or those about one activeflow.
        Raises ``NotPermitted`` before anything is read, or ``LedgerUnavailable``.
        """
        whose = _whose(operator, user)
        question = RecordQuery(
            who=whose,
            activeflow_id=None if isinstance(target, Prefix) else target,
            activeflow_prefix=target.dashed if isinstance(target, Prefix) else None,
            since=None if since is None else self._now() - since,
            kinds=None if every or target is not None else _TELLING,
        )
        entries, older = await self._page(question, before_seq, after_seq)
        cuts = () if older else await self._records.records(RecordQuery(what=RecordKind.PRUNED, limit=1))
        turned = before_seq is not None or after_seq is not None
        return Review(
            entries=tuple(entries),
            target=target,
            whose=whose,
            own=whose == operator.person.id,
            narrowed=user is None and whose is not None,
            since=question.since,
            older=older,
            newer=turned and await self._any_newer(question, entries, before_seq),
            cut=next(iter(cuts), None),
            stops=None if question.kinds is None else await self._with_endings(entries),
        )

    async def own_stops(self, person_id: str, *, most: int) -> tuple[AllowedPress, ...]:
        """Return what this person pressed last, newest first. Raises ``LedgerUnavailable``.

        To be told to that person alone; whoever asks has seen to that, and that they may view somewhere.
        """
        return await self._with_endings(
            await self._records.records(RecordQuery(who=person_id, what=RecordKind.PRESSED, limit=most))
        )

    async def _with_endings(self, pressed: Sequence[Entry]) -> tuple[AllowedPress, ...]:
        """Return these, each with what became of it and its flow's name."""
        became = {entry.record.key: entry for entry in await self._records.records(_endings(pressed))}
        names = await self._records.flow_names({entry.record.intent_id for entry in pressed if entry.record.intent_id})
        return tuple(
            AllowedPress(entry, ending_of(entry, became), names.get(entry.record.intent_id, "")) for entry in pressed
        )

    async def _page(
        self, question: RecordQuery, before_seq: int | None, after_seq: int | None
    ) -> tuple[Sequence[Entry], bool]:
        """Return the entries, and whether there are older ones."""
        if after_seq is not None:
            entries = await self._records.records(replace(question, after_seq=after_seq, limit=PAGE))
            if len(entries) == PAGE:
                return entries, True  # the one the reader comes from, at least
        entries = await self._records.records(replace(question, before_seq=before_seq, limit=PAGE + 1))
        return entries[:PAGE], len(entries) > PAGE

    async def _any_newer(self, question: RecordQuery, entries: Sequence[Entry], before_seq: int | None) -> bool:
        """Tell whether there are newer ones than these. Below an empty page there are those the reader comes from."""
        newest = entries[0].seq if entries else (before_seq or 1) - 1
        return bool(await self._records.records(replace(question, after_seq=newest, limit=1)))


def _ending_keys(pressed: Entry) -> tuple[str, ...]:
    """Return the keys under which a press' outcome, or that it was asked once more, is written
    (``stopping.authorization.record_of``).
    """
    press = pressed.record.key.removesuffix(str(RecordKind.PRESSED))
    return f"{press}{RecordKind.OUTCOME}", f"{press}{RecordKind.MOVED}"


def ending_of(pressed: Entry, by_key: Mapping[str, Entry]) -> Entry | None:
    """Return what became of a press, among these records."""
    return next((by_key[key] for key in _ending_keys(pressed) if key in by_key), None)


def _endings(pressed: Sequence[Entry]) -> RecordQuery:
    keys = tuple(key for entry in pressed for key in _ending_keys(entry))
    return RecordQuery(keys=keys, limit=len(keys))


def _whose(operator: Operator, user: str | None) -> str | None:
    """Return whose records may be read for this question; ``None``: everybody's."""
    me = operator.person.id
    everybodys = operator.decide(Permission.AUDIT, None)
    if everybodys.allowed:
        return user
    if user is not None and user != me:
        raise NotPermitted(everybodys)
    operator.require(Permission.VIEW)
    return me

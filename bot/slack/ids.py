"""Name every action and callback id, and what the buttons carry.

A button's value is an id, or a list as one would type it: never a name of a person, a number, or a state to be
believed. What is typed is encoded, because Slack hands texts back with ``&amp; &lt; &gt;`` and does not say of which
(https://github.com/slackapi/bolt-python/issues/513). Old buttons live for ever, so a value of an older version is read,
too, and one that cannot be read any more is answered in words.

https://docs.slack.dev/reference/block-kit/block-elements/button-element
"""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Final
from uuid import UUID

from bot.activeflows.errors import NotUnderstood
from bot.activeflows.queries.filters import Filters
from bot.activeflows.queries.listing import Place, Side
from bot.slack.grammar.requests import Audit, List, StopAll, typed
from bot.slack.grammar.table import parse

# ---------------------------------------------------------------- action_ids

SHOW: Final = "activeflow.show"
"""Details of one activeflow, to the presser alone. Value: its id."""
SHOW_AGAIN: Final = "activeflow.show_again"
"""Read it again, in place. Value: its id."""
ASK_STOP: Final = "activeflow.ask_stop"
"""*Stop…*: post the stop card; nothing is stopped yet. Value: the activeflow's id."""
LIST_REFRESH: Final = "list.refresh"
"""The same list read again, in place. Value: the list, as for the next three."""
LIST_PREVIOUS: Final = "list.previous"
LIST_NEXT: Final = "list.next"
LIST_SHARE: Final = "list.share"
"""The list, read again, for everybody in the channel."""
LIST_OPEN: Final = "list.open"
"""One line of a count, as a list of its own. Value: that list."""
LIST_STOP_ALL: Final = "list.stop_all"
"""*Stop all of these…*: a bulk stop card for what fits by then; nothing is stopped yet. Value: what one would type for
it.
"""
HOME_REFRESH: Final = "home.refresh"
HOME_MENTION: Final = "home.mention"
"""Whether to be mentioned when one's own stop is not known. Value: ``on`` or ``off``."""
"""The Home looked up again. No value is needed: it is the presser's own."""
REVEAL: Final = "activeflow.reveal"
"""*Reveal*: the caller and the texts, unmasked, to the presser alone, on the record. Value: the activeflow's id."""
STOP_FLOW: Final = "stop.flow"
"""The confirming press on a stop card. Value: the intent's id."""
CANCEL_STOP: Final = "stop.cancel"
"""Puts a stop card away. Value: the intent's id."""
AUDIT_OLDER: Final = "audit.older"
"""The records before these, in place. Value: what was asked, and where this page ends."""
AUDIT_NEWER: Final = "audit.newer"
AUDIT_OTHERWISE: Final = "audit.otherwise"
"""Every record, or one line for each stop again, in place. Value: what was asked."""

RECAP_POST: Final = "recap.post"
"""The recap, read again, for everybody in the channel or thread. Value: from when to when."""

ASK_OTHERS: Final = "stop.ask_others"
"""*Ask someone who can*: put a stop to those who may. Value: the intent's id."""
HANG_UP: Final = "call.hang_up"
"""*Hang up the call* that stayed up after its activeflow ended. Value: the intent's id."""
BULK_STOP: Final = "bulk.stop"
"""The confirming press on a bulk stop card. Value: the bulk's id, as for the next three."""
BULK_CANCEL: Final = "bulk.cancel"
"""Puts a bulk stop card away."""
BULK_ABORT: Final = "bulk.abort"
"""Lets a bulk stop go no further; what is in flight finishes."""
BULK_REMAINDER: Final = "bulk.remainder"
"""A new card for what is left, read and frozen anew."""
BULK_OLDEST: Final = "bulk.oldest"
"""A bulk stop card for as many of the oldest as are allowed at once. Value: what one would type for all."""
BULK_ASK_OTHERS: Final = "bulk.ask_others"
"""*Ask someone who can*, of many. Value: the id of the bulk, or of the draft that becomes one."""
BULK_WITHOUT_BOT: Final = "bulk.without_bot"
"""*Without this bot…*: a modal with the commands for those that are left. Value: the bulk's id."""
UNWATCH: Final = "watch.unwatch"
"""*Unwatch*: the card follows its activeflow no longer; nothing is stopped. Value: the watch's id."""
FIND: Final = "activeflow.find"
"""callback_id of the message shortcut *Find activeflow*: ids and numbers are picked out of the message's own text."""
REASON: Final = "stop.reason"
"""callback_id of the modal that asks for a reason, and block_id and action_id of its one field."""

PICK_SHOW: Final = "pick.show"
"""The menu for `show`: Slack asks for its options as well. The value of what is chosen is an activeflow's id, or
``NOTE``.
"""
PICK_STOP: Final = "pick.stop"
"""The same for `stop`, in a message and in the form; chosen in a message, it posts the stop card."""
PICK_WATCH: Final = "pick.watch"
PICK_WHERE: Final = "pick.where"
"""action_id and block_id of the form's other menu: where the stop card goes."""
STOP_SHORTCUT: Final = "activeflow.stop"
"""callback_id of the global shortcut *Stop an activeflow…*, and of the form that it opens."""
NOTE: Final = "note"
"""The value of an option that only says something."""

ACTION_IDS: Final = frozenset(
    {
        *(SHOW, SHOW_AGAIN, REVEAL, ASK_STOP, STOP_FLOW, CANCEL_STOP, ASK_OTHERS, HANG_UP),
        *(HOME_REFRESH, HOME_MENTION),
        *(BULK_STOP, BULK_CANCEL, BULK_ABORT, BULK_REMAINDER, BULK_OLDEST, BULK_ASK_OTHERS, BULK_WITHOUT_BOT, UNWATCH),
        *(LIST_REFRESH, LIST_PREVIOUS, LIST_NEXT, LIST_SHARE, LIST_OPEN, LIST_STOP_ALL),
        *(AUDIT_OLDER, AUDIT_NEWER, AUDIT_OTHERWISE, RECAP_POST),
        *(PICK_SHOW, PICK_STOP, PICK_WATCH),
    }
)

# ---------------------------------------------------------------- values

_MARK: Final = "~"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_TICK: Final = timedelta(microseconds=1)
_ROW: Final = re.compile(r" (from|after|before):(-|[0-9]{1,17})\.([0-9a-f]{32})(?:\.([0-9]))?$", re.ASCII)
"""A row: the microsecond it was created in, its id, and how wrong it was."""
_PLACE: Final = re.compile(r" (before|after):([1-9][0-9]{0,8})$", re.ASCII)
"""Not longer than a sequence number can be in any database."""
_PERIOD: Final = re.compile(r"([0-9]{1,17})-([0-9]{1,17})", re.ASCII)


def encode_activeflow(activeflow_id: UUID) -> str:
    """Return the value of a button about one activeflow."""
    return str(activeflow_id)


def decode_activeflow(value: str) -> UUID:
    """Read what ``encode_activeflow`` wrote. Raises ``NotUnderstood``."""
    try:
        return UUID(value)
    except ValueError:
        raise _too_old() from None


def encode_listing(listing: List) -> str:
    """Return the value of a button about a list: what one would type for it, and where its page begins."""
    place = listing.place
    if place is None:
        return _inert(typed(listing))
    began = "-" if place.began is None else (place.began - _EPOCH) // _TICK
    rank = f".{place.rank}" if place.rank else ""
    return _inert(f"{typed(listing)} {place.side}:{began}.{place.id.hex}{rank}")


def decode_listing(value: str) -> List:
    """Read what ``encode_listing`` wrote. Raises ``NotUnderstood``."""
    value = _as_typed(value)
    row = _ROW.search(value)
    try:
        request = parse(value[: row.start()] if row else value)
    except NotUnderstood:
        raise _too_old() from None
    if not isinstance(request, List):
        raise _too_old()
    return replace(request, place=_place(row)) if row else request


def encode_stop_all(filters: Filters) -> str:
    """Return the value of a button that asks for a bulk stop: what one would type for it, without a reason."""
    return _inert(typed(StopAll(filters)))


def decode_stop_all(value: str) -> StopAll:
    """Read what ``encode_stop_all`` wrote. Raises ``NotUnderstood``."""
    try:
        request = parse(_as_typed(value))
    except NotUnderstood:
        raise _too_old() from None
    if not isinstance(request, StopAll):
        raise _too_old()
    return request


def _place(row: re.Match[str]) -> Place:
    side: Side = "from" if row[1] == "from" else "after" if row[1] == "after" else "before"
    return Place(side, None if row[2] == "-" else _EPOCH + int(row[2]) * _TICK, UUID(row[3]), int(row[4] or 0))


@dataclass(frozen=True, slots=True)
class AuditPage:
    """Which page of the records: older than ``before``, next newer than ``after``, or the newest."""

    asked: Audit
    before: int | None = None
    after: int | None = None


def encode_audit(asked: Audit, *, before: int | None = None, after: int | None = None) -> str:
    """Return the value of a button about records: what one would type for them, and where this page ends."""
    place = f" before:{before}" if before is not None else f" after:{after}" if after is not None else ""
    return _inert(f"{typed(asked)}{place}")


def decode_audit(value: str) -> AuditPage:
    """Read what ``encode_audit`` wrote. Raises ``NotUnderstood``."""
    value = _as_typed(value)
    place = _PLACE.search(value)
    try:
        request = parse(value[: place.start()] if place else value)
    except NotUnderstood:
        raise _too_old() from None
    if not isinstance(request, Audit):
        raise _too_old()
    return AuditPage(request, **({place[1]: int(place[2])} if place else {}))


def encode_period(since: datetime, until: datetime) -> str:
    """Return the value of a button about some hours."""
    return f"{max(since - _EPOCH, timedelta()) // _TICK}-{(until - _EPOCH) // _TICK}"


def decode_period(value: str) -> tuple[datetime, datetime]:
    """Read what ``encode_period`` wrote. Raises ``NotUnderstood``."""
    found = _PERIOD.fullmatch(value)
    if found is None:
        raise _too_old()
    since, until = (_EPOCH + int(found[number]) * _TICK for number in (1, 2))
    return since, until


def _inert(line: str) -> str:
    """Write letters, digits, ``-`` and ``_`` only, behind a mark that no line begins with."""
    return _MARK + urlsafe_b64encode(line.encode()).decode().rstrip("=")


def _as_typed(value: str) -> str:
    """Read what was typed, the other way round; what has no mark is as it was typed, by an older version. Raises
    ``NotUnderstood``.
    """
    if not value.startswith(_MARK):
        return unescape(value)
    digits = value.removeprefix(_MARK)
    try:
        return urlsafe_b64decode(digits + "=" * (-len(digits) % 4)).decode()
    except ValueError:
        raise _too_old() from None


def _too_old() -> NotUnderstood:
    return NotUnderstood("this button is from an older version of the bot and no longer works", "list")

"""Draw the list of running activeflows: what each is doing now, and how fresh and complete that is.

Decisions: each row is a section and, below it, its buttons, because Slack gives a section one button only and both
*Show* and *Stop…* must be one press away; ten rows take 23 of 50 blocks. *Stop…* is left out for whoever may not press
it. The shared list is for everybody in the channel: it has all buttons, and each press is decided anew.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Final

from bot.activeflows.callers import CallsLooked
from bot.activeflows.model import NO_NAME, Activeflow, Picture, Status, in_words, name_of
from bot.activeflows.operators import Operator, Permission
from bot.activeflows.queries.filters import ActiveflowGroup, Filters
from bot.activeflows.queries.home import AnomalousActiveflow, Overview
from bot.activeflows.queries.listing import PAGE, Listing, Place, Row, Side, Sort, at
from bot.slack import ids, kit
from bot.slack.blocks import activeflow_parts
from bot.slack.blocks.activeflow_parts import look_words, troubles_aloud
from bot.slack.grammar.requests import ACTIONS, List
from bot.slack.kit import bold, code, date_token, escaped, mention
from bot.slack.messaging.messenger import Message

# ---------------------------------------------------------------- freshness
# Say how fresh and how complete a list is, in the context line under it.
#
# What is followed says "live", or since when it cannot be and when it was read again; what was read once says when. A
# card that is followed says until when.

_BECAUSE: Final = {
    "": "older ones were not read",
    "pages": "older ones were not read",
    "time": "reading took too long, older ones were not read",
    "busy": "VoIPBIN asked to slow down, older ones were not read",
    "failed": "VoIPBIN stopped answering, older ones were not read",
    "ties": "too many began at the same moment, some could be missing",
}


def freshness(listing: Listing) -> str:
    """Return one line of mrkdwn: "3 running · as of 12:03:10 · complete since 11:02, older ones were not read"."""
    return " · ".join(_parts(listing))


def counted(listing: Listing) -> str:
    """Return how many there are: "3 running", "1 ended", "12 in all"."""
    status = listing.filters.status
    return f"{listing.total} in all" if status == "any" else f"{listing.total} {status}"


def followed(until: datetime | None) -> str:
    """Say within what bound a card keeps true what it says is so by now; ``None``: nobody looks (any more)."""
    if until is None:
        return "The bot has stopped checking. Please check it yourself."
    return f"The bot keeps checking until {date_token(until)} and updates this card."


def how_complete(looked: Listing | Picture) -> Iterator[str]:
    """Say what of the list of activeflows is known, and as of when."""
    yield _how_fresh(looked)
    if looked.complete_since is None:
        yield "complete"
    elif looked.stopped_because == "reading":
        read = looked.freshness.read if looked.freshness is not None else None
        share = "" if read is None else f" ({int(read * 100)} %)"
        yield f"last {in_words(looked.as_of - looked.complete_since)} complete, older still being read{share}"
    else:
        yield f"complete since {date_token(looked.complete_since)}, {because(looked)}"
    if looked.unreadable:
        yield f"{looked.unreadable} could not be read"


def because(looked: Listing | Picture | CallsLooked) -> str:
    """Return why it does not go further back."""
    return _BECAUSE.get(looked.stopped_because, _BECAUSE[""])


def left_out(hidden: int, unnamed: int) -> Iterator[str]:
    """Say what is not shown though it may fit."""
    if hidden:
        yield f"{hidden} hidden, no permission to view"
    if unnamed:
        yield f"{unnamed} could be missing, flow name not readable"


def _parts(listing: Listing) -> Iterator[str]:
    yield counted(listing)
    if listing.pages > 1:
        which = f"{listing.first + 1}–{listing.first + (len(listing.rows) or len(listing.groups))}"
        even = listing.first % PAGE == 0
        yield f"{which}, page {listing.page} of {listing.pages}" if even else f"{which} of {listing.length}"
    yield from how_complete(listing)
    yield from left_out(listing.hidden, listing.unnamed)


def _how_fresh(looked: Listing | Picture) -> str:
    freshness = looked.freshness
    if freshness is not None and freshness.live:
        return f"live, as of {date_token(looked.as_of)}"
    if freshness is not None and freshness.down_since is not None:
        down = date_token(freshness.down_since)
        return f"event stream down since {down}, re-read at {date_token(looked.as_of)}"
    return f"as of {date_token(looked.as_of)}"


# ---------------------------------------------------------------- activeflow list

STATUS_WORDS: Final = {Status.RUNNING: "Running", Status.ENDED: "Ended", Status.UNKNOWN: "Status unknown"}
_ORDERS: Final[Mapping[Sort, str]] = {
    "worst": "What is wrong first, then the oldest",
    "oldest": "The oldest first",
    "newest": "The newest first",
}
_TITLES: Final = {"running": "Running activeflows", "ended": "Ended activeflows", "any": "Activeflows"}


def activeflow_list(listing: Listing, operator: Operator, now: datetime, *, command: str) -> Message:
    """Draw the list for one person's eyes."""
    blocks = [*_top(listing, command), *(_group(listing, group, now) for group in listing.groups)]
    for row in listing.rows:
        may_stop = row.activeflow.running and operator.may(Permission.STOP, row.activeflow.flow_id)
        blocks += drawn_row(row, now, may_stop=may_stop)
    blocks += [
        kit.context(freshness(listing)),
        _below(listing, shared=False, may_stop=_may_stop_some(listing, operator)),
    ]
    return Message(_aloud(listing, now), tuple(blocks))


def shared_list(listing: Listing, now: datetime, *, command: str, by: str) -> Message:
    """Draw the list for everybody in the channel; ``by``: whose permission it was read with."""
    blocks = [*_top(listing, command), *(_group(listing, group, now) for group in listing.groups)]
    for row in listing.rows:
        blocks += drawn_row(row, now, may_stop=row.activeflow.running)
    blocks += [
        kit.context(f"{freshness(listing)} · read by {mention(by)}"),
        _below(listing, shared=True, may_stop=True),
    ]
    return Message(_aloud(listing, now), tuple(blocks))


def _top(listing: Listing, command: str) -> Iterator[kit.Block]:
    yield kit.header(_TITLES[listing.filters.status])
    asked = listing.filters.words()
    lines = [
        *([f"Only {code(asked, 400)}"] if asked else []),
        *([_ORDERS[listing.sort]] if listing.total > 1 and not listing.groups else []),
    ]
    if lines:
        yield kit.context(" · ".join(lines))
    if not listing.rows and not listing.groups:
        yield kit.section(_nothing(listing, command))


def _nothing(listing: Listing, command: str) -> str:
    if listing.similar:
        names = " or ".join(bold(name, 150) for name in listing.similar)
        return f"No flow is called {bold(listing.filters.flow or '', 150)}. Did you mean {names}?"
    if listing.filters.words():
        return f"No activeflow matches. All that run: {code(f'{command} list')}"
    return f"No activeflow is running. Those that ended: {code(f'{command} list status:ended')}"


def drawn_row(row: Row, now: datetime, *, may_stop: bool, why: str = "") -> list[kit.Block]:
    """Draw one line of a list with its buttons; ``why`` is mrkdwn that says what it is doing there."""
    activeflow, name = row.activeflow, row.flow_name
    buttons = [
        activeflow_parts.show(activeflow, name),
        *([activeflow_parts.ask_stop(activeflow, name)] if may_stop else []),
    ]
    text = "\n".join([_words(row, now), *([why] if why else [])])
    return [kit.section(text), kit.actions(*buttons)]


def _group(listing: Listing, group: ActiveflowGroup, now: datetime) -> kit.Block:
    filters = _of_group(listing, group)
    button = None if filters is None else activeflow_parts.open_list(filters, group.name or NO_NAME)
    return kit.section(_counted(group, now), accessory=button)


def _of_group(listing: Listing, group: ActiveflowGroup) -> Filters | None:
    """Return what selects those of one line; ``None`` when nothing that can be typed does."""
    if listing.by == "flow":
        flow_id = group.oldest.flow_id
        return None if flow_id is None else replace(listing.filters, flow=group.name or str(flow_id))
    return replace(listing.filters, action=group.name) if (group.name or "").casefold() in ACTIONS else None


def _may_stop_some(listing: Listing, operator: Operator) -> bool:
    return any(operator.may(Permission.BULK, row.activeflow.flow_id) for row in listing.rows)


def _counted(group: ActiveflowGroup, now: datetime) -> str:
    """Write one count, as in "*Support line* · 12, the oldest 4 min (`3c5b0f6d`)"."""
    age = group.oldest.age(now)
    since = "age unknown" if age is None else in_words(age)
    name = bold(name_of(group.name), 150)
    return f"{name} · {group.count}, the oldest {since} ({code(group.oldest.short_id)})"


def _words(row: Row, now: datetime) -> str:
    activeflow = row.activeflow
    lines = [
        f"{bold(name_of(row.flow_name), 150)}  {code(activeflow.short_id)}",
        f"{lived(activeflow, now)} · {escaped(row.situation.words, 400)} · {reference(activeflow)}",
    ]
    if row.situation.warning:
        lines.append(f"*Warning:* {escaped(row.situation.warning, 200)}")
    lines += look_words(row.troubles, row.situation)
    return "\n".join(lines)


def lived(activeflow: Activeflow, now: datetime) -> str:
    """Say how long it lived, as in "Running 4 min", "Ended 12:03:10": the status, always as a word, and its time."""
    word, age = STATUS_WORDS[activeflow.status], activeflow.age(now)
    if activeflow.ended and activeflow.updated_at is not None:
        return f"{word} {date_token(activeflow.updated_at)}"
    if activeflow.ended or age is None:
        return f"{word}, age unknown" if age is None else f"{word}, began {in_words(age)} ago"
    return f"{word} {in_words(age)}" if activeflow.status is Status.RUNNING else f"{word}, began {in_words(age)} ago"


def reference(activeflow: Activeflow) -> str:
    """Return what it runs for: "call `8f3a1b2c`", or "no reference"."""
    kind, id_ = activeflow.reference.type, activeflow.reference.id
    if not kind:
        return "no reference"
    return escaped(kind, 40) + (f" {code(id_.hex[:8])}" if id_ is not None else "")


def _below(listing: Listing, *, shared: bool, may_stop: bool) -> kit.Block:
    """Draw the buttons below the list: those that come first stay the first when they are read again; any other page
    stays where it is.
    """
    rows, page = [row.activeflow for row in listing.rows], listing.page
    here = _at("from", listing, 0) if rows and listing.first else None
    buttons = [_button("Refresh", ids.LIST_REFRESH, listing, page, here)]
    if listing.first:
        place = _at("before", listing, 0) if rows else None
        buttons.append(_button("Previous", ids.LIST_PREVIOUS, listing, max(page - 1, 1), place))
    if listing.more:
        buttons.append(_button("Next", ids.LIST_NEXT, listing, page + 1, _at("after", listing, -1) if rows else None))
    if not shared:
        buttons.append(_button("Share to channel", ids.LIST_SHARE, listing, page, here))
    if may_stop and listing.rows and listing.filters.status == "running" and listing.filters.words():
        value, label = ids.encode_stop_all(listing.filters), "Stop all of these: posts a card, nothing stops yet"
        buttons.append(kit.button("Stop all of these…", ids.LIST_STOP_ALL, value, label=label, danger=True))
    return kit.actions(*buttons)


def _at(side: Side, listing: Listing, number: int) -> Place:
    return at(side, listing.rows[number].activeflow, listing.ranks[number] if listing.ranks else 0)


def _button(text: str, action_id: str, listing: Listing, page: int, place: Place | None) -> kit.Element:
    label = f"{text}: page {page} of {listing.pages}" if action_id != ids.LIST_SHARE else f"{text}: this list"
    value = ids.encode_listing(
        List(listing.filters, page, listing.by, listing.sort if listing.by is None else None, place)
    )
    return kit.button(text, action_id, value, label=label)


def _aloud(listing: Listing, now: datetime) -> str:
    told = [f"{_TITLES[listing.filters.status]}: {counted(listing)}, as of {date_token(listing.as_of)}."]
    told += [f"{escaped(name_of(group.name), 80)}: {group.count}." for group in listing.groups]
    for row in listing.rows:
        told += row_aloud(row, now)
    return " ".join(told)


def row_aloud(row: Row, now: datetime) -> list[str]:
    """Return one line of a list, as sentences to be read aloud."""
    age = row.activeflow.age(now)
    since = "" if age is None else f", began {in_words(age)} ago"
    name = escaped(name_of(row.flow_name), 80)
    words = escaped(row.situation.words, 150)
    return [f"{name} {row.activeflow.short_id}: {words}{since}.", *troubles_aloud(row.troubles)]


# ---------------------------------------------------------------- overview
# Draw what runs now in a few lines: the largest flows, how fresh that is, and what is worth a look.


def overview_blocks(overview: Overview, now: datetime, *, command: str) -> Iterator[kit.Block]:
    """Draw the overview for one person's eyes."""
    listing = overview.listing
    if listing.groups:
        yield from (_group(listing, group, now) for group in listing.groups)
    else:
        yield kit.section("No activeflow that you can view is running.")
    more = overview.flows - len(listing.groups)
    others = f" · {more} more {'flow' if more == 1 else 'flows'}: {code(f'{command} list by flow')}" if more > 0 else ""
    yield kit.context(freshness(listing) + others)
    if overview.troubled:
        yield kit.section(bold("Worth a look"))
    for troubled in overview.troubled:
        yield _troubled(troubled, now)
    if words := _looked_through(overview):
        yield kit.context(words)


def _troubled(troubled: AnomalousActiveflow, now: datetime) -> kit.Block:
    activeflow, doing = troubled.activeflow, troubled.doing
    age = activeflow.age(now)
    name = f"{bold(name_of(doing.flow_name), 150)}  {code(activeflow.short_id)}"
    lived = "" if age is None else f"Running {in_words(age)} · "
    lines = [name, f"{lived}{escaped(doing.situation.words, 300)}", *look_words(troubled.troubles, doing.situation)]
    if doing.situation.warning:
        lines.append(f"*Warning:* {escaped(doing.situation.warning, 200)}")
    show = activeflow_parts.show(activeflow, doing.flow_name)
    block_id = f"{ids.SHOW}:{activeflow.id}"  # as for Refresh: it stays the same while the page completes itself
    return kit.section("\n".join(lines), accessory=show, block_id=block_id)


def _looked_through(overview: Overview) -> str:
    unseen = overview.listing.total - overview.judged
    left = overview.troubled_in_all - len(overview.troubled)
    said = [f"{left} more worth a look"] if left > 0 else []
    said += [f"the oldest {unseen} were not checked in time"] if unseen > 0 else []
    return " · ".join(said)

"""Say how fresh and how complete a list is, in the context line under it.

What is followed says "live", or since when it cannot be and when it was read again; what was read once says when. A
card that is followed says until when.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from bot.activeflows.ages import in_words
from bot.activeflows.callers import CallsLooked
from bot.activeflows.model import Picture
from bot.activeflows.queries.listing import Listing
from bot.activeflows.queries.pages import PAGE
from bot.slack.blocks.mrkdwn import date_token

_BECAUSE: Final = {
    "": "older ones were not read",
    "pages": "older ones were not read",
    "time": "reading took too long, older ones were not read",
    "busy": "VoIPBIN asked to slow down, older ones were not read",
    "failed": "VoIPBIN stopped answering, older ones were not read",
    "ties": "too many began at the same moment, some could be missing",
}


def freshness(listing: Listing) -> str:
    """One line of mrkdwn: "3 running · as of 12:03:10 · complete since 11:02, older ones were not read"."""
    return " · ".join(_parts(listing))


def counted(listing: Listing) -> str:
    """How many there are: "3 running", "1 ended", "12 in all"."""
    status = listing.filters.status
    return f"{listing.total} in all" if status == "any" else f"{listing.total} {status}"


def followed(until: datetime | None) -> str:
    """Within what bound a card keeps true what it says is so by now; ``None``: nobody looks (any more)."""
    if until is None:
        return "The bot has stopped checking. Please check it yourself."
    return f"The bot keeps checking until {date_token(until)} and updates this card."


def how_complete(looked: Listing | Picture) -> Iterator[str]:
    """What of the list of activeflows is known, and as of when."""
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
    """Why it does not go further back."""
    return _BECAUSE.get(looked.stopped_because, _BECAUSE[""])


def left_out(hidden: int, unnamed: int) -> Iterator[str]:
    """What is not shown though it may fit."""
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

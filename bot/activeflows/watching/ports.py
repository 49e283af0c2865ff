"""State what following activeflows needs from outside."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from bot.activeflows.index import Index
from bot.activeflows.watching.watch import (
    Observation,
    StoredWatch,
    Watch,
    WatchCardContent,
    WatchCardEdit,
    WatchEnding,
    WatchLimit,
)


class ViewCheck(Protocol):
    """May whoever wanted this watch still view what it follows, there? ``None`` when that is not known just now."""

    async def __call__(self, watch: Watch) -> bool | None: ...


class ActiveflowEvents(Protocol):
    """What runs, kept in memory."""

    @property
    def index(self) -> Index: ...

    @property
    def live(self) -> bool:
        """True while every change comes as an event, and all before was read."""
        ...


class WatchCards(Protocol):
    """The cards in the channel. Never raises for Slack's troubles."""

    async def edit(self, content: WatchCardContent) -> WatchCardEdit: ...


class WatchLedger(Protocol):
    """The watches, as they outlive the process. Every method may raise ``LedgerUnavailable``; then nothing was written.

    One process at a time follows them all: whoever holds the lease. Only its holder's ``keep`` and ``over`` count.
    """

    async def begin(self, watch: Watch, known: Observation) -> Watch | WatchLimit | None:
        """Keep a place for a watch whose card is not posted yet: ``None`` when it has it.

        Else the open one of this activeflow in this channel, or that there are too many.
        """
        ...

    async def posted(self, watch_id: str, message_ts: str) -> None:
        """Note that its card stands there: from now on it is followed."""
        ...

    async def not_posted(self, watch_id: str) -> None:
        """Forget a watch that has no card."""
        ...

    async def close(self, watch_id: str, ending: WatchEnding) -> WatchEnding | None:
        """Let it end so; the ending that stands, which is another one's who was first. ``None``: it is not open any
        more.
        """
        ...

    async def watch(self, watch_id: str) -> StoredWatch | None:
        """Return one that is not over."""
        ...

    async def watches(self, channel: str = "") -> Sequence[StoredWatch]:
        """Return all in this channel that are not over; without one, everywhere those whose card stands."""
        ...

    async def hold(self) -> bool:
        """Take or renew the lease, which is good for ``LEASE`` seconds; false while another process has it."""
        ...

    async def release(self) -> None: ...

    async def keep(self, watch_id: str, known: Observation) -> bool:
        """Remember what the card says next; false when it is over, or not ours to follow."""
        ...

    async def over(self, watch_id: str, at: datetime) -> bool:
        """End a watch whose last words are told. False when another process follows it now."""
        ...

    async def forget(self, before: datetime) -> int:
        """Drop those that were over by then; how many."""
        ...

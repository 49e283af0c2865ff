"""Bring what anybody in the bot reads of an activeflow into the index, and notice when the event stream keeps quiet about it.

What the bot knows, its lists say: a list never shows as running what a stop, or somebody's look, has read as ended.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from uuid import UUID

from bot.activeflows.index import Index
from bot.activeflows.model import Activeflow
from bot.voipbin.live.expected import Expected


class Learned:
    """The way of every reading into the index; for events it is ``running_page.Known``."""

    def __init__(
        self, index: Index, live_since: Callable[[], datetime | None], doubt: Callable[[], None], told_within: float
    ) -> None:
        """``doubt`` is called when a change that was read does not come as an event ``told_within`` seconds."""
        self._index, self._live_since = index, live_since
        self._expected = Expected(told_within, doubt)

    def learn(self, activeflow: Activeflow) -> None:
        """Take in one of ours that was read."""
        held, since = self._index.get(activeflow.id), self._live_since()
        if not self._index.take(activeflow) or since is None:
            return
        began = activeflow.created_at
        if held is not None or (began is not None and began > since):  # else it may have changed before any event
            self._expected.read(activeflow.id, activeflow.updated_at)

    def learn_all(self, rows: Iterable[Activeflow], ours: UUID) -> None:
        """The same for a page of the list; what has ended there and is not held is history."""
        for activeflow in rows:
            if activeflow.customer_id == ours and (not activeflow.ended or self._index.get(activeflow.id) is not None):
                self.learn(activeflow)

    def learn_gone(self, activeflow_id: UUID) -> None:
        """VoIPBIN was read not to have it any more."""
        if self._index.take_away(activeflow_id) and self._live_since() is not None:
            self._expected.read(activeflow_id, None)

    def forget(self) -> None:
        """Expect no event of what was read until now: the stream has ended."""
        self._expected.forget()

    def wants(self, activeflow_id: UUID, updated_at: datetime | None, steps: int) -> bool:
        """An event about it has come; does it say anything new?"""
        self._expected.heard(activeflow_id, updated_at)
        return self._index.wants(activeflow_id, updated_at, steps)

    def get(self, activeflow_id: UUID) -> Activeflow | None:
        return self._index.get(activeflow_id)

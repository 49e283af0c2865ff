"""Notice an event stream that lives and delivers nothing: what a reading told is expected to come as an event, too.

A ping that is answered proves a connection, and nothing about what is published on it
(https://api.voipbin.net/docs/websocket_overview.html). What proves that something is missing is a change that somebody
in the bot has read, of an activeflow that is followed, and that does not come within some seconds.
"""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from uuid import UUID

_BEGINNING = datetime.min.replace(tzinfo=UTC)


class Expected:
    """Changes that were read and have not come yet. ``missed`` is called when one has not come in time."""

    def __init__(self, within: float, missed: Callable[[], None]) -> None:
        """``within``: seconds."""
        self._within, self._missed = within, missed
        self._versions: dict[UUID, datetime] = {}
        self._timers: dict[UUID, asyncio.TimerHandle] = {}

    def read(self, activeflow_id: UUID, updated_at: datetime | None) -> None:
        """A change of then was read; ``None``: one that has no time, such as being deleted."""
        self._versions[activeflow_id] = updated_at or _BEGINNING
        if activeflow_id not in self._timers:
            loop = asyncio.get_running_loop()
            self._timers[activeflow_id] = loop.call_later(self._within, self._overdue)

    def heard(self, activeflow_id: UUID, updated_at: datetime | None) -> None:
        """An event about it came."""
        expected = self._versions.get(activeflow_id)
        if expected is not None and (updated_at or _BEGINNING) >= expected:
            del self._versions[activeflow_id]
            self._timers.pop(activeflow_id).cancel()

    def forget(self) -> None:
        """Expect nothing of what was: the stream has ended."""
        for timer in self._timers.values():
            timer.cancel()
        self._versions.clear()
        self._timers.clear()

    def _overdue(self) -> None:
        self.forget()
        self._missed()

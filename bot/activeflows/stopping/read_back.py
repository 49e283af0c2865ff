"""Read an activeflow back after a stop was sent: ended, running, or not readable.

VoIPBIN answers a stop the same whether it ended the activeflow or found it ended, and a caller may hang up in that
moment. The call tells: a stop ends the activeflow first and the call after it, a caller the other way round. Both times
are VoIPBIN's own. https://api.voipbin.net/docs/activeflow_overview.html
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial
from uuid import UUID

from bot.activeflows.errors import NOT_SHOWN, Failure, NotFound, NotOurs
from bot.activeflows.ports import VoIPBIN
from bot.activeflows.queries.inspection import in_time
from bot.activeflows.stopping.failures import NO_TROUBLE, Trouble
from bot.activeflows.stopping.stop import hung_up_first
from bot.activeflows.stopping.timeouts import Patience


class State(StrEnum):
    ENDED = "ended"
    RUNNING = "running"
    UNREAD = "unread"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the last readings said. ``at`` is VoIPBIN's time of the end; a deleted activeflow counts as ended."""

    state: State = State.UNREAD
    at: datetime | None = None
    by_itself: bool | None = False
    """``None``: the call, which would say whether its caller hung up first, could not be read."""
    trouble: Trouble = NO_TROUBLE
    read_at: datetime | None = None
    """When it was seen running: a run that goes on after a restart says so of the reading, not of the restart."""
    hanging_up: bool = False
    """Of a call that is not over: it is on its way out."""

    @property
    def ended(self) -> bool:
        return self.state is State.ENDED


class Readback:
    """Reads an activeflow, and whose doing its end was."""

    def __init__(self, voipbin: VoIPBIN, patience: Patience, now: Callable[[], datetime]) -> None:
        self._voipbin, self._patience, self._now = voipbin, patience, now

    async def once(self, activeflow_id: UUID, call_id: UUID | None = None) -> Verdict:
        """``call_id``: of the call it ran for, to learn whose doing the end was."""
        try:
            activeflow = await self._voipbin.activeflow(activeflow_id)
        except NotFound:
            return Verdict(State.ENDED, trouble=Trouble("VoIPBIN no longer has this activeflow"))
        except NotOurs:  # it is there, and whether it runs is not shown
            return Verdict(State.UNREAD, trouble=Trouble(NOT_SHOWN))
        except Failure as failure:
            return Verdict(State.UNREAD, trouble=Trouble(failure.what, failure.request_id))
        if activeflow.ended:
            by_itself = activeflow.ended_by_itself or await self._hung_up_first(call_id, activeflow.updated_at)
            return Verdict(State.ENDED, at=activeflow.updated_at, by_itself=by_itself)
        return Verdict(State.RUNNING, at=activeflow.updated_at, read_at=self._now())

    async def _hung_up_first(self, call_id: UUID | None, ended_at: datetime | None) -> bool | None:
        if call_id is None:
            return False
        looked = await in_time(partial(self._voipbin.call, call_id), self._patience.side_look)
        call = looked.value
        if not looked.answered:
            return None
        if call is None or not call.over:
            return False
        if call.hangup_at is None or ended_at is None:
            return None
        return hung_up_first(call.hangup_at, ended_at)


class ReadUntilEnded:
    """Waits for the end: ``soon`` (seconds), ``settled`` (until a lost POST must be over). ``once`` reads."""

    def __init__(self, patience: Patience, now: Callable[[], datetime]) -> None:
        self._patience, self._now = patience, now

    async def soon(self, once: Callable[[], Awaitable[Verdict]]) -> Verdict:
        return await self._until_ended(once, self._patience.soon)

    async def settled(self, once: Callable[[], Awaitable[Verdict]]) -> Verdict:
        """The verdict counts only once ``settle`` has passed, or it has ended."""
        until = self._now() + timedelta(seconds=self._patience.settle)

        def pauses() -> Iterable[float]:
            yield self._patience.every
            while self._now() < until:
                yield self._patience.every

        return await self._until_ended(once, pauses())

    async def _until_ended(self, once: Callable[[], Awaitable[Verdict]], pauses: Iterable[float]) -> Verdict:
        verdict = Verdict()
        for pause in pauses:
            await asyncio.sleep(pause)
            verdict = await once()
            if verdict.ended:
                break
        return verdict

"""The incident channel: every word on a card, from which moment on, and whose presses were heard of."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bot.activeflows.bulk.bulk_stop import Bulk, Run
from bot.activeflows.stopping.ports import Guard
from bot.activeflows.stopping.stop import Declined, Intent, Phase, Press
from bot.slack.cards.bulk_card import bulk_card
from bot.slack.cards.stop_card import stop_card
from tests.faults.directory import SLACK


class Process:
    """Alive until it is killed; then whatever of it still wants to write or speak, cannot."""

    alive = True

    def must_live(self) -> None:
        if not self.alive:
            raise asyncio.CancelledError


@dataclass(frozen=True)
class Telling:
    """What everybody in the channel read from one moment on, on one card."""

    at: datetime
    card: str
    intent: Intent
    phase: Phase
    words: str
    press: Press | None


@dataclass(frozen=True)
class BulkTelling:
    """The same, on a bulk card."""

    at: datetime
    bulk: Bulk
    run: Run
    words: str


@dataclass
class Channel:
    """The cards as everybody sees them. ``deaf``: so many changes of a card fail, and are told to the presser alone."""

    now: Any
    deaf: int = 0
    tellings: list[Telling] = field(default_factory=list)
    bulk_tellings: list[BulkTelling] = field(default_factory=list)
    missed: set[str] = field(default_factory=set)
    heard: set[str] = field(default_factory=set)
    """Ids of the presses that somebody heard about."""
    listens: Callable[[Telling], None] = lambda _: None
    listens_to_bulk: Callable[[BulkTelling], None] = lambda _: None

    def last(self, card: str) -> Telling | None:
        return next((telling for telling in reversed(self.tellings) if telling.card == card), None)

    def last_of_bulk(self, bulk_id: str) -> BulkTelling | None:
        return next((telling for telling in reversed(self.bulk_tellings) if telling.bulk.id == bulk_id), None)

    def loses(self, card: str) -> bool:
        """Whether this change of the card fails."""
        if not self.deaf:
            return False
        self.deaf -= 1
        self.missed.add(card)
        return True


class Cards:
    """``stopping.ports.Cards`` of one process."""

    def __init__(self, channel: Channel, process: Process) -> None:
        self._channel, self._process = channel, process

    async def show(self, intent: Intent, phase: Phase, press: Press | None, *, guard: Guard | None = None) -> bool:
        if guard is not None:
            await guard()
        await self._speaks(press)
        card = intent.message_ts
        if not self._channel.loses(card):
            words = stop_card(intent, phase, "/flows").text
            telling = Telling(self._channel.now(), card, intent, phase, words, press)
            self._channel.tellings.append(telling)
            self._channel.listens(telling)
        return True

    async def redraw(
        self,
        intent: Intent,
        phase: Callable[[], Awaitable[Phase | None]],
        press: Press | None = None,  # noqa: ARG002 # the port's
    ) -> bool:
        now = await phase()
        return now is not None and await self.show(intent, now, None)

    async def decline(self, press: Press, declined: Declined) -> bool:  # noqa: ARG002 # the port's
        await self._speaks(press)
        return True

    def begun(self, press: Press) -> None:
        pass

    async def _speaks(self, press: Press | None) -> None:
        await asyncio.sleep(SLACK)
        self._process.must_live()
        if press is not None:
            self._channel.heard.add(press.id)


class BulkCards(Cards):
    """``bulk.ports.BulkCards`` of one process."""

    async def show(self, bulk: Bulk, run: Run, press: Press | None, *, guard: Guard | None = None) -> bool:  # type: ignore[override] # another card
        if guard is not None:
            await guard()
        await self._speaks(press)
        if not self._channel.loses(bulk.id):
            telling = BulkTelling(self._channel.now(), bulk, run, bulk_card(bulk, run, "/flows").text)
            self._channel.bulk_tellings.append(telling)
            self._channel.listens_to_bulk(telling)
        return True

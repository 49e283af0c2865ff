"""Run the stop workflows durably: recorded, taken over from what died, and told when they are stuck."""

from collections.abc import Callable
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from functools import partial
from typing import Final
from uuid import uuid4

import structlog

from bot.activeflows.anomalies.detector import AnomalyDetector
from bot.activeflows.bulk.ports import BulkCards
from bot.activeflows.bulk.request import BulkRequests
from bot.activeflows.operators import Policy
from bot.activeflows.stopping.ports import Ledger, People, PressCards
from bot.activeflows.stopping.timeouts import Patience
from bot.activeflows.stopping.unrecorded import Unrecorded
from bot.composition.background import beside, forever
from bot.composition.stop_workflows import StopWorkflows
from bot.ledger.bulk_store import BulkStore
from bot.ledger.clock import COMPARE_EVERY, SharedClock
from bot.ledger.database import Database
from bot.ledger.durable_workflows import RECORD_WITHIN, VERSION, Durable
from bot.ledger.earlier_presses import adopt
from bot.ledger.outage import Silence
from bot.ledger.replicas import LastSign, Replicas
from bot.ledger.stop_store import forget_runs
from bot.voipbin import VoIPBINClient

log = structlog.get_logger(__name__)
SILENT_AFTER: Final = 8.0
"""Seconds without an answer of the database until whoever waits for a stop is told so."""


class Workflows:
    """What every kind of press needs. ``durable`` takes presses once ``begin`` was called."""

    def __init__(
        self,
        voipbin: VoIPBINClient,
        database: Database,
        ledger: Ledger,
        people: People,
        *,
        policy: Callable[[], Policy],
        patience: Patience,
        clock: SharedClock,
        last_sign: LastSign,
        judging: AnomalyDetector,
        record_within: timedelta = RECORD_WITHIN,
        silent_after: float = SILENT_AFTER,
    ) -> None:
        self._voipbin, self._database, self._ledger, self._people = voipbin, database, ledger, people
        self._policy, self._patience, self._clock, self._last_sign = policy, patience, clock, last_sign
        self._judging = judging
        self._silent_after = silent_after
        executor_id = str(uuid4()) if database.is_postgresql else "sqlite"
        self.durable = Durable(database.url, executor_id=executor_id, now=clock.now, record_within=record_within)
        self.bulks = BulkStore(database)

    async def begin(
        self, cards: PressCards, bulk_cards: BulkCards, stack: AsyncExitStack, *, within: float
    ) -> BulkRequests:
        """Carry out presses from now on, those first that were cut off; ``within``: seconds they get at the end."""
        stack.push_async_callback(self.durable.close, within=within)
        now = self._clock.now
        stops = StopWorkflows(
            self._voipbin,
            self._ledger,
            self.bulks,
            self._people,
            cards,
            bulk_cards,
            self.durable,
            policy=self._policy,
            patience=self._patience,
            now=now,
            judging=self._judging,
        )
        if self._database.is_postgresql:
            await self._clock.compare()
            await stack.enter_async_context(beside(forever(self._clock.compare, every=COMPARE_EVERY)))
        unrecorded = Unrecorded(self._ledger, cards, now=now)
        await self._adopt(self.durable.executor_id)
        await self.durable.launch(stops.carry_out, stops.carry_out_member, unrecorded.refuse, cards.stuck)
        silence = Silence(
            self._database,
            lambda: bool(self.durable.under_way()),
            partial(_tell_stuck, self.durable, cards),
            after=self._silent_after,
        )
        await stack.enter_async_context(beside(silence.attend()))
        if self._database.is_postgresql:
            aside = self._database.apart()  # signs of life do not wait for the work
            stack.push_async_callback(aside.close)
            replicas = Replicas(aside, self.durable.executor_id, self._take_over, self._last_sign)
            await replicas.arrive()
            await stack.enter_async_context(beside(replicas.attend()))
        return stops.bulk_requests

    async def forget(self, before: datetime) -> int:
        """Delete what is kept of presses that were over before then, and the numbers of their runs; how many presses."""
        over = await self.durable.over_before(before)
        await self._database.within(partial(forget_runs, before=over))
        return await self.durable.forget(before)

    async def _adopt(self, executor_id: str) -> None:
        """What an earlier build left behind of this executor is carried out by this one."""
        adopted = await self._database.within(lambda connection: adopt(connection, VERSION, executor_id))
        if adopted:
            log.warning("earlier_presses_adopted", count=adopted)

    async def _take_over(self, executor_id: str) -> None:
        await self._adopt(executor_id)
        await self.durable.take_over(executor_id)


async def _tell_stuck(durable: Durable, cards: PressCards) -> None:
    for press in durable.under_way():
        await cards.stuck(press, None)

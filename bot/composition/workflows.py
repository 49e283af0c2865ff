"""Run the stop workflows durably: recorded, taken over from what died, and told when they are stuck."""

from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Final
from uuid import uuid4

import structlog

from bot.activeflows.bulk.bulk_stop import Became
from bot.activeflows.stopping.ports import Step
from bot.activeflows.stopping.stop import Press
from bot.composition.background import beside, forever
from bot.ledger.clock import COMPARE_EVERY, SharedClock
from bot.ledger.database import Database
from bot.ledger.durable_workflows import RECORD_WITHIN, VERSION, Broken, CarryOut, CarryOutMember, Durable, Refuse
from bot.ledger.earlier_presses import adopt
from bot.ledger.outage import Silence
from bot.ledger.replicas import LastSign, Replicas
from bot.ledger.stop_store import forget_runs

log = structlog.get_logger(__name__)
SILENT_AFTER: Final = 8.0
"""Seconds without an answer of the database until whoever waits for a stop is told so."""


@dataclass(frozen=True)
class Carrier:
    """What carries out the presses on the cards of one VoIPBIN account."""

    carry_out: CarryOut
    carry_out_member: CarryOutMember
    refuse: Refuse
    stuck: Broken


class Workflows:
    """What every kind of press needs. ``durable`` takes presses once ``begin`` was called."""

    def __init__(
        self,
        database: Database,
        *,
        clock: SharedClock,
        last_sign: LastSign,
        record_within: timedelta = RECORD_WITHIN,
        silent_after: float = SILENT_AFTER,
    ) -> None:
        self._database, self._clock, self._last_sign = database, clock, last_sign
        self._silent_after = silent_after
        executor_id = str(uuid4()) if database.is_postgresql else "sqlite"
        self.durable = Durable(database.url, executor_id=executor_id, now=clock.now, record_within=record_within)

    async def begin(self, carriers: Mapping[str, Carrier], stack: AsyncExitStack, *, within: float) -> None:
        """Carry out presses from now on, those first that were cut off; ``within``: seconds they get at the end.

        ``carriers``: by the name of the account that a press is on a card of.
        """
        stack.push_async_callback(self.durable.close, within=within)

        async def carry_out(press: Press, step: Step) -> None:
            await carriers[press.account].carry_out(press, step)

        async def carry_out_member(press: Press, number: int, step: Step) -> Became:
            return await carriers[press.account].carry_out_member(press, number, step)

        async def refuse(press: Press, told: bool) -> bool:
            return await carriers[press.account].refuse(press, told)

        async def stuck(press: Press, bug: Exception | None) -> None:
            await carriers[press.account].stuck(press, bug)

        if self._database.is_postgresql:
            await self._clock.compare()
            await stack.enter_async_context(beside(forever(self._clock.compare, every=COMPARE_EVERY)))
        await self._adopt(self.durable.executor_id)
        await self.durable.launch(carry_out, carry_out_member, refuse, stuck)
        silence = Silence(
            self._database,
            lambda: bool(self.durable.under_way()),
            partial(_tell_stuck, self.durable, stuck),
            after=self._silent_after,
        )
        await stack.enter_async_context(beside(silence.attend()))
        if self._database.is_postgresql:
            aside = self._database.apart()  # signs of life do not wait for the work
            stack.push_async_callback(aside.close)
            replicas = Replicas(aside, self.durable.executor_id, self._take_over, self._last_sign)
            await replicas.arrive()
            await stack.enter_async_context(beside(replicas.attend()))

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


async def _tell_stuck(durable: Durable, stuck: Broken) -> None:
    for press in durable.under_way():
        await stuck(press, None)

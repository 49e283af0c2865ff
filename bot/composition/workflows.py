"""Compose what carries out presses: lone stops, hang-ups and bulk stops, as durable workflows."""

from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Final
from uuid import uuid4

import structlog

from bot.activeflows.bulk.authorization import PressingBulk
from bot.activeflows.bulk.execution import Bulking
from bot.activeflows.bulk.final_check import LookingAround
from bot.activeflows.bulk.hang_up_results import HungUp
from bot.activeflows.bulk.ports import BulkCards
from bot.activeflows.bulk.preparation import BulkPreparation
from bot.activeflows.bulk.request import BulkRequests
from bot.activeflows.bulk.snapshot import BulkSnapshot
from bot.activeflows.operators import Policy
from bot.activeflows.stopping.admission import Admitting
from bot.activeflows.stopping.aftermath import Aftermath
from bot.activeflows.stopping.authorization import Authorization
from bot.activeflows.stopping.follow_up import Follow
from bot.activeflows.stopping.gate import Gate
from bot.activeflows.stopping.machine import StopMachine
from bot.activeflows.stopping.ports import Cards, Ledger, People, PressCards
from bot.activeflows.stopping.read_back import Readback
from bot.activeflows.stopping.reconfirmation import Renewal
from bot.activeflows.stopping.stop import Wish
from bot.activeflows.stopping.subject import ActiveflowSubject, CallSubject
from bot.activeflows.stopping.timeouts import Patience
from bot.activeflows.stopping.unrecorded import Unrecorded
from bot.activeflows.stopping.workflow import HangUpWorkflow, StopWorkflow
from bot.composition.background import beside, forever
from bot.ledger import run_fences
from bot.ledger.bulk_store import BulkStore
from bot.ledger.clock import COMPARE_EVERY, SharedClock
from bot.ledger.database import Database
from bot.ledger.durable_workflows import RECORD_WITHIN, VERSION, CarryOut, Durable
from bot.ledger.earlier_presses import adopt
from bot.ledger.outage import Silence
from bot.ledger.replicas import LastSign, Replicas
from bot.voipbin import Urgency, VoIPBINClient

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
        record_within: timedelta = RECORD_WITHIN,
        silent_after: float = SILENT_AFTER,
    ) -> None:
        self._voipbin, self._database, self._ledger, self._people = voipbin, database, ledger, people
        self._policy, self._patience, self._clock, self._last_sign = policy, patience, clock, last_sign
        self._silent_after = silent_after
        executor_id = str(uuid4()) if database.is_postgresql else "sqlite"
        self.durable = Durable(database.url, executor_id=executor_id, record_within=record_within)
        self.bulks = BulkStore(database)
        self._authorization = Authorization(people, policy)
        self._gate = Gate(ledger, self._authorization)
        self._admitting = Admitting(ledger, self._authorization, now=clock.now)

    async def begin(
        self, cards: PressCards, bulk_cards: BulkCards, stack: AsyncExitStack, *, within: float
    ) -> BulkRequests:
        """Carry out presses from now on, those first that were cut off; ``within``: seconds they get at the end."""
        stack.push_async_callback(self.durable.close, within=within)
        now = self._clock.now
        freezing = BulkSnapshot(self._voipbin.with_urgency(Urgency.BULK), now)
        bulking = self._bulking(bulk_cards, freezing)
        hung_up = HungUp(self.bulks, bulk_cards)
        if self._database.is_postgresql:
            await self._clock.compare()
            await stack.enter_async_context(beside(forever(self._clock.compare, every=COMPARE_EVERY)))
        unrecorded = Unrecorded(self._ledger, cards, now=now)
        by_wish = self._by_wish(cards, bulking, hung_up)
        await self._adopt(self.durable.executor_id)
        await self.durable.launch(by_wish, bulking.carry_out_member, unrecorded.refuse, cards.stuck)
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
        return BulkRequests(self.bulks, BulkPreparation(freezing, now=now), now=now)

    async def forget(self, before: datetime) -> int:
        """Delete what is kept of presses that were over before then, and the numbers of their runs; how many presses."""
        over = await self.durable.over_before(before)
        await self._database.within(partial(run_fences.forget, before=over))
        return await self.durable.forget(before)

    async def _adopt(self, executor_id: str) -> None:
        """What an earlier build left behind of this executor is carried out by this one."""
        adopted = await self._database.within(lambda connection: adopt(connection, VERSION, executor_id))
        if adopted:
            log.warning("earlier_presses_adopted", count=adopted)

    async def _take_over(self, executor_id: str) -> None:
        await self._adopt(executor_id)
        await self.durable.take_over(executor_id)

    def _by_wish(self, cards: Cards, bulking: Bulking, hung_up: HungUp) -> CarryOut:
        now, patience = self._clock.now, self._patience
        aftermath = Aftermath(self._voipbin, patience, now)
        subject = ActiveflowSubject(self._voipbin, self._gate, patience, now=now)
        follow = Follow(self._ledger, subject, aftermath, patience, now=now)
        stop = StopWorkflow(self._ledger, cards, self._admitting, self._lone(), aftermath, follow)
        wishes: dict[Wish, CarryOut] = {
            Wish.STOP: stop.carry_out,
            Wish.HANG_UP: self._hang_up(cards, hung_up).carry_out,
            Wish.BULK: bulking.carry_out,
        }
        return lambda press, step: wishes[press.wish](press, step)

    def _lone(self) -> StopMachine:
        voipbin, ledger, patience, now = self._voipbin, self._ledger, self._patience, self._clock.now
        subject = ActiveflowSubject(voipbin, self._gate, patience, now=now)
        renewal = Renewal(voipbin, ledger, policy=self._policy, patience=patience, now=now)
        return StopMachine(ledger, subject, renewal, patience=patience, now=now)

    def _hang_up(self, cards: Cards, hung_up: HungUp) -> HangUpWorkflow:
        """A call that was told to hang up is looked at for some seconds, and not followed for minutes."""
        now, patience = self._clock.now, replace(self._patience, soon=self._patience.after, looks=0, follow_for=0)
        subject = CallSubject(self._voipbin, self._gate, now=now)
        machine = StopMachine(self._ledger, subject, None, patience=patience, now=now)
        return HangUpWorkflow(self._ledger, cards, self._admitting, machine, subject, of_member=hung_up.tell, now=now)

    def _bulking(self, cards: BulkCards, freezing: BulkSnapshot) -> Bulking:
        """A member is stopped by the machine of a lone stop, less urgently, and nobody waits minutes for one not known."""
        voipbin, patience, now = (
            self._voipbin.with_urgency(Urgency.BULK),
            replace(self._patience, looks=0, follow_for=0),
            self._clock.now,
        )
        subject = ActiveflowSubject(voipbin, self._gate, patience, now=now)
        return Bulking(
            bulks=self.bulks,
            ledger=self._ledger,
            cards=cards,
            pressing=PressingBulk(self.bulks, self._ledger, self._authorization, now=now),
            machine=StopMachine(self._ledger, subject, None, patience=patience, now=now),
            around=LookingAround(
                self._people, freezing, Readback(voipbin, patience, now), Aftermath(voipbin, patience, now)
            ),
            members=self.durable,
            now=now,
        )


async def _tell_stuck(durable: Durable, cards: PressCards) -> None:
    for press in durable.under_way():
        await cards.stuck(press, None)

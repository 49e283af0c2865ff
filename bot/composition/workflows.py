"""Run the stop workflows durably: recorded, taken over from what died, and told when they are stuck."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Final
from uuid import uuid4

import structlog

from bot.activeflows.anomalies import AnomalyDetector
from bot.activeflows.bulk.authorization import BulkPressAdmission
from bot.activeflows.bulk.execution import BulkStopWorkflow, HungUp, MemberWorkflow
from bot.activeflows.bulk.follow_up import BulkFollowUp, BulkReadback
from bot.activeflows.bulk.ports import BulkCards, BulkLedger, Members
from bot.activeflows.bulk.request import BulkPreparation, BulkRequests, OriginLookup
from bot.activeflows.bulk.snapshot import BulkSnapshot
from bot.activeflows.operators import Policy
from bot.activeflows.stopping.authorization import Authorization, Gate, PressAdmission
from bot.activeflows.stopping.follow_up import Aftermath, StopFollowUp
from bot.activeflows.stopping.machine import Renewal, StopMachine
from bot.activeflows.stopping.max_ages import boot_time
from bot.activeflows.stopping.ports import Cards, Ledger, People
from bot.activeflows.stopping.read_back import ActiveflowSubject, CallSubject, Readback
from bot.activeflows.stopping.stop import Patience, PressKind
from bot.activeflows.stopping.workflow import HangUpWorkflow, StopWorkflow
from bot.composition.background import beside, forever
from bot.ledger.database import COMPARE_EVERY, Database, SharedClock
from bot.ledger.durable_workflows import RECORD_WITHIN, VERSION, Carrier, CarryOut, Durable
from bot.ledger.health import LedgerProbe
from bot.ledger.replicas import Replicas, SignOfLife
from bot.ledger.stop_store import forget_runs
from bot.ledger.workflow_rows import adopt
from bot.voipbin import Urgency, VoIPBINClient

# ---------------------------------------------------------------- stop workflows
# Compose the stop machine: for a lone stop, for a hang-up, and for each member of a bulk stop.


class StopWorkflows:
    """Carries out every kind of press with one machine, each to a true sentence (``by_wish``).

    ``bulk_requests`` makes the cards of bulk stops.

    ``clock``: seconds since the machine's start, sleep included; for the gate, which says how old a look may be.
    """

    def __init__(
        self,
        voipbin: VoIPBINClient,
        ledger: Ledger,
        bulks: BulkLedger,
        people: People,
        cards: Cards,
        bulk_cards: BulkCards,
        members: Members,
        *,
        policy: Callable[[], Policy],
        patience: Patience,
        now: Callable[[], datetime],
        detector: AnomalyDetector | None = None,
        clock: Callable[[], float] = boot_time,
    ) -> None:
        self._voipbin, self._ledger, self._bulks, self._cards, self._bulk_cards = (
            voipbin,
            ledger,
            bulks,
            cards,
            bulk_cards,
        )
        self._people, self._policy, self._patience, self._now = people, policy, patience, now
        self._detector = detector
        self._authorization = Authorization(people, policy)
        self._gate = Gate(ledger, self._authorization, clock=clock)
        self._admission = PressAdmission(ledger, self._authorization, now=now)
        snapshot = BulkSnapshot(voipbin.with_urgency(Urgency.BULK), now, detector=detector)
        self.bulk_requests = BulkRequests(bulks, BulkPreparation(snapshot, now=now), policy=policy, now=now)
        bulk, member = self._bulk(snapshot, members)
        self.carry_out_member = member.carry_out
        self.by_wish: Mapping[PressKind, CarryOut] = {
            PressKind.STOP: self._lone().carry_out,
            PressKind.HANG_UP: self._hang_up().carry_out,
            PressKind.BULK: bulk.carry_out,
        }

    def _lone(self) -> StopWorkflow:
        voipbin, ledger, patience, now = self._voipbin, self._ledger, self._patience, self._now
        aftermath = Aftermath(voipbin, patience, now)
        subject = ActiveflowSubject(voipbin, self._gate, patience, now=now)
        renewal = Renewal(voipbin, ledger, policy=self._policy, patience=patience, now=now)
        machine = StopMachine(ledger, subject, renewal, patience=patience, now=now)
        follow = StopFollowUp(ledger, subject, aftermath, patience, now=now)
        return StopWorkflow(
            ledger,
            self._cards,
            self._admission,
            machine,
            aftermath,
            follow,
            in_hand_after=patience.in_hand_after,
            now=now,
        )

    def _hang_up(self) -> HangUpWorkflow:
        """Build the work of a hang-up, whose call is looked at for some seconds, and not followed for minutes."""
        now, patience = self._now, replace(self._patience, soon=self._patience.after, looks=0, follow_for=0)
        subject = CallSubject(self._voipbin, self._gate, now=now)
        machine = StopMachine(self._ledger, subject, None, patience=patience, now=now)
        of_member = HungUp(self._bulks, self._bulk_cards).tell
        return HangUpWorkflow(
            self._ledger, self._cards, self._admission, machine, subject, of_member=of_member, now=now
        )

    def _bulk(self, snapshot: BulkSnapshot, members: Members) -> tuple[BulkStopWorkflow, MemberWorkflow]:
        """Build the work of a bulk stop: a member is stopped by the machine of a lone stop, less urgently, and
        nobody waits minutes for one not known.
        """
        voipbin, now = self._voipbin.with_urgency(Urgency.BULK), self._now
        patience = replace(self._patience, looks=0, follow_for=0)
        subject = ActiveflowSubject(voipbin, self._gate, patience, now=now, detector=self._detector)
        readback, aftermath = Readback(voipbin, patience, now), Aftermath(voipbin, patience, now)
        machine = StopMachine(self._ledger, subject, None, patience=patience, now=now)
        around = BulkReadback(
            self._people, snapshot, readback, aftermath, OriginLookup(self._voipbin, now=now), now=now
        )
        bulk = BulkStopWorkflow(
            bulks=self._bulks,
            ledger=self._ledger,
            cards=self._bulk_cards,
            pressing=BulkPressAdmission(self._bulks, self._ledger, self._authorization, now=now),
            around=around,
            follow=BulkFollowUp(self._bulks, self._bulk_cards, around, self._patience, now=now),
            members=members,
            unanswered=machine.unanswered,
            now=now,
        )
        return bulk, MemberWorkflow(self._bulks, self._ledger, machine, now=now)


# ---------------------------------------------------------------- workflows

log = structlog.get_logger(__name__)
SILENT_AFTER: Final = 8.0
"""Seconds without an answer of the database until whoever waits for a stop is told so."""


class Workflows:
    """What every kind of press needs. ``durable`` takes presses once ``begin`` was called."""

    def __init__(
        self,
        database: Database,
        *,
        clock: SharedClock,
        last_sign: SignOfLife,
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
        if self._database.is_postgresql:
            await self._clock.compare()
            await stack.enter_async_context(beside(forever(self._clock.compare, every=COMPARE_EVERY)))
        await self._adopt(self.durable.executor_id)
        await self.durable.launch(carriers)
        silence = LedgerProbe(
            self._database,
            lambda: bool(self.durable.under_way()),
            partial(_tell_stuck, self.durable, carriers),
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
        """Delete what is kept of presses that were over before then, and the numbers of their runs; how many
        presses.
        """
        over = await self.durable.over_before(before)
        await self._database.within(partial(forget_runs, before=over))
        return await self.durable.forget(before)

    async def _adopt(self, executor_id: str) -> None:
        """Adopt what an earlier build left behind of this executor."""
        adopted = await self._database.within(lambda connection: adopt(connection, VERSION, executor_id))
        if adopted:
            log.warning("earlier_presses_adopted", count=adopted)

    async def _take_over(self, executor_id: str) -> None:
        await self._adopt(executor_id)
        await self.durable.take_over(executor_id)


async def _tell_stuck(durable: Durable, carriers: Mapping[str, Carrier]) -> None:
    await asyncio.gather(*(carriers[press.account].stuck(press, None) for press in durable.under_way()))

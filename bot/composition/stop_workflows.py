"""Compose the stop machine: for a lone stop, for a hang-up, and for each member of a bulk stop."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from bot.activeflows.anomalies.detector import AnomalyDetector
from bot.activeflows.bulk.authorization import PressingBulk
from bot.activeflows.bulk.execution import BulkStopWorkflow
from bot.activeflows.bulk.final_check import LookingAround
from bot.activeflows.bulk.follow_up import BulkFollow
from bot.activeflows.bulk.hang_up_results import HungUp
from bot.activeflows.bulk.member import MemberWorkflow
from bot.activeflows.bulk.origin import OriginLookup
from bot.activeflows.bulk.ports import BulkCards, BulkLedger, Members
from bot.activeflows.bulk.preparation import BulkPreparation
from bot.activeflows.bulk.request import BulkRequests
from bot.activeflows.bulk.snapshot import BulkSnapshot
from bot.activeflows.operators import Policy
from bot.activeflows.stopping.admission import Admitting
from bot.activeflows.stopping.aftermath import Aftermath
from bot.activeflows.stopping.authorization import Authorization
from bot.activeflows.stopping.follow_up import Follow
from bot.activeflows.stopping.gate import Gate, boot_time
from bot.activeflows.stopping.machine import StopMachine
from bot.activeflows.stopping.ports import Cards, Ledger, People, Step
from bot.activeflows.stopping.read_back import Readback
from bot.activeflows.stopping.reconfirmation import Renewal
from bot.activeflows.stopping.stop import Press, Wish
from bot.activeflows.stopping.subject import ActiveflowSubject, CallSubject
from bot.activeflows.stopping.timeouts import Patience
from bot.activeflows.stopping.workflow import HangUpWorkflow, StopWorkflow
from bot.voipbin import Urgency, VoIPBINClient


class StopWorkflows:
    """Carries out every kind of press with one machine; ``bulk_requests`` makes the cards of bulk stops.

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
        judging: AnomalyDetector | None = None,
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
        self._judging = judging
        self._authorization = Authorization(people, policy)
        self._gate = Gate(ledger, self._authorization, clock=clock)
        self._admitting = Admitting(ledger, self._authorization, now=now)
        snapshot = BulkSnapshot(voipbin.with_urgency(Urgency.BULK), now, judging=judging)
        self.bulk_requests = BulkRequests(bulks, BulkPreparation(snapshot, now=now), now=now)
        bulk, member = self._bulk(snapshot, members)
        self.carry_out_member = member.carry_out
        self._by_wish = {
            Wish.STOP: self._lone().carry_out,
            Wish.HANG_UP: self._hang_up().carry_out,
            Wish.BULK: bulk.carry_out,
        }

    async def carry_out(self, press: Press, step: Step) -> None:
        """Carry out one press to a true sentence; each ``step`` is durable."""
        await self._by_wish[press.wish](press, step)

    def _lone(self) -> StopWorkflow:
        voipbin, ledger, patience, now = self._voipbin, self._ledger, self._patience, self._now
        aftermath = Aftermath(voipbin, patience, now)
        subject = ActiveflowSubject(voipbin, self._gate, patience, now=now)
        renewal = Renewal(voipbin, ledger, policy=self._policy, patience=patience, now=now)
        machine = StopMachine(ledger, subject, renewal, patience=patience, now=now)
        follow = Follow(ledger, subject, aftermath, patience, now=now)
        return StopWorkflow(
            ledger,
            self._cards,
            self._admitting,
            machine,
            aftermath,
            follow,
            in_hand_after=patience.in_hand_after,
            now=now,
        )

    def _hang_up(self) -> HangUpWorkflow:
        """A call that was told to hang up is looked at for some seconds, and not followed for minutes."""
        now, patience = self._now, replace(self._patience, soon=self._patience.after, looks=0, follow_for=0)
        subject = CallSubject(self._voipbin, self._gate, now=now)
        machine = StopMachine(self._ledger, subject, None, patience=patience, now=now)
        of_member = HungUp(self._bulks, self._bulk_cards).tell
        return HangUpWorkflow(
            self._ledger, self._cards, self._admitting, machine, subject, of_member=of_member, now=now
        )

    def _bulk(self, snapshot: BulkSnapshot, members: Members) -> tuple[BulkStopWorkflow, MemberWorkflow]:
        """A member is stopped by the machine of a lone stop, less urgently, and nobody waits minutes for one not known."""
        voipbin, now = self._voipbin.with_urgency(Urgency.BULK), self._now
        patience = replace(self._patience, looks=0, follow_for=0)
        subject = ActiveflowSubject(voipbin, self._gate, patience, now=now, judging=self._judging)
        readback, aftermath = Readback(voipbin, patience, now), Aftermath(voipbin, patience, now)
        machine = StopMachine(self._ledger, subject, None, patience=patience, now=now)
        around = LookingAround(
            self._people, snapshot, readback, aftermath, OriginLookup(self._voipbin, now=now), now=now
        )
        bulk = BulkStopWorkflow(
            bulks=self._bulks,
            ledger=self._ledger,
            cards=self._bulk_cards,
            pressing=PressingBulk(self._bulks, self._ledger, self._authorization, now=now),
            around=around,
            follow=BulkFollow(self._bulks, self._bulk_cards, around, self._patience, now=now),
            members=members,
            unanswered=machine.unanswered,
            now=now,
        )
        return bulk, MemberWorkflow(self._bulks, self._ledger, machine, now=now)

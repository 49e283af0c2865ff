"""The part of the composition root that carries out presses: lone stops, hang-ups and bulk stops, as durable workflows."""

from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, datetime
from uuid import uuid4

from bot.activeflows.bulk.asking import AskingBulk
from bot.activeflows.bulk.carrying_out import Bulking
from bot.activeflows.bulk.freezing import Freezing
from bot.activeflows.bulk.hung_up import HungUp
from bot.activeflows.bulk.looking_around import LookingAround
from bot.activeflows.bulk.permitting import Permitting
from bot.activeflows.bulk.ports import BulkCards, People
from bot.activeflows.bulk.preparing import Preparing
from bot.activeflows.bulk.pressing import PressingBulk
from bot.activeflows.operators import Policy
from bot.activeflows.stopping.aftermath import Aftermath
from bot.activeflows.stopping.carrying_out import Stopping
from bot.activeflows.stopping.hanging_up import HangingUp
from bot.activeflows.stopping.one_stop import OneStop
from bot.activeflows.stopping.patience import Patience
from bot.activeflows.stopping.ports import Cards, Ledger
from bot.activeflows.stopping.pressing import Pressing
from bot.activeflows.stopping.readback import Readback
from bot.activeflows.stopping.stops import Wish
from bot.composition.beside import beside
from bot.ledger.bulk_book import BulkBook
from bot.ledger.database import Database
from bot.ledger.durable import CarryOut, Durable
from bot.ledger.replicas import Replicas
from bot.voipbin import InBulk, VoIPBINClient


class CarryingOut:
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
    ) -> None:
        self._voipbin, self._database, self._ledger, self._people = voipbin, database, ledger, people
        self._policy, self._patience = policy, patience
        self.durable = Durable(database.url, executor_id=str(uuid4()) if database.is_postgresql else "sqlite")
        self.bulks = BulkBook(database)

    async def begin(self, cards: Cards, bulk_cards: BulkCards, stack: AsyncExitStack, *, within: float) -> AskingBulk:
        """Carry out presses from now on, those first that were cut off; ``within``: seconds they get at the end."""
        stack.push_async_callback(self.durable.close, within=within)
        freezing = Freezing(InBulk(self._voipbin), _now)
        bulking = self._bulking(bulk_cards, freezing)
        hung_up = HungUp(self.bulks, bulk_cards)
        await self.durable.launch(self._by_wish(cards, bulking, hung_up), bulking.carry_out_member)
        if self._database.is_postgresql:
            replicas = Replicas(self._database, self.durable.executor_id, self.durable.take_over)
            await replicas.arrive()
            await stack.enter_async_context(beside(replicas.attend()))
        return AskingBulk(self.bulks, Preparing(freezing, now=_now), now=_now)

    def _by_wish(self, cards: Cards, bulking: Bulking, hung_up: HungUp) -> CarryOut:
        voipbin, ledger, patience = self._voipbin, self._ledger, self._patience
        pressing = Pressing(voipbin, ledger, self._people, policy=self._policy, patience=patience, now=_now)
        wishes: dict[Wish, CarryOut] = {
            Wish.STOP: Stopping(voipbin, ledger, cards, pressing, patience=patience, now=_now).carry_out,
            Wish.HANG_UP: HangingUp(
                voipbin, ledger, cards, pressing, of_member=hung_up.tell, patience=patience, now=_now
            ).carry_out,
            Wish.BULK: bulking.carry_out,
        }
        return lambda press, step: wishes[press.wish](press, step)

    def _bulking(self, cards: BulkCards, freezing: Freezing) -> Bulking:
        """A member is stopped by the code of a lone stop, less urgently, and nobody waits minutes for one not known."""
        voipbin, patience = InBulk(self._voipbin), replace(self._patience, looks=0)
        look = Pressing(voipbin, self._ledger, self._people, policy=self._policy, patience=patience, now=_now)
        permitting = Permitting(self._ledger, self._people, policy=self._policy, patience=patience, now=_now)
        return Bulking(
            bulks=self.bulks,
            ledger=self._ledger,
            cards=cards,
            pressing=PressingBulk(self.bulks, self._ledger, permitting, policy=self._policy, now=_now),
            permitting=permitting,
            one_stop=OneStop(
                voipbin,
                self._ledger,
                look,
                patience=patience,
                now=_now,
                asks_again=False,
                still=permitting.still,
            ),
            around=LookingAround(
                self._people, freezing, Readback(voipbin, patience, _now), Aftermath(voipbin, patience)
            ),
            members=self.durable,
            now=_now,
        )


def _now() -> datetime:
    return datetime.now(UTC)

"""The part of the composition root that puts together what a bulk stop takes, from the rooms as they are."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from bot.activeflows.asking_bulk import AskingBulk
from bot.activeflows.bulking import Bulking
from bot.activeflows.freezing import Freezing
from bot.activeflows.one_stop import OneStop
from bot.activeflows.operators import Policy
from bot.activeflows.patience import Patience
from bot.activeflows.ports import Ledger, Members, People
from bot.activeflows.pressing import Pressing
from bot.activeflows.pressing_bulk import PressingBulk
from bot.activeflows.readback import Readback
from bot.ledger.bulk_book import BulkBook
from bot.ledger.database import Database
from bot.slack.bulk_cards import BulkCards
from bot.voipbin import InBulk, VoIPBINClient


@dataclass(frozen=True, slots=True)
class BulkStops:
    """Asking for them, and carrying them out."""

    book: BulkBook
    asking: AskingBulk
    cards: BulkCards
    bulking: Bulking


def bulk_stops(
    voipbin: VoIPBINClient,
    database: Database,
    ledger: Ledger,
    cards: BulkCards,
    people: People,
    members: Members,
    *,
    policy: Callable[[], Policy],
    patience: Patience,
    now: Callable[[], datetime],
) -> BulkStops:
    """A member is stopped by the code of a lone stop, less urgently, and nobody waits minutes for one that is not known."""
    in_bulk, shorter, book = InBulk(voipbin), replace(patience, looks=0), BulkBook(database)
    freezing = Freezing(in_bulk, now)
    look = Pressing(in_bulk, ledger, people, policy=policy, patience=shorter, now=now)
    bulking = Bulking(
        bulks=book,
        ledger=ledger,
        cards=cards,
        people=people,
        pressing=PressingBulk(book, ledger, people, policy=policy, now=now),
        freezing=freezing,
        one_stop=OneStop(in_bulk, ledger, look, patience=shorter, now=now, asks_again=False),
        readback=Readback(in_bulk, shorter, now),
        members=members,
        now=now,
    )
    return BulkStops(book, AskingBulk(book, freezing, now=now), cards, bulking)

"""What a listener has at hand."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from slack_sdk.web.async_client import AsyncWebClient

from bot.activeflows.bulk.asking import AskingBulk
from bot.activeflows.bulk.ports import BulkLedger
from bot.activeflows.examining import Examining
from bot.activeflows.operators import Policy
from bot.activeflows.reading.listing import Reading
from bot.activeflows.reading.revealing import Revealing
from bot.activeflows.reading.reviewing import Reviewing
from bot.activeflows.searching.search import Searching
from bot.activeflows.stopping.asking import Asking
from bot.activeflows.stopping.ports import Ledger, Presses
from bot.activeflows.watching.beginning import Watching
from bot.slack.access import Access
from bot.slack.bulk_cards import BulkCards
from bot.slack.cards import StopCards
from bot.slack.homes import Homes
from bot.slack.identity import People
from bot.slack.jobs import Jobs
from bot.slack.presses import OpenReasons
from bot.slack.telling import Teller
from bot.slack.views import Views


@dataclass(frozen=True)
class Desk:
    """Built once, where the parts are put together."""

    command: str
    """The slash command's name: ``/flows``."""
    people: People
    access: Access
    jobs: Jobs
    teller: Teller
    reading: Reading
    searching: Searching
    reviewing: Reviewing
    revealing: Revealing
    asking: Asking
    bulk: AskingBulk
    watching: Watching
    examining: Examining
    presses: Presses
    """Records a press so that it is carried out, whatever happens."""
    cards: StopCards
    bulk_cards: BulkCards
    views: Views
    homes: Homes
    reasons: OpenReasons
    policy: Callable[[], Policy]
    web: AsyncWebClient
    records: Ledger
    bulks: BulkLedger
    now: Callable[[], datetime]

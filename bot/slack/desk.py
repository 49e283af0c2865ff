"""What a listener has at hand."""

from collections.abc import Callable
from dataclasses import dataclass, replace
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
from bot.slack.appeals import Appeals
from bot.slack.bulk_cards import BulkCards
from bot.slack.cards import StopCards
from bot.slack.gestures import Gesture
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
    """What is typed before the words of a command: ``/flows``, or a mention where that does not work."""
    mention: str
    """How the bot is mentioned: ``@flows-bot``."""
    people: People
    access: Access
    appeals: Appeals
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

    def at(self, gesture: Gesture) -> "Desk":
        """The desk as it speaks where this was done: in a thread there are no slash commands, but mentions.

        https://docs.slack.dev/interactivity/implementing-slash-commands#threads
        """
        return replace(self, command=self.mention) if gesture.thread_ts else self

"""Hold what a listener has at hand."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from slack_sdk.web.async_client import AsyncWebClient

from bot.activeflows.bulk.ports import BulkLedger
from bot.activeflows.bulk.request import BulkRequests
from bot.activeflows.diagnosis import Diagnosis
from bot.activeflows.operators import Policy
from bot.activeflows.queries.audit_review import AuditReview
from bot.activeflows.queries.disclosure import Disclosure
from bot.activeflows.queries.listing import Reading
from bot.activeflows.search.finder import Finder
from bot.activeflows.stopping.ports import Ledger, Presses
from bot.activeflows.stopping.request import StopRequests
from bot.activeflows.watching.request import Watching
from bot.slack.cards.bulk_cards import BulkCards
from bot.slack.cards.home_view import Homes
from bot.slack.cards.stop_cards import StopCards
from bot.slack.interaction import Interaction
from bot.slack.messaging.messenger import Messenger
from bot.slack.messaging.views import Views
from bot.slack.people.access import Access
from bot.slack.people.appeals import Appeals
from bot.slack.people.identity import People
from bot.slack.people.outsiders import Outsiders
from bot.slack.press_translation import OpenReasons
from bot.slack.transport.jobs import Jobs


@dataclass(frozen=True)
class ListenerContext:
    """Built once, where the parts are put together."""

    command: str
    """What is typed before the words of a command: ``/flows``, or a mention where that does not work."""
    mention: str
    """How the bot is mentioned: ``@flows-bot``."""
    people: People
    access: Access
    appeals: Appeals
    outsiders: Outsiders
    jobs: Jobs
    teller: Messenger
    reading: Reading
    searching: Finder
    reviewing: AuditReview
    revealing: Disclosure
    asking: StopRequests
    bulk: BulkRequests
    watching: Watching
    examining: Diagnosis
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

    def at(self, interaction: Interaction) -> "ListenerContext":
        """The context as it speaks where this was done: in a thread there are no slash commands, but mentions.

        https://docs.slack.dev/interactivity/implementing-slash-commands#threads
        """
        return replace(self, command=self.mention) if interaction.thread_ts else self

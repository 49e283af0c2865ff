"""Show somebody their Home: what is known at once, then the whole.

Slack gives a bot three seconds, so after one the page is published with what there is, and again when the rest has
come. Of two openings by one person the newer one speaks; the older one says nothing more.

https://docs.slack.dev/surfaces/app-home
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from bot.activeflows.errors import IdentityUnknown
from bot.activeflows.queries.home import RECENT, Home, HomeQuery
from bot.slack.blocks.error_words import explained
from bot.slack.blocks.home import home_page, with_accounts, with_refresh
from bot.slack.interaction import Interaction
from bot.slack.messaging.messenger import Message, Messenger
from bot.slack.messaging.views import Views
from bot.slack.people.identity import People

FIRST_AFTER: Final = 1.0
"""Seconds until what is known is shown."""
NOT_SHOWN: Final = Message(
    "Slack did not take your Home, so it could be empty or old. Open it again in a "
    "moment. What runs is also in the list in a "
    "channel."
)


@dataclass(slots=True, eq=False)
class HomeDrawing:
    """One drawing of somebody's Home. ``turn``: of what is sent to Slack, with the drawings beside it."""

    turn: asyncio.Lock


class Homes:
    """One page for each person."""

    def __init__(
        self,
        people: People,
        at_home: HomeQuery,
        views: Views,
        messenger: Messenger,
        command: str,
        *,
        now: Callable[[], datetime],
        first_after: float = FIRST_AFTER,
        newest: dict[str, HomeDrawing] | None = None,
        accounts: Collection[str] = (),
    ) -> None:
        """``newest``: of each person, also of another account. ``accounts``: those that the Home can show, this one
        among them.
        """
        self._people, self._at_home, self._views, self._messenger = people, at_home, views, messenger
        self._command, self._now, self._first_after = command, now, first_after
        self._newest: dict[str, HomeDrawing] = {} if newest is None else newest
        self._accounts = accounts

    async def show(self, interaction: Interaction, *, max_age: float = RECENT) -> None:
        """Publish the Home of whoever opened it; ``max_age`` in seconds, of what runs."""
        former = self._newest.get(interaction.user_id)
        mine = self._newest[interaction.user_id] = HomeDrawing(asyncio.Lock() if former is None else former.turn)
        home, looking = Home(), None
        try:
            looking = asyncio.create_task(self._look(home, interaction, max_age))
            await asyncio.wait({looking}, timeout=self._first_after)
            if not looking.done():
                await self._publish(interaction, mine, home_page(home, self._now(), command=self._command))
            page = await self._whole(home, looking)
            while home.operator is not None and not self._people.in_force(home.operator):
                home = Home()
                page = await self._whole(home, self._look(home, interaction, max_age))
            await self._publish(interaction, mine, page)
        finally:
            if looking is not None and not looking.done():
                looking.cancel()
            if self._newest.get(interaction.user_id) is mine:
                del self._newest[interaction.user_id]

    async def _look(self, home: Home, interaction: Interaction, max_age: float) -> None:
        await self._at_home.fill(home, await self._people.operator(interaction), max_age=max_age)

    async def _whole(self, home: Home, looking: Awaitable[None]) -> Message:
        try:
            await looking
        except IdentityUnknown as failure:
            return with_refresh(explained(failure))
        return home_page(home, self._now(), command=self._command)

    async def _publish(self, interaction: Interaction, mine: HomeDrawing, page: Message) -> None:
        page, user_id = with_accounts(page, self._accounts), interaction.user_id
        async with mine.turn:  # else an older page, for which Slack takes long, would be shown over a newer one
            if self._newest.get(user_id) is mine and not await self._views.publish(user_id, page):
                await self._messenger.privately(interaction, NOT_SHOWN)

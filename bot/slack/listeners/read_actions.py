"""Listen to the buttons that only read: turning pages, showing one activeflow, sharing a list.

Decision: a list that only its reader sees changes in place. A shared list is everybody's: *Refresh* reads it again for
all, with the presser's permission and name; *Previous* and *Next* answer the presser alone, so that nobody's paging
moves a list under somebody else's eyes.

https://docs.slack.dev/interactivity/handling-user-interaction
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any, Final

from bot.activeflows.errors import LedgerUnavailable
from bot.activeflows.model import Picture
from bot.activeflows.operators import Operator, Permission
from bot.activeflows.queries.details import Disclosure
from bot.activeflows.queries.listing import SHARED_FOR, ActiveflowQueries
from bot.activeflows.search.finder import Finder
from bot.activeflows.search.ranking import SearchTerms, terms_in
from bot.slack import ids, kit
from bot.slack.blocks.activeflow_details import NOT_HERE, NOT_RECORDED, NOT_SHOWN, activeflow_details, revealed
from bot.slack.blocks.activeflow_list import activeflow_list, shared_list
from bot.slack.blocks.search_results import found
from bot.slack.grammar.normalization import MessageText, plain, said, unquoted
from bot.slack.grammar.requests import Find, List
from bot.slack.kit import code
from bot.slack.listeners.context import InteractionContext, Listeners
from bot.slack.listeners.homes import HomeListener
from bot.slack.messaging.messenger import Message, SentMessage, not_shown
from bot.slack.transport.jobs import Lane

_LISTING: Final = "reading the activeflows"
_MOMENT: Final = 1.0
"""Seconds for which a page can be the same for somebody else."""


class Pages:
    """Draws the pages of lists.

    Decision: in a burst everybody asks for the same. Who asks for the same page with the same rights, in the same
    second and before anything has changed, gets what was drawn for the first: it says as of which second it is.
    """

    def __init__(self, queries: ActiveflowQueries, now: Callable[[], datetime]) -> None:
        self._queries, self._now = queries, now
        self._moment: tuple[Picture, datetime] | None = None
        self._drawn: dict[tuple[object, ...], Message] = {}
        """Of this moment, by what was asked for and with which rights."""

    async def page(
        self, context: InteractionContext, asked: List, operator: Operator, *, max_age: float = SHARED_FOR
    ) -> Message:
        """Draw a page for one person's eyes. Raises ``NotPermitted``, or a ``Failure``."""
        picture = await self._queries.picture(operator, asked.filters, max_age=max_age)
        now = self._now()
        moment = (replace(picture, as_of=picture.as_of.replace(microsecond=0)), now.replace(microsecond=0))
        if moment != self._moment:
            self._moment, self._drawn = moment, {}
            asyncio.get_running_loop().call_later(_MOMENT, self._forget, self._drawn)
        drawn, key = self._drawn, (asked, operator.rights, context.command)
        if key not in drawn:
            listing = await self._queries.running(
                operator, asked.filters, asked.page, by=asked.by, sort=asked.sort, place=asked.place, picture=picture
            )
            drawn[key] = activeflow_list(listing, operator, now, command=context.command)
        return drawn[key]

    def _forget(self, drawn: dict[tuple[object, ...], Message]) -> None:
        """Hold no picture longer than it can be of use: it may be of a million that have ended since."""
        if self._drawn is drawn:
            self._moment, self._drawn = None, {}


@dataclass(frozen=True)
class ReadListener:
    """Every reading button. ``home``: shows one activeflow where the button stands on the Home or in a modal."""

    queries: ActiveflowQueries
    pages: Pages
    home: HomeListener
    now: Callable[[], datetime]

    def register(self, listeners: Listeners) -> None:
        listeners.on_action(ids.SHOW, self._show, doing="reading the activeflow")
        listeners.on_action(ids.SHOW_AGAIN, self._show_again, doing="reading the activeflow")
        listeners.on_action(ids.LIST_REFRESH, self._refresh, doing=_LISTING)
        listeners.on_action(ids.LIST_PREVIOUS, self._turn, doing=_LISTING, lane=Lane.LIGHT)
        listeners.on_action(ids.LIST_NEXT, self._turn, doing=_LISTING, lane=Lane.LIGHT)
        listeners.on_action(ids.LIST_OPEN, self._open, doing=_LISTING)
        listeners.on_action(ids.LIST_SHARE, self._share, doing=_LISTING)

    async def _show(self, context: InteractionContext, value: str) -> None:
        if context.interaction.at_home or context.interaction.modal_id:
            await self.home.show(context, value)
            return
        await context.reply(await self._details(context, value))

    async def _show_again(self, context: InteractionContext, value: str) -> None:
        if context.interaction.modal_id:
            await self.home.show(context, value)
            return
        await context.reply(await self._details(context, value), replace=True)

    async def _details(self, context: InteractionContext, value: str) -> Message:
        target = ids.decode_activeflow(value)

        async def shown(operator: Operator) -> Message:
            details = await self.queries.show(operator, target)
            return activeflow_details(details, operator, command=context.command)

        return await context.read(shown)

    async def _open(self, context: InteractionContext, value: str) -> None:
        """Post a new answer: the counts stay where they are."""
        if context.interaction.at_home or context.interaction.modal_id:
            await self.home.list(context, value)
            return
        await context.reply(await context.read(partial(self.pages.page, context, ids.decode_listing(value))))

    async def _turn(self, context: InteractionContext, value: str, *, max_age: float = SHARED_FOR) -> None:
        if context.interaction.modal_id:
            await self.home.list(context, value)
            return
        page = partial(self.pages.page, context, ids.decode_listing(value), max_age=max_age)
        await context.reply(await context.read(page), replace=True)

    async def _refresh(self, context: InteractionContext, value: str) -> None:
        interaction = context.interaction
        if interaction.ephemeral or interaction.modal_id:
            await self._turn(context, value, max_age=0.0)
            return
        message = await self._for_all(context, value)
        where = SentMessage(interaction.channel_id, interaction.message_ts)
        if not await context.messenger.edit(where, message, interaction=interaction):
            await self._turn(context, value)

    async def _share(self, context: InteractionContext, value: str) -> None:
        shared = await context.post(await self._for_all(context, value))
        if not isinstance(shared, SentMessage):
            await context.reply(Message(not_shown("The list", shared.error, again="press Share to channel again")))

    async def _for_all(self, context: InteractionContext, value: str) -> Message:
        asked = ids.decode_listing(value)

        async def listed(operator: Operator) -> Message:
            listing = await self.queries.running(
                operator, asked.filters, asked.page, by=asked.by, sort=asked.sort, place=asked.place, max_age=0.0
            )
            return shared_list(listing, self.now(), command=context.command, by=operator.person.id)

        return await context.read(listed)


# ---------------------------------------------------------------- disclosures
# Listen to *Reveal*: decided anew at the press, recorded before it is shown, and shown to the presser alone.
#
# Decision: only from a message that nobody but its reader sees, and only as a message that Slack does not keep: a
# direct message, which private words fall back to elsewhere, would stay in the history.


@dataclass(frozen=True)
class DisclosureListener:
    """The one button."""

    disclosure: Disclosure

    def register(self, listeners: Listeners) -> None:
        listeners.on_action(ids.REVEAL, self._reveal, doing="looking it up")

    async def _reveal(self, context: InteractionContext, value: str) -> None:
        interaction = context.interaction
        if not interaction.ephemeral:
            await context.reply(NOT_HERE)
            return
        target = ids.decode_activeflow(value)
        operator = await context.actor(Permission.REVEAL, Permission.VIEW)
        try:
            shown = await self.disclosure.reveal(
                operator, target, press=f"{interaction.user_id}/{interaction.action_ts}"
            )
        except LedgerUnavailable:
            await context.reply(NOT_RECORDED)
            return
        if not await context.reply(revealed(shown), fleeting=True):
            await context.reply(NOT_SHOWN)


# ---------------------------------------------------------------- searches
# Listen to ``/flows find``, and *Find activeflow* on any message.
#
# https://docs.slack.dev/interactivity/implementing-shortcuts

_NOTHING: Final = "There is no id and no phone number in {}, so I looked for nothing. Words are looked for with {}.{}"


@dataclass(frozen=True)
class SearchListener:
    """The request, and the message shortcut."""

    finder: Finder
    now: Callable[[], datetime]

    def register(self, listeners: Listeners) -> None:
        listeners.on_request(Find, self._find)
        listeners.on_message_shortcut(ids.FIND, self._in_message, doing="looking for it")

    async def _find(self, context: InteractionContext, request: Find) -> None:
        await self._answer(context, terms_in(plain(unquoted(request.text))))

    async def _in_message(self, context: InteractionContext, body: dict[str, Any]) -> None:
        message = body.get("message")
        read, terms = await asyncio.to_thread(
            _read, message
        )  # a long one takes a while, and others wait for their acks
        unread = f" I did not read {read.unread}." if read.unread else ""
        if terms.targets or terms.numbers:
            await self._answer(context, SearchTerms(terms.targets, terms.numbers, more=terms.more), unread=unread)
        else:
            where = "what I read of this message" if unread else "this message"
            await context.reply(Message(_NOTHING.format(where, code(f"{context.command} find"), unread)))

    async def _answer(self, context: InteractionContext, terms: SearchTerms, *, unread: str = "") -> None:
        async def searched(operator: Operator) -> Message:
            findings = await self.finder.find(operator, terms)
            return found(findings, operator, self.now(), command=context.command)

        try:
            told = await context.read(searched)
        except LedgerUnavailable:
            await context.reply(NOT_RECORDED)
            return
        if unread:
            note = kit.context(f"Of the message:{unread}")
            told = Message(f"{told.text}{unread}", (*told.blocks, note))
        await context.reply(told)


def _read(message: dict[str, Any] | None) -> tuple[MessageText, SearchTerms]:
    read = said(message)
    return read, terms_in(read.text)

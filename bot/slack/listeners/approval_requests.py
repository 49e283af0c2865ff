"""Ask those who may, for one activeflow and for many alike: the offer, the card, and the mention below it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Final, Generic, TypeVar

from bot.activeflows.bulk.bulk_stop import Bulk
from bot.activeflows.errors import NotPermitted
from bot.activeflows.operators import Operator, Permission
from bot.activeflows.stopping.request import ApprovalRequest
from bot.activeflows.stopping.stop import Intent
from bot.slack import kit
from bot.slack.blocks.error_words import explained
from bot.slack.kit import mention, mentions
from bot.slack.listeners.context import InteractionContext
from bot.slack.messaging.messenger import Message, SentMessage, not_shown
from bot.slack.people.outsiders import Appeal, Appeals

NOTHING_TO_PRESS: Final = Message("There is nothing left to press. Ask again if it still matters.")
TOO_LATE_TO_CANCEL: Final = Message("Too late to cancel. The card says what became of it.")
C = TypeVar("C", Intent, Bulk)


@dataclass(frozen=True)
class ApprovableCard(Generic[C]):
    """One kind of card that can be put to those who may, by its id."""

    place: Callable[[Operator, str], Awaitable[tuple[str, str] | None]]
    """The channel where those who may are asked, and what about; ``None``: there is no such card."""
    can_be_pressed: Callable[[str], Awaitable[bool]]
    request: Callable[[InteractionContext, Operator, str], Awaitable[ApprovalRequest[C] | Message]]
    """Open it, or find it open already; or why there is nothing to be pressed."""
    post: Callable[[InteractionContext, Operator, ApprovalRequest[C]], Awaitable[SentMessage | None]]
    """Post its card, as ``InteractionContext.post_card`` does."""


@dataclass(frozen=True)
class ApprovalRequests:
    """Asks in public, as often as ``appeals`` lets it."""

    appeals: Appeals

    async def ask(self, context: InteractionContext, kind: ApprovableCard[C], card_id: str) -> None:
        """Handle *Ask someone who can*: post the card of a draft, or point at one that stands there."""
        operator = await context.actor(Permission.VIEW)
        place = await kind.place(operator, card_id)
        if place is None:
            await context.reply(NOTHING_TO_PRESS)
            return
        channel, subject = place
        standing = self.appeals.standing(channel, subject)
        if standing and await kind.can_be_pressed(standing):
            card_id = standing
        appeal = self.appeals.begin(operator.person.id, channel, subject, card_id)
        if appeal is None:
            await self._asked_enough(context, channel, card_id)
            return
        posted = False
        try:
            posted = await self._request_approval(context, kind, operator, card_id, appeal)
        finally:
            if not posted:
                self.appeals.not_posted(appeal)

    async def _request_approval(
        self, context: InteractionContext, kind: ApprovableCard[C], operator: Operator, card_id: str, appeal: Appeal
    ) -> bool:
        """Ask those who may, and tell whether they were asked, as far as is known."""
        approval = await kind.request(context, operator, card_id)
        if isinstance(approval, Message):
            await context.reply(approval)
            return False
        if not approval.opened:
            appeal.ts = approval.card.message_ts
            return await _point_at(context, approval.card, approval.who_may)
        posted = await kind.post(_there(context, approval.card), operator, approval)
        if posted is not None:
            appeal.ts = posted.ts
            await _asked_in(context, approval.card.channel, posted.ts)
        return posted is not None

    async def _asked_enough(self, context: InteractionContext, channel: str, card_id: str) -> None:
        """Point at the card that stands there, to the presser alone, instead of mentioning everybody once more."""
        appeal = self.appeals.newest(context.interaction.user_id, channel, card_id)
        link = await context.messenger.permalink(appeal.channel, appeal.ts) if appeal is not None else ""
        if appeal is None or appeal.card_id == card_id:
            where = f"<{link}|the card>" if link else f"the card in {mention(channel)}"
            words = f"They were already asked. I don’t ask again so soon: see {where}. Nothing was stopped."
        else:
            where = f"<{link}|the last card>" if link else f"the last card in {mention(appeal.channel)}"
            words = (
                f"They were asked so often just now (see {where}) that I don’t ask them about this one. "
                "Ask them yourself. Nothing was stopped."
            )
        await context.reply(Message(words))


async def offer(context: InteractionContext, refused: NotPermitted, ask: kit.Block) -> None:
    """Post the refusal, with *Ask someone who can* below it."""
    words = explained(refused)
    await context.reply(Message(words.text, (*words.blocks, ask)))


def _there(context: InteractionContext, card: Intent | Bulk) -> InteractionContext:
    """Answer as if it were done where it is asked: a response_url reaches only the channel it came from."""
    interaction = replace(context.interaction, thread_ts=card.thread)
    if card.channel != interaction.channel_id:
        interaction = replace(interaction, channel_id=card.channel, response_url="")
    return replace(context, interaction=interaction)


async def _point_at(context: InteractionContext, card: Intent | Bulk, who_may: tuple[str, ...]) -> bool:
    """Ask those who may, below the card that stands there, to press it; whether that was posted."""
    below = replace(_there(context, card).interaction, thread_ts=card.thread or card.message_ts)
    asked = mentions(who_may) or "whoever can"
    words = Message(f"{mention(context.interaction.user_id)} asks {asked} to press this card.")
    asked_there = await context.messenger.publicly(below, words)
    if isinstance(asked_there, SentMessage):
        await _asked_in(context, card.channel, card.message_ts)
        return True
    told = not_shown(f"The request in {mention(card.channel)}", asked_there.error)
    then = "Look there, or" if asked_there.doubtful else "Nobody was asked: please"
    await context.reply(Message(f"{told} {then} ask them yourself."))
    return asked_there.doubtful


async def _asked_in(context: InteractionContext, channel: str, card_ts: str) -> None:
    """Say so in place of the offer, with the way to the card."""
    link = await context.messenger.permalink(channel, card_ts) if card_ts else ""
    card = f": <{link}|the card>" if link else ""
    await context.reply(Message(f"Asked in {mention(channel)}{card}."), replace=True)

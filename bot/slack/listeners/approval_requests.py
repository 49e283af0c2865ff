"""Ask those who may, for one activeflow and for many alike: the offer, the place, and the link to a card."""

from contextlib import suppress
from dataclasses import replace
from typing import Final

import aiohttp
from slack_sdk.errors import SlackClientError

from bot.activeflows.bulk.bulk_stop import Bulk
from bot.activeflows.errors import NotPermitted
from bot.activeflows.stopping.stop import Intent
from bot.slack import kit
from bot.slack.blocks.error_words import explained
from bot.slack.blocks.mrkdwn import mention, mentions
from bot.slack.interaction import Interaction
from bot.slack.listeners.context import ListenerContext
from bot.slack.messaging.delivery_advice import DOUBTFUL, not_shown
from bot.slack.messaging.messenger import Message, Posted

NOTHING_TO_PRESS: Final = Message("There is nothing to be pressed any more. Ask again if it still matters.")


async def offer(context: ListenerContext, interaction: Interaction, refused: NotPermitted, ask: kit.Block) -> None:
    """The refusal, with *Ask someone who can* below it."""
    words = explained(refused)
    await context.teller.privately(interaction, Message(words.text, (*words.blocks, ask)))


def there(interaction: Interaction, card: Intent | Bulk) -> Interaction:
    """The interaction as if it were made where it is asked: a response_url reaches only the channel it came from."""
    if card.channel == interaction.channel_id:
        return replace(interaction, thread_ts=card.thread)
    return replace(interaction, channel_id=card.channel, response_url="", thread_ts=card.thread)


async def point_at(
    context: ListenerContext, interaction: Interaction, card: Intent | Bulk, who_may: tuple[str, ...]
) -> bool:
    """Ask those who may, below the card that stands there, to press it; whether that was posted."""
    below, channel = there(interaction, card), card.channel
    below = replace(below, thread_ts=card.thread or card.message_ts)
    asked = mentions(who_may) or "those who may"
    words = Message(f"{mention(interaction.user_id)} asks {asked} to press this card.")
    asked_there = await context.teller.publicly(below, words)
    if isinstance(asked_there, Posted):
        await asked_in(context, interaction, channel)
        return True
    told = not_shown(f"What asks them in {mention(channel)}", asked_there.error)
    then = "Look there, or" if asked_there.doubtful else "Nobody was asked: please"
    await context.teller.privately(interaction, Message(f"{told} {then} ask them yourself."))
    return asked_there.doubtful


async def asked_enough(context: ListenerContext, interaction: Interaction, channel: str, card_id: str) -> None:
    """Point at the card that stands there, to the presser alone, instead of mentioning everybody once more."""
    appeal = context.appeals.newest(interaction.user_id, channel, card_id)
    link = await link_to(context, appeal.channel, appeal.ts) if appeal is not None else ""
    if appeal is None or appeal.card_id == card_id:
        where = f"<{link}|the card>" if link else f"the card in {mention(channel)}"
        words = f"That was asked for already, and nobody is asked again so soon: see {where}. Nothing was stopped."
    else:
        where = f"<{link}|the last card>" if link else f"the last card in {mention(appeal.channel)}"
        words = (
            f"Those who may were asked so often just now (see {where}) that I do not ask them about this one: "
            "please ask them yourself. Nothing was stopped."
        )
    await context.teller.privately(interaction, Message(words))


async def link_to(context: ListenerContext, channel: str, message_ts: str) -> str:
    """Empty when Slack gives none. https://docs.slack.dev/reference/methods/chat.getPermalink"""
    with suppress(SlackClientError, aiohttp.ClientError, OSError, ValueError):
        answer = await context.web.chat_getPermalink(channel=channel, message_ts=message_ts)
        return str(answer.get("permalink") or "")
    return ""


def card_not_posted(error: str) -> Message:
    """The card of a stop, or of many, is not there for sure; it was put away, so that it stops nothing if it is."""
    told = not_shown("The stop card", error, again="ask again, here or in another channel")
    if error in DOUBTFUL:
        return Message(
            f"{told} It has been put away, so nothing can be stopped from it. Nothing was stopped. Ask again."
        )
    return Message(f"{told} Nothing was stopped.")


async def asked_in(context: ListenerContext, interaction: Interaction, channel: str) -> None:
    """Say so in place of the offer."""
    await context.teller.privately(interaction, Message(f"Asked in {mention(channel)}."), replace=True)

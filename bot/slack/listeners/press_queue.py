"""Record a press before the ack, or say why it was not recorded."""

from functools import partial

from bot.activeflows.errors import LedgerUnavailable
from bot.activeflows.stopping.stop import Declined, Press, Why
from bot.slack.blocks.declined import declined_press
from bot.slack.interaction import Interaction
from bot.slack.listeners.context import ListenerContext
from bot.slack.messaging.messenger import Message


async def take(context: ListenerContext, interaction: Interaction, press: Press) -> bool:
    """Record a press so that it is carried out, or tell why not. False: it could not be recorded.

    Whoever presses on without a permission is refused in words, and nothing is recorded.
    """
    declined = await context.outsiders.declined(press)
    if declined is not None:
        refusal = declined_press(declined, context.at(interaction).command)
        context.jobs.start(interaction, partial(_tell, context, interaction, refusal))
        return True
    context.cards.promise(press)
    try:
        await context.presses.start(press)
        context.cards.recorded(press)
    except LedgerUnavailable as trouble:
        context.cards.broken(press)
        unwritten = declined_press(Declined(Why.LEDGER, trouble.what), context.at(interaction).command)
        context.jobs.start(interaction, partial(_tell, context, interaction, unwritten))
        return False
    return True


async def _tell(context: ListenerContext, interaction: Interaction, message: Message) -> None:
    await context.teller.privately(interaction, message)

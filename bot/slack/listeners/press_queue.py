"""Record a press before the ack, or say why it was not recorded."""

import time
from dataclasses import dataclass, replace

from bot import tracing
from bot.activeflows.errors import LedgerUnavailable
from bot.activeflows.stopping.ports import Presses
from bot.activeflows.stopping.stop import Declined, Press, Why
from bot.slack.blocks.declined import declined_press
from bot.slack.cards.stop_cards import StopCards
from bot.slack.listeners.context import InteractionContext
from bot.slack.people.outsiders import Outsiders


@dataclass(frozen=True)
class PressQueue:
    """``presses``: records a press so that it is carried out, whatever happens."""

    outsiders: Outsiders
    cards: StopCards
    presses: Presses
    account: str = ""
    """Of the cards whose presses come here."""

    async def take(self, context: InteractionContext, press: Press) -> bool:
        """Record a press so that it is carried out, or tell why not. False: it could not be recorded.

        Whoever presses on without a permission is refused in words, and nothing is recorded.
        """
        press = replace(press, account=self.account)
        declined = await self.outsiders.declined(press)
        if declined is not None:
            _refuse(context, declined)
            return True
        self.cards.promise(press)
        began = time.perf_counter()
        try:
            await self.presses.start(press)
            seconds = time.perf_counter() - began
            tracing.told("press recorded, then acked", {}, seconds=seconds, intent_id=press.intent_id)
            self.cards.recorded(press)
        except LedgerUnavailable as trouble:
            self.cards.broken(press)
            _refuse(context, Declined(Why.LEDGER, trouble.what))
            return False
        return True


def _refuse(context: InteractionContext, declined: Declined) -> None:
    context.start(lambda: context.reply(declined_press(declined, context.command)))

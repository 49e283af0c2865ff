"""Listen to the modal that asks for a reason, between the press and its execution.

Nothing is stopped by opening it. What the press was (and the capability to answer it) stays in this process under a
random word; the modal carries the word only. After a restart the word is unknown, and the person is told to press again.

https://docs.slack.dev/surfaces/modals
"""

import asyncio
import secrets
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from slack_bolt.context.ack.async_ack import AsyncAck

from bot.activeflows.errors import LedgerUnavailable
from bot.activeflows.operators import Policy
from bot.activeflows.stopping.ports import Ledger
from bot.activeflows.stopping.stop import Press
from bot.slack import ids
from bot.slack.blocks.mrkdwn import code
from bot.slack.blocks.reason_modal import reason_modal
from bot.slack.grammar.normalization import decoded
from bot.slack.interaction import from_press, press_of
from bot.slack.listeners.context import InteractionContext, Listeners
from bot.slack.listeners.press_queue import PressQueue
from bot.slack.messaging.account_mark import marked_id
from bot.slack.messaging.messenger import Message
from bot.slack.messaging.views import Asked, Views

_AGAIN: Final = "Please press Stop flow again. Nothing was stopped."
_NOT_ASKED: Final = "Slack did not let me ask you for a reason."
_PERHAPS: Final = (
    "Slack did not say whether it shows you the form for the reason. If it does, fill it in; if not, press Stop flow "
    "again. Nothing was stopped."
)
_READ_WITHIN: Final = 0.7
"""Seconds: with the record of the press it stays below the three of the ack."""
_TOO_SHORT: Final = "Please say why, in a few words."
_NOT_RECORDED: Final = "It could not be recorded. Nothing was stopped."
_MOST_OPEN: Final = 1000


class OpenReasons:
    """The presses that wait for their reason, by the random word in their modal."""

    def __init__(self) -> None:
        self._waiting: OrderedDict[str, Press] = OrderedDict()

    def keep(self, press: Press) -> str:
        word = secrets.token_urlsafe(16)
        self._waiting[word] = press
        while len(self._waiting) > _MOST_OPEN:
            self._waiting.popitem(last=False)
        return word

    def of(self, word: str, user_id: str) -> Press | None:
        """The press, for the person who pressed."""
        press = self._waiting.get(word)
        return press if press is not None and press.by == user_id else None

    def forget(self, word: str) -> None:
        self._waiting.pop(word, None)


@dataclass(frozen=True)
class ReasonListener:
    """The modal, opened and submitted."""

    views: Views
    ledger: Ledger
    queue: PressQueue
    policy: Callable[[], Policy]
    now: Callable[[], datetime]
    open: OpenReasons = field(default_factory=OpenReasons)

    async def needed(self, intent_id: str) -> bool:
        """Do the rules ask for a reason that this card does not have?

        A ledger that is broken or does not answer soon is told of at the press itself, and without a reason none is
        carried out.
        """
        if not self.policy().rules.reason_required:
            return False
        try:
            async with asyncio.timeout(_READ_WITHIN):
                found = await self.ledger.intent(intent_id)
        except (LedgerUnavailable, TimeoutError):
            return False
        return found is not None and not found[0].reason

    async def ask(self, context: InteractionContext, intent_id: str) -> None:
        """Open the modal. Its trigger lives for three seconds, so nothing is looked up but the intent."""
        found = await self.ledger.intent(intent_id)
        if found is None:
            await context.reply(Message(_AGAIN))
            return
        word = self.open.keep(press_of(context.interaction, intent_id, self.now()))
        match await self.views.ask(context.interaction.trigger_id, reason_modal(found[0], word)):
            case Asked.NOT_KNOWN:
                await context.reply(Message(_PERHAPS))
            case Asked.REFUSED:
                self.open.forget(word)
                typed_instead = code(f"{context.command} stop {found[0].short_id} <reason>")
                await context.reply(Message(f"{_NOT_ASKED} {_AGAIN} Or type {typed_instead}."))

    def register(self, listeners: Listeners) -> None:
        @listeners.app.view(marked_id(ids.REASON, listeners.account))
        async def submitted(ack: AsyncAck, body: dict[str, Any], view: dict[str, Any]) -> None:
            word = str(view.get("private_metadata", ""))
            press = self.open.of(word, str(body.get("user", {}).get("id", "")))
            reason = " ".join(decoded(_given(view)).split())
            if press is None:
                await ack(response_action="errors", errors={ids.REASON: f"I have been restarted meanwhile. {_AGAIN}"})
            elif len(reason) < 3:
                await ack(response_action="errors", errors={ids.REASON: _TOO_SHORT})
            elif await self.queue.take(listeners.context(from_press(press)), replace(press, reason=reason[:500])):
                self.open.forget(word)
                await ack()
            else:
                await ack(response_action="errors", errors={ids.REASON: _NOT_RECORDED})


def _given(view: dict[str, Any]) -> str:
    try:
        value = view["state"]["values"][ids.REASON][ids.REASON]["value"]
    except (KeyError, TypeError):
        return ""
    return value if isinstance(value, str) else ""

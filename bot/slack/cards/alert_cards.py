"""Post alerts in the channel of their rule (``alerting.ports.AlertCards``)."""

from bot.activeflows.alerting.decision import HeldBack
from bot.activeflows.alerting.ports import Alert, Posting
from bot.slack.blocks.alert_card import alert_card, held_back_line
from bot.slack.messaging.messenger import Message, Messenger


class AlertCards:
    """``command``: the slash command, for what to type next."""

    def __init__(self, teller: Messenger, command: str) -> None:
        self._teller, self._command = teller, command

    async def post(self, alert: Alert) -> Posting:
        return await self._announced(alert.rule.to, alert_card(alert))

    async def line(self, held_back: HeldBack, *, running: int) -> Posting:
        return await self._announced(
            held_back.rule.to, held_back_line(held_back, running=running, command=self._command)
        )

    async def _announced(self, channel: str, message: Message) -> Posting:
        said = await self._teller.announce(channel, message)
        return Posting("" if said.doubtful else said.error, wait=said.retry_after)

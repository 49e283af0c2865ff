"""Alerts in Slack (``alerting.ports.AlertCards``): posted in the channel of their rule, and what Slack says about that."""

from bot.activeflows.alerting.deciding import HeldBack
from bot.activeflows.alerting.ports import Alert, Posting
from bot.slack.blocks.alert_card import alert_card, held_back_line
from bot.slack.telling import Message, Teller


class AlertCards:
    """``command``: the slash command, for what to type next."""

    def __init__(self, teller: Teller, command: str) -> None:
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

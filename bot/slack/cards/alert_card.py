"""Draw alerts, and post them in the channel of their rule."""

from typing import Final

from bot.activeflows.alerting.decision import HeldBack
from bot.activeflows.alerting.ports import Alert, PostResult
from bot.activeflows.model import name_of
from bot.slack import kit
from bot.slack.blocks import activeflow_parts
from bot.slack.blocks.activeflow_list import lived, reference
from bot.slack.blocks.activeflow_parts import TROUBLE_WORDS
from bot.slack.kit import bold, code, date_token, escaped
from bot.slack.messaging.messenger import Message, Messenger

# ---------------------------------------------------------------- alert card
# Draw the alert: what is wrong with one activeflow, for everybody in a channel.
#
# It is never edited, so every word of it says as of when it was so. It calls nobody: no mention, no @channel. Its
# buttons are those of a list's row, and whether somebody may press one is decided at the press.


def alert_card(alert: Alert) -> Message:
    """Draw one trouble. What the situation says already is not said twice."""
    activeflow, trouble, flow_name = alert.activeflow, alert.trouble, alert.flow_name
    title, words = TROUBLE_WORDS[trouble.reason], escaped(trouble.words, 300)
    doing = escaped(alert.situation.words, 400)
    facts = " · ".join((lived(activeflow, alert.as_of), doing, reference(activeflow)))
    said = "" if trouble.words in alert.situation.words else f" {words}"
    lines = (f"{bold(title, 60)}{said}", f"{bold(name_of(flow_name), 150)}  {code(activeflow.short_id)}", facts)
    buttons = [activeflow_parts.show(activeflow, flow_name), activeflow_parts.ask_stop(activeflow, flow_name)]
    return Message(
        f"{title} {escaped(name_of(flow_name), 120)} {activeflow.short_id}: {words}, as of {date_token(alert.as_of)}.",
        (
            kit.section("\n".join(lines)),
            kit.actions(*buttons),
            kit.context(f"as of {date_token(alert.as_of)} · posted once, by the policy’s alert rule"),
        ),
    )


_NAMED: Final = 3
"""So few are named in a line."""


def held_back_line(held_back: HeldBack, *, running: int, command: str) -> Message:
    """Draw how many alerts were not posted, and of how many activeflows that still run."""
    count, ids = len(held_back.claimed), {each.claim.activeflow_id for each in held_back.claimed}
    since = date_token(held_back.since)
    named = ", ".join(
        f"{TROUBLE_WORDS[each.claim.reason]} {code(each.claim.activeflow_id.hex[:8])}" for each in held_back.claimed
    )
    still = f"{running} of {len(ids)} still run" if len(ids) > 1 else "It still runs" if running else "It has ended"
    unsure = ", or cut off while posted: some of it may be here already" if held_back.unsure else ""
    words = (
        f"*{count} more* since {since} {'was' if count == 1 else 'were'} held back by the alert rule{unsure}."
        f"{f' {named}.' if count <= _NAMED else ''} {still}: {code(f'{command} list')}"
    )
    return Message(words.replace("*", ""), (kit.section(words),))


# ---------------------------------------------------------------- alert cards
# Post alerts in the channel of their rule (``alerting.ports.AlertCards``).


class AlertCards:
    """``command``: the slash command, for what to type next."""

    def __init__(self, messenger: Messenger, command: str) -> None:
        self._messenger, self._command = messenger, command

    async def post(self, alert: Alert) -> PostResult:
        return await self._announced(alert.rule.to, alert_card(alert))

    async def line(self, held_back: HeldBack, *, running: int) -> PostResult:
        return await self._announced(
            held_back.rule.to, held_back_line(held_back, running=running, command=self._command)
        )

    async def _announced(self, channel: str, message: Message) -> PostResult:
        said = await self._messenger.announce(channel, message)
        return PostResult("" if said.doubtful else said.error, said.doubtful, wait=said.retry_after)

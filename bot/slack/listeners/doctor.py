"""Listen to ``/flows doctor``. To the asker alone."""

from bot.activeflows.errors import NotPermitted
from bot.slack.blocks.doctor import alive, doctor
from bot.slack.interaction import Interaction
from bot.slack.listeners.context import ListenerContext


async def tell(context: ListenerContext, interaction: Interaction) -> None:
    """Answer with what every look found; whoever may not view learns that the bot is alive."""
    operator = await context.people.operator(interaction)
    try:
        findings = await context.examining.examine(operator)
    except NotPermitted as refused:
        await context.teller.privately(interaction, alive(refused.decision, command=context.command))
        return
    await context.teller.privately(interaction, doctor(findings, context.now(), command=context.command))

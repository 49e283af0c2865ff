"""``/flows doctor``: is everything this bot needs working? To the asker alone."""

from bot.activeflows.errors import NotPermitted
from bot.slack.blocks.doctor import alive, doctor
from bot.slack.desk import Desk
from bot.slack.gestures import Gesture


async def tell(desk: Desk, gesture: Gesture) -> None:
    """Answer with what every look found; whoever may not view learns that the bot is alive."""
    operator = await desk.people.operator(gesture)
    try:
        findings = await desk.examining.examine(operator)
    except NotPermitted as refused:
        await desk.teller.privately(gesture, alive(refused.decision, command=desk.command))
        return
    await desk.teller.privately(gesture, doctor(findings, desk.now(), command=desk.command))

"""``/flows audit``: who did what, to the asker alone."""

from bot.activeflows.auditing import Auditing
from bot.slack.blocks.audit_list import audit_list
from bot.slack.desk import Desk
from bot.slack.gestures import Gesture
from bot.slack.requests import ME, Audit


async def tell(desk: Desk, gesture: Gesture, request: Audit) -> None:
    """Answer with the newest records that fit."""
    operator = await desk.people.operator(gesture)
    who = operator.person.id if request.user == ME else request.user
    auditing = Auditing(desk.records, now=desk.now)
    entries = await auditing.entries(operator, about=request.target, who=who, since=request.since)
    await desk.teller.privately(gesture, audit_list(entries))

"""Taking a press: recorded before the ack, or said to be not."""

from functools import partial

from bot.activeflows.errors import LedgerUnavailable
from bot.activeflows.stopping.stops import Declined, Press, Why
from bot.slack.blocks.declined import declined_press
from bot.slack.desk import Desk
from bot.slack.gestures import Gesture
from bot.slack.telling import Message


async def take(desk: Desk, gesture: Gesture, press: Press) -> bool:
    """Record a press so that it is carried out, or tell that it could not be recorded; whether it was."""
    desk.cards.promise(press)
    try:
        await desk.presses.start(press)
        desk.cards.recorded(press)
    except LedgerUnavailable as trouble:
        desk.cards.broken(press)
        unwritten = declined_press(Declined(Why.LEDGER, trouble.what), desk.at(gesture).command)
        desk.jobs.start(gesture, partial(_tell, desk, gesture, unwritten))
        return False
    return True


async def _tell(desk: Desk, gesture: Gesture, message: Message) -> None:
    await desk.teller.privately(gesture, message)

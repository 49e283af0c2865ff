"""Say that a press is stuck half-way, to whoever pressed and below its card, as far as is known."""

from datetime import datetime
from typing import Final

from bot.activeflows.stopping.stop import Press, Wish
from bot.slack.blocks.mrkdwn import code, date_token, mention
from bot.slack.messaging.messenger import Message

_WHAT: Final = {Wish.STOP: "stop", Wish.HANG_UP: "hang-up", Wish.BULK: "bulk stop"}


def stuck_press(press: Press, at: datetime, *, untouched: bool, incident: str = "") -> Message:
    """``untouched``: certainly nothing was sent for it. ``incident``: of the bug; empty when the database does not answer."""
    whose = f"{mention(press.by)}’s {_WHAT[press.wish]}"
    if untouched:
        so_far = f"Nothing has been sent for {whose} yet, as of {date_token(at)}"
    else:
        so_far = f"As of {date_token(at)}, {whose} may or may not have been sent"
    if incident:
        return Message(
            f"This bot hit a bug in the middle of {whose}. {so_far}. It goes on when the bot is "
            f"next started. Check before you try again. Tell whoever looks after this bot: incident {code(incident)}."
        )
    further = "Nothing" if untouched else "Nothing further"
    return Message(
        f"My database does not answer. {so_far}. {further} is sent until it does. Then the card will show what happens."
    )

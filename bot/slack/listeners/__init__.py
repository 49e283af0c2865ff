"""What the bot hears: each listener acks, decodes the gesture, and starts a job; the answer is the job's business.

No listener decides anything. Whatever goes wrong inside a job becomes words in ``jobs``, so that no press stays
without a visible answer.
"""

from slack_bolt.async_app import AsyncApp

from bot.slack.desk import Desk
from bot.slack.listeners import (
    actions,
    audits,
    bulks,
    commands,
    events,
    homes,
    mentions,
    reasons,
    reveals,
    searches,
    stops,
    watches,
)


def register(app: AsyncApp, desk: Desk, bot_user_id: str) -> None:
    """Everything this bot listens to; what nobody listens to is answered in ``unknown``."""
    commands.register(app, desk)
    mentions.register(app, desk, bot_user_id)
    actions.register(app, desk)
    stops.register(app, desk)
    bulks.register(app, desk)
    reasons.register(app, desk)
    audits.register(app, desk)
    reveals.register(app, desk)
    watches.register(app, desk)
    searches.register(app, desk)
    homes.register(app, desk)
    events.register(app, desk)

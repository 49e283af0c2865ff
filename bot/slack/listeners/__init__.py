"""Listen: each listener acks, decodes the interaction, and starts a job; the answer is the job's business.

No listener decides anything. Whatever goes wrong inside a job becomes words in ``jobs``, so that no press stays
without a visible answer.
"""

from slack_bolt.async_app import AsyncApp

from bot.slack.listeners import (
    audits,
    bulk_stops,
    commands,
    disclosures,
    events,
    homes,
    mentions,
    read_actions,
    reasons,
    searches,
    stops,
    watches,
)
from bot.slack.listeners.context import ListenerContext


def register(app: AsyncApp, context: ListenerContext, bot_user_id: str) -> None:
    """Everything this bot listens to; what nobody listens to is answered in ``unknown``."""
    commands.register(app, context)
    mentions.register(app, context, bot_user_id)
    read_actions.register(app, context)
    stops.register(app, context)
    bulk_stops.register(app, context)
    reasons.register(app, context)
    audits.register(app, context)
    disclosures.register(app, context)
    watches.register(app, context)
    searches.register(app, context)
    homes.register(app, context)
    events.register(app, context)

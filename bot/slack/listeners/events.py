"""Listen to what Slack tells by itself: people and user groups that changed, tokens that are
good no more.

https://docs.slack.dev/reference/events
"""

from typing import Any, Final

from slack_bolt.async_app import AsyncApp

from bot.slack.listeners.context import ListenerContext

HEARD: Final = ("user_change", "subteam_members_changed", "subteam_updated")
FOR_GOOD: Final = ("tokens_revoked", "app_uninstalled")


def register(app: AsyncApp, context: ListenerContext) -> None:
    """The events the manifest subscribes to."""
    for name in (*HEARD, *FOR_GOOD):
        _hear(app, context, name)


def _hear(app: AsyncApp, context: ListenerContext, name: str) -> None:
    @app.event(name)
    async def heard(event: dict[str, Any]) -> None:
        if name in FOR_GOOD:
            context.access.heard(event)
        else:
            context.people.heard(event)

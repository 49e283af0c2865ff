"""What Slack tells by itself: people and user groups that changed, so that a lost permission is lost at once; tokens that are
good no more.

https://docs.slack.dev/reference/events
"""

from typing import Any, Final

from slack_bolt.async_app import AsyncApp

from bot.slack.desk import Desk

HEARD: Final = ("user_change", "subteam_members_changed", "subteam_updated")
FOR_GOOD: Final = ("tokens_revoked", "app_uninstalled")


def register(app: AsyncApp, desk: Desk) -> None:
    """The events the manifest subscribes to."""
    for name in (*HEARD, *FOR_GOOD):
        _hear(app, desk, name)


def _hear(app: AsyncApp, desk: Desk, name: str) -> None:
    @app.event(name)
    async def heard(event: dict[str, Any]) -> None:
        if name in FOR_GOOD:
            desk.access.heard(event)
        else:
            desk.people.heard(event)

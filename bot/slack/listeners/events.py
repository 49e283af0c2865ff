"""Listen to what Slack tells by itself: people and user groups that changed, tokens that are good no more.

https://docs.slack.dev/reference/events
"""

from dataclasses import dataclass
from typing import Any, Final

from bot.slack.listeners.context import Listeners
from bot.slack.people.access import Access

HEARD: Final = ("user_change", "subteam_members_changed", "subteam_updated")
FOR_GOOD: Final = ("tokens_revoked", "app_uninstalled")


@dataclass(frozen=True)
class EventListener:
    """The events the manifest subscribes to."""

    access: Access

    def register(self, listeners: Listeners) -> None:
        for name in HEARD:

            @listeners.app.event(name)
            async def changed(event: dict[str, Any]) -> None:
                listeners.people.heard(event)

        for name in FOR_GOOD:

            @listeners.app.event(name)
            async def refused(event: dict[str, Any]) -> None:
                self.access.heard(event)

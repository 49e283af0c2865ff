"""Track what Slack refuses this app for good: such a refusal does not pass by waiting, and somebody has to be told.

A token that Slack takes no more makes the bot useless, so it is not ready. A scope that is missing takes one thing away,
so it is a warning. Each is an error in the log once, and over as soon as Slack takes the same call again.

https://docs.slack.dev/reference/methods/auth.test
https://docs.slack.dev/reference/events/tokens_revoked, https://docs.slack.dev/reference/events/app_uninstalled
"""

from collections.abc import Mapping
from typing import Any, Final

import structlog

from bot.slack.health import REVOKED

log = structlog.get_logger(__name__)

MISSING: Final = "missing_scope"
LASTING: Final = REVOKED | {MISSING}
_TOKEN: Final = "SLACK_BOT_TOKEN"  # noqa: S105 - the name of a variable
_BY_APP_TOKEN: Final = frozenset({"apps.connections.open"})
_OPTIONAL: Final = frozenset({"conversations.info", "bots.info", "files.getUploadURLExternal"})
"""What the bot does well without."""


class Access:
    """What is refused for good right now. ``ready`` and ``complete`` say it in words; empty means nothing."""

    def __init__(self, bot_user_id: str = "") -> None:
        self.bot_user_id = bot_user_id
        self._revoked: dict[str, str] = {}
        self._missing: dict[str, str] = {}

    def refused(self, method: str, word: str, needed: str = "") -> None:
        """Slack answered so. ``needed``: the scope it named."""
        if method in _BY_APP_TOKEN:
            return  # the socket says that itself
        if word in REVOKED:
            self._note(self._revoked, _TOKEN, word, about=_TOKEN)
        elif word == MISSING and method not in _OPTIONAL:
            self._note(self._missing, method, needed or "a scope that it does not name", about=method)

    def taken(self, method: str) -> None:
        """Slack has done what it was asked to."""
        if method in _BY_APP_TOKEN:
            return
        for noted, key in ((self._revoked, _TOKEN), (self._missing, method)):
            if noted.pop(key, None) is not None:
                log.info("slack_accepts_again", about=key)

    def heard(self, event: Mapping[str, Any]) -> None:
        """Slack says by itself that the app was uninstalled, or that tokens were revoked; maybe those of somebody else."""
        match event:
            case {"type": "app_uninstalled"}:
                self.refused("event", "app_uninstalled")
            case {"type": "tokens_revoked", "tokens": {"bot": [*users]}} if users:
                if not self.bot_user_id or self.bot_user_id in users:
                    self.refused("event", "token_revoked")

    async def ready(self) -> str:
        """For ``/readyz``: why the bot can do nothing in Slack."""
        return "; ".join(f"Slack does not accept {token} any more: {word}" for token, word in self._revoked.items())

    async def complete(self) -> str:
        """For ``/readyz``, under ``warnings``: what the app may not do for want of a scope."""
        words = (f"{method} needs {scope}" for method, scope in sorted(self._missing.items()))
        return f"the app is not allowed everything it needs: {'; '.join(words)}" if self._missing else ""

    def _note(self, noted: dict[str, str], key: str, why: str, *, about: str) -> None:
        if noted.get(key) != why:
            noted[key] = why
            log.error(
                "slack_refuses_for_good", about=about, why=why, then="look at the app's settings, install it again"
            )

"""Publish the Home and open modals: places of one person's own, without a channel or a response_url.

As with messages, nothing is raised but ``Unsendable``: callers are told whether it could be seen, and say it elsewhere
if not. A view that Slack refuses for its blocks is sent once more as plain words: better plain than silent.

https://docs.slack.dev/surfaces/app-home, https://docs.slack.dev/surfaces/modals
"""

from collections.abc import Mapping
from copy import copy
from enum import StrEnum
from typing import Any, Final

import aiohttp
import structlog
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack import kit
from bot.slack.messaging.messenger import Message, checked_view, heard, marked_view
from bot.slack.messaging.web_client import error_word

log = structlog.get_logger(__name__)
_BAD_BLOCKS: Final = frozenset({"invalid_arguments", "invalid_blocks", "view_too_large"})
_OPENED_BEFORE: Final = frozenset({"lost", "exchanged_trigger_id", "trigger_exchanged"})
"""After these a modal may be on the screen: a trigger is used once, so it was our own first try that used it."""


class FormState(StrEnum):
    """Whether a form is on the screen."""

    OPENED = "opened"
    NOT_KNOWN = "not known"
    REFUSED = "refused"


class Views:
    """Draws them."""

    def __init__(self, client: AsyncWebClient) -> None:
        self._client = client
        self._account = ""

    def of(self, account: str) -> "Views":
        """Return the same, that shows this VoIPBIN account."""
        other = copy(self)
        other._account = account  # noqa: SLF001 — of one's own kind
        return other

    async def publish(self, user_id: str, message: Message) -> bool:
        """Make this the Home of that person. https://docs.slack.dev/reference/methods/views.publish"""
        view = kit.home(message.blocks or _plainly(message))
        return await self._sent("views.publish", {"user_id": user_id}, view, message) is not None

    async def open(self, trigger_id: str, title: str, message: Message) -> str:
        """Open a modal, within three seconds of the press; its id, empty when it is on no screen.

        ``title``: 24 characters at most. https://docs.slack.dev/reference/methods/views.open
        """
        if not trigger_id:
            return ""
        answer = await self._sent("views.open", {"trigger_id": trigger_id}, _modal(title, message), message)
        return "" if answer is None else str(answer.get("id") or "")

    async def ask(self, trigger_id: str, form: kit.View) -> FormState:
        """Open a modal with fields, within three seconds of the press; how far that came."""
        answer = await self._call("views.open", {"trigger_id": trigger_id, "view": self._checked(form)})
        if not isinstance(answer, str):
            heard()
            return FormState.OPENED
        return FormState.NOT_KNOWN if answer in _OPENED_BEFORE else FormState.REFUSED

    async def update(self, modal_id: str, title: str, message: Message) -> bool:
        """Put this into a modal that is open. https://docs.slack.dev/reference/methods/views.update"""
        if not modal_id:
            return False
        return await self._sent("views.update", {"view_id": modal_id}, _modal(title, message), message) is not None

    async def _sent(
        self, method: str, to: Mapping[str, str], view: dict[str, Any], message: Message
    ) -> Mapping[str, Any] | None:
        answer = await self._call(method, {**to, "view": self._checked(view)})
        if isinstance(answer, str) and answer in _BAD_BLOCKS:
            log.error("blocks_refused", by=method, error=answer)
            answer = await self._call(method, {**to, "view": self._checked({**view, "blocks": _plainly(message)})})
        if isinstance(answer, str):
            return None
        heard()
        return answer

    def _checked(self, view: kit.View) -> kit.View:
        return checked_view(marked_view(self._account, view))

    async def _call(self, method: str, arguments: Mapping[str, Any]) -> Mapping[str, Any] | str:
        """Return the view as Slack took it, or why not: Slack's own word, or ``lost``."""
        try:
            view = (await self._client.api_call(method, json=dict(arguments))).get("view")
        except SlackApiError as refused:
            error = error_word(refused)
            log.warning("slack_refused", method=method, error=error)
            return error
        except (SlackClientError, aiohttp.ClientError, OSError, ValueError) as lost:
            log.warning("slack_did_not_answer", method=method, error=type(lost).__name__)
            return "lost"
        return view if isinstance(view, Mapping) else {}


def _modal(title: str, message: Message) -> kit.View:
    return kit.modal(title, message.blocks or _plainly(message), close="Close")


def _plainly(message: Message) -> tuple[kit.Block, ...]:
    return (kit.section(message.text),)

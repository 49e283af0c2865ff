"""Answer what no listener knows: retired buttons, forms and shortcuts, and a command of another name.

Old messages keep their buttons for ever, and a manifest can name another command than the settings do. A submitted form
stays open with what was written in it: closing it would look as if it had been taken.

https://docs.slack.dev/surfaces/modals#displaying_errors
"""

import json
from collections.abc import Mapping
from functools import partial
from typing import Any, Final

import structlog
from slack_bolt.response import BoltResponse

from bot.slack import kit
from bot.slack.blocks.help import form_not_known, menu_not_known, not_known
from bot.slack.interaction import Interaction, from_body
from bot.slack.kit import escaped
from bot.slack.messaging.messenger import Message, Messenger, checked_view
from bot.slack.transport.jobs import Jobs

log = structlog.get_logger(__name__)
_LONGEST_ID: Final = 255
_JSON: Final = {"content-type": "application/json;charset=utf-8"}


class Unknown:
    """Says that the bot does not know it. ``command``: the one it listens to."""

    def __init__(self, messenger: Messenger, jobs: Jobs, command: str) -> None:
        self._messenger, self._jobs, self._command = messenger, jobs, command

    def answer(self, body: Mapping[str, Any]) -> BoltResponse:
        """Ack what nobody listened for, and start telling the person so; of events no person did, the ack is all."""
        kind, name = _named(body)
        if kind == "event_callback":
            return BoltResponse(status=200, body="")
        log.warning("gesture_not_known", kind=kind, id=name, listens_to=self._command)
        view = body.get("view")
        if kind == "block_suggestion":  # a word for each letter that is typed would be too many
            return BoltResponse(status=200, body=json.dumps({"option_groups": menu_not_known()}), headers={**_JSON})
        if kind == "view_submission" and isinstance(view, Mapping):
            return BoltResponse(status=200, body=json.dumps(_kept_open(view, self._command)), headers={**_JSON})
        interaction = from_body(body)
        if interaction is not None and interaction.user_id and kind != "view_closed":
            words = not_known(kind, name, self._command)
            self._jobs.start(interaction, partial(self._tell, interaction, words))
        return BoltResponse(status=200, body="")

    async def _tell(self, interaction: Interaction, words: Message) -> None:
        await self._messenger.privately(interaction, words)


def _named(body: Mapping[str, Any]) -> tuple[str, str]:
    """Return the kind of the payload, and the id that nobody listens for."""
    if "command" in body:
        return "command", _word(body.get("command"))
    kind = _word(body.get("type"))
    actions, view = body.get("actions"), body.get("view")
    if kind == "block_actions" and isinstance(actions, list) and actions and isinstance(actions[0], Mapping):
        return kind, _word(actions[0].get("action_id"))
    if kind.startswith("view_") and isinstance(view, Mapping):
        return kind, _word(view.get("callback_id"))
    return kind, _word(body.get("callback_id") or body.get("action_id"))


def _word(given: object) -> str:
    return given[:_LONGEST_ID] if isinstance(given, str) else ""


def _kept_open(view: Mapping[str, Any], command: str) -> dict[str, Any]:
    """Return the words below the first field, beside what was written; in a form without fields, in its place."""
    words = form_not_known(command)
    blocks = view.get("blocks")
    fields = (
        [b for b in blocks if isinstance(b, Mapping) and b.get("type") == "input"] if isinstance(blocks, list) else []
    )
    block_id = _word(fields[0].get("block_id")) if fields else ""
    if block_id:
        return {"response_action": "errors", "errors": {block_id: words}}
    shown = kit.modal("Not known any more", (kit.section(escaped(words)),), close="Close")
    return {"response_action": "update", "view": checked_view(shown)}

"""What people look at: messages, views, the buttons in both, and files.

Promises: a `Message` or `View` is a picture of one moment and never changes; after an edit the workspace holds another
one. So a press on a card that was on the screen before the edit can be told apart from a press on the present card.
"""

import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from bot.demo.slack import words
from bot.demo.slack.words import escaped

Blocks = tuple[Mapping[str, Any], ...]


@dataclass(frozen=True)
class Button:
    """Something to press: a button, or one option of an overflow menu, a select, radio buttons or checkboxes."""

    label: str
    action_id: str
    block_id: str
    value: str | None
    element: Mapping[str, Any]
    option: Mapping[str, Any] | None = None

    @property
    def style(self) -> str | None:
        """`primary`, `danger` or None."""
        return self.element.get("style")

    @property
    def confirm(self) -> Mapping[str, Any] | None:
        """Slack's own question before the press is sent, when the app asked for one."""
        return self.element.get("confirm")


@dataclass(frozen=True)
class Message:
    """A message as it stood in a channel at one moment. `ts` is its id there; `ephemeral_to` its only reader."""

    channel: str
    ts: str
    user: str
    text: str
    blocks: Blocks = ()
    ephemeral_to: str | None = None
    edited: bool = False
    thread_ts: str | None = None
    by_bot: bool = True
    metadata: Mapping[str, Any] | None = None
    attachments: Blocks = ()
    files: Blocks = ()
    names: Mapping[str, str] = field(default_factory=dict, repr=False, compare=False)

    @cached_property
    def words(self) -> str:
        """All that a reader sees; `text` counts only when there are no blocks, as on a screen."""
        return words.of_blocks(self.blocks, self.names) if self.blocks else words.plain(self.text, self.names)

    @property
    def buttons(self) -> list[Button]:
        """Everything that can be pressed, in reading order."""
        return list(_buttons(self.blocks))

    def as_json(self, *, team_id: str, bot_id: str, app_id: str) -> dict[str, Any]:
        """Return the message object that payloads and answers carry."""
        wire: dict[str, Any] = {"type": "message", "user": self.user, "ts": self.ts, "text": self.text, "team": team_id}
        if self.by_bot:
            wire |= {"bot_id": bot_id, "app_id": app_id}
        for key in ("blocks", "attachments", "files"):
            if getattr(self, key):
                wire[key] = list(getattr(self, key))
        if self.thread_ts:
            wire["thread_ts"] = self.thread_ts
        if self.edited:
            wire["edited"] = {"user": self.user, "ts": self.ts}
        return wire | ({"metadata": self.metadata} if self.metadata else {})


@dataclass(frozen=True)
class View:
    """A modal or a Home tab as one person had it open at one moment."""

    id: str
    user: str
    content: Mapping[str, Any]
    hash: str
    root_id: str
    previous_id: str | None = None
    place: str = ""
    """The conversation that this person looked at when it was opened."""
    errors: Mapping[str, str] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict, repr=False, compare=False)

    @property
    def type(self) -> str:
        """`modal` or `home`."""
        return str(self.content["type"])

    @property
    def blocks(self) -> Blocks:
        """Its blocks."""
        return tuple(self.content.get("blocks", ()))

    @property
    def callback_id(self) -> str:
        """Name the app gave it, or ''."""
        return str(self.content.get("callback_id", ""))

    @property
    def private_metadata(self) -> str:
        """Text the app gave it to carry, or ''."""
        return str(self.content.get("private_metadata", ""))

    @property
    def external_id(self) -> str:
        """Second id, chosen by the app, or ''."""
        return str(self.content.get("external_id", ""))

    @cached_property
    def words(self) -> str:
        """All that a reader sees: title, blocks, errors, the names of the two lower buttons."""
        body = words.of_blocks(self.blocks, self.names)
        ends = [f"[{self.content[end]['text']}]" for end in ("close", "submit") if self.content.get(end)]
        title = self.content.get("title")
        return "\n".join([*([title["text"]] if title else []), body, *self.errors.values(), *ends])

    @property
    def buttons(self) -> list[Button]:
        """Everything that can be pressed inside, in reading order."""
        return list(_buttons(self.blocks))

    def as_json(self, *, team_id: str, bot_id: str, app_id: str, state: Mapping[str, Any]) -> dict[str, Any]:
        """Return the view object that payloads and answers carry."""
        optional = {"callback_id": "", "private_metadata": "", "external_id": "", "close": None, "submit": None}
        return {
            "title": {"type": "plain_text", "text": "View Title", "emoji": True},  # Slack gives one to a Home, too
            **optional,
            "clear_on_close": False,
            "notify_on_close": False,
            **self.content,
            "blocks": list(self.blocks),
            "id": self.id,
            "team_id": team_id,
            "app_id": app_id,
            "bot_id": bot_id,
            "app_installed_team_id": team_id,
            "hash": self.hash,
            "root_view_id": self.root_id,
            "previous_view_id": self.previous_id,
            "state": {"values": state},
        }


def _buttons(blocks: Blocks) -> Iterator[Button]:
    for block in blocks:
        block_id = str(block.get("block_id", ""))
        elements = [block.get("accessory"), block.get("element"), *block.get("elements", ())]
        for element in elements:
            if isinstance(element, Mapping) and "action_id" in element:
                yield from _pressables(element, block_id)
        yield from _buttons(tuple({"elements": [button], "block_id": block_id} for button in block.get("actions", ())))


def _pressables(element: Mapping[str, Any], block_id: str) -> Iterator[Button]:
    action_id = str(element["action_id"])
    if element["type"] == "button":
        yield Button(str(element["text"]["text"]), action_id, block_id, element.get("value"), element)
        return
    groups = [element, *element.get("option_groups", ())]
    for option in (option for group in groups for option in group.get("options", ())):
        yield Button(str(option["text"]["text"]), action_id, block_id, option.get("value"), element, option)


# ---------------------------------------------------------------- texts in a press
# How the texts of a message or a view come back in a press: with `& < >` escaped.
#
# Seen by people who run bots and described nowhere: https://github.com/slackapi/bolt-python/issues/513. Whether values
# come back so as well is not known: a team with `escapes_values` does that too, so that a bot which relies on them is
# found out.

_PRESSED = {"button", "workflow_button", "plain_text_input"}


def returned(node: Any, *, values: bool = False) -> Any:
    """Return this part of a payload as Slack sends it back; with `values` those of buttons, options and inputs, too."""
    if isinstance(node, list | tuple):
        return [returned(item, values=values) for item in node]
    if not isinstance(node, Mapping):
        return node
    back = {key: returned(item, values=values) for key, item in node.items()}
    if node.get("type") == "plain_text" and isinstance(node.get("text"), str):
        back["text"] = escaped(node["text"])
    has_value = node.get("type") in _PRESSED or isinstance(node.get("text"), Mapping)
    if values and has_value and isinstance(node.get("value"), str):
        back["value"] = escaped(node["value"])
    return back


# ---------------------------------------------------------------- seal
# What Slack adds when it accepts blocks: a `block_id` and `action_id` wherever the app gave none
# (https://docs.slack.dev/reference/block-kit/blocks: "If not specified, one will be generated").

_STILL = {"image", "mrkdwn", "plain_text"}


def with_ids(blocks: Sequence[Mapping[str, Any]]) -> tuple[Mapping[str, Any], ...]:
    """Return a copy of the blocks with every id filled in."""
    return tuple(_block(block) for block in blocks)


def _block(block: Mapping[str, Any]) -> dict[str, Any]:
    sealed = {**block, "block_id": block.get("block_id") or secrets.token_urlsafe(4)}
    for key in ("accessory", "element"):
        if key in sealed:
            sealed[key] = _element(sealed[key])
    if sealed["type"] in {"actions", "context_actions"}:
        sealed["elements"] = [_element(element) for element in sealed["elements"]]
    return sealed


def _element(element: Mapping[str, Any]) -> dict[str, Any]:
    if element["type"] in _STILL or "action_id" in element:
        return dict(element)
    return {**element, "action_id": secrets.token_urlsafe(4)}


# ---------------------------------------------------------------- files
# What is known of a file that the bot uploads.


@dataclass
class Upload:
    """One file; `secret` ends the address that takes its bytes, `content` is None until they came."""

    id: str
    secret: str
    name: str
    length: int
    content: bytes | None = None
    title: str = ""

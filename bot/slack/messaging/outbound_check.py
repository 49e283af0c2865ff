"""Check a message or a view before it leaves: what Slack would refuse never gets as far as Slack.

Texts that are too long are shortened: better a cut name than silence. Everything else that Slack refuses (too many
blocks, a button without an ``action_id``, two of the same in one block, a block messages cannot hold) is a mistake of
the drawer and raises ``Unsendable``. Every mrkdwn object is sent ``verbatim``, so that Slack finds no links or mentions
of its own in what people named their flows.

Limits: https://docs.slack.dev/reference/block-kit/blocks
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from slack_sdk.errors import SlackObjectFormationError
from slack_sdk.models import JsonObject
from slack_sdk.models.blocks import Block

from bot.slack.messaging.truncation import shortened

TEXT_LIMIT: Final = 3400
"""For the top-level text: Slack advises 4,000 and splits what is longer; ``chat.update`` is stricter."""
_LONGEST: Final[Mapping[tuple[str, str], int]] = {
    ("section", "text"): 3000,
    ("section", "fields"): 2000,
    ("header", "text"): 150,
    ("context", "elements"): 2000,
    ("button", "text"): 75,
    ("button", "accessibility_label"): 75,
    ("image", "alt_text"): 2000,
    ("image", "title"): 2000,
    ("input", "label"): 2000,
    ("input", "hint"): 2000,
}
_LONGEST_ANYWHERE: Final[Mapping[str, int]] = {"placeholder": 150, "title": 100, "confirm": 30, "deny": 30}
_COUNTS: Final[Mapping[tuple[str, str], int]] = {
    ("section", "fields"): 10,
    ("context", "elements"): 10,
    ("actions", "elements"): 25,
    ("context_actions", "elements"): 5,
    ("overflow", "options"): 5,
    ("static_select", "options"): 100,
    ("radio_buttons", "options"): 10,
    ("checkboxes", "options"): 10,
}
_INTERACTIVE: Final = frozenset(
    {"button", "overflow", "static_select", "radio_buttons", "checkboxes", "plain_text_input", "datepicker"}
)
_PLAIN_ONLY: Final = frozenset({("header", "text"), ("button", "text")})
_ONLY_IN_VIEWS: Final = frozenset({"alert"})
_MAX_BLOCKS: Final[Mapping[str, int]] = {"message": 50, "modal": 100, "home": 100}
_LONGEST_QUESTION: Final = 300
"""In Slack's own question before a press is sent."""
_LONGEST_END: Final = 24
"""A modal's title, and the words on its two buttons."""
_MAX_METADATA: Final = 3000
_MAX_ID: Final = 255
_VALUES: Final[Mapping[str, int]] = {"button": 2000, "overflow": 150, "static_select": 150}


class Unsendable(ValueError):
    """A mistake of the drawer: Slack would refuse this message. The text names the place, never the content."""


def checked(text: str, blocks: Sequence[Block]) -> tuple[str, list[dict[str, Any]]]:
    """The text and the blocks of a message as they may be sent. Raises ``Unsendable``."""
    if not text.strip():
        raise Unsendable("a message needs a text: it is what notifications and screen readers say")
    return shortened(text, TEXT_LIMIT), _checked_blocks(blocks, "message")


def checked_view(view: Mapping[str, Any]) -> dict[str, Any]:
    """A modal or a Home, its blocks drawn or models, as it may be sent. Raises ``Unsendable``.

    https://docs.slack.dev/reference/views
    """
    surface = str(view.get("type"))
    if surface not in {"modal", "home"}:
        raise Unsendable("a view is a modal or a Home")
    drawn = {key: _drawn(part) for key, part in view.items() if key != "blocks"}
    blocks = _checked_blocks(view.get("blocks", ()), surface)
    if surface == "modal" and not drawn.get("title"):
        raise Unsendable("a modal needs a title")
    if any(block["type"] == "input" for block in blocks) and not drawn.get("submit"):
        raise Unsendable("a modal with fields needs a submit button")
    for end in {"title", "submit", "close"} & drawn.keys():
        drawn[end]["text"] = shortened(drawn[end]["text"], _LONGEST_END)
    if len(drawn.get("private_metadata", "")) > _MAX_METADATA or len(drawn.get("callback_id", "")) > _MAX_ID:
        raise Unsendable("what the view carries is too long")
    return {**drawn, "blocks": blocks}


def _checked_blocks(blocks: Sequence[Any], surface: str) -> list[dict[str, Any]]:
    if len(blocks) > _MAX_BLOCKS[surface]:
        raise Unsendable(f"{len(blocks)} blocks in one {surface}, {_MAX_BLOCKS[surface]} are allowed")
    try:
        drawn = [_drawn(block) for block in blocks]
    except SlackObjectFormationError as refused:
        raise Unsendable(str(refused)) from None  # the SDK's own words: which limit, never what was over it
    ids = Counter(block["block_id"] for block in drawn if "block_id" in block)
    if ids and max(ids.values()) > 1:
        raise Unsendable("two blocks share a block_id")
    for place, block in enumerate(drawn):
        _check_block(f"block {place} ({block.get('type')})", block, surface)
    return drawn


def _drawn(thing: Any) -> Any:
    """A model as JSON, without the models' own length checks: those refuse where shortening is kinder."""
    if isinstance(thing, JsonObject):
        if type(thing).to_dict is not JsonObject.to_dict:
            return _drawn(thing.to_dict())
        parts = ((key, getattr(thing, key, None)) for key in sorted(thing.attributes))
        return {key: _drawn(part) for key, part in parts if part is not None and part not in ("", [], ())}
    if isinstance(thing, Mapping):
        return {key: _drawn(part) for key, part in thing.items()}
    if isinstance(thing, list | tuple):
        return [_drawn(part) for part in thing]
    return thing


def _check_block(where: str, block: dict[str, Any], surface: str) -> None:
    kind = block.get("type")
    if kind is None or (kind in _ONLY_IN_VIEWS and surface == "message"):
        raise Unsendable(f"{where}: messages cannot hold this block")
    if kind in {"actions", "context"} and not block.get("elements"):
        raise Unsendable(f"{where}: has no elements")
    if kind == "section" and not (block.get("text") or block.get("fields")):
        raise Unsendable(f"{where}: has neither text nor fields")
    if len(block.get("block_id", "")) > _MAX_ID:
        raise Unsendable(f"{where}: its block_id is longer than {_MAX_ID}")
    actions = Counter(part["action_id"] for part in _parts(block) if "action_id" in part)
    if actions and max(actions.values()) > 1:
        raise Unsendable(f"{where}: two elements share an action_id")
    for part in _parts(block):
        _check_part(where, part)


def _parts(thing: Any) -> Iterator[dict[str, Any]]:
    """Every object in the block, the block itself first; rich text is Slack's own tree and is left alone."""
    if isinstance(thing, dict):
        if thing.get("type") == "rich_text":
            return
        yield thing
        for part in thing.values():
            yield from _parts(part)
    elif isinstance(thing, list):
        for part in thing:
            yield from _parts(part)


def _check_part(where: str, part: dict[str, Any]) -> None:
    kind = str(part.get("type", ""))
    if kind == "mrkdwn":
        part["verbatim"] = True
    if kind in _INTERACTIVE and not 0 < len(part.get("action_id", "")) <= _MAX_ID:
        raise Unsendable(f"{where}: a {kind} needs an action_id of 1 to {_MAX_ID} characters")
    if not kind and {"title", "confirm"} <= part.keys():
        part["text"]["text"] = shortened(part["text"]["text"], _LONGEST_QUESTION)
    if kind in _VALUES:
        choices = [part, *part.get("options", ())]
        if any(len(choice.get("value", "")) > _VALUES[kind] for choice in choices):
            raise Unsendable(f"{where}: a value of a {kind} is longer than {_VALUES[kind]}")
    for key in part:
        _check_entry(where, kind, key, part)


def _check_entry(where: str, kind: str, key: str, part: dict[str, Any]) -> None:
    entry = part[key]
    most = _COUNTS.get((kind, key))
    if most is not None and not 0 < len(entry) <= most:
        raise Unsendable(f"{where}: {len(entry)} {key} in a {kind}, 1 to {most} are allowed")
    if (kind, key) in _PLAIN_ONLY and entry.get("type") != "plain_text":
        raise Unsendable(f"{where}: the {key} of a {kind} must be plain_text")
    longest = _LONGEST.get((kind, key)) or _LONGEST_ANYWHERE.get(key)
    if longest is None:
        return
    if isinstance(entry, str):
        part[key] = shortened(entry, longest) or "—"
    for words in entry if isinstance(entry, list) else [entry]:
        if isinstance(words, dict) and words.get("type") in {"plain_text", "mrkdwn"}:
            words["text"] = shortened(words.get("text") or "—", longest)

"""Judge what passed the simulated Slack's wire by schemas that nobody here wrote.

Whatever has the same shape (the same keys, types, words of an enumeration, and lengths between the same two limits) has
the same verdict, so each shape is judged once: some thousand messages take a second.
"""

import json
import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs
from jsonschema import Draft7Validator
from jsonschema.exceptions import best_match
from referencing import Registry
from referencing.jsonschema import DRAFT7

WHOLE = json.loads((Path(__file__).parent / "schemas.json").read_text(encoding="utf-8"))
DEFINITIONS: dict[str, Any] = WHOLE["definitions"]
_REGISTRY: Registry[Any] = Registry().with_resource("urn:slack", DRAFT7.create_resource(WHOLE))
_COMPILED = jsonschema_rs.Registry([("urn:slack", WHOLE)], draft=jsonschema_rs.Draft7)

DELIVERED = {
    "slash_command": ("SlashCommand", "RespondArguments"),
    "block_actions": ("BlockAction", None),
    "block_suggestion": ("BlockSuggestion", "BlockOptions"),
    "view_submission": ("ViewSubmitAction", "ViewResponseAction"),
    "view_closed": ("ViewClosedAction", None),
    "message_action": ("MessageShortcut", None),
    "shortcut": ("GlobalShortcut", None),
}
EVENTS = {"app_mention": "AppMentionEvent", "message": "GenericMessageEvent"}
CHANGES = {"message_changed": "MessageChangedEvent", "message_deleted": "MessageDeletedEvent"}


class Judge:
    """Takes exchanges, counts them, and has a verdict on all that it took since it was asked last."""

    def __init__(self, counts: Counter[str] | None = None) -> None:
        self.counts = Counter() if counts is None else counts
        self._open: dict[tuple[str, str], Any] = {}
        self._known: set[tuple[str, str]] = set()

    def take(self, kind: str, said: Any, answered: Any) -> None:
        """Note one exchange; its verdict comes later, when nobody waits."""
        for side, schema, value in _sides(kind, said, answered):
            if schema in DEFINITIONS and value is not None:
                self.counts[side] += 1
                self.counts["blocks"] += len(list(blocks_in(value)))
                shape = (schema, json.dumps(_shape(value), sort_keys=True))
                if shape not in self._known:
                    self._known.add(shape)
                    self._open[shape] = value

    def verdict(self) -> list[str]:
        """Return what was wrong, one line a fault, and forget it."""
        judged, self._open = self._open, {}
        return [fault for (schema, _), value in judged.items() for fault in faults(schema, value)]


def faults(schema: str, value: Any) -> list[str]:
    """Return what Slack's types find wrong with this value.

    Compiled schemas say whether; what is wrong is told by a slower validator, which knows the most telling error of a
    choice among many types.
    """
    if _compiled(schema).is_valid(value):
        return []
    worst = best_match(Draft7Validator(_reference(schema), registry=_REGISTRY).iter_errors(value))
    return [f"{schema} at /{'/'.join(map(str, worst.absolute_path))}: {worst.message[:300]}"] if worst else []


@cache
def _compiled(schema: str) -> Any:
    return jsonschema_rs.Draft7Validator(_reference(schema), registry=_COMPILED)


def _reference(schema: str) -> dict[str, str]:
    return {"$ref": f"urn:slack#/definitions/{schema.replace('/', '~1')}"}


def blocks_in(value: Any) -> Iterator[Any]:
    """Yield the blocks of a message or a view, wherever they stand."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if key == "blocks" and isinstance(inner, list):
                yield from inner
            else:
                yield from blocks_in(inner)


def _sides(kind: str, said: Any, answered: Any) -> Iterator[tuple[str, str, Any]]:
    if kind in DELIVERED:
        told, answer = DELIVERED[kind]
        yield "told the bot", told, said
        if answer:
            groups = (answered or {}).get("option_groups", [answered])
            for options in groups:
                yield "said by the bot", answer, _without_label(options)
    elif kind == "event_callback":
        event = said["event"]
        yield "told the bot", CHANGES.get(event.get("subtype"), EVENTS.get(event["type"], "")), event
    elif kind == "response_url":
        yield "said by the bot", "RespondArguments", said
    else:
        name = "".join(part[0].upper() + part[1:] for part in re.split(r"\.", kind))
        arguments = "APITestArguments" if kind == "api.test" else f"{name}Arguments"
        yield "said by the bot", arguments, _typed(arguments, said)
        yield "answered to the bot", f"{name}Response/{name}Response", answered


def _without_label(options: Any) -> Any:
    """Return a group of options as options: the packages' type of a group is a generic one, which has no schema."""
    return {k: v for k, v in options.items() if k != "label"} if isinstance(options, Mapping) else options


def _typed(schema: str, said: Any) -> Any:
    """Return the arguments with the types they lost in a form or a query: `1` is a number, or true."""
    wanted = _types(DEFINITIONS.get(schema, {}))
    typed = dict(said)
    for key, value in said.items():
        if isinstance(value, str) and wanted.get(key) == "boolean" and value.lower() in {"0", "1", "true", "false"}:
            typed[key] = value.lower() in {"1", "true"}
        elif isinstance(value, str) and wanted.get(key) == "number" and value.isdigit():
            typed[key] = int(value)
    return typed


def _types(schema: Mapping[str, Any]) -> dict[str, Any]:
    found = {key: part.get("type") for key, part in schema.get("properties", {}).items() if isinstance(part, Mapping)}
    for branch in (*schema.get("anyOf", ()), *schema.get("allOf", ())):
        found |= _types(branch)
    return found


def _constants(node: Any) -> Iterator[Any]:
    if isinstance(node, Mapping):
        yield from [node["const"]] if "const" in node else []
        yield from node.get("enum", [])
        for inner in node.values():
            yield from _constants(inner)
    elif isinstance(node, list):
        for inner in node:
            yield from _constants(inner)


def _limits(node: Any) -> Iterator[int]:
    if isinstance(node, Mapping):
        yield from (node[key] for key in ("maxLength", "minLength") if isinstance(node.get(key), int))
        for inner in node.values():
            yield from _limits(inner)
    elif isinstance(node, list):
        for inner in node:
            yield from _limits(inner)


_WORDS = {word for word in _constants(DEFINITIONS) if isinstance(word, str)}
_LIMITS = sorted({0, *_limits(DEFINITIONS)})
_FREE = {"values", "args", "event_payload"}  # keys of the app's own choosing lie inside


def _shape(value: Any, *, free: bool = False) -> Any:
    if isinstance(value, str):
        return value if value in _WORDS else bisect_left(_LIMITS, len(value))
    if isinstance(value, Mapping):
        inside = [(key, _shape(inner, free=key in _FREE)) for key, inner in value.items()]
        return sorted((str(shape) for _, shape in inside)) if free else dict(inside)
    if isinstance(value, list | tuple):
        return [_shape(inner) for inner in value]
    return value if isinstance(value, bool | None) else type(value).__name__

"""What the rules of blocks, elements and texts are made of
(https://docs.slack.dev/reference/block-kit/composition-objects).

Each check yields pairs of (JSON pointer from its block, what is wrong); nothing when all is well. Whatever JSON comes,
none of them raises.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

Faulty = tuple[str, str]


def kind_of(thing: Any) -> str:
    """Return the `type` of an object, or '' when it has none that is a string."""
    kind = thing.get("type") if isinstance(thing, Mapping) else None
    return kind if isinstance(kind, str) else ""


def items(value: Any) -> list[Any]:
    """Return the list, or an empty one when it is something else, which `checked_list` reports."""
    return value if isinstance(value, list) else []


def only(thing: Mapping[str, Any], known: Iterable[str], at: str = "") -> Iterator[Faulty]:
    """Check that an object has no property that Slack does not know."""
    for key in sorted(set(thing) - set(known)):
        yield f"{at}/{key}", f"invalid additional property: {key}"


def one_of(value: Any, at: str, choices: Iterable[str]) -> Iterator[Faulty]:
    """Check that a value is one of a few words."""
    if not isinstance(value, str) or value not in set(choices):
        yield at, "must be a valid enum value"


def length(value: Any, at: str, *, most: int, least: int = 1) -> Iterator[Faulty]:
    """Check a string's length in characters."""
    if not isinstance(value, str):
        yield at, "must be a string"
    elif len(value) > most:
        yield at, f"must be less than {most + 1} characters"
    elif len(value) < least:
        yield at, f"must be more than {least - 1} characters"


def checked_text(value: Any, at: str, *, most: int, kinds: frozenset[str] | set[str] | None = None) -> Iterator[Faulty]:
    """Check a text object; `kinds` defaults to plain_text and mrkdwn."""
    if not isinstance(value, Mapping):
        yield at, "must provide an object"
        return
    yield from one_of(value.get("type"), f"{at}/type", kinds or {"plain_text", "mrkdwn"})
    yield from only(value, {"type", "text", "verbatim" if kind_of(value) == "mrkdwn" else "emoji"}, at)
    for key in ("emoji", "verbatim"):
        if not isinstance(value.get(key, False), bool):
            yield f"{at}/{key}", "must be a boolean"
    yield from length(value.get("text"), f"{at}/text", most=most)


def checked_list(value: Any, at: str, *, most: int, least: int = 1) -> Iterator[Faulty]:
    """Check a list's size."""
    if not isinstance(value, list):
        yield at, "must be an array"
    elif len(value) > most:
        yield at, f"no more than {most} items allowed"
    elif len(value) < least:
        yield at, f"must be at least {least} items"


def unique(things: Iterable[Any], key: str, at: str) -> Iterator[Faulty]:
    """Check that no two of these objects bear the same id under `key`."""
    ids = [thing[key] for thing in things if isinstance(thing, Mapping) and isinstance(thing.get(key), str)]
    for id_ in sorted({id_ for id_ in ids if ids.count(id_) > 1}):
        yield at, f"`{key}` {id_} already exists"

"""The rules for rich text (https://docs.slack.dev/reference/block-kit/blocks/rich-text-block)."""

from collections.abc import Iterator, Mapping
from typing import Any

from bot.demo.slack.block_elements import Faulty, checked_list, items, kind_of, length, one_of, only

_PARTS = {"rich_text_section", "rich_text_list", "rich_text_preformatted", "rich_text_quote"}
_NEEDED: dict[str, dict[str, type]] = {
    "text": {"text": str},
    "link": {"url": str},
    "user": {"user_id": str},
    "usergroup": {"usergroup_id": str},
    "channel": {"channel_id": str},
    "broadcast": {"range": str},
    "emoji": {"name": str},
    "color": {"value": str},
    "date": {"timestamp": int, "format": str},
}
_MORE: dict[str, set[str]] = {
    "link": {"text", "unsafe"},
    "emoji": {"unicode", "skin_tone"},
    "date": {"url", "fallback"},
}


def check(block: Mapping[str, Any], at: str = "") -> Iterator[Faulty]:
    """Check a rich_text block, or one in a cell of a table."""
    yield from checked_list(block.get("elements"), f"{at}/elements", most=1000)
    for index, part in enumerate(items(block.get("elements"))):
        where = f"{at}/elements/{index}"
        if kind_of(part) not in _PARTS:
            yield f"{where}/type", "unsupported type"
        elif kind_of(part) == "rich_text_list":
            yield from one_of(part.get("style"), f"{where}/style", {"bullet", "ordered"})
            yield from _list(part, where)
        else:
            yield from _inline(part, where)


def _list(part: Mapping[str, Any], at: str) -> Iterator[Faulty]:
    yield from checked_list(part.get("elements"), f"{at}/elements", most=1000)
    for index, item in enumerate(items(part.get("elements"))):
        if kind_of(item) == "rich_text_section":
            yield from _inline(item, f"{at}/elements/{index}")
        else:
            yield f"{at}/elements/{index}/type", "unsupported type"


def _inline(part: Mapping[str, Any], at: str) -> Iterator[Faulty]:
    yield from checked_list(part.get("elements"), f"{at}/elements", most=10_000, least=0)
    for index, piece in enumerate(items(part.get("elements"))):
        where, kind = f"{at}/elements/{index}", kind_of(piece)
        if kind not in _NEEDED:
            yield f"{where}/type", "unsupported type"
            continue
        yield from only(piece, {"type", "style", *_NEEDED[kind], *_MORE.get(kind, ())}, where)
        for key, wanted in _NEEDED[kind].items():
            if wanted is str:
                yield from length(piece.get(key), f"{where}/{key}", most=100_000)
            elif not isinstance(piece.get(key), wanted):
                yield f"{where}/{key}", "must be a number"
        for key in {"text", "fallback", "unicode"} & _MORE.get(kind, set()) & piece.keys():
            yield from length(piece[key], f"{where}/{key}", most=100_000)
        if not isinstance(piece.get("style", {}), Mapping):
            yield f"{where}/style", "must provide an object"

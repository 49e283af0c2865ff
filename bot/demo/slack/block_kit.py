"""Block Kit's rules: what Slack refuses to show.

Promises: `check(blocks, surface)` returns Slack-like messages with JSON pointers, none when all is well; nothing is
repaired or cut. The limits are those of https://docs.slack.dev/reference/block-kit/blocks; blocks of an unknown type are
refused, as Slack refuses them. `surface` is `message`, `modal` or `home`.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bot.demo.slack.block_kinds import KEYS, KINDS
from bot.demo.slack.block_rules import Faulty, checked_text, items, kind_of, length, only, unique

SURFACES = {
    "section": {"message", "modal", "home"},
    "actions": {"message", "modal", "home"},
    "context": {"message", "modal", "home"},
    "header": {"message", "modal", "home"},
    "divider": {"message", "modal", "home"},
    "image": {"message", "modal", "home"},
    "rich_text": {"message", "modal", "home"},
    "input": {"message", "modal", "home"},
    "video": {"message", "modal", "home"},
    "markdown": {"message"},
    "table": {"message"},
    "context_actions": {"message"},
    "alert": {"modal"},
    "card": {"message", "modal", "home"},
}
MOST_BLOCKS = {"message": 50, "modal": 100, "home": 100}


def check(blocks: Any, surface: str, at: str = "/blocks") -> list[str]:
    """Return what is wrong with these blocks on this surface, as `must be … [json-pointer:…]`, in order."""
    if not isinstance(blocks, list):
        return [f"must be an array [json-pointer:{at}]"]
    faults = list(_counted(blocks, surface, at))
    for index, block in enumerate(blocks):
        faults += [f"{what} [json-pointer:{at}/{index}{where}]" for where, what in _block(block, surface)]
    return faults


def check_view(view: Any) -> list[str]:
    """Return what is wrong with this view (https://docs.slack.dev/reference/views), pointers from `/view`."""
    if not isinstance(view, Mapping):
        return ["must provide an object [json-pointer:/view]"]
    surface = kind_of(view)
    if surface not in {"modal", "home"}:
        return ["must be a valid enum value [json-pointer:/view/type]"]
    faults = [f"{what} [json-pointer:/view{where}]" for where, what in _view_frame(view, surface)]
    return faults + check(view.get("blocks"), surface, "/view/blocks")


def _counted(blocks: Sequence[Any], surface: str, at: str) -> Iterator[str]:
    if len(blocks) > MOST_BLOCKS[surface]:
        yield f"no more than {MOST_BLOCKS[surface]} items allowed [json-pointer:{at}]"
    known = [block for block in blocks if isinstance(block, Mapping)]
    yield from (f"{what} [json-pointer:{where}]" for where, what in unique(known, "block_id", at))
    if sum(len(str(block.get("text", ""))) for block in known if kind_of(block) == "markdown") > 12_000:
        yield f"must be less than 12001 characters [json-pointer:{at}]"
    if sum(kind_of(block) == "table" for block in known) > 1:
        yield f"only_one_table_allowed [json-pointer:{at}]"


def _view_frame(view: Mapping[str, Any], surface: str) -> Iterator[Faulty]:
    if surface == "modal" and "title" not in view:
        yield "", "missing required field: title"
    for end in ("title", "submit", "close"):
        if view.get(end) is not None:
            yield from checked_text(view[end], f"/{end}", most=24, kinds={"plain_text"})
    for key, most in (("private_metadata", 3000), ("callback_id", 255), ("external_id", 255)):
        yield from length(view.get(key, ""), f"/{key}", most=most, least=0)
    inputs = any(kind_of(block) == "input" for block in items(view.get("blocks")))
    if surface == "modal" and inputs and not view.get("submit"):
        yield "", "missing required field: submit"
    known = {"type", "title", "blocks", "close", "submit", "private_metadata", "callback_id", "clear_on_close"}
    known |= {"notify_on_close", "external_id", "submit_disabled"}
    yield from only(view, known)


def _block(block: Any, surface: str) -> Iterator[Faulty]:
    if not isinstance(block, Mapping):
        yield "", "must provide an object"
        return
    kind = kind_of(block)
    if kind not in SURFACES or surface not in SURFACES[kind]:
        yield "/type", f"unsupported type: {kind}"
        return
    yield from only(block, {"type", "block_id", *KEYS[kind]})
    yield from length(block.get("block_id", "x"), "/block_id", most=255)
    check_kind = KINDS.get(kind)
    if check_kind:
        yield from check_kind(block)

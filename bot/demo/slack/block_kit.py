"""Block Kit's rules: what Slack refuses to show.

Promises: `check(blocks, surface)` returns Slack-like messages with JSON pointers, none when all is well; nothing is
repaired or cut. The limits are those of https://docs.slack.dev/reference/block-kit/blocks; blocks of an unknown type
are refused, as Slack refuses them. `surface` is `message`, `modal` or `home`.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bot.demo.slack import block_elements, block_rich_text
from bot.demo.slack.block_elements import (
    Faulty,
    checked_list,
    checked_text,
    items,
    kind_of,
    length,
    one_of,
    only,
    unique,
)

# ---------------------------------------------------------------- block kinds
# The rules for each kind of block (https://docs.slack.dev/reference/block-kit/blocks).

KEYS = {
    "section": {"text", "fields", "accessory", "expand"},
    "actions": {"elements"},
    "context": {"elements"},
    "header": {"text", "level"},
    "divider": set[str](),
    "image": {"image_url", "alt_text", "title", "slack_file"},
    "rich_text": {"elements"},
    "input": {"label", "element", "hint", "optional", "dispatch_action"},
    "video": {"title", "title_url", "thumbnail_url", "video_url", "alt_text", "description"}
    | {"author_name", "provider_name", "provider_icon_url"},
    "markdown": {"text"},
    "table": {"rows", "column_settings"},
    "context_actions": {"elements"},
    "alert": {"text", "level"},
    "card": {"title", "subtitle", "body", "subtext", "hero_image", "icon", "slack_icon", "actions"},
}
"""The properties of each kind, beside `type` and `block_id`."""


def _section(block: Mapping[str, Any]) -> Iterator[Faulty]:
    if "text" not in block and "fields" not in block:
        yield "", "missing required field: text or fields"
    if "text" in block:
        yield from checked_text(block["text"], "/text", most=3000)
    if "fields" in block:
        yield from checked_list(block["fields"], "/fields", most=10)
        for index, item in enumerate(items(block["fields"])):
            yield from checked_text(item, f"/fields/{index}", most=2000)
    if "accessory" in block:
        yield from block_elements.check(block["accessory"], "/accessory", "section")


def _actions(block: Mapping[str, Any]) -> Iterator[Faulty]:
    elements = block.get("elements")
    yield from checked_list(elements, "/elements", most=25)
    for index, element in enumerate(items(elements)):
        yield from block_elements.check(element, f"/elements/{index}", "actions")
    yield from unique(items(elements), "action_id", "/elements")


def _context(block: Mapping[str, Any]) -> Iterator[Faulty]:
    elements = block.get("elements")
    yield from checked_list(elements, "/elements", most=10)
    for index, element in enumerate(items(elements)):
        if isinstance(element, Mapping) and kind_of(element) == "image":
            yield from block_elements.image(element, f"/elements/{index}")
        else:
            yield from checked_text(element, f"/elements/{index}", most=3000)


def _header(block: Mapping[str, Any]) -> Iterator[Faulty]:
    yield from checked_text(block.get("text"), "/text", most=150, kinds={"plain_text"})


def _image(block: Mapping[str, Any]) -> Iterator[Faulty]:
    yield from block_elements.image(block, "")
    if "title" in block:
        yield from checked_text(block["title"], "/title", most=2000, kinds={"plain_text"})


def _input(block: Mapping[str, Any]) -> Iterator[Faulty]:
    yield from checked_text(block.get("label"), "/label", most=2000, kinds={"plain_text"})
    if "hint" in block:
        yield from checked_text(block["hint"], "/hint", most=2000, kinds={"plain_text"})
    yield from block_elements.check(block.get("element"), "/element", "input")


def _markdown(block: Mapping[str, Any]) -> Iterator[Faulty]:
    yield from length(block.get("text"), "/text", most=12_000)


def _alert(block: Mapping[str, Any]) -> Iterator[Faulty]:
    yield from checked_text(block.get("text"), "/text", most=200)
    yield from one_of(block.get("level", "default"), "/level", {"default", "info", "warning", "error", "success"})


def _card(block: Mapping[str, Any]) -> Iterator[Faulty]:
    for key, most in (("title", 150), ("subtitle", 150), ("body", 200)):
        if key in block:
            yield from checked_text(block[key], f"/{key}", most=most)
    if "actions" in block:
        yield from checked_list(block["actions"], "/actions", most=3)
        for index, element in enumerate(items(block["actions"])):
            yield from block_elements.check(element, f"/actions/{index}", "actions")


def _context_actions(block: Mapping[str, Any]) -> Iterator[Faulty]:
    yield from checked_list(block.get("elements"), "/elements", most=5)
    for index, element in enumerate(items(block.get("elements"))):
        if kind_of(element) not in {"feedback_buttons", "icon_button"}:
            yield f"/elements/{index}/type", f"unsupported type: {kind_of(element)}"
        elif not isinstance(element.get("action_id", ""), str):
            yield f"/elements/{index}/action_id", "must be a string"


def _video(block: Mapping[str, Any]) -> Iterator[Faulty]:
    yield from checked_text(block.get("title"), "/title", most=200, kinds={"plain_text"})
    if "description" in block:
        yield from checked_text(block["description"], "/description", most=200, kinds={"plain_text"})
    for key in ("alt_text", "thumbnail_url", "video_url"):
        yield from length(block.get(key), f"/{key}", most=3000)


def _table(block: Mapping[str, Any]) -> Iterator[Faulty]:
    yield from checked_list(block.get("rows"), "/rows", most=100)
    for index, row in enumerate(items(block.get("rows"))):
        yield from checked_list(row, f"/rows/{index}", most=20)
        for column, cell in enumerate(items(row)):
            yield from _cell(cell, f"/rows/{index}/{column}")


def _cell(cell: Any, at: str) -> Iterator[Faulty]:
    match kind_of(cell):
        case "raw_text":
            yield from length(cell.get("text"), f"{at}/text", most=20_000)
        case "raw_number":
            if not isinstance(cell.get("value"), int | float):
                yield f"{at}/value", "must be a number"
        case "rich_text":
            yield from block_rich_text.check(cell, at)
        case kind:
            yield f"{at}/type", f"unsupported type: {kind}"


KINDS = {
    "section": _section,
    "actions": _actions,
    "context": _context,
    "header": _header,
    "image": _image,
    "input": _input,
    "markdown": _markdown,
    "alert": _alert,
    "card": _card,
    "rich_text": block_rich_text.check,
    "context_actions": _context_actions,
    "video": _video,
    "table": _table,
}


# ---------------------------------------------------------------- block kit

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

"""Block Kit's rules: what Slack refuses to show.

Promises: `check(blocks, surface)` returns Slack-like messages with JSON pointers, none when all is well; nothing is
repaired or cut. The limits are those of https://docs.slack.dev/reference/block-kit/blocks; blocks of an unknown type are
refused, as Slack refuses them. `surface` is `message`, `modal` or `home`.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bot.demo.slack import block_elements
from bot.demo.slack.block_elements import Faulty, checked_list, checked_text, items, length

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
    surface = str(view.get("type"))
    if surface not in {"modal", "home"}:
        return ["must be a valid enum value [json-pointer:/view/type]"]
    faults = [f"{what} [json-pointer:/view{where}]" for where, what in _view_frame(view, surface)]
    return faults + check(view.get("blocks"), surface, "/view/blocks")


def _counted(blocks: Sequence[Any], surface: str, at: str) -> Iterator[str]:
    if len(blocks) > MOST_BLOCKS[surface]:
        yield f"no more than {MOST_BLOCKS[surface]} items allowed [json-pointer:{at}]"
    known = [block for block in blocks if isinstance(block, Mapping)]
    ids = [block["block_id"] for block in known if "block_id" in block]
    for id_ in sorted({str(id_) for id_ in ids if ids.count(id_) > 1}):
        yield f"`block_id` {id_} already exists [json-pointer:{at}]"
    if sum(len(str(block.get("text", ""))) for block in known if block.get("type") == "markdown") > 12_000:
        yield f"must be less than 12001 characters [json-pointer:{at}]"
    if sum(block.get("type") == "table" for block in known) > 1:
        yield f"only_one_table_allowed [json-pointer:{at}]"


def _view_frame(view: Mapping[str, Any], surface: str) -> Iterator[Faulty]:
    if surface == "modal" and "title" not in view:
        yield "", "missing required field: title"
    for end in ("title", "submit", "close"):
        if view.get(end) is not None:
            yield from checked_text(view[end], f"/{end}", most=24, kinds={"plain_text"})
    for key, most in (("private_metadata", 3000), ("callback_id", 255), ("external_id", 255)):
        yield from length(view.get(key, ""), f"/{key}", most=most, least=0)
    inputs = any(isinstance(block, Mapping) and block.get("type") == "input" for block in items(view.get("blocks")))
    if surface == "modal" and inputs and not view.get("submit"):
        yield "", "missing required field: submit"
    known = {"type", "title", "blocks", "close", "submit", "private_metadata", "callback_id", "clear_on_close"}
    known |= {"notify_on_close", "external_id", "submit_disabled"}
    for key in sorted(set(view) - known):
        yield f"/{key}", f"invalid additional property: {key}"


def _block(block: Any, surface: str) -> Iterator[Faulty]:
    if not isinstance(block, Mapping):
        yield "", "must provide an object"
        return
    kind = str(block.get("type"))
    if kind not in SURFACES or surface not in SURFACES[kind]:
        yield "/type", f"unsupported type: {kind}"
        return
    yield from length(block.get("block_id", "x"), "/block_id", most=255)
    check_kind = _KINDS.get(kind)
    if check_kind:
        yield from check_kind(block)


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
    ids = [element.get("action_id") for element in items(elements) if isinstance(element, Mapping)]
    for id_ in sorted({str(id_) for id_ in ids if id_ is not None and ids.count(id_) > 1}):
        yield "/elements", f"`action_id` {id_} already exists"


def _context(block: Mapping[str, Any]) -> Iterator[Faulty]:
    elements = block.get("elements")
    yield from checked_list(elements, "/elements", most=10)
    for index, element in enumerate(items(elements)):
        if isinstance(element, Mapping) and element.get("type") == "image":
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
    if block.get("level", "default") not in {"default", "info", "warning", "error", "success"}:
        yield "/level", "must be a valid enum value"


def _card(block: Mapping[str, Any]) -> Iterator[Faulty]:
    for key, most in (("title", 150), ("subtitle", 150), ("body", 200)):
        if key in block:
            yield from checked_text(block[key], f"/{key}", most=most)
    if "actions" in block:
        yield from checked_list(block["actions"], "/actions", most=3)
        for index, element in enumerate(items(block["actions"])):
            yield from block_elements.check(element, f"/actions/{index}", "actions")


def _rich_text(block: Mapping[str, Any]) -> Iterator[Faulty]:
    yield from checked_list(block.get("elements"), "/elements", most=1000)
    parts = {"rich_text_section", "rich_text_list", "rich_text_preformatted", "rich_text_quote"}
    for index, part in enumerate(items(block.get("elements"))):
        if not isinstance(part, Mapping) or part.get("type") not in parts:
            yield f"/elements/{index}/type", "unsupported type"


def _table(block: Mapping[str, Any]) -> Iterator[Faulty]:
    yield from checked_list(block.get("rows"), "/rows", most=100)
    for index, row in enumerate(items(block.get("rows"))):
        yield from checked_list(row, f"/rows/{index}", most=20)
        for column, cell in enumerate(items(row)):
            if isinstance(cell, Mapping) and cell.get("type") == "raw_text" and not cell.get("text"):
                yield f"/rows/{index}/{column}/text", "must be more than 0 characters"


_KINDS = {
    "section": _section,
    "actions": _actions,
    "context": _context,
    "header": _header,
    "image": _image,
    "input": _input,
    "markdown": _markdown,
    "alert": _alert,
    "card": _card,
    "rich_text": _rich_text,
    "table": _table,
}

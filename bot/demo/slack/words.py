"""What a reader reads: Block Kit and mrkdwn flattened to plain text.

Promises: every text a person would see comes out in reading order, one line a block, entities decoded, mentions as
`@name` and `#name`, links as their label, dates as their fallback, buttons and other controls in `[brackets]`.
Decision: formatting marks are taken away only where Slack would take them as formatting (at word borders), so that
`queue_join` stays and `*Main menu*` becomes `Main menu`
(https://docs.slack.dev/messaging/formatting-message-text).
"""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from bot.demo.slack.block_elements import kind_of

_TOKEN = re.compile(r"<([^<>\n]+)>")
_MARKS = [re.compile(rf"(?<![\w{m}]){m}(?=\S)([^{m}\n]*?\S){m}(?![\w{m}])") for m in (r"\*", "_", "~")]
_CODE = re.compile(r"(```.*?```|`[^`\n]+`)", re.DOTALL)
_BOXES = ("elements", "accessory", "element", "fields", "actions", "rows", "children", "options")


def plain(mrkdwn: str, names: Mapping[str, str]) -> str:
    """Return mrkdwn as it reads on the screen; `names` maps ids of users, channels and groups to what is shown."""
    pieces = _CODE.split(mrkdwn)
    shown = [
        _token_free(piece.strip("`"), names) if piece.startswith("`") else _unmarked(_token_free(piece, names))
        for piece in pieces
    ]
    return "".join(shown).replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def escaped(text: str) -> str:
    """Return the text with Slack's three control characters escaped."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def of_blocks(blocks: Iterable[Mapping[str, Any]], names: Mapping[str, str]) -> str:
    """Return the words of these blocks, one line a block that has any."""
    lines = (" ".join(words for words in _of(block, names) if words) for block in blocks)
    return "\n".join(line for line in lines if line)


def _unmarked(text: str) -> str:
    for mark in _MARKS:
        text = mark.sub(r"\1", text)
    return text


def _token_free(text: str, names: Mapping[str, str]) -> str:
    def shown(found: re.Match[str]) -> str:
        target, _, label = found[1].partition("|")
        if target.startswith(("@", "#", "!subteam^")):
            sign = "#" if target.startswith("#") else "@"
            id_ = target.removeprefix("!subteam^").lstrip("@#")
            return sign + (names.get(id_) or label.lstrip("@#") or id_)
        if target.startswith("!date^"):
            return label
        return "@" + target[1:] if target.startswith("!") else label or target

    return _TOKEN.sub(shown, text)


def _of(block: Any, names: Mapping[str, str]) -> list[str]:
    if not isinstance(block, Mapping):
        return []
    kind = kind_of(block)
    if "text" in block and kind in {"mrkdwn", "plain_text", "markdown"}:
        text = str(block["text"])
        return [plain(text, names) if kind == "mrkdwn" else text]
    if kind in {"button", "workflow_button"}:
        return [f"[{block['text']['text']}]"]
    if kind in _INLINE:
        return [_INLINE[kind](block, names)]
    found = [_texts(block[key], names) for key in ("title", "label", "text", "alt_text", "placeholder") if key in block]
    if kind in {"overflow", "static_select", "radio_buttons", "checkboxes"}:
        labels = [f"[{option['text']['text']}]" for option in block.get("options", ())]
        return [*found, *labels]
    inner = [words for key in _BOXES if key in block for words in _inside(block[key], names)]
    joint = "" if kind.startswith("rich_text") else " "
    hint = [_texts(block["hint"], names)] if "hint" in block else []
    return [*found, joint.join(words for words in inner if words), *hint]


def _texts(value: Any, names: Mapping[str, str]) -> str:
    return value if isinstance(value, str) else " ".join(_of(value, names))


def _inside(value: Any, names: Mapping[str, str]) -> list[str]:
    if isinstance(value, list):
        return [words for item in value for words in _inside(item, names)]
    return _of(value, names) if isinstance(value, Mapping) else []


_INLINE: dict[str, Callable[[Mapping[str, Any], Mapping[str, str]], str]] = {
    "text": lambda e, _: str(e["text"]),
    "link": lambda e, _: str(e.get("text") or e["url"]),
    "user": lambda e, names: "@" + names.get(e["user_id"], e["user_id"]),
    "channel": lambda e, names: "#" + names.get(e["channel_id"], e["channel_id"]),
    "usergroup": lambda e, names: "@" + names.get(e["usergroup_id"], e["usergroup_id"]),
    "broadcast": lambda e, _: "@" + str(e["range"]),
    "emoji": lambda e, _: f":{e['name']}:",
    "date": lambda e, _: str(e.get("fallback", "")),
    "raw_text": lambda e, _: str(e["text"]),
    "raw_number": lambda e, _: str(e.get("value", "")),
}

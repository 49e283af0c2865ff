"""What Slack adds when it accepts blocks: a `block_id` and `action_id` wherever the app gave none
(https://docs.slack.dev/reference/block-kit/blocks: "If not specified, one will be generated").
"""

import secrets
from collections.abc import Mapping, Sequence
from typing import Any

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

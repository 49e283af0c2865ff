"""Check a whole message or view before it leaves; each of its blocks was bounded where it was built (``bot.slack.kit``).

What is left to be looked at is what no block knows of itself: how many there are, and whether two have the same id.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from bot.slack import kit

TEXT_LIMIT: Final = 3400
"""For the top-level text: Slack advises 4,000 and splits what is longer; ``chat.update`` is stricter.

https://docs.slack.dev/reference/methods/chat.postMessage#truncating
"""
_MAX_BLOCKS: Final[Mapping[str, int]] = {"message": 50, "modal": 100, "home": 100}
"""https://docs.slack.dev/reference/block-kit/blocks"""


def checked(text: str, blocks: Sequence[kit.Block]) -> tuple[str, list[kit.Block]]:
    """The text and the blocks of a message as they may be sent. Raises ``Unsendable``."""
    if not text.strip():
        raise kit.Unsendable("a message needs a text: it is what notifications and screen readers say")
    _check(blocks, "message")
    return kit.shortened(text, TEXT_LIMIT), list(blocks)


def checked_view(view: kit.View) -> kit.View:
    """A modal or a Home as it may be sent. Raises ``Unsendable``."""
    _check(view["blocks"], view["type"])
    return view


def _check(blocks: Sequence[kit.Block], surface: str) -> None:
    if len(blocks) > _MAX_BLOCKS[surface]:
        raise kit.Unsendable(f"{len(blocks)} blocks in one {surface}, {_MAX_BLOCKS[surface]} are allowed")
    ids = [block["block_id"] for block in blocks if "block_id" in block]
    if len(set(ids)) < len(ids):
        raise kit.Unsendable("two blocks share a block_id")

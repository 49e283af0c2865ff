"""Cut finished mrkdwn to length before it leaves.

It stands below the blocks that write mrkdwn: whoever looks at every message knows nothing of who wrote it.
"""

from typing import Final

_ELLIPSIS: Final = "…"


def shortened(text: str, limit: int) -> str:
    """Finished mrkdwn cut to ``limit`` characters, never inside an entity, a mention or a date."""
    if len(text) <= limit:
        return text
    kept = text[: limit - len(_ELLIPSIS)]
    for opens, closes in (("<", ">"), ("&", ";")):
        start = kept.rfind(opens)
        if start > kept.rfind(closes) and (opens == "<" or len(kept) - start < len("&amp;")):
            kept = kept[:start]
    return kept.rstrip() + _ELLIPSIS

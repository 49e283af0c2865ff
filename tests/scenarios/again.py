"""A delivery that gets past the memory of those that were taken: as after a restart, or at another replica."""

import re


def triggered_anew(body: bytes) -> bytes:
    """The same bytes but for their trigger; to be signed anew."""
    changed = re.sub(rb"(trigger_id(?:=|%22%3A\+?%22))", rb"\g<1>9", body)
    assert changed != body
    return changed

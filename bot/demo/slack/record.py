"""What passes between Slack and the bot, told to whoever wants to judge it."""

from collections.abc import Callable
from typing import Any

Recorder = Callable[[str, Any, Any], None]
recorders: list[Recorder] = []
"""Called with each exchange at the wire: its kind (a method's name, `response_url`, or what was delivered, such as
`block_actions`), what was said, and the answer; None where there was none that is JSON."""


def record(kind: str, said: Any, answered: Any) -> None:
    """Tell everybody who records."""
    for recorder in recorders:
        recorder(kind, said, answered)

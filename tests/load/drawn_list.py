"""A list of ten rows, from the answer of the index to the bytes for Slack: drawn, checked, and written as JSON.

    python -m tests.load.drawn_list [--rounds 2000]

Microseconds of CPU each, the quickest of seven rounds.
"""

import argparse
import json
import timeit
from collections.abc import Callable
from time import process_time
from typing import Any

from bot.slack.blocks.activeflow_list import activeflow_list
from bot.slack.messaging.messenger import checked
from tests.load.one_line import tell
from tests.unit.slack.blocks.screens import ALICE, NOW, listing


async def measure(rounds: int) -> dict[str, Any]:
    """Each part, with what the part before made of the same ten rows."""
    rows = listing()
    message = activeflow_list(rows, ALICE, NOW, command="/flows")
    text, blocks = checked(message.text, message.blocks)

    def cost(part: Callable[[], object]) -> float:
        return round(min(timeit.repeat(part, timer=process_time, number=rounds, repeat=7)) / rounds * 1e6, 1)

    return {
        "drawn_list": rounds,
        "rows": len(rows.rows),
        "draw_us": cost(lambda: activeflow_list(rows, ALICE, NOW, command="/flows")),
        "check_us": cost(lambda: checked(message.text, message.blocks)),
        "json_us": cost(lambda: json.dumps({"text": text, "blocks": blocks})),
    }


if __name__ == "__main__":
    given = argparse.ArgumentParser()
    given.add_argument("--rounds", type=int, default=2000)
    tell(measure(given.parse_args().rounds))

"""Count the calls of Slack, in the registry of the process; deliveries are counted where they are taken (``transport.intake``).

Labels are bounded: methods are the bot's own, and of Slack's error words the first ``_MOST`` are told apart.
"""

import re
from typing import Final

from prometheus_client import Counter

CALLS: Final = Counter(
    "flows_bot_slack_calls", "Calls of Slack's Web API and of response_urls, by Slack's error word", ["method", "error"]
)
THROTTLED: Final = Counter("flows_bot_slack_throttled", "Answers 429 of Slack's Web API", ["method"])
OTHER: Final = "other"
_MOST: Final = 60
_WORD: Final = re.compile(r"[a-z_]{1,40}|status \d{3}|")
_words: Final[set[str]] = set()


def called(method: str, error: str) -> None:
    """Slack has answered so (``""``: well), or not at all (the name of the error)."""
    CALLS.labels(method, _bounded(error)).inc()


def _bounded(word: str) -> str:
    if not _WORD.fullmatch(word) or (word not in _words and len(_words) >= _MOST):
        return OTHER
    _words.add(word)
    return word

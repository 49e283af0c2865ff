"""Count the calls of Slack and measure the answers to commands, in the registry of the process; deliveries are counted
where they are taken (``transport.intake``).

Labels are bounded: methods are the bot's own, and of Slack's error words the first ``_MOST`` are told apart.
"""

import re
from typing import Final

from prometheus_client import Counter, Histogram

CALLS: Final = Counter(
    "flows_bot_slack_calls", "Calls of Slack's Web API and of response_urls, by Slack's error word", ["method", "error"]
)
THROTTLED: Final = Counter("flows_bot_slack_throttled", "Answers 429 of Slack's Web API", ["method"])
ANSWERS: Final = Histogram(
    "flows_bot_answer_seconds",
    "From a command until what came of it is said, by the command",
    ["command"],
    buckets=(0.1, 0.25, 0.5, 1.0, 2.0, 3.0, 5.0, 10.0, 30.0),
)
SOCKETS: Final = Counter("flows_bot_slack_socket_connections", "Socket Mode connections that Slack has greeted")
SOCKETS_ENDED: Final = Counter(
    "flows_bot_slack_socket_endings",
    "Socket Mode connections that ended or could not be opened, by the reason",
    ["reason"],
)
OTHER: Final = "other"
_MOST: Final = 60
_WORD: Final = re.compile(r"[a-z_]{1,40}|status \d{3}|")
_words: Final[set[str]] = set()


def called(method: str, error: str) -> None:
    """Slack has answered so (``""``: well), or not at all (the name of the error)."""
    CALLS.labels(method, _bounded(error)).inc()


def socket_ended(reason: str) -> None:
    """``reason``: Slack's word, or the name of an error."""
    SOCKETS_ENDED.labels(_bounded(reason)).inc()


def _bounded(word: str) -> str:
    if not _WORD.fullmatch(word) or (word not in _words and len(_words) >= _MOST):
        return OTHER
    _words.add(word)
    return word

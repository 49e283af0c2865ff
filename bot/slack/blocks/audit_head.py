"""Draw the head of the audit, once a day: a message that nobody with the database can edit.

It is found again by its words (``head_in``): keep them.
"""

import re
from datetime import date
from typing import Final

from bot.activeflows.records import Head
from bot.slack import kit
from bot.slack.blocks.mrkdwn import code
from bot.slack.messaging.messenger import Message

_WRITTEN: Final = re.compile(r"The audit on \S+: record \d+ is its newest\. Its head is `(\d{1,9}):([0-9a-f]{64})`")


def audit_head(head: Head, day: date) -> Message:
    """Plain hashes: nothing of a record can be read from them."""
    words = f"The audit on {day.isoformat()}: record {head.seq} is its newest. Its head is {code(str(head))}"
    how = f"To check that every record up to it is still there: {code(f'flows-bot audit verify --head {head}')}"
    return Message(words, (kit.section(words), kit.context(how)))


def head_in(text: str) -> Head | None:
    """The head that a message with this text tells, if it is one of these."""
    found = _WRITTEN.fullmatch(text)
    return Head(int(found[1]), found[2]) if found else None

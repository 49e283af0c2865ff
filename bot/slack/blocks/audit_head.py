"""Draw the head of the audit, once a day: a message that nobody with the database can edit."""

from datetime import date

from bot.activeflows.records import Head
from bot.slack import kit
from bot.slack.blocks.mrkdwn import code
from bot.slack.messaging.messenger import Message


def audit_head(head: Head, day: date) -> Message:
    """Plain hashes: nothing of a record can be read from them."""
    words = f"The audit on {day.isoformat()}: record {head.seq} is its newest. Its head is {code(str(head))}"
    how = f"To check that every record up to it is still there: {code(f'flows-bot audit verify --head {head}')}"
    return Message(words, (kit.section(words), kit.context(how)))

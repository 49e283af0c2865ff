"""Compare the ledger with the heads that this bot posted in the audit channel, where whoever has the database can't edit them.

All of them that are found are compared, not the last one only: whoever begins another chain has heads of that posted, too.
"""

from dataclasses import replace
from functools import partial
from typing import Final

from slack_sdk.web.async_client import AsyncWebClient

from bot.activeflows.health import Finding, State
from bot.ledger import audit_heads
from bot.ledger.audit import receipt_of
from bot.ledger.database import Database
from bot.slack import health as slack
from bot.slack.blocks.audit_head import head_in

ABOUT = slack.AUDIT_CHANNEL
_ON_PURPOSE: Final = "If the ledger was replaced on purpose, name another audit_channel in the policy."


async def look(client: AsyncWebClient, database: Database, channel: str) -> Finding:
    """Does the chain still go through every head that was posted there? Raises ``LedgerUnavailable``."""
    heads = await slack.told_heads(client, channel, head_in)  # before the chain is read: each of them was in it by then
    if isinstance(heads, Finding):
        return heads
    gone = await database.reading(partial(audit_heads.first_missing, known=heads))
    if gone is None:
        posted = "the head" if len(heads) == 1 else f"each of the {len(heads)} heads"
        return Finding(ABOUT, State.OK, f"{posted} posted there is in the ledger")
    head, why = gone
    what = f"head {receipt_of(head.seq, head.hash)}, which I posted there, is not in the ledger: {why}"
    return Finding(ABOUT, State.BROKEN, what, f"Ask who changed the database: flows-bot audit verify. {_ON_PURPOSE}")


async def look_without_ledger(client: AsyncWebClient, channel: str) -> Finding:
    """Was no head posted there yet, either?"""
    heads = await slack.told_heads(client, channel, head_in)
    if isinstance(heads, Finding):
        return replace(heads, what=f"there is no ledger yet; {heads.what}")
    newest = max(heads, key=lambda head: head.seq)
    what = f"there is no ledger, but I posted heads there, up to {receipt_of(newest.seq, newest.hash)}"
    then = f"Look whether FLOWS_BOT_DATABASE_URL is the ledger's, and who removed it if it is. {_ON_PURPOSE}"
    return Finding(ABOUT, State.BROKEN, what, then)

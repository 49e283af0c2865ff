"""Find the VoIPBIN accounts of which something is unfinished: an open card, a press under way, a watch."""

from sqlalchemy import Connection, select

from bot.ledger.tables import bulks, intents, watches


def unfinished(connection: Connection) -> frozenset[str]:
    """Their names; the empty one is the only account of a bot that had, or has, only one."""
    found = (
        select(intents.c.account).where(intents.c.state.in_(("draft", "open", "stopping"))),
        select(bulks.c.account).where(bulks.c.state.in_(("draft", "open", "stopping", "aborting"))),
        select(watches.c.account).where(watches.c.state != "over"),
    )
    return frozenset(name for asked in found for name in connection.execute(asked.distinct()).scalars())

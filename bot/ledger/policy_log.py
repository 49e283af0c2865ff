"""Record in the chain which policy was in force, so that a decision can be read later by its rules."""

import json

from sqlalchemy import Connection, desc, select

from bot.activeflows.records import Record, What
from bot.ledger.audit import append
from bot.ledger.database import one_writer
from bot.ledger.tables import audit


def note(connection: Connection, record: Record) -> bool:
    """Append it, unless the newest record of a policy says the same; whether it was appended.

    Several replicas see the same change, and each start sees the policy that was in force before.
    """
    one_writer(connection)
    newest = select(audit.c.body).where(audit.c.what == str(What.POLICY)).order_by(desc(audit.c.seq)).limit(1)
    body = connection.execute(newest).scalar()
    if body is not None and json.loads(body)["detail"] == dict(record.detail):
        return False
    return append(connection, record).new

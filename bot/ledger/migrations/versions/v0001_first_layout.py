"""Version 1: the layout before there were migrations. A ledger that has it already only gets what is missing."""

from typing import Final

from alembic import op
from sqlalchemy import Column, Index, Integer, MetaData, String, Table, Text

revision: Final = "0001"
down_revision: Final = None
layout: Final = MetaData()


def upgrade() -> None:
    layout.create_all(op.get_bind())


Table(
    "audit",
    layout,
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("key", String(200), nullable=False, unique=True),
    Column("at", String(32), nullable=False),
    Column("what", String(16), nullable=False),
    Column("who", String(32), nullable=False),
    Column("activeflow_id", String(36)),
    Column("body", Text, nullable=False),
    Column("previous", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
    Index("audit_by_activeflow", "activeflow_id", "seq"),
    Index("audit_by_person", "who", "seq"),
)

Table(
    "intents",
    layout,
    Column("id", String(32), primary_key=True),
    Column("state", String(16), nullable=False),
    Column("press_id", String(200), nullable=False, default=""),
    Column("body", Text, nullable=False),
    Column("ended", Text),
)

Table(
    "claims",
    layout,
    Column("activeflow_id", String(36), primary_key=True),
    Column("press_id", String(200), nullable=False),
    Column("by", String(32), nullable=False),
    Column("lapses_at", String(32), nullable=False),
)

Table(
    "runs",
    layout,
    Column("press_id", String(200), primary_key=True),
    Column("number", Integer, nullable=False),
    Column("begun_at", String(32), nullable=False),
)

Table(
    "heads",
    layout,
    Column("day", String(10), primary_key=True),
    Column("seq", Integer, nullable=False),
    Column("hash", String(64), nullable=False),
)

Table(
    "replicas",
    layout,
    Column("id", String(36), primary_key=True),
    Column("seen_at", Integer, nullable=False),
)

Table(
    "bulks",
    layout,
    Column("id", String(32), primary_key=True),
    Column("state", String(16), nullable=False),
    Column("press_id", String(200), nullable=False, default=""),
    Column("by", String(32), nullable=False, default=""),
    Column("since", String(32)),
    Column("until", String(32)),
    Column("aborted_by", String(32), nullable=False, default=""),
    Column("body", Text, nullable=False),
    Column("ending", Text),
)

Table(
    "bulk_members",
    layout,
    Column("bulk_id", String(32), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("became", String(16), nullable=False),
)

Table(
    "watches",
    layout,
    Column("id", String(32), primary_key=True),
    Column("activeflow_id", String(36), nullable=False),
    Column("channel", String(32), nullable=False),
    Column("since", String(32), nullable=False),
    Column("state", String(16), nullable=False),
    Column("message_ts", String(32), nullable=False),
    Column("body", Text, nullable=False),
    Column("known", Text, nullable=False),
    Column("ending", Text),
    Column("ended_at", String(32)),
)

Table(
    "leases",
    layout,
    Column("name", String(40), primary_key=True),
    Column("holder", String(36), nullable=False),
    Column("lapses_at", Integer, nullable=False),
)

Table(
    "usual",
    layout,
    Column("flow_id", String(36), primary_key=True),
    Column("place", String(48), primary_key=True),
    Column("counts", Text, nullable=False),
    Column("learned_at", String(32), nullable=False),
    Index("usual_by_age", "learned_at"),
)

Table(
    "alerts",
    layout,
    Column("activeflow_id", String(36), primary_key=True),
    Column("reason", String(16), primary_key=True),
    Column("channel", String(32), primary_key=True),
    Column("rule", String(40), nullable=False),
    Column("since", String(32), nullable=False),
    Column("told_at", String(32)),
)

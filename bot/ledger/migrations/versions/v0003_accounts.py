"""Version 3: each row says of which VoIPBIN account it is; empty, as all that is there, where there is only one.

A claim, an alert and what is usual of a flow are found by the account and the id together: two accounts may have the
same ids. Replicas of the version before know no accounts, and go on with rows whose account is empty.
"""

from typing import Final

from alembic import op
from sqlalchemy import Column, String, Table, Text

revision: Final = "0003"
down_revision: Final = "0002"


def upgrade() -> None:
    for table in ("audit", "intents", "bulks", "watches"):
        op.add_column(table, _account())
    _made_anew(
        "claims",
        Column("activeflow_id", String(36), primary_key=True),
        Column("press_id", String(200), nullable=False),
        Column("by", String(32), nullable=False),
        Column("lapses_at", String(32), nullable=False),
    )
    _made_anew(
        "usual",
        Column("flow_id", String(36), primary_key=True),
        Column("place", String(48), primary_key=True),
        Column("counts", Text, nullable=False),
        Column("learned_at", String(32), nullable=False),
    )
    op.create_index("usual_by_age", "usual", ["learned_at"])
    _made_anew(
        "alerts",
        Column("activeflow_id", String(36), primary_key=True),
        Column("reason", String(16), primary_key=True),
        Column("channel", String(32), primary_key=True),
        Column("rule", String(40), nullable=False),
        Column("since", String(32), nullable=False),
        Column("told_at", String(32)),
    )


def _account(*, key: bool = False) -> Column[str]:
    return Column("account", String(20), primary_key=key, nullable=False, server_default="")


def _made_anew(table: str, *columns: Column[str]) -> None:
    """Make a table anew with the account in its primary key, which SQLite cannot change in a table that is there."""
    op.rename_table(table, f"{table}_before")
    made: Table = op.create_table(table, _account(key=True), *columns)
    before = Table(f"{table}_before", made.metadata, *(Column(column.name, column.type) for column in columns))
    names = [column.name for column in columns]
    rows = before.select().with_only_columns(*before.columns)
    op.execute(made.insert().from_select(names, rows))
    op.drop_table(f"{table}_before")

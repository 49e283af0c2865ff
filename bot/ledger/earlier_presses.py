"""Adopt the presses that an earlier build left behind unfinished, whose steps were others.

DBOS recovers only what was recorded under its own ``application_version``, and refuses a workflow whose remembered steps
have other names. So such a press is given to this version without its steps, and is carried out from its beginning. That
is safe because what matters of it stands in the ledger, not in the steps: it is admitted anew, its claim is its own, and
the record of a POST that was sent already is found and cleared up by reading.

https://docs.dbos.dev/python/tutorials/workflow-tutorial#workflow-versioning-and-recovery
"""

from typing import Final

from sqlalchemy import Connection, text

from bot.ledger.dbos_tables import dbos_tables

_UNFINISHED: Final = "status IN ('PENDING', 'ENQUEUED') AND application_version <> :version"


def adopt(connection: Connection, version: str, executor_id: str) -> int:
    """Those of this executor, and members that wait in the queue; how many there were."""
    tables = dbos_tables(connection)
    if "workflow_status" not in tables:
        return 0
    workflows, outputs = tables["workflow_status"], tables["operation_outputs"]
    theirs = f"{_UNFINISHED} AND (executor_id = :executor OR status = 'ENQUEUED')"
    values = {"version": version, "executor": executor_id}
    steps = f"SELECT workflow_uuid FROM {workflows} WHERE {theirs}"  # noqa: S608 # nothing from outside is in it
    connection.execute(text(f"DELETE FROM {outputs} WHERE workflow_uuid IN ({steps})"), values)  # noqa: S608 # nor in this
    adopted = connection.execute(
        text(f"UPDATE {workflows} SET application_version = :version WHERE {theirs}"),  # noqa: S608 # nor in this
        values,
    )
    return adopted.rowcount

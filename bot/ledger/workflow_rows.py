"""Read and judge the rows of DBOS's tables: which are ours, and which an earlier build left."""

from collections.abc import Mapping
from typing import Any, Final, NoReturn

import structlog
from dbos import _core
from dbos import _serialization as decoders
from sqlalchemy import Connection, inspect, select, text

from bot.ledger.tables import bulks, intents, watches

# ---------------------------------------------------------------- dbos tables
# Name the tables of DBOS, which it keeps in a schema of its own on PostgreSQL.
#
# https://docs.dbos.dev/explanations/system-tables


def dbos_tables(connection: Connection) -> Mapping[str, str]:
    """Return those that are there, by name: how each is called in a statement. (On SQLite the bot's own are among
    them.)
    """
    schema = "dbos" if connection.dialect.name == "postgresql" else None
    names = inspect(connection).get_table_names(schema=schema)
    return {name: f"{schema}.{name}" if schema else name for name in names}


# ---------------------------------------------------------------- queues
# Look whether anything waits in a queue.

_QUEUED: Final = "SELECT 1 FROM {}workflow_status WHERE queue_name = :queue AND status = 'ENQUEUED' LIMIT 1"
_QUEUED_IN: Final = {"sqlite": text(_QUEUED.format("")), "postgresql": text(_QUEUED.format("dbos."))}


def queued(connection: Connection, queue: str) -> bool:
    """Tell whether a workflow waits there."""
    return connection.execute(_QUEUED_IN[connection.dialect.name], {"queue": queue}).first() is not None


# ---------------------------------------------------------------- account names
# Find the VoIPBIN accounts of which something is unfinished: an open card, a press under way, a watch.


def unfinished(connection: Connection) -> frozenset[str]:
    """Return the names of the accounts with unfinished work; the empty one is the only account of a bot that had, or
    has, only one.
    """
    found = (
        select(intents.c.account).where(intents.c.state.in_(("draft", "open", "stopping"))),
        select(bulks.c.account).where(bulks.c.state.in_(("draft", "open", "stopping", "aborting"))),
        select(watches.c.account).where(watches.c.state != "over"),
    )
    return frozenset(name for asked in found for name in connection.execute(asked.distinct()).scalars())


# ---------------------------------------------------------------- foreign rows
# Refuse rows of the workflow tables that this bot did not write, before anything in them is decoded.
#
# DBOS chooses the decoder by the row's own column ``serialization``, whatever serializer it was given; for
# ``py_pickle`` that is ``pickle.loads``, so that whoever can write one row runs code in the bot. DBOS has no setting
# against it (https://docs.dbos.dev/python/reference/configuration), so its decoder is replaced, before it is launched:
#
# - what would be unpickled is refused, wherever it stands: inputs, results, steps, messages, events, streams,
#   schedules;
# - the input of a workflow has to be in the bot's own format: no other kind of row begins one.
#
# A refused workflow ends as an error. ``foreign`` counts such rows for the doctor. ``tests/contract/test_dbos.py``
# looks through DBOS for other ways from a row to code.

log = structlog.get_logger(__name__)
FORMAT: Final = "flows_bot_json"
"""What the bot writes into ``serialization``."""
WORKFLOWS: Final = ("carry_out_press", "carry_out_member")
_OF_DBOS: Final = "portable_json"
"""How DBOS writes the end of a sleep into a step, in JSON."""
_deserialize_args: Final = decoders.deserialize_args


class ForeignRow(Exception):
    """This bot did not write that row, so nothing of it was decoded."""


def refuse() -> None:
    """Refuse such rows from now on, in the whole process. Call it before DBOS is launched; again does nothing more."""
    decoders.DefaultSerializer.deserialize = _refused  # type: ignore[method-assign, assignment] # the only pickle.loads there is
    decoders.DefaultSerializer.serialize = _named  # type: ignore[method-assign, assignment] # its parameter is unnamed
    _core.deserialize_args = _ours_only  # type: ignore[attr-defined] # imported there by name


def foreign(connection: Connection) -> int:
    """Return how many rows of the workflow tables are not this bot's."""
    there = dbos_tables(connection)
    known = f"('{FORMAT}', '{_OF_DBOS}')"
    count = 0
    for table in ("operation_outputs", "notifications", "workflow_events", "streams"):
        if table in there:
            asked = f"SELECT count(*) FROM {there[table]} WHERE serialization NOT IN {known}"  # noqa: S608 # words of this file only
            count += int(connection.execute(text(asked)).scalar_one())
    if "workflow_status" in there:
        not_ours = f"name NOT IN {WORKFLOWS} OR serialization IS NULL OR serialization <> '{FORMAT}'"
        asked = f"SELECT count(*) FROM {there['workflow_status']} WHERE {not_ours}"  # noqa: S608 # words of this file only
        count += int(connection.execute(text(asked)).scalar_one())
    return count


def _refused(_self: object, _serialized: str) -> NoReturn:
    _say("py_pickle")


def _named(_self: object, data: Any) -> str:
    """Return what DBOS writes into a refused row, as text: nothing of it is ever read back."""
    return f"refused: {type(data).__name__}"


def _ours_only(
    serialized_value: str, serialization: str | None, serializer: decoders.Serializer
) -> decoders.WorkflowInputs:
    if serialization != FORMAT:
        _say(str(serialization)[:40])
    return _deserialize_args(serialized_value, serialization, serializer)


def _say(format_: str) -> NoReturn:
    log.error("foreign_row_refused", format=format_, what="somebody else wrote into the bot's database")
    raise ForeignRow(format_)


# ---------------------------------------------------------------- earlier presses
# Adopt the presses that an earlier build left behind unfinished, whose steps were others.
#
# DBOS recovers only what was recorded under its own ``application_version``, and refuses a workflow whose remembered
# steps have other names. So such a press is given to this version without its steps, and is carried out from its
# beginning. That is safe because what matters of it stands in the ledger, not in the steps: it is admitted anew, its
# claim is its own, and the record of a POST that was sent already is found and cleared up by reading.
#
# https://docs.dbos.dev/python/tutorials/workflow-tutorial#workflow-versioning-and-recovery

_UNFINISHED: Final = "status IN ('PENDING', 'ENQUEUED') AND application_version <> :version"


def adopt(connection: Connection, version: str, executor_id: str) -> int:
    """Adopt the workflows of this executor, and members that wait in the queue; how many there were."""
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

"""Refuse rows of the workflow tables that this bot did not write, before anything in them is decoded.

DBOS chooses the decoder by the row's own column ``serialization``, whatever serializer it was given; for ``py_pickle`` that
is ``pickle.loads``, so that whoever can write one row runs code in the bot. DBOS has no setting against it
(https://docs.dbos.dev/python/reference/configuration), so its decoder is replaced, before it is launched:

- what would be unpickled is refused, wherever it stands: inputs, results, steps, messages, events, streams, schedules;
- the input of a workflow has to be in the bot's own format: no other kind of row begins one.

A refused workflow ends as an error. ``foreign`` counts such rows for the doctor. ``tests/contract/test_dbos.py`` looks through
DBOS for other ways from a row to code.
"""

from typing import Any, Final, NoReturn

import structlog
from dbos import _core
from dbos import _serialization as decoders
from sqlalchemy import Connection, text

from bot.ledger.dbos_tables import dbos_tables

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
    """From now on, for the whole process. Call it before DBOS is launched; again does nothing more."""
    decoders.DefaultSerializer.deserialize = _refused  # type: ignore[method-assign, assignment] # the only pickle.loads there is
    decoders.DefaultSerializer.serialize = _named  # type: ignore[method-assign, assignment] # its parameter is unnamed
    _core.deserialize_args = _ours_only  # type: ignore[attr-defined] # imported there by name


def foreign(connection: Connection) -> int:
    """How many rows of the workflow tables are not this bot's."""
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
    """What DBOS writes into a refused row, as text: nothing of it is ever read back."""
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

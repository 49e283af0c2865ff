"""The same stage as for the stories, and bots in processes of their own, which can be killed."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace

import pytest

from tests.faults.bulk_stop_story import BulkStopStory
from tests.faults.processes import Processes
from tests.faults.told import Told
from tests.faults.truth import Audit, Witness
from tests.scenarios.bulk_stage import BulkStage, bulk
from tests.scenarios.conftest import Stage, policy, slack, stage, voipbin

__all__ = ["bulk", "policy", "slack", "stage", "voipbin"]


@pytest.fixture(autouse=True)
def followed_shortly(stage: Stage) -> None:
    """What is so by now is followed for a moment only, so that a story comes to its end."""
    stage.patience = replace(stage.patience, follow_for=0.5)


@pytest.fixture
async def audit(sqlite_url: str) -> AsyncIterator[Audit]:
    """The ledger's records, read from outside."""
    audit = Audit(sqlite_url)
    yield audit
    audit.close()


@pytest.fixture
def witness(stage: Stage, audit: Audit) -> Witness:
    """Sees every stop as it arrives at VoIPBIN, and what the ledger held at that moment."""
    return Witness(stage.voipbin, audit)


@pytest.fixture
async def processes(stage: Stage) -> AsyncIterator[Processes]:
    processes = Processes(stage)
    yield processes
    await processes.end()


@pytest.fixture
def night(stage: Stage, bulk: BulkStage, processes: Processes, audit: Audit, witness: Witness) -> BulkStopStory:
    return BulkStopStory(stage, bulk, processes, audit, witness)


@pytest.fixture
def told() -> Iterator[Told]:
    told = Told()
    told.opens(two_person=False, two_for_bulk=False)
    try:
        yield told
        told.promises_are_kept()
    finally:
        told.teardown()

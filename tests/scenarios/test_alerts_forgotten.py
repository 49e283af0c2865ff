"""What the ledger remembers of alerts: as long as something runs it is not said again, and a day after it is
forgotten.
"""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from bot.activeflows.alerting.decision import AlertClaim, StoredAlertClaim
from bot.activeflows.anomalies import Reason
from bot.demo.voipbin.state import Flow
from bot.demo.voipbin.world import World
from bot.ledger.alert_store import AlertStore
from bot.ledger.database import Database
from tests.scenarios.alert_stage import alerted, loops, menu, nothing_more, ruled
from tests.scenarios.conftest import INCIDENTS, Stage

__all__ = ["menu"]
LONG_AGO = datetime.now(UTC) - timedelta(days=3)


@pytest.fixture
async def ledger(sqlite_url: str) -> AsyncIterator[AlertStore]:
    database = Database(sqlite_url)
    await database.prepare()
    yield AlertStore(database, "somebody")
    await database.close()


async def kept(ledger: AlertStore, claimed: StoredAlertClaim) -> AlertClaim:
    assert await ledger.claim(claimed)
    if claimed.told_at is not None:
        await ledger.told([claimed.claim], claimed.told_at)
    return claimed.claim


async def test_only_what_has_ended_is_forgotten(stage: Stage, voipbin: World, menu: Flow, ledger: AlertStore) -> None:
    ruled(stage, 'about = ["looping"]')
    running = AlertClaim(loops(voipbin, menu).id, Reason.LOOPING, INCIDENTS)
    ended, lately, gone = (AlertClaim(uuid4(), Reason.LOOPING, INCIDENTS) for _ in range(3))
    rule = f"{INCIDENTS}:1"
    await kept(ledger, StoredAlertClaim(running, rule, LONG_AGO, LONG_AGO))
    await kept(ledger, StoredAlertClaim(ended, rule, LONG_AGO, LONG_AGO))
    await kept(ledger, StoredAlertClaim(lately, rule, LONG_AGO, datetime.now(UTC)))
    await kept(ledger, StoredAlertClaim(gone, f"{INCIDENTS}:7", LONG_AGO))  # held back by a rule that is no more
    async with stage.start(voipbin_events=True):
        assert await nothing_more(stage, voipbin) == 0
    left = {each.claim: each.told_at for each in await ledger.claimed()}
    assert left[running] == LONG_AGO, "it was not said again"
    assert lately in left
    assert left.keys().isdisjoint({ended, gone})


async def test_what_was_held_back_long_ago_is_still_counted(stage: Stage, voipbin: World, ledger: AlertStore) -> None:
    ruled(stage)
    held = await kept(
        ledger, StoredAlertClaim(AlertClaim(uuid4(), Reason.STUCK, INCIDENTS), f"{INCIDENTS}:1", LONG_AGO)
    )
    async with stage.start(voipbin_events=True):
        (line,) = await alerted(stage, 1)
        assert line.words.startswith("1 more since ")
        assert "It has ended: /flows list" in line.words
        assert await nothing_more(stage, voipbin) == 1
    assert held in {each.claim for each in await ledger.claimed()}

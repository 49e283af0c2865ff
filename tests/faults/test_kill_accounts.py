"""A bot with two VoIPBIN accounts is killed with a stop in flight: it goes on in its own account, and nothing reaches
the other.
"""

import pytest

from bot.demo.voipbin.faults import hold
from bot.slack import ids
from bot.slack.messaging.messenger import marked_id
from tests.faults.processes import Processes
from tests.faults.truth import Audit
from tests.scenarios.account_stage import AccountStage, two
from tests.scenarios.conftest import CAROL

__all__ = ["two"]


@pytest.mark.parametrize("after_work", [False, True], ids=["before the work", "after the work"])
async def test_a_stop_in_flight_goes_on_in_its_own_account(
    two: AccountStage, processes: Processes, audit: Audit, after_work: bool
) -> None:
    same = two.ring()
    id_ = same["prod"].id
    bot = await processes.start(**two.settings())
    here = await two.card(f"stop {id_}")
    there = await two.card(f"stop {id_} account:staging")
    point = hold(after_work=after_work)
    two.staging.faults.on("POST", "/activeflows/{id}/stop", point)
    await two.presses(there, marked_id(ids.STOP_FLOW, "staging"))
    await point.arrived()
    await bot.kill()
    point.release()
    audit.close()
    await processes.start(**two.settings())
    told = await two.says(there, "staging · ", "Receipt", seconds=60)
    assert ("Stopped" in told) or ("Ended" in told) or ("Still running" in told), told
    assert two.stopped(same["prod"])["prod"] == 0
    assert two.prod.activeflow(id_).status == "running"
    await two.presses(here, marked_id(ids.STOP_FLOW, "prod"))
    await two.says(here, "prod · ", "Stopped")
    assert two.stopped(same["prod"])["prod"] == 1
    await two.stage.slack.until(lambda: not audit.unfinished())
    audit.assert_whole()
    assert audit.claims() == 0


async def test_what_was_in_flight_when_its_account_was_taken_away_is_told_of_and_sent_nowhere(
    two: AccountStage, processes: Processes, audit: Audit
) -> None:
    same = two.ring()
    id_ = same["prod"].id
    bot = await processes.start(**two.settings())
    card = await two.card(f"stop {id_} account:staging")
    point = hold()
    two.staging.faults.on("POST", "/activeflows/{id}/stop", point)
    await two.presses(card, marked_id(ids.STOP_FLOW, "staging"), user=CAROL)
    await point.arrived()
    await bot.kill()
    audit.close()
    await processes.start(**two.settings("prod"))
    await two.says(card, "staging · ", "Receipt", seconds=60)
    assert two.stopped(same["prod"]) == {"prod": 0, "staging": 1}
    assert two.prod.activeflow(id_).status == "running"
    point.release()
    await two.stage.slack.until(lambda: not audit.unfinished(), seconds=60)
    audit.assert_whole()
    assert audit.claims() == 0

"""In an Enterprise organisation one person has two ids: a press carries one of them, a user group lists the other.

https://github.com/app-sre/qontract-reconcile/pull/5520, https://github.com/slackapi/bolt-js/issues/2608
"""

import pytest

from bot.demo.slack.workspace import Workspace
from bot.demo.voipbin.world import World
from bot.slack import ids
from tests.scenarios.conftest import ALICE, INCIDENTS, Stage

PRESSES, LISTED = "W0DUAL", "U0DUAL"


@pytest.mark.parametrize(("known", "other"), [(LISTED, PRESSES), (PRESSES, LISTED)])
async def test_who_is_in_the_group_by_one_id_may_stop_by_the_other(
    stage: Stage, slack: Workspace, voipbin: World, known: str, other: str
) -> None:
    """``known`` is the id that ``users.info`` answers with, whichever it was asked for."""
    slack.enterprise_id = "E0GRID"
    slack.add_user(known, "Dual", grid_id=other)
    slack.channels[INCIDENTS].members.append(known)
    slack.groups["S0ONCALL"].members.append(LISTED)
    activeflow = voipbin.rings(voipbin.add_flow("Support line"), at="play")
    async with stage.start():
        card = await stage.asks_to_stop(activeflow, user=ALICE)
        await slack.clicks(PRESSES, card, ids.STOP_FLOW)
        await stage.reads("Stopped by")
    assert stage.posts(activeflow) == 1

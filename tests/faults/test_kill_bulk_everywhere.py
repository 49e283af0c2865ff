"""The process is killed at every single write of one bulk stop, each time it comes to one at which it was not killed
yet.

Three members here; FLOWS_BOT_KILLED_MEMBERS=50 makes it fifty, which takes about twenty minutes each way::

    FLOWS_BOT_KILLED_MEMBERS=50 pytest -m slow tests/faults/test_kill_bulk_everywhere.py -s
"""

import os

import pytest

from tests.faults.bulk_stop_story import BulkStopStory
from tests.faults.processes import Processes
from tests.faults.truth import Audit
from tests.scenarios.conftest import CAROL, Stage

_MEMBERS = int(os.environ.get("FLOWS_BOT_KILLED_MEMBERS", "3"))
_STEPS = ("turn", "look", "claim", "send", "verify", "outcome", "count")
"""Of each member; a step is remembered in a write of its own, and what it does beside reading is another one."""


@pytest.mark.slow
@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_bulk_stop_survives_a_kill_at_each_of_its_writes(
    when: str, stage: Stage, night: BulkStopStory, processes: Processes, audit: Audit
) -> None:
    bot = processes.ready()
    card = await night.asked(_MEMBERS, bot, order="again and again", confirm_within="1h")
    bot.dies(when, "each")
    presses = 0
    while not audit.presses():  # not acked, so it is pressed again
        await bot.until_ready()
        delivery = await stage.slack.clicks(CAROL, card, "bulk.stop")
        presses += 1
        assert audit.presses() or delivery.error is not None, "acked, and not recorded"
    await stage.slack.until(lambda: not audit.unfinished(), seconds=60 + 60 * _MEMBERS)
    await bot.kill()
    died_at = bot.died_at
    night.assert_true_to(card)
    print(f"pressed {presses} times, killed {len(died_at)} times {when} a write; {_MEMBERS} stopped once each")
    assert len(died_at) == len(set(died_at))
    for number in range(1, _MEMBERS + 1):
        of_member = [name for name in died_at if name.split(" & ")[0].endswith(f"/{number}")]
        steps = sum("operation_outputs" in name for name in of_member)
        # A write that holds two steps counts once; more where it died between the record and the stop, and sent again.
        assert steps >= len(_STEPS) - 1

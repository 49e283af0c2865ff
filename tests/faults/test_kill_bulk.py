"""The process is killed again and again while it stops many, and started again: none lost, none doubled, none besides.

Decision: these are killed at writes spread from the first member to the last, each time after some more of them are
done; ``test_kill_bulk_everywhere`` meets every write, one after the other.
"""

import pytest

from tests.faults.bulk_stop_story import BulkStopStory
from tests.faults.processes import Processes


@pytest.mark.slow
@pytest.mark.parametrize(("count", "fewest"), [(6, 1), pytest.param(50, 8, marks=pytest.mark.slow)])
async def test_all_are_stopped_by_bots_that_are_killed_again_and_again(
    count: int, fewest: int, night: BulkStopStory, processes: Processes
) -> None:
    bot = processes.ready()
    card = await night.asked(count, bot)
    bot.dies("before", 45)
    await night.bulk.presses(card)
    while True:
        successor = processes.ready()
        if not await night.runs_until_killed(bot):
            break
        bot = successor
        bot.dies("after" if night.kills % 2 else "before", 45 + 6 * night.kills)  # a replay writes, too
        await processes.run(bot)
    print(f"killed {night.kills} times; {count} stopped once each")
    assert night.kills >= fewest
    night.assert_true_to(card)

"""The process is killed again and again while it stops fifty, and started again: none lost, none doubled, none besides.

Decision: these are killed at writes spread from the first member to the last, each time after some more of them are done;
``test_kill_bulk_everywhere`` meets every write, one after the other.
"""

from tests.faults.night import Night
from tests.faults.processes import Processes

_FEWEST = 8
"""Kills of the fifty."""


async def test_fifty_are_stopped_by_bots_that_are_killed_again_and_again(night: Night, processes: Processes) -> None:
    bot = processes.ready()
    card = await night.asked(50, bot)
    bot.dies("before", 45)
    await night.bulk.presses(card)
    while True:
        successor = processes.ready()
        if not await night.runs_until_killed(bot):
            break
        bot = successor
        bot.dies("after" if night.kills % 2 else "before", 45 + 6 * night.kills)  # a replay writes, too
        await processes.run(bot)
    print(f"killed {night.kills} times; fifty stopped once each")
    assert night.kills >= _FEWEST
    night.assert_true_to(card)

"""The process is killed again and again while it stops fifty, and started again: none lost, none doubled, none besides.

Decision: fifty are killed many times in one story, at writes spread from the first member to the last; each process goes
on where the one before it was cut off. The writes from the press to the members after the canary are met one by one, in
small bulk stops that are killed once each.
"""

import pytest

from bot.activeflows.records import What
from bot.demo.slack.messages import Message
from bot.demo.voipbin.state import Activeflow
from tests.faults.processes import BotProcess, Processes
from tests.faults.truth import Audit, Witness
from tests.scenarios.bulk_stage import BulkStage, bulk
from tests.scenarios.conftest import CAROL, Stage

__all__ = ["bulk"]
_FEWEST = 8
"""Kills of the fifty; with those around the canary there are more than twenty-five on any machine seen so far."""


class Night:
    """Loops to be stopped, bystanders not to be touched, and a bot that dies and is started again."""

    def __init__(self, stage: Stage, bulk: BulkStage, processes: Processes, audit: Audit, witness: Witness) -> None:
        self.stage, self.bulk, self.processes, self.audit, self.witness = stage, bulk, processes, audit, witness
        self.loops: list[Activeflow] = []
        self.bystanders: list[Activeflow] = []
        self.kills = self._before = 0

    async def asked(self, count: int, bot: BotProcess) -> Message:
        """The card for so many, of a bot that runs."""
        self.bulk.rules('confirm_within = "10m"')
        await self.processes.run(bot)
        world = self.stage.voipbin
        self.bystanders = self.bulk.ring(3, world.add_flow("Sales"))
        flow, self._before = world.add_flow(f"Support line {self.kills}"), len(world.stops)
        self.loops = self.bulk.ring(count, flow)
        card = await self.bulk.asks(f'flow:"{flow.name}" they loop')
        self.bystanders += self.bulk.ring(2, flow)
        return card

    async def runs_until_killed(self, bot: BotProcess, recorded_before: int = 0) -> bool:
        """Whether it was killed before all was done. (Its successor is to be warm already.)"""

        def over() -> bool:
            return bot.dead or (self.audit.presses() > recorded_before and not self.audit.unfinished())

        await self.stage.slack.until(over, seconds=60)
        self.kills += bot.dead
        return bot.dead

    def assert_true_to(self, card: Message) -> None:
        """The card, the audit and VoIPBIN tell the same story."""
        words, world = self.bulk.now(card), self.stage.voipbin
        count = len(self.loops)
        assert words.startswith(f"All {count} have ended"), words
        assert f"{count} of {count} ended · 0 left" in words
        assert self.bulk.running(self.loops) == []
        assert self.bulk.running(self.bystanders) == self.bystanders
        assert [self.bulk.stops(each) for each in self.loops] == [1] * count
        touched = {stop.activeflow_id for stop in world.stops[self._before :]}
        assert touched == {each.id for each in self.loops}
        self.witness.assert_each_was_announced()
        self.witness.assert_none_came_after_the_end()
        for each in self.loops:
            assert [r.detail["outcome"] for r in self.audit.records(each.id, What.OUTCOME)] == ["Ended"]
        self.audit.assert_whole()
        assert self.audit.claims() == 0


@pytest.fixture
def night(stage: Stage, bulk: BulkStage, processes: Processes, audit: Audit, witness: Witness) -> Night:
    return Night(stage, bulk, processes, audit, witness)


async def test_fifty_are_stopped_by_bots_that_are_killed_again_and_again(night: Night, processes: Processes) -> None:
    bot = await processes.warm()
    card = await night.asked(50, bot)
    bot.dies("before", 45)
    await night.bulk.presses(card)
    while True:
        successor = await processes.warm()
        if not await night.runs_until_killed(bot):
            break
        bot = successor
        bot.dies("after" if night.kills % 2 else "before", 45 + 6 * night.kills)  # a replay writes, too
        await processes.run(bot)
    print(f"killed {night.kills} times; fifty stopped once each")
    assert night.kills >= _FEWEST
    night.assert_true_to(card)


async def test_killed_at_the_writes_around_the_press_and_the_canary(
    stage: Stage, night: Night, processes: Processes
) -> None:
    bot = await processes.warm()
    for nth in range(2, 28, 2):
        when = "after" if nth % 4 else "before"
        card, before = await night.asked(3, bot), night.audit.presses()
        bot.dies(when, nth)
        delivery = await stage.slack.clicks(CAROL, card, "bulk.stop")
        successor = await processes.warm()
        assert await night.runs_until_killed(bot, before), f"{when} {nth}: it was over before that"
        bot = successor
        recorded = night.audit.presses() > before
        assert recorded or delivery.error is not None, f"{when} {nth}: acked, and not recorded"
        async with stage.start():
            if not recorded:
                assert voipbin_untouched(night)
                await night.bulk.presses(card)
            await stage.slack.until(lambda: not night.audit.unfinished(), seconds=30)
        night.assert_true_to(card)
    print(f"killed {night.kills} times around the press and the canary")


def voipbin_untouched(night: Night) -> bool:
    return night.bulk.running(night.loops) == night.loops

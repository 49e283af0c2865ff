"""A night with a bulk stop in it: what is to be stopped, what is not to be touched, and what must be true in the
morning.
"""

from bot.activeflows.records import RecordKind
from bot.demo.slack.messages import Message
from bot.demo.voipbin.state import Activeflow
from tests.faults.processes import BotProcess, Processes
from tests.faults.truth import Audit, Witness
from tests.scenarios.bulk_stage import BulkStage
from tests.scenarios.conftest import Stage


class BulkStopStory:
    """Loops to be stopped, bystanders not to be touched, and a bot that dies and is started again."""

    def __init__(self, stage: Stage, bulk: BulkStage, processes: Processes, audit: Audit, witness: Witness) -> None:
        self.stage, self.bulk, self.processes, self.audit, self.witness = stage, bulk, processes, audit, witness
        self.loops: list[Activeflow] = []
        self.bystanders: list[Activeflow] = []
        self.kills = self._before = 0

    async def asked(self, count: int, bot: BotProcess, *, order: str = "go", confirm_within: str = "10m") -> Message:
        """The card for so many, of a bot that runs."""
        self.bulk.rules(f'confirm_within = "{confirm_within}"')
        await self.processes.run(bot, order)
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
            assert [r.detail["outcome"] for r in self.audit.records(each.id, RecordKind.OUTCOME)] == ["Ended"]
        self.audit.assert_whole()
        assert self.audit.claims() == 0

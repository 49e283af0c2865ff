"""The process is killed at a write of a stop's life, and started again: nothing is lost, doubled or made up.

Some of the writes are met by ``pytest``, every single one by ``pytest -m slow``.
"""

from dataclasses import dataclass

import pytest

from bot.demo.voipbin.world import World
from tests.faults.processes import Processes
from tests.faults.truth import Audit, Witness, assert_told_truly, last_word, present, stop_requests, stops_with_effect
from tests.scenarios.conftest import ALICE, Stage

_FEWEST, _MOST = 6, 60


@dataclass
class Stops:
    """One stop after the other, by a bot that is killed in each."""

    stage: Stage
    voipbin: World
    processes: Processes
    audit: Audit
    witness: Witness

    async def survives(self, when: str, nth: int) -> bool:
        """A stop whose bot dies at the n-th write; whether there was such a write."""
        stage, voipbin, audit = self.stage, self.voipbin, self.audit
        bot = await self.processes.start()
        activeflow = voipbin.rings(voipbin.add_flow("Support line"), at="digits_receive")
        card = await stage.asks_to_stop(activeflow)
        await stage.slack.until(lambda: audit.knows_the_place_of(card))
        before = audit.presses()
        bot.dies(when, nth)
        delivery = await stage.slack.clicks(ALICE, card, "stop.flow")
        await stage.slack.until(lambda: bot.dead or (audit.presses() > before and not audit.unfinished()))
        killed, recorded = bot.dead, audit.presses() > before
        await bot.kill()
        assert recorded or delivery.error is not None, f"{when} {nth}: acked, and not recorded"
        async with stage.start():
            if not recorded:
                assert stop_requests(voipbin, activeflow) == []
                assert "stop.flow" in [button.action_id for button in present(stage, card).buttons]
                await stage.slack.clicks(ALICE, present(stage, card), "stop.flow")
            await stage.slack.until(lambda: audit.presses() > before and not audit.unfinished(), seconds=30)
        words = await last_word(stage, card, seconds=1)
        assert_told_truly(stage, activeflow, words)
        assert stops_with_effect(voipbin, activeflow) == 1, f"{when} {nth}: {words}"
        assert words.startswith(("Stopped", "Ended")), f"{when} {nth}: {words}"
        assert len(audit.outcomes(activeflow)) == 1
        assert audit.claims() == 0
        self.witness.assert_none_came_after_the_end()
        return killed

    def assert_whole(self) -> None:
        self.witness.assert_each_was_announced()
        self.audit.assert_whole()


@pytest.fixture
def stops(stage: Stage, voipbin: World, processes: Processes, audit: Audit, witness: Witness) -> Stops:
    return Stops(stage, voipbin, processes, audit, witness)


@pytest.mark.parametrize(("when", "nth"), [("before", 6), ("after", 8)])
async def test_a_stop_survives_a_kill_at_some_of_its_writes(when: str, nth: int, stops: Stops) -> None:
    assert await stops.survives(when, nth)
    stops.assert_whole()


@pytest.mark.slow
@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_stop_survives_a_kill_at_each_of_its_writes(when: str, stops: Stops) -> None:
    nth = 1
    while await stops.survives(when, nth):
        nth += 1
        assert nth < _MOST, "the story never ran through"
    print(f"killed {nth - 1} times, {when} each write; nothing lost")
    assert nth > _FEWEST
    stops.assert_whole()

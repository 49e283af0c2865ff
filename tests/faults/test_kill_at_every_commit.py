"""The process is killed at every write of a stop's life in turn, and started again: nothing lost, doubled or made up."""

import pytest

from bot.demo.voipbin.world import World
from tests.faults.processes import Processes
from tests.faults.truth import Audit, Witness, assert_told_truly, last_word, present, stop_requests, stops_with_effect
from tests.scenarios.conftest import ALICE, Stage

_FEWEST, _MOST = 12, 60


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_stop_survives_a_kill_at_each_of_its_writes(
    when: str, stage: Stage, voipbin: World, processes: Processes, audit: Audit, witness: Witness
) -> None:
    flow = voipbin.add_flow("Support line")
    bot = processes.ready()
    for nth in range(1, _MOST):
        await processes.run(bot)
        activeflow = voipbin.rings(flow, at="digits_receive")
        card = await stage.asks_to_stop(activeflow)
        await stage.slack.until(lambda: audit.knows_the_place_of(card))  # noqa: B023 # awaited here
        before = audit.presses()
        bot.dies(when, nth)
        delivery = await stage.slack.clicks(ALICE, card, "stop.flow")
        await stage.slack.until(lambda: bot.dead or (audit.presses() > before and not audit.unfinished()))  # noqa: B023 # awaited here
        killed, recorded = bot.dead, audit.presses() > before
        await bot.kill()
        assert recorded or delivery.error is not None, f"{when} {nth}: acked, and not recorded"
        if killed:
            bot = processes.ready()
        async with stage.start():
            if not recorded:
                assert stop_requests(voipbin, activeflow) == []
                assert "stop.flow" in [button.action_id for button in present(stage, card).buttons]
                await stage.slack.clicks(ALICE, present(stage, card), "stop.flow")
            await stage.slack.until(lambda: audit.presses() > before and not audit.unfinished(), seconds=30)  # noqa: B023 # awaited here
        words = await last_word(stage, card, seconds=1)
        assert_told_truly(stage, activeflow, words)
        assert stops_with_effect(voipbin, activeflow) == 1, f"{when} {nth}: {words}"
        assert words.startswith(("Stopped", "Ended")), f"{when} {nth}: {words}"
        assert len(audit.outcomes(activeflow)) == 1
        assert audit.claims() == 0
        witness.assert_none_came_after_the_end()
        if not killed:
            break
    else:
        pytest.fail("the story never ran through")
    print(f"killed {nth - 1} times, {when} each write; nothing lost")
    assert nth > _FEWEST
    witness.assert_each_was_announced()
    audit.assert_whole()

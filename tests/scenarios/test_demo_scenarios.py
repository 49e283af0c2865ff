"""The demo's scenarios, each through the whole bot: what must be true in the end is."""

from pathlib import Path

import pytest

from bot.activeflows.stopping.stop import Patience
from bot.demo.__main__ import demo
from bot.demo.scenarios.scene import Scenario, Scene
from bot.demo.scenarios.table import SCENARIOS
from bot.demo.voipbin.town import Town
from tests.scenarios.conftest import SHORT

BRIEF: Patience = SHORT


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
async def test_what_must_be_true_is(scenario: Scenario, tmp_path: Path) -> None:
    async with demo(tmp_path, patience=BRIEF, alerts=False, town=Town(quiet=True)) as shown:
        scene = Scene(scenario, shown.workspace, shown.town.world, shown.bot)
        held = await scene.play()
        assert held, scene.report()
        assert len(scene.held) == len(scenario.must)

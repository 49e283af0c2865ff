"""Random stories in the whole app, from the signed click to the card, with restarts in between: few, for they take real
time.

``test_promises`` tells thousands of them one level below; what is between that level and Slack is walked through here.
"""

import random
from dataclasses import dataclass, field

import pytest

from bot.demo.slack import faults as slack_faults
from bot.demo.slack.messages import Message
from bot.demo.voipbin import faults
from bot.demo.voipbin.state import Activeflow
from bot.demo.voipbin.world import World
from tests.faults.truth import Audit, Witness, assert_told_truly, not_refused, present, stops_with_effect
from tests.scenarios.conftest import ALICE, BOB, CAROL, GUEST, INCIDENTS, POLICY, Stage

_STEPS = 25
_BEFALLS = (faults.lose_answer, faults.reset_before, faults.half_answer, lambda: faults.status(503, "REQUEST_TIMEOUT"),
            lambda: faults.status_after_work(500, "INTERNAL"), lambda: faults.status(429, "RATE_LIMIT_EXCEEDED", retry_after=0),
            lambda: faults.status(401, "INVALID_CREDENTIALS"), lambda: faults.slow_answer(0.5))  # fmt: skip


@dataclass
class Story:
    stage: Stage
    dice: random.Random
    witness: Witness
    cards: list[tuple[Activeflow, Message]] = field(default_factory=list)
    presses: int = 0

    async def step(self) -> None:
        await self.dice.choice((self.asks, self.presses_, self.presses_, self.presses_, self.together, self.world_, self.trouble, self.policy))()  # fmt: skip

    async def asks(self) -> None:
        world = self.stage.voipbin
        activeflow = world.rings(world.add_flow("Support line"), at="digits_receive")
        user = self.dice.choice((ALICE, CAROL))
        await self.stage.slack.types(user, INCIDENTS, f"/flows stop {activeflow.id}")

        def answered() -> Message | None:
            return next((m for m in self.stage.slack.sees(user, INCIDENTS) if activeflow.id.hex[:8] in m.words), None)

        try:
            card = await self.stage.slack.until(answered, seconds=3)
        except AssertionError:
            return  # this one may not, or Slack did not say who asks; that is told without the id
        assert isinstance(card, Message)
        if card.ephemeral_to is None:
            self.cards.append((activeflow, card))

    async def presses_(self, *, user: str = "") -> None:
        if self.cards:
            _, card = self.dice.choice(self.cards[-3:])
            now = present(self.stage, card)
            if any(button.action_id == "stop.flow" for button in now.buttons):
                self.presses += 1
                await self.stage.slack.clicks(user or self.dice.choice((ALICE, BOB, CAROL, GUEST)), now, "stop.flow")

    async def together(self) -> None:
        await self.presses_(user=ALICE)
        await self.presses_(user=CAROL)

    async def world_(self) -> None:
        if self.cards:
            activeflow, world = self.dice.choice(self.cards)[0], self.stage.voipbin
            self.dice.choice((lambda: world.moves_to(activeflow, "talk"), lambda: world.ends(activeflow)))()

    async def trouble(self) -> None:
        self.witness.then(self.dice.choice(_BEFALLS)())
        if self.dice.random() < 0.3:
            self.stage.slack.faults.on(
                self.dice.choice(("users.info", "chat.update")), slack_faults.error("fatal_error")
            )

    async def policy(self) -> None:
        group = self.stage.slack.groups["S0ONCALL"].members
        group[:] = [] if group else [CAROL]


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(1, 4))])
async def test_a_random_story_with_restarts_keeps_the_promises(
    seed: int, stage: Stage, voipbin: World, witness: Witness, audit: Audit
) -> None:
    stage.policy.write_text(POLICY, encoding="utf-8")
    story = Story(stage, random.Random(seed), witness)  # noqa: S311 # a harmless die
    for _ in range(3):
        async with stage.start():
            await story.asks()
            await story.presses_()
            for _ in range(_STEPS // 3):
                await story.step()
    async with stage.start():
        stage.slack.faults.clear()
        await stage.slack.until(lambda: not audit.unfinished(), seconds=30)
    assert story.presses
    for activeflow, card in story.cards:
        words = present(stage, card).words
        asked = (
            "Stop this activeflow?",
            "Stop flow was pressed",
            "This call has moved on",
            "This activeflow has moved on",
        )
        if not words.startswith(asked):
            assert_told_truly(stage, activeflow, words)
        assert stops_with_effect(voipbin, activeflow) <= 1
        assert len(not_refused(voipbin, activeflow)) <= audit.sendings(activeflow.id)
    witness.assert_each_was_announced()
    assert audit.claims() == 0
    audit.assert_whole()

"""What the stories of bulk stops share: two persons who may, an approver, a viewer, and many activeflows."""

from dataclasses import dataclass

import pytest

from bot.demo.slack.messages import Message
from bot.demo.slack.workspace import Workspace
from bot.demo.voipbin.state import Activeflow, Flow
from tests.scenarios.conftest import ALICE, BOB, CAROL, INCIDENTS, Stage

APPROVER = "U0DAVE"
REFUSED = "You don't have permission to"
ASK_OTHERS = "bulk.ask_others"
BULK_POLICY = f"""
[[grant]]
to = ["{ALICE}", "{CAROL}"]
may = ["view", "stop", "bulk"]
in = ["{INCIDENTS}"]

[[grant]]
to = ["{APPROVER}"]
may = ["view", "approve"]

[[grant]]
to = ["members"]
may = ["view"]
"""


@dataclass
class BulkStage:
    """The stage, with sentences about many activeflows."""

    stage: Stage

    def rules(self, rules: str = "", *, grants: str = BULK_POLICY) -> None:
        """The policy, before the bot starts."""
        self.stage.policy.write_text(f"{grants}\n[rules]\n{rules}\n", encoding="utf-8")

    def ring(self, count: int, flow: Flow, *, at: str = "digits_receive") -> list[Activeflow]:
        """So many calls in this flow."""
        return [self.stage.voipbin.rings(flow, at=at) for _ in range(count)]

    async def asks(self, words: str, *, user: str = ALICE) -> Message:
        """Types `/flows stop all …` and waits for the card."""
        before = {message.ts for message in self.cards(user)}
        await self.stage.slack.types(user, INCIDENTS, f"/flows stop all {words}")
        await self.stage.slack.until(lambda: {message.ts for message in self.cards(user)} - before)
        return self.cards(user)[-1]

    async def refused(self, words: str, *, user: str = BOB, channel: str = INCIDENTS) -> Message:
        """The answer to somebody who may not, with the offer in it."""
        await self.stage.slack.types(user, channel, f"/flows stop all {words}")
        refusal = await self.stage.reads(REFUSED, user=user, channel=channel)
        assert [button.action_id for button in refusal.buttons] == [ASK_OTHERS]
        return refusal

    async def put_to_others(self, words: str = "type:call") -> Message:
        """The card that stands there after Bob, who may not, has asked those who may."""
        before = len(self.cards())
        await self.stage.slack.clicks(BOB, await self.refused(words), ASK_OTHERS)
        await self.stage.slack.until(lambda: len(self.cards()) > before)
        return self.cards()[-1]

    def cards(self, user: str = ALICE) -> list[Message]:
        """The public bulk cards, oldest first."""
        seen = self.stage.slack.sees(user, INCIDENTS)
        return [m for m in seen if m.ephemeral_to is None and "Asked by" in m.words]

    def now(self, card: Message) -> str:
        """The card's words as they stand."""
        return self.stage.slack.message(card.channel, card.ts).words

    async def presses(self, card: Message, *, user: str = CAROL, button: str = "bulk.stop") -> None:
        """Presses a button on the card as it stands."""
        delivery = await self.stage.slack.clicks(user, self.stage.slack.message(card.channel, card.ts), button)
        assert delivery.error is None

    async def says(self, card: Message, *words: str, seconds: float = 30) -> str:
        """Waits until the card says one of these."""

        def found() -> str | None:
            now = self.now(card)
            return now if any(each in now for each in words) else None

        told = await self.stage.slack.until(found, seconds=seconds)
        assert isinstance(told, str)
        return told

    async def over(self, card: Message, *, seconds: float = 30) -> str:
        """Waits for the last word on the card."""
        return await self.says(card, "Receipt", seconds=seconds)

    async def way_out(self, card: Message) -> str:
        """The modal that *Without this bot…* opens."""
        slack = self.stage.slack
        now = slack.message(card.channel, card.ts)
        seen = {view.id for view in slack.views_of(ALICE)}
        assert (await slack.clicks(ALICE, now, "bulk.without_bot")).error is None
        await slack.until(lambda: [view for view in slack.views_of(ALICE) if view.id not in seen])
        return slack.views_of(ALICE)[-1].words

    def running(self, activeflows: list[Activeflow]) -> list[Activeflow]:
        return [a for a in activeflows if self.stage.voipbin.activeflow(a.id).status == "running"]

    def stops(self, activeflow: Activeflow) -> int:
        """Stops of it that had an effect."""
        return sum(1 for stop in self.stage.voipbin.stops if stop.activeflow_id == activeflow.id and stop.changed)


@pytest.fixture
def bulk(stage: Stage, slack: Workspace) -> BulkStage:
    """Two persons who may, and one who may approve; the bot is not started yet."""
    slack.add_user(APPROVER, "Dave")
    slack.channels[INCIDENTS].members.append(APPROVER)
    bulk = BulkStage(stage)
    bulk.rules()
    return bulk

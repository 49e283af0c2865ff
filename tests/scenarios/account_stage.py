"""Two VoIPBIN accounts in one bot that have the same ids for different things, and the sentences that their stories are
told in.
"""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from uuid import UUID, uuid4

import pytest

from bot.demo.serving import serving
from bot.demo.slack.messages import Message
from bot.demo.voipbin.api import voipbin_app
from bot.demo.voipbin.event_stream import EventStream
from bot.demo.voipbin.state import Activeflow, Step
from bot.demo.voipbin.world import World
from bot.slack.messaging.messenger import marked_id
from tests.scenarios.conftest import ABROAD, ALICE, BOB, CAROL, INCIDENTS, LOBBY, Stage

POLICY = f"""
[account.prod]
channels = ["{INCIDENTS}"]

[account.staging]
channels = ["{LOBBY}"]

[[grant]]
to = ["{ALICE}", "{CAROL}"]
may = ["view", "stop", "bulk", "audit"]
in = ["{INCIDENTS}", "{LOBBY}", "{ABROAD}"]
accounts = ["prod", "staging"]

[[grant]]
to = ["{BOB}"]
may = ["view", "stop"]
accounts = ["staging"]
"""


def of(account: str, id_: str) -> str:
    """The id of a button or form of this account."""
    return marked_id(id_, account)


@dataclass
class AccountStage:
    """``stage`` with ``prod``, which is its own VoIPBIN, and ``staging``, another one."""

    stage: Stage
    prod: World
    staging: World
    urls: dict[str, str]

    @property
    def worlds(self) -> dict[str, World]:
        return {"prod": self.prod, "staging": self.staging}

    def settings(self, *names: str) -> dict[str, object]:
        """What the bot is started with: these accounts, by default both."""
        accounts = {
            name: {"api_url": f"{self.urls[name]}/v1.0", "access_key": self.worlds[name].access_key}
            for name in names or self.worlds
        }
        return {"voipbin_access_key": None, "voipbin_account": accounts}

    def start(self, *names: str, **changes: object) -> AbstractAsyncContextManager[None]:
        return self.stage.start(**self.settings(*names), **changes)

    def ring(self, *, at: str = "digits_receive", flow: str = "Support line") -> dict[str, Activeflow]:
        """One activeflow in each account, with the same id, of a flow with the same id; the names differ."""
        return self.ring_as(uuid4(), uuid4(), at=at, flow=flow)

    def ring_as(self, id_: UUID, flow_id: UUID, *, at: str = "digits_receive", flow: str = "") -> dict[str, Activeflow]:
        found = {}
        for name, world in self.worlds.items():
            known = world.records.flows.get(flow_id)
            flow_ = known or world.add_flow(f"{flow} of {name}", [Step("talk"), Step("digits_receive")], id=flow_id)
            found[name] = world.rings(flow_, at=at, id=id_)
        return found

    def stopped(self, activeflow: Activeflow) -> dict[str, int]:
        """How many stops of this id reached each VoIPBIN, carried out or not."""
        path = f"/activeflows/{activeflow.id}/stop"
        return {
            name: sum(1 for seen in world.requests if seen.method == "POST" and seen.path.endswith(path))
            for name, world in self.worlds.items()
        }

    def sent(self) -> dict[str, int]:
        """Everything that was asked to be done of each."""
        return {name: sum(seen.method == "POST" for seen in world.requests) for name, world in self.worlds.items()}

    async def card(self, words: str, *, user: str = ALICE, channel: str = INCIDENTS) -> Message:
        """Types a line that posts a stop card, and waits for it."""
        seen = len(self._cards(user, channel))
        await self.stage.slack.types(user, channel, f"/flows {words}")
        await self.stage.slack.until(lambda: len(self._cards(user, channel)) > seen)
        return self._cards(user, channel)[-1]

    def _cards(self, user: str, channel: str) -> list[Message]:
        seen = self.stage.slack.sees(user, channel)
        return [one for one in seen if one.ephemeral_to is None and "Asked by" in one.words]

    async def presses(self, card: Message, name: str, *, user: str = CAROL) -> None:
        """Presses a button on the card as it stands now."""
        now = self.stage.slack.message(card.channel, card.ts)
        assert (await self.stage.slack.clicks(user, now, name)).error is None

    async def says(self, card: Message, *words: str, seconds: float = 30) -> str:
        """Waits until the card says all of this."""

        def now() -> str | None:
            said = self.stage.slack.message(card.channel, card.ts).words
            return said if all(word in said for word in words) else None

        told = await self.stage.slack.until(now, seconds=seconds)
        assert isinstance(told, str)
        return told


@pytest.fixture
async def two(stage: Stage) -> AsyncIterator[AccountStage]:
    """The simulators are up; the bot is not started yet."""
    stage.policy.write_text(POLICY, encoding="utf-8")
    staging = World()
    async with serving(voipbin_app(staging, EventStream(staging))) as url:
        prod = stage.settings().voipbin_api_url.removesuffix("/v1.0")
        yield AccountStage(stage, stage.voipbin, staging, {"prod": prod, "staging": url})

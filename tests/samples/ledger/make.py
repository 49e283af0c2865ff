"""Make the sample of a release: a ledger as that release leaves it behind, as SQL.

``python -m tests.samples.ledger.make``, once, by the last commit of the release, and never again: the sample is what
its users have. In it are a stop and a bulk stop that are over, an open watch, and a press that was being carried out
when the bot was ended.
"""

import asyncio
import sqlite3
import tempfile
from contextlib import AsyncExitStack, closing
from pathlib import Path

from bot.activeflows.stopping.stop import Patience
from bot.composition.bootstrap import running
from bot.demo.serving import serving
from bot.demo.slack.app import serving_slack
from bot.demo.slack.workspace import Workspace
from bot.demo.voipbin.api import voipbin_app
from bot.demo.voipbin.event_stream import EventStream
from bot.demo.voipbin.faults import hold
from bot.demo.voipbin.state import Activeflow
from bot.demo.voipbin.world import World
from bot.ledger.tables import VERSION
from bot.settings import Settings

ALICE, CAROL, INCIDENTS = "U0ALICE", "U0CAROL", "C0INCIDENTS"
POLICY = f'[[grant]]\nto = ["{ALICE}", "{CAROL}"]\nmay = ["view", "stop", "bulk"]\n'


class Story:
    """One evening in the channel."""

    def __init__(self) -> None:
        self.slack, self.voipbin = Workspace(), World()
        for person, name in ((ALICE, "Alice"), (CAROL, "Carol")):
            self.slack.add_user(person, name)
        self.slack.add_channel(INCIDENTS, "incidents", members=[ALICE, CAROL])

    async def told(self, file: Path, policy: Path) -> None:
        """Until the bot is ended in the middle of a press."""
        async with AsyncExitStack() as stack:
            slack_url = await stack.enter_async_context(serving_slack(self.slack))
            events = EventStream(self.voipbin)
            voipbin_url = await stack.enter_async_context(serving(voipbin_app(self.voipbin, events)))
            values: dict[str, object] = {
                "slack_bot_token": self.slack.bot_token,
                "slack_signing_secret": self.slack.signing_secret,
                "slack_api_url": slack_url,
                "voipbin_api_url": f"{voipbin_url}/v1.0",
                "voipbin_access_key": self.voipbin.access_key,
                "voipbin_requests_per_second": 100,
                "flows_bot_policy": policy,
                "flows_bot_database_url": f"sqlite:///{file}",
                "flows_bot_port": 0,
            }
            settings = Settings(_env_file=None, **values)  # type: ignore[arg-type, call-arg] # fields by name
            patience = Patience(follow_every=0.2, follow_for=0.5)
            async with running(settings, patience=patience, last_words=0.0) as bot:
                self.slack.request_url = f"http://127.0.0.1:{bot.port}/slack/events"
                await self._evening()

    async def _evening(self) -> None:
        flow = self.voipbin.add_flow("Support line")
        one, watched, last = (self.voipbin.rings(flow, at="digits_receive") for _ in range(3))
        await self._types(f"watch {watched.id}", "Watching: ")
        await self._asks(one)
        await self._presses("stop.flow")
        await self._says("Receipt")
        sales = self.voipbin.add_flow("Sales")
        for _ in range(3):
            self.voipbin.rings(sales, at="play")
        await self._types('stop all flow:"Sales" they loop', "Stop these 3 activeflows?")
        await self._presses("bulk.stop")
        await self._says("All 3 have ended")
        point = hold()
        await self._asks(last)
        self.voipbin.faults.on("GET", "/activeflows/{id}", point, times=None)
        await self._presses("stop.flow")
        await point.arrived()

    async def _asks(self, activeflow: Activeflow) -> None:
        await self._types(f"stop {activeflow.id} it loops", f"vn activeflows stop {activeflow.id}")

    async def _presses(self, button: str) -> None:
        await self.slack.clicks(CAROL, self.slack.sees(CAROL, INCIDENTS)[-1], button)

    async def _types(self, words: str, then: str) -> None:
        await self.slack.types(ALICE, INCIDENTS, f"/flows {words}")
        await self._says(then)

    async def _says(self, words: str) -> None:
        await self.slack.until(lambda: any(words in m.words for m in self.slack.sees(ALICE, INCIDENTS)))


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        file, policy = Path(folder, "flows-bot.db"), Path(folder, "policy.toml")
        policy.write_text(POLICY, encoding="utf-8")
        policy.chmod(0o600)
        asyncio.run(Story().told(file, policy))
        with closing(sqlite3.connect(file)) as ledger:
            made = Path(__file__).with_name(f"v{VERSION:04}.sql")
            made.write_text("".join(f"{line}\n" for line in ledger.iterdump()), encoding="utf-8")


if __name__ == "__main__":
    main()

"""The running bot between a simulated Slack and a simulated VoIPBIN, all on loopback, put together as in production."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from bot.activeflows.alerting.announcer import AlertPace
from bot.activeflows.stopping.stop import Patience
from bot.activeflows.watching.watch import WatchPace
from bot.composition.bootstrap import running
from bot.demo.serving import serving
from bot.demo.slack.app import serving_slack
from bot.demo.slack.messages import Message
from bot.demo.slack.workspace import Workspace
from bot.demo.voipbin.api import voipbin_app
from bot.demo.voipbin.event_stream import EventStream
from bot.demo.voipbin.state import Activeflow
from bot.demo.voipbin.world import World
from bot.ledger.database import Database
from bot.settings import Settings
from bot.voipbin import IndexPace, RequestPauses
from tests.scenarios.program import Program

ALICE, BOB, CAROL, GUEST, STRANGER = "U0ALICE", "U0BOB", "U0CAROL", "U0GUEST", "U0STRANGER"
INCIDENTS, LOBBY, ABROAD = "C0INCIDENTS", "C0LOBBY", "C0ABROAD"

POLICY = f"""
[[grant]]
to = ["{ALICE}", "S0ONCALL"]
may = ["view", "stop"]
in = ["{INCIDENTS}", "{ABROAD}"]

[[grant]]
to = ["members"]
may = ["view"]
"""

SHORT = Patience(
    longer=0.05,
    side_look=2.0,
    soon=(0.0, 0.05, 0.1),
    settle=0.4,
    every=0.1,
    rest=0.2,
    looks=5,
    after=(0.0, 0.1, 0.2, 0.3),
    follow_every=0.2,
    follow_for=0.6,
    told_again=(0.1, 0.2, 0.3, 0.4),
)
BRISK = WatchPace(
    card_every=0.1,
    rate=50.0,
    heartbeat=5.0,
    again=0.2,
    read_every=0.2,
    reads=50.0,
    permit_every=0.1,
    look_every=0.1,
    settle=1.0,
    give_up=0.5,
)
QUICK = AlertPace(beat=0.05, between=0.0, shut=0.1)
AT_ONCE = RequestPauses(
    throttled=(0.05,),
    unavailable=(0.05,),
    internal=(0.05,),
    hiccup=(0.05,),
    rejected=(0.05,),
    unreadable=(0.05,),
    jitter=0,
)


@dataclass
class Stage:
    """Everything a story needs, and the sentences it is told in."""

    slack: Workspace
    voipbin: World
    events: EventStream
    policy: Path
    settings: Callable[..., Settings]
    start: Callable[..., AbstractAsyncContextManager[None]]
    patience: Patience = field(default=SHORT)
    watch_pace: WatchPace = field(default=BRISK)
    alert_pace: AlertPace = field(default=QUICK)
    pace: IndexPace = field(default_factory=IndexPace)
    record_within: timedelta = timedelta(seconds=12)  # how soon a press is recorded is measured elsewhere
    silent_after: float = 60.0
    health_every: float = 3600.0  # these stories count requests
    wall: Callable[[], datetime] = field(default=partial(datetime.now, UTC))
    url: str = ""
    """Of the bot that was started last."""

    def card(self, channel: str = INCIDENTS, user: str = ALICE) -> Message:
        """The newest stop card that this person sees in this channel."""
        cards = self._cards(channel, user)
        assert cards, "nobody sees a stop card"
        return cards[-1]

    def _cards(self, channel: str, user: str) -> list[Message]:
        return [m for m in self.slack.sees(user, channel) if m.ephemeral_to is None and "Asked by" in m.words]

    async def asks_to_stop(
        self, activeflow: Activeflow, *, user: str = ALICE, channel: str = INCIDENTS, words: str = ""
    ) -> Message:
        """Types `/flows stop …` and waits for the card."""
        seen = len(self._cards(channel, user))
        await self.slack.types(user, channel, f"/flows stop {activeflow.id} {words}".strip())
        await self.slack.until(lambda: len(self._cards(channel, user)) > seen)
        return self.card(channel, user)

    async def reads(self, words: str, *, user: str = ALICE, channel: str = INCIDENTS) -> Message:
        """Waits until this person sees a message with these words."""
        found = await self.slack.until(lambda: self._first(user, channel, words))
        assert isinstance(found, Message)
        return found

    def _first(self, user: str, channel: str, words: str) -> Message | None:
        return next((m for m in reversed(self.slack.sees(user, channel)) if words in m.words), None)

    def posts(self, activeflow: Activeflow) -> int:
        """How many stops of it reached VoIPBIN, carried out or not."""
        path = f"/activeflows/{activeflow.id}/stop"
        return sum(1 for seen in self.voipbin.requests if seen.method == "POST" and seen.path.endswith(path))


@pytest.fixture
def slack(request: pytest.FixtureRequest) -> Workspace:
    slack = Workspace()
    if not request.config.getoption("--slacks-own-pace"):
        slack.patience = slack.triggers.seconds = 15.0  # how soon the bot acks is measured elsewhere
    slack.add_user(ALICE, "Alice")
    slack.add_user(BOB, "Bob")
    slack.add_user(CAROL, "Carol")
    slack.add_user(GUEST, "Gus", is_restricted=True)
    slack.add_user(STRANGER, "Stella", team_id="T0OTHER", is_stranger=True)
    slack.add_group("S0ONCALL", "oncall", [CAROL])
    everybody = [ALICE, BOB, CAROL, GUEST, STRANGER]
    slack.add_channel(INCIDENTS, "incidents", members=everybody)
    slack.add_channel(LOBBY, "lobby", members=everybody)
    slack.add_channel(ABROAD, "abroad", members=everybody, bot_is_member=False)
    return slack


@pytest.fixture
def voipbin() -> World:
    return World()


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    path = tmp_path / "policy.toml"
    path.write_text(POLICY, encoding="utf-8")
    path.chmod(0o600)
    return path


@pytest.fixture(params=["sqlite", "postgresql"])
async def database(request: pytest.FixtureRequest) -> AsyncIterator[Database]:
    """The ledger's own, empty, on each of both."""
    database = Database(request.getfixturevalue(f"{request.param}_url"))
    await database.prepare()
    yield database
    await database.close()


@pytest.fixture
async def stage(slack: Workspace, voipbin: World, policy: Path, sqlite_url: str) -> AsyncIterator[Stage]:
    """The simulators are up; the bot is not started yet: `async with stage.start(): …`."""
    async with AsyncExitStack() as stack:
        slack_url = await stack.enter_async_context(serving_slack(slack))
        events = EventStream(voipbin)
        voipbin_url = await stack.enter_async_context(serving(voipbin_app(voipbin, events)))

        def settings(**changes: object) -> Settings:
            values: dict[str, object] = {
                "slack_bot_token": slack.bot_token,
                "slack_signing_secret": slack.signing_secret,
                "slack_api_url": slack_url,
                "voipbin_api_url": f"{voipbin_url}/v1.0",
                "voipbin_access_key": voipbin.access_key,
                "voipbin_requests_per_second": 100,
                "voipbin_events": False,  # these stories count requests, and know what a list was read from
                "flows_bot_policy": policy,
                "flows_bot_database_url": sqlite_url,
                "flows_bot_port": 0,
                **changes,
            }
            return Settings(_env_file=None, **values)  # type: ignore[arg-type, call-arg] # fields by name

        @asynccontextmanager
        async def start(**changes: object) -> AsyncIterator[None]:
            async with running(
                settings(**changes),
                patience=set_up.patience,
                asking=AT_ONCE,
                watch_pace=set_up.watch_pace,
                alert_pace=set_up.alert_pace,
                pace=set_up.pace,
                look_every=0.1,
                record_within=set_up.record_within,
                silent_after=set_up.silent_after,
                health_every=set_up.health_every,
                wall=set_up.wall,
            ) as bot:
                set_up.url = f"http://127.0.0.1:{bot.port}"
                slack.request_url = f"{set_up.url}/slack/events"
                yield

        set_up = Stage(slack, voipbin, events, policy, settings, start)
        yield set_up


@pytest.fixture
async def bot(stage: Stage) -> AsyncIterator[Stage]:
    """The stage with the bot on it."""
    async with stage.start():
        yield stage


@pytest.fixture
def program(tmp_path: Path) -> Program:
    folder = tmp_path / "beside the process"
    folder.mkdir()
    return Program(folder)


@pytest.fixture
def enough(stage: Stage) -> Mapping[str, str]:
    """The variables of a bot between the two simulators."""
    settings = stage.settings()
    key = settings.voipbin_access_key
    assert key is not None
    assert settings.slack_signing_secret is not None
    return {
        "SLACK_BOT_TOKEN": settings.slack_bot_token.get_secret_value(),
        "SLACK_SIGNING_SECRET": settings.slack_signing_secret.get_secret_value(),
        "SLACK_API_URL": settings.slack_api_url,
        "VOIPBIN_API_URL": settings.voipbin_api_url,
        "VOIPBIN_ACCESS_KEY": key.get_secret_value(),
        "FLOWS_BOT_POLICY": str(stage.policy),
        "FLOWS_BOT_DATABASE_URL": settings.flows_bot_database_url.get_secret_value(),
        "FLOWS_BOT_PORT": "0",
    }

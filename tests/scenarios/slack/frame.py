"""All that takes deliveries, around a few listeners of the tests' own, served on loopback."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import ClientSession
from prometheus_client import CollectorRegistry
from slack_sdk.web.async_client import AsyncWebClient

from bot.activeflows.operators import Policy
from bot.demo.slack import Workspace, serving_slack
from bot.slack import kit
from bot.slack.interaction import Interaction, from_action, from_command
from bot.slack.listeners.bolt_app import build_app
from bot.slack.listeners.unknown import Unknown
from bot.slack.messaging.messenger import EditResult, Message, Messenger, SentMessage
from bot.slack.messaging.web_client import http_session, web_client
from bot.slack.people.identity import People
from bot.slack.people.installation import Installation, introduce
from bot.slack.transport.http import always_ready, http_app, serve
from bot.slack.transport.intake import App, Intake
from bot.slack.transport.jobs import Jobs

BUTTONS = kit.actions(kit.button("Press", "press", "7"), kit.button("Stop", "stop", "7"))


def said(words: str) -> Message:
    """A small card with a button."""
    return Message(words, (kit.section(words), BUTTONS))


def there(posted: SentMessage | EditResult) -> SentMessage:
    """Of a message that Slack took."""
    assert isinstance(posted, SentMessage), posted
    return posted


@dataclass
class Frame:
    """What the tests look at. ``interactions`` are those that reached a listener; ``work`` is what a command does."""

    workspace: Workspace
    client: AsyncWebClient
    session: ClientSession
    installation: Installation
    messenger: Messenger
    jobs: Jobs
    app: App
    intake: Intake
    registry: CollectorRegistry
    url: str = ""
    policy: Policy = field(default_factory=Policy)
    interactions: list[Interaction] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    work: Callable[[Interaction], Any] | None = None

    def people(self, **more: Any) -> People:
        return People(self.client, self.installation, lambda: self.policy, **more)

    def heard(self, interaction: Interaction, text: str = "") -> None:
        """What each listener does after its ack: start the job."""
        self.interactions.append(interaction)
        self.texts.append(text)

        async def job() -> None:
            if self.work is not None:
                await self.work(interaction)
            else:
                await self.messenger.privately(interaction, said(f"heard {text or 'a press'}"))

        self.jobs.start(interaction, job, doing="reading the activeflows")


def workspace() -> Workspace:
    """An incident channel, one the bot is not in, and one person of each kind."""
    slack = Workspace()
    slack.add_user("U0ALICE", "alice")
    slack.add_user("U0BOB", "bob")
    slack.add_user("U0GUEST", "gus", is_restricted=True)
    slack.add_user("U0OUT", "eve", team_id="T0OTHER")
    slack.add_user("U0GONE", "gone", deleted=True)
    everybody = ["U0ALICE", "U0BOB", "U0GUEST", "U0OUT"]
    slack.add_channel("C0INC", "incidents", members=everybody)
    slack.add_channel("C0AWAY", "elsewhere", members=everybody, bot_is_member=False)
    slack.add_group("S0ONCALL", "oncall", ["U0BOB"])
    return slack


@asynccontextmanager
async def framed(slack: Workspace, **jobs: Any) -> AsyncIterator[Frame]:
    """The frame, connected to ``slack`` over HTTP."""
    async with AsyncExitStack() as stack:
        api_url = await stack.enter_async_context(serving_slack(slack))
        session = await stack.enter_async_context(http_session())
        client = web_client(slack.bot_token, api_url, session)
        installation = await introduce(client)
        messenger = Messenger(client, session)
        tasks = Jobs(messenger, **jobs)
        stack.push_async_callback(tasks.drain, within=2)
        app = build_app(client, installation, tasks, Unknown(messenger, tasks, "/flows"))
        registry = CollectorRegistry()
        intake = Intake(app, installation, signing_secret=slack.signing_secret, registry=registry)
        frame = Frame(slack, client, session, installation, messenger, tasks, app, intake, registry)
        _listen(app, frame)
        port = await stack.enter_async_context(serve(http_app(intake, always_ready, registry), "127.0.0.1", 0))
        frame.url = f"http://127.0.0.1:{port}"
        slack.request_url = f"{frame.url}/slack/events"
        yield frame


def _listen(app: App, frame: Frame) -> None:
    def command(body: dict[str, Any]) -> None:
        if body["text"] == "listener bug":
            raise RuntimeError("caller +15550100001")
        frame.heard(from_command(body), body["text"])

    def press(body: dict[str, Any]) -> None:
        frame.heard(from_action(body))

    app.hears("command", "/flows", command)
    app.hears("block_actions", "press", press)

    @app.event("user_change")
    async def changed(body: dict[str, Any]) -> None:
        frame.texts.append(f"event {body['event']['user']['id']}")

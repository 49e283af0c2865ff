"""A simulated VoIPBIN and a simulated Slack on loopback, a client with the bot's access key, and a small bot."""

import ssl
from collections.abc import AsyncIterator

import httpx
import pytest

from bot.demo.slack import Workspace
from bot.demo.voipbin.api import reachable
from bot.demo.voipbin.clock import StandingClock
from bot.demo.voipbin.world import World
from tests.unit.demo.small_bot import SmallBot, small_bot


@pytest.fixture
def clock() -> StandingClock:
    return StandingClock()


@pytest.fixture
def world(clock: StandingClock) -> World:
    return World(now=clock)


@pytest.fixture
async def anyone(world: World) -> AsyncIterator[httpx.AsyncClient]:
    """A client without credentials; paths are relative to /v1.0."""
    no_tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # loading the system's certificates takes longer than a test
    async with (
        reachable(world) as url,
        httpx.AsyncClient(base_url=url, trust_env=False, timeout=5, verify=no_tls) as client,
    ):
        yield client


@pytest.fixture
async def api(world: World, anyone: httpx.AsyncClient) -> httpx.AsyncClient:
    """A client with the working access key, in the cookie."""
    anyone.headers["Cookie"] = f"accesskey={world.access_key}"
    return anyone


@pytest.fixture
def slack() -> Workspace:
    """Two people, one of another company, and an incident channel."""
    slack = Workspace()
    slack.add_user("U0ALICE", "alice", real_name="Alice Doe")
    slack.add_user("U0BOB", "bob", real_name="Bob & <Co>")
    slack.add_user("U0EVE", "eve", team_id="T0OTHER", is_stranger=True)
    slack.add_channel("C0OPS", "incidents", members=["U0ALICE", "U0BOB", "U0EVE"])
    slack.add_channel("C0AWAY", "elsewhere", members=["U0ALICE"], bot_is_member=False)
    slack.add_channel("G0SECRET", "war-room", members=["U0ALICE"], is_private=True)
    slack.add_group("S0ONCALL", "oncall", ["U0BOB"])
    return slack


@pytest.fixture
async def bot(slack: Workspace) -> AsyncIterator[SmallBot]:
    async with small_bot(slack) as bot:
        yield bot

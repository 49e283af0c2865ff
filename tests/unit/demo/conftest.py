"""A simulated VoIPBIN on loopback, and a client with the bot's access key."""

import ssl
from collections.abc import AsyncIterator

import httpx
import pytest

from bot.demo.voipbin.address import reachable
from bot.demo.voipbin.clock import StandingClock
from bot.demo.voipbin.world import World


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

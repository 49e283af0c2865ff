"""The samples, the stories behind them, and the vendor's OpenAPI file when it is at hand."""

import os
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from bot.demo.voipbin.api import reachable
from bot.demo.voipbin.world import World
from tests.contract.voipbin.stories import Asked, Tell

ROOT = Path(__file__).parents[3]


@pytest.fixture
def tell() -> Tell:
    """Tell a story to a new world and get the answer to its request."""

    async def told(story: Callable[[World], Asked]) -> httpx.Response:
        world = World()
        asked = story(world)
        key = world.access_key if asked.key is None else asked.key
        headers = {"Cookie": f"accesskey={key}"} if key else {}
        no_tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        async with reachable(world) as url, httpx.AsyncClient(trust_env=False, verify=no_tls) as client:
            return await client.request(asked.method, url + asked.path, headers=headers)

    return told


@pytest.fixture(scope="session")
def openapi() -> dict[str, Any]:
    """The vendor's OpenAPI file, which this repository does not carry."""
    beside = next(ROOT.parent.glob("*/voipbin-openapi*.yaml"), None)
    named = os.environ.get("FLOWS_BOT_OPENAPI", beside)
    if named is None:
        pytest.skip("no OpenAPI file of VoIPBIN in a folder beside this checkout; FLOWS_BOT_OPENAPI may name one")
    path = Path(named)
    loaded: dict[str, Any] = yaml.safe_load(path.read_text())
    return loaded

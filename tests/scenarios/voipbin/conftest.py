"""The real client against the simulated VoIPBIN, over loopback, with waits short enough for a test."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest

from bot.demo.serving import serving
from bot.demo.voipbin.api import voipbin_app
from bot.demo.voipbin.world import World
from bot.voipbin import AccessKey, Login, RequestPauses, VoIPBINClient, WalkBounds, connected

Connect = Callable[..., Awaitable[VoIPBINClient]]
NO_WAITING = RequestPauses(
    throttled=(0.0, 0.0),
    unavailable=(0.0, 0.0),
    internal=(0.0,),
    hiccup=(0.0, 0.0),
    rejected=(0.0, 0.0),
    unreadable=(0.0,),
    after_login=0.0,
    jitter=0.0,
)


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
async def url(world: World) -> AsyncIterator[str]:
    async with serving(voipbin_app(world)) as root:
        yield f"{root}/v1.0"


@pytest.fixture
async def connect(world: World, url: str) -> AsyncIterator[Connect]:
    """A client with the working access key, unless told otherwise; closed at the end of the test."""
    async with AsyncExitStack() as stack:

        async def connecting(
            credential: AccessKey | Login | None = None,
            *,
            api_url: str = url,
            budget: float = 10_000,
            bounds: WalkBounds | None = None,
            patience: RequestPauses = NO_WAITING,
        ) -> VoIPBINClient:
            return await stack.enter_async_context(
                connected(
                    api_url=api_url,
                    credential=credential or AccessKey(world.access_key),
                    budget=budget,
                    patience=patience,
                    bounds=bounds,
                )
            )

        yield connecting


@pytest.fixture
async def client(connect: Connect) -> VoIPBINClient:
    return await connect()


async def open_gate(_: Any) -> Callable[[], None]:
    """Says yes without a look."""
    return lambda: None

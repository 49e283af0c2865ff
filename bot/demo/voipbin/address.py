"""Where a simulated VoIPBIN can be reached."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bot.demo.serving import serving
from bot.demo.voipbin.api import voipbin_app
from bot.demo.voipbin.world import World


@asynccontextmanager
async def reachable(world: World, *, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[str]:
    """Serve `world` and yield what belongs into VOIPBIN_API_URL: `http://HOST:PORT/v1.0`."""
    async with serving(voipbin_app(world), host=host, port=port) as url:
        yield f"{url}/v1.0"

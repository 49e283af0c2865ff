"""The bot waits longer for an answer than VoIPBIN gives itself to make it: what is cut short is a stop nobody knows
about.

VoIPBIN gives a list 30 s behind its edge and every other step 3 s (key, account, read, stop), a login 30 s.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from uuid import UUID

import httpx
import pytest

from bot.activeflows.errors import Failure, NotFound, StopUnconfirmed
from bot.ledger.stop_store import IN_FLIGHT
from bot.voipbin.client import VoIPBINClient
from bot.voipbin.http.budget import Budget
from bot.voipbin.http.credential import AccessKey, AccessKeyCredential
from bot.voipbin.http.exchange import Exchange, RequestPauses, sign_in
from bot.voipbin.live.scan import WalkBounds
from tests.faults.virtual_time import VirtualTimeLoop

AT = datetime(2026, 8, 20, 3, 0, tzinfo=UTC)
ID = UUID("3c5b0f6e-7d0a-4d51-9a55-0e4f6a7712c1")
LIMITS = {
    "GET /v1.0/activeflows": 40,
    f"POST /v1.0/activeflows/{ID}/stop": 15,
    f"POST /v1.0/calls/{ID}/hangup": 15,
    f"GET /v1.0/activeflows/{ID}": 9,
    "GET /v1.0/customer": 9,
    "POST /auth/login": 30,
}


async def open_gate(_: object) -> Callable[[], None]:
    return lambda: None


async def test_every_question_outlasts_voipbins_own_limits() -> None:
    waits: dict[str, dict[str, float]] = {}

    def absent(request: httpx.Request) -> httpx.Response:
        waits[f"{request.method} {request.url.path}"] = request.extensions["timeout"]
        return httpx.Response(404, stream=httpx.ByteStream(b""))

    async with httpx.AsyncClient(transport=httpx.MockTransport(absent)) as http:
        shown = AccessKeyCredential(AccessKey("vb_key"))
        exchange = Exchange(http, "https://voipbin.example/v1.0", shown, Budget(1000, 100), RequestPauses())
        client = VoIPBINClient(exchange, now=lambda: AT, clock=lambda: 0.0, bounds=WalkBounds())
        for question in (
            client.picture(),
            client.stop(ID, gate=open_gate),
            client.hang_up(ID, gate=open_gate),
            client.activeflow(ID),
            client.introduce(),
        ):
            with pytest.raises((Failure, NotFound)):
                await question
        with pytest.raises(Exception, match="did not let the bot log in"):
            await sign_in(http, "https://voipbin.example", "me", "secret")
        await client.close()
    assert {question: wait["read"] >= LIMITS[question] for question, wait in waits.items()} == dict.fromkeys(
        LIMITS, True
    )
    assert max(wait["connect"] for wait in waits.values()) <= 5


@pytest.mark.parametrize("stops", [VoIPBINClient.stop, VoIPBINClient.hang_up])
def test_no_stop_is_on_its_way_any_more_when_its_claim_lapses(stops: Callable[..., Awaitable[None]]) -> None:
    """However its answer comes, or does not come: else somebody else's stop of the same could go out beside it."""
    loop = VirtualTimeLoop()

    async def never(request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(3600 if request.method == "POST" else 0)
        return httpx.Response(200, json={})

    async def sent() -> None:
        async with httpx.AsyncClient(transport=httpx.MockTransport(never)) as http:
            shown = AccessKeyCredential(AccessKey("vb_key"))
            exchange = Exchange(http, "https://voipbin.example/v1.0", shown, Budget(1000, 100), RequestPauses())
            client = VoIPBINClient(exchange, now=lambda: AT, clock=loop.time, bounds=WalkBounds())
            with pytest.raises(StopUnconfirmed):
                await stops(client, ID, gate=open_gate)
            await client.close()

    loop.run_until_complete(sent())
    assert loop.passed < IN_FLIGHT.total_seconds()
    loop.close()

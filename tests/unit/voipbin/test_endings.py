"""Every way a request can end without an answer: lost, or surely not sent; never an exception of the HTTP library."""

import asyncio

import httpx
import pytest

from bot.voipbin.http.answer import FailureKind, RequestFailure
from bot.voipbin.http.exchange import send

ADDRESS = "http://voipbin.invalid/v1.0/activeflows/1/stop?accesskey=vb_secret"
SLOW, BROKEN = "VoIPBIN did not answer in time", "the connection to VoIPBIN broke before the answer was there"
AWAY, DISTRUSTED = "VoIPBIN cannot be reached", "VoIPBIN's certificate is not trusted"


@pytest.mark.parametrize(
    ("problem", "kind", "what"),
    [
        (httpx.ReadTimeout(ADDRESS), FailureKind.LOST, SLOW),
        (httpx.WriteTimeout(ADDRESS), FailureKind.LOST, SLOW),
        (TimeoutError(ADDRESS), FailureKind.LOST, SLOW),
        (httpx.ReadError(ADDRESS), FailureKind.LOST, BROKEN),
        (httpx.WriteError(ADDRESS), FailureKind.LOST, BROKEN),
        (httpx.CloseError(ADDRESS), FailureKind.LOST, BROKEN),
        (httpx.RemoteProtocolError(ADDRESS), FailureKind.LOST, BROKEN),
        (httpx.InvalidURL(ADDRESS), FailureKind.LOST, BROKEN),
        (httpx.StreamClosed(), FailureKind.LOST, BROKEN),
        (ConnectionResetError(ADDRESS), FailureKind.LOST, BROKEN),
        (httpx.ConnectTimeout(ADDRESS), FailureKind.UNSENT, AWAY),
        (httpx.ConnectError(ADDRESS), FailureKind.UNSENT, AWAY),
        (httpx.PoolTimeout(ADDRESS), FailureKind.UNSENT, AWAY),
        (httpx.ConnectError(f"[SSL: CERTIFICATE_VERIFY_FAILED] {ADDRESS}"), FailureKind.UNSENT, DISTRUSTED),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else str(value)[:20],
)
async def test_a_stop_without_an_answer_is_lost_unless_no_connection_was_made(
    problem: Exception, kind: FailureKind, what: str
) -> None:
    async def fails(_: httpx.Request) -> httpx.Response:
        raise problem

    async with httpx.AsyncClient(transport=httpx.MockTransport(fails)) as http:
        ending = await send(http, http.build_request("POST", ADDRESS), 1.0, "flows-bot-1")
    assert ending == RequestFailure(kind, what, "flows-bot-1")


async def test_an_answer_that_trickles_for_ever_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.voipbin.http.exchange._CONNECT", 0.0)  # the bound is the reading's and two connectings'

    async def trickles(_: httpx.Request) -> httpx.Response:
        await asyncio.Event().wait()
        raise AssertionError

    async with httpx.AsyncClient(transport=httpx.MockTransport(trickles)) as http:
        ending = await send(http, http.build_request("POST", ADDRESS), 0.01, "flows-bot-1")
    assert ending == RequestFailure(FailureKind.LOST, SLOW, "flows-bot-1")

"""Every way a request can end without an answer: lost, or surely not sent; never an exception of the HTTP library."""

import asyncio
import ssl
from collections.abc import Callable

import aiohttp
import pytest

from bot.voipbin.http.answer import Kind, RequestFailure
from bot.voipbin.http.exchange import Answer, http_session, send
from tests.faults.line import Connector, Wire

ADDRESS = "http://voipbin.invalid/v1.0/activeflows/1/stop?accesskey=vb_secret"
SLOW, BROKEN = "VoIPBIN did not answer in time", "the connection to VoIPBIN broke before the answer was there"
AWAY, DISTRUSTED = "VoIPBIN cannot be reached", "VoIPBIN's certificate is not trusted"
HALF = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n{"


class Wires:
    """What becomes of each request: not connected, by this problem, or sent, and then this."""

    def __init__(
        self, problem: Callable[[aiohttp.ClientRequest], Exception] | None, then: Callable[[Wire], None]
    ) -> None:
        self.problem, self.then, self.sent = problem, then, 0

    async def connects(self, request: aiohttp.ClientRequest, _: aiohttp.ClientTimeout) -> Callable[[Wire], None]:
        if self.problem is not None:
            raise self.problem(request)
        return self._goes_out

    def _goes_out(self, wire: Wire) -> None:
        self.sent += 1
        asyncio.get_running_loop().call_soon(self.then, wire)


async def asked(
    wires: Wires, method: str = "POST", check: Callable[[], None] | None = None, within: float = 9.0
) -> Answer | RequestFailure:
    async with http_session(Connector(wires.connects)) as http:
        return await send(http, method, ADDRESS, "flows-bot-1", read_within=within, check=check)


def stays_silent(_: Wire) -> None:
    pass


def gives_half(wire: Wire) -> None:
    wire.gives(HALF)
    wire.breaks(None)


@pytest.mark.parametrize(
    ("problem", "what"),
    [
        (lambda _: TimeoutError(ADDRESS), AWAY),
        (lambda _: ConnectionResetError(ADDRESS), AWAY),
        (lambda _: aiohttp.InvalidURL(ADDRESS), AWAY),
        (lambda asked: aiohttp.ClientConnectorError(asked.connection_key, OSError(ADDRESS)), AWAY),
        (lambda asked: aiohttp.ClientConnectorDNSError(asked.connection_key, OSError(ADDRESS)), AWAY),
        (lambda asked: aiohttp.ClientProxyConnectionError(asked.connection_key, OSError(ADDRESS)), AWAY),
        (lambda asked: aiohttp.ClientHttpProxyError(asked.request_info, ()), f"{AWAY}: the proxy refuses"),
        (
            lambda asked: aiohttp.ClientConnectorCertificateError(
                asked.connection_key, ssl.SSLCertVerificationError(f"[SSL: CERTIFICATE_VERIFY_FAILED] {ADDRESS}")
            ),
            DISTRUSTED,
        ),
    ],
)
async def test_what_was_not_connected_was_not_sent(
    problem: Callable[[aiohttp.ClientRequest], Exception], what: str
) -> None:
    wires = Wires(problem, stays_silent)
    assert await asked(wires) == RequestFailure(Kind.UNSENT, what, "flows-bot-1")
    assert not wires.sent


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    "then",
    [
        lambda wire: wire.breaks(None),
        lambda wire: wire.breaks(ConnectionResetError(ADDRESS)),
        lambda wire: wire.gives(b"SSH-2.0-OpenSSH_9.2\r\n"),
        gives_half,
    ],
    ids=["closed", "reset", "not HTTP", "half an answer"],
)
async def test_what_was_sent_is_lost_without_an_answer_and_not_sent_again(
    method: str, then: Callable[[Wire], None]
) -> None:
    """A read, too, which aiohttp would send once more by itself."""
    wires = Wires(None, then)
    assert await asked(wires, method) == RequestFailure(Kind.LOST, BROKEN, "flows-bot-1")
    assert wires.sent == 1


async def test_an_answer_that_does_not_come_is_lost() -> None:
    wires = Wires(None, stays_silent)
    assert await asked(wires, within=0.01) == RequestFailure(Kind.LOST, SLOW, "flows-bot-1")


async def test_an_answer_that_trickles_for_ever_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.voipbin.http.exchange._CONNECT", 0.0)  # the bound is the reading's and two connectings'

    def trickles(wire: Wire) -> None:
        wire.gives(b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n")
        trickle(wire)

    def trickle(wire: Wire) -> None:
        wire.gives(b" ")
        asyncio.get_running_loop().call_later(0.005, trickle, wire)

    wires = Wires(None, trickles)
    assert await asked(wires, within=0.02) == RequestFailure(Kind.LOST, SLOW, "flows-bot-1")


class Closed(Exception):
    """What a gate says at the first byte."""


async def test_what_is_refused_at_the_first_byte_is_not_sent() -> None:
    wires = Wires(None, stays_silent)

    def check() -> None:
        raise Closed

    with pytest.raises(Closed):
        await asked(wires, check=check)
    assert not wires.sent

"""What httpx is told of a request that aiohttp carries: surely not sent, or lost; and that none goes out twice."""

import asyncio
import ssl
from collections.abc import Callable
from typing import Any

import aiohttp
import httpx
import pytest
from aiohttp.client_proto import ResponseHandler
from aiohttp.connector import Connection

from bot.voipbin.http.answer import FailureKind, RequestFailure
from bot.voipbin.http.exchange import send
from bot.voipbin.http.transport import Transport

ADDRESS = "http://voipbin.invalid/v1.0/activeflows/1/stop?accesskey=vb_secret"
SLOW, BROKEN = "VoIPBIN did not answer in time", "the connection to VoIPBIN broke before the answer was there"
AWAY, DISTRUSTED = "VoIPBIN cannot be reached", "VoIPBIN's certificate is not trusted"


class Wire(asyncio.Transport):
    """One connection without a socket. ``sent``: what happens as soon as a request goes out."""

    def __init__(self, protocol: ResponseHandler, sent: Callable[["Wire"], None]) -> None:
        super().__init__()
        self._protocol, self._sent, self._closed = protocol, sent, False

    def write(self, _data: bytes | bytearray | memoryview) -> None:
        asyncio.get_running_loop().call_soon(self._sent, self)

    def gives(self, answer: bytes) -> None:
        if not self._closed:
            self._protocol.data_received(answer)

    def breaks(self, how: Exception | None) -> None:
        self._closed = True
        self._protocol.connection_lost(how)

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            asyncio.get_running_loop().call_soon(self._protocol.connection_lost, None)

    abort = close

    def is_closing(self) -> bool:
        return self._closed


class Wires(aiohttp.BaseConnector):
    """Connects by a problem, or to a wire. ``requests``: the first bytes of how many went out."""

    def __init__(
        self, then: Callable[[Wire], None], problem: Callable[[aiohttp.ClientRequest], Exception] | None = None
    ) -> None:
        super().__init__(limit=0)
        self._then, self._problem, self.requests, self.made = then, problem, 0, 0

    async def connect(self, req: aiohttp.ClientRequest, *args: Any, **kwargs: Any) -> Connection:
        if self._problem is not None:
            raise self._problem(req)
        return await super().connect(req, *args, **kwargs)

    async def _create_connection(self, *_: object) -> ResponseHandler:
        self.made += 1
        protocol = ResponseHandler(self._loop)
        protocol.connection_made(Wire(protocol, self._goes_out))
        return protocol

    def _goes_out(self, wire: Wire) -> None:
        self.requests += 1
        self._then(wire)


async def asked(wires: Wires, method: str = "POST", *, within: float = 9.0, **more: Any) -> Any:
    async with httpx.AsyncClient(transport=Transport(wires)) as http:
        request = http.build_request(method, ADDRESS, timeout=within)
        request.extensions.update(more)
        return await send(http, request, within, "flows-bot-1")


def stays_silent(_: Wire) -> None:
    pass


def answers(wire: Wire) -> None:
    wire.gives(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Request-Id: 7\r\n\r\n{}")


def gives_half(wire: Wire) -> None:
    wire.gives(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n{")
    wire.breaks(None)


async def test_an_answer_is_what_came() -> None:
    wires = Wires(answers)
    answer = await asked(wires)
    assert (answer.status_code, answer.content, answer.headers["x-request-id"]) == (200, b"{}", "7")
    assert wires.requests == 1


async def test_a_connection_is_kept_for_the_next_request() -> None:
    wires = Wires(answers)
    async with httpx.AsyncClient(transport=Transport(wires)) as http:
        for _ in range(3):
            await send(http, http.build_request("GET", ADDRESS), 9.0, "flows-bot-1")
    assert (wires.requests, wires.made) == (3, 1)


@pytest.mark.parametrize(
    ("problem", "what"),
    [
        (lambda _: TimeoutError(ADDRESS), AWAY),
        (lambda _: ConnectionResetError(ADDRESS), AWAY),
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
    wires = Wires(stays_silent, problem)
    assert await asked(wires) == RequestFailure(FailureKind.UNSENT, what, "flows-bot-1")
    assert not wires.requests


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
    wires = Wires(then)
    assert await asked(wires, method) == RequestFailure(FailureKind.LOST, BROKEN, "flows-bot-1")
    assert (wires.requests, wires.made) == (1, 1)


async def test_an_answer_that_does_not_come_is_lost() -> None:
    wires = Wires(stays_silent)
    assert await asked(wires, within=0.01) == RequestFailure(FailureKind.LOST, SLOW, "flows-bot-1")


class Closed(Exception):
    """What a gate says at the first byte."""


async def test_what_is_refused_at_the_first_byte_is_not_sent() -> None:
    wires, events = Wires(answers), list[str]()

    async def trace(event: str, _: object) -> None:
        events.append(event)
        raise Closed

    with pytest.raises(Closed):
        await asked(wires, trace=trace)
    assert not wires.requests
    assert events == ["http11.send_request_headers.started"]

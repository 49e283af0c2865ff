"""The loopback server of the simulators, seen by a real client."""

import asyncio
import logging
import signal
from collections.abc import Awaitable, Callable

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from bot.demo.serving import cut, serving


def app_of(endpoint: Callable[[Request], Awaitable[Response]]) -> Starlette:
    return Starlette(routes=[Route("/", endpoint)])


async def hello(_: Request) -> Response:
    return PlainTextResponse("hello")


async def test_an_app_answers_under_the_yielded_address_and_no_longer_afterwards() -> None:
    async with httpx.AsyncClient(trust_env=False) as client:
        async with serving(app_of(hello)) as url:
            assert (await client.get(f"{url}/")).text == "hello"
        with pytest.raises(httpx.ConnectError):
            await client.get(f"{url}/")


async def test_leaving_cancels_requests_in_flight_and_logs_nothing(caplog: pytest.LogCaptureFixture) -> None:
    arrived, cancelled = asyncio.Event(), asyncio.Event()

    async def never(_: Request) -> Response:
        arrived.set()
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()
        return Response()

    async with httpx.AsyncClient(trust_env=False) as client:
        async with serving(app_of(never)) as url:
            waiting = asyncio.create_task(client.get(f"{url}/", timeout=None))
            await arrived.wait()
        assert cancelled.is_set()
        with pytest.raises(httpx.TransportError):
            await waiting
    assert [r for r in caplog.records if r.levelno >= logging.WARNING] == []


async def test_leaving_ends_open_websockets() -> None:
    async def endless(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.send_text("hello")
        await asyncio.Event().wait()

    async with serving(Starlette(routes=[WebSocketRoute("/", endless)])) as url:
        client = await connect(url.replace("http", "ws") + "/", proxy=None)
        assert await client.recv() == "hello"
    with pytest.raises(ConnectionClosed):
        await client.recv()
    await client.close()


@pytest.mark.parametrize("reset", [False, True])
async def test_a_cut_connection_gives_the_client_no_answer(reset: bool, caplog: pytest.LogCaptureFixture) -> None:
    async def rude(scope: Scope, receive: Receive, _: Send) -> None:
        if scope["type"] == "http":
            await cut(scope, receive, reset=reset)

    async with serving(rude) as url, httpx.AsyncClient(trust_env=False) as client:
        with pytest.raises(httpx.ReadError if reset else httpx.RemoteProtocolError):
            await client.post(f"{url}/", content=b"x" * 100)
    assert [r for r in caplog.records if r.levelno >= logging.WARNING] == []


async def test_the_signal_handlers_of_the_process_are_left_alone() -> None:
    before = signal.getsignal(signal.SIGINT)
    async with serving(app_of(hello)):
        assert signal.getsignal(signal.SIGINT) is before

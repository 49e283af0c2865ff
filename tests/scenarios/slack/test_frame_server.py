"""The small HTTP server by itself: ready or not, slow clients, leaving."""

import asyncio
import socket
from collections.abc import AsyncIterator, Mapping
from typing import Any

import aiohttp
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from bot.slack.transport.http import always_ready, http_app, serve
from tests.scenarios.slack.frame import Frame


async def test_it_is_ready_when_everything_it_needs_is() -> None:
    async with (
        serve(http_app(None, always_ready, None), "127.0.0.1", 0) as port,
        aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session,
        session.get("/readyz") as response,
    ):
        assert (response.status, await response.json()) == (200, {"ready": True, "missing": []})


async def test_what_cannot_be_said_is_not_ready_and_no_secret_is() -> None:
    async def breaking() -> Mapping[str, Any]:
        raise ConnectionError("postgresql://user:password@host")

    async with (
        serve(http_app(None, breaking, None), "127.0.0.1", 0) as port,
        aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session,
    ):
        async with session.get("/readyz") as response:
            assert response.status == 503
            why = "could not be checked (ConnectionError)"
            assert await response.json() == {"ready": False, "missing": [{"what": "flows-bot", "why": why}]}
        for absent in ("/slack/events", "/metrics"):
            async with session.post(absent) as response:
                assert response.status == 404


async def test_a_body_that_drips_is_not_waited_for(frame: Frame) -> None:
    async def dripping() -> AsyncIterator[bytes]:
        yield b"command="
        await asyncio.sleep(5)

    app = http_app(frame.intake, always_ready, None, body_within=0.05)
    async with (
        serve(app, "127.0.0.1", 0) as port,
        aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session,
        session.post("/slack/events", data=dripping(), headers=frame.workspace.signed(b"command=")) as response,
    ):
        assert response.status == 408
        assert response.headers["connection"] == "close"


async def test_leaving_waits_for_the_request_under_way() -> None:
    entered, go = asyncio.Event(), asyncio.Event()

    async def slow(_: Request) -> PlainTextResponse:
        entered.set()
        await go.wait()
        return PlainTextResponse("acked")

    async def asked(port: int) -> str:
        async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{port}/") as response:
            return await response.text()

    async with serve(Starlette(routes=[Route("/", slow)]), "127.0.0.1", 0) as port:
        asking = asyncio.create_task(asked(port))
        await entered.wait()
        asyncio.get_running_loop().call_later(0.2, go.set)
    assert await asking == "acked"


async def test_a_taken_port_is_an_error_that_can_be_caught() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(OSError, match="in use"):
        async with serve(http_app(None, always_ready, None), "127.0.0.1", taken.getsockname()[1]):
            pass

"""Callers that open connections and keep them: nobody else is kept out by them, and nothing of the bot's own."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from structlog.testing import capture_logs

from bot.slack.transport.http import ConnectionBounds, most_connections, serve

HALF = b"POST /slow HTTP/1.1\r\nHost: bot\r\nX-Sl"
WHOLE = b"GET /quick HTTP/1.1\r\nHost: bot\r\n\r\n"
PATIENCE = 20.0


class Caller:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    def says(self, words: bytes) -> None:
        self._writer.write(words)

    async def hears(self) -> bytes:
        """One answer, or ``b""`` when the connection is closed without one."""
        try:
            async with asyncio.timeout(PATIENCE):
                head = await self._reader.readuntil(b"\r\n\r\n")
                return head + await self._reader.readexactly(5)
        except (asyncio.IncompleteReadError, ConnectionError):
            return b""

    async def gone(self) -> None:
        """Waits for the end of the connection, and reads nothing until then."""
        async with asyncio.timeout(PATIENCE):
            while True:
                try:
                    self.says(b"x")
                    await self._writer.drain()
                except ConnectionError:
                    return
                await asyncio.sleep(0.01)

    async def everything(self) -> bytes:
        """What is left until the connection is closed."""
        return await self._reader.read()

    @property
    def shut(self) -> bool:
        return self._reader.at_eof() or self._reader.exception() is not None

    def leave(self) -> None:
        self._writer.close()


class Place:
    """The server, with one route that answers when it is told to."""

    def __init__(self, callers: AsyncExitStack) -> None:
        self.port, self.entered, self.go = 0, asyncio.Event(), asyncio.Event()
        self._callers = callers

    async def caller(self, *words: bytes, address: str = "127.0.0.1") -> Caller:
        caller = Caller(*await asyncio.open_connection("127.0.0.1", self.port, local_addr=(address, 0)))
        self._callers.callback(caller.leave)
        for each in words:
            caller.says(each)
        return caller

    async def slow(self, _: Request) -> PlainTextResponse:
        self.entered.set()
        await self.go.wait()
        return PlainTextResponse("acked")


@asynccontextmanager
async def place(*, graceful: float = 5.0, **bounds: float) -> AsyncIterator[Place]:
    async with AsyncExitStack() as callers:
        here = Place(callers)

        async def quick(_: Request) -> PlainTextResponse:
            return PlainTextResponse("alive")

        async def large(_: Request) -> PlainTextResponse:
            return PlainTextResponse("x" * 2**20)

        routes = [Route("/quick", quick, methods=["GET", "POST"]), Route("/slow", here.slow), Route("/large", large)]
        limits = ConnectionBounds(**{"most": 8, "header_within": PATIENCE, "request_within": PATIENCE, **bounds})  # type: ignore[arg-type]
        app = Starlette(routes=routes)
        async with serve(app, "127.0.0.1", 0, graceful=graceful, bounds=limits) as here.port:
            yield here


async def test_many_halves_of_a_header_keep_nobody_out_and_no_work_is_lost_for_them() -> None:
    async with place() as here:
        at_work = await here.caller(b"GET /slow HTTP/1.1\r\nHost: bot\r\n\r\n")
        await here.entered.wait()
        halves: list[Caller] = []
        for _ in range(20):
            halves += [await here.caller(HALF) for _ in range(4)]
            asking = await here.caller(WHOLE)
            assert b"alive" in await asking.hears()
            asking.leave()
        here.go.set()
        assert b"acked" in await at_work.hears()
        assert not halves[-1].shut


async def test_who_has_most_of_them_waiting_makes_room() -> None:
    async with place() as here:
        lone = await here.caller(HALF, address="127.0.0.2")
        for _ in range(40):
            await here.caller(HALF)
        lone.says(b"ack: 1\r\n\r\n")
        lone.says(b"")
        assert b"405" in await lone.hears()  # the oldest of all, and still there


@pytest.mark.parametrize(
    "words",
    [
        [HALF],
        [WHOLE, HALF],
        [b"GET / HTTP/1.1\r\n"],
        [b""],
    ],
    ids=["half", "half after a whole one", "a line", "nothing"],
)
async def test_a_header_that_does_not_come_is_not_waited_for(words: list[bytes]) -> None:
    async with place(header_within=0.2) as here:
        caller = await here.caller(words[0])
        if words[1:]:
            assert b"alive" in await caller.hears()
            caller.says(words[1])
        assert await caller.hears() == b""


async def test_a_body_that_drips_behind_its_answer_is_not_taken_for_ever() -> None:
    async with place(header_within=0.2) as here:
        caller = await here.caller(b"POST /quick HTTP/1.1\r\nHost: bot\r\nContent-Length: 100000\r\n\r\n")
        assert b"alive" in await caller.hears()
        hearing = asyncio.create_task(caller.hears())
        while not hearing.done():
            caller.says(b"x")
            await asyncio.sleep(0.01)
        assert await hearing == b""


async def test_who_does_not_read_the_answers_makes_room_for_others() -> None:
    async with place() as here:
        deaf = [await here.caller(b"GET /large HTTP/1.1\r\nHost: bot\r\n\r\n" * 50) for _ in range(8)]
        for _ in range(3):
            asking = await here.caller(WHOLE)
            assert b"alive" in await asking.hears()
            asking.leave()
        assert len(deaf) == 8


async def test_an_answer_that_is_not_taken_is_not_kept_for_ever() -> None:
    async with place(answer_within=0.2) as here:
        deaf = await here.caller(b"GET /large HTTP/1.1\r\nHost: bot\r\n\r\n" * 50)
        await deaf.gone()


async def test_a_header_without_an_end_is_not_kept_in_memory() -> None:
    async with place() as here:
        caller = await here.caller(b"GET /quick HTTP/1.1\r\n")
        for number in range(2000):
            caller.says(b"X-%d: %s\r\n" % (number, b"x" * 100))
        assert await caller.hears() == b""


async def test_a_connection_may_be_used_again() -> None:
    async with place() as here:
        caller = await here.caller()
        for _ in range(3):
            caller.says(WHOLE)
            assert b"alive" in await caller.hears()


async def test_leaving_ends_who_waits_for_nothing_and_sends_whole_what_is_asked_for() -> None:
    async with place(graceful=3600) as here:
        idle, half, fetching = await here.caller(WHOLE), await here.caller(HALF), await here.caller()
        assert b"\r\ndate: " in await idle.hears()
        at_work = await here.caller(b"GET /slow HTTP/1.1\r\nHost: bot\r\n\r\n")
        await here.entered.wait()
        fetching.says(b"GET /large HTTP/1.1\r\nHost: bot\r\n\r\n")
        assert b"1048576" in await fetching.hears()
        asyncio.get_running_loop().call_soon(asyncio.create_task, _rest(idle, half, here, fetching))
    assert b"acked" in await at_work.hears()
    assert await at_work.hears() == b""


async def _rest(idle: Caller, half: Caller, here: Place, fetching: Caller) -> None:
    assert await idle.hears() == await half.hears() == b""
    assert len(await fetching.everything()) == 2**20 - 5
    here.go.set()


async def test_leaving_ends_who_takes_no_answer() -> None:
    with capture_logs() as said:
        async with place(graceful=0.1) as here:
            deaf = await here.caller(b"GET /large HTTP/1.1\r\nHost: bot\r\n\r\n" * 50)
            assert b"200" in await deaf.hears()
        await deaf.gone()
    assert [line["why"] for line in said if line["event"] == "connection_closed"] == ["the bot is being stopped"]


def test_three_quarters_of_what_the_process_may_open_are_left_to_the_bot(monkeypatch: pytest.MonkeyPatch) -> None:
    for may_open, callers in ((1024, 256), (256, 64), (20, 8), (10**6, 256)):
        monkeypatch.setattr("resource.getrlimit", lambda _, soft=may_open: (soft, soft))
        assert most_connections() == callers

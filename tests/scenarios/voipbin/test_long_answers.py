"""Answers that are far longer than VoIPBIN's: read with a bound, while everything else has its turn."""

import asyncio
import gzip
import tracemalloc
import zlib
from contextlib import suppress

import pytest
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from bot.activeflows.errors import CredentialRejected, VoIPBINBroken
from bot.demo.voipbin import faults
from bot.demo.voipbin.world import World
from bot.voipbin import VoIPBINClient
from bot.voipbin.http.exchange import LARGEST
from tests.scenarios.voipbin.conftest import Connect

MEGABYTE = 2**20


def bomb(megabytes: int) -> bytes:
    """A thousandth of that, packed."""
    packer = zlib.compressobj(1, zlib.DEFLATED, 31)
    return b"".join([*(packer.compress(b" " * MEGABYTE) for _ in range(megabytes)), packer.flush()])


def answering(body: bytes, *, encoding: str = "gzip", status: int = 200) -> faults.Fault:
    async def fault(_: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        with suppress(OSError):  # the client leaves in the middle
            await Response(body, status, {"content-encoding": encoding})(scope, receive, send)

    return fault


@pytest.fixture
async def client(connect: Connect) -> VoIPBINClient:
    return await connect()


async def test_what_unpacks_to_far_too_much_is_left_where_the_bound_is(client: VoIPBINClient, world: World) -> None:
    turns, packed = 0, bomb(200)

    async def neighbour() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    world.faults.on("GET", "/customer", answering(packed), times=None)
    beside = asyncio.create_task(neighbour())
    tracemalloc.start()
    try:
        with pytest.raises(VoIPBINBroken, match="longer than 16384 kB"):
            await client.introduce()
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
        beside.cancel()
    assert most < 2 * LARGEST
    assert turns > LARGEST / (256 * 1024)  # others had their turn between the pieces


async def test_what_is_sent_unpacked_has_the_same_bound(client: VoIPBINClient, world: World) -> None:
    world.faults.on("GET", "/customer", answering(b" " * (LARGEST + 1), encoding="identity"), times=None)
    with pytest.raises(VoIPBINBroken, match="longer than"):
        await client.introduce()


@pytest.mark.parametrize(
    ("body", "encoding", "what"),
    [
        (gzip.compress(b'{"id":"' + b"1" * 9000, mtime=0)[:-30], "gzip", "cut short|not packed"),
        (b"no gzip at all", "gzip", "not packed as it says"),
        (b"{}", "br", "not asked for"),
        (zlib.compress(b"{}"), "deflate", "not asked for"),
    ],
    ids=["cut", "not gzip", "brotli", "deflate"],
)
async def test_what_is_packed_wrongly_is_an_answer_that_cannot_be_read(
    client: VoIPBINClient, world: World, body: bytes, encoding: str, what: str
) -> None:
    world.faults.on("GET", "/customer", answering(body, encoding=encoding), times=None)
    with pytest.raises(VoIPBINBroken, match=what):
        await client.introduce()


async def test_a_packed_answer_is_read_and_was_asked_for(client: VoIPBINClient, world: World) -> None:
    plain = f'{{"id":"{world.customer.id}","name":"Harbour"}}'.encode()
    world.faults.on("GET", "/customer", answering(gzip.compress(plain)))
    assert (await client.introduce()).name == "Harbour"
    assert world.requests_to("GET", "/customer")[0].headers["accept-encoding"] == "gzip"


async def test_an_error_that_never_ends_is_still_the_error_that_it_is(client: VoIPBINClient, world: World) -> None:
    world.faults.on("GET", "/customer", answering(bomb(50), status=401), times=None)
    with pytest.raises(CredentialRejected, match="answered 401"):
        await client.introduce()

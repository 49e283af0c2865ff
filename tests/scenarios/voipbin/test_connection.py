"""What the connection keeps, follows and believes: nothing it was not told."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

import httpx
import pytest
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from bot.activeflows.errors import Failure, VoIPBINBroken
from bot.activeflows.ports import VoIPBIN
from bot.demo.voipbin import faults
from bot.demo.voipbin.world import World
from bot.voipbin import AccessKey, Login, VoIPBINClient, connected
from bot.voipbin.http.answer import FailureKind, Unsuccessful
from bot.voipbin.http.budget import Budget, Urgency
from bot.voipbin.http.credential import AccessKeyCredential
from bot.voipbin.http.exchange import Exchange, Question
from tests.scenarios.voipbin.conftest import NO_WAITING, Connect, open_gate


def answering(response: Response) -> faults.Fault:
    async def fault(_: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        await response(scope, receive, send)

    return fault


async def test_the_client_is_what_the_middle_asks_for(client: VoIPBINClient) -> None:
    door: VoIPBIN = client
    assert await door.newest() == ()


@pytest.mark.parametrize("by_login", [False, True])
async def test_no_cookie_that_voipbin_sets_is_ever_sent_back(by_login: bool, connect: Connect, world: World) -> None:
    planted = Response(status_code=503)
    planted.set_cookie("token", "of-somebody-else")
    world.faults.on("*", "*", answering(planted))
    client = await connect(Login(world.username, world.password) if by_login else None)
    await client.introduce()
    await client.picture()
    assert len(world.requests) >= 3
    for seen in world.requests:
        assert "of-somebody-else" not in seen.headers.get("cookie", "")


async def test_a_redirect_is_not_followed(connect: Connect, world: World) -> None:
    client = await connect(AccessKey(world.access_key, in_query=True))
    world.faults.on("GET", "/customer", answering(RedirectResponse("/v1.0/activeflows?accesskey=vb_hush", 301)))
    with pytest.raises(VoIPBINBroken, match="redirect") as told:
        await client.introduce()
    assert "hush" not in told.value.what
    assert [seen.path for seen in world.requests] == ["/v1.0/customer"]


async def test_the_environment_is_not_followed(connect: Connect, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    client = await connect()
    assert (await client.introduce()).id == world.customer.id


async def test_a_ca_file_that_is_not_there_is_an_error_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(OSError):  # noqa: PT011 — the kind is what is promised
        async with connected(
            api_url="https://127.0.0.1/v1.0", credential=AccessKey("vb_1"), ca_file=tmp_path / "missing.pem"
        ):
            pass


async def test_leaving_ends_a_look_under_way(world: World, url: str) -> None:
    hold = faults.hold()
    world.faults.on("GET", "/activeflows", hold)
    async with connected(api_url=url, credential=AccessKey(world.access_key)) as client:
        looking = asyncio.create_task(client.picture())
        await hold.arrived()
    with pytest.raises(asyncio.CancelledError):
        await looking
    hold.release()


def asked(body: bytes) -> bytes:
    return body


async def test_an_answer_that_does_not_come_in_time_counts_as_lost_and_an_act_is_not_repeated(
    world: World, url: str
) -> None:
    running = world.rings(world.add_flow("Support"))
    hold = faults.hold()
    world.faults.on("POST", "/activeflows/{id}/stop", hold, times=None)
    async with httpx.AsyncClient(trust_env=False) as http:
        credential = AccessKeyCredential(AccessKey(world.access_key))
        exchange = Exchange(http, url, credential, Budget(1000.0), NO_WAITING)
        question = Question("POST", f"/activeflows/{running.id}/stop", Urgency.PRESS, read_within=0.05)
        with pytest.raises(Unsuccessful) as told:
            await exchange.act(question, asked, open_gate)
        assert told.value.trouble.kind is FailureKind.LOST
        assert not told.value.trouble.before_any_work
        assert hold.waiting == 1
        with pytest.raises(Unsuccessful):
            await exchange.read(question, asked)
        assert hold.waiting == 1 + 1 + len(NO_WAITING.unavailable)
    hold.release()


async def test_an_answer_that_trickles_ends_too(world: World, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.voipbin.http.exchange._CONNECT", 0.5)

    async def trickle(_: ASGIApp, __: Scope, ___: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"100000")]})
        for _number in range(100):
            await send({"type": "http.response.body", "body": b" ", "more_body": True})
            await asyncio.sleep(0.02)

    world.faults.on("GET", "*", trickle)
    async with httpx.AsyncClient(trust_env=False) as http:
        credential = AccessKeyCredential(AccessKey(world.access_key))
        exchange = Exchange(http, url, credential, Budget(1000.0), NO_WAITING)
        with pytest.raises(Unsuccessful) as told:
            await exchange.act(Question("GET", "/customer", Urgency.PRESS, read_within=0.2), asked, open_gate)
    assert told.value.trouble.kind is FailureKind.LOST
    assert "in time" in told.value.trouble.what


@pytest.mark.parametrize("headers", [{"content-type": "text/plain"}, {"content-type": "text/html"}, {}])
async def test_the_content_decides_and_not_its_label(
    headers: Mapping[str, str], client: VoIPBINClient, world: World
) -> None:
    body = b'{"error":{"status":"NOT_FOUND","reason":"ACCOUNT_FROZEN","message":"x","request_id":"req_1"}}'
    world.faults.on("GET", "/customer", answering(Response(body, 403, headers=dict(headers))))
    with pytest.raises(Failure, match="frozen") as told:
        await client.introduce()
    assert told.value.request_id == "req_1"

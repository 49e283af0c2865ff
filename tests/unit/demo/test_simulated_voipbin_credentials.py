"""Credentials of the simulated VoIPBIN: their places, their order, their end."""

from collections.abc import Mapping
from datetime import timedelta

import httpx
import pytest

from bot.demo.voipbin.clock import StandingClock
from bot.demo.voipbin.state import ADMIN, AGENT
from bot.demo.voipbin.world import World


async def token_of(world: World, anyone: httpx.AsyncClient, username: str = "", password: str = "") -> str:
    answer = await anyone.post(
        anyone.base_url.copy_with(path="/auth/login"),
        json={"username": username or world.username, "password": password or world.password},
    )
    anyone.cookies.clear()  # a jar that keeps the login cookie would outrank everything below
    return str(answer.json()["token"])


async def outcome(anyone: httpx.AsyncClient, path: str = "/customer", **how: Mapping[str, str]) -> str:
    answer = await anyone.get(path, headers=how.get("headers"), params=how.get("query"))
    return "ok" if answer.status_code == 200 else f"{answer.status_code} {answer.json()['error']['reason']}"


async def test_a_login_gives_a_token_that_works_as_a_bearer(world: World, anyone: httpx.AsyncClient) -> None:
    token = await token_of(world, anyone)
    assert await outcome(anyone, headers={"Authorization": f"Bearer {token}"}) == "ok"
    assert await outcome(anyone, "/me", headers={"Authorization": f"Bearer {token}"}) == "ok"


@pytest.mark.parametrize(
    "body", [b"{", b"[]", b"{}", b'{"username":"flows-bot@example.com","password":"wrong"}', b'{"username":"x"}']
)
async def test_every_failed_login_is_an_empty_400(anyone: httpx.AsyncClient, body: bytes) -> None:
    answer = await anyone.post(anyone.base_url.copy_with(path="/auth/login"), content=body)
    assert (answer.status_code, answer.content) == (400, b"")
    assert "Content-Type" not in answer.headers


async def test_the_login_cookie_lasts_a_week_and_is_for_https_only(world: World, anyone: httpx.AsyncClient) -> None:
    answer = await anyone.post(
        anyone.base_url.copy_with(path="/auth/login"), json={"username": world.username, "password": world.password}
    )
    cookie = answer.headers["Set-Cookie"]
    for part in ("token=", "Path=/", "Max-Age=604800", "Secure", "HttpOnly"):
        assert part in cookie


async def test_nothing_and_badly_spelt_bearers_are_no_credential(world: World, anyone: httpx.AsyncClient) -> None:
    token = await token_of(world, anyone)
    assert await outcome(anyone) == "401 AUTHENTICATION_REQUIRED"
    assert await outcome(anyone, headers={"Authorization": f"bearer {token}"}) == "401 AUTHENTICATION_REQUIRED"
    assert await outcome(anyone, headers={"Authorization": f"Bearer  {token}"}) == "401 INVALID_CREDENTIALS"


async def test_an_access_key_works_in_cookie_and_query_and_never_in_a_header(
    world: World, anyone: httpx.AsyncClient
) -> None:
    key = world.access_key
    assert await outcome(anyone, headers={"Cookie": f"accesskey={key}"}) == "ok"
    assert await outcome(anyone, query={"accesskey": key}) == "ok"
    assert await outcome(anyone, headers={"Authorization": f"Bearer {key}"}) == "401 INVALID_CREDENTIALS"


async def test_the_first_credential_found_decides_even_when_it_is_bad(world: World, anyone: httpx.AsyncClient) -> None:
    key, token = world.access_key, await token_of(world, anyone)
    bad_first = [
        ({"Cookie": f"token=bad; accesskey={key}"}, {}),
        ({"Cookie": "token=bad"}, {"token": token}),
        ({"Cookie": f"accesskey={key}"}, {"token": "bad"}),
        ({"Cookie": f"accesskey={key}", "Authorization": "Bearer bad"}, {}),
        ({"Cookie": "accesskey=bad"}, {"accesskey": key}),
    ]
    for headers, query in bad_first:
        assert await outcome(anyone, headers=headers, query=query) == "401 INVALID_CREDENTIALS"
    good_first = [
        ({"Cookie": f"token={token}; accesskey=bad", "Authorization": "Bearer bad"}, {"token": "bad"}),
        ({"Authorization": "Bearer bad"}, {"token": token}),
        ({"Authorization": f"Bearer {token}", "Cookie": "accesskey=bad"}, {}),
        ({"Cookie": f"accesskey={key}"}, {"accesskey": "bad"}),
    ]
    for headers, query in good_first:
        assert await outcome(anyone, headers=headers, query=query) == "ok"


async def test_a_token_ends_with_its_week_and_a_key_with_its_date(
    world: World, anyone: httpx.AsyncClient, clock: StandingClock
) -> None:
    bearer = {"Authorization": f"Bearer {await token_of(world, anyone)}"}
    key = world.add_access_key(expires_at=clock() + timedelta(days=7)).token
    clock.passes(7 * 86_400)
    assert await outcome(anyone, headers=bearer) == "ok"
    assert await outcome(anyone, headers={"Cookie": f"accesskey={key}"}) == "ok"
    clock.passes(1)
    assert await outcome(anyone, headers=bearer) == "401 INVALID_CREDENTIALS"
    assert await outcome(anyone, headers={"Cookie": f"accesskey={key}"}) == "401 INVALID_CREDENTIALS"


async def test_revoked_and_altered_tokens_are_refused(world: World, anyone: httpx.AsyncClient) -> None:
    token = await token_of(world, anyone)
    head, claims, signature = token.split(".")
    altered = f"{head}.{claims[:-2]}AA.{signature}"
    assert await outcome(anyone, headers={"Authorization": f"Bearer {altered}"}) == "401 INVALID_CREDENTIALS"
    assert await outcome(anyone, headers={"Authorization": f"Bearer {token}"}) == "ok"
    world.revokes_tokens()
    assert await outcome(anyone, headers={"Authorization": f"Bearer {token}"}) == "401 INVALID_CREDENTIALS"


async def test_roles_decide_who_may_what(world: World, anyone: httpx.AsyncClient) -> None:
    world.add_agent("agent@example.com", "pw", permission=AGENT)
    world.add_agent("admin@example.com", "pw", permission=ADMIN)
    tokens = {
        "agent": await token_of(world, anyone, "agent@example.com", "pw"),
        "admin": await token_of(world, anyone, "admin@example.com", "pw"),
        "manager": await token_of(world, anyone),
    }
    denied = "403 PERMISSION_DENIED"
    expected = {
        "agent": {"/activeflows": denied, "/accesskeys": denied, "/me": "ok"},
        "admin": {"/activeflows": "ok", "/accesskeys": "ok", "/me": "ok"},
        "manager": {"/activeflows": "ok", "/accesskeys": denied, "/me": "ok"},
    }
    for who, paths in expected.items():
        for path, answer in paths.items():
            assert await outcome(anyone, path, headers={"Authorization": f"Bearer {tokens[who]}"}) == answer
    assert await outcome(anyone, "/me", query={"accesskey": world.access_key}) == "403 AGENT_AUTH_REQUIRED"


async def test_a_frozen_account_logs_in_and_is_then_refused_with_dates(world: World, anyone: httpx.AsyncClient) -> None:
    world.freezes(world.customer)
    token = await token_of(world, anyone)
    answer = await anyone.get("/activeflows", headers={"Authorization": f"Bearer {token}"})
    assert (answer.status_code, answer.json()["error"]["reason"]) == (403, "ACCOUNT_FROZEN")
    detail = answer.json()["error"]["details"][0]
    assert detail.keys() == {"deletion_scheduled_at", "deletion_effective_at", "recovery_endpoint"}


async def test_a_new_key_shows_its_token_once_and_must_last_a_day(world: World, api: httpx.AsyncClient) -> None:
    for expire in (86_399, "86400", None):
        refused = await api.post("/accesskeys", json={"name": "x", "expire": expire})
        assert (refused.status_code, refused.json()["error"]["reason"]) == (400, "INVALID_ARGUMENT")
    created = (await api.post("/accesskeys", json={"name": "x", "expire": 86_400})).json()
    assert created["token"].startswith("vb_")
    assert len(created["token"]) == 35
    listed = (await api.get("/accesskeys")).json()["result"][0]
    assert "token" not in listed
    assert created["token"].startswith(listed["token_prefix"])
    assert await outcome(api, headers={"Cookie": f"accesskey={created['token']}"}) == "ok"
    assert world.access_key != created["token"]

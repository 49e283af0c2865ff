"""Credentials travel where nobody looks, outrank nothing, and are renewed; nothing of them is kept or printed."""

import logging
import traceback
from urllib.parse import parse_qs

import pytest

from bot.activeflows.errors import CredentialRejected, Failure, VoIPBINBusy
from bot.demo.voipbin import faults
from bot.demo.voipbin.world import World
from bot.voipbin import AccessKey, Login, VoIPBINClient
from tests.scenarios.voipbin.conftest import Connect, open_gate


def logins(world: World) -> int:
    return sum(seen.path == "/auth/login" for seen in world.requests)


async def test_an_access_key_travels_in_a_cookie_and_not_in_the_address(client: VoIPBINClient, world: World) -> None:
    await client.introduce()
    await client.picture()
    for seen in world.requests:
        assert seen.headers["cookie"] == f"accesskey={world.access_key}"
        assert "authorization" not in seen.headers
        assert world.access_key not in seen.query


async def test_an_access_key_travels_in_the_address_only_when_told_to(connect: Connect, world: World) -> None:
    client = await connect(AccessKey(world.access_key, in_query=True))
    await client.introduce()
    assert len((await client.picture()).activeflows) == 0
    for seen in world.requests:
        assert parse_qs(seen.query)["accesskey"] == [world.access_key]
        assert "cookie" not in seen.headers


async def test_a_login_is_made_once_at_the_root_and_its_cookie_is_never_sent(connect: Connect, world: World) -> None:
    client = await connect(Login(world.username, world.password))
    await client.introduce()
    await client.picture()
    assert logins(world) == 1
    for seen in world.requests:
        assert "cookie" not in seen.headers
    assert all(seen.headers["authorization"].startswith("Bearer ") for seen in world.requests[1:])


async def test_two_customers_in_one_process_never_act_for_each_other(connect: Connect, world: World) -> None:
    other = world.add_customer("Somebody else")
    key = world.add_access_key(customer=other).token
    ours, theirs = await connect(Login(world.username, world.password)), await connect(AccessKey(key))
    for _ in range(2):
        assert (await ours.introduce()).id == world.customer.id
        assert (await theirs.introduce()).id == other.id


async def test_a_token_that_voipbin_refuses_is_renewed_before_the_stop_is_sent_again(
    connect: Connect, world: World
) -> None:
    running = world.rings(world.add_flow("Support"))
    client = await connect(Login(world.username, world.password))
    await client.introduce()
    world.faults.on("POST", "/activeflows/{id}/stop", faults.status(401, "INVALID_CREDENTIALS"))
    with pytest.raises(Failure) as told:
        await client.stop(running.id, gate=open_gate)
    assert told.value.retry_after is not None
    assert (await client.stop(running.id, gate=open_gate)).ended
    assert logins(world) == 2
    assert len(world.stops) == 1


async def test_revoked_tokens_are_renewed_for_reads_too(connect: Connect, world: World) -> None:
    client = await connect(Login(world.username, world.password))
    await client.introduce()
    world.revokes_tokens()
    await client.picture()
    assert logins(world) == 2


async def test_a_wrong_password_is_told_without_guessing_why(connect: Connect, world: World) -> None:
    client = await connect(Login(world.username, "hush-hush"))
    with pytest.raises(CredentialRejected, match="or trouble of its own") as told:
        await client.introduce()
    assert "hush" not in told.value.what
    assert told.value.request_id


async def test_a_login_that_hiccups_once_is_not_noticed(connect: Connect, world: World) -> None:
    world.faults.on("POST", "/auth/login", faults.lose_answer())
    client = await connect(Login(world.username, world.password))
    assert (await client.introduce()).id == world.customer.id
    assert logins(world) == 2


async def test_a_login_answered_with_no_token_is_a_failed_login(connect: Connect, world: World) -> None:
    world.faults.on("POST", "/auth/login", faults.broken_json(), times=None)
    with pytest.raises(CredentialRejected):
        await (await connect(Login(world.username, world.password))).introduce()


async def test_a_throttled_login_is_told_as_too_many_requests(connect: Connect, world: World) -> None:
    fault = faults.status(429, "RATE_LIMIT_EXCEEDED", retry_after=0)
    world.faults.on("POST", "/auth/login", fault, times=None)
    with pytest.raises(VoIPBINBusy):
        await (await connect(Login(world.username, world.password))).introduce()


@pytest.mark.parametrize(
    "fault",
    [
        faults.reset_before(),
        faults.lose_answer(),
        faults.half_answer(),
        faults.html(502),
        faults.empty(301),
        faults.broken_json(),
    ],
)
async def test_no_traceback_and_no_log_of_ours_holds_an_address_or_a_secret(
    fault: faults.Fault, connect: Connect, world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    for library in ("httpx", "httpcore"):  # these print addresses at INFO and DEBUG; bot.logs silences them
        logging.getLogger(library).setLevel(logging.WARNING)
    running = world.rings(world.add_flow("Support"))
    client = await connect(AccessKey(world.access_key, in_query=True))
    world.faults.on("*", "*", fault, times=None)
    questions = [client.introduce(), client.picture(), client.activeflow(running.id)]
    questions.append(client.stop(running.id, gate=open_gate))
    for question in questions:
        with pytest.raises(Failure) as told:
            await question
        text = "".join(traceback.format_exception(told.value)) + repr(told.value) + repr(vars(told.value))
        assert world.access_key not in text
        assert "127.0.0.1" not in text
        assert "accesskey=" not in text
    assert world.access_key not in caplog.text

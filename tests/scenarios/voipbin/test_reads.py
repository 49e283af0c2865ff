"""Reads are asked again where that can help, and refusals are told as what they are."""

from dataclasses import replace
from uuid import uuid4

import pytest

from bot.activeflows.errors import (
    AccountFrozen,
    CredentialRejected,
    Failure,
    NotFound,
    NotOurs,
    PaymentDue,
    VoIPBINBroken,
    VoIPBINBusy,
    VoIPBINUnreachable,
)
from bot.demo.voipbin import faults
from bot.demo.voipbin.world import World
from bot.voipbin import AccessKey, VoIPBINClient
from tests.scenarios.voipbin.conftest import NO_WAITING, Connect

ONE = "/activeflows/{id}"


async def test_the_client_introduces_itself_with_the_customer_and_without_its_secret(
    client: VoIPBINClient, world: World
) -> None:
    with pytest.raises(VoIPBINUnreachable):
        _ = client.customer
    customer = await client.introduce()
    assert customer == client.customer
    assert (customer.id, customer.name) == (world.customer.id, world.customer.name)


async def test_a_wrong_key_cannot_introduce_itself(connect: Connect, world: World) -> None:
    with pytest.raises(CredentialRejected) as told:
        await (await connect(AccessKey("vb_wrong"))).introduce()
    assert "401" in told.value.what
    assert told.value.request_id
    assert len(world.requests) == 1 + len(NO_WAITING.rejected)


PASSING = {
    "429": faults.status(429, "RATE_LIMIT_EXCEEDED", retry_after=0),
    "503": faults.status(503, "REQUEST_TIMEOUT"),
    "502": faults.html(502),
    "504": faults.empty(504),
    "500": faults.status(500, "INTERNAL"),
    "400 INVALID_ARGUMENT": faults.status(400, "INVALID_ARGUMENT"),
    "401": faults.status(401, "INVALID_CREDENTIALS"),
    "a reset": faults.reset_before(),
    "a lost answer": faults.lose_answer(),
    "half an answer": faults.half_answer(),
    "broken JSON": faults.broken_json(),
}


@pytest.mark.parametrize("what", PASSING)
async def test_a_trouble_that_passes_is_not_noticed(what: str, client: VoIPBINClient, world: World) -> None:
    running = world.rings(world.add_flow("Support"))
    world.faults.on("GET", ONE, PASSING[what])
    assert (await client.activeflow(running.id)).id == running.id
    assert len(world.requests) == 2


LASTING = {
    "429": (PASSING["429"], VoIPBINBusy, 3),
    "503": (PASSING["503"], VoIPBINUnreachable, 3),
    "500": (PASSING["500"], VoIPBINBroken, 2),
    "400 INVALID_ARGUMENT": (PASSING["400 INVALID_ARGUMENT"], VoIPBINBroken, 3),
    "401": (PASSING["401"], CredentialRejected, 3),
    "a lost answer": (PASSING["a lost answer"], VoIPBINUnreachable, 3),
    "broken JSON": (PASSING["broken JSON"], VoIPBINBroken, 2),
    "403": (faults.status(403, "DIRECT_ACCESS_NOT_SUPPORTED"), CredentialRejected, 1),
    "frozen": (faults.status(403, "ACCOUNT_FROZEN"), AccountFrozen, 1),
    "an empty 400": (faults.empty(400), VoIPBINBroken, 1),
    "a redirect": (faults.empty(301), VoIPBINBroken, 1),
    "402": (faults.status(402, "PAYMENT_REQUIRED"), PaymentDue, 1),
}


@pytest.mark.parametrize("what", LASTING)
async def test_a_trouble_that_lasts_is_told_after_the_tries_it_deserves(
    what: str, client: VoIPBINClient, world: World
) -> None:
    fault, told, tries = LASTING[what]
    running = world.rings(world.add_flow("Support"))
    world.faults.on("GET", ONE, fault, times=None)
    with pytest.raises(told) as failure:
        await client.activeflow(running.id)
    assert len(world.requests) == tries
    assert isinstance(failure.value, Failure)
    assert failure.value.request_id
    assert failure.value.__context__ is None


async def test_every_try_has_a_request_id_of_its_own_that_voipbin_keeps(client: VoIPBINClient, world: World) -> None:
    world.faults.on("GET", ONE, faults.status(503, "REQUEST_TIMEOUT"), times=None)
    with pytest.raises(VoIPBINUnreachable) as failure:
        await client.activeflow(uuid4())
    sent = [seen.headers["x-request-id"] for seen in world.requests]
    assert len(set(sent)) == len(sent)
    assert failure.value.request_id == sent[-1]


async def test_an_unknown_and_a_deleted_activeflow_are_not_found(client: VoIPBINClient, world: World) -> None:
    with pytest.raises(NotFound):
        await client.activeflow(uuid4())
    world.faults.on("GET", ONE, faults.status(404, "RESOURCE_NOT_FOUND"))
    with pytest.raises(NotFound):
        await client.activeflow(uuid4())


@pytest.mark.parametrize("fault", [faults.status(404, "ROUTE_NOT_FOUND"), faults.html(404), faults.empty(404)])
async def test_a_wrong_address_is_not_a_missing_activeflow(
    fault: faults.Fault, client: VoIPBINClient, world: World
) -> None:
    world.faults.on("GET", "*", fault, times=None)
    with pytest.raises(VoIPBINBroken, match="API URL"):
        await client.activeflow(uuid4())
    with pytest.raises(VoIPBINBroken):
        await client.flow(uuid4())


async def test_another_customers_activeflow_is_not_ours_once_we_know_who_we_are(
    client: VoIPBINClient, world: World
) -> None:
    foreign = world.rings(customer=world.add_customer("Somebody else"))
    with pytest.raises(CredentialRejected):
        await client.activeflow(foreign.id)
    await client.introduce()
    with pytest.raises(NotOurs):
        await client.activeflow(foreign.id)


async def test_what_neighbours_do_not_exist_is_none(client: VoIPBINClient, world: World) -> None:
    assert await client.flow(uuid4()) is None
    assert await client.call(uuid4()) is None
    assert await client.queue_name(uuid4()) is None
    world.faults.on("GET", "/calls/{id}", faults.status(409, "STATE_INVALID"))
    assert await client.call(uuid4()) is None


async def test_a_call_is_read_with_its_people_and_each_time_anew(client: VoIPBINClient, world: World) -> None:
    running = world.rings(world.add_flow("Support"), source="+15550100007")
    for _ in range(2):
        call = await client.call(running.reference_id)
        assert call is not None
        assert call.activeflow_id == running.id
        assert call.caller.target == "+15550100007"
    assert len(world.requests) == 2


async def test_names_are_asked_for_once(client: VoIPBINClient, world: World) -> None:
    flow, queue = world.add_flow("Support"), world.add_queue("Second line")
    for _ in range(3):
        found = await client.flow(flow.id)
        assert found is not None
        assert found.name == "Support"
        assert await client.queue_name(queue.id) == "Second line"
    assert len(world.requests) == 2


async def test_a_failed_look_at_a_name_is_not_taken_for_its_absence(client: VoIPBINClient, world: World) -> None:
    flow = world.add_flow("Support")
    scripted = world.faults.on("GET", "/flows/{id}", faults.status(503, "REQUEST_TIMEOUT"), times=None)
    with pytest.raises(VoIPBINUnreachable):
        await client.flow(flow.id)
    scripted.clear()
    assert await client.flow(flow.id) is not None


async def test_a_silent_voipbin_is_unreachable(connect: Connect) -> None:
    client = await connect(api_url="http://127.0.0.1:9/v1.0", patience=replace(NO_WAITING, unavailable=()))
    with pytest.raises(VoIPBINUnreachable, match="cannot be reached"):
        await client.introduce()

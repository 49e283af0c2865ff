"""One stop is one POST, and its answer is told as what it is: done, certainly not done, or perhaps."""

import asyncio
from collections.abc import Awaitable, Callable
from uuid import UUID, uuid4

import pytest

from bot.activeflows.errors import (
    AccountFrozen,
    CredentialRejected,
    Failure,
    NotFound,
    PaymentDue,
    StateConflict,
    StopUnconfirmed,
    VoIPBINBusy,
    VoIPBINUnreachable,
)
from bot.activeflows.model import Activeflow, Status
from bot.demo.voipbin import faults
from bot.demo.voipbin.world import World
from bot.voipbin import AccessKey, Login, VoIPBINClient
from tests.scenarios.voipbin.conftest import Connect, open_gate

STOP = "/activeflows/{id}/stop"


def posts(world: World) -> int:
    return sum(seen.method == "POST" and seen.path.endswith("/stop") for seen in world.requests)


async def test_a_stop_ends_it_and_gives_the_interrupted_action(client: VoIPBINClient, world: World) -> None:
    running = world.rings(world.add_flow("Support"))
    ended = await client.stop(running.id, gate=open_gate)
    assert ended.id == running.id
    assert ended.status is Status.ENDED
    assert not ended.ended_by_itself
    assert posts(world) == 1


async def test_a_stop_of_an_ended_one_is_answered_alike(client: VoIPBINClient, world: World) -> None:
    running = world.rings(world.add_flow("Support"))
    world.ends(running)
    assert (await client.stop(running.id, gate=open_gate)).ended
    assert [stop.changed for stop in world.stops] == [False]


PERHAPS = {
    "the answer was lost": faults.lose_answer(),
    "half an answer": faults.half_answer(),
    "a reset before the work": faults.reset_before(),
    "503 after the work": faults.status_after_work(503, "REQUEST_TIMEOUT"),
    "503 without the work": faults.status(503, "SERVICE_UNAVAILABLE"),
    "500": faults.status(500, "INTERNAL"),
    "an empty 500": faults.empty(500),
    "502 from a proxy": faults.html(502),
    "504 from a proxy": faults.html(504),
    "400 INVALID_ARGUMENT": faults.status(400, "INVALID_ARGUMENT"),
    "400 INVALID_ARGUMENT after the work": faults.status_after_work(400, "INVALID_ARGUMENT"),
    "an empty 400": faults.empty(400),
    "a 200 that is no JSON": faults.broken_json(200),
    "a 200 from a proxy": faults.html(200),
    "an empty 200": faults.empty(200),
    "204": faults.empty(204),
}


@pytest.mark.parametrize("what", PERHAPS)
async def test_a_stop_that_was_perhaps_done_says_so_and_is_never_sent_again(
    what: str, client: VoIPBINClient, world: World
) -> None:
    running = world.rings(world.add_flow("Support"))
    await client.activeflow(running.id)  # a kept-open connection
    world.faults.on("POST", STOP, PERHAPS[what], times=None)
    with pytest.raises(StopUnconfirmed) as told:
        await client.stop(running.id, gate=open_gate)
    assert posts(world) == 1
    assert told.value.request_id
    assert told.value.__context__ is None


async def test_an_answer_about_another_activeflow_confirms_nothing(client: VoIPBINClient, world: World) -> None:
    running, other = (world.rings(world.add_flow("Support")) for _ in range(2))
    world.faults.on("POST", STOP, _answered_about(other.id))
    with pytest.raises(StopUnconfirmed):
        await client.stop(running.id, gate=open_gate)


def _answered_about(other: UUID) -> faults.Fault:
    from starlette.responses import JSONResponse  # noqa: PLC0415 — only this fault speaks HTTP itself
    from starlette.types import ASGIApp, Receive, Scope, Send  # noqa: PLC0415

    async def fault(_: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        await JSONResponse({"id": str(other), "status": "ended"})(scope, receive, send)

    return fault


NOT_DONE = {
    "401": (faults.status(401, "INVALID_CREDENTIALS"), CredentialRejected),
    "403": (faults.status(403, "PERMISSION_DENIED"), CredentialRejected),
    "403 frozen": (faults.status(403, "ACCOUNT_FROZEN"), AccountFrozen),
    "404": (faults.status(404, "ACTIVEFLOW_NOT_FOUND"), NotFound),
    "404 deleted": (faults.status(404, "RESOURCE_NOT_FOUND"), NotFound),
    "404 no such route": (faults.status(404, "ROUTE_NOT_FOUND"), Failure),
    "402": (faults.status(402, "PAYMENT_REQUIRED"), PaymentDue),
    "409 that is documented and never sent": (faults.status(409, "ACTIVEFLOW_ALREADY_STOPPED"), StateConflict),
    "a redirect": (faults.empty(307), Failure),
    "429": (faults.status(429, "RATE_LIMIT_EXCEEDED", retry_after=0), VoIPBINBusy),
}


@pytest.mark.parametrize("what", NOT_DONE)
async def test_a_stop_that_was_certainly_not_done_is_not_called_unconfirmed(
    what: str, client: VoIPBINClient, world: World
) -> None:
    fault, told = NOT_DONE[what]
    running = world.rings(world.add_flow("Support"))
    world.faults.on("POST", STOP, fault, times=None)
    with pytest.raises(told) as failure:
        await client.stop(running.id, gate=open_gate)
    assert not isinstance(failure.value, StopUnconfirmed)
    assert world.stops == []


@pytest.mark.parametrize(
    ("refusal", "pause"),
    [
        (faults.status(429, "RATE_LIMIT_EXCEEDED", retry_after=7), 7.0),
        (faults.status(401, "INVALID_CREDENTIALS"), 0.0),
        (faults.status(403, "PERMISSION_DENIED"), None),
    ],
)
async def test_a_stop_refused_before_any_work_is_not_sent_again_by_the_client_and_says_when_it_may_be(
    refusal: faults.Fault, pause: float | None, client: VoIPBINClient, world: World
) -> None:
    running = world.rings(world.add_flow("Support"))
    world.faults.on("POST", STOP, refusal)
    with pytest.raises(Failure) as told:
        await client.stop(running.id, gate=open_gate)
    assert told.value.retry_after == pause
    assert posts(world) == 1
    assert world.stops == []


class Shut(Exception):
    """What a gate says no with."""


async def shut(_: object) -> Callable[[], None]:
    raise Shut


async def test_a_shut_gate_sends_nothing_and_its_own_words_come_through(client: VoIPBINClient, world: World) -> None:
    running = world.rings(world.add_flow("Support"))
    with pytest.raises(Shut):
        await client.stop(running.id, gate=shut)
    assert posts(world) == 0
    assert (await client.activeflow(running.id)).running  # its turn was given back


@pytest.mark.parametrize("yeses", [0, 1])
async def test_what_has_become_too_old_before_the_first_byte_is_not_sent(
    yeses: int, client: VoIPBINClient, world: World
) -> None:
    """Looked at before the connection is there, and once more straight before the headers."""
    running, asked = world.rings(world.add_flow("Support")), iter(range(10))

    def check() -> None:
        if next(asked) >= yeses:
            raise Shut

    async def gate(look: Callable[[], Awaitable[Activeflow]]) -> Callable[[], None]:
        assert (await look()).id == running.id
        return check

    with pytest.raises(Shut):
        await client.stop(running.id, gate=gate)
    assert posts(world) == 0


async def test_a_stop_whose_turn_has_not_come_has_not_asked_the_gate(connect: Connect, world: World) -> None:
    client = await connect(budget=0.001)
    running = world.rings(world.add_flow("Support"))
    for _ in range(4):
        await client.activeflow(running.id)
    stop = asyncio.create_task(client.stop(running.id, gate=shut))
    while not client.load().waiting and not stop.done():  # noqa: ASYNC110 # nobody tells that somebody waits
        await asyncio.sleep(0)
    assert not stop.done()
    stop.cancel()


async def test_the_gate_is_asked_when_it_is_the_stops_turn_and_looks_within_it(connect: Connect, world: World) -> None:
    """A budget that is used up makes the stop wait, and not the look that follows the wait."""
    client = await connect(budget=2)
    running = world.rings(world.add_flow("Support"))
    for _ in range(4):
        await client.activeflow(running.id)
    began = len(world.requests)

    async def gate(look: Callable[[], Awaitable[Activeflow]]) -> Callable[[], None]:
        assert len(world.requests) == began
        await look()
        return lambda: None

    assert (await client.stop(running.id, gate=gate)).ended
    assert [seen.method for seen in world.requests[began:]] == ["GET", "POST"]


async def test_nobody_listening_means_certainly_not_done(connect: Connect) -> None:
    client = await connect(api_url="http://127.0.0.1:9/v1.0")
    with pytest.raises(VoIPBINUnreachable):
        await client.stop(uuid4(), gate=open_gate)


async def test_a_login_that_cannot_be_made_means_certainly_not_done(connect: Connect, world: World) -> None:
    running = world.rings(world.add_flow("Support"))
    client = await connect(Login(world.username, "wrong"))
    with pytest.raises(CredentialRejected):
        await client.stop(running.id, gate=open_gate)
    world.faults.on("POST", "/auth/login", faults.lose_answer(), times=None)
    with pytest.raises(Failure) as told:
        await (await connect(Login(world.username, world.password))).stop(running.id, gate=open_gate)
    assert not isinstance(told.value, StopUnconfirmed)
    assert posts(world) == 0


async def test_an_empty_id_goes_nowhere(client: VoIPBINClient, world: World) -> None:
    for question in (client.stop(UUID(int=0), gate=open_gate), client.activeflow(UUID(int=0))):
        with pytest.raises(NotFound):
            await question
    assert world.requests == []


async def test_the_stop_of_another_customers_activeflow_is_refused_by_voipbin(
    client: VoIPBINClient, world: World
) -> None:
    foreign = world.rings(customer=world.add_customer("Somebody else"))
    with pytest.raises(CredentialRejected):
        await client.stop(foreign.id, gate=open_gate)
    assert world.stops == []


async def test_a_wrong_key_stops_nothing(connect: Connect, world: World) -> None:
    running = world.rings(world.add_flow("Support"))
    client = await connect(AccessKey("vb_wrong"))
    with pytest.raises(CredentialRejected):
        await client.stop(running.id, gate=open_gate)
    assert world.stops == []

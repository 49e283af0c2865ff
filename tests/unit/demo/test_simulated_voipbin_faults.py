"""Scripted misfortunes, suffered by a real client over loopback."""

import asyncio

import httpx
import pytest

from bot.demo.voipbin import faults
from bot.demo.voipbin.faults import Fault
from bot.demo.voipbin.world import World

STOP = "/activeflows/{id}/stop"


@pytest.mark.parametrize(
    ("fault", "error", "patience"),
    [
        (faults.lose_answer(), httpx.RemoteProtocolError, 30.0),
        (faults.half_answer(), httpx.RemoteProtocolError, 30.0),
        (faults.slow_answer(60), httpx.ReadTimeout, 1.0),
    ],
)
async def test_the_work_is_done_although_the_client_never_learns_of_it(
    world: World, api: httpx.AsyncClient, fault: Fault, error: type[Exception], patience: float
) -> None:
    activeflow = world.rings()
    world.faults.on("POST", STOP, fault)
    with pytest.raises(error):
        await api.post(f"/activeflows/{activeflow.id}/stop", timeout=httpx.Timeout(30, read=patience))
    assert world.activeflow(activeflow.id).status == "ended"
    assert world.requests[-1].status is None
    assert (await api.get(f"/activeflows/{activeflow.id}")).json()["status"] == "ended"


async def test_a_reset_connection_means_that_nothing_was_done(world: World, api: httpx.AsyncClient) -> None:
    activeflow = world.rings()
    world.faults.on("POST", STOP, faults.reset_before())
    with pytest.raises(httpx.ReadError):
        await api.post(f"/activeflows/{activeflow.id}/stop")
    assert world.activeflow(activeflow.id).status == "running"
    assert world.stops == []


async def test_a_client_that_gives_up_on_a_slow_request_does_not_undo_it(world: World, api: httpx.AsyncClient) -> None:
    activeflow = world.rings()
    point = faults.hold()
    scripted = world.faults.on("POST", STOP, point)
    with pytest.raises(httpx.ReadTimeout):
        await api.post(f"/activeflows/{activeflow.id}/stop", timeout=httpx.Timeout(30, read=0.1))
    await point.arrived()
    assert world.activeflow(activeflow.id).status == "running"
    point.release()
    for _ in range(3000):
        if world.activeflow(activeflow.id).status == "ended":
            break
        await asyncio.sleep(0.01)
    assert world.activeflow(activeflow.id).status == "ended"
    assert scripted.met == 1


@pytest.mark.parametrize(
    ("fault", "code", "content_type"),
    [
        (faults.status(503, "REQUEST_TIMEOUT"), 503, "application/json"),
        (faults.status(429, "RATE_LIMIT_EXCEEDED", retry_after=1), 429, "application/json"),
        (faults.empty(500), 500, ""),
        (faults.html(502), 502, "text/html"),
        (faults.broken_json(), 200, "application/json"),
    ],
)
async def test_a_refusal_leaves_the_work_undone(
    world: World, api: httpx.AsyncClient, fault: Fault, code: int, content_type: str
) -> None:
    activeflow = world.rings()
    world.faults.on("POST", STOP, fault)
    answer = await api.post(f"/activeflows/{activeflow.id}/stop")
    assert answer.status_code == world.requests[-1].status == code
    assert answer.headers.get("Content-Type", "").startswith(content_type)
    assert answer.headers["X-Request-Id"]
    assert world.activeflow(activeflow.id).status == "running"


async def test_a_timeout_behind_the_edge_may_hide_a_stop_that_worked(world: World, api: httpx.AsyncClient) -> None:
    activeflow = world.rings()
    world.faults.on("POST", STOP, faults.status_after_work(503, "REQUEST_TIMEOUT"))
    assert (await api.post(f"/activeflows/{activeflow.id}/stop")).status_code == 503
    assert world.activeflow(activeflow.id).status == "ended"


@pytest.mark.parametrize(("after_work", "status_meanwhile"), [(False, "running"), (True, "ended")])
async def test_the_world_can_be_held_before_and_after_the_work(
    world: World, api: httpx.AsyncClient, after_work: bool, status_meanwhile: str
) -> None:
    activeflow = world.rings()
    held = faults.hold(after_work=after_work)
    world.faults.on("POST", STOP, held)
    stopping = asyncio.create_task(api.post(f"/activeflows/{activeflow.id}/stop"))
    await held.arrived()
    assert (await api.get(f"/activeflows/{activeflow.id}")).json()["status"] == status_meanwhile
    assert not stopping.done()
    held.release()
    assert (await stopping).json()["status"] == "ended"


async def test_faults_apply_in_order_as_often_as_asked_and_only_to_their_route(
    world: World, api: httpx.AsyncClient
) -> None:
    world.faults.on("GET", "/activeflows", faults.empty(500), times=2)
    world.faults.on("GET", "/activeflows", faults.empty(502))
    forever = world.faults.on("*", "/flows", faults.empty(503), times=None)
    listed = [(await api.get("/activeflows")).status_code for _ in range(4)]
    assert listed == [500, 500, 502, 200]
    assert [(await api.get("/flows")).status_code for _ in range(3)] == [503] * 3
    assert (await api.get("/calls")).status_code == 200
    forever.clear()
    assert (await api.get("/flows")).status_code == 200
    assert forever.met == 3


async def test_clearing_the_script_lets_everything_through(world: World, api: httpx.AsyncClient) -> None:
    world.faults.on("*", "*", faults.empty(500), times=None)
    assert (await api.get("/customer")).status_code == 500
    world.faults.clear()
    assert (await api.get("/customer")).status_code == 200


async def test_login_can_fail_too(world: World, anyone: httpx.AsyncClient) -> None:
    world.faults.on("POST", "/auth/login", faults.reset_before())
    body = {"username": world.username, "password": world.password}
    with pytest.raises(httpx.ReadError):
        await anyone.post(anyone.base_url.copy_with(path="/auth/login"), json=body)
    assert (await anyone.post(anyone.base_url.copy_with(path="/auth/login"), json=body)).status_code == 200

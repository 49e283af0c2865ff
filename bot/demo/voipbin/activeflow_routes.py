"""The activeflow endpoints, as they behave and not as they are documented.

https://api.voipbin.net/docs/activeflow.html says that DELETE does not stop and that an ended one cannot be stopped again;
the real service stops first and answers 200 with the record, and answers a second stop with 200 and the unchanged record.
"""

from starlette.requests import Request
from starlette.responses import Response

from bot.demo.voipbin import wire
from bot.demo.voipbin.asking import page_size, page_token, parsed_id, path_id
from bot.demo.voipbin.auth import Caller
from bot.demo.voipbin.creation import create
from bot.demo.voipbin.endpoint import Endpoint, found, listed, ok, owned, the_one
from bot.demo.voipbin.errors import Refused
from bot.demo.voipbin.neighbour_routes import json_object
from bot.demo.voipbin.records import Changed
from bot.demo.voipbin.state import OPERATORS, Activeflow, Call
from bot.demo.voipbin.world import World


async def list_activeflows(world: World, caller: Caller, request: Request) -> Response:
    """Running and ended alike, newest first; `status` and every other unknown parameter is ignored."""
    caller.needs(OPERATORS)
    return listed(world, caller, request, world.records.activeflows, wire.activeflow)


async def create_activeflow(world: World, caller: Caller, request: Request) -> Response:
    """Answers the record as it is before its first step."""
    caller.needs(OPERATORS)
    return ok(wire.activeflow(create(world, caller, await json_object(request))))


async def get_activeflow(world: World, caller: Caller, request: Request) -> Response:
    return ok(wire.activeflow(world.activeflow_as_cached(_the_activeflow(world, caller, request))))


async def stop_activeflow(world: World, caller: Caller, request: Request) -> Response:
    activeflow = _the_activeflow(world, caller, request)
    world.stop(activeflow)
    return ok(wire.activeflow(activeflow))


async def delete_activeflow(world: World, caller: Caller, request: Request) -> Response:
    activeflow = _the_activeflow(world, caller, request)
    world.telephony.deletes(activeflow)
    return ok(wire.activeflow(activeflow))


def _the_activeflow(world: World, caller: Caller, request: Request) -> Activeflow:
    return the_one(caller, request, world.records.activeflows, "ACTIVEFLOW", OPERATORS)


async def activeflow_events(world: World, caller: Caller, request: Request) -> Response:
    """What one activeflow itself went through, newest first."""
    if request.path_params["resource"] != "activeflows":
        raise Refused(400, "INVALID_RESOURCE_TYPE")
    activeflow = found(world.records.activeflows, path_id(request), "ACTIVEFLOW")
    owned(caller, activeflow, OPERATORS)
    events = [c for c in world.records.timeline[activeflow.id] if isinstance(c.resource, Activeflow)]
    return _events(world, request, events)


async def aggregated_events(world: World, caller: Caller, request: Request) -> Response:
    """Everything tagged with one activeflow, named by `activeflow_id` or by `call_id`; any failed look-up is 404."""
    asked = {key: request.query_params[key] for key in ("activeflow_id", "call_id") if key in request.query_params}
    if len(asked) != 1:
        raise Refused(400, "MISSING_REQUEST_PARAMETER")
    ((key, text),) = asked.items()
    id_ = parsed_id(text)
    if id_ is None:
        raise Refused(400, f"INVALID_{key.upper()}")
    row: Activeflow | Call | None = (
        world.records.calls.get(id_) if key == "call_id" else world.records.activeflows.get(id_)
    )
    if row is None:
        raise Refused(404, "RESOURCE_NOT_FOUND")
    owned(caller, row, OPERATORS)
    activeflow_id = row.activeflow_id if isinstance(row, Call) else row.id
    return _events(world, request, world.records.timeline[activeflow_id])


def _events(world: World, request: Request, events: list[Changed]) -> Response:
    """A page of a timeline: up to 1000, cursor in milliseconds and strict, the token left out when nothing follows."""
    size = min(page_size(request, most=1000), world.limits.page)
    before = page_token(request, world.clock.instant())
    older = [change for change in reversed(events) if wire.milliseconds(change.at) < before]
    page = {"result": [wire.event(change) for change in older[:size]]}
    return ok(page if len(older) <= size else page | {"next_page_token": wire.timestamp(older[size - 1].at)})


ACTIVEFLOW_ROUTES: tuple[tuple[str, str, Endpoint], ...] = (
    ("GET", "/activeflows", list_activeflows),
    ("POST", "/activeflows", create_activeflow),
    ("GET", "/activeflows/{id}", get_activeflow),
    ("DELETE", "/activeflows/{id}", delete_activeflow),
    ("POST", "/activeflows/{id}/stop", stop_activeflow),
    ("POST", "/activeflows//stop", stop_activeflow),  # an empty id reaches the handler upstream: 400 INVALID_ID
    ("GET", "/timelines/{resource}/{id}/events", activeflow_events),
    ("GET", "/aggregated-events", aggregated_events),
)

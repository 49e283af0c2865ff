"""Answer what is asked under /v1.0: activeflows, calls, and what lies around them."""

import json
import secrets
from collections.abc import Mapping
from datetime import timedelta
from urllib.parse import urlsplit
from uuid import UUID, uuid4

from starlette.requests import Request
from starlette.responses import Response

from bot.demo.voipbin import wire
from bot.demo.voipbin.endpoint import (
    Caller,
    Endpoint,
    found,
    listed,
    ok,
    owned,
    page_size,
    page_token,
    parsed_id,
    path_id,
    the_one,
)
from bot.demo.voipbin.errors import Refused
from bot.demo.voipbin.inventory import ACTION_TYPES
from bot.demo.voipbin.records import Changed
from bot.demo.voipbin.state import ADMIN, OPERATORS, ZERO, Accesskey, Activeflow, Call, Flow, Frame, Step
from bot.demo.voipbin.world import World

# ---------------------------------------------------------------- creation
# POST /activeflows and POST /calls: what is checked, what is silently misread, and what then runs.
#
# A `flow_id` that is no UUID counts as none, so that a typing mistake runs an empty temporary flow; reusing an id fails
# in the database and looks like a client's error (https://api.voipbin.net/docs/activeflow_tutorial.html). A call
# answers as it is while it dials (https://api.voipbin.net/docs/call_tutorial.html); this simulation has no group calls
# and looks after no numbers, so it calls every destination by itself, from any source.

_ALLOWED = ACTION_TYPES.keys() - {"empty"}  # an internal no-op
_OPENS_BRIDGE = {"connect", "conference_join", "ai_talk"}
_NUMBERS = {"goto": "loop_count", "sleep": "duration", "echo": "duration"}
_ANONYMOUS = ("", "yes", "no", "auto")
_MOST_VARIABLES, _MOST_BYTES, _MOST_BYTES_A_VALUE = 100, 64 * 1024, 32 * 1024


def create(world: World, caller: Caller, asked: Mapping[str, object]) -> Activeflow:
    """Add the activeflow and plan its first step; returns it as it is before that."""
    _check_variables(asked.get("variables", {}))
    uri, method = _webhook(asked)
    steps = _steps(asked.get("actions", []))
    flow = _flow(world, caller, _id(asked.get("flow_id")))
    activeflow = Activeflow(
        id=_id(asked.get("id")) or uuid4(),
        customer_id=caller.customer_id,
        flow_id=flow.id if flow else uuid4(),  # a temporary flow, which nobody can look up
        reference_type="api",
        on_complete_flow_id=flow.on_complete_flow_id if flow else ZERO,
        webhook_uri=uri,
        webhook_method=method,
        frames=[Frame(flow.actions if flow else steps)],
        tm_create=world.clock.instant(),
    )
    try:
        world.records.activeflows.add(activeflow)
    except ValueError:
        raise Refused(400, "INVALID_ARGUMENT") from None
    world.records.changed(activeflow, "created")
    world.clock.after(0, lambda: world.life.begin(activeflow))
    return activeflow


def place_calls(world: World, caller: Caller, asked: Mapping[str, object]) -> list[Call]:
    """Dial every destination; returns the calls as they are while they dial. Somebody answers after some seconds."""
    caller.needs(OPERATORS)
    _check_variables(asked.get("variables", {}))
    if asked.get("anonymous", "") not in _ANONYMOUS:
        raise Refused(400, "INVALID_ANONYMOUS_VALUE")
    steps = _steps(asked.get("actions", []))
    flow = _flow(world, caller, _id(asked.get("flow_id"))) or Flow(
        id=uuid4(), customer_id=caller.customer_id, name="tmp", actions=steps, tm_create=world.clock.instant()
    )
    source, destinations = _target(asked.get("source", {})), asked.get("destinations", [])
    if not isinstance(destinations, list):
        raise _not_json()
    dialled = [world.dials(flow, source=source, destination=_target(destination)) for destination in destinations]
    return [call for call in map(world.call_of, dialled) if call is not None]


def _target(address: object) -> str:
    if not isinstance(address, dict):
        raise _not_json()
    return str(address.get("target", ""))


def _not_json() -> Refused:
    return Refused(400, "INVALID_JSON_BODY", media_type="text/plain; charset=utf-8")


def _id(text: object) -> UUID | None:
    """What is no UUID counts as not given, silently, and so does the zero UUID."""
    parsed = parsed_id(text) if isinstance(text, str) else None
    return None if parsed == ZERO else parsed


def _flow(world: World, caller: Caller, flow_id: UUID | None) -> Flow | None:
    if flow_id is None:
        return None
    flow = found(world.records.flows, flow_id, "FLOW")
    if flow.tm_delete is not None:
        raise Refused(404, "RESOURCE_NOT_FOUND")
    return owned(caller, flow, OPERATORS)


def _steps(actions: object) -> tuple[Step, ...]:
    if not isinstance(actions, list):
        raise _not_json()
    if any(not isinstance(action, dict) or action.get("type") not in _ALLOWED for action in actions):
        raise Refused(400, "INVALID_ACTION_TYPE")
    return tuple(map(_step, actions))


def _step(action: Mapping[str, object]) -> Step:
    kind, option = str(action["type"]), action.get("option", {})
    if not isinstance(option, dict) or not isinstance(option.get(_NUMBERS.get(kind, ""), 0), int):
        raise _not_json()
    if not isinstance(option.get("target_ids", {}), dict):
        raise _not_json()
    return Step(
        kind,
        option,
        _id(action.get("id")) or uuid4(),
        _id(action.get("next_id")) or ZERO,
        pushes=(Step("confbridge_join", {"confbridge_id": str(uuid4())}),) if kind in _OPENS_BRIDGE else (),
    )


def _check_variables(variables: object) -> None:
    if not isinstance(variables, dict) or not all(isinstance(value, str) for value in variables.values()):
        raise Refused(400, "INVALID_VARIABLES")
    sizes = [len(value.encode()) for value in variables.values()]
    total = sum(sizes) + sum(len(key.encode()) for key in variables)
    if len(variables) > _MOST_VARIABLES or total > _MOST_BYTES or max(sizes, default=0) > _MOST_BYTES_A_VALUE:
        raise Refused(400, "INVALID_VARIABLES")


def _webhook(asked: Mapping[str, object]) -> tuple[str, str]:
    uri, method = str(asked.get("webhook_uri", "")), str(asked.get("webhook_method", ""))
    if uri and (urlsplit(uri).scheme not in ("http", "https") or not urlsplit(uri).netloc):
        raise Refused(400, "INVALID_WEBHOOK_URI")
    if method not in ("", "POST", "GET", "PUT", "DELETE"):
        raise Refused(400, "INVALID_WEBHOOK_METHOD")
    return uri, method


# ---------------------------------------------------------------- neighbour routes
# The endpoints around activeflows: customer, agent, access keys, flows, campaigns, numbers, calls, queues.
#
# https://api.voipbin.net/docs/customer.html, …/accesskey.html, …/flow.html, …/call.html, …/queue.html

_SHORTEST_KEY_LIFE = 86_400  # seconds


async def get_customer(world: World, caller: Caller, _: Request) -> Response:
    """The customer of the credential, `webhook_secret` included."""
    caller.needs(OPERATORS)
    return ok(wire.customer(world.records.customers[caller.customer_id]))


async def get_me(_: World, caller: Caller, __: Request) -> Response:
    """The agent of a login token; an access key is nobody: 403 AGENT_AUTH_REQUIRED."""
    if caller.agent is None:
        raise Refused(403, "AGENT_AUTH_REQUIRED")
    return ok(dict(caller.agent))


async def list_accesskeys(world: World, caller: Caller, request: Request) -> Response:
    """For customer admins only, a manager is refused."""
    caller.needs(ADMIN)
    return listed(world, caller, request, world.records.accesskeys, wire.accesskey)


async def create_accesskey(world: World, caller: Caller, request: Request) -> Response:
    """`expire` is in seconds from now, a day at least; `token` is shown here and never again."""
    caller.needs(ADMIN)
    asked = await json_object(request)
    seconds = asked.get("expire")
    if not isinstance(seconds, int) or seconds < _SHORTEST_KEY_LIFE:
        raise Refused(400, "INVALID_ARGUMENT")
    key = Accesskey(
        id=uuid4(),
        customer_id=caller.customer_id,
        token=f"vb_{secrets.token_urlsafe(24)}",
        name=str(asked.get("name", "")),
        detail=str(asked.get("detail", "")),
        tm_expire=world.clock.now() + timedelta(seconds=seconds),
        tm_create=world.clock.instant(),
    )
    return ok(wire.accesskey(world.records.accesskeys.add(key), reveal=True))


async def list_flows(world: World, caller: Caller, request: Request) -> Response:
    caller.needs(OPERATORS)
    return listed(world, caller, request, world.records.flows, wire.flow)


async def get_flow(world: World, caller: Caller, request: Request) -> Response:
    return ok(wire.flow(the_one(caller, request, world.records.flows, "FLOW", OPERATORS)))


async def get_queue(world: World, caller: Caller, request: Request) -> Response:
    return ok(wire.queue(the_one(caller, request, world.records.queues, "QUEUE", OPERATORS)))


async def list_campaigns(world: World, caller: Caller, request: Request) -> Response:
    caller.needs(OPERATORS)
    return listed(world, caller, request, world.records.campaigns, wire.campaign)


async def get_campaign(world: World, caller: Caller, request: Request) -> Response:
    return ok(wire.campaign(the_one(caller, request, world.records.campaigns, "CAMPAIGN", OPERATORS)))


async def list_campaigncalls(world: World, caller: Caller, request: Request) -> Response:
    caller.needs(OPERATORS)
    return listed(world, caller, request, world.records.campaigncalls, wire.campaigncall)


async def list_numbers(world: World, caller: Caller, request: Request) -> Response:
    caller.needs(OPERATORS)
    return listed(world, caller, request, world.records.numbers, wire.number)


async def list_calls(world: World, caller: Caller, request: Request) -> Response:
    caller.needs(OPERATORS)
    return listed(world, caller, request, world.records.calls, wire.call)


async def create_calls(world: World, caller: Caller, request: Request) -> Response:
    """One call for each destination, answered while it still dials."""
    placed = place_calls(world, caller, await json_object(request))
    return ok({"calls": [wire.call(call) for call in placed], "groupcalls": []})


async def get_call(world: World, caller: Caller, request: Request) -> Response:
    return ok(wire.call(_the_call(world, caller, request)))


async def hang_up_call(world: World, caller: Caller, request: Request) -> Response:
    """No body; 200 with the call, unchanged when it is on its way out already."""
    call = _the_call(world, caller, request)
    world.telephony.drops(call, by="local")
    return ok(wire.call(call))


def _the_call(world: World, caller: Caller, request: Request) -> Call:
    """A deleted call is 409 STATE_INVALID, not 404."""
    call = found(world.records.calls, path_id(request), "CALL")
    if call.tm_delete is not None:
        raise Refused(409, "STATE_INVALID")
    return owned(caller, call, OPERATORS)


async def json_object(request: Request) -> dict[str, object]:
    """The body; Refused 400 INVALID_JSON_BODY, labelled as text as the real edge does by accident."""
    try:
        body = json.loads(await request.body())
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise Refused(400, "INVALID_JSON_BODY", media_type="text/plain; charset=utf-8")
    return body


NEIGHBOUR_ROUTES: tuple[tuple[str, str, Endpoint], ...] = (
    ("GET", "/customer", get_customer),
    ("GET", "/me", get_me),
    ("GET", "/accesskeys", list_accesskeys),
    ("POST", "/accesskeys", create_accesskey),
    ("GET", "/flows", list_flows),
    ("GET", "/flows/{id}", get_flow),
    ("GET", "/queues/{id}", get_queue),
    ("GET", "/campaigns", list_campaigns),
    ("GET", "/campaigns/{id}", get_campaign),
    ("GET", "/campaigncalls", list_campaigncalls),
    ("GET", "/numbers", list_numbers),
    ("GET", "/calls", list_calls),
    ("POST", "/calls", create_calls),
    ("GET", "/calls/{id}", get_call),
    ("POST", "/calls/{id}/hangup", hang_up_call),
)


# ---------------------------------------------------------------- activeflow routes
# The activeflow endpoints, as they behave and not as they are documented.
#
# https://api.voipbin.net/docs/activeflow.html says that DELETE does not stop and that an ended one cannot be stopped
# again; the real service stops first and answers 200 with the record, and answers a second stop with 200 and the
# unchanged record.


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

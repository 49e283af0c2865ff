"""The endpoints around activeflows: customer, agent, access keys, flows, campaigns, numbers, calls, queues.

https://api.voipbin.net/docs/customer.html, …/accesskey.html, …/flow.html, …/call.html, …/queue.html
"""

import json
import secrets
from datetime import timedelta
from uuid import uuid4

from starlette.requests import Request
from starlette.responses import Response

from bot.demo.voipbin import wire
from bot.demo.voipbin.asking import path_id
from bot.demo.voipbin.auth import Caller
from bot.demo.voipbin.creation import place_calls
from bot.demo.voipbin.endpoint import Endpoint, found, listed, ok, owned, the_one
from bot.demo.voipbin.errors import Refused
from bot.demo.voipbin.state import ADMIN, OPERATORS, Accesskey, Call
from bot.demo.voipbin.world import World

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

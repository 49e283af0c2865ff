"""POST /activeflows and POST /calls: what is checked, what is silently misread, and what then runs.

A `flow_id` that is no UUID counts as none, so that a typing mistake runs an empty temporary flow; reusing an id fails in the
database and looks like a client's error (https://api.voipbin.net/docs/activeflow_tutorial.html). A call answers as it is
while it dials (https://api.voipbin.net/docs/call_tutorial.html); this simulation has no group calls and looks after no
numbers, so it calls every destination by itself, from any source.
"""

from collections.abc import Mapping
from urllib.parse import urlsplit
from uuid import UUID, uuid4

from bot.demo.voipbin.action_types import ACTION_TYPES
from bot.demo.voipbin.asking import parsed_id
from bot.demo.voipbin.auth import Caller
from bot.demo.voipbin.endpoint import found, owned
from bot.demo.voipbin.errors import Refused
from bot.demo.voipbin.state import OPERATORS, ZERO, Activeflow, Call, Flow, Frame, Step
from bot.demo.voipbin.world import World

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

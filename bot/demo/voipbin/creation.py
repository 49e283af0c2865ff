"""POST /activeflows: what is checked, what is silently misread, and what then runs.

A `flow_id` that is no UUID counts as none, so that a typing mistake runs an empty temporary flow; reusing an id fails in the
database and looks like a client's error (https://api.voipbin.net/docs/activeflow_tutorial.html).
"""

from collections.abc import Mapping
from urllib.parse import urlsplit
from uuid import UUID, uuid4

from bot.demo.voipbin.action_types import ACTION_TYPES
from bot.demo.voipbin.asking import parsed_id
from bot.demo.voipbin.auth import Caller
from bot.demo.voipbin.endpoint import found, owned
from bot.demo.voipbin.errors import Refused
from bot.demo.voipbin.state import OPERATORS, ZERO, Activeflow, Flow, Frame, Step
from bot.demo.voipbin.world import World

_ALLOWED = ACTION_TYPES.keys() - {"empty"}  # an internal no-op
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
        raise Refused(400, "INVALID_JSON_BODY", media_type="text/plain; charset=utf-8")
    if any(not isinstance(action, dict) or action.get("type") not in _ALLOWED for action in actions):
        raise Refused(400, "INVALID_ACTION_TYPE")
    return tuple(
        Step(
            action["type"],
            action.get("option", {}),
            _id(action.get("id")) or uuid4(),
            _id(action.get("next_id")) or ZERO,
        )
        for action in actions
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

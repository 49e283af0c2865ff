"""The simulated VoIPBIN against the vendor's OpenAPI file: it deviates where the real one does, and nowhere else.

The real API and its file differ in known points. They are listed here one by one; a deviation that is not listed fails,
and so does a listed one that no answer shows any more.
"""

import re
from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator

from bot.demo.voipbin.api import reachable
from bot.demo.voipbin.endpoint import login
from bot.demo.voipbin.inventory import ACTION_TYPES
from bot.demo.voipbin.state import Step
from bot.demo.voipbin.world import World
from tests.contract.voipbin.stories import STORIES, Asked, Tell

ACTIVEFLOW, CALL, FLOW = "FlowManagerActiveflow", "CallManagerCall", "FlowManagerFlow"
SHOWN_AS = {
    "activeflow-waiting-for-digits": ACTIVEFLOW,
    "activeflow-in-a-queue": ACTIVEFLOW,
    "activeflow-without-status": ACTIVEFLOW,
    "activeflow-ended-by-itself": ACTIVEFLOW,
    "activeflow-stopped": ACTIVEFLOW,
    "timeline": ACTIVEFLOW,
    "call-progressing": CALL,
    "call-hung-up": CALL,
    "flow": FLOW,
}
DEVIATIONS = {
    ACTIVEFLOW: {
        "current_action: lacks type",  # markers
        "executed_actions[]: lacks type",
        "current_action.tm_execute: null",
        "executed_actions[].tm_execute: null",
        "executed_actions[].type: not in the list: empty",
        "tm_update: null",
        "tm_delete: null",
    },
    CALL: set(),
    FLOW: {"actions[].tm_execute: null", "tm_update: null", "tm_delete: null"},
    "CustomerManagerCustomer": {
        "unknown webhook_secret",
        "tm_deletion_scheduled: null",
        "tm_update: null",
        "tm_delete: null",
    },
    "CustomerManagerAccesskey": {"tm_expire: null", "tm_update: null", "tm_delete: null"},
    "AgentManagerAgent": {"tm_update: null", "tm_delete: null"},
}


def closed(schema: Any) -> Any:
    """The schema with unknown keys forbidden, and in JSON Schema's words where OpenAPI 3.0 has its own."""
    if isinstance(schema, list):
        return [closed(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    strict = {key: closed(part) for key, part in schema.items() if key not in ("example", "nullable")}
    if schema.get("type") == "object" and "properties" in schema:
        strict.setdefault("additionalProperties", False)
    return strict


def deviations(openapi: dict[str, Any], name: str, body: Any) -> set[str]:
    """Where a body differs from the schema, one phrase a point, list positions left out."""
    document = closed({"components": openapi["components"]}) | {"$ref": f"#/components/schemas/{name}"}
    found = set()
    for error in Draft202012Validator(document).iter_errors(body):
        where = re.sub(r"\.?\[\d+\]", "[]", error.json_path.removeprefix("$").removeprefix("."))
        prefix = f"{where}: " if where else ""
        if error.validator == "type" and error.instance is None:
            found.add(f"{prefix}null")
        elif error.validator == "required":
            found |= {f"{prefix}lacks {key}" for key in error.validator_value if key not in error.instance}
        elif error.validator == "additionalProperties":
            found |= {f"{prefix}unknown {key}" for key in error.instance.keys() - error.schema["properties"].keys()}
        elif error.validator == "enum":
            found.add(f"{prefix}not in the list: {error.instance}")
        else:
            found.add(f"{prefix}{error.message}")
    return found


@pytest.mark.parametrize("name", [ACTIVEFLOW, CALL, FLOW])
async def test_resources_deviate_from_the_file_exactly_where_the_real_ones_do(
    openapi: dict[str, Any], tell: Tell, name: str
) -> None:
    found: set[str] = set()
    for (case, _), story in STORIES.items():
        if SHOWN_AS.get(case) == name:
            body = (await tell(story)).json()
            for each in [event["data"] for event in body["result"]] if case == "timeline" else [body]:
                found |= deviations(openapi, name, each)
    assert found == DEVIATIONS[name]


def me(world: World) -> Asked:
    return Asked("GET", f"/me?token={_token(world)}", key="")


def _token(world: World) -> str:
    return str(login(world.username, world.password, world))


@pytest.mark.parametrize(
    ("name", "path"),
    [("CustomerManagerCustomer", "/customer"), ("CustomerManagerAccesskey", "/accesskeys"), ("AgentManagerAgent", "")],
)
async def test_neighbours_deviate_from_the_file_exactly_where_the_real_ones_do(
    openapi: dict[str, Any], tell: Tell, name: str, path: str
) -> None:
    body = (await tell(lambda world: Asked("GET", path) if path else me(world))).json()
    for row in body.get("result", [body]):
        assert deviations(openapi, name, row) == DEVIATIONS[name]


UNANSWERED = {"action: lacks type", "action.tm_execute: null"}  # at the marker, which the file's action cannot be


async def test_a_page_of_calls_deviates_from_the_file_only_where_nobody_has_answered_yet(
    openapi: dict[str, Any], tell: Tell
) -> None:
    def calls(world: World) -> Asked:
        answered = world.rings(world.add_flow("Helpdesk"), at="play")
        world.connects(answered, "+15550100003")
        world.dials(world.add_flow("Recall"), source="+15550100002", destination="+15550100004")
        world.caller_hangs_up(world.rings(at="talk"))
        return Asked("GET", "/calls?page_size=4")

    page = (await tell(calls)).json()
    assert {row["status"] for row in page["result"]} == {"progressing", "dialing", "hangup"}
    for row in page["result"]:
        assert deviations(openapi, CALL, row) == (UNANSWERED if row["status"] == "dialing" else DEVIATIONS[CALL])
    assert page["next_page_token"].endswith("Z")
    (listed,) = (
        part["schema"]["allOf"] for part in openapi["paths"]["/calls"]["get"]["responses"]["200"]["content"].values()
    )
    assert {"$ref": "#/components/schemas/CommonPagination"} in listed


async def test_a_placed_call_is_answered_as_the_file_says_while_it_dials(openapi: dict[str, Any]) -> None:
    there, here = ({"type": "tel", "target": f"+1555010000{number}"} for number in (1, 2))
    asked = {"source": here, "destinations": [there], "actions": [{"type": "talk", "option": {"text": "Hello"}}]}
    world = World()
    async with reachable(world) as url, httpx.AsyncClient(trust_env=False) as client:
        answer = await client.post(f"{url}/calls?accesskey={world.access_key}", json=asked)
    file = openapi["paths"]["/calls"]["post"]["responses"]
    (form,) = file["200"]["content"]["application/json"]["schema"]["allOf"]
    assert answer.json().keys() == form["properties"].keys()
    (call,) = answer.json()["calls"]
    assert deviations(openapi, CALL, call) == UNANSWERED


@pytest.mark.parametrize(("case", "status"), [(case, status) for case, status in STORIES if status >= 400])
async def test_every_refusal_is_the_envelope_of_the_file(
    openapi: dict[str, Any], tell: Tell, case: str, status: int
) -> None:
    body = (await tell(STORIES[case, status])).json()
    assert deviations(openapi, "ErrorResponse", body) == set()


async def test_action_types_unknown_to_the_file_are_the_four_that_are_missing_there(openapi: dict[str, Any]) -> None:
    listed = set(openapi["components"]["schemas"]["FlowManagerActionType"]["enum"]) - {""}
    assert ACTION_TYPES.keys() - listed == {"ai_task", "block", "case_create", "empty"}
    assert listed - ACTION_TYPES.keys() == set()


UNDOCUMENTED = {
    ("GET", "/activeflows", 403),
    ("GET", "/activeflows", 429),
    ("DELETE", "/activeflows/{id}", 200),  # the file says 204 without a body
}


async def test_statuses_outside_the_file_are_the_known_ones(openapi: dict[str, Any], tell: Tell) -> None:
    def forbidden(world: World) -> Asked:
        world.freezes(world.customer)
        return Asked("GET", "/activeflows")

    def deletion(world: World) -> Asked:
        return Asked("DELETE", f"/activeflows/{world.rings(at=Step('talk')).id}")

    told: list[tuple[str, httpx.Response]] = [
        ("/activeflows", await tell(forbidden)),
        ("/activeflows/{id}", await tell(deletion)),
        ("/activeflows", await tell(STORIES["rate-limited", 429])),
        ("/activeflows", await tell(STORIES["bad-credential", 401])),
        ("/activeflows/{id}", await tell(STORIES["no-such-activeflow", 404])),
        ("/activeflows/{id}/stop", await tell(STORIES["activeflow-stopped", 200])),
        ("/activeflows/{id}/stop", await tell(STORIES["somebody-elses", 403])),
    ]
    outside = {
        (answer.request.method, path, answer.status_code)
        for path, answer in told
        if str(answer.status_code) not in openapi["paths"][path][answer.request.method.lower()]["responses"]
    }
    assert outside == UNDOCUMENTED

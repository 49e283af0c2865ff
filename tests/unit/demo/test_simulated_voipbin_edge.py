"""The simulated edge: paths, ids, refusals, request ids and redirects as the real one gives them."""

from collections.abc import Mapping
from uuid import UUID, uuid4

import httpx
import pytest

from bot.demo.voipbin.clock import StandingClock
from bot.demo.voipbin.state import Step
from bot.demo.voipbin.world import World

SOME_ID = UUID("3c5b0f6e-7d0a-4d51-9a55-0e4f6a7712c1")


def refused(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["reason"]


@pytest.mark.parametrize(
    "form",
    [
        str(SOME_ID),
        str(SOME_ID).upper(),
        f"{{{SOME_ID}}}",
        f"urn:uuid:{SOME_ID}",
        SOME_ID.hex,
    ],
)
async def test_every_usual_form_of_an_id_is_accepted(world: World, api: httpx.AsyncClient, form: str) -> None:
    world.rings(id=SOME_ID)
    assert (await api.get(f"/activeflows/{form}")).json()["id"] == str(SOME_ID)


@pytest.mark.parametrize("form", ["abc", str(UUID(int=0)), f" {SOME_ID}", str(SOME_ID)[:-1], f"{{{SOME_ID}"])
@pytest.mark.parametrize(("method", "tail"), [("GET", ""), ("POST", "/stop"), ("DELETE", "")])
async def test_what_is_no_id_or_the_zero_id_is_refused(
    api: httpx.AsyncClient, form: str, method: str, tail: str
) -> None:
    assert refused(await api.request(method, f"/activeflows/{form}{tail}")) == (400, "INVALID_ID")


@pytest.mark.parametrize(("method", "tail"), [("GET", ""), ("POST", "/stop"), ("DELETE", "")])
async def test_absent_deleted_and_foreign_activeflows_are_told_apart(
    world: World, api: httpx.AsyncClient, method: str, tail: str
) -> None:
    stranger = world.add_customer("Somebody else")
    foreign, deleted, both = world.rings(customer=stranger), world.rings(), world.rings(customer=stranger)
    world.telephony.deletes(deleted)
    world.telephony.deletes(both)
    answers = {
        uuid4(): (404, "ACTIVEFLOW_NOT_FOUND"),
        deleted.id: (404, "RESOURCE_NOT_FOUND"),
        foreign.id: (403, "PERMISSION_DENIED"),
        both.id: (404, "RESOURCE_NOT_FOUND"),
    }
    for id_, expected in answers.items():
        assert refused(await api.request(method, f"/activeflows/{id_}{tail}")) == expected
    assert foreign.status == "running"


async def test_a_deleted_call_is_a_conflict_and_a_deleted_flow_is_not_found(
    world: World, api: httpx.AsyncClient
) -> None:
    flow = world.add_flow("Gone")
    activeflow = world.rings(flow)
    call = world.call_of(activeflow)
    assert call is not None
    call.tm_delete = flow.tm_delete = world.clock.instant()
    assert refused(await api.get(f"/calls/{call.id}")) == (409, "STATE_INVALID")
    assert refused(await api.get(f"/flows/{flow.id}")) == (404, "RESOURCE_NOT_FOUND")
    assert refused(await api.get(f"/flows/{uuid4()}")) == (404, "FLOW_NOT_FOUND")


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/nothing"), ("PUT", f"/activeflows/{SOME_ID}"), ("POST", "/auth/login"), ("DELETE", "/customer")],
)
async def test_a_wrong_path_and_a_wrong_method_are_the_same_404(
    anyone: httpx.AsyncClient, method: str, path: str
) -> None:
    assert refused(await anyone.request(method, path)) == (404, "ROUTE_NOT_FOUND")


async def test_an_empty_id_leads_to_the_list_and_echoes_the_query(api: httpx.AsyncClient) -> None:
    answer = await api.get("/activeflows/?accesskey=leaks")
    assert answer.status_code == 301
    assert answer.headers["Location"] == "/v1.0/activeflows?accesskey=leaks"
    assert "leaks" in answer.text
    assert (await api.post(f"/activeflows/{SOME_ID}/stop/")).status_code == 307
    assert refused(await api.post("/activeflows//stop")) == (400, "INVALID_ID")


@pytest.mark.parametrize(("sent", "echoed"), [("slack-01J5ZK_stop-7", True), ("x" * 65, False), ("a b", False)])
async def test_an_acceptable_request_id_is_echoed_in_header_and_envelope(
    api: httpx.AsyncClient, sent: str, echoed: bool
) -> None:
    answer = await api.get(f"/activeflows/{SOME_ID}", headers={"X-Request-Id": sent})
    given = answer.headers["X-Request-Id"]
    assert given == answer.json()["error"]["request_id"]
    assert (given == sent) is echoed
    assert echoed or (given.startswith("req_") and len(given) == 30)


async def test_the_bucket_of_the_customer_runs_empty_and_fills_again(
    world: World, api: httpx.AsyncClient, clock: StandingClock
) -> None:
    world.limits.enabled = True
    statuses = [(await api.get("/customer")).status_code for _ in range(33)]
    assert set(statuses) == {200}
    answer = await api.get("/customer")
    assert refused(answer) == (429, "RATE_LIMIT_EXCEEDED")
    assert answer.headers["Retry-After"] == "1"
    assert answer.json()["error"]["details"] == [{"limited_by": "customer"}]
    clock.passes(1)
    assert [(await api.get("/customer")).status_code for _ in range(18)] == [200] * 17 + [429]
    assert world.limits.refused == 2


async def test_the_customer_shows_the_secret_no_document_mentions(world: World, api: httpx.AsyncClient) -> None:
    body = (await api.get("/customer")).json()
    assert (body["id"], body["webhook_secret"]) == (str(world.customer.id), world.customer.webhook_secret)


async def test_a_created_activeflow_is_answered_as_it_is_before_its_first_step(
    world: World, api: httpx.AsyncClient
) -> None:
    flow = world.add_flow("Batch", [Step("message_send", lasts=5)])
    created = (await api.post("/activeflows", json={"flow_id": str(flow.id), "id": str(SOME_ID)})).json()
    assert (created["id"], created["status"], created["reference_type"]) == (str(SOME_ID), "running", "api")
    assert "executed_actions" not in created
    later = (await api.get(f"/activeflows/{SOME_ID}")).json()
    assert later["current_action"]["type"] == "message_send"


@pytest.mark.parametrize(
    ("body", "code", "reason"),
    [
        ({"id": str(SOME_ID)}, 400, "INVALID_ARGUMENT"),
        ({"flow_id": str(SOME_ID)}, 404, "FLOW_NOT_FOUND"),
        ({"variables": {"a": 1}}, 400, "INVALID_VARIABLES"),
        ({"variables": {str(n): "" for n in range(101)}}, 400, "INVALID_VARIABLES"),
        ({"webhook_uri": "ftp://example.com"}, 400, "INVALID_WEBHOOK_URI"),
        ({"webhook_uri": "https://example.com", "webhook_method": "PATCH"}, 400, "INVALID_WEBHOOK_METHOD"),
        ({"actions": [{"type": "dance"}]}, 400, "INVALID_ACTION_TYPE"),
    ],
)
async def test_a_bad_creation_is_refused(
    world: World, api: httpx.AsyncClient, body: Mapping[str, object], code: int, reason: str
) -> None:
    world.rings(id=SOME_ID)
    assert refused(await api.post("/activeflows", json=body)) == (code, reason)


async def test_a_flow_id_that_is_no_id_silently_runs_an_empty_flow(world: World, api: httpx.AsyncClient) -> None:
    created = await api.post("/activeflows", json={"flow_id": "a typing mistake"})
    assert created.status_code == 200
    assert world.activeflow(UUID(created.json()["id"])).status == "ended"


async def test_json_that_is_none_is_refused_as_text(api: httpx.AsyncClient) -> None:
    answer = await api.post("/activeflows", content=b"{")
    assert refused(answer) == (400, "INVALID_JSON_BODY")
    assert answer.headers["Content-Type"].startswith("text/plain")


async def test_a_timeline_is_newest_first_and_drops_its_token_when_done(world: World, api: httpx.AsyncClient) -> None:
    activeflow = world.rings(at="answer")
    world.moves_to(activeflow, "talk")
    world.caller_hangs_up(activeflow)
    own = (await api.get(f"/timelines/activeflows/{activeflow.id}/events")).json()
    assert [e["event_type"] for e in own["result"]] == ["activeflow_updated"] * 2 + ["activeflow_created"]
    assert [e["data"]["status"] for e in own["result"]] == ["ended", "running", "running"]
    assert "next_page_token" not in own
    every = (await api.get("/aggregated-events", params={"call_id": str(activeflow.reference_id)})).json()
    assert "call_hangup" in {e["event_type"] for e in every["result"]}
    page = (await api.get(f"/timelines/activeflows/{activeflow.id}/events", params={"page_size": 2})).json()
    assert len(page["next_page_token"].partition(".")[2]) == len("123Z")


@pytest.mark.parametrize(
    ("path", "code", "reason"),
    [
        ("/aggregated-events", 400, "MISSING_REQUEST_PARAMETER"),
        (f"/aggregated-events?call_id={SOME_ID}&activeflow_id={SOME_ID}", 400, "MISSING_REQUEST_PARAMETER"),
        ("/aggregated-events?call_id=x", 400, "INVALID_CALL_ID"),
        (f"/aggregated-events?activeflow_id={SOME_ID}", 404, "RESOURCE_NOT_FOUND"),
        (f"/timelines/calls/{SOME_ID}/events", 400, "INVALID_RESOURCE_TYPE"),
        (f"/timelines/activeflows/{SOME_ID}/events", 404, "ACTIVEFLOW_NOT_FOUND"),
    ],
)
async def test_a_timeline_that_cannot_be_told_is_refused(
    api: httpx.AsyncClient, path: str, code: int, reason: str
) -> None:
    assert refused(await api.get(path)) == (code, reason)


async def test_every_request_is_written_down_with_what_was_answered(world: World, api: httpx.AsyncClient) -> None:
    await api.get("/activeflows", params={"page_size": 3})
    await api.get(f"/activeflows/{SOME_ID}")
    assert [(r.method, r.path, r.query, r.status) for r in world.requests] == [
        ("GET", "/v1.0/activeflows", "page_size=3", 200),
        ("GET", f"/v1.0/activeflows/{SOME_ID}", "", 404),
    ]
    assert world.requests_to("GET", "/activeflows/{id}") == world.requests[1:]
    assert world.requests_to("GET", "/activeflows") == world.requests[:1]
    assert world.access_key not in repr(world.requests)

"""The page's server: what it streams, what it lets people do, and whom it refuses."""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot.demo.serving import serving
from bot.demo.slack import Workspace, serving_slack
from bot.demo.slack.app import PAGE, stream
from bot.demo.slack.view_methods import opened

BUTTONS = [
    {"type": "button", "action_id": "stop", "value": value, "text": {"type": "plain_text", "text": "Stop"}}
    for value in ("one", "two")
]
ROWS = [
    {
        "type": "section",
        "block_id": f"row{n}",
        "text": {"type": "mrkdwn", "text": "x"},
        "accessory": button,
    }
    for n, button in enumerate(BUTTONS)
]


@pytest.fixture
async def workspace() -> AsyncIterator[Workspace]:
    async def agree(_: Request) -> Response:
        return Response()

    slack = Workspace()
    slack.add_user("U0ALICE", "alice", real_name="Alice", about="May stop")
    slack.add_user("U0GONE", "gone", deleted=True)
    slack.add_user("U0BOB", "bob")
    slack.add_channel("C0OPS", "incidents", members=["U0ALICE", "U0BOB"])
    slack.add_channel("C0HID", "secret", members=["U0BOB"], is_private=True)
    async with serving_slack(slack), serving(Starlette(routes=[Route("/", agree, methods=["POST"])])) as bot:
        slack.request_url = bot
        yield slack


@pytest.fixture
async def browser(workspace: Workspace) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=workspace.url, trust_env=False) as client:
        yield client


async def test_the_page_is_served_with_a_policy_that_allows_nothing_from_outside(browser: httpx.AsyncClient) -> None:
    page = await browser.get("/")
    assert page.status_code == 200
    assert "default-src 'none'" in page.headers["content-security-policy"]
    for path in PAGE.rglob("*.*"):
        served = await browser.get(f"/page/{path.relative_to(PAGE)}")
        assert served.status_code == 200, path


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "127.0.0.1.evil.example"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
    ],
)
async def test_another_website_cannot_read_or_drive_the_workspace(
    workspace: Workspace, browser: httpx.AsyncClient, headers: dict[str, str]
) -> None:
    asked = {"user": "U0ALICE", "channel": "C0OPS", "text": "hello"}
    for path in ("/", "/client/people", "/page/app.js", "/client/stream?user=U0ALICE"):
        assert (await browser.get(path, headers=headers)).status_code == 403
    assert (await browser.post("/client/type", json=asked, headers=headers)).status_code == 403
    assert workspace.sees("U0ALICE", "C0OPS") == []


async def test_a_form_of_another_page_is_not_taken_for_json(workspace: Workspace, browser: httpx.AsyncClient) -> None:
    body = json.dumps({"user": "U0ALICE", "channel": "C0OPS", "text": "hello"})
    assert (await browser.post("/client/type", content=body, headers={"Content-Type": "text/plain"})).status_code == 415
    assert workspace.sees("U0ALICE", "C0OPS") == []


async def test_people_are_those_who_can_act(browser: httpx.AsyncClient) -> None:
    described = (await browser.get("/client/people")).json()
    assert [(person["name"], person["about"]) for person in described["people"]] == [("Alice", "May stop"), ("bob", "")]
    assert described["commands"][0]["command"] == "/flows"


async def test_a_press_reaches_the_very_button(workspace: Workspace, browser: httpx.AsyncClient) -> None:
    card = workspace.post("C0OPS", workspace.bot_user_id, "card", blocks=ROWS)
    pressed = {"user": "U0BOB", "channel": "C0OPS", "ts": card.ts, "action_id": "stop", "block_id": "row1"}
    assert (await browser.post("/client/click", json=pressed)).json() == {"error": None}
    assert workspace.deliveries[-1].payload["actions"][0]["value"] == "two"
    gone = await browser.post("/client/click", json=pressed | {"block_id": "row7"})
    assert (gone.status_code, gone.json()["error"]) == (409, "This message has changed since.")


async def test_a_menu_offers_what_the_app_says_and_takes_nothing_else(
    workspace: Workspace, browser: httpx.AsyncClient
) -> None:
    menu = {"type": "external_select", "action_id": "pick", "min_query_length": 0}
    block = {"type": "actions", "block_id": "row", "elements": [menu]}
    card = workspace.post("C0OPS", workspace.bot_user_id, "which?", blocks=[block])
    option = {"text": {"type": "plain_text", "text": "Main menu"}, "value": "one"}

    async def offer(_: Request) -> Response:
        return JSONResponse({"options": [option]})

    here = {"user": "U0BOB", "channel": "C0OPS", "ts": card.ts, "action_id": "pick", "block_id": "row"}
    assert (await browser.post("/client/choose", json={**here, "option": "one"})).status_code == 409
    async with serving(Starlette(routes=[Route("/", offer, methods=["POST"])])) as workspace.request_url:
        offered = await browser.post("/client/suggest", json={**here, "typed": "main"})
        assert offered.json() == {"error": None, "groups": [{"options": [option]}]}
        assert workspace.deliveries[-1].payload["value"] == "main"
        assert (await browser.post("/client/choose", json={**here, "option": "one"})).json() == {"error": None}
        assert workspace.deliveries[-1].payload["actions"][0]["selected_option"]["value"] == "one"
        shortcut = {"user": "U0BOB", "channel": "C0OPS", "callback_id": "activeflow.stop"}
        assert (await browser.post("/client/global", json=shortcut)).json() == {"error": None}
        assert workspace.deliveries[-1].payload["type"] == "shortcut"
    described = (await browser.get("/client/people")).json()
    assert [entry["callback_id"] for entry in described["globals"]] == ["activeflow.stop"]


async def test_what_slack_would_show_as_an_error_is_answered(workspace: Workspace, browser: httpx.AsyncClient) -> None:
    workspace.request_url = None
    asked = {"user": "U0ALICE", "channel": "C0OPS", "text": "/flows list"}
    answer = (await browser.post("/client/type", json=asked)).json()
    assert answer == {"error": '/flows failed with the error "dispatch_failed"'}


async def test_the_stream_starts_with_everything_and_goes_on_with_what_changed(workspace: Workspace) -> None:
    first = workspace.post("C0OPS", "U0BOB", "one")
    workspace.post("C0OPS", "U0BOB", "not for Alice", ephemeral_to="U0BOB")
    events = stream(workspace, "U0ALICE")

    async def event() -> dict[str, Any]:
        sent: dict[str, Any] = json.loads((await anext(events)).removeprefix("data: "))
        return sent

    beginning = await event()
    assert beginning["reset"] is True
    assert {key for key in beginning["put"] if "/" in key} == {"channel/C0OPS", f"message/C0OPS/{first.ts}"}
    workspace.edit(first, text="two")
    edited = await event()
    assert [thing["text"] for thing in edited["put"].values()] == ["two"]
    workspace.delete("C0OPS", first.ts)
    assert (await event())["drop"] == [f"message/C0OPS/{first.ts}"]
    workspace.post("C0HID", "U0BOB", "secret")
    assert (await event())["put"] == {}
    await events.aclose()


async def test_a_modal_of_somebody_else_cannot_be_touched(workspace: Workspace, browser: httpx.AsyncClient) -> None:
    content = {"type": "modal", "title": {"type": "plain_text", "text": "T"}, "blocks": []}
    view = opened(workspace, "U0ALICE", content)
    workspace.stack("U0ALICE", [view])
    asked = {"view": view.id, "values": {}}
    assert (await browser.post("/client/submit", json={"user": "U0BOB", **asked})).status_code == 409
    assert (await browser.post("/client/submit", json={"user": "U0ALICE", **asked})).status_code == 200
    assert workspace.views_of("U0ALICE") == []


@given(st.lists(st.tuples(st.sampled_from(["post", "whisper", "edit", "delete"]), st.integers(0, 9)), max_size=25))
async def test_all_differences_together_are_the_screen(steps: list[tuple[str, int]]) -> None:
    slack = Workspace()
    slack.add_user("U0ALICE", "alice")
    slack.add_channel("C0OPS", "incidents", members=["U0ALICE"])
    events = stream(slack, "U0ALICE")
    page: dict[str, Any] = {}
    await _follow(page, events)
    for what, which in steps:
        seen = slack.sees("U0ALICE", "C0OPS")
        if what in {"post", "whisper"}:
            reader = ["U0ALICE", "U0BOB"][which % 2] if what == "whisper" else None
            slack.post("C0OPS", slack.bot_user_id, f"text {which}", ephemeral_to=reader)
        elif not seen:
            continue
        elif what == "edit":
            slack.edit(seen[which % len(seen)], text=f"edited {which}")
        else:
            slack.delete("C0OPS", seen[which % len(seen)].ts)
        await _follow(page, events)
    shown = {key: thing["text"] for key, thing in page.items() if key.startswith("message/")}
    assert shown == {f"message/C0OPS/{m.ts}": m.text for m in slack.sees("U0ALICE", "C0OPS")}
    await events.aclose()


async def _follow(page: dict[str, Any], events: AsyncIterator[str]) -> None:
    told = json.loads((await anext(events)).removeprefix("data: "))
    for key in told["drop"]:
        del page[key]
    page.update(told["put"])

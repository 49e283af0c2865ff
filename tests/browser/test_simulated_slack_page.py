"""The page of the simulated Slack in a real browser: typing, pressing, asking, live updates, hostile names, small
screens.
"""

import json
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot.demo.serving import serving
from bot.demo.slack import Workspace, serving_slack

HOSTILE = "<img src=x onerror=document.title='owned'> *bold* :x: <!channel>"

pytestmark = pytest.mark.asyncio(loop_scope="session")


def _plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text}


def _card() -> list[dict[str, Any]]:
    escaped = HOSTILE.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    question = {
        "title": _plain("Sure?"),
        "text": _plain("It hangs up."),
        "confirm": _plain("Yes"),
        "deny": _plain("No"),
    }
    stop = {"type": "button", "action_id": "stop", "text": _plain("Stop"), "style": "danger", "confirm": question}
    return [
        {"type": "header", "text": _plain("<b>Card</b>")},
        {"type": "section", "text": {"type": "mrkdwn", "text": f"{escaped} for <@U0ALICE> `a&lt;b`"}},
        {"type": "actions", "elements": [stop, {"type": "button", "action_id": "bad", "text": _plain("Bad")}]},
        {"type": "actions", "elements": [{"type": "button", "action_id": "ask", "text": _plain("Ask")}]},
    ]


def _modal() -> dict[str, Any]:
    why = {"type": "plain_text_input", "action_id": "text"}
    asked = {"type": "input", "block_id": "why", "label": _plain("Reason"), "element": why}
    return {"type": "modal", "title": _plain("A reason"), "submit": _plain("Send"), "blocks": [asked]}


@pytest_asyncio.fixture(loop_scope="session")
async def workspace() -> AsyncIterator[Workspace]:
    slack = Workspace()
    slack.add_user("U0ALICE", "alice", real_name="Alice Doe", about="May stop")
    slack.add_user("U0BOB", "bob", real_name="Bob Roe", about="May look")
    slack.add_channel("C0OPS", "incidents", members=["U0ALICE", "U0BOB"])
    slack.add_channel("C0GEN", "general", members=["U0ALICE", "U0BOB"])

    async def heard(request: Request) -> Response:
        return await _bot(slack, request)

    async with serving_slack(slack), serving(Starlette(routes=[Route("/", heard, methods=["POST"])])) as bot:
        slack.request_url = bot
        yield slack


async def _bot(slack: Workspace, request: Request) -> Response:
    body = (await request.body()).decode()
    if body.startswith("{"):
        event = json.loads(body)["event"]
        heard = {"channel": event["channel"], "thread_ts": event.get("thread_ts"), "text": "heard in the thread"}
        await _call(slack, "chat.postMessage", heard)
        return Response()
    form = {key: values[0] for key, values in parse_qs(body).items()}
    if "payload" not in form:
        return JSONResponse({"text": "*private* answer"}) if form["text"] == "list" else Response(status_code=500)
    told = json.loads(form["payload"])
    if told["type"] == "view_submission":
        words = told["view"]["state"]["values"]["why"]["text"]["value"]
        again = JSONResponse({"response_action": "errors", "errors": {"why": "More."}})
        return again if words == "short" else Response()
    match told["actions"][0]["action_id"]:
        case "stop":
            card = slack.message("C0OPS", told["message"]["ts"])
            slack.edit(card, text=f"stopped by <@{told['user']['id']}>")
        case "ask":
            arguments = {"trigger_id": told["trigger_id"], "view": _modal()}
            await _call(slack, "views.open", arguments)
        case _:
            return Response(status_code=500)
    return Response()


async def _call(slack: Workspace, method: str, arguments: dict[str, Any]) -> None:
    async with httpx.AsyncClient(trust_env=False) as client:
        headers = {"Authorization": f"Bearer {slack.bot_token}"}
        answer = await client.post(f"{slack.url}/api/{method}", json=arguments, headers=headers)
        assert answer.json()["ok"], answer.text


@pytest_asyncio.fixture(loop_scope="session")
async def page(workspace: Workspace, browser: Browser) -> AsyncIterator[Page]:
    page = await _open(browser, workspace)
    broken: list[str] = []
    page.on("pageerror", lambda error: broken.append(str(error)))
    yield page
    assert broken == []


async def _open(browser: Browser, workspace: Workspace, *, width: int = 1400, person: str | None = None) -> Page:
    page = await browser.new_page(viewport={"width": width, "height": 800})
    await page.goto(workspace.url)
    await expect(page.get_by_role("heading", name="# incidents")).to_be_visible()
    if person:
        await page.locator("#you").click()
        await page.get_by_role("option", name=person).click()
        await expect(page.locator("#you")).to_contain_text(person)
    return page


async def test_a_command_is_suggested_sent_answered_and_recalled(page: Page) -> None:
    line = page.get_by_label("Message", exact=True)
    await line.press_sequentially("/f")
    await expect(page.get_by_role("option", name="/flows")).to_be_visible()
    await line.press("Enter")
    await expect(line).to_have_value("/flows ")
    await line.press_sequentially("list")
    await line.press("Enter")
    answer = page.locator(".message", has_text="private answer")
    await expect(answer.get_by_text("Only visible to you")).to_be_visible()
    await expect(answer.locator("b", has_text="private")).to_be_visible()
    await line.press("ArrowUp")
    await expect(line).to_have_value("/flows list")


async def test_a_failing_command_is_said_where_slack_says_it(page: Page) -> None:
    line = page.get_by_label("Message", exact=True)
    await line.fill("/flows <b>")
    await line.press("Enter")
    await expect(page.get_by_text('/flows failed with the error "dispatch_failed"')).to_be_visible()


async def test_a_press_asks_first_and_both_people_see_the_result_at_once(
    workspace: Workspace, page: Page, browser: Browser
) -> None:
    other = await _open(browser, workspace, person="Bob Roe")
    workspace.post("C0OPS", workspace.bot_user_id, "card", blocks=_card())
    await page.get_by_role("button", name="Stop", exact=True).click()
    await page.get_by_role("button", name="No", exact=True).click()
    await expect(page.get_by_role("dialog")).to_have_count(0)
    assert workspace.deliveries == []
    await page.get_by_role("button", name="Stop", exact=True).click()
    await page.get_by_role("button", name="Yes").click()
    for screen in (page, other):
        await expect(screen.locator(".message", has_text="stopped by @Alice Doe")).to_contain_text("(edited)")


async def test_hostile_names_are_words(workspace: Workspace, page: Page) -> None:
    workspace.post("C0OPS", workspace.bot_user_id, "card", blocks=_card())
    message = page.locator(".message")
    await expect(message).to_contain_text("<img src=x onerror=document.title='owned'> bold")
    await expect(message).to_contain_text("<!channel> for @Alice Doe a<b")
    await expect(message.get_by_role("heading", name="<b>Card</b>")).to_be_visible()
    await expect(message.locator("img:not(.avatar)")).to_have_count(0)
    await expect(page).not_to_have_title("owned")


async def test_a_press_that_fails_shows_a_triangle(workspace: Workspace, page: Page) -> None:
    workspace.post("C0OPS", workspace.bot_user_id, "card", blocks=_card())
    await page.get_by_role("button", name="Bad").click()
    await expect(page.get_by_label('flows-bot failed with the error "dispatch_failed"')).to_be_visible()


async def test_a_modal_is_filled_corrected_and_sent_by_keyboard(workspace: Workspace, page: Page) -> None:
    workspace.post("C0OPS", workspace.bot_user_id, "card", blocks=_card())
    await page.get_by_role("button", name="Ask").press("Enter")
    reason = page.get_by_label("Reason", exact=True)
    await expect(reason).to_be_focused()
    await reason.press("Enter")
    await expect(page.get_by_role("alert").filter(has_text="Please complete this required field.")).to_be_visible()
    await reason.fill("short")
    await reason.press("Enter")
    await expect(page.get_by_role("alert").filter(has_text="More.")).to_be_visible()
    await expect(reason).to_have_value("short")
    await reason.fill("the caller is stuck")
    await reason.press("Enter")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    assert workspace.views_of("U0ALICE") == []


async def test_a_mention_in_a_thread_is_answered_there(workspace: Workspace, page: Page) -> None:
    workspace.post("C0OPS", "U0BOB", "the line is down")
    workspace.post("C0OPS", "U0BOB", "anybody?")
    message = page.locator("li.message", has_text="the line is down")
    await message.get_by_role("button", name="Reply in thread").press("Enter")
    line = page.get_by_label("Message", exact=True)
    await expect(page.get_by_text("Replying in the thread under")).to_be_visible()
    await line.press_sequentially("@flo")
    await line.press("Enter")
    await expect(line).to_have_value("@flows-bot ")
    await line.press_sequentially("list")
    await line.press("Enter")
    thread = message.locator(".thread")
    await expect(thread.locator(".message")).to_have_count(2)
    await expect(thread).to_contain_text("@flows-bot list")
    await expect(thread).to_contain_text("heard in the thread")
    await line.fill("/flows list")
    await line.press("Enter")
    await expect(thread).to_contain_text("/flows is not supported in threads. Sorry!")
    await page.get_by_role("button", name="Leave the thread").click()
    await line.fill("outside again")
    await line.press("Enter")
    await expect(page.locator("li.message", has_text="outside again")).to_be_visible()
    await expect(thread.locator(".message")).to_have_count(3)


async def test_another_channel_is_marked_unread_until_it_is_opened(workspace: Workspace, page: Page) -> None:
    workspace.post("C0GEN", "U0BOB", "news")
    general = page.get_by_role("button", name="general")
    await expect(general.get_by_label("unread")).to_be_visible()
    await general.click()
    await expect(page.locator(".message", has_text="news")).to_be_visible()
    await expect(general.get_by_label("unread")).to_have_count(0)


@pytest.mark.parametrize("width", [400, 800, 1400])
async def test_nothing_sticks_out_on_any_screen(workspace: Workspace, browser: Browser, width: int) -> None:
    workspace.post("C0OPS", workspace.bot_user_id, "card", blocks=_card())
    workspace.post("C0OPS", "U0BOB", "an-endless-word-" * 30)
    page = await _open(browser, workspace, width=width)
    await expect(page.locator(".message")).to_have_count(2)
    assert await page.evaluate("document.documentElement.scrollWidth") <= width
    assert await page.locator("#scroller").evaluate("node => node.scrollWidth - node.clientWidth") == 0


async def test_a_permalink_leads_to_its_message(workspace: Workspace, browser: Browser) -> None:
    ts = workspace.post("C0GEN", "U0BOB", "the very message").ts
    for n in range(30):
        workspace.post("C0GEN", "U0BOB", f"later {n}")
    page = await browser.new_page(viewport={"width": 1400, "height": 500})
    await page.goto(f"{workspace.url}/archives/C0GEN/p{ts.replace('.', '')}")
    await expect(page.locator(".message", has_text="the very message")).to_be_in_viewport()


async def test_an_open_menu_stays_when_a_message_comes(workspace: Workspace, page: Page) -> None:
    await page.locator("#you").click()
    workspace.post("C0OPS", "U0BOB", "news")
    await expect(page.locator(".message", has_text="news")).to_be_visible()
    await page.get_by_role("option", name="Bob Roe").click()
    await expect(page.locator("#you")).to_contain_text("Bob Roe")


async def test_what_comes_below_the_fold_is_announced(workspace: Workspace, page: Page) -> None:
    for n in range(40):
        workspace.post("C0OPS", "U0BOB", f"line {n}")
    await expect(page.get_by_text("line 39")).to_be_in_viewport()
    await page.locator("#scroller").evaluate("node => { node.scrollTop = 0; }")
    workspace.post("C0OPS", "U0BOB", "the news")
    await page.get_by_role("button", name="New messages").click()
    await expect(page.get_by_text("the news")).to_be_in_viewport()
    await expect(page.get_by_role("button", name="New messages")).to_have_count(0)


async def test_a_press_is_that_of_whoever_one_is_now(workspace: Workspace, page: Page) -> None:
    workspace.post("C0OPS", workspace.bot_user_id, "card", blocks=_card())
    await expect(page.get_by_role("button", name="Bad")).to_be_visible()
    await page.locator("#you").click()
    await page.get_by_role("option", name="Bob Roe").click()
    await expect(page.locator("#you")).to_contain_text("Bob Roe")
    await page.get_by_role("button", name="Bad").click()
    await workspace.until(lambda: workspace.deliveries)
    assert workspace.deliveries[-1].user == "U0BOB"

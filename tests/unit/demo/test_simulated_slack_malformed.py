"""Whatever JSON a bot sends, the simulated Slack takes it or refuses it, and what it takes it can show."""

import copy
from contextlib import suppress
from typing import Any

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.demo.slack import Workspace
from bot.demo.slack.method import Refused
from bot.demo.slack.web_api import METHODS, call
from tests.unit.demo.small_bot import SmallBot


def _plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text}


_BUTTON = {"type": "button", "action_id": "stop", "text": _plain("Stop"), "value": "1", "style": "danger"}
_OPTION = {"text": _plain("One"), "value": "1", "description": _plain("first")}
_MENU = {
    "type": "static_select",
    "action_id": "which",
    "option_groups": [{"label": _plain("All"), "options": [_OPTION]}],
}
_CONFIRM = {"title": _plain("Sure?"), "text": _plain("It ends."), "confirm": _plain("Yes"), "deny": _plain("No")}
_RICH = {
    "type": "rich_text_section",
    "elements": [{"type": "text", "text": "a"}, {"type": "user", "user_id": "U0ALICE"}],
}
_PICTURE = {"type": "image", "image_url": "https://a.example/i.png", "alt_text": "a picture"}
SECTION = {"type": "section", "block_id": "s", "text": _plain("x"), "fields": [{"type": "mrkdwn", "text": "*y*"}]}
EVERYWHERE: list[dict[str, Any]] = [
    {**SECTION, "accessory": {**_BUTTON, "confirm": _CONFIRM}},
    {"type": "actions", "elements": [_BUTTON, _MENU, {"type": "overflow", "action_id": "o", "options": [_OPTION]}]},
    {"type": "actions", "elements": [{"type": "checkboxes", "action_id": "c", "options": [_OPTION]}]},
    {"type": "context", "elements": [_PICTURE, {"type": "mrkdwn", "text": "z"}]},
    {"type": "header", "text": _plain("head")},
    {"type": "rich_text", "elements": [_RICH, {"type": "rich_text_list", "style": "bullet", "elements": [_RICH]}]},
    {**_PICTURE, "title": _plain("a title")},
]
MESSAGE = {
    "channel": "C0OPS",
    "text": "card",
    "blocks": [*EVERYWHERE, {"type": "table", "rows": [[{"type": "raw_text", "text": "t"}]]}],
    "metadata": {"event_type": "card", "event_payload": {"id": "1"}},
}
_INPUT = {"type": "input", "label": _plain("Why"), "hint": _plain("a word"), "block_id": "why"}
_MODAL = {
    "type": "modal",
    "title": _plain("Stop"),
    "submit": _plain("Stop"),
    "close": _plain("No"),
    "callback_id": "stop",
    "private_metadata": "1",
    "blocks": [*EVERYWHERE, {**_INPUT, "element": {"type": "plain_text_input", "action_id": "text"}}],
}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3) | st.sampled_from(["button", "mrkdwn", "image"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["type", "text", "elements"]), inner),
    max_leaves=4,
)
WHOLE = st.one_of(JSON, st.sampled_from([[], {}, "", [[]], {"type": []}, {"type": {}}, {"text": []}]))


def _paths(node: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inside = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    return [at] * bool(at) + [path for key, item in inside for path in _paths(item, (*at, key))]


def _damaged(whole: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    """One part of it is something else, or is not there."""

    def damage(path: tuple[Any, ...], part: Any) -> dict[str, Any]:
        broken = copy.deepcopy(whole)
        node: Any = broken
        for key in path[:-1]:
            node = node[key]
        if part is _ABSENT:
            del node[path[-1]]
        else:
            node[path[-1]] = part
        return broken

    return st.builds(damage, st.sampled_from(_paths(whole)), WHOLE | st.just(_ABSENT))


_ABSENT = object()


def _team() -> Workspace:
    slack = Workspace()
    slack.limits.enabled = False
    slack.add_user("U0ALICE", "alice")
    slack.add_channel("C0OPS", "incidents", members=["U0ALICE"])
    return slack


def _taken(slack: Workspace, method: str, arguments: Any) -> bool:
    try:
        call(slack, method, slack.bot_token, arguments)
    except Refused:
        return False
    return True


@pytest.mark.parametrize(("method", "arguments"), [("chat.postMessage", MESSAGE)])
def test_the_whole_message_is_taken(method: str, arguments: dict[str, Any]) -> None:
    assert _taken(_team(), method, arguments)
    assert _taken(_team(), "views.publish", {"user_id": "U0ALICE", "view": {"type": "home", "blocks": EVERYWHERE}})


@given(_damaged(MESSAGE))
def test_a_damaged_message_is_refused_or_shown(arguments: dict[str, Any]) -> None:
    slack = _team()
    if _taken(slack, "chat.postMessage", arguments):
        for message in slack.sees("U0ALICE", "C0OPS"):
            assert isinstance(message.words, str)
            assert isinstance(message.buttons, list)
            _taken(slack, "chat.update", {**arguments, "ts": message.ts})


@given(_damaged({"trigger_id": "x", "view": _MODAL}))
def test_a_damaged_view_is_refused_or_shown(arguments: dict[str, Any]) -> None:
    slack = _team()
    if isinstance(arguments.get("trigger_id"), str):
        arguments["trigger_id"] = slack.triggers.give("U0ALICE")
    if _taken(slack, "views.open", arguments):
        (view,) = slack.views_of("U0ALICE")
        assert isinstance(view.words, str)
        assert isinstance(view.buttons, list)


@given(
    st.sampled_from(sorted(METHODS)),
    st.dictionaries(
        st.sampled_from(
            [
                "channel",
                "ts",
                "user",
                "users",
                "cursor",
                "view",
                "thread_ts",
                "text",
                "limit",
                "usergroup",
                "include_users",
                "blocks",
                "user_id",
            ]
        ),
        WHOLE,
    ),
)
def test_every_method_takes_or_refuses_whatever_comes(method: str, arguments: dict[str, Any]) -> None:
    slack = _team()
    token = slack.app_token if METHODS[method].token == "app" else slack.bot_token
    with suppress(Refused):
        call(slack, method, token, arguments)


@pytest.mark.parametrize(
    ("body", "content_type", "code"),
    [
        (b"{", "application/json", "invalid_json"),
        (b"[" * 100_000, "application/json", "invalid_json"),
        (b"[1]", "application/json; charset=utf-8", "json_not_object"),
        (b"text=\xff\xfe", "application/x-www-form-urlencoded", "invalid_form_data"),
    ],
)
async def test_a_body_that_cannot_be_read_is_refused(
    slack: Workspace, bot: SmallBot, body: bytes, content_type: str, code: str
) -> None:
    headers = {"Authorization": f"Bearer {slack.bot_token}", "Content-Type": content_type}
    async with bot.session.post(f"{slack.url}/api/chat.postMessage", data=body, headers=headers) as answer:
        assert (answer.status, (await answer.json())["error"]) == (200, code)


@pytest.mark.parametrize(
    "body", [b"{", b"[]", b"[" * 100_000, b'{"text": 5}', b'{"text": "x", "blocks": {"type": []}}']
)
async def test_an_answer_that_cannot_be_read_is_refused(slack: Workspace, bot: SmallBot, body: bytes) -> None:
    await slack.types("U0ALICE", "C0OPS", "/flows list")
    url = bot.heard[0]["response_url"]
    async with bot.session.post(url, data=body, headers={"Content-Type": "application/json"}) as answer:
        assert answer.status == 400
    assert slack.sees("U0ALICE", "C0OPS") == []


@pytest.mark.parametrize("frame", ["{", "[]", "null", '{"envelope_id": []}', '{"envelope_id": {}}'])
async def test_a_frame_that_cannot_be_read_is_ignored(slack: Workspace, bot: SmallBot, frame: str) -> None:
    url = slack.socket.ticket(slack.url)
    async with aiohttp.ClientSession() as session, session.ws_connect(url) as socket:
        await socket.receive_json()
        await socket.send_str(frame)
        slack.socket_mode = True
        slack.background.start(slack.types("U0ALICE", "C0OPS", "/flows list"))
        envelope = await socket.receive_json()
        await socket.send_json({"envelope_id": envelope["envelope_id"]})
        await slack.until(lambda: slack.deliveries)
    assert slack.deliveries[0].error is None

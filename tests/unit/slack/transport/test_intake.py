"""Any bytes with any headers: never a server error, and never dispatched unless correctly signed."""

import functools
import hashlib
import hmac
import json
from typing import Any
from urllib.parse import parse_qsl, quote_plus, unquote_to_bytes, urlencode

import httpx
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from slack_bolt.async_app import AsyncAck
from slack_sdk.web.async_client import AsyncWebClient
from starlette.applications import Starlette

from bot.slack.listeners.bolt_app import _Installed
from bot.slack.messaging.web_client import quiet
from bot.slack.people.installation import Installation
from bot.slack.transport.http import always_ready, http_app
from bot.slack.transport.intake import (
    App,
    Intake,
    NotSigned,
    Unreadable,
    is_ours,
    is_ssl_check,
    kind_of,
    read,
    signature_of,
    unquoted,
)

SECRET = "5117a4ed5117a4ed5117a4ed5117a4ed"
NOW = 1_795_348_990
HOME = Installation("T1", "U0BOT", "B0BOT", app_id="A1")
FORM = "application/x-www-form-urlencoded"
COMMAND = {"command": "/flows", "team_id": "T1", "api_app_id": "A1", "user_id": "U1", "text": "list"}
CLICK: dict[str, Any] = {
    "type": "block_actions",
    "team": {"id": "T1"},
    "api_app_id": "A1",
    "user": {"id": "U1", "team_id": "T1"},
    "actions": [{"action_id": "press", "block_id": "b", "type": "button"}],
}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)


def signature(body: bytes, stamp: int | str = NOW, secret: str = SECRET) -> str:
    digest = hmac.new(secret.encode(), f"v0:{stamp}:".encode() + body, hashlib.sha256)
    return f"v0={digest.hexdigest()}"


def is_signed(secret: bytes, headers: list[tuple[bytes, bytes]], body: bytes) -> bool:
    try:
        signature_of(headers, now=NOW).verify(secret, body)
    except NotSigned:
        return False
    return True


DISPATCHED: list[dict[str, Any]] = []


@functools.cache
def served() -> Starlette:
    """The real server and the real Bolt, with listeners that take note in ``DISPATCHED``."""
    app = App(
        client=AsyncWebClient("xoxb-x"),
        authorize=_Installed(HOME, "xoxb-x"),
        process_before_response=True,
        request_verification_enabled=False,
        logger=quiet("tests.bolt"),
    )

    async def listen(ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack()
        DISPATCHED.append(body)

    app.hears("command", "/flows", DISPATCHED.append)
    app.hears("block_actions", "press", DISPATCHED.append)
    app.event("user_change")(listen)
    return http_app(Intake(app, HOME, signing_secret=SECRET, clock=lambda: NOW, registry=None), always_ready, None)


async def post(body: bytes, headers: list[tuple[bytes, bytes]]) -> httpx.Response:
    transport = httpx.ASGITransport(served())
    async with httpx.AsyncClient(transport=transport, base_url="http://bot") as client:
        return await client.post("/slack/events", content=body, headers=headers)


NAMES = [b"X-Slack-Request-Timestamp", b"X-Slack-Signature", b"Content-Type", b"X-Slack-Bolt-Lazy-Only", b"X-Other"]
HEADERS = st.lists(
    st.tuples(
        st.sampled_from(NAMES),
        st.binary(max_size=30)
        | st.sampled_from([str(NOW).encode(), b"v0=" + b"0" * 64, FORM.encode(), b"application/json", b"1"]),
    ),
    max_size=6,
)
BODIES = st.binary(max_size=200) | st.sampled_from(
    [urlencode(COMMAND).encode(), b"payload=" + quote_plus(json.dumps(CLICK)).encode()]
)


@settings(max_examples=300, deadline=None)
@given(BODIES, HEADERS)
async def test_what_is_not_signed_is_never_dispatched_and_never_an_error(
    body: bytes, headers: list[tuple[bytes, bytes]]
) -> None:
    DISPATCHED.clear()
    response = await post(body, headers)
    assert (response.status_code, DISPATCHED) == (200 if is_ssl_check(body) else 401, [])


@settings(max_examples=300, deadline=None)
@given(
    st.binary(max_size=100)
    | st.builds(lambda over: json.dumps(CLICK | over).encode(), st.dictionaries(st.sampled_from([*CLICK, "view", "event"]), JSON))
    | st.builds(lambda over: b"payload=" + quote_plus(json.dumps(CLICK | over)).encode(), st.dictionaries(st.sampled_from([*CLICK, "authorizations", "enterprise"]), JSON))
    | st.builds(lambda text: urlencode(COMMAND | {"text": text}).encode(), st.text(st.characters(exclude_categories=["Cs"]))),
    st.sampled_from([FORM, "application/json", "text/plain", FORM + "; charset=utf-8"]),
)  # fmt: skip
async def test_whatever_is_signed_is_taken_or_refused_and_never_an_error(body: bytes, content_type: str) -> None:
    headers = [
        (b"X-Slack-Request-Timestamp", str(NOW).encode()),
        (b"X-Slack-Signature", signature(body).encode()),
        (b"Content-Type", content_type.encode()),
    ]
    DISPATCHED.clear()
    response = await post(body, headers)
    assert response.status_code in {200, 400, 401, 404}
    assert (response.status_code == 200) >= bool(DISPATCHED)
    for payload in DISPATCHED:
        assert is_ours(payload, HOME)


@given(st.binary(max_size=60), st.integers(-400, 400))
def test_a_signature_is_good_for_its_bytes_and_five_minutes(body: bytes, age: int) -> None:
    stamp = str(NOW - age)
    headers = [(b"x-slack-request-timestamp", stamp.encode()), (b"x-slack-signature", signature(body, stamp).encode())]
    assert is_signed(SECRET.encode(), headers, body) is (abs(age) <= 300)
    assert not is_signed(SECRET.encode(), headers, body + b"x")
    assert not is_signed(b"other", headers, body)
    assert not is_signed(SECRET.encode(), headers + headers[:1], body)


@given(st.dictionaries(st.text(max_size=5), JSON, max_size=4))
def test_a_click_is_read_back_as_it_was_sent(payload: dict[str, Any]) -> None:
    body = "payload=" + quote_plus(json.dumps(payload))
    assert read(body.encode(), FORM) == payload
    assert read((body + "&other=1").encode(), FORM) == payload
    assert read(json.dumps(payload).encode(), "application/json; charset=utf-8") == payload


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_a_command_is_read_back_as_it_was_typed(text: str) -> None:
    assert read(urlencode(COMMAND | {"text": text}).encode(), FORM) == COMMAND | {"text": text}


@example([b"%", b"\n"])
@example([b"%", b"\r"])
@given(
    st.lists(
        st.sampled_from([b"%", b"%22", b"%2B", b"%zz", b"%e2%82%ac", b"+", b"=", b"=41", b"a", b"4", b"\n", b"\r"])
    )
)
def test_a_field_is_decoded_as_the_standard_library_does(parts: list[bytes]) -> None:
    field = b"".join(parts)
    assert unquoted(field) == unquote_to_bytes(field.replace(b"+", b" "))


@given(st.lists(st.sampled_from([b"&", b"=", b"+", b"%", b"%26", b"%3D", b"%e2%82%ac", b"x", b"y", b"command", b"\n"])))
def test_a_form_is_taken_apart_as_the_standard_library_does(parts: list[bytes]) -> None:
    form = b"command=%2Fflows&" + b"".join(parts)
    assert read(form, FORM) == dict(parse_qsl(form.decode(), keep_blank_values=True))


def test_a_form_of_more_fields_than_slack_sends_is_not_read() -> None:
    with pytest.raises(Unreadable):
        read(b"&".join([b"command=a"] * 101), FORM)


@given(
    st.sampled_from([b"", b"{", b'{"a":"', b"payload=", b'payload={"a":"', b"a=%ff&payload={", b"%", b'{"type":{'])
    | st.just(b'{"team_id":"\\ud800'),
    st.binary(max_size=40) | st.text(max_size=9).map(lambda text: text.encode("utf-8", "surrogatepass")),
    st.sampled_from([b"", b'"}', b"&b=1", b"}" * 3]),
    st.sampled_from([FORM, "application/json"]),
)
def test_any_bytes_are_a_payload_or_say_that_they_are_none(before: bytes, odd: bytes, after: bytes, named: str) -> None:
    try:
        payload = read(before + odd + after, named)
    except Unreadable:
        return
    json.dumps(payload, ensure_ascii=False).encode()  # every character is a whole one
    kind_of(payload)
    is_ours(payload, HOME)


@pytest.mark.parametrize(
    "body", [b"payload={", b"payload=1", b"payload=%ff", b"a=%ff", b"\xff", b"payload=" + b"[" * 100_000]
)
def test_what_cannot_be_read_says_so_without_its_content(body: bytes) -> None:
    with pytest.raises(Unreadable) as caught:
        read(body, FORM)
    assert len(str(caught.value)) < 40


@pytest.mark.parametrize(
    ("payload", "ours"),
    [
        ({"team_id": "T1", "api_app_id": "A1"}, True),
        ({"team_id": "T1"}, True),
        ({"team_id": "T2", "api_app_id": "A1"}, False),
        ({"team_id": "T1", "api_app_id": "A2"}, False),
        ({"team": {"id": "T1"}, "user": {"id": "U9", "team_id": "T2"}}, True),
        ({"team": {"id": "T2"}, "user": {"id": "U9", "team_id": "T1"}}, False),
        ({"team": None, "enterprise": {"id": "E1"}}, True),
        ({"team": None, "enterprise": {"id": "E2"}}, False),
        ({"team": {"id": "T2"}, "view": {"app_installed_team_id": "T1"}}, True),
        ({"team_id": "T2", "authorizations": [{"team_id": "T1"}]}, True),
        ({"team_id": "T1", "authorizations": [{"team_id": "T2"}]}, False),
        ({"enterprise_id": "E1", "team_id": "T2"}, True),
        ({}, False),
        ({"team": ["T1"]}, False),
    ],
)  # fmt: skip
def test_a_delivery_is_for_this_installation_or_refused(payload: dict[str, Any], *, ours: bool) -> None:
    assert is_ours(payload, Installation("T1", "U0BOT", "B0BOT", app_id="A1", enterprise_id="E1")) is ours


def test_without_an_organisation_an_empty_enterprise_is_nobody_s() -> None:
    assert not is_ours({"team_id": "T2", "enterprise_id": ""}, HOME)


def test_kinds_are_told_apart() -> None:
    assert kind_of(COMMAND) == "command"
    assert kind_of(CLICK) == "block_actions"
    assert kind_of({"type": "event_callback", "event": {}}) == "event_callback"
    assert kind_of({"type": "event_callback"}) == ""
    assert kind_of({"type": "brand_new"}) == ""
    assert kind_of({}) == ""

"""The bytes of a delivery: whose they are, how they are read, and how many are."""

import asyncio
import io
import json
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any
from urllib.parse import unquote_plus, urlencode

import aiohttp
import pytest
import structlog
from slack_bolt.async_app import AsyncAck

from bot.demo.slack.delivery import FORM, JSON
from bot.slack.interaction import Interaction
from bot.slack.transport.http import ConnectionBounds, always_ready, http_app, serve
from tests.scenarios.again import triggered_anew
from tests.scenarios.slack.frame import Frame


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Slack-Signature": ""},
        {"X-Slack-Signature": "v0=" + "0" * 64},
        {"X-Slack-Signature": "v0=é"},
        {"X-Slack-Request-Timestamp": "yesterday"},
        {"X-Slack-Request-Timestamp": "１７００"},
        {"X-Slack-Request-Timestamp": "9" * 400},
        {"X-Slack-Request-Timestamp": "-1"},
    ],
)
async def test_odd_or_wrong_headers_are_a_401_and_never_an_error(frame: Frame, headers: dict[str, str]) -> None:
    slack = frame.workspace
    body = (await slack.types("U0ALICE", "C0INC", "/flows list")).body
    delivery = await slack.delivers(body, slack.signed(body) | headers)
    assert (delivery.status, len(frame.interactions)) == (401, 1)


@pytest.mark.parametrize(("age", "status"), [(0, 200), (290, 200), (-290, 200), (310, 401), (-310, 401)])
async def test_a_signature_counts_for_five_minutes(frame: Frame, age: int, status: int) -> None:
    slack = frame.workspace
    body = (await slack.types("U0ALICE", "C0INC", "/flows list")).body
    delivery = await slack.delivers(body, slack.signed(body, at=time.time() - age))
    assert delivery.status == status


async def test_one_changed_byte_is_not_believed(frame: Frame) -> None:
    slack = frame.workspace
    body = (await slack.types("U0ALICE", "C0INC", "/flows list")).body
    headers = slack.signed(body)
    assert (await slack.delivers(body.replace(b"U0ALICE", b"U0BOB00"), headers)).status == 401
    assert (await slack.delivers(body, headers)).status == 200


async def test_headers_that_slack_did_not_sign_change_nothing(frame: Frame) -> None:
    slack = frame.workspace
    body = triggered_anew((await slack.types("U0ALICE", "C0INC", "/flows list")).body)
    lazy = {"X-Slack-Bolt-Lazy-Only": "1", "X-Slack-Bolt-Lazy-Function-Name": "command"}
    delivery = await slack.delivers(body, slack.signed(body) | lazy)
    assert (delivery.status, len(frame.interactions)) == (200, 2)


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"payload=%7B", "application/x-www-form-urlencoded"),
        (b"payload=[]", "application/x-www-form-urlencoded"),
        (b"payload=%ff%fe", "application/x-www-form-urlencoded"),
        (b"command=%ff", "application/x-www-form-urlencoded"),
        (b"\xff\xfe", "application/json"),
        (b'{"type":', "application/json"),
        (b"[" * 100_000, "application/json"),
        (b"{}", "text/plain"),
        (b"{}", ""),
    ],
)
async def test_what_cannot_be_read_is_a_400(frame: Frame, body: bytes, content_type: str) -> None:
    slack = frame.workspace
    delivery = await slack.delivers(body, slack.signed(body, content_type=content_type))
    assert delivery.status == 400


async def test_a_long_message_is_taken_and_a_far_too_long_one_refused_while_it_arrives(frame: Frame) -> None:
    slack = frame.workspace
    command = triggered_anew((await slack.types("U0ALICE", "C0INC", "/flows list")).body)
    long = command + b"&more=" + b"x" * (2 * 2**20 - len(command) - 6)

    async def status(body: bytes) -> int:
        async with (
            aiohttp.ClientSession(frame.url) as session,
            session.post("/slack/events", data=io.BytesIO(body), headers=slack.signed(body)) as response,
        ):
            return response.status

    assert await status(long) == 200
    assert len(frame.interactions) == 2
    with structlog.testing.capture_logs() as logs:
        assert await status(long + b"x") == 413

        async def unending() -> AsyncIterator[bytes]:
            for _ in range(600):
                yield b"x" * 8192

        async with (
            aiohttp.ClientSession(frame.url) as session,
            session.post("/slack/events", data=unending(), headers=slack.signed(b"whatever")) as response,
        ):
            assert response.status == 413
    assert [(line["event"], line["reason"]) for line in logs] == [("delivery_refused", "too long")] * 2


async def test_sixteen_long_bodies_are_held_at_once_and_each_is_let_go_whatever_became_of_it(frame: Frame) -> None:
    slack, ends = frame.workspace, asyncio.Event()
    headers = slack.signed(b"whatever")

    async def held() -> AsyncIterator[bytes]:
        yield b"x" * (256 * 1024 + 1)
        await ends.wait()

    async def status(body: AsyncIterator[bytes] | io.BytesIO) -> int:
        async with (
            aiohttp.ClientSession(frame.url) as session,
            session.post("/slack/events", data=body, headers=headers) as response,
        ):
            return response.status

    for _ in range(2):
        ends.clear()
        long = [asyncio.create_task(status(held())) for _ in range(16)]
        async with asyncio.timeout(30):
            while True:
                if await status(io.BytesIO(b"x" * (256 * 1024 + 1))) == 503:  # which is not signed, and a 401 before
                    break
                await asyncio.sleep(0.01)
        ends.set()
        assert await asyncio.gather(*long) == [401] * 16

    async def too_long() -> AsyncIterator[bytes]:
        for _ in range(33):
            yield b"x" * 64 * 1024

    for _ in range(17):
        assert await status(too_long()) == 413


async def test_a_long_body_is_not_even_read_when_its_headers_are_not_slack_s(frame: Frame) -> None:
    async def unending() -> AsyncIterator[bytes]:
        yield b"x" * 301
        await asyncio.Event().wait()

    async with (
        aiohttp.ClientSession(frame.url) as session,
        session.post("/slack/events", data=unending()) as response,
    ):
        assert response.status == 401


@pytest.mark.parametrize(
    ("changed", "reason", "counted"),
    [
        ({"X-Slack-Signature": None}, "unsigned", "unsigned"),
        ({"X-Slack-Request-Timestamp": None}, "unsigned", "unsigned"),
        ({"X-Slack-Signature": "v0=" + "0" * 64}, "bad signature", "bad signature"),
        ({"age": 360}, "stale by 360 s", "stale"),
        ({"age": -360}, "ahead of this machine's clock by 360 s", "stale"),
    ],
)
async def test_the_log_and_the_metric_say_what_is_wrong_with_a_signature(
    frame: Frame, changed: dict[str, Any], reason: str, counted: str
) -> None:
    slack, now = frame.workspace, int(time.time())
    frame.intake._clock = lambda: now
    body = (await slack.types("U0ALICE", "C0INC", "/flows list")).body
    headers = {**slack.signed(body, at=now - changed.pop("age", 0)), **changed}
    with structlog.testing.capture_logs() as logs:
        answer = await slack.delivers(body, {name: value for name, value in headers.items() if value is not None})
    assert answer.status == 401
    assert [line["reason"] for line in logs if line["event"] == "delivery_refused"] == [reason]
    assert frame.registry.get_sample_value("flows_bot_deliveries_refused_total", {"reason": counted}) == 1


async def test_the_first_byte_decides_how_signed_bytes_are_read_and_the_header_has_to_agree(frame: Frame) -> None:
    slack = frame.workspace
    event = (await slack.tells({"type": "user_change", "user": {"id": "U0ALICE"}})).body
    form = triggered_anew((await slack.types("U0ALICE", "C0INC", "/flows list")).body)
    as_form = event.replace(b"{", b'{"x":"&command=/flows&team_id=T0NORTHWND&user_id=U0BOB&text=stop&",', 1)
    disguised = [(event, FORM), (as_form, FORM), (form, "application/json"), (b" " + event, "application/json")]
    with structlog.testing.capture_logs() as logs:
        for body, content_type in disguised:
            assert (await slack.delivers(body, slack.signed(body, content_type=content_type))).status == 400
    assert len(frame.interactions) == 1
    assert all(line["reason"].startswith("unreadable: ") for line in logs)


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (
            json.dumps({"type": "block_actions", "team": {"id": "T0NORTHWND"}, "actions": [{"action_id": "press"}]}),
            JSON,
        ),
        (json.dumps({"command": "/flows", "team_id": "T0NORTHWND", "text": "list"}), JSON),
        ("type=shortcut&team_id=T0NORTHWND", FORM),
        (urlencode({"payload": json.dumps({"type": "event_callback", "event": {}, "team_id": "T0NORTHWND"})}), FORM),
        (urlencode({"payload": json.dumps({"command": "/flows", "team_id": "T0NORTHWND"})}), FORM),
    ],
)
async def test_nothing_comes_in_another_one_s_way(frame: Frame, body: str, content_type: str) -> None:
    slack = frame.workspace
    delivery = await slack.delivers(body.encode(), slack.signed(body.encode(), content_type=content_type))
    assert (delivery.status, frame.interactions) == (400, [])


async def test_half_a_character_does_not_lose_the_words_around_it(frame: Frame) -> None:
    slack = frame.workspace
    body = (await slack.types("U0ALICE", "C0INC", "/flows list HALF")).body
    for half, read in ((b"%ED%A0%BD", "\N{REPLACEMENT CHARACTER}"), (b"%ED%A0%BD%ED%B4%A5", "🔥")):
        cut = triggered_anew(body.replace(b"HALF", half).replace(b"trigger_id=", b"trigger_id=" + half))
        assert (await slack.delivers(cut, slack.signed(cut))).status == 200
        assert frame.texts[-1] == f"list {read}"
    (shown, *_) = await slack.until(lambda: slack.sees("U0ALICE", "C0INC"))
    clicked = triggered_anew((await slack.clicks("U0ALICE", shown, "press")).body)
    press = unquote_plus(clicked.decode()).removeprefix("payload=")
    cut_press = press.replace("{", '{"said":"\\ud83d \\\\ud83d \\ud83d\\udd25",', 1)
    body = urlencode({"payload": cut_press}).encode()
    heard = len(frame.interactions)
    assert (await slack.delivers(body, slack.signed(body))).status == 200
    assert len(frame.interactions) == heard + 1


# ---------------------------------------------------------------- over a connection

UNSIGNED = b"POST /slack/events HTTP/1.1\r\nHost: bot\r\nContent-Length: 4\r\n\r\nlist"


class Said:
    """Commands as bytes, each with another text, and what of them was heard. ``/slow`` is acked when it may ``go``."""

    def __init__(self, frame: Frame) -> None:
        self._frame, self.go, self.begun = frame, asyncio.Event(), asyncio.Event()

        async def slow(ack: AsyncAck, body: dict[str, Any]) -> None:
            self.begun.set()
            await self.go.wait()
            frame.texts.append(body["text"])
            await ack()

        frame.app.waits_for("command", "/slow", slow)

    def command(self, text: str, *, command: str = "/flows", version: str = "1.1", more: str = "") -> bytes:
        slack = self._frame.workspace
        form = {"command": command, "team_id": slack.team_id, "user_id": "U0ALICE", "text": text}
        body = urlencode(form | {"trigger_id": f"1.{text}"}).encode()
        lines = "".join(f"{name}: {value}\r\n" for name, value in slack.signed(body).items())
        head = f"POST /slack/events HTTP/{version}\r\nHost: bot\r\n{lines}{more}"
        if "chunked" in more:
            return f"{head}\r\n".encode() + b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
        return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body

    async def answered(self, *parts: bytes, port: int = 0) -> list[int]:
        """What is answered to these bytes, sent in these parts, until the connection is closed."""
        port = port or int(self._frame.url.rpartition(":")[2])
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for part in parts:
            writer.write(part)
            await asyncio.sleep(0.001)  # else they could arrive as one
        async with asyncio.timeout(30):
            answers = await reader.read()
        writer.close()
        return [int(answer[:3]) for answer in answers.split(b"HTTP/1.1 ")[1:]]


@pytest.mark.parametrize("length", [10**6, 700, 64, 7])
async def test_deliveries_are_answered_in_their_order_however_their_bytes_arrive(frame: Frame, length: int) -> None:
    said = Said(frame)
    said.go.set()
    stream = b"".join(
        (
            said.command("first"),
            b"GET /healthz HTTP/1.1\r\nHost: bot\r\n\r\n",
            said.command("second"),
            said.command("third", command="/slow"),
            UNSIGNED,
            said.command("fourth", more="Transfer-Encoding: chunked\r\n"),
            said.command("first"),
            b"GET /slack/events HTTP/1.1\r\nHost: bot\r\n\r\n",
            said.command("fifth", more="Expect: 100-continue\r\n"),
            said.command("sixth", more="Connection: close\r\n"),
        )
    )
    parts = [stream[at : at + length] for at in range(0, len(stream), length)]
    parts[-1] += said.command("behind the end")
    answers = [200, 200, 200, 200, 401, 200, 200, 405, 200, 200]
    assert [status for status in await said.answered(*parts) if status != 100] == answers
    assert frame.texts == ["first", "second", "third", "fourth", "fifth", "sixth"]


async def test_what_is_sent_behind_a_delivery_waits_for_its_answer_and_behind_the_last_one_for_nothing(
    frame: Frame,
) -> None:
    said = Said(frame)
    asking = asyncio.create_task(
        said.answered(said.command("slow", command="/slow") + said.command("quick", more="Connection: close\r\n"))
    )
    await said.begun.wait()
    assert await said.answered(said.command("other", more="Connection: close\r\n")) == [200]
    assert frame.texts == ["other"]
    said.go.set()
    assert await asking == [200, 200]
    assert frame.texts == ["other", "slow", "quick"]


async def test_a_delivery_that_comes_again_while_the_first_is_waited_for_gets_the_same_answer(frame: Frame) -> None:
    said = Said(frame)
    slow = said.command("slow", command="/slow", more="Connection: close\r\n")
    asking = [asyncio.create_task(said.answered(slow)) for _ in range(3)]
    await said.begun.wait()
    said.go.set()
    assert await asyncio.gather(*asking) == [[200]] * 3
    assert frame.texts == ["slow"]


async def test_who_sends_many_in_one_go_leaves_others_their_turn_between_them(frame: Frame) -> None:
    said, refused = Said(frame), list[float | None]()

    async def work(_: Interaction) -> None:
        refused.append(frame.registry.get_sample_value("flows_bot_deliveries_refused_total", {"reason": "unsigned"}))

    frame.work = work
    last = said.command("last", more="Connection: close\r\n")
    assert await said.answered(said.command("first") + UNSIGNED * 1000 + last) == [200, *[401] * 1000, 200]
    assert (refused[0] or 0) < 10


async def test_a_connection_that_is_idle_after_an_ack_is_ended_without_a_word_in_the_log(frame: Frame) -> None:
    said, app = Said(frame), http_app(frame.intake, always_ready, None)
    with structlog.testing.capture_logs() as logs:
        async with serve(app, "127.0.0.1", 0, bounds=ConnectionBounds(header_within=0.2)) as port:
            assert await said.answered(said.command("list"), port=port) == [200]
    assert [line for line in logs if line["event"] == "connection_closed"] == []


async def test_nothing_is_taken_that_is_sent_behind_the_last_request(frame: Frame) -> None:
    said = Said(frame)
    behind = said.command("slow", command="/slow") + said.command("list").replace(b"/events", b"/events?again")
    assert await said.answered(said.command("last", more="Connection: close\r\n") + behind) == [200]
    old = said.command("old", version="1.0", more="Connection: keep-alive\r\n")
    assert await said.answered(old + behind) == [200]
    assert frame.texts == ["last", "old"]
    assert not said.begun.is_set()


async def test_whoever_sends_and_reads_nothing_is_answered_no_further_and_ended(frame: Frame) -> None:
    app, sent = http_app(frame.intake, always_ready, None), 0
    body = json.dumps({"type": "url_verification", "challenge": "x" * 60_000}).encode()
    signed = frame.workspace.signed(body, content_type=JSON) | {"Content-Length": str(len(body))}
    lines = "".join(f"{name}: {value}\r\n" for name, value in signed.items())
    asking = f"POST /slack/events HTTP/1.1\r\nHost: bot\r\n{lines}\r\n".encode() + body
    async with serve(app, "127.0.0.1", 0, bounds=ConnectionBounds(answer_within=0.5)) as port:
        _, writer = await asyncio.open_connection("127.0.0.1", port, limit=1)
        with suppress(ConnectionError):
            while sent < 500:  # 30 MB, more than the kernel holds
                writer.write(asking)
                await writer.drain()
                await asyncio.sleep(0.001)  # so that it is read before the next comes
                sent += 1
    assert sent < 500

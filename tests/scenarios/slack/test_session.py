"""What Slack, or somebody in its place, answers: read with a bound; and nobody else is spoken to."""

import tracemalloc
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest
import structlog
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.demo.serving import serving
from bot.slack.interaction import Interaction
from bot.slack.messaging.messenger import Message, Messenger
from bot.slack.messaging.web_client import LARGEST, http_session, is_below, web_client
from tests.scenarios.slack.frame import Frame


def bomb(megabytes: int) -> bytes:
    packer = zlib.compressobj(1, zlib.DEFLATED, 31)
    return b"".join([*(packer.compress(b" " * 2**20) for _ in range(megabytes)), packer.flush()])


@asynccontextmanager
async def answering(body: bytes, **headers: str) -> AsyncIterator[tuple[str, list[str]]]:
    """A server that gives this answer to whatever it is asked; its address, and the paths."""
    asked: list[str] = []

    async def answer(request: Request) -> Response:
        asked.append(request.url.path)
        return Response(body, headers={name.replace("_", "-"): value for name, value in headers.items()})

    async with serving(Starlette(routes=[Route("/{rest:path}", answer, methods=["GET", "POST"])])) as url:
        yield url, asked


async def test_an_answer_that_unpacks_to_far_too_much_is_left_where_the_bound_is() -> None:
    packed = bomb(200)
    async with (
        answering(packed, content_encoding="gzip", content_type="application/json") as (url, _),
        http_session() as session,
    ):
        client = web_client("xoxb-1", f"{url}/api/", session)
        messenger = Messenger(client, session)
        tracemalloc.start()
        try:
            with pytest.raises(aiohttp.ClientPayloadError, match="longer than"):
                await client.auth_test()
            heard = await messenger.privately(Interaction("U0ALICE", "T1", "", f"{url}/commands/1"), Message("words"))
            _, most = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert not heard
        assert most < 8 * LARGEST


async def test_a_response_url_that_is_not_slack_s_is_not_posted_to(frame: Frame) -> None:
    slack = frame.workspace
    async with answering(b"ok") as (elsewhere, asked):
        stranger = elsewhere.replace("127.0.0.1", "localhost")
        interaction = Interaction("U0ALICE", slack.team_id, "C0INC", f"{stranger}/commands/T0/1/secret")
        with structlog.testing.capture_logs() as logs:
            assert await frame.messenger.privately(interaction, Message("the caller's secret"))
    assert asked == []
    assert [m.words for m in slack.sees("U0ALICE", "C0INC")] == ["the caller's secret"]  # in another way
    assert "response_url_not_slack_s" in {line["event"] for line in logs}


@pytest.mark.parametrize(
    ("url", "api_url", "is_slack_s"),
    [
        ("https://hooks.slack.com/commands/T0/1/x", "https://slack.com/api/", True),
        ("https://slack.com/x", "https://slack.com/api/", True),
        ("https://hooks.slack.com/actions/T0/1/x", "https://www.slack.com/api/", True),
        ("https://hooks.slack-gov.com/actions/T0/1/x", "https://slack-gov.com/api/", True),
        ("https://HOOKS.SLACK.COM/x", "https://slack.com/api/", True),
        ("http://127.0.0.1:9/commands/x", "http://127.0.0.1:3001/api/", True),
        ("http://hooks.slack.com/commands/x", "https://slack.com/api/", False),
        ("https://hooks.slack.com.evil.example/x", "https://slack.com/api/", False),
        ("https://evilslack.com/x", "https://slack.com/api/", False),
        ("https://hooks.slack.com@evil.example/x", "https://slack.com/api/", False),
        ("https://evil.example/hooks.slack.com", "https://slack.com/api/", False),
        ("https://evil.example\\@hooks.slack.com/x", "https://slack.com/api/", False),
        ("https://[::1", "https://slack.com/api/", False),
        ("file:///etc/passwd", "https://slack.com/api/", False),
        ("hooks.slack.com/x", "https://slack.com/api/", False),
        ("", "https://slack.com/api/", False),
        ("http://169.254.169.254/latest", "http://127.0.0.1:3001/api/", False),
    ],
)
def test_whose_address_it_is(url: str, api_url: str, *, is_slack_s: bool) -> None:
    assert is_below(url, api_url) is is_slack_s

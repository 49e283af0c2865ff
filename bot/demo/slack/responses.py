"""What arrives at a response_url, and what the bot says in the HTTP answer to a command."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from bot.demo.serving import cut
from bot.demo.slack.answers import say
from bot.demo.slack.faults import Fault
from bot.demo.slack.record import record
from bot.demo.slack.refusals import Refused
from bot.demo.slack.response_urls import Source

if TYPE_CHECKING:
    from bot.demo.slack.workspace import Workspace

_STATUS = {"used_url": 404, "expired_url": 404, "no_service": 404, "message_not_found": 404, "channel_is_archived": 410}
"""HTTP statuses; every other refusal is a 400: https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks#handling-errors."""


@dataclass
class ResponseSeen:
    """One post to a response_url: its path, the body, when (epoch seconds), whom it belongs to, what was answered."""

    path: str
    body: Mapping[str, Any]
    at: float
    user: str = ""
    channel: str = ""
    status: int | None = None
    answered: str = ""
    ts: str | None = None


async def respond(workspace: "Workspace", request: Request) -> Response:
    """Take a post to a response_url: `ok`, or HTTP 404, 410 or 400 with the error code as text."""
    body = await _body(request)
    seen = ResponseSeen(request.url.path, body or {}, workspace.now())
    workspace.responses.append(seen)
    if body is None:
        seen.status, seen.answered = 400, "invalid_payload"
        return PlainTextResponse(seen.answered, seen.status)
    record("response_url", body, None)
    fault = workspace.faults.take("response_url") or Fault()
    await asyncio.sleep(fault.wait)
    if fault.cut and not fault.after_work:
        await cut(request.scope, request.receive, reset=True)
        return Response()
    if fault.hold and not fault.after_work:
        await fault.hold.keep()
    response = _spoiled(fault) or _worked(workspace, seen)
    seen.status, seen.answered = response.status_code, bytes(response.body).decode()
    workspace.changed()
    if fault.hold and fault.after_work:
        await fault.hold.keep()
    if fault.cut:
        await cut(request.scope, request.receive, reset=True)
    return response


def command_answer(workspace: "Workspace", source: Source, typed: str, answer: bytes, content_type: str) -> None:
    """Show what a bot answered to a command at once; an `in_channel` answer shows the typed line as well.

    Raises Refused or ValueError when Slack could not show it.
    """
    if not answer.strip():
        return
    body: Any = {"text": answer.decode()}
    if content_type.startswith("application/json"):
        body = json.loads(answer)
    if not isinstance(body, dict):
        raise Refused("invalid_command_response")
    if body.get("response_type") == "in_channel":
        workspace.post(source.channel, source.user, typed)
    say(workspace, source, body)


def _spoiled(fault: Fault) -> Response | None:
    if fault.retry_after is not None:
        return Response("rate_limited", 429, headers={"Retry-After": str(fault.retry_after)})
    if fault.status is not None:
        return Response(fault.body, fault.status)
    return PlainTextResponse(fault.error, _STATUS.get(fault.error, 400)) if fault.error else None


def _worked(workspace: "Workspace", seen: ResponseSeen) -> Response:
    try:
        source = workspace.response_urls.take(seen.path)
        seen.user, seen.channel = source.user, source.channel
        message = say(workspace, source, seen.body)
    except Refused as refused:
        return PlainTextResponse(refused.code, _STATUS.get(refused.code, 400))
    seen.ts = message.ts if message else None
    return PlainTextResponse("ok")


async def _body(request: Request) -> dict[str, Any] | None:
    """Return what is said, or None when it cannot be read."""
    raw = await request.body()
    try:
        if not request.headers.get("content-type", "").startswith("application/json"):
            raw = dict(parse_qsl(raw.decode())).get("payload", "{}").encode()
        parsed = json.loads(raw or b"{}")
    except (ValueError, RecursionError):
        return None
    return parsed if isinstance(parsed, dict) else None

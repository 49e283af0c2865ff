"""What arrives at a response_url, and what the bot says in the HTTP answer to a command."""

import asyncio
import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from bot.demo.serving import cut
from bot.demo.slack import block_kit
from bot.demo.slack.delivery import record
from bot.demo.slack.faults import Fault
from bot.demo.slack.messages import Message
from bot.demo.slack.method import Refused
from bot.demo.slack.team import Team

if TYPE_CHECKING:
    from bot.demo.slack.workspace import Workspace


# ---------------------------------------------------------------- response urls
# response_urls: where a bot may answer a command or a press, five times in thirty minutes.
#
# Promises: each URL belongs to one payload and knows whom it came from and which message was pressed; after five posts
# it answers HTTP 404 `used_url`, after 30 minutes 404 `expired_url`
# (https://docs.slack.dev/interactivity/handling-user-interaction#message_responses).

USES = 5
MINUTES = 30


@dataclass
class Source:
    """What a response_url belongs to: a user in a channel, and the ts of the pressed message if it was a press."""

    user: str
    channel: str
    message_ts: str | None
    expires: float
    uses: int = 0


@dataclass
class ResponseUrls:
    """All URLs handed out, by the clock `now`."""

    now: Callable[[], float]
    _given: dict[str, Source] = field(default_factory=dict)

    def give(self, kind: str, team: str, *, user: str, channel: str, message_ts: str | None = None) -> str:
        """Return the path of a new URL: `/commands/TEAM/NUMBER/SECRET` or `/actions/…`."""
        path = f"/{kind}/{team}/{secrets.randbelow(10**13)}/{secrets.token_urlsafe(18)}"
        self._given[path] = Source(user, channel, message_ts, self.now() + MINUTES * 60)
        return path

    def move(self, old: str, new: str) -> None:
        """Follow a channel to its new id."""
        for source in self._given.values():
            source.channel = new if source.channel == old else source.channel

    def take(self, path: str) -> Source:
        """Use the URL once. Raises Refused (`expired_url`, `used_url`, `no_service`) when it cannot be used."""
        source = self._given.get(path)
        if source is None:
            raise Refused("no_service")
        if self.now() > source.expires:
            raise Refused("expired_url")
        if source.uses >= USES:
            raise Refused("used_url")
        source.uses += 1
        return source


# ---------------------------------------------------------------- answers
# What a bot says in answer to a command or a press: in the HTTP answer itself or at the response_url.
#
# Promises: the rules of https://docs.slack.dev/interactivity/handling-user-interaction#message_responses: ephemeral
# unless `in_channel`; `replace_original` and `delete_original` act on the pressed message; nobody's visibility ever
# changes. Decision: for a press, leaving `replace_original` out replaces the message. Slack's own pages disagree about
# that default, and the simulation takes the harsher reading, so that a bot which forgets the flag is found out.


def say(team: Team, source: Source, body: Mapping[str, Any]) -> Message | None:
    """Do what this answer asks for; the message that came of it, if any. Raises Refused.

    Nothing is written into a channel that is archived.
    """
    blocks = checked(body)
    if not isinstance(body.get("text", ""), str) or not isinstance(body.get("thread_ts") or "", str):
        raise Refused("invalid_payload")
    if team.channels[source.channel].is_archived:
        raise Refused("channel_is_archived")
    if body.get("delete_original"):
        if source.message_ts is not None:
            team.delete(source.channel, source.message_ts)
        if not body.get("text") and not blocks:
            return None
    elif source.message_ts is not None and body.get("replace_original", True):
        return _replaced(team, source.channel, source.message_ts, str(body.get("text") or ""), blocks)
    if not body.get("text") and not blocks:
        raise Refused("no_text")
    public = body.get("response_type") == "in_channel"
    return team.post(
        source.channel,
        team.bot_user_id,
        str(body.get("text") or ""),
        blocks=blocks,
        ephemeral_to=None if public else source.user,
        thread_ts=body.get("thread_ts"),
    )


def checked(body: Mapping[str, Any]) -> list[Any]:
    """Return the blocks of a message that Slack would show. Raises Refused `invalid_blocks`."""
    blocks = body.get("blocks") or []
    messages = block_kit.check(blocks, "message")
    if messages:
        raise Refused("invalid_blocks", messages=messages)
    return list(blocks)


def _replaced(team: Team, channel: str, ts: str, text: str, blocks: list[Any]) -> Message:
    if not text and not blocks:
        raise Refused("no_text")
    try:
        pressed = team.message(channel, ts)
    except KeyError:
        raise Refused("message_not_found") from None
    return team.edit(pressed, text=text, blocks=blocks, marked=False)


# ---------------------------------------------------------------- responses

_STATUS = {"used_url": 404, "expired_url": 404, "no_service": 404, "message_not_found": 404, "channel_is_archived": 410}
"""HTTP statuses; every other refusal is a 400:
https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks#handling-errors.
"""


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

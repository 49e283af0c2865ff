"""The Web API's front: arguments in, scopes and faults in between, Slack's answers out.

Promises: arguments are understood from JSON, form and query alike, the token from the Authorization header or a `token`
argument; every call is written down in `calls` without its token; errors are HTTP 200 with `"ok": false`, only the rate
limit is a 429 (https://docs.slack.dev/apis/web-api/, https://docs.slack.dev/apis/web-api/rate-limits).
"""

import asyncio
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from bot.demo.serving import cut
from bot.demo.slack import chat_methods, directory_methods, file_methods, view_methods
from bot.demo.slack.delivery import record
from bot.demo.slack.faults import Fault
from bot.demo.slack.method import Arguments, Method, Refused

if TYPE_CHECKING:
    from bot.demo.slack.workspace import Workspace

METHODS: dict[str, Method] = {
    **chat_methods.METHODS,
    **view_methods.METHODS,
    **directory_methods.METHODS,
    **file_methods.METHODS,
}
_JSON_VALUED = {"blocks", "view", "metadata", "attachments", "files"}


@dataclass
class CallSeen:
    """One call of a method: what was asked (without the token), when (epoch seconds), what was answered ({} until
    then).
    """

    method: str
    arguments: Mapping[str, Any]
    at: float
    answered: Mapping[str, Any] = field(default_factory=dict)
    status: int | None = None


async def answer(workspace: "Workspace", request: Request) -> Response:
    """Answer one request to `/api/{method}`."""
    method = request.path_params["method"]
    try:
        arguments, token = await _asked(request)
    except Refused as unreadable:
        workspace.calls.append(CallSeen(method, {}, workspace.now(), unreadable.as_json(), 200))
        return JSONResponse(unreadable.as_json())
    seen = CallSeen(method, arguments, workspace.now())
    workspace.calls.append(seen)
    fault = workspace.faults.take(method) or Fault()
    await asyncio.sleep(fault.wait)
    if fault.cut and not fault.after_work:
        await cut(request.scope, request.receive, reset=True)
        return Response()
    if fault.hold and not fault.after_work:
        await fault.hold.keep()
    response = _spoiled(fault) or _worked(workspace, method, token, arguments)
    seen.status = response.status_code
    seen.answered = json.loads(bytes(response.body)) if isinstance(response, JSONResponse) else {}
    record(method, arguments, seen.answered or None)
    workspace.changed()
    if fault.hold and fault.after_work:
        await fault.hold.keep()
    if fault.cut:
        await cut(request.scope, request.receive, reset=True)
    return response


def call(workspace: "Workspace", method: str, token: str | None, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Do the work of one call. Raises Refused."""
    if method not in METHODS:
        raise Refused("unknown_method", details={"req_method": method})
    chosen = METHODS[method]
    _admit(workspace, chosen, token)
    return {"ok": True, **chosen.work(workspace, Arguments(arguments))}


def _admit(workspace: "Workspace", method: Method, token: str | None) -> None:
    if method.token == "none":
        return
    if not token:
        raise Refused("not_authed")
    if token not in {workspace.bot_token, workspace.app_token}:
        raise Refused("invalid_auth")
    if (token == workspace.app_token) != (method.token == "app"):
        raise Refused("not_allowed_token_type")
    if method.scopes and not method.scopes & workspace.scopes:
        provided = ",".join(sorted(workspace.scopes))
        raise Refused("missing_scope", details={"needed": min(method.scopes), "provided": provided})


def _spoiled(fault: Fault) -> Response | None:
    if fault.retry_after is not None:
        return _too_many(fault.retry_after)
    if fault.status is not None:
        return Response(fault.body, fault.status, media_type="text/html")
    return JSONResponse({"ok": False, "error": fault.error, **fault.details}) if fault.error else None


def _worked(workspace: "Workspace", method: str, token: str | None, arguments: Mapping[str, Any]) -> Response:
    wait = workspace.limits.retry_after(method, str(arguments.get("channel", "")))
    if wait is not None:
        return _too_many(wait)
    headers = {
        "x-slack-req-id": secrets.token_hex(16),
        "X-OAuth-Scopes": ",".join(sorted(workspace.scopes)),
        "Date": formatdate(workspace.now(), usegmt=True),
    }
    try:
        return JSONResponse(call(workspace, method, token, arguments), headers=headers)
    except Refused as refused:
        return JSONResponse(refused.as_json(), headers=headers)


def _too_many(seconds: int) -> Response:
    return JSONResponse({"ok": False, "error": "ratelimited"}, 429, headers={"Retry-After": str(seconds)})


async def _asked(request: Request) -> tuple[dict[str, Any], str | None]:
    """Return the arguments and the token. Raises Refused (`invalid_json`, `json_not_object`, `invalid_form_data`)."""
    arguments: dict[str, Any] = dict(request.query_params)
    body = await request.body()
    if request.headers.get("content-type", "").startswith("application/json"):
        arguments |= _json_object(body)
    elif request.method == "POST":
        try:
            arguments |= parse_qsl(body.decode(), keep_blank_values=True)
        except UnicodeDecodeError:
            raise Refused("invalid_form_data") from None
    for key in _JSON_VALUED & arguments.keys():
        if isinstance(arguments[key], str):
            arguments[key] = _parsed(arguments[key])
    bearer = request.headers.get("authorization", "").removeprefix("Bearer ").strip()
    argument = arguments.pop("token", None)
    return arguments, bearer or (argument if isinstance(argument, str) else None)


def _json_object(body: bytes) -> dict[str, Any]:
    try:
        parsed = json.loads(body or b"{}")
    except (ValueError, RecursionError):
        raise Refused("invalid_json") from None
    if not isinstance(parsed, dict):
        raise Refused("json_not_object")
    return parsed


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text

"""The simulated Slack as one ASGI app, and served on loopback."""

import json
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from http import HTTPStatus
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send

from bot.demo.serving import serving
from bot.demo.slack.delivery import Delivery
from bot.demo.slack.file_methods import receive
from bot.demo.slack.inputs import MenuOptions
from bot.demo.slack.messages import Message, View
from bot.demo.slack.people import Channel
from bot.demo.slack.responses import respond
from bot.demo.slack.web_api import answer
from bot.demo.slack.workspace import Workspace

# ---------------------------------------------------------------- page stream
# What one person's screen shows, as a stream of differences.
#
# Promises: the first event is everything (`"reset": true`), each later one only what changed; because messages and
# views never change in place, "changed" is "another object". An event is also sent when something changed that is not
# on this screen, so that a page can look after things of its own (the demo's panel).

STILL_HERE = 15.0  # seconds between signs of life, so that a dead connection is noticed
MOST_MESSAGES = 300  # of one channel; a page is not an archive


async def stream(workspace: Workspace, user: str, since: str = "") -> AsyncGenerator[str, None]:
    """Yield server-sent events for this person until the page goes away.

    What only this person sees is shown from `since` on, which is when the page was loaded: Slack keeps none of it.
    https://docs.slack.dev/messaging/#ephemeral
    """
    shown: dict[str, Any] = {}
    reset = True
    while True:
        seen_version = workspace.version
        screen = _screen(workspace, user, since)
        put = {key: _json(thing) for key, thing in screen.items() if shown.get(key) != thing}
        drop = [key for key in shown if key not in screen]
        yield f"data: {json.dumps({'reset': reset, 'put': put, 'drop': drop, 'names': workspace.names})}\n\n"
        shown, reset = screen, False
        while workspace.version == seen_version:
            if not await workspace.next_change(STILL_HERE):
                yield ": still here\n\n"


def _screen(workspace: Workspace, user: str, since: str) -> dict[str, Any]:
    screen: dict[str, Any] = {}
    for channel in list(workspace.channels.values()):
        if workspace.inside(user, channel.id):
            screen[f"channel/{channel.id}"] = _channel(channel)
        for message in workspace.sees(user, channel.id)[-MOST_MESSAGES:]:
            if message.ephemeral_to is None or message.ts >= since:
                screen[f"message/{channel.id}/{message.ts}"] = message
    screen["views"] = workspace.views_of(user)
    screen["home"] = workspace.home_of(user)
    return screen


def _channel(channel: Channel) -> dict[str, Any]:
    return {
        "id": channel.id,
        "name": channel.name,
        "direct": channel.im_with is not None,
        "private": channel.is_private,
        "shared": channel.is_ext_shared,
        "members": len(channel.members),
        "topic": channel.topic,
    }


def _json(thing: Any) -> Any:
    if isinstance(thing, Message):
        return {
            "channel": thing.channel,
            "ts": thing.ts,
            "user": thing.user,
            "bot": thing.by_bot,
            "text": thing.text,
            "blocks": list(thing.blocks),
            "ephemeral": thing.ephemeral_to is not None,
            "edited": thing.edited,
            "thread": thing.thread_ts,
        }
    if isinstance(thing, View):
        place = {"place": thing.place}
        return {"id": thing.id, "hash": thing.hash, "content": thing.content, "errors": dict(thing.errors), **place}
    return [_json(view) for view in thing] if isinstance(thing, list) else thing


# ---------------------------------------------------------------- page api
# What the page in the browser asks for: its files, a stream of what one person sees, and the things this person does.
#
# Promises: only the page itself is served: the Host must be an address or localhost and a foreign Origin is refused, so
# no other website can drive the workspace; nothing is polled, changes come over server-sent events
# (https://html.spec.whatwg.org/multipage/server-sent-events.html); text is sent as data and never as HTML.

PAGE = Path(__file__).parent.parent / "page"
LOOPBACK = {"127.0.0.1", "localhost", "::1"}
_POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'"
_HEADERS = {
    "Content-Security-Policy": f"{_POLICY}; form-action 'none'; frame-ancestors 'none'; base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}
Act = Callable[[Workspace, dict[str, Any]], Awaitable[Delivery | MenuOptions]]


def page_routes(workspace: Workspace) -> list[BaseRoute]:
    """Return the routes of the page: `/`, `/catalogue`, `/page/…` and `/client/…`."""

    async def index(_: Request) -> Response:
        return FileResponse(PAGE / "index.html", headers=_HEADERS)

    async def catalogue(_: Request) -> Response:
        return FileResponse(PAGE / "catalogue.html", headers=_HEADERS)

    async def watch(request: Request) -> Response:
        user = request.query_params.get("user", "")
        if user not in workspace.users:
            return PlainTextResponse("no such user", HTTPStatus.NOT_FOUND)
        since = request.query_params.get("since", "")
        return StreamingResponse(stream(workspace, user, since), media_type="text/event-stream", headers=_HEADERS)

    async def people(_: Request) -> Response:
        return JSONResponse(_described(workspace), headers=_HEADERS)

    routes: list[BaseRoute] = [
        Route("/", only_this_page(index)),
        Route("/catalogue", only_this_page(catalogue)),
        Route("/archives/{channel}/{message}", only_this_page(index)),  # where chat.getPermalink points
        Mount("/page", LocalPageGuard(StaticFiles(directory=PAGE))),
        Route("/client/people", only_this_page(people)),
        Route("/client/stream", only_this_page(watch)),
    ]
    return routes + [Route(f"/client/{name}", _doing(workspace, act), methods=["POST"]) for name, act in ACTS.items()]


class LocalPageGuard:
    """Let requests through to `app` when they come from a page of this machine itself, answer 403 to all others."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        allowed = scope["type"] == "http" and is_this_page(Request(scope))
        await (self.app if allowed else _FOREIGN)(scope, receive, send)


def only_this_page(endpoint: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
    """Wrap an endpoint so that it answers 403 to foreign pages; for the demo's own routes too."""

    async def guarded(request: Request) -> Response:
        return await endpoint(request) if is_this_page(request) else _FOREIGN

    return guarded


def is_this_page(request: Request) -> bool:
    """Tell whether the Host is an address (a name may be anybody's) and the Origin, when there is one, is this very
    page.
    """
    host = request.headers.get("host", "")
    origin = request.headers.get("origin")
    if not _is_address(urlsplit(f"//{host}").hostname or ""):
        return False
    if request.headers.get("sec-fetch-site") in {"cross-site", "same-site"}:
        return False
    return origin is None or urlsplit(origin).netloc == host


def _is_address(name: str) -> bool:
    try:
        return name in LOOPBACK or bool(ip_address(name))
    except ValueError:
        return False


_FOREIGN = PlainTextResponse("This page is only for the machine it runs on.", HTTPStatus.FORBIDDEN)


def _doing(workspace: Workspace, act: Act) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        if request.headers.get("content-type") != "application/json":
            return PlainTextResponse("JSON, please", HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
        try:
            done = await act(workspace, json.loads(await request.body()))
        except (LookupError, TypeError, ValueError) as gone:
            return JSONResponse({"error": str(gone)}, HTTPStatus.CONFLICT)
        if isinstance(done, MenuOptions):
            return JSONResponse({"error": done.delivery.error, "groups": done.groups})
        return JSONResponse({"error": done.error})

    return only_this_page(endpoint)


async def _type(workspace: Workspace, asked: dict[str, Any]) -> Delivery:
    thread = asked.get("thread")
    return await workspace.types(asked["user"], asked["channel"], asked["text"], thread_ts=thread)


async def _click(workspace: Workspace, asked: dict[str, Any]) -> Delivery:
    shown = _shown(workspace, asked)
    alike = [button for button in shown.buttons if button.action_id == asked["action_id"]]
    wanted = (asked["block_id"], asked.get("option"))
    for nth, button in enumerate(alike):
        if (button.block_id, button.option["value"] if button.option else None) == wanted:
            return await workspace.clicks(asked["user"], shown, asked["action_id"], nth=nth)
    raise LookupError("This message has changed since.")


async def _suggest(workspace: Workspace, asked: dict[str, Any]) -> MenuOptions:
    shown, values = _shown(workspace, asked), asked.get("values", {})
    menu = {"block_id": asked["block_id"], "values": values}
    return await workspace.looks_up(asked["user"], shown, asked["action_id"], asked["typed"], **menu)


async def _choose(workspace: Workspace, asked: dict[str, Any]) -> Delivery:
    shown = _shown(workspace, asked)
    return await workspace.chooses(
        asked["user"], shown, asked["action_id"], asked["option"], block_id=asked["block_id"]
    )


async def _submit(workspace: Workspace, asked: dict[str, Any]) -> Delivery:
    return await workspace.submits(asked["user"], _view(workspace, asked), asked["values"])


async def _close(workspace: Workspace, asked: dict[str, Any]) -> Delivery:
    return await workspace.closes(asked["user"], _view(workspace, asked), everything=bool(asked.get("everything")))


async def _home(workspace: Workspace, asked: dict[str, Any]) -> Delivery:
    return await workspace.opens_home(asked["user"])


async def _shortcut(workspace: Workspace, asked: dict[str, Any]) -> Delivery:
    message = workspace.message(asked["channel"], asked["ts"])
    return await workspace.uses_shortcut(asked["user"], message, asked["callback_id"])


async def _global(workspace: Workspace, asked: dict[str, Any]) -> Delivery:
    return await workspace.uses_global_shortcut(asked["user"], asked["callback_id"], channel=asked["channel"])


def _shown(workspace: Workspace, asked: dict[str, Any]) -> Message | View:
    return _view(workspace, asked) if "view" in asked else workspace.message(asked["channel"], asked["ts"])


def _view(workspace: Workspace, asked: dict[str, Any]) -> View:
    view = workspace.view(asked["view"])
    if view is None or view.user != asked["user"]:
        raise LookupError("This dialog is not open any more.")
    return view


def _described(workspace: Workspace) -> dict[str, Any]:
    everybody = [user for id_, user in workspace.users.items() if workspace.same(id_) == id_]
    humans = [user for user in everybody if not user.is_bot and not user.deleted]
    return {
        "now": f"{workspace.now():.6f}",
        "groups": [{"id": group.id, "name": group.handle} for group in workspace.groups.values()],
        "team": {"id": workspace.team_id, "name": workspace.name},
        "app": {"name": workspace.app_name, "user": workspace.bot_user_id, "home": workspace.home_tab_enabled},
        "commands": [vars(command) for command in workspace.commands.values()],
        "shortcuts": [vars(entry) for entry in workspace.shortcuts if entry.type == "message"],
        "globals": [vars(entry) for entry in workspace.shortcuts if entry.type == "global"],
        "people": [
            {
                "id": user.id,
                "name": user.display_name,
                "about": user.about,
                "guest": user.is_restricted or user.is_ultra_restricted,
                "outsider": user.team_id != workspace.team_id,
            }
            for user in humans
        ],
    }


ACTS: dict[str, Act] = {
    "type": _type,
    "click": _click,
    "submit": _submit,
    "close": _close,
    "home": _home,
    "shortcut": _shortcut,
    "suggest": _suggest,
    "choose": _choose,
    "global": _global,
}


# ---------------------------------------------------------------- app


def slack_app(workspace: Workspace, extra_routes: Sequence[BaseRoute] = ()) -> Starlette:
    """Return the app: Web API under `/api/`, response_urls, uploads, the socket, `extra_routes`, and the page under
    `/`.
    """

    async def web_api(request: Request) -> Response:
        return await answer(workspace, request)

    async def response_url(request: Request) -> Response:
        return await respond(workspace, request)

    async def upload(request: Request) -> Response:
        return await receive(workspace, request)

    return Starlette(
        routes=[
            Route("/api/{method}", web_api, methods=["GET", "POST"]),
            *(
                Route(f"/{kind}/{{rest:path}}", response_url, methods=["POST"])
                for kind in ("commands", "actions", "app")
            ),
            Route("/upload/v1/{secret}", upload, methods=["POST"]),
            WebSocketRoute("/socket", workspace.socket.endpoint),
            *extra_routes,
            *page_routes(workspace),
        ]
    )


@asynccontextmanager
async def serving_slack(
    workspace: Workspace, extra_routes: Sequence[BaseRoute] = (), *, host: str = "127.0.0.1", port: int = 0
) -> AsyncIterator[str]:
    """Serve the workspace on loopback, tell it its own address, and yield the `SLACK_API_URL` for the bot
    (`…/api/`).
    """
    async with serving(slack_app(workspace, extra_routes), host=host, port=port) as url:
        workspace.url = url
        try:
            yield f"{url}/api/"
        finally:
            await workspace.background.close()

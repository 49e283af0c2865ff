"""The simulated VoIPBIN's edge: an ASGI app over a world, with the real one's routes and oddities.

`serving(voipbin_app(world))` gives a base URL; VOIPBIN_API_URL is that plus `/v1.0`. Wrong path and wrong method are
both 404 ROUTE_NOT_FOUND; a trailing slash redirects (an empty activeflow id thus to the list); login lies at the root
and fails as an empty 400; every answer carries X-Request-Id (https://api.voipbin.net/docs/restful_api.html).
"""

import html
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import quote

from starlette.applications import Starlette
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Match, Route, WebSocketRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.demo.serving import serving
from bot.demo.voipbin.endpoint import guarded, login, ok
from bot.demo.voipbin.errors import Refused, refusal, request_id
from bot.demo.voipbin.event_stream import EventStream
from bot.demo.voipbin.faults import RequestSeen
from bot.demo.voipbin.routes import ACTIVEFLOW_ROUTES, NEIGHBOUR_ROUTES, json_object
from bot.demo.voipbin.world import World

_WEEK = 604_800  # seconds


def voipbin_app(world: World, events: EventStream | None = None) -> ASGIApp:
    """The API of `world`; `events` is made when somebody wants to spoil it."""
    return _Edge(world, _router(world, events or EventStream(world)))


def _router(world: World, events: EventStream) -> Starlette:
    async def log_in(request: Request) -> Response:
        try:
            asked = await json_object(request)
        except Refused:
            return _bare_400()
        token = login(asked.get("username"), asked.get("password"), world)
        if token is None:
            return _bare_400()
        answer = ok({"username": asked["username"], "token": token})
        answer.set_cookie("token", token, max_age=_WEEK, path="/", secure=True, httponly=True, samesite="strict")
        return answer

    async def ping(_: Request) -> Response:
        return ok({"message": "pong"})

    routes = [Route("/ping", ping, methods=["GET"]), Route("/auth/login", log_in, methods=["POST"])]
    for method, path, endpoint in (*NEIGHBOUR_ROUTES, *ACTIVEFLOW_ROUTES):
        routes.append(Route(f"/v1.0{path}", guarded(world, endpoint), methods=[method]))

    async def refused(request: Request, refusal_: Exception) -> Response:
        if not isinstance(refusal_, Refused):
            raise refusal_
        return refusal_.response(request.scope)

    async def no_route(request: Request, _: Exception) -> Response:
        return _redirect(request, routes) or refusal(request.scope, 404, "ROUTE_NOT_FOUND")

    socket = WebSocketRoute("/v1.0/ws", events.endpoint)
    app = Starlette(routes=[*routes, socket], exception_handlers={Refused: refused, HTTPException: no_route})
    app.router.redirect_slashes = False
    return app


class _Edge:
    """Writes down each request, lets it meet its fault, and lets the world catch up with the clock before the work."""

    def __init__(self, world: World, router: ASGIApp) -> None:
        self._world = world
        self._router = router

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._router(scope, receive, send)
            return
        seen = self._write_down(scope)
        fault = self._world.faults.meeting(seen.method, seen.path)
        if fault is None:
            await self._work(scope, receive, _answering(scope, send, seen))
        else:
            await fault(self._work, scope, receive, _answering(scope, send, seen))

    async def _work(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._world.tick()
        await self._router(scope, receive, send)

    def _write_down(self, scope: Scope) -> RequestSeen:
        seen = RequestSeen(
            method=scope["method"],
            path=scope["path"],
            query=scope["query_string"].decode("latin-1"),
            headers=dict(Headers(scope=scope)),
            at=self._world.clock.now(),
        )
        self._world.requests.append(seen)
        return seen


def _answering(scope: Scope, send: Send, seen: RequestSeen) -> Send:
    """Add the request id to the answer, and note its status once all of it was sent."""
    started = 0

    async def answer(message: Message) -> None:
        nonlocal started
        if message["type"] == "http.response.start":
            started = message["status"]
            MutableHeaders(scope=message)["X-Request-Id"] = request_id(scope)
        await send(message)
        if message["type"] == "http.response.body" and not message.get("more_body", False):
            seen.status = started

    return answer


def _redirect(request: Request, routes: list[Route]) -> Response | None:
    """The router's redirect to the path without its trailing slash: 301 for GET, 307 else, the query echoed twice."""
    path = request.url.path
    if not path.endswith("/") or path == "/":
        return None
    shorter = {**request.scope, "path": path.rstrip("/")}
    if all(route.matches(shorter)[0] is not Match.FULL for route in routes):
        return None
    target = quote(path.rstrip("/"), safe="/") + (f"?{request.url.query}" if request.url.query else "")
    code = 301 if request.method == "GET" else 307
    body = f'<a href="{html.escape(target)}">Redirect</a>.\n' if request.method == "GET" else ""
    return HTMLResponse(body, status_code=code, headers={"Location": target})


def _bare_400() -> Response:
    return Response(status_code=400)


# ---------------------------------------------------------------- address
# Where a simulated VoIPBIN can be reached.


@asynccontextmanager
async def reachable(world: World, *, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[str]:
    """Serve `world` and yield what belongs into VOIPBIN_API_URL: `http://HOST:PORT/v1.0`."""
    async with serving(voipbin_app(world), host=host, port=port) as url:
        yield f"{url}/v1.0"

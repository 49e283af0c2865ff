"""The simulated Slack as one ASGI app, and served on loopback."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route, WebSocketRoute

from bot.demo.serving import serving
from bot.demo.slack.file_methods import receive
from bot.demo.slack.page_api import page_routes
from bot.demo.slack.responses import respond
from bot.demo.slack.web_api import answer
from bot.demo.slack.workspace import Workspace


def slack_app(workspace: Workspace, extra_routes: Sequence[BaseRoute] = ()) -> Starlette:
    """Return the app: Web API under `/api/`, response_urls, uploads, the socket, `extra_routes`, and the page under `/`."""

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
    """Serve the workspace on loopback, tell it its own address, and yield the `SLACK_API_URL` for the bot (`…/api/`)."""
    async with serving(slack_app(workspace, extra_routes), host=host, port=port) as url:
        workspace.url = url
        try:
            yield f"{url}/api/"
        finally:
            await workspace.background.close()

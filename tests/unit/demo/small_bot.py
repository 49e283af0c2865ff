"""A bot of a few lines: it notes what arrives and answers what the test wants."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

import aiohttp
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot.demo.serving import serving
from bot.demo.slack import Workspace, serving_slack


@dataclass
class SmallBot:
    """What it heard: payloads, and the headers beside them. ``answers`` are its next HTTP statuses, 200 after them."""

    workspace: Workspace
    session: aiohttp.ClientSession
    heard: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    answers: list[Response] = field(default_factory=list)

    @property
    def events(self) -> list[dict[str, Any]]:
        return [told["event"] for told in self.heard if told.get("type") == "event_callback"]

    async def take(self, request: Request) -> Response:
        body = (await request.body()).decode()
        form = {key: values[0] for key, values in parse_qs(body, keep_blank_values=True).items()}
        told = json.loads(body) if body.startswith("{") else json.loads(form["payload"]) if "payload" in form else form
        self.heard.append(told)
        self.headers.append(dict(request.headers))
        return self.answers.pop(0) if self.answers else Response()

    async def call(self, method: str, /, **arguments: Any) -> dict[str, Any]:
        """Call a method of the Web API as the bot."""
        headers = {"Authorization": f"Bearer {self.workspace.bot_token}"}
        url = f"{self.workspace.url}/api/{method}"
        async with self.session.post(url, json=arguments, headers=headers) as response:
            answer: dict[str, Any] = await response.json()
            return answer | ({"retry_after": response.headers["Retry-After"]} if response.status == 429 else {})


def said(words: str) -> JSONResponse:
    return JSONResponse({"text": words})


@asynccontextmanager
async def small_bot(workspace: Workspace) -> AsyncIterator[SmallBot]:
    """The workspace and the bot, on loopback."""
    async with serving_slack(workspace), aiohttp.ClientSession() as session:
        bot = SmallBot(workspace, session)
        async with serving(Starlette(routes=[Route("/slack/events", bot.take, methods=["POST"])])) as url:
            workspace.request_url = f"{url}/slack/events"
            yield bot

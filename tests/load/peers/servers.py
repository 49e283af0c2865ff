"""Serve as one of the peers that are written in Python, until the input ends.

python -m tests.load.peers.servers floor|stock|tuned|bot PORT TOWN
"""

import asyncio
import json
import logging
import sys
import time
from typing import Any

import uvicorn
from slack_bolt.adapter.starlette.async_handler import AsyncSlackRequestHandler
from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_sdk.signature import SignatureVerifier
from slack_sdk.web.async_client import AsyncWebClient
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from bot import command_line
from bot.composition import bootstrap
from bot.slack import ids
from bot.slack.transport.intake import NotSigned, read, signature_of
from bot.slack.transport.jobs import Jobs
from tests.load.town import Town


async def _answer(send: Send, status: int) -> None:
    await send({"type": "http.response.start", "status": status, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body", "body": b""})


async def _body(receive: Receive) -> bytes:
    chunks: list[bytes] = []
    while True:
        message = await receive()
        chunks.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(chunks)


def floor(there: Town) -> Any:
    """Verifies and parses, and no more."""
    secret = there["secret"].encode()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] == "GET":
            await _answer(send, 200)
            return
        try:
            claim = signature_of(scope["headers"], now=time.time())
            body = await _body(receive)
            claim.verify(secret, body)
        except NotSigned:
            await _answer(send, 401)
            return
        read(body, "application/x-www-form-urlencoded")
        await _answer(send, 200)

    return app


def _listening(app: AsyncApp) -> AsyncApp:
    @app.command("/flows")
    async def command(ack: AsyncAck) -> None:
        await ack()

    @app.action(ids.LIST_REFRESH)
    async def refresh(ack: AsyncAck) -> None:
        await ack()

    return app


def stock(there: Town) -> Any:
    """As in Bolt's documentation, behind its own adapter for Starlette."""
    client = AsyncWebClient(there["token"], base_url=there["slack_url"])
    handler = AsyncSlackRequestHandler(_listening(AsyncApp(client=client, signing_secret=there["secret"])))

    async def events(request: Request) -> Response:
        return await handler.handle(request)

    async def ready(_: Request) -> Response:
        return PlainTextResponse("ok")

    return Starlette(routes=[Route("/slack/events", events, methods=["POST"]), Route("/readyz", ready)])


def tuned(there: Town) -> Any:
    """No framework between, one look at the signature, an answer known who the bot is, nothing that is not needed."""
    known = AuthorizeResult(
        enterprise_id=None, team_id=there["team_id"], bot_user_id="U0BOT", bot_id="B0BOT", bot_token=there["token"]
    )

    async def authorize(**_: Any) -> AuthorizeResult:
        return known

    quiet = logging.getLogger("tuned")
    quiet.setLevel(logging.CRITICAL)
    bolt = _listening(
        AsyncApp(
            client=AsyncWebClient(there["token"], base_url=there["slack_url"]),
            authorize=authorize,
            signing_secret="",
            process_before_response=True,
            request_verification_enabled=False,
            ssl_check_enabled=False,
            url_verification_enabled=False,
            ignoring_self_events_enabled=False,
            attaching_function_token_enabled=False,
            logger=quiet,
        )
    )
    verifier = SignatureVerifier(there["secret"])

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] == "GET":
            await _answer(send, 200)
            return
        body = await _body(receive)
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        if not verifier.is_valid_request(body, headers):
            await _answer(send, 401)
            return
        response = await bolt.async_dispatch(AsyncBoltRequest(body=body.decode(), headers=headers))
        await _answer(send, response.status)

    return app


class _NothingAfter(Jobs):
    """Takes every job, and does nothing."""

    def start(self, *_: Any, **__: Any) -> None:
        """Forget it."""


def bot() -> None:
    """The whole of it; settings come by the environment."""
    bootstrap.Jobs = _NothingAfter  # type: ignore[attr-defined]
    command_line.main(["run"])


def _main(who: str, port: str, given: str) -> None:
    if who == "bot":
        bot()
        return
    apps: dict[str, Any] = {"floor": floor, "stock": stock, "tuned": tuned}
    config = uvicorn.Config(
        apps[who](json.loads(given)),
        host="127.0.0.1",
        port=int(port),
        http="httptools",
        log_config=None,
        access_log=False,
        lifespan="off",
        ws="none",
        backlog=2048,
    )
    asyncio.run(uvicorn.Server(config).serve())


if __name__ == "__main__":
    _main(*sys.argv[1:])

"""Scripted misfortunes: what can go wrong between a client and VoIPBIN, one request at a time.

A fault stands between the connection and the work. It may spoil the answer, lose it after the work was done, or stop
the world until a test lets it go on. The connection is really cut (see `bot.demo.serving`), not mocked. Faults for the
same route apply in the order they were scripted, each as many times as it was asked for; one request meets one fault.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from starlette.responses import HTMLResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.demo.serving import cut
from bot.demo.voipbin.errors import refusal

Fault = Callable[[ASGIApp, Scope, Receive, Send], Awaitable[None]]


def delay(seconds: float) -> Fault:
    """Wait, then do the work and answer."""

    async def fault(work: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.sleep(seconds)
        await work(scope, receive, send)

    return fault


def slow_answer(seconds: float) -> Fault:
    """Do the work at once, answer late."""

    async def fault(work: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        answer = await _worked(work, scope, receive)
        await asyncio.sleep(seconds)
        await _replay(answer, send)

    return fault


def status(
    code: int, reason: str, *, retry_after: int | None = None, details: Sequence[Mapping[str, Any]] = ()
) -> Fault:
    """Answer VoIPBIN's error envelope without doing the work; `retry_after` in seconds becomes the header."""

    async def fault(_: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
        await refusal(scope, code, reason, details=details, headers=headers)(scope, receive, send)

    return fault


def status_after_work(code: int, reason: str) -> Fault:
    """Do the work, then claim that it failed, as an RPC does that exceeds its budget (503 REQUEST_TIMEOUT)."""

    async def fault(work: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        await _worked(work, scope, receive)
        await refusal(scope, code, reason)(scope, receive, send)

    return fault


def empty(code: int) -> Fault:
    """Answer a status and nothing else, without doing the work."""
    return _answer(lambda: Response(status_code=code))


def html(code: int) -> Fault:
    """Answer as a proxy in front of the API does, without doing the work."""
    return _answer(lambda: HTMLResponse(f"<html><body><h1>{code}</h1><p>gateway</p></body></html>", status_code=code))


def broken_json(code: int = 200) -> Fault:
    """Answer something that says it is JSON and is not, without doing the work."""
    return _answer(lambda: Response('{"result":[{"id":', status_code=code, media_type="application/json"))


def reset_before() -> Fault:
    """Reset the connection before any work is done."""

    async def fault(_: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG001  a fault's shape
        await cut(scope, receive, reset=True)

    return fault


def lose_answer() -> Fault:
    """Do the work, then close the connection without an answer."""

    async def fault(work: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG001  a fault's shape
        await _worked(work, scope, receive)
        await cut(scope, receive)

    return fault


def half_answer() -> Fault:
    """Do the work, announce the whole answer, send half of it, close the connection."""

    async def fault(work: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        start, *bodies = await _worked(work, scope, receive)
        body = b"".join(message.get("body", b"") for message in bodies)
        await send(start)
        await send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})
        await cut(scope, receive)

    return fault


class Hold:
    """A fault that stops the world at one exact point: `await arrived()`, look around, `release()`."""

    def __init__(self, *, after_work: bool = False) -> None:
        self._after_work = after_work
        self._arrived = asyncio.Event()
        self._released = asyncio.Event()
        self.waiting = 0

    async def __call__(self, work: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        answer = await _worked(work, scope, receive) if self._after_work else None
        self.waiting += 1
        self._arrived.set()
        await self._released.wait()
        if answer is None:
            await work(scope, receive, send)
        else:
            await _replay(answer, send)

    async def arrived(self) -> None:
        """Return once a request stands at this point."""
        async with asyncio.timeout(60):  # a test that waits for what never comes fails, and does not hang
            await self._arrived.wait()

    def release(self) -> None:
        """Let the requests that wait here, and all that come later, go on."""
        self._released.set()


def hold(*, after_work: bool = False) -> Hold:
    """Stop before the work, or after it and before the answer."""
    return Hold(after_work=after_work)


@dataclass(slots=True, eq=False)
class ScriptedFault:
    """A fault waiting for its requests: `left` times, or None for until `clear`; `met` counts those that ran into
    it.
    """

    method: str
    pattern: re.Pattern[str]
    fault: Fault
    left: int | None
    met: int = 0

    def clear(self) -> None:
        """Let everything through from now on."""
        self.left = 0


class Faults:
    """The script. Methods and templates may be "*"; templates are written without /v1.0: `/activeflows/{id}/stop`."""

    def __init__(self) -> None:
        self._script: list[ScriptedFault] = []

    def on(self, method: str, template: str, fault: Fault, *, times: int | None = 1) -> ScriptedFault:
        """Let `fault` meet the next `times` requests of that route; None means until it is cleared."""
        scripted = ScriptedFault(method.upper(), route(template), fault, times)
        self._script.append(scripted)
        return scripted

    def clear(self) -> None:
        """Forget the whole script."""
        for scripted in self._script:
            scripted.clear()
        self._script.clear()

    def meeting(self, method: str, path: str) -> Fault | None:
        """The fault this request runs into, counted as met; `path` as on the wire."""
        self._script = [s for s in self._script if s.left != 0]
        short = path.removeprefix("/v1.0")
        for scripted in self._script:
            if scripted.method in ("*", method) and scripted.pattern.fullmatch(short):
                scripted.met += 1
                scripted.left = None if scripted.left is None else scripted.left - 1
                return scripted.fault
        return None


def route(template: str) -> re.Pattern[str]:
    """A pattern for paths without /v1.0: `{…}` stands for one segment, "*" for everything."""
    return re.compile(".*" if template == "*" else re.sub(r"\\\{[^}]*\\\}", "[^/]+", re.escape(template)))


def _answer(make: Callable[[], Response]) -> Fault:
    async def fault(_: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        await make()(scope, receive, send)

    return fault


async def _worked(work: ASGIApp, scope: Scope, receive: Receive) -> list[Message]:
    """Do the work to its end and keep the answer."""
    answer: list[Message] = []

    async def keep(message: Message) -> None:
        answer.append(message)

    await work(scope, receive, keep)
    return answer


async def _replay(answer: list[Message], send: Send) -> None:
    for message in answer:
        await send(message)


# ---------------------------------------------------------------- seen
# What reached the simulated VoIPBIN, for tests to count and for the demo to show.


@dataclass(slots=True)
class RequestSeen:
    """One request. `status` is what was answered, None when no answer (or half of one) left the simulator."""

    method: str
    path: str
    query: str
    headers: dict[str, str] = field(repr=False)  # they carry credentials
    at: datetime
    status: int | None = None


@dataclass(frozen=True, slots=True)
class StopSeen:
    """One stop that was executed; `changed` is False when the activeflow had ended before."""

    activeflow_id: UUID
    at: datetime
    changed: bool

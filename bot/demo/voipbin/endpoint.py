"""What every endpoint under /v1.0 has in common: who may come in, in which order one is refused, how lists page.

Order as on the real edge: credential, the customer's bucket, frozen account, then the endpoint with its own role check.
"""

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar
from uuid import UUID

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from bot.demo.voipbin import wire
from bot.demo.voipbin.asking import page_size, page_token, path_id
from bot.demo.voipbin.auth import Caller, caller_of, refuse_frozen
from bot.demo.voipbin.errors import Refused
from bot.demo.voipbin.records import Row, Table
from bot.demo.voipbin.world import World

R = TypeVar("R", bound=Row)
Endpoint = Callable[[World, Caller, Request], Awaitable[Response]]


def ok(body: Any, headers: dict[str, str] | None = None) -> Response:
    """200 with JSON, labelled as the real edge labels it."""
    return JSONResponse(body, headers=headers, media_type="application/json; charset=utf-8")


def guarded(world: World, endpoint: Endpoint) -> Callable[[Request], Awaitable[Response]]:
    """The endpoint behind authentication, limit and freeze."""

    async def answer(request: Request) -> Response:
        caller = caller_of(request, world)
        if not world.limits.admits(caller.customer_id):
            raise Refused(
                429, "RATE_LIMIT_EXCEEDED", details=[{"limited_by": "customer"}], headers={"Retry-After": "1"}
            )
        refuse_frozen(caller, world)
        return await endpoint(world, caller, request)

    return answer


def listed(
    world: World, caller: Caller, request: Request, table: Table[R], show: Callable[[R], dict[str, Any]]
) -> Response:
    """A page of the caller's rows; the token is there whenever a row is, on the last page too."""
    size = min(page_size(request, most=100), world.limits.page)
    before = page_token(request, world.clock.instant() - world.clock_skew)
    rows = table.page(caller.customer_id, before, size)
    token = wire.token(rows[-1].tm_create) if rows else ""
    return ok({"result": [show(row) for row in rows], "next_page_token": token})


def the_one(caller: Caller, request: Request, table: Table[R], noun: str, allowed: int) -> R:
    """The row named in the path; Refused as `owned` says, and 404 RESOURCE_NOT_FOUND when it was deleted."""
    row = found(table, path_id(request), noun)
    if row.tm_delete is not None:
        raise Refused(404, "RESOURCE_NOT_FOUND")
    return owned(caller, row, allowed)


def found(table: Table[R], id: UUID, noun: str) -> R:  # noqa: A002  VoIPBIN's word
    """The row, deleted or not; Refused 404 `<NOUN>_NOT_FOUND` when there never was one."""
    row = table.get(id)
    if row is None:
        raise Refused(404, f"{noun}_NOT_FOUND")
    return row


def owned(caller: Caller, row: R, allowed: int) -> R:
    """The row; Refused 403 when it belongs to somebody else or the caller's role is too low."""
    caller.needs(allowed)
    if row.customer_id != caller.customer_id:
        raise Refused(403, "PERMISSION_DENIED")
    return row

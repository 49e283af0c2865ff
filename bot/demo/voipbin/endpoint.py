"""What every endpoint under /v1.0 has in common: who may come in, in which order one is refused, how lists page.

Order as on the real edge: credential, the customer's bucket, frozen account, then the endpoint with its own role check.
"""

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, Response

from bot.demo.voipbin import wire
from bot.demo.voipbin.errors import Refused
from bot.demo.voipbin.inventory import Inventory
from bot.demo.voipbin.records import Row, Table
from bot.demo.voipbin.state import ADMIN, ZERO, Agent
from bot.demo.voipbin.world import World

# ---------------------------------------------------------------- asking
# What a request asks for: ids, page sizes and page tokens, read as leniently as VoIPBIN reads them.

_CANONICAL = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_ANY_FORM = re.compile(
    rf"(?:urn:uuid:)?({_CANONICAL}|[0-9a-f]{{32}})|\{{({_CANONICAL}|[0-9a-f]{{32}})\}}", re.IGNORECASE
)
_TIME = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(\.\d{1,9})?Z?")


def parsed_id(text: str) -> UUID | None:
    """A UUID in any form the API accepts: upper case, braces, `urn:uuid:`, without dashes; surrounding blanks are
    not.
    """
    match = _ANY_FORM.fullmatch(text)
    return UUID((match[1] or match[2]).replace("-", "")) if match else None


def path_id(request: Request) -> UUID:
    """The `{id}` of the path; Refused 400 INVALID_ID for what is no UUID, and for the zero UUID."""
    found = parsed_id(request.path_params.get("id", ""))
    if found is None or found == ZERO:
        raise Refused(400, "INVALID_ID")
    return found


def page_size(request: Request, *, most: int) -> int:
    """100 unless a number from 1 to `most` is asked for; Refused 400 for what is no number."""
    asked = request.query_params.get("page_size")
    if asked is None:
        return 100
    if re.fullmatch(r"[+-]?\d+", asked, re.ASCII) is None:
        raise Refused(400, "INVALID_REQUEST_PARAMETER")
    return int(asked) if 1 <= int(asked) <= most else 100


def page_token(request: Request, default: datetime) -> datetime:
    """The cursor; nothing is validated before the database sees it, and this database refuses garbage with a 400."""
    asked = request.query_params.get("page_token", "")
    if not asked:
        return default
    match = _TIME.fullmatch(asked)
    if match is None:
        raise Refused(400, "INVALID_ARGUMENT")
    try:
        whole = datetime.fromisoformat(f"{match[1]}T{match[2]}").replace(tzinfo=UTC)
    except ValueError:
        raise Refused(400, "INVALID_ARGUMENT") from None
    return whole + timedelta(microseconds=int(f"{match[3] or '.0'}"[1:7].ljust(6, "0")))


# ---------------------------------------------------------------- auth
# Who is asking: access keys, login tokens, and the order in which VoIPBIN looks for them.
#
# The first credential found wins, with no second chance when it is bad: cookie `token`, query `token`, header
# `Authorization: Bearer …` (this very spelling), cookie `accesskey`, query `accesskey`. An access key is never taken
# from a header. Login tokens are HS256 JWTs without `exp`: their end is the custom claim `expire`, compared as a
# string, and they carry a snapshot of the agent (https://api.voipbin.net/docs/auth_overview.html).

_DELETION_AFTER = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Caller:
    """The customer somebody acts for, with what rights; `agent` is the token's snapshot, None for an access key."""

    customer_id: UUID
    permission: int
    agent: Mapping[str, Any] | None = None

    def needs(self, allowed: int) -> None:
        """Refuse with 403 unless one of the `allowed` permission bits is held."""
        if not self.permission & allowed:
            raise Refused(403, "PERMISSION_DENIED")


def caller_of(request: HTTPConnection, world: Inventory) -> Caller:
    """The caller behind a request; Refused 401 when there is no credential or a bad one."""
    kind, credential = _credential(request)
    if kind == "none":
        raise Refused(401, "AUTHENTICATION_REQUIRED")
    caller = _by_token(credential, world) if kind == "token" else _by_key(credential, world)
    if caller is None:
        raise Refused(401, "INVALID_CREDENTIALS")
    return caller


def refuse_frozen(caller: Caller, world: Inventory) -> None:
    """Refused 403 ACCOUNT_FROZEN, with the dates, when the customer is scheduled for deletion."""
    customer = world.records.customers[caller.customer_id]
    if customer.status != "frozen":
        return
    scheduled = customer.tm_deletion_scheduled
    detail = {
        "deletion_scheduled_at": wire.time(scheduled),
        "deletion_effective_at": wire.time(scheduled + _DELETION_AFTER if scheduled else None),
        "recovery_endpoint": "DELETE /auth/unregister",
    }
    raise Refused(403, "ACCOUNT_FROZEN", details=[detail])


def login(username: object, password: object, world: Inventory) -> str | None:
    """A token for the agent with these words, or None."""
    for agent in world.records.agents:
        if agent.username == username and agent.password == password and agent.tm_delete is None:
            return issue(agent, world)
    return None


def issue(agent: Agent, world: Inventory) -> str:
    """Sign a token for an agent, good for `world.token_lifetime`."""
    claims = {
        "agent": wire.agent(agent),
        "expire": wire.token(world.clock.now() + world.token_lifetime),
        "type": "agent",
    }
    signed = f"{_encoded({'alg': 'HS256', 'typ': 'JWT'})}.{_encoded(claims)}"
    return f"{signed}.{_signature(signed, world)}"


def _credential(request: HTTPConnection) -> tuple[str, str]:
    bearer = request.headers.get("authorization", "")
    found = (
        ("token", request.cookies.get("token", "")),
        ("token", request.query_params.get("token", "")),
        ("token", bearer.removeprefix("Bearer ") if bearer.startswith("Bearer ") else ""),
        ("accesskey", request.cookies.get("accesskey", "")),
        ("accesskey", request.query_params.get("accesskey", "")),
    )
    return next(((kind, value) for kind, value in found if value), ("none", ""))


def _by_key(key: str, world: Inventory) -> Caller | None:
    for row in world.records.accesskeys:
        if hmac.compare_digest(row.token.encode(), key.encode()):
            expired = row.tm_expire is not None and row.tm_expire < world.clock.now()
            return None if expired or row.tm_delete is not None else Caller(row.customer_id, ADMIN)
    return None


def _by_token(token: str, world: Inventory) -> Caller | None:
    signed, _, signature = token.rpartition(".")
    if not hmac.compare_digest(_signature(signed, world).encode(), signature.encode()):
        return None
    padded = signed.partition(".")[2]
    claims = json.loads(base64.urlsafe_b64decode(padded + "=" * (-len(padded) % 4)))
    if claims["expire"] < wire.token(world.clock.now()):
        return None
    return Caller(UUID(claims["agent"]["customer_id"]), claims["agent"]["permission"], claims["agent"])


def _encoded(part: Mapping[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()


def _signature(signed: str, world: Inventory) -> str:
    digest = hmac.new(world.token_secret, signed.encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


# ---------------------------------------------------------------- endpoint

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

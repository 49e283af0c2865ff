"""Who is asking: access keys, login tokens, and the order in which VoIPBIN looks for them.

The first credential found wins, with no second chance when it is bad: cookie `token`, query `token`, header
`Authorization: Bearer …` (this very spelling), cookie `accesskey`, query `accesskey`. An access key is never taken from a header.
Login tokens are HS256 JWTs without `exp`: their end is the custom claim `expire`, compared as a string, and they carry a
snapshot of the agent (https://api.voipbin.net/docs/auth_overview.html).
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from starlette.requests import HTTPConnection

from bot.demo.voipbin import wire
from bot.demo.voipbin.errors import Refused
from bot.demo.voipbin.inventory import Inventory
from bot.demo.voipbin.state import ADMIN, Agent

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

"""VoIPBIN's refusals: the error envelope, its reasons, the request id of every answer, and the rate limit.

https://api.voipbin.net/docs/restful_api_errors.html; messages are this simulation's own words, clients branch on
`reason`.
"""

import base64
import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from starlette.datastructures import Headers
from starlette.responses import JSONResponse, Response
from starlette.types import Scope

_STATUS = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    402: "PAYMENT_REQUIRED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    409: "FAILED_PRECONDITION",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
}
_ACCEPTED_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


class Refused(Exception):
    """The work was refused: HTTP status, reason and what goes with it."""

    def __init__(
        self,
        code: int,
        reason: str,
        *,
        details: Sequence[Mapping[str, Any]] = (),
        headers: Mapping[str, str] | None = None,
        media_type: str = "application/json",
    ) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason
        self.details = details
        self.headers = dict(headers or {})
        self.media_type = media_type

    def response(self, scope: Scope) -> Response:
        """The refusal as an answer to the request of `scope`."""
        return refusal(
            scope, self.code, self.reason, details=self.details, headers=self.headers, media_type=self.media_type
        )


def refusal(
    scope: Scope,
    code: int,
    reason: str,
    *,
    details: Sequence[Mapping[str, Any]] = (),
    headers: Mapping[str, str] | None = None,
    media_type: str = "application/json",
) -> Response:
    """The envelope; `details` is there only when it is not empty."""
    error: dict[str, Any] = {
        "status": _STATUS.get(code, "INTERNAL"),
        "reason": reason,
        "message": f"simulated: {reason.lower().replace('_', ' ')}",
        "request_id": request_id(scope),
    }
    if details:
        error["details"] = list(details)
    return JSONResponse({"error": error}, status_code=code, headers=dict(headers or {}), media_type=media_type)


def request_id(scope: Scope) -> str:
    """The client's own X-Request-Id when it is acceptable, else a new one; the same for the whole request."""
    state: dict[str, Any] = scope.setdefault("state", {})
    if "request_id" not in state:
        sent = Headers(scope=scope).get("x-request-id", "")
        accepted = _ACCEPTED_ID.fullmatch(sent) is not None
        state["request_id"] = sent if accepted else f"req_{base64.b32encode(secrets.token_bytes(17)).decode()[:26]}"
    return str(state["request_id"])


# ---------------------------------------------------------------- limits
# The customer's request bucket: 17 a second, 33 at once, shared by every client of the customer; and how long pages
# are.
#
# https://api.voipbin.net/docs/restful_api.html describes the 429; switched off unless a test or the demo wants it.


@dataclass(slots=True)
class _Bucket:
    tokens: float
    filled_at: datetime


class Limits:
    """A token bucket per customer, in the world's own time. `rate` is tokens per second, `burst` the most it holds."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self.enabled = False
        self.rate = 17.0
        self.burst = 33
        self.refused = 0
        self.page = 1000
        """The most rows a page of any list has, whatever was asked for."""
        self._now = now
        self._buckets: dict[UUID, _Bucket] = {}

    def admits(self, customer_id: UUID) -> bool:
        """Take one token for a request; False means 429."""
        if not self.enabled:
            return True
        bucket = self._filled(customer_id)
        if bucket.tokens < 1:
            self.refused += 1
            return False
        bucket.tokens -= 1
        return True

    def others_take(self, customer_id: UUID, requests: int) -> None:
        """The customer's other clients use up that many tokens now."""
        bucket = self._filled(customer_id)
        bucket.tokens = max(0.0, bucket.tokens - requests)

    def _filled(self, customer_id: UUID) -> _Bucket:
        now = self._now()
        bucket = self._buckets.setdefault(customer_id, _Bucket(self.burst, now))
        passed = (now - bucket.filled_at).total_seconds()
        bucket.tokens = min(float(self.burst), bucket.tokens + passed * self.rate)
        bucket.filled_at = now
        return bucket

"""VoIPBIN's refusals: the error envelope, its reasons, and the request id that every answer carries.

https://api.voipbin.net/docs/restful_api_errors.html; messages are this simulation's own words, clients branch on `reason`.
"""

import base64
import re
import secrets
from collections.abc import Mapping, Sequence
from typing import Any

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

"""How Slack says no: an error code, sometimes with messages that point into the blocks."""

from collections.abc import Mapping, Sequence
from typing import Any


class Refused(Exception):  # reads as the outcome it is
    """The call is refused with Slack's error `code`; `details` are further keys of the answer."""

    def __init__(self, code: str, *, messages: Sequence[str] = (), details: Mapping[str, Any] | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.messages = list(messages)
        self.details = dict(details or {})

    def as_json(self) -> dict[str, Any]:
        """Return the body, as described at https://docs.slack.dev/apis/web-api/#responses."""
        body: dict[str, Any] = {"ok": False, "error": self.code, **self.details}
        if self.messages:
            body["errors"] = self.messages
            body["response_metadata"] = {"messages": [f"[ERROR] {message}" for message in self.messages]}
        return body

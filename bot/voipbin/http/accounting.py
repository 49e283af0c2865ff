"""Account for each request to VoIPBIN: it is counted and measured, and what acts on it is a line in the log, with the request id that VoIPBIN logs, too."""

import re
import time
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final

import structlog

from bot.voipbin.http.answer_errors import Trouble
from bot.voipbin.metrics import REQUESTS, SECONDS

_STATUSES: Final = frozenset(HTTPStatus)
log = structlog.get_logger(__name__)
_ID: Final = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class Asked:
    """One request under way. ``acts``: it stops an activeflow or hangs up a call, and so is worth a line."""

    method: str
    path: str
    request_id: str
    acts: bool
    began: float = field(default_factory=time.perf_counter)

    def over(self, status: int | None, trouble: Trouble | None) -> None:
        """It was answered with this status (``None``: not at all), well or not."""
        seconds, template = time.perf_counter() - self.began, _ID.sub("{id}", self.path)
        kind = trouble.kind.name.lower() if trouble else ""
        REQUESTS.labels(self.method, template, _known(status), kind).inc()
        SECONDS.labels(self.method, template).observe(seconds)
        if not self.acts:
            return
        what = "call_id" if self.path.startswith("/calls/") else "activeflow_id"
        found = _ID.search(self.path)
        log.info(
            "sent",
            **{what: found[0] if found else ""},
            request_id=trouble.request_id if trouble and trouble.request_id else self.request_id,
            status=status,
            trouble=kind,
            seconds=round(seconds, 3),
        )


def _known(status: int | None) -> str:
    """One that HTTP has a name for: whatever stands in front of VoIPBIN may answer others."""
    return "" if status is None else str(status) if status in _STATUSES else "other"

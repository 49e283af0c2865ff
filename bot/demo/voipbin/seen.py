"""What reached the simulated VoIPBIN, for tests to count and for the demo to show."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID


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

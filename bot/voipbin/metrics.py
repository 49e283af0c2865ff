"""Count and measure what is asked of VoIPBIN, in the registry of the process.

Labels are bounded: an endpoint is a path without its ids, a status one of HTTP, a failure one of ``FailureKind``.
"""

from typing import Final

from prometheus_client import Counter, Histogram

REQUESTS: Final = Counter(
    "flows_bot_voipbin_requests",
    "Requests to VoIPBIN by their HTTP status (empty without an answer) and the bot's word for a trouble",
    ["method", "endpoint", "status", "trouble"],
)
SECONDS: Final = Histogram(
    "flows_bot_voipbin_request_seconds",
    "From the request to its whole answer",
    ["method", "endpoint"],
    buckets=(0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 40.0),
)
WAITED: Final = Histogram(
    "flows_bot_voipbin_budget_wait_seconds",
    "How long requests waited for their turn",
    ["urgency"],
    buckets=(0.001, 0.01, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0),
)
STREAMS: Final = Counter("flows_bot_voipbin_stream_connections", "Event streams that were opened")
STREAMS_LOST: Final = Counter("flows_bot_voipbin_stream_losses", "Event streams that were lost or could not be opened")
EVENT_LAG: Final = Histogram(
    "flows_bot_voipbin_event_lag_seconds",
    "From a change, by VoIPBIN's clock, until its event is taken in",
    buckets=(0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0, 300.0),
)
LOGINS: Final = Counter("flows_bot_voipbin_logins", "Logins that gave a token")

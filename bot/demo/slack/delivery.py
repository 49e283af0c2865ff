"""How Slack hands something to a bot, what the person sees when the bot does not take it, and who is told of it.

Promises: bodies are signed as at https://docs.slack.dev/authentication/verifying-requests-from-slack with the time of
the machine's clock; the bot has 3 s; anything but HTTP 200 is an error that the person sees, in Slack's words
(https://docs.slack.dev/interactivity/implementing-slash-commands#best_practices). Commands and presses are never
delivered twice by Slack itself.
"""

import hashlib
import hmac
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import aiohttp

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"
TROUBLE = "We had some trouble connecting. Try again?"


@dataclass(frozen=True)
class BotAnswer:
    """What came back: HTTP status (None: nothing did), the body, Slack's error code if the delivery failed.

    `no_retry` says that an event shall not come again: https://docs.slack.dev/apis/events-api/#turning_retries_off.
    """

    status: int | None
    answer: bytes = b""
    content_type: str = ""
    error: str | None = None
    no_retry: bool = False


@dataclass(frozen=True)
class Delivery:
    """One delivery, or one try of a person that never left Slack (`status` None and `error` says why).

    `seconds` is the time until the bot answered; `error` is the sentence shown to the person, None when all went well.
    """

    kind: str
    user: str
    payload: Mapping[str, Any] = field(default_factory=dict)
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    status: int | None = None
    answer: bytes = b""
    content_type: str = ""
    seconds: float = 0.0
    error: str | None = None


def signed(secret: str, body: bytes, *, content_type: str = FORM, at: float | None = None) -> dict[str, str]:
    """Return the headers that Slack sends with this body, signed at epoch seconds `at`, now by default."""
    timestamp = str(int(time.time() if at is None else at))
    digest = hmac.new(secret.encode(), f"v0:{timestamp}:".encode() + body, hashlib.sha256).hexdigest()
    return {
        "Content-Type": content_type,
        "User-Agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
        "X-Slack-Request-Timestamp": timestamp,
        "X-Slack-Signature": f"v0={digest}",
    }


async def posted(url: str | None, body: bytes, headers: Mapping[str, str], *, patience: float) -> BotAnswer:
    """Post to the bot's request URL and wait at most `patience` seconds."""
    if url is None:
        return BotAnswer(None, error="dispatch_failed")
    timeout = aiohttp.ClientTimeout(total=patience)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout, auto_decompress=False) as session,
            session.post(url, data=body, headers=dict(headers), allow_redirects=False) as response,
        ):
            answer = await response.read()
    except TimeoutError:
        return BotAnswer(None, error="operation_timeout")
    except (aiohttp.ClientError, OSError):
        return BotAnswer(None, error="dispatch_failed")
    error = None if response.status == 200 else "dispatch_failed"
    no_retry = response.headers.get("X-Slack-No-Retry") == "1"
    return BotAnswer(response.status, answer, response.content_type, error, no_retry)


async def timed(taking: Callable[[], Awaitable[BotAnswer]]) -> tuple[BotAnswer, float]:
    """Return what came back and after how many seconds."""
    start = time.perf_counter()
    taken = await taking()
    return taken, time.perf_counter() - start


# ---------------------------------------------------------------- record
# What passes between Slack and the bot, told to whoever wants to judge it.

Recorder = Callable[[str, Any, Any], None]
recorders: list[Recorder] = []
"""Called with each exchange at the wire: its kind (a method's name, `response_url`, or what was delivered, such as
`block_actions`), what was said, and the answer; None where there was none that is JSON."""


def record(kind: str, said: Any, answered: Any) -> None:
    """Tell everybody who records."""
    for recorder in recorders:
        recorder(kind, said, answered)

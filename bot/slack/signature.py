"""Is this really from Slack? Decided on the raw bytes, before anything of them is read.

The signature covers the timestamp and the body, nothing else: not the path, not the other headers. So nothing that
comes from those is ever passed on. https://docs.slack.dev/authentication/verifying-requests-from-slack
"""

import hashlib
import hmac
from collections.abc import Sequence
from typing import Final

WINDOW: Final = 300
"""Seconds a timestamp may be old, or ahead of our clock."""
_LONGEST_TIMESTAMP: Final = 12


def is_signed(secret: bytes, headers: Sequence[tuple[bytes, bytes]], body: bytes, *, now: float) -> bool:
    """Whether ``body`` was signed with ``secret`` within the last five minutes; odd headers are a no, never an error.

    ``headers`` as ASGI gives them, names in lower case. A header given twice proves nothing.
    """
    stamps = [value for name, value in headers if name == b"x-slack-request-timestamp"]
    signatures = [value for name, value in headers if name == b"x-slack-signature"]
    if len(stamps) != 1 or len(signatures) != 1:
        return False
    stamp = stamps[0]
    if not (stamp.isdigit() and len(stamp) <= _LONGEST_TIMESTAMP) or abs(now - int(stamp)) > WINDOW:
        return False
    digest = hmac.new(secret, b"v0:" + stamp + b":" + body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(b"v0=" + digest.encode(), signatures[0])

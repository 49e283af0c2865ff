"""Verify that a delivery is Slack's: on the headers before the body is read, and on the raw bytes before they are parsed.

The signature covers the timestamp and the body, nothing else: not the path, not the other headers. So nothing that
comes from those is ever passed on. https://docs.slack.dev/authentication/verifying-requests-from-slack
"""

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

WINDOW: Final = 300
"""Seconds a timestamp may be old, or ahead of our clock."""
UNSIGNED: Final = "unsigned"
BAD_SIGNATURE: Final = "bad signature"
STALE: Final = "stale"
_LONGEST_TIMESTAMP: Final = 12
_SIGNATURE_LENGTH: Final = 67


class NotSigned(Exception):
    """The delivery is not believed. The text says why ("stale by 360 s"); ``kind`` is the same without figures."""

    def __init__(self, kind: str, what: str = "") -> None:
        super().__init__(what or kind)
        self.kind = kind


@dataclass(frozen=True, slots=True)
class Claim:
    """What the headers claim: the body was signed so, just now."""

    timestamp: bytes
    signature: bytes

    def verify(self, secret: bytes, body: bytes) -> None:
        """Compare with what the secret makes of the body. Raises ``NotSigned``."""
        digest = hmac.new(secret, b"v0:" + self.timestamp + b":" + body, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(b"v0=" + digest.encode(), self.signature):
            raise NotSigned(BAD_SIGNATURE)


def claimed(headers: Sequence[tuple[bytes, bytes]], *, now: float) -> Claim:
    """What the headers claim. Raises ``NotSigned`` where no body could make it true; odd headers are never an error.

    ``headers`` as ASGI gives them, names in lower case. A header given twice proves nothing.
    """
    stamps = [value for name, value in headers if name == b"x-slack-request-timestamp"]
    signatures = [value for name, value in headers if name == b"x-slack-signature"]
    if len(stamps) != 1 or len(signatures) != 1 or not signatures[0]:
        raise NotSigned(UNSIGNED)
    stamp, signature = stamps[0], signatures[0]
    if not (stamp.isdigit() and len(stamp) <= _LONGEST_TIMESTAMP):
        raise NotSigned(UNSIGNED)
    age = round(now - int(stamp))
    if abs(now - int(stamp)) > WINDOW:
        raise NotSigned(STALE, f"stale by {age} s" if age > 0 else f"ahead of this machine's clock by {-age} s")
    if len(signature) != _SIGNATURE_LENGTH or not signature.startswith(b"v0="):
        raise NotSigned(BAD_SIGNATURE)
    return Claim(stamp, signature)

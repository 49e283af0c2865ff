"""Say how the vendors are reached from here: through which proxy, and what is wrong with a certificate.

Decision: the proxy of the environment is read by the settings and given to each client, because the libraries read it
each in their own way: one knows no ``NO_PROXY``, one a ``.netrc`` as well. Only https goes through it; http is this
machine.
"""

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

_CERTIFICATE: Final = (
    ("certificate has expired", "has expired"),
    ("certificate is not yet valid", "is not valid yet: is this machine's clock right?"),
    ("mismatch", "is one for another address"),
    ("", "is not trusted"),
)
"""What OpenSSL says, and what that means."""


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy for https, and what is reached without it."""

    url: str = ""
    """``http://[user:password@]host:port``; empty: there is none."""
    not_for: str = ""
    """As in ``NO_PROXY``: names of hosts, with all below them, divided by commas."""

    def of(self, address: str) -> str | None:
        """Return through what that address (``https``, ``wss``) is reached; ``None``: directly."""
        if not self.url:
            return None
        parts = urlsplit(address)
        if parts.scheme not in {"https", "wss"}:
            return None
        from urllib.request import (  # type: ignore[attr-defined] # noqa: PLC0415 — an HTTP client; `--help` needs none
            proxy_bypass_environment,
        )

        host = parts.netloc.rpartition("@")[2]
        return None if proxy_bypass_environment(host, {"no": self.not_for}) else self.url


DIRECT: Final = Proxy()


def certificate_trouble(said: str) -> str:
    """Return what is wrong with "the certificate"; empty when the error with these words is about something else."""
    if "CERTIFICATE_VERIFY_FAILED" not in said:
        return ""
    return next(words for sign, words in _CERTIFICATE if sign in said)

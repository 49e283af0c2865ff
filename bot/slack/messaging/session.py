"""Open the one HTTP session for everything said to Slack: answers are read with a bound.

aiohttp unpacks an answer piece by piece, and stops reading where nobody takes the pieces; ``read`` alone has no bound of
its own. https://docs.aiohttp.org/en/stable/client_advanced.html
"""

import re
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import aiohttp

from bot.network import DIRECT, Proxy, certificate_trouble

LARGEST: Final = 4 * 2**20
"""Bytes of an answer, unpacked. The largest that is asked for, a hundred messages of a channel, is some hundred kB."""
_PIECE: Final = 64 * 1024
_PLAIN: Final = re.compile(r"[A-Za-z0-9:/._~%?=&+\[\]-]+")
"""Nothing that one parser of addresses takes for the end of the host, and another does not."""


@dataclass(frozen=True, slots=True)
class Route:
    """How Slack is reached: whatever is said to it goes this way."""

    proxy: Proxy = DIRECT
    trust: ssl.SSLContext | None = None
    """``None``: the public authorities."""


def route(proxy: Proxy, ca_file: Path | None) -> Route:
    """``ca_file`` adds an authority. Raises ``OSError`` for one that cannot be read (``ssl.SSLError`` is one)."""
    if ca_file is None:
        return Route(proxy)
    trust = ssl.create_default_context()
    trust.load_verify_locations(cafile=str(ca_file))
    return Route(proxy, trust)


def http_session() -> aiohttp.ClientSession:
    """Whoever opens it closes it."""
    return aiohttp.ClientSession(
        timeout=aiohttp.ClientTimeout(total=30, connect=5), raise_for_status=False, response_class=_Bounded
    )


def is_below(url: str, api_url: str) -> bool:
    """Is that address at the host of Slack's API, or below it, as hooks.slack.com is?

    A response_url comes in with a delivery; posted to whatever it names, it would be a way out for what the bot knows.
    https://docs.slack.dev/interactivity/handling-user-interaction#message_responses
    """
    if not _PLAIN.fullmatch(url):
        return False
    try:
        there, api = urlsplit(url), urlsplit(api_url)
        host, home = (there.hostname or "").lower(), (api.hostname or "").lower().removeprefix("www.")
    except ValueError:
        return False
    return there.scheme == api.scheme and bool(home) and (host == home or host.endswith(f".{home}"))


def lost_words(lost: Exception) -> str:
    """What became of a call without an answer, after "Slack": never an address."""
    certificate = certificate_trouble(str(lost)) if isinstance(lost, aiohttp.ClientConnectorCertificateError) else ""
    return f"was not asked: its certificate {certificate}" if certificate else f"did not answer ({type(lost).__name__})"


class _Bounded(aiohttp.ClientResponse):
    async def read(self) -> bytes:
        """The body. Raises ``aiohttp.ClientPayloadError`` when it is longer than any of Slack's."""
        if self._body is None:
            try:
                self._body = await self._pieces()
            except BaseException:
                self.close()
                raise
        return await super().read()

    async def _pieces(self) -> bytes:
        pieces, size = [], 0
        async for piece in self.content.iter_chunked(_PIECE):
            size += len(piece)
            if size > LARGEST:
                raise aiohttp.ClientPayloadError("longer than an answer of Slack's")
            pieces.append(piece)
        return b"".join(pieces)

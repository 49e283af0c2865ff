"""Open the connection to VoIPBIN once and keep it.

Promises: certificates are always checked (``ca_file`` adds an authority, as the sandbox needs); the proxy is the one
given, and no ``.netrc``, nothing else from the environment is followed; redirects are not followed, because VoIPBIN's
repeat the query, key included; no cookie is ever kept, because the ``token`` a login sets would outrank the credential
shown with a request (https://api.voipbin.net/docs/auth_overview.html).
"""

import asyncio
import re
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from http.cookiejar import CookieJar, DefaultCookiePolicy
from importlib.metadata import version
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import aiohttp
import httpx

from bot.network import DIRECT, Proxy
from bot.voipbin.client import VoIPBINClient
from bot.voipbin.http.budget import Budget
from bot.voipbin.http.credential import (
    AccessKey,
    AccessKeyCredential,
    Credential,
    Login,
    LoginCredential,
    NoCredential,
    NotSetUp,
)
from bot.voipbin.http.exchange import ENCODING, Exchange, RequestPauses, sign_in
from bot.voipbin.http.transport import Transport
from bot.voipbin.live.scan import WalkBounds
from bot.voipbin.live.stream import EventStream

_UTC_NOW: Final = partial(datetime.now, UTC)
IN_FLIGHT: Final = 16
"""Requests at a time."""
_KEPT: Final = 30.0
"""Seconds that a connection with nothing to do is kept open."""

_NOBODY: Final = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Trusts no certificate: an ``http`` address shows none, what is not set up is never asked, and reading the public
authorities takes 0.1 s and 3 MB.
"""

_VERSION_SEGMENT: Final = re.compile(r"/v[0-9]+(?:\.[0-9]+)*\Z")


@asynccontextmanager
async def connected(
    *,
    api_url: str,
    credential: AccessKey | Login | NotSetUp,
    ca_file: Path | None = None,
    proxy: Proxy = DIRECT,
    now: Callable[[], datetime] = _UTC_NOW,
    budget: float = 8.0,
    patience: RequestPauses | None = None,
    bounds: WalkBounds | None = None,
) -> AsyncIterator[VoIPBINClient]:
    """Yield a client of the VoIPBIN at ``api_url`` (``https://…/v1.0``) for as long as the block lasts. Asks nothing
    yet.

    ``budget`` is in requests a second. Raises ``ValueError`` for an address that is none, ``OSError`` or
    ``ssl.SSLError`` for a ``ca_file`` that cannot be read.
    """
    base, root = addresses(api_url)
    patience, bounds = patience or RequestPauses(), bounds or WalkBounds()
    asks = base.startswith("https") and not isinstance(credential, NotSetUp)
    trust = await asyncio.to_thread(_trust, ca_file) if asks else _NOBODY
    connector = aiohttp.TCPConnector(ssl=trust, limit=IN_FLIGHT + 2, keepalive_timeout=_KEPT)
    async with httpx.AsyncClient(
        transport=Transport(connector, proxy.of(base)),
        trust_env=False,
        follow_redirects=False,
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
        headers={
            "User-Agent": f"flows-bot/{version('flows-bot')}",
            "Accept": "application/json",
            "Accept-Encoding": ENCODING,
        },
    ) as http:
        shown: Credential
        if isinstance(credential, AccessKey):
            shown = AccessKeyCredential(credential)
        elif isinstance(credential, NotSetUp):
            shown = NoCredential(credential)
        else:
            username, password = credential.username, credential.password
            shown = LoginCredential(
                lambda: sign_in(http, root, username, password), now=now, pause=patience.after_login
            )
        turns = Budget(budget, in_flight=IN_FLIGHT)
        exchange = Exchange(http, base, shown, turns, patience)
        stream = EventStream(f"{base.replace('http', 'ws', 1)}/ws", shown, turns, trust, proxy=proxy.of(base))
        client = VoIPBINClient(
            exchange,
            now=now,
            clock=asyncio.get_running_loop().time,
            bounds=bounds,
            stream=stream,
            key_prefix=credential.prefix if isinstance(credential, AccessKey) else "",
        )
        if isinstance(credential, NotSetUp):
            client.disown(credential.why)
        try:
            yield client
        finally:
            await client.close()


def addresses(api_url: str) -> tuple[str, str]:
    """Return the API's URL without a trailing slash, and the root beside which ``/auth/login`` lies. Raises
    ``ValueError``.
    """
    parts = urlsplit(api_url.strip())
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment or parts.username:
        raise ValueError("the API URL must be http(s)://host/v1.0, without a user, a query or a fragment")
    base = f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"
    return base, _VERSION_SEGMENT.sub("", base)


def _trust(ca_file: Path | None) -> ssl.SSLContext:
    """Return the public authorities, and one's own when the installation has one."""
    trust = httpx.create_ssl_context(trust_env=False)
    trust.set_alpn_protocols(["http/1.1"])
    if ca_file is not None:
        trust.load_verify_locations(cafile=str(ca_file))
    return trust

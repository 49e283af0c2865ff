"""Carry httpx's requests over aiohttp's connections, which cost a fifth of httpx's own.

Promises: what httpx is told is exact. Before the first byte of a request it is a ``ConnectError``, ``ConnectTimeout``
or ``ProxyError``, and certain that nothing was sent; from then on a ``ReadError`` or ``ReadTimeout``, whatever aiohttp
calls it. The first byte is announced by httpx's ``trace`` extension, straight before it, and what that raises leaves
the request unsent. No request goes out twice: aiohttp would send a read once more when its connection was lost.

https://www.python-httpx.org/advanced/transports/, https://www.encode.io/httpcore/extensions/#trace
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from functools import cache
from typing import Final, TypeAlias, cast

import aiohttp
import httpx
from aiohttp.client_middlewares import ClientHandlerType
from aiohttp.connector import Connection
from aiohttp.http import HttpProcessingError

_LONGEST_HEADER: Final = 65_536
_WHAT_HTTPX_SAYS: Final = frozenset({"Content-Type"})
"""aiohttp adds one of its own to each POST."""
_PROBLEMS: Final = (TimeoutError, aiohttp.ClientError, HttpProcessingError, OSError, ValueError)
Announce: TypeAlias = Callable[[str, Mapping[str, object]], Awaitable[None]]


class Transport(httpx.AsyncBaseTransport):
    """``connector``: whose connections are used, and are closed with this one. ``proxy``: its address."""

    def __init__(self, connector: aiohttp.BaseConnector, proxy: str | None = None) -> None:
        self._session = aiohttp.ClientSession(
            connector=connector,
            proxy=proxy,
            trust_env=False,
            cookie_jar=aiohttp.DummyCookieJar(),
            raise_for_status=False,
            auto_decompress=False,
            request_class=_Request,
            max_line_size=_LONGEST_HEADER,
            max_field_size=_LONGEST_HEADER,
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        limits, once = request.extensions["timeout"], _Once(request.extensions.get("trace"))
        try:
            answer = await self._session.request(
                request.method,
                str(request.url),
                data=await request.aread() or None,
                headers=request.headers.multi_items(),
                skip_auto_headers=_WHAT_HTTPX_SAYS,
                timeout=_time_limits(limits["read"], limits["connect"]),
                middlewares=(once,),
                allow_redirects=False,
            )
        except _Lost:
            raise httpx.ReadError("lost") from None
        except _PROBLEMS as problem:
            raise _lost(problem) if once.begun else _unsent(problem) from None
        return httpx.Response(answer.status, headers=answer.raw_headers, stream=_Body(answer))

    async def aclose(self) -> None:
        await self._session.close()


@cache
def _time_limits(read: float, connect: float) -> aiohttp.ClientTimeout:
    return aiohttp.ClientTimeout(total=None, connect=connect, sock_read=read)


def _unsent(problem: Exception) -> httpx.TransportError:
    if isinstance(problem, aiohttp.ClientHttpProxyError):
        return httpx.ProxyError("it refuses")
    return httpx.ConnectTimeout("") if isinstance(problem, TimeoutError) else httpx.ConnectError(str(problem))


def _lost(problem: Exception) -> httpx.TransportError:
    return httpx.ReadTimeout("") if isinstance(problem, TimeoutError) else httpx.ReadError("lost")


class _Request(aiohttp.ClientRequest):
    """Announces its first byte."""

    announce: Announce | None = None
    begun = False
    """Its first byte may have gone out: from now on it may be carried out."""

    async def send(self, conn: Connection) -> aiohttp.ClientResponse:
        if self.announce is not None:
            await self.announce("http11.send_request_headers.started", {})
        self.begun = True
        return await super().send(conn)


class _Lost(Exception):
    """What aiohttp would send once more."""


class _Once:
    """A middleware for one request, which is kept from going out a second time.

    https://docs.aiohttp.org/en/stable/client_advanced.html#client-middleware
    """

    def __init__(self, announce: Announce | None) -> None:
        self._announce, self._request = announce, cast("_Request | None", None)

    @property
    def begun(self) -> bool:
        """Whether its first byte may have gone out."""
        return self._request is not None and self._request.begun

    async def __call__(self, request: aiohttp.ClientRequest, handler: ClientHandlerType) -> aiohttp.ClientResponse:
        self._request = cast("_Request", request)
        self._request.announce = self._announce
        try:
            return await handler(request)
        except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError):
            if not self.begun:
                raise
        raise _Lost


class _Body(httpx.AsyncByteStream):
    """The body of an answer, as it comes."""

    def __init__(self, answer: aiohttp.ClientResponse) -> None:
        self._answer = answer

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for piece in self._answer.content.iter_any():
                yield piece
        except _PROBLEMS as problem:
            raise _lost(problem) from None

    async def aclose(self) -> None:
        self._answer.close()  # which keeps the connection of one that was read to its end

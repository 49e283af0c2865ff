"""Read an answer's body with a bound on the memory it takes and on how long it holds the event loop, compressed or not.

An answer of 1.5 MB can unpack to 1.5 GB. It is unpacked piece by piece here, and left where the bound is reached.
https://www.rfc-editor.org/rfc/rfc9110#name-content-encoding
"""

import asyncio
import zlib
from collections.abc import AsyncIterator
from typing import Final

import httpx

LARGEST: Final = 16 * 2**20
"""Bytes of a body, unpacked: a page of 100 activeflows with all their steps takes some megabytes."""
ENCODING: Final = "gzip"
"""What may be asked for; an answer in any other encoding cannot be read."""
_PIECE: Final = 256 * 1024
_GZIP: Final = 16 + zlib.MAX_WBITS


class BodyUnread(Exception):
    """The body cannot be read, and why. The text never quotes it."""


async def read_body(answer: httpx.Response, *, largest: int = LARGEST) -> bytes:
    """The body of an answer that is still open, unpacked. Raises ``BodyUnread``, and what httpx raises for a lost one."""
    parts, size = [], 0
    async for part in _unpacked(answer):
        size += len(part)
        if size > largest:
            raise BodyUnread(f"is longer than {largest // 1024} kB")
        parts.append(part)
    return b"".join(parts)


async def _unpacked(answer: httpx.Response) -> AsyncIterator[bytes]:
    encoding = answer.headers.get("content-encoding", "identity").strip().lower()
    if encoding in {"identity", ""}:
        async for chunk in answer.aiter_raw():
            yield chunk
    elif encoding in {"gzip", "x-gzip"}:
        async for chunk in _inflated(answer):
            yield chunk
    else:
        raise BodyUnread("is packed in a way that was not asked for")


async def _inflated(answer: httpx.Response) -> AsyncIterator[bytes]:
    inflater = zlib.decompressobj(_GZIP)
    try:
        async for chunk in answer.aiter_raw():
            yield inflater.decompress(chunk, _PIECE)
            while inflater.unconsumed_tail:
                await asyncio.sleep(0)  # a thousand times as much may come out of it: others have their turn in between
                yield inflater.decompress(inflater.unconsumed_tail, _PIECE)
        yield inflater.flush()
    except zlib.error:
        raise BodyUnread("is not packed as it says") from None
    if not inflater.eof:
        raise BodyUnread("is cut short")

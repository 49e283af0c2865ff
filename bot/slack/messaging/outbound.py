"""Check, mark and carry everything that leaves for Slack."""

import re
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import aiohttp

from bot.network import DIRECT, Proxy, certificate_trouble
from bot.slack import kit

# ---------------------------------------------------------------- session
# Open the one HTTP session for everything said to Slack: answers are read with a bound.
#
# aiohttp unpacks an answer piece by piece, and stops reading where nobody takes the pieces; ``read`` alone has no bound
# of its own. https://docs.aiohttp.org/en/stable/client_advanced.html

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


# ---------------------------------------------------------------- outbound check
# Check a whole message or view before it leaves; each of its blocks was bounded where it was built (``bot.slack.kit``).
#
# What is left to be looked at is what no block knows of itself: how many there are, and whether two have the same id.

TEXT_LIMIT: Final = 3400
"""For the top-level text: Slack advises 4,000 and splits what is longer; ``chat.update`` is stricter.

https://docs.slack.dev/reference/methods/chat.postMessage#truncating
"""
_MAX_BLOCKS: Final[Mapping[str, int]] = {"message": 50, "modal": 100, "home": 100}
"""https://docs.slack.dev/reference/block-kit/blocks"""


def checked(text: str, blocks: Sequence[kit.Block]) -> tuple[str, list[kit.Block]]:
    """The text and the blocks of a message as they may be sent. Raises ``Unsendable``."""
    if not text.strip():
        raise kit.Unsendable("a message needs a text: it is what notifications and screen readers say")
    _check(blocks, "message")
    return kit.shortened(text, TEXT_LIMIT), list(blocks)


def checked_view(view: kit.View) -> kit.View:
    """A modal or a Home as it may be sent. Raises ``Unsendable``."""
    _check(view["blocks"], view["type"])
    return view


def _check(blocks: Sequence[kit.Block], surface: str) -> None:
    if len(blocks) > _MAX_BLOCKS[surface]:
        raise kit.Unsendable(f"{len(blocks)} blocks in one {surface}, {_MAX_BLOCKS[surface]} are allowed")
    ids = [block["block_id"] for block in blocks if "block_id" in block]
    if len(set(ids)) < len(ids):
        raise kit.Unsendable("two blocks share a block_id")


# ---------------------------------------------------------------- account mark
# Say on everything that leaves which VoIPBIN account it is about, where there are several.
#
# What an account says begins with its name, and each button and form in it carries the name behind its id: a press
# leads back to the parts of that account, whoever drew the button and whatever the channel's account is by then.
# Decision: here, at the way out, so that no screen can forget it. Where there is one account, nothing is added.

_AT: Final = "@"


def marked_id(id_: str, account: str) -> str:
    """The id of a button or form, of this account."""
    return f"{id_}{_AT}{account}" if account and _AT not in id_ else id_


def account_of(id_: str) -> str:
    """The other way round; empty where none is said."""
    return id_.partition(_AT)[2]


def marked(account: str, text: str, blocks: Sequence[kit.Block]) -> tuple[str, tuple[kit.Block, ...]]:
    """A message with its account."""
    if not account:
        return text, tuple(blocks)
    return f"{account} · {text}", _marked_blocks(account, blocks)


def marked_view(account: str, view: kit.View) -> kit.View:
    """A modal or a Home with its account."""
    if not account:
        return view
    there = {**view, "blocks": list(_marked_blocks(account, view["blocks"]))}
    if view.get("callback_id"):
        there["callback_id"] = marked_id(view["callback_id"], account)
    return there


def _marked_blocks(account: str, blocks: Sequence[kit.Block]) -> tuple[kit.Block, ...]:
    drawn = [kit.with_action_ids(block, lambda id_: marked_id(id_, account), account) for block in blocks]
    for place, block in enumerate(drawn):
        labelled = kit.labelled(block, account)
        if labelled is not None:
            drawn[place] = labelled
            return tuple(drawn)
    return (kit.context(f"*{account}*"), *drawn) if drawn else ()

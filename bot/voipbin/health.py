"""Check whether VoIPBIN is there, as whom, for how long yet, and how much may be asked of it.

Every question is asked once, without a second try: it is about now. What VoIPBIN refuses is raised as a ``Failure``.
"""

from datetime import datetime, timedelta
from typing import Final

from bot.activeflows.errors import AccountFrozen, CredentialRejected, Failure, VoIPBINBusy
from bot.activeflows.health import Finding, HealthState
from bot.activeflows.model import in_words
from bot.voipbin.client import VoIPBINClient
from bot.voipbin.live.live_index import LiveIndex
from bot.voipbin.wire import answers
from bot.voipbin.wire.answers import Unreadable, decoded, instant
from bot.voipbin.wire.shapes import WireAccesskey, WireAccesskeys

ACCOUNT: Final = "VoIPBIN"
CREDENTIAL: Final = "credential"
STREAM: Final = "event stream"
REQUESTS: Final = "requests"
WARN_BEFORE: Final = timedelta(days=14)
_LATELY: Final = 600.0
"""Seconds for which a 429 is worth a word."""
_CROWDED: Final = 3.0
"""Seconds that the last in the queue waits, from which on it is worth a word."""
_STAMP: Final = "%Y-%m-%d %H:%M UTC"


def of_account(about: str, name: str) -> str:
    """Return what it is about, where there are several accounts."""
    return f"{about} ({name})" if name else about


async def account(voipbin: VoIPBINClient) -> Finding:
    """Return whose account it is. GET /customer (https://api.voipbin.net/docs/customer_overview.html)."""
    try:
        customer = await voipbin.once("/customer", answers.customer)
    except CredentialRejected as refused:
        then = "Try again: a short VoIPBIN outage looks the same. Then check VOIPBIN_ACCESS_KEY or the login."
        return Finding(ACCOUNT, HealthState.BROKEN, refused.what, then, disabling=True)
    except AccountFrozen as frozen:
        then = "The account's owner can cancel its deletion."
        return Finding(ACCOUNT, HealthState.BROKEN, frozen.what, then, disabling=True)
    except VoIPBINBusy as busy:
        return Finding(ACCOUNT, HealthState.WARNING, busy.what, f"Ask again in {max(1, round(busy.retry_after))} s.")
    except Failure as trouble:
        return Finding(
            ACCOUNT, HealthState.BROKEN, trouble.what, "Try again. Then check the network and VoIPBIN itself."
        )
    return Finding(ACCOUNT, HealthState.OK, f"answers, account {customer.name or 'without a name'} ({customer.id})")


async def credential(voipbin: VoIPBINClient, now: datetime) -> Finding:
    """Return when the access key ends. GET /accesskeys (https://api.voipbin.net/docs/accesskey_overview.html)."""
    if not voipbin.key_prefix:
        return Finding(CREDENTIAL, HealthState.OK, "agent login, renewed automatically")
    try:
        keys = await voipbin.once("/accesskeys", _keys)
    except Failure as trouble:
        what = f"access key, expiry could not be read: {trouble.what}"
        return Finding(CREDENTIAL, HealthState.WARNING, what, "Ask again, or look it up in VoIPBIN.")
    ours = [key for key in keys if key.token_prefix == voipbin.key_prefix and not key.tm_delete]
    if not ours:
        what = "access key, expiry not known: VoIPBIN does not list it among the newest hundred"
        return Finding(CREDENTIAL, HealthState.WARNING, what, "Look it up in VoIPBIN.")
    ends = [end for key in ours if (end := instant(key.tm_expire)) is not None]
    if not ends:
        return Finding(CREDENTIAL, HealthState.OK, "key never expires")
    left = min(ends) - now
    what = f"key expires in {in_words(left)}, on {min(ends):{_STAMP}}"
    if left >= WARN_BEFORE:
        return Finding(CREDENTIAL, HealthState.OK, what, until=min(ends))
    then = "Create a new key before then, set VOIPBIN_ACCESS_KEY and restart."
    return Finding(CREDENTIAL, HealthState.WARNING, what, then, until=min(ends))


async def introduced(voipbin: VoIPBINClient) -> Finding:
    """Tell from memory whether VoIPBIN was reached since the bot started, and the credential is good."""
    try:
        _ = voipbin.customer
    except Failure as trouble:
        then = "Look at the network, and at VoIPBIN itself; it is tried again and again."
        return Finding(ACCOUNT, HealthState.BROKEN, trouble.what, then, disabling=True)
    if voipbin.rejected:
        what = "VoIPBIN refuses the credential"
        return Finding(ACCOUNT, HealthState.BROKEN, what, "Look at the access key or the login.", disabling=True)
    return Finding(ACCOUNT, HealthState.OK, f"account {voipbin.customer.name or 'without a name'}")


async def event_stream(live_index: LiveIndex | None) -> Finding:
    """Tell from memory whether every change is heard of at once."""
    if live_index is None:
        return Finding(STREAM, HealthState.OK, "off (VOIPBIN_EVENTS): lists are read when somebody asks")
    since = f" since {live_index.since:{_STAMP}}" if live_index.since else ""
    if live_index.live:
        return Finding(STREAM, HealthState.OK, f"live{since}")
    then = "Nothing to do: the bot keeps reconnecting. Until then it reads lists from VoIPBIN, and they say so."
    if not since:
        return Finding(STREAM, HealthState.WARNING, "connecting, not live yet", then)
    return Finding(STREAM, HealthState.WARNING, f"down{since}", then)


async def requests(voipbin: VoIPBINClient) -> Finding:
    """Tell from memory whether there is enough of the budget, and VoIPBIN asked to slow down."""
    load = voipbin.load()
    share = f"up to {load.rate:g} of 17 a second, {load.waiting} waiting"
    if load.refused_ago is not None and load.refused_ago < _LATELY:
        times = "once" if load.refusals == 1 else f"{load.refusals} times since the start"
        ago = in_words(timedelta(seconds=load.refused_ago))
        then = (
            "The bot slows down by itself. If this stays, check what else uses this account, or "
            "lower VOIPBIN_REQUESTS_PER_SECOND."
        )
        return Finding(
            REQUESTS, HealthState.WARNING, f"VoIPBIN asked to slow down (429) {ago} ago, {times}; {share}", then
        )
    if load.waiting > load.rate * _CROWDED:
        return Finding(REQUESTS, HealthState.WARNING, share, "This passes by itself. Presses go first.")
    return Finding(REQUESTS, HealthState.OK, f"{share}, no 429 lately")


def _keys(body: bytes) -> list[WireAccesskey]:
    found = decoded(body, WireAccesskeys).result
    if found is None:
        raise Unreadable("not a list of access keys")
    return found

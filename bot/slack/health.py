"""Check whether Slack takes the bot's token, with all it needs, and whether the bot is where it is asked.

What the Web API refuses or leaves unanswered is a finding. https://docs.slack.dev/apis/web-api
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.activeflows.health import Finding, HealthState
from bot.activeflows.operators import Policy
from bot.activeflows.records import Head
from bot.slack.messaging.web_client import REVOKED, error_word, lost_words

SLACK: Final = "Slack"
CHANNEL: Final = "this channel"
CLOCK: Final = "clock"
GROUPS: Final = "user groups"
DELIVERIES: Final = "deliveries"
AUDIT_CHANNEL: Final = "audit channel"
NEEDED: Final = ("commands", "chat:write", "users:read")
"""Scopes without which there is no bot; each is explained in the manifest, as are those that are good to have."""
GROUP_SCOPE: Final = "usergroups:read"
WORDS_SCOPES: Final = ("app_mentions:read", "im:history")
"""Without them the bot is reached by its slash command only, and so not in threads."""
PLACE_SCOPES: Final = ("channels:read", "groups:read")
HISTORY_SCOPES: Final = ("channels:history", "groups:history")
FILE_SCOPE: Final = "files:write"
MOST_GROUPS: Final = 5
"""User groups asked for at once: Slack allows twenty such questions a minute."""
_CLOCKS_AGREE: Final = 30.0
"""Seconds: an answer may have been under way for some."""
NEWEST: Final = 100
"""Messages of the audit channel that are looked through."""
_LOST: Final = (SlackClientError, aiohttp.ClientError, OSError, ValueError)
_INVITE: Final = "Invite me (/invite and my name), or cards here stop updating after 30 minutes."
_REINSTALL: Final = "Add it in the app's settings as the manifest has it, then reinstall the app."


async def token(client: AsyncWebClient) -> Finding:
    """Look whether the token is taken, and what it may do. https://docs.slack.dev/reference/methods/auth.test"""
    answer = await _asked(client.auth_test)
    if not isinstance(answer, AsyncSlackResponse):
        then = "Tell whoever looks after this bot to check SLACK_BOT_TOKEN."
        return Finding(SLACK, HealthState.BROKEN, answer, then, disabling=answer.rpartition(" ")[2] in REVOKED)
    where = f"token accepted by {answer.get('team') or 'its workspace'} ({answer.get('team_id')})"
    scopes = _scopes(answer.headers)
    if scopes is None:
        return Finding(SLACK, HealthState.OK, f"{where}. Slack did not say which scopes it has")
    missing = [scope for scope in NEEDED if scope not in scopes]
    if missing:
        what = f"{where}, missing {', '.join(missing)}"
        return Finding(SLACK, HealthState.BROKEN, what, _REINSTALL, disabling=True)
    wanted = [scope for scope in (GROUP_SCOPE, *WORDS_SCOPES) if scope not in scopes]
    if wanted:
        return Finding(SLACK, HealthState.WARNING, f"{where}, missing {', '.join(wanted)}", _REINSTALL)
    return Finding(SLACK, HealthState.OK, f"{where}, every scope granted")


async def clock(client: AsyncWebClient, now: Callable[[], datetime], *, believed_for: float | None) -> Finding:
    """Look whether this machine's clock agrees with Slack's. ``believed_for``: so old a signed delivery may be, in
    seconds.
    """
    answer = await _asked(client.auth_test)
    given = _header(answer.headers, "date") if isinstance(answer, AsyncSlackResponse) else None
    try:
        theirs = parsedate_to_datetime(given or "")
    except ValueError:
        return Finding(CLOCK, HealthState.WARNING, "not compared: Slack did not say what time it is", "Ask again.")
    apart = (now() - theirs).total_seconds()
    what = f"{abs(apart):.0f} s {'ahead of' if apart > 0 else 'behind'} Slack's"
    if abs(apart) < _CLOCKS_AGREE:
        return Finding(CLOCK, HealthState.OK, "agrees with Slack's")
    useless = believed_for is not None and abs(apart) > believed_for
    more = "; no delivery is believed" if useless else ""
    return Finding(
        CLOCK, HealthState.BROKEN if useless else HealthState.WARNING, f"{what}{more}", "Set it, best by NTP."
    )


async def member(client: AsyncWebClient, channel: str) -> Finding:
    """Look whether the bot is a member here, asked with scopes that it does well without.

    https://docs.slack.dev/reference/methods/conversations.info
    """
    if channel.startswith("D"):
        return Finding(CHANNEL, HealthState.OK, "is a direct message. Ask for cards in a channel")
    answer = await _asked(client.conversations_info, channel=channel)
    if not isinstance(answer, AsyncSlackResponse):
        if answer.endswith("missing_scope"):
            what = f"I can't check whether I'm a member: that needs {' or '.join(PLACE_SCOPES)}"
            return Finding(CHANNEL, HealthState.WARNING, what, _INVITE)
        if answer.endswith("channel_not_found"):
            return Finding(CHANNEL, HealthState.WARNING, "I'm not in this private channel", _INVITE)
        return Finding(CHANNEL, HealthState.WARNING, answer, "Ask again: Slack could just be slow.")
    found: Any = answer.get("channel") or {}
    if found.get("is_member"):
        return Finding(CHANNEL, HealthState.OK, "I'm a member")
    return Finding(CHANNEL, HealthState.WARNING, "I'm not in this channel", _INVITE)


async def groups(client: AsyncWebClient, policy: Policy) -> Finding:
    """Look whether the user groups that the policy names can be read.
    https://docs.slack.dev/reference/methods/usergroups.users.list
    """
    named = sorted(policy.groups())
    if not named:
        return Finding(GROUPS, HealthState.OK, "the policy names none")
    asked = named[:MOST_GROUPS]
    answers = await asyncio.gather(*(_asked(client.usergroups_users_list, usergroup=group) for group in asked))
    refused = {group: answer for group, answer in zip(asked, answers, strict=True) if isinstance(answer, str)}
    if not refused:
        more = f" (of {len(named)})" if len(named) > len(asked) else ""
        return Finding(GROUPS, HealthState.OK, f"{len(asked)}{more} can be read")
    what = "; ".join(f"{group}: {why}" for group, why in refused.items())
    then = "People with no other grant can do nothing until then. Check the group's id, the Slack plan and the scope."
    return Finding(GROUPS, HealthState.WARNING, what, then)


async def told_heads(
    client: AsyncWebClient, channel: str, head_in: Callable[[str], Head | None]
) -> tuple[Head, ...] | Finding:
    """Return the heads of the audit that this bot posted there, the newest first; or why there are none to compare
    with.

    ``head_in``: the one that is in a text.

    https://docs.slack.dev/reference/methods/conversations.history
    """
    me, answer = await asyncio.gather(
        _asked(client.auth_test), _asked(client.conversations_history, channel=channel, limit=NEWEST)
    )
    if isinstance(answer, str):
        return _no_history(answer)
    if isinstance(me, str):
        return _no_history(me)
    messages: list[dict[str, Any]] = answer.get("messages") or []
    ours = (str(message.get("text")) for message in messages if message.get("bot_id") == me.get("bot_id"))
    heads = tuple(head for text in ours if (head := head_in(text)) is not None)
    if heads:
        return heads
    if answer.get("has_more"):
        what = f"there is no head among its newest {NEWEST} messages, so a shortened audit would not be noticed"
        return Finding(AUDIT_CHANNEL, HealthState.WARNING, what, "Give the heads a channel of their own.")
    return Finding(AUDIT_CHANNEL, HealthState.OK, "no head was posted there yet")


def _no_history(why: str) -> Finding:
    if why.endswith("missing_scope"):
        what = (
            f"I can't read there what heads I posted: that needs {' or, in a private channel, '.join(HISTORY_SCOPES)}"
        )
        return Finding(AUDIT_CHANNEL, HealthState.WARNING, what, _REINSTALL)
    if why.endswith(("not_in_channel", "channel_not_found")):
        what = "I'm not in that channel, so heads are neither posted nor found again"
        then = "Invite me there (/invite and my name), or name another audit_channel in the policy."
        return Finding(AUDIT_CHANNEL, HealthState.WARNING, what, then)
    return Finding(AUDIT_CHANNEL, HealthState.WARNING, why, "Ask again: Slack could just be slow.")


def refused(for_good: str, partly: str) -> Finding:
    """Tell from memory what Slack refuses this app for good, in words (``""``: nothing), all of it or some."""
    if for_good:
        then = "Look at the app's settings, install it again, set SLACK_BOT_TOKEN, start again."
        return Finding(SLACK, HealthState.BROKEN, for_good, then, disabling=True)
    if partly:
        return Finding(SLACK, HealthState.WARNING, partly, _REINSTALL)
    return Finding(SLACK, HealthState.OK, "refuses nothing")


async def deliveries(
    connection: Callable[[], Awaitable[str]] | None, elsewhere: Callable[[], Awaitable[str]] | None = None
) -> Finding:
    """Look at how Slack delivers. ``connection``: says why the socket is not ready; ``None`` when Slack delivers
    over HTTP. ``elsewhere``: says that Slack counts more connections of this app than this deployment has.
    """
    if connection is None:
        return Finding(DELIVERIES, HealthState.OK, "receiving over HTTP")
    why = await connection()
    if why:
        then = "It reconnects by itself. If it does not, restart the bot."
        return Finding(DELIVERIES, HealthState.BROKEN, f"Socket Mode: {why}", then, disabling=True)
    why = await elsewhere() if elsewhere is not None else ""
    if why:
        then = "Stop the other program, or give it its own Slack app. Then restart this bot, so that it counts again."
        return Finding(DELIVERIES, HealthState.WARNING, f"Socket Mode: {why}", then)
    return Finding(DELIVERIES, HealthState.OK, "receiving over Socket Mode, connected")


async def may_connect(client: AsyncWebClient, app_token: str) -> Finding:
    """Look whether Socket Mode would open. https://docs.slack.dev/reference/methods/apps.connections.open"""
    answer = await _asked(client.apps_connections_open, app_token=app_token)
    if isinstance(answer, str):
        return Finding(
            DELIVERIES,
            HealthState.BROKEN,
            f"Socket Mode: {answer}",
            "Check SLACK_APP_TOKEN (connections:write).",
            disabling=True,
        )
    return Finding(DELIVERIES, HealthState.OK, "Socket Mode can connect")


async def _asked(method: Callable[..., Awaitable[AsyncSlackResponse]], **arguments: Any) -> AsyncSlackResponse | str:
    """Call a method of Slack's and return the answer, or in words why there is none; they end with Slack's own word."""
    try:
        return await method(**arguments)
    except SlackApiError as refused:
        return f"Slack answered {error_word(refused)}"
    except _LOST as lost:
        return f"Slack {lost_words(lost)}"


def _scopes(headers: Mapping[str, Any]) -> frozenset[str] | None:
    words = _header(headers, "x-oauth-scopes")
    return None if words is None else frozenset(word.strip() for word in words.split(","))


def _header(headers: Mapping[str, Any], wanted: str) -> str | None:
    given = next((value for name, value in headers.items() if name.lower() == wanted), None)
    words = ",".join(given) if isinstance(given, (list, tuple)) else given
    return None if words is None else str(words)

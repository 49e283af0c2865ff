"""List the channels, user groups and people of a workspace by name, for whoever chooses among them on a terminal.

A name is what its owner typed: only what can be printed of it is handed on.
https://docs.slack.dev/reference/methods/users.list, …/usergroups.list, …/conversations.list
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.messaging.web_client import error_word, lost_words

_PAGE: Final = 500
_PAGES: Final = 16
"""Fewer than the twenty that Slack answers in a minute."""
_LONGEST: Final = 80
_LOST: Final = (SlackClientError, aiohttp.ClientError, OSError, ValueError)
_NEEDS: Final = {"missing_scope": "the app lacks a scope for that"}


@dataclass(frozen=True, slots=True)
class DirectoryEntry:
    """What an id stands for."""

    id: str
    name: str
    about: str = ""
    """What else tells it from others of that name."""


@dataclass(frozen=True, slots=True)
class DirectoryListing:
    """What Slack lists, and in sentences what it does not."""

    found: tuple[DirectoryEntry, ...] = ()
    missing: tuple[str, ...] = ()

    def __add__(self, other: "DirectoryListing") -> "DirectoryListing":
        return DirectoryListing(self.found + other.found, self.missing + other.missing)


async def channels(client: AsyncWebClient) -> DirectoryListing:
    """Return those that are not archived: the public ones, and the private ones that the bot is in."""
    listed = DirectoryListing()
    for kind, words in (("public_channel", "public channels"), ("private_channel", "private channels")):
        given = {"types": kind, "exclude_archived": True}
        listed += await _listed(client, "conversations.list", given, "channels", _channel, words)
    return listed


async def groups(client: AsyncWebClient) -> DirectoryListing:
    """Return the enabled user groups. A workspace without a paid plan has none."""
    return await _listed(client, "usergroups.list", {}, "usergroups", _group, "user groups")


async def people(client: AsyncWebClient) -> DirectoryListing:
    """List whoever has an account that is not deactivated."""
    return await _listed(client, "users.list", {}, "members", _person, "people")


async def _listed(
    client: AsyncWebClient,
    method: str,
    given: dict[str, Any],
    key: str,
    read: Callable[[Any], DirectoryEntry | None],
    words: str,
) -> DirectoryListing:
    found: list[DirectoryEntry] = []
    cursor = ""
    try:
        for _ in range(_PAGES):
            paged = {"limit": _PAGE, **({"cursor": cursor} if cursor else {})}
            answer: Any = await client.api_call(method, params={**given, **(paged if key != "usergroups" else {})})
            found += filter(None, map(read, answer[key]))
            cursor = (answer.get("response_metadata") or {}).get("next_cursor") or ""
            if not cursor:
                return DirectoryListing(tuple(sorted(found, key=lambda one: one.name.casefold())))
    except SlackApiError as refused:
        word = error_word(refused)
        if word == "plan_upgrade_required":
            return DirectoryListing()
        return DirectoryListing(missing=(f"Slack does not list the {words}: {_NEEDS.get(word, word)}. Give ids.",))
    except _LOST as lost:
        return DirectoryListing(missing=(f"Slack does not list the {words}: it {lost_words(lost)}. Give ids.",))
    except (KeyError, AttributeError, TypeError):
        return DirectoryListing(missing=(f"Slack's list of the {words} is unreadable. Give ids.",))
    return DirectoryListing(
        tuple(found), (f"There are more {words} than the {len(found)} listed here. Give ids of others.",)
    )


def _channel(told: Any) -> DirectoryEntry:
    return DirectoryEntry(str(told["id"]), f"#{_plain(told['name'])}", "private" if told.get("is_private") else "")


def _group(told: Any) -> DirectoryEntry | None:
    return (
        None if told.get("date_delete") else DirectoryEntry(str(told["id"]), f"@{_plain(told['handle'])}", "user group")
    )


def _person(told: Any) -> DirectoryEntry | None:
    if told.get("deleted") or told.get("is_bot") or told["id"] == "USLACKBOT":
        return None
    called = _plain((told.get("profile") or {}).get("real_name") or told.get("real_name") or "")
    return DirectoryEntry(str(told["id"]), f"@{_plain(told['name'])}", ", ".join(filter(None, (called, *_kinds(told)))))


def _kinds(told: Any) -> Iterator[str]:
    if told.get("is_restricted") or told.get("is_ultra_restricted"):
        yield "guest"
    if told.get("is_stranger"):
        yield "of another workspace"


def _plain(name: str) -> str:
    """Write a name on one line, and without what would move a terminal's cursor or end a comment."""
    shown = "".join(sign if sign.isprintable() else "�" for sign in str(name))
    return shown[:_LONGEST]


# ---------------------------------------------------------------- known ids
# Ask Slack whether the people, user groups and channels with these ids exist.
#
# https://docs.slack.dev/reference/methods/users.info, …/usergroups.list, …/conversations.info

_AT_ONCE: Final = 8
_WORDS: Final = {
    "user_not_found": "nobody in this workspace has this id",
    "user_not_visible": "this person cannot be seen by the bot",
    "channel_not_found": "no channel has this id, or it is a private one without the bot",
}


async def troubles(client: AsyncWebClient, ids: Iterable[str]) -> Mapping[str, str]:
    """Return what is wrong with each id that is not well, in words."""
    turns = asyncio.Semaphore(_AT_ONCE)
    wanted = tuple(ids)
    grouped = await _groups(client) if any(word.startswith("S") for word in wanted) else {}

    async def trouble(word: str) -> str:
        if word.startswith("S"):
            return grouped if isinstance(grouped, str) else grouped.get(word, "no enabled user group has this id")
        async with turns:
            return await (_known_person(client, word) if word[0] in "UW" else _known_channel(client, word))

    found = await asyncio.gather(*(trouble(word) for word in wanted))
    return {word: why for word, why in zip(wanted, found, strict=True) if why}


async def _known_person(client: AsyncWebClient, user: str) -> str:
    return await _asked(
        client.users_info(user=user), lambda answer: "deactivated" if answer["user"].get("deleted") else ""
    )


async def _known_channel(client: AsyncWebClient, channel: str) -> str:
    if channel.startswith("D"):
        return ""
    return await _asked(
        client.conversations_info(channel=channel),
        lambda answer: "this channel is archived" if answer["channel"].get("is_archived") else "",
    )


async def _groups(client: AsyncWebClient) -> Mapping[str, str] | str:
    """Return every enabled group; or why they cannot be read."""
    found: dict[str, str] = {}

    def read(answer: Any) -> str:
        for group in answer["usergroups"]:
            found[str(group["id"])] = ""
        return ""

    return await _asked(client.usergroups_list(), read) or found


async def _asked(question: Awaitable[Any], understand: Callable[[Any], str]) -> str:
    try:
        return understand(await question)
    except SlackApiError as refused:
        word = error_word(refused)
        return _WORDS.get(word, f"cannot be checked, Slack answered {word}")
    except _LOST as lost:
        return f"cannot be checked, Slack {lost_words(lost)}"
    except (KeyError, AttributeError, TypeError):
        return "cannot be checked, Slack's answer is unreadable"

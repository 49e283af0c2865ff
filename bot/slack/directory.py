"""List the channels, user groups and people of a workspace by name, for whoever chooses among them on a terminal.

A name is what its owner typed: only what can be printed of it is handed on. https://docs.slack.dev/reference/methods/users.list,
…/usergroups.list, …/conversations.list
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.messaging.messenger import error_word
from bot.slack.messaging.session import lost_words

_PAGE: Final = 500
_PAGES: Final = 16
"""Fewer than the twenty that Slack answers in a minute."""
_LONGEST: Final = 80
_LOST: Final = (SlackClientError, aiohttp.ClientError, OSError, ValueError)
_NEEDS: Final = {"missing_scope": "the app lacks a scope for that"}


@dataclass(frozen=True, slots=True)
class Named:
    """What an id stands for."""

    id: str
    name: str
    about: str = ""
    """What else tells it from others of that name."""


@dataclass(frozen=True, slots=True)
class Listing:
    """What Slack lists, and in sentences what it does not."""

    found: tuple[Named, ...] = ()
    missing: tuple[str, ...] = ()

    def __add__(self, other: "Listing") -> "Listing":
        return Listing(self.found + other.found, self.missing + other.missing)


async def channels(client: AsyncWebClient) -> Listing:
    """Those that are not archived: the public ones, and the private ones that the bot is in."""
    listed = Listing()
    for kind, words in (("public_channel", "public channels"), ("private_channel", "private channels")):
        given = {"types": kind, "exclude_archived": True}
        listed += await _listed(client, "conversations.list", given, "channels", _channel, words)
    return listed


async def groups(client: AsyncWebClient) -> Listing:
    """The enabled user groups. A workspace without a paid plan has none."""
    return await _listed(client, "usergroups.list", {}, "usergroups", _group, "user groups")


async def people(client: AsyncWebClient) -> Listing:
    """Whoever has an account that is not deactivated."""
    return await _listed(client, "users.list", {}, "members", _person, "people")


async def _listed(
    client: AsyncWebClient,
    method: str,
    given: dict[str, Any],
    key: str,
    read: Callable[[Any], Named | None],
    words: str,
) -> Listing:
    found: list[Named] = []
    cursor = ""
    try:
        for _ in range(_PAGES):
            paged = {"limit": _PAGE, **({"cursor": cursor} if cursor else {})}
            answer: Any = await client.api_call(method, params={**given, **(paged if key != "usergroups" else {})})
            found += filter(None, map(read, answer[key]))
            cursor = (answer.get("response_metadata") or {}).get("next_cursor") or ""
            if not cursor:
                return Listing(tuple(sorted(found, key=lambda one: one.name.casefold())))
    except SlackApiError as refused:
        word = error_word(refused)
        if word == "plan_upgrade_required":
            return Listing()
        return Listing(missing=(f"Slack does not list the {words}: {_NEEDS.get(word, word)}. Give ids.",))
    except _LOST as lost:
        return Listing(missing=(f"Slack does not list the {words}: it {lost_words(lost)}. Give ids.",))
    except (KeyError, AttributeError, TypeError):
        return Listing(missing=(f"Slack's list of the {words} is unreadable. Give ids.",))
    return Listing(tuple(found), (f"There are more {words} than the {len(found)} listed here. Give ids of others.",))


def _channel(told: Any) -> Named:
    return Named(str(told["id"]), f"#{_plain(told['name'])}", "private" if told.get("is_private") else "")


def _group(told: Any) -> Named | None:
    return None if told.get("date_delete") else Named(str(told["id"]), f"@{_plain(told['handle'])}", "user group")


def _person(told: Any) -> Named | None:
    if told.get("deleted") or told.get("is_bot") or told["id"] == "USLACKBOT":
        return None
    called = _plain((told.get("profile") or {}).get("real_name") or told.get("real_name") or "")
    return Named(str(told["id"]), f"@{_plain(told['name'])}", ", ".join(filter(None, (called, *_kinds(told)))))


def _kinds(told: Any) -> Iterator[str]:
    if told.get("is_restricted") or told.get("is_ultra_restricted"):
        yield "guest"
    if told.get("is_stranger"):
        yield "of another workspace"


def _plain(name: str) -> str:
    """On one line, and without what would move a terminal's cursor or end a comment."""
    shown = "".join(sign if sign.isprintable() else "�" for sign in str(name))
    return shown[:_LONGEST]

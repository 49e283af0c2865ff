"""Ask Slack whether the people, user groups and channels with these ids exist.

https://docs.slack.dev/reference/methods/users.info, …/usergroups.list, …/conversations.info
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, Final

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.messaging.messenger import error_word
from bot.slack.messaging.session import lost_words

_AT_ONCE: Final = 8
_LOST: Final = (SlackClientError, aiohttp.ClientError, OSError, ValueError)
_WORDS: Final = {
    "user_not_found": "nobody in this workspace has this id",
    "user_not_visible": "this person cannot be seen by the bot",
    "channel_not_found": "no channel has this id, or it is a private one without the bot",
}


async def troubles(client: AsyncWebClient, ids: Iterable[str]) -> Mapping[str, str]:
    """What is wrong with each id that is not well, in words."""
    turns = asyncio.Semaphore(_AT_ONCE)
    wanted = tuple(ids)
    grouped = await _groups(client) if any(word.startswith("S") for word in wanted) else {}

    async def trouble(word: str) -> str:
        if word.startswith("S"):
            return grouped if isinstance(grouped, str) else grouped.get(word, "no enabled user group has this id")
        async with turns:
            return await (_person(client, word) if word[0] in "UW" else _channel(client, word))

    found = await asyncio.gather(*(trouble(word) for word in wanted))
    return {word: why for word, why in zip(wanted, found, strict=True) if why}


async def _person(client: AsyncWebClient, user: str) -> str:
    return await _asked(
        client.users_info(user=user), lambda answer: "deactivated" if answer["user"].get("deleted") else ""
    )


async def _channel(client: AsyncWebClient, channel: str) -> str:
    if channel.startswith("D"):
        return ""
    return await _asked(
        client.conversations_info(channel=channel),
        lambda answer: "this channel is archived" if answer["channel"].get("is_archived") else "",
    )


async def _groups(client: AsyncWebClient) -> Mapping[str, str] | str:
    """Every enabled group; or why they cannot be read."""
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

"""What Slack makes of a typed line before an app reads it.

Promises: `@name`, `@group`, `#channel`, `@here` and web addresses become what Slack's own text box makes of them, an
emoji becomes its `:short_code:`, and `& < >` are escaped (https://docs.slack.dev/messaging/formatting-message-text). A
name is taken as whole as it can be: `@Olive Operator` before `@Olive`.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from bot.demo.slack.emoji_codes import EMOJI, short_code
from bot.demo.slack.team import Team
from bot.demo.slack.words import escaped

_LINK = re.compile(r"https?://[^\s<>|]+")
_SPECIAL = {"here", "channel", "everyone"}


@dataclass(frozen=True)
class Piece:
    """One part of a line: `kind` is that of a rich text element, `value` its text, id, name or address.

    `typed` is how it stood in the line, `label` the name that a command carries beside the id.
    """

    kind: str
    value: str
    typed: str = ""
    label: str = ""


def pieces(team: Team, line: str) -> list[Piece]:
    """Return the parts of a line, in order."""
    names = _names(team)
    signs = "|".join(sorted(map(re.escape, names), key=len, reverse=True))
    found = re.compile(
        rf"(?P<link>{_LINK.pattern})|(?P<emoji>{EMOJI.pattern})|(?<!\w)(?P<name>{signs})(?!\w)", re.IGNORECASE
    )
    parts, at = [], 0
    for match in found.finditer(line):
        parts += [Piece("text", line[at : match.start()])] if match.start() > at else []
        parts.append(_piece(match, names))
        at = match.end()
    return parts + ([Piece("text", line[at:])] if at < len(line) else [])


def of_message(parts: Iterable[Piece]) -> str:
    """Return the `text` of a message, as events and shortcuts carry it."""
    return "".join(_marked(part, in_command=False) for part in parts)


def of_command(parts: Iterable[Piece], *, should_escape: bool) -> str:
    """Return the `text` of a slash command; without `should_escape` in the manifest names and links stay as typed.

    https://docs.slack.dev/interactivity/implementing-slash-commands#creating_commands
    """
    plain = {"text", "emoji"}
    return "".join(
        _marked(part, in_command=True) if should_escape or part.kind in plain else escaped(part.typed) for part in parts
    )


def rich_text(parts: Iterable[Piece]) -> list[dict[str, Any]]:
    """Return the blocks that Slack's text box makes: https://docs.slack.dev/reference/block-kit/blocks/rich-text-block."""
    keys = {"user": "user_id", "usergroup": "usergroup_id", "channel": "channel_id", "broadcast": "range"}
    keys |= {"text": "text", "emoji": "name", "link": "url"}
    inside = [{"type": part.kind, keys[part.kind]: part.value} for part in parts]
    return [{"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": inside}]}]


def _names(team: Team) -> Mapping[str, Piece]:
    known: dict[str, Piece] = {f"@{word}": Piece("broadcast", word) for word in sorted(_SPECIAL)}
    for group in team.groups.values():
        known[f"@{group.handle}".lower()] = Piece("usergroup", group.id, label=group.handle)
    for channel in team.channels.values():
        if channel.im_with is None:
            label = "" if channel.is_private else channel.name
            known[f"#{channel.name}".lower()] = Piece("channel", channel.id, label=label)
    for user in team.users.values():
        if not user.deleted and team.same(user.id) == user.id:
            for name in (user.name, user.display_name):
                known[f"@{name}".lower()] = Piece("user", user.id, label=user.name)
    return known


def _piece(match: re.Match[str], names: Mapping[str, Piece]) -> Piece:
    word = match[0]
    if match["link"]:
        return Piece("link", word, word)
    if match["emoji"]:
        return Piece("emoji", short_code(word), word)
    named = names.get(word.lower())  # none where upper and lower case are not each other's, as in Turkish
    return replace(named, typed=word) if named else Piece("text", word)


def _marked(part: Piece, *, in_command: bool) -> str:
    match part.kind:
        case "user":
            return f"<@{part.value}|{part.label}>" if in_command else f"<@{part.value}>"
        case "channel":
            return f"<#{part.value}|{part.label}>"
        case "usergroup":
            return f"<!subteam^{part.value}|@{part.label}>" if in_command else f"<!subteam^{part.value}>"
        case "broadcast":
            return f"<!{part.value}>"
        case "emoji":
            return f":{part.value}:"
        case "link":
            return f"<{escaped(part.value)}>"
        case _:
            return escaped(part.value)

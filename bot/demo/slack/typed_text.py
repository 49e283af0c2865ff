"""What Slack makes of a typed line before an app reads it, and what is delivered of it.

Promises: `@name`, `@group`, `#channel`, `@here` and web addresses become what Slack's own text box makes of them, an
emoji becomes its `:short_code:`, and `& < >` are escaped (https://docs.slack.dev/messaging/formatting-message-text). A
name is taken as whole as it can be: `@Olive Operator` before `@Olive`.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from bot.demo.slack import payloads
from bot.demo.slack.delivery import Delivery
from bot.demo.slack.message_events import tell_of_message
from bot.demo.slack.method import Refused
from bot.demo.slack.people import Channel, User
from bot.demo.slack.responses import Source, command_answer
from bot.demo.slack.team import Team
from bot.demo.slack.words import escaped

if TYPE_CHECKING:
    from bot.demo.slack.workspace import Workspace


# ---------------------------------------------------------------- emoji codes
# How Slack writes an emoji in what an app reads: as its `:short_code:`, the skin tone apart.
#
# The names are those of Slack's own list (https://github.com/iamcal/emoji-data); one that is not in the table below
# goes by its Unicode name, which Slack's list follows for most.

_SHOWN_AS_EMOJI = "⌚⌛⏩-⏬⏰⏳☔☕♈-♓♿⚓⚡⚪⚫⚽⚾⛄⛅⛎⛔⛪⛲⛳⛵⛺⛽✅✊✋✨❌❎❓-❕❗➕-➗➰➿⬛⬜⭐⭕"
_ONE = rf"(?:[\U0001F300-\U0001FAFF{_SHOWN_AS_EMOJI}]\uFE0F?|[\u2190-\u2BFF\u3030\u303D]\uFE0F)[\U0001F3FB-\U0001F3FF]?"
EMOJI = re.compile(rf"(?:[\U0001F1E6-\U0001F1FF]{{2}}|{_ONE}(?:\u200D{_ONE})*)")
"""What Slack's text box turns into an emoji; a sign like ✓ stays text."""

_NAMES = {
    "👍": "+1",
    "👎": "-1",
    "☎": "phone",
    "📞": "telephone_receiver",
    "✅": "white_check_mark",
    "❌": "x",
    "⚠": "warning",
    "🚨": "rotating_light",
    "❗": "exclamation",
    "❓": "question",
    "🔴": "red_circle",
    "🟢": "large_green_circle",
    "🔵": "large_blue_circle",
    "🟡": "large_yellow_circle",
    "⚡": "zap",
    "🤖": "robot_face",
    "🎉": "tada",
    "🙏": "pray",
    "👋": "wave",
    "😀": "grinning",
    "😄": "smile",
    "💥": "boom",
    "🔔": "bell",
    "🏥": "hospital",
    "❤": "heart",
    "⭐": "star",
    "✨": "sparkles",
    "🛑": "octagonal_sign",
    "🕐": "clock1",
    "🚀": "rocket",
    "🐌": "snail",
    "🔒": "lock",
    "👀": "eyes",
    "🙂": "slightly_smiling_face",
    "📱": "iphone",
    "💬": "speech_balloon",
}


def short_code(emoji: str) -> str:
    """Return its name without the outer colons: `fire`, `+1::skin-tone-4`, `flag-kr`."""
    if len(emoji) == 2 and all("\U0001f1e6" <= letter <= "\U0001f1ff" for letter in emoji):
        return "flag-" + "".join(chr(ord(letter) - 0x1F1E6 + ord("a")) for letter in emoji)
    tone = next(
        (f"::skin-tone-{ord(sign) - 0x1F3FB + 2}" for sign in emoji if "\U0001f3fb" <= sign <= "\U0001f3ff"), ""
    )
    signs = [sign for sign in emoji if sign not in "\ufe0f\u200d" and not "\U0001f3fb" <= sign <= "\U0001f3ff"]
    return "-".join(_NAMES.get(sign) or _unicode_name(sign) for sign in signs) + tone


def _unicode_name(sign: str) -> str:
    return unicodedata.name(sign, f"u{ord(sign):x}").lower().replace(" ", "_").replace("-", "_")


# ---------------------------------------------------------------- typed text

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
    """Return the blocks that Slack's text box makes:
    https://docs.slack.dev/reference/block-kit/blocks/rich-text-block.
    """
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


# ---------------------------------------------------------------- composer
# What comes of a typed line: a command that is delivered, a message, an event for the app when it is mentioned.

READ_ONLY = "Sending messages to this app has been turned off."


async def typed(workspace: "Workspace", person: User, place: Channel, line: str, thread_ts: str | None) -> Delivery:
    """Deliver the command, or post the line and tell the app of it where it hears of it."""
    if place.im_with is not None and (workspace.messages_tab_read_only or not workspace.messages_tab_enabled):
        return Delivery("message", person.id, error=READ_ONLY)
    if place.is_archived:
        return Delivery("message", person.id, error=f"#{place.name} is archived.")
    return await (_command if line.startswith("/") else _message)(workspace, person, place, line, thread_ts)


async def _message(workspace: "Workspace", person: User, place: Channel, line: str, thread_ts: str | None) -> Delivery:
    parts = pieces(workspace, line)
    text, blocks = of_message(parts), rich_text(parts)
    message = workspace.post(place.id, person.id, text, blocks=blocks, thread_ts=thread_ts)
    heard = await tell_of_message(workspace, message)
    if heard is not None:
        return heard
    absent = workspace.bot_user_id not in place.members and f"<@{workspace.bot_user_id}>" in text
    return Delivery("message", person.id, error=f"@{workspace.app_name} is not in #{place.name}." if absent else None)


async def _command(workspace: "Workspace", person: User, place: Channel, line: str, thread_ts: str | None) -> Delivery:
    word, _, rest = line.partition(" ")
    command = workspace.commands.get(word)
    if command is None or person.team_id != workspace.team_id:
        return Delivery("slash_command", person.id, error=f"{word} is not a valid command.")
    if thread_ts is not None:  # https://docs.slack.dev/interactivity/implementing-slash-commands#threads
        return Delivery("slash_command", person.id, error=f"{word} is not supported in threads. Sorry!")
    path = workspace.response_urls.give("commands", workspace.team_id, user=person.id, channel=place.id)
    text = of_command(pieces(workspace, rest.strip()), should_escape=command.should_escape)
    fields = payloads.slash_command(
        workspace,
        person,
        place,
        word,
        text,
        response_url=workspace.url + path,
        trigger_id=workspace.triggers.give(person.id, place=place.id),
    )
    delivery = await workspace.interacts("slash_command", person.id, fields, f"{word} failed with the error")
    if delivery.error is None:
        source = Source(person.id, place.id, None, 0.0)
        try:
            command_answer(workspace, source, line, delivery.answer, delivery.content_type)
        except (Refused, ValueError):
            return workspace.shows_error(delivery, f'{word} failed with the error "invalid_command_response"')
    return delivery

"""Draw what is answered to somebody who asks for a watch card, or wants one to follow no longer."""

import re
from collections.abc import Sequence
from typing import Final

from bot.activeflows.watching.request import Over, There, Unwatched
from bot.activeflows.watching.watch import MOST, MOST_HERE, Full, Watch
from bot.slack import kit
from bot.slack.blocks.activeflow_row import name_of
from bot.slack.kit import bold, code, date_token, escaped, mention
from bot.slack.messaging.messenger import Message, not_shown

NOT_FOLLOWED: Final = Message("This card follows nothing, because the bot’s database could not be written. Ask again.")
FOLLOWS_NOTHING: Final = Message("This card no longer follows anything. Nothing was stopped.")
UNWATCHED: Final = Message("Unwatched. The card says so in a moment. Nothing was stopped.")
_NAMED: Final = 10
_LINK: Final = re.compile(r"https?://[\w.:-]+/archives/[A-Z0-9]+/p[0-9]+(?:\?[\w.&=-]*)?", re.ASCII)


def not_posted(error: str) -> Message:
    """``error``: Slack's word for why."""
    return Message(f"{not_shown('The watch card', error, again='ask again')} Nothing is watched.")


def already(there: There, link: str) -> Message:
    """It is watched here: where. ``link`` is empty when Slack did not give one."""
    watch = there.watch
    card = f"<{link}|The card is here>" if _LINK.fullmatch(link) else "The card is in this channel"
    when = f"{mention(watch.by)} asked for it at {date_token(watch.since)}"
    return _told(f"{_named(watch)} is watched here already. {card}. {when}.")


def over(found: Over, command: str) -> Message:
    short = found.activeflow.short_id
    words = escaped(found.words, 300)
    return _told(
        f"{code(short)} has already ended ({words}). There is nothing to follow. More: "
        f"{code(f'{command} show {short}')}"
    )


def full(limit: Full, command: str) -> Message:
    """Politely, and what to do."""
    where = f"{MOST_HERE} cards in this channel" if limit.here else f"{MOST} cards in all"
    rest = f"End one with {code(f'{command} unwatch <id>')}, or your own with {code(f'{command} unwatch')}."
    return _told(f"I already follow {where}. That is the limit. Nothing was started. {rest}")


def unwatched(done: Unwatched, command: str) -> Message:
    """What ended, and else what could be."""
    if done.ended:
        words = f"Unwatched: {', '.join(map(_named, done.ended[:_NAMED]))}{_more(done.ended)}. Nothing was stopped."
    else:
        words = "You have no watch card in this channel." if done.left else "No card follows anything in this channel."
    left = ""
    if done.left:
        names = ", ".join(f"{_named(watch)} for {mention(watch.by)}" for watch in done.left[:_NAMED])
        left = f"Still watched here: {names}{_more(done.left)}. To end one: {code(f'{command} unwatch <id>')}"
    return _told(words, left)


def _named(watch: Watch) -> str:
    return f"{bold(name_of(watch.flow_name), 80)} {code(watch.short_id)}"


def _more(watches: Sequence[Watch]) -> str:
    return f" and {len(watches) - _NAMED} more" if len(watches) > _NAMED else ""


def _told(words: str, small: str = "") -> Message:
    blocks = [kit.section(words)]
    if small:
        blocks.append(kit.context(small))
    return Message(f"{words} {small}".strip(), tuple(blocks))

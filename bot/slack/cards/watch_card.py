"""Draw the watch card and what is answered to whoever asks for one, and keep it true."""

import re
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

from bot.activeflows.model import STEP_BUDGET, in_words, name_of
from bot.activeflows.watching.request import AlreadyEnded, AlreadyWatched, UnwatchResult
from bot.activeflows.watching.watch import (
    MOST,
    MOST_HERE,
    EndingKind,
    Watch,
    WatchCardContent,
    WatchCardEdit,
    WatchEnding,
    WatchLimit,
    WatchSource,
)
from bot.slack import ids, kit
from bot.slack.kit import bold, code, date_token, escaped, mention, plain
from bot.slack.messaging.messenger import Message, Messenger, SentMessage, not_shown

# ---------------------------------------------------------------- watch card
# Draw the watch card: one public message that follows an activeflow, edited until it ends.
#
# Everybody in the channel reads it, so it names who wanted it and nobody else, except who stopped the activeflow with
# this bot. Every sentence says as of when it is true; how it ended is said no more certainly than it is known.

_HEADERS: Final = {
    EndingKind.DELETED: "Deleted",
    EndingKind.NOT_KNOWN: "Not known how it ended",
    EndingKind.UNWATCHED: "No longer watched",
    EndingKind.TOO_LONG: "No longer watched",
    EndingKind.NOT_PERMITTED: "No longer watched",
    EndingKind.NOT_SET_UP: "No longer watched",
}


def watch_card(telling: WatchCardContent, now: datetime, *, command: str) -> Message:
    """Draw the card as it is to be now. ``command``: the slash command, for what to type next."""
    watch, ending = telling.watch, telling.ending
    header = "Watching" if ending is None else _HEADERS.get(ending.how, "Ended")
    ended = [_how(watch, ending, command)] if ending is not None else []
    blocks = [
        kit.header(f"{header}: {plain(name_of(watch.flow_name), 120)}"),
        kit.section("\n".join([_facts(telling, now), *ended])),
    ]
    if ending is None:
        blocks += [kit.section(f"*Warning:* {escaped(warning, 200)}") for warning in telling.known.warnings[:3]]
    blocks.append(kit.section(_trail(telling)))
    buttons = _buttons(watch, ending)
    if buttons:
        blocks.append(kit.actions(*buttons, block_id=f"watch:{watch.id}"))
    blocks.append(kit.context(_small_print(telling)))
    doing = ended or [f"{escaped(telling.known.now.words, 300)}, as of {date_token(telling.known.as_of)}."]
    return Message(
        f"{header}: {escaped(name_of(watch.flow_name), 120)} {watch.short_id}. {' '.join(doing)}", tuple(blocks)
    )


def _facts(telling: WatchCardContent, now: datetime) -> str:
    watch, known, ending = telling.watch, telling.known, telling.ending
    until = now if ending is None else ending.at if ending.over else known.as_of
    age = None if watch.began is None else in_words(until - watch.began)
    if ending is not None and ending.over:
        state = f"lasted {age}" if age and ending.how not in {EndingKind.DELETED, EndingKind.NOT_KNOWN} else ""
    else:
        state = f"{bold('Running')} {age}" if age else bold("Running")
    steps = f"{known.steps} of {STEP_BUDGET} steps used"
    return " · ".join(
        part for part in (code(watch.short_id), escaped(watch.reference_type, 40, empty=""), state, steps) if part
    )


def _trail(telling: WatchCardContent) -> str:
    """Return the last situations, oldest first; the present one in bold."""
    known = telling.known
    lines = [f"{date_token(moment.at)}  {escaped(moment.words, 200)}" for moment in known.earlier]
    present = escaped(known.now.words, 400)
    over = telling.ending is not None and telling.ending.over
    lines.append(f"{date_token(known.now.at)}  {present if over else f'*{present}*'}")
    return "\n".join(lines)


def _how(watch: Watch, ending: WatchEnding, command: str) -> str:
    at, words = date_token(ending.at), escaped(ending.words, 300, empty="ended")
    words = words[:1].upper() + words[1:]
    again = code(f"{command} watch {watch.short_id}")
    match ending.how:
        case EndingKind.BY_ITSELF:
            return f"Ended by itself at {at}."
        case EndingKind.STOPPED:
            return f"{words}, at {at}: stopped by {mention(ending.by)} with this bot."
        case EndingKind.PERHAPS_STOPPED:
            return (
                f"{words}, at {at}. {mention(ending.by)} had asked this bot to stop it, and the answer is not known: "
                "that stop ended it, or something else did."
            )
        case EndingKind.INTERRUPTED:
            others = "the caller hung up, or it" if watch.reference_type == "call" else "it"
            return f"{words}, at {at}. This bot did not stop it: {others} was ended elsewhere."
        case EndingKind.DELETED:
            return f"It was deleted: VoIPBIN no longer has it, noticed at {at}. How it ended is not known."
        case EndingKind.NOT_KNOWN:
            return f"Followed until {at}: {escaped(ending.words, 300)}."
        case EndingKind.UNWATCHED:
            return (
                f"{mention(ending.by)} pressed or typed {bold('unwatch')} at {at}. Nothing was "
                f"stopped. Watch it again: {again}"
            )
        case EndingKind.NOT_PERMITTED:
            return (
                f"{mention(watch.by)} can't view it here any more, noticed at {at}. It could still be "
                f"running. Who can: {again}"
            )
        case EndingKind.NOT_SET_UP:
            return (
                f"This bot is not set up for its VoIPBIN account any more, noticed at {at}. It could still be running."
            )
        case _:
            return f"The bot stopped watching at {at}. It could still be running. Watch it again: {again}"


def _buttons(watch: Watch, ending: WatchEnding | None) -> list[kit.Element]:
    about = f"{plain(name_of(watch.flow_name), 45)} {watch.short_id}"
    value = ids.encode_activeflow(watch.activeflow_id)
    buttons = [kit.button("Show", ids.SHOW, value, label=f"Show {about}")]
    if ending is not None and ending.how in {EndingKind.DELETED, EndingKind.NOT_KNOWN, EndingKind.NOT_SET_UP}:
        return []
    if ending is None:
        label = f"Unwatch {about}"
        buttons.insert(0, kit.button("Unwatch", ids.UNWATCH, watch.id, label=label))
    if ending is None or not ending.over:
        buttons.append(kit.button("Stop…", ids.ASK_STOP, value, label=f"Stop {about}", danger=True))
    return buttons


def _small_print(telling: WatchCardContent) -> str:
    watch, known, ending = telling.watch, telling.known, telling.ending
    for_whom = f"watched for {mention(watch.by)}"
    if ending is not None:
        return f"last seen at {date_token(known.as_of)} · {for_whom}"
    fresh = {
        WatchSource.EVENTS: f"live, as of {date_token(known.as_of)}",
        WatchSource.READING: f"as of {date_token(known.as_of)}, re-read every so often",
        WatchSource.DOWN: f"event stream down, as of {date_token(known.as_of)}, re-read every so often",
    }[telling.source]
    if telling.silent_since is not None:
        fresh = (
            f"*VoIPBIN has not answered since {date_token(telling.silent_since)}*. This was so at "
            f"{date_token(known.as_of)}"
        )
    return f"{fresh} · {for_whom}, until {date_token(watch.until)} at most"


# ---------------------------------------------------------------- watch answers
# Draw what is answered to somebody who asks for a watch card, or wants one to follow no longer.

NOT_FOLLOWED: Final = Message("This card follows nothing, because the bot’s database could not be written. Ask again.")
FOLLOWS_NOTHING: Final = Message("This card no longer follows anything. Nothing was stopped.")
UNWATCHED: Final = Message("Unwatched. The card says so in a moment. Nothing was stopped.")
_NAMED: Final = 10
_LINK: Final = re.compile(r"https?://[\w.:-]+/archives/[A-Z0-9]+/p[0-9]+(?:\?[\w.&=-]*)?", re.ASCII)


def not_posted(error: str) -> Message:
    """Say that the card was not posted. ``error``: Slack's word for why."""
    return Message(f"{not_shown('The watch card', error, again='ask again')} Nothing is watched.")


def already(there: AlreadyWatched, link: str) -> Message:
    """Say that it is watched here, and where. ``link`` is empty when Slack did not give one."""
    watch = there.watch
    card = f"<{link}|The card is here>" if _LINK.fullmatch(link) else "The card is in this channel"
    when = f"{mention(watch.by)} asked for it at {date_token(watch.since)}"
    return _told(f"{_named(watch)} is watched here already. {card}. {when}.")


def over(found: AlreadyEnded, command: str) -> Message:
    short = found.activeflow.short_id
    words = escaped(found.words, 300)
    return _told(
        f"{code(short)} has already ended ({words}). There is nothing to follow. More: "
        f"{code(f'{command} show {short}')}"
    )


def full(limit: WatchLimit, command: str) -> Message:
    """Say politely that there are too many, and what to do."""
    where = f"{MOST_HERE} cards in this channel" if limit.here else f"{MOST} cards in all"
    rest = f"End one with {code(f'{command} unwatch <id>')}, or your own with {code(f'{command} unwatch')}."
    return _told(f"I already follow {where}. That is the limit. Nothing was started. {rest}")


def unwatched(done: UnwatchResult, command: str) -> Message:
    """Draw what ended, and else what could be."""
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


# ---------------------------------------------------------------- watch cards
# Edit the watch cards in place (``watching.ports.WatchCards``).

_GONE: Final = frozenset(
    {
        "message_not_found",
        "cant_update_message",
        "edit_window_closed",
        "channel_not_found",
        "not_in_channel",
        "is_archived",
        "is_inactive",
    }
)
"""Slack's words for what will not get better: https://docs.slack.dev/reference/methods/chat.update#errors"""


class WatchCards:
    """``command``: the slash command, for what to type next; ``mention``: the same in a thread, where there is none."""

    def __init__(self, messenger: Messenger, command: str, *, mention: str, now: Callable[[], datetime]) -> None:
        self._messenger, self._command, self._mention, self._now = messenger, command, mention, now

    async def edit(self, telling: WatchCardContent) -> WatchCardEdit:
        """Edit the card. Never raises for Slack's troubles."""
        where = SentMessage(telling.watch.channel, telling.watch.message_ts)
        command = self._mention if telling.watch.thread else self._command
        redrawn = await self._messenger.redraw(where, watch_card(telling, self._now(), command=command))
        return WatchCardEdit(
            redrawn.error == "", gone=redrawn.error in _GONE, wait=redrawn.retry_after, unsure=redrawn.doubtful
        )

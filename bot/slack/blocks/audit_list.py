"""Draw the record of who did what, newest first: one line for each stop, or one for each record.

Only the asker sees it. Three lines to a block: the longest three fit into it uncut.
"""

from dataclasses import replace
from typing import Final

from bot.activeflows.queries.audit_review import Review
from bot.activeflows.records import Detail, Entry
from bot.slack import ids, kit
from bot.slack.blocks.audit_words import did, stop_line
from bot.slack.blocks.mrkdwn import code, date_token, escaped, mention
from bot.slack.grammar.requests import Audit
from bot.slack.messaging.messenger import Message

_IN_ONE_BLOCK: Final = 3
_ALOUD: Final = 5


def audit_list(review: Review, asked: Audit, *, command: str) -> Message:
    """One page. ``asked``: what the buttons ask again. ``command``: what the bot's command is called."""
    lines = [_line(entry) for entry in review.entries] if review.stops is None else [stop_line(s) for s in review.stops]
    blocks = [kit.header("Who did what")]
    for start in range(0, len(lines), _IN_ONE_BLOCK):
        text = "\n".join(lines[start : start + _IN_ONE_BLOCK])
        blocks.append(kit.section(text))
    if not lines:
        blocks.append(kit.section(_nothing(review)))
    buttons = _buttons(review, asked)
    if buttons:
        blocks.append(kit.actions(*buttons))
    blocks += [kit.context(line) for line in _small(review, command)]
    counted = _counted(review)
    return Message(" ".join([f"Who did what: {counted}, {_which(review)}.", *lines[:_ALOUD]]), tuple(blocks))


def _line(entry: Entry) -> str:
    record = entry.record
    parts = [
        date_token(record.at),
        f"{mention(record.who)} {did(record)}",
        *([code(record.activeflow_id.hex[:8])] if record.activeflow_id else []),
        *([mention(record.channel) + _thread(record.detail)] if record.channel else []),
        *([f"reason: “{escaped(record.reason, 150)}”"] if record.reason else []),
        f"receipt {code(entry.receipt, 20)}",
    ]
    return " · ".join(parts)


def _thread(detail: Detail) -> str:
    return ", in a thread" if detail.get("thread") else ""


# ---------------------------------------------------------------- around the records


def _buttons(review: Review, asked: Audit) -> list[kit.Element]:
    """From the ends of this page; an empty page only leads back to the newest."""
    buttons = []
    if review.newer:
        value = ids.encode_audit(asked, after=review.entries[0].seq) if review.entries else ids.encode_audit(asked)
        buttons.append(kit.button("Newer", ids.AUDIT_NEWER, value, label="Newer records"))
    if review.older:
        value = ids.encode_audit(asked, before=review.entries[-1].seq)
        buttons.append(kit.button("Older", ids.AUDIT_OLDER, value, label="Older records"))
    if review.target is None:
        other = ids.encode_audit(replace(asked, every=review.stops is not None))
        every = ("Every record", "Every record, each step of a stop, too")
        words, label = every if review.stops is not None else ("One line a stop", "One line for each stop")
        buttons.append(kit.button(words, ids.AUDIT_OTHERWISE, other, label=label))
    return buttons


def _whose(review: Review) -> str:
    if review.own:
        return "your own"
    return "everybody’s" if review.whose is None else f"those of {mention(review.whose)}"


def _which(review: Review) -> str:
    about = f", about {code(str(review.target))}" if review.target is not None else ""
    since = f", since {date_token(review.since)}" if review.since is not None else ""
    return f"{_whose(review)}{about}{since}"


def _nothing(review: Review) -> str:
    if review.newer:
        return "No older records match."
    if review.stops is not None:
        return "No stops match."
    return "No records match." + (" Use the activeflow’s id, not its call’s." if review.target else "")


def _small(review: Review, command: str) -> list[str]:
    more = " and ".join(word for word, there in (("newer", review.newer), ("older", review.older)) if there)
    lines = [f"{_counted(review)}, newest first: {_which(review)}" + (f" · there are {more} ones" if more else "")]
    if review.stops:
        lines.append(f"All about one: {code(f'{command} audit <id>')}")
    if review.narrowed:
        lines.append(f"To see everybody’s records you need the *audit* permission: {code(f'{command} whoami')}")
    if review.cut is not None:
        through, told = review.cut.record.detail.get("through"), code(review.cut.receipt, 20)
        lines.append(f"Records 1 to {through} are no longer kept: receipt {told} says so")
    lines.append(f"Was a record changed? {code('flows-bot audit verify')} checks them all")
    return lines


def _counted(review: Review) -> str:
    count, one = len(review.entries), "record" if review.stops is None else "line"
    return f"1 {one}" if count == 1 else f"{count} {one}s"

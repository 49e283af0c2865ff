"""Draw the record of who did what, newest first: one line for each stop, or one for each record.

Only the asker sees it. Three lines to a block: the longest three fit into it uncut.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from typing import Final, TypeAlias

from bot.activeflows.queries.audit_review import AllowedPress, Review
from bot.activeflows.records import Detail, Entry, Head, Record, RecordKind
from bot.activeflows.situation.current_step import kind_words
from bot.activeflows.stopping.stop import Attribution, PressKind
from bot.slack import ids, kit
from bot.slack.grammar.requests import Audit
from bot.slack.kit import bold, code, date_token, escaped, mention
from bot.slack.messaging.messenger import Message

# ---------------------------------------------------------------- audit words
# Say what a record of the audit says, in plain words.
#
# No more than the record says: *sending* is written before a stop leaves, so it does not say that the stop was sent. A
# kind of record that has no words here is called what it is called.

DetailWords: TypeAlias = Mapping[str, str | int | bool | None]


def _pruned(detail: DetailWords) -> str:
    return f"cut off the oldest records, 1 to {_said(detail, 'through')}"


def _asked(detail: DetailWords) -> str:
    again = ", without a second question" if detail.get("now") is True else ""
    count = _said(detail, "count")
    return f"asked to stop{f' {count} in bulk' if count else ''}{again}{_because(detail)}"


def _pressed(detail: DetailWords) -> str:
    count = _said(detail, "count")
    what = "Hang up the call" if _of_the_call(detail) else f"Stop all, for {count}" if count else "Stop flow"
    again = ", without a second question" if detail.get("now") is True else ""
    asker = detail.get("asked_by")
    asked = f", asked for by {mention(asker)}" if isinstance(asker, str) and asker else ""
    return f"pressed {what}{asked}{again}{_because(detail)}"


def _refused(detail: DetailWords) -> str:
    what = "refused to hang up the call" if _of_the_call(detail) else "refused"
    return f"{what}: {_said(detail, 'because') or _said(detail, 'why') or 'no reason was kept'}"


def _moved(detail: DetailWords) -> str:
    was, now = _said(detail, "was"), _said(detail, "now")
    change = f": it had moved on from {kind_words(was)} to {kind_words(now)}" if was and now else ""
    if detail.get("bulk"):
        return f"left it alone in a bulk stop{change}"
    return f"pressed, and the card asked once more{change}"


def _sending(detail: DetailWords) -> str:
    if _of_the_call(detail):
        return "sending the hang-up of the call"
    attempt = _said(detail, "attempt")
    return f"sending the stop (attempt {attempt})" if attempt else "sending the stop"


_ENDED: Final = {
    Attribution.THIS_PRESS: "ended, by this press",
    Attribution.ALREADY: "had already ended, nothing was sent",
    Attribution.BY_ITSELF: "ended by itself, just before the stop reached it",
    Attribution.CALL_UNREAD: (
        "ended after the stop, by this press or because the caller hung up just before (the call could not be read)"
    ),
    Attribution.UNCERTAIN: "ended by this press or by itself meanwhile (VoIPBIN gave no clear answer)",
    Attribution.BEFORE: "had ended before the stop reached it",
    Attribution.LATER: "ended later, not by this press",
}
_OUTCOMES: Final = {
    "NotKnown": "not known whether it ended",
    "StillRunning": "still running",
    "NotSent": "nothing was stopped",
    "Expired": "too late, nothing was stopped",
}


_CALLS: Final = {
    "hung_up": "the call was hung up",
    "hanging_up": "the call is hanging up",
    "up": "the call is still up",
    "unknown": "not known whether the call was hung up",
}


def _of_the_call(detail: DetailWords) -> bool:
    """Tell whether it was *Hang up the call*, and not *Stop flow*."""
    return detail.get("wish") == str(PressKind.HANG_UP)


def _outcome(detail: DetailWords) -> str:
    kind = str(detail.get("outcome"))
    ended = _ENDED.get(Attribution(by)) if (by := detail.get("attribution")) in set(Attribution) else "ended"
    outcomes = _CALLS if _of_the_call(detail) else _OUTCOMES
    words = ended if kind == "Ended" else outcomes.get(kind, escaped(kind, 40))
    why, request_id = _said(detail, "why"), _said(detail, "request_id")
    no_further = _said(detail, "halted")  # of a bulk stop as a whole
    why += f"; it did not finish, because {no_further}" if no_further else ""
    return f"outcome: {words}{f': {why}' if why else ''}{f' (VoIPBIN request {request_id})' if request_id else ''}"


def _cancelled(_: DetailWords) -> str:
    return "cancelled the card"


def _aborted(_: DetailWords) -> str:
    return "aborted a bulk stop, the rest was left alone"


def _revealed(detail: DetailWords) -> str:
    return f"was shown unmasked: {_said(detail, 'shown') or 'personal data'}{_because(detail)}"


def _searched(detail: DetailWords) -> str:
    numbers = _said(detail, "numbers")
    return (
        f"looked for {numbers} phone number{'' if numbers == '1' else 's'}, ending in "
        f"{_said(detail, 'endings')}{_because(detail)}"
    )


def _chose(detail: DetailWords) -> str:
    no = "not " if detail.get("mentioned") is False else ""
    return f"chose {no}to be mentioned when it is not known whether their stop worked"


def _policy(detail: DetailWords) -> str:
    digits, grants = _said(detail, "sha256"), detail.get("grants")
    if not digits:
        return "is not set: nobody can do anything"
    return f"is in force: {grants} {'grant' if grants == 1 else 'grants'}, sha256 {code(digits[:12])}"


def did(record: Record) -> str:
    """Return words that follow a person's name: "asked to stop: allowed by grant 2". Safe to stand in mrkdwn."""
    words = _WORDS.get(record.what)
    detail = {name: value for name, value in record.detail.items() if (name, value) != ("asked_by", record.who)}
    return words(detail) if words else f"{record.what}{_because(detail)}"


def stop_line(stop: AllowedPress) -> str:
    """Return one line for a stop: when it was pressed, which flow, what became of it, and who pressed. Of no press:
    what was done.
    """
    record = stop.pressed.record
    about = [
        *([bold(stop.flow, 60)] if stop.flow else []),
        *([code(record.activeflow_id.hex[:8])] if record.activeflow_id else []),
    ]
    if record.what is not RecordKind.PRESSED:
        told = [f"{mention(record.who)} {did(record)}"]
    else:
        about = about or ["many at once"]
        became = (
            did(stop.became.record).removeprefix("outcome: ") if stop.became else "pressed, no outcome recorded yet"
        )
        told = [became, mention(record.who)]
    return " · ".join([date_token(record.at), *([" ".join(about)] if about else []), *told])


def _because(detail: DetailWords) -> str:
    because = _said(detail, "because")
    return f": {because}" if because else ""


def _said(detail: DetailWords, key: str) -> str:
    value = detail.get(key)
    return "" if value is None or value is False or value == "" else escaped(str(value), 200, empty="")


_WORDS: Final[Mapping[RecordKind, Callable[[DetailWords], str]]] = {
    RecordKind.ASKED: _asked,
    RecordKind.PRESSED: _pressed,
    RecordKind.REFUSED: _refused,
    RecordKind.MOVED: _moved,
    RecordKind.SENDING: _sending,
    RecordKind.OUTCOME: _outcome,
    RecordKind.CANCELLED: _cancelled,
    RecordKind.ABORTED: _aborted,
    RecordKind.SEARCHED: _searched,
    RecordKind.REVEALED: _revealed,
    RecordKind.CHOSE: _chose,
    RecordKind.POLICY: _policy,
    RecordKind.PRUNED: _pruned,
}


# ---------------------------------------------------------------- audit head
# Draw the head of the audit, once a day: a message that nobody with the database can edit.
#
# It is found again by its words (``head_in``): keep them.

_WRITTEN: Final = re.compile(r"The audit on \S+: record \d+ is its newest\. Its head is `(\d{1,9}):([0-9a-f]{64})`")


def audit_head(head: Head, day: date) -> Message:
    """Draw the head of the audit, plain hashes: nothing of a record can be read from them."""
    words = f"The audit on {day.isoformat()}: record {head.seq} is its newest. Its head is {code(str(head))}"
    how = f"To check that every record up to it is still there: {code(f'flows-bot audit verify --head {head}')}"
    return Message(words, (kit.section(words), kit.context(how)))


def head_in(text: str) -> Head | None:
    """Return the head that a message with this text tells, if it is one of these."""
    found = _WRITTEN.fullmatch(text)
    return Head(int(found[1]), found[2]) if found else None


# ---------------------------------------------------------------- audit list

_IN_ONE_BLOCK: Final = 3
_ALOUD: Final = 5


def audit_list(review: Review, asked: Audit, *, command: str) -> Message:
    """Draw one page. ``asked``: what the buttons ask again. ``command``: what the bot's command is called."""
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
    """Draw buttons from the ends of this page; an empty page only leads back to the newest."""
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

"""Say what a record of the audit says, in plain words.

No more than the record says: *sending* is written before a stop leaves, so it does not say that the stop was sent. A
kind of record that has no words here is called what it is called.
"""

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from bot.activeflows.queries.audit_review import AllowedPress
from bot.activeflows.records import Record, What
from bot.activeflows.situation.current_step import kind_words
from bot.activeflows.stopping.stop import Attribution, Wish
from bot.slack.blocks.mrkdwn import bold, code, date_token, escaped, mention

Detail: TypeAlias = Mapping[str, str | int | bool | None]


def _pruned(detail: Detail) -> str:
    return f"cut off the oldest records, 1 to {_said(detail, 'through')}"


def _asked(detail: Detail) -> str:
    again = ", without a second question" if detail.get("now") is True else ""
    count = _said(detail, "count")
    return f"asked to stop{f' {count} in bulk' if count else ''}{again}{_because(detail)}"


def _pressed(detail: Detail) -> str:
    count = _said(detail, "count")
    what = "Hang up the call" if _of_the_call(detail) else f"Stop all, for {count}" if count else "Stop flow"
    again = ", without a second question" if detail.get("now") is True else ""
    asker = detail.get("asked_by")
    asked = f", asked for by {mention(asker)}" if isinstance(asker, str) and asker else ""
    return f"pressed {what}{asked}{again}{_because(detail)}"


def _refused(detail: Detail) -> str:
    what = "refused to hang up the call" if _of_the_call(detail) else "refused"
    return f"{what}: {_said(detail, 'because') or _said(detail, 'why') or 'no reason was kept'}"


def _moved(detail: Detail) -> str:
    was, now = _said(detail, "was"), _said(detail, "now")
    change = f": it had moved on from {kind_words(was)} to {kind_words(now)}" if was and now else ""
    if detail.get("bulk"):
        return f"left it alone in a bulk stop{change}"
    return f"pressed, and the card asked once more{change}"


def _sending(detail: Detail) -> str:
    if _of_the_call(detail):
        return "sending the hang-up of the call"
    attempt = _said(detail, "attempt")
    return f"sending the stop (attempt {attempt})" if attempt else "sending the stop"


_ENDED: Final = {
    Attribution.THIS_PRESS: "ended, by this press",
    Attribution.ALREADY: "had already ended, nothing was sent",
    Attribution.BY_ITSELF: "ended by itself, just before the stop reached it",
    Attribution.CALL_UNREAD: "ended after the stop, by this press or because the caller hung up just before (the call could not be read)",
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


def _of_the_call(detail: Detail) -> bool:
    """*Hang up the call*, not *Stop flow*."""
    return detail.get("wish") == str(Wish.HANG_UP)


def _outcome(detail: Detail) -> str:
    kind = str(detail.get("outcome"))
    ended = _ENDED.get(Attribution(by)) if (by := detail.get("attribution")) in set(Attribution) else "ended"
    outcomes = _CALLS if _of_the_call(detail) else _OUTCOMES
    words = ended if kind == "Ended" else outcomes.get(kind, escaped(kind, 40))
    why, request_id = _said(detail, "why"), _said(detail, "request_id")
    no_further = _said(detail, "halted")  # of a bulk stop as a whole
    why += f"; it did not finish, because {no_further}" if no_further else ""
    return f"outcome: {words}{f': {why}' if why else ''}{f' (VoIPBIN request {request_id})' if request_id else ''}"


def _cancelled(_: Detail) -> str:
    return "cancelled the card"


def _aborted(_: Detail) -> str:
    return "aborted a bulk stop, the rest was left alone"


def _revealed(detail: Detail) -> str:
    return f"was shown unmasked: {_said(detail, 'shown') or 'personal data'}{_because(detail)}"


def _searched(detail: Detail) -> str:
    numbers = _said(detail, "numbers")
    return f"looked for {numbers} phone number{'' if numbers == '1' else 's'}, ending in {_said(detail, 'endings')}{_because(detail)}"


def _chose(detail: Detail) -> str:
    no = "not " if detail.get("mentioned") is False else ""
    return f"chose {no}to be mentioned when it is not known whether their stop worked"


def _policy(detail: Detail) -> str:
    digits, grants = _said(detail, "sha256"), detail.get("grants")
    if not digits:
        return "is not set: nobody can do anything"
    return f"is in force: {grants} {'grant' if grants == 1 else 'grants'}, sha256 {code(digits[:12])}"


def did(record: Record) -> str:
    """Words that follow a person's name: "asked to stop: allowed by grant 2". Safe to stand in mrkdwn."""
    words = _WORDS.get(record.what)
    detail = {name: value for name, value in record.detail.items() if (name, value) != ("asked_by", record.who)}
    return words(detail) if words else f"{record.what}{_because(detail)}"


def stop_line(stop: AllowedPress) -> str:
    """One line for a stop: when it was pressed, which flow, what became of it, and who pressed. Of no press: what was done."""
    record = stop.pressed.record
    about = [
        *([bold(stop.flow, 60)] if stop.flow else []),
        *([code(record.activeflow_id.hex[:8])] if record.activeflow_id else []),
    ]
    if record.what is not What.PRESSED:
        told = [f"{mention(record.who)} {did(record)}"]
    else:
        about = about or ["many at once"]
        became = (
            did(stop.became.record).removeprefix("outcome: ") if stop.became else "pressed, no outcome recorded yet"
        )
        told = [became, mention(record.who)]
    return " · ".join([date_token(record.at), *([" ".join(about)] if about else []), *told])


def _because(detail: Detail) -> str:
    because = _said(detail, "because")
    return f": {because}" if because else ""


def _said(detail: Detail, key: str) -> str:
    value = detail.get(key)
    return "" if value is None or value is False or value == "" else escaped(str(value), 200, empty="")


_WORDS: Final[Mapping[What, Callable[[Detail], str]]] = {
    What.ASKED: _asked,
    What.PRESSED: _pressed,
    What.REFUSED: _refused,
    What.MOVED: _moved,
    What.SENDING: _sending,
    What.OUTCOME: _outcome,
    What.CANCELLED: _cancelled,
    What.ABORTED: _aborted,
    What.SEARCHED: _searched,
    What.REVEALED: _revealed,
    What.CHOSE: _chose,
    What.POLICY: _policy,
    What.PRUNED: _pruned,
}

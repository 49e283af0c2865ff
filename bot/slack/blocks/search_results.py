"""Draw what a search found: how the text was understood, and the best ten with why each is there.

A telephone number stands here masked, the asker's own, too. Decision: no *Refresh*, no pages and no *Share*: their
buttons would have to carry what was looked for. Each row has the buttons of a list.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from bot.activeflows.callers import CallFound, CallsLooked
from bot.activeflows.model import in_words
from bot.activeflows.operators import Operator, Permission
from bot.activeflows.queries.resolution import Prefix, Target
from bot.activeflows.search.ranking import Findings, MatchKind, RankedMatch, SearchTerms, may_be_a_number
from bot.slack import kit
from bot.slack.blocks.activeflow_list import because, drawn_row, how_complete, left_out, row_aloud
from bot.slack.kit import bold, code, date_token, escaped
from bot.slack.messaging.messenger import Message

_LONGEST_CALL: Final = timedelta(hours=1)
"""https://api.voipbin.net/docs/call_overview.html: a call is cut then."""


def found(findings: Findings, operator: Operator, now: datetime, *, command: str) -> Message:
    """Draw what was found, for the asker's eyes alone."""
    understood = f"Looked for {_understood(findings.terms)}"
    blocks = [kit.header(_title(findings)), kit.context(understood)]
    blocks += [kit.section(line) for line in _besides(findings, command)]
    for hit in findings.hits:
        activeflow = hit.row.activeflow
        may_stop = activeflow.running and operator.may(Permission.STOP, activeflow.flow_id)
        blocks += drawn_row(hit.row, now, may_stop=may_stop, why=_why(hit))
    blocks.append(kit.context(" · ".join(_how_far(findings))))
    aloud = [f"{_title(findings)}. {understood}.", *_besides(findings, command)]
    aloud += [sentence for hit in findings.hits for sentence in row_aloud(hit.row, now)]
    return Message(" ".join(aloud), tuple(blocks))


def _title(findings: Findings) -> str:
    number = findings.total
    return "Found nothing" if not number else f"Found {number} activeflow{'s' if number > 1 else ''}"


# ---------------------------------------------------------------- what was looked for


def _understood(terms: SearchTerms) -> str:
    parts = [f"a phone number ending in {number.ending}" for number in terms.numbers]
    parts += [_id(target, terms) for target in terms.targets]
    if terms.words:
        words = bold(terms.words, 110)
        parts.append(f"flows and queues named like {words}, and situations with {'it' if parts else words}")
    return "; ".join(parts)


def _id(target: Target, terms: SearchTerms) -> str:
    if not terms.doubtful(target):
        return f"the id {code(str(target), 40)}"
    what = "the same digits" if may_be_a_number(target) else code(str(target), 40)
    return f"running activeflows whose id begins with {what}"


# ---------------------------------------------------------------- what was found


def _why(hit: RankedMatch) -> str:
    """Return why it is there; empty where the row itself says so."""
    match hit.match.how:
        case MatchKind.CALL if hit.match.call is not None:
            return _of_call(hit.match.call)
        case MatchKind.QUEUE:
            return f"In a queue called {bold(hit.match.name, 150)}"
        case _:
            return ""


def _of_call(call: CallFound) -> str:
    ended = ", the call has ended" if call.over else ""
    began = f", began {date_token(call.began)}" if call.began is not None else ""
    what = "It placed a call" if call.leg else "Call"
    return f"{what} {call.end} {escaped(call.masked, 80)}{began}{ended}"


def _besides(findings: Findings, command: str) -> Iterator[str]:
    """Yield what there is to say besides the rows."""
    if findings.absent:
        absent = ", ".join(code(str(target), 40) for target in findings.absent)
        older = " For an older one, give the whole id." if any(isinstance(t, Prefix) for t in findings.absent) else ""
        yield f"No activeflow that you can view here has the id {absent}, and no call of one does.{older}"
    yield from _of_no_call(findings)
    if not findings.hits and findings.terms.words:
        yield f"Nothing running matches these words. All that run: {code(f'{command} list')}"
    if findings.total > len(findings.hits):
        yield f"{findings.total - len(findings.hits)} more match. Narrow it."
    if findings.unread:
        yield (
            f"{_many(findings.unread, 'more activeflow')} of these calls could not be shown. As "
            "far as I know they are not running."
        )
    if findings.without:
        belong = "belongs" if findings.without == 1 else "belong"
        yield f"{_many(findings.without, 'call')} with this number {belong} to no activeflow that I know."
    if findings.terms.more:
        yield f"The text has {findings.terms.more} more ids and numbers. They were not looked for."


def _of_no_call(findings: Findings) -> Iterator[str]:
    """Say which numbers were looked for and found at no call."""
    if findings.calls is None:
        return
    had = {call.sought for call in findings.calls.found}
    endings = [number.ending for place, number in enumerate(findings.terms.numbers) if place not in had]
    if endings:
        yield f"None of the calls checked has a number ending in {' or '.join(endings)}."


def _how_far(findings: Findings) -> Iterator[str]:
    if findings.calls is not None:
        yield _calls(findings.calls)
    if findings.picture is not None:
        yield "activeflows: " + ", ".join(how_complete(findings.picture))
    else:
        yield f"read at {date_token(findings.as_of)}"
    yield from left_out(findings.hidden, findings.unnamed)


def _calls(looked: CallsLooked) -> str:
    """Return how far the look through the calls went: "looked through 240 calls, all that began since 11:02"."""
    number = _many(looked.number, "call")
    strange = f", {looked.unreadable} more could not be read" if looked.unreadable else ""
    if looked.complete_since is None:
        return f"checked all calls ({looked.number}){strange}"
    back = looked.as_of - looked.complete_since
    since = date_token(looked.complete_since)
    told = f"checked {number}, all of the last {in_words(back)} (since {since}){strange}"
    if back >= _LONGEST_CALL:
        return f"{told}, longer than any call lasts"
    return f"{told}; *earlier calls could be missing*: {because(looked)}"


def _many(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"

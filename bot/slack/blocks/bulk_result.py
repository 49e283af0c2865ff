"""Draw the end of a bulk stop card: what became of the members, and the callers who stayed on the line."""

from collections.abc import Iterator
from typing import Final

from bot.activeflows.bulk.bulk_stop import MAY_RUN, Became, Bulk, BulkState, Ending, Member, Run, intent_id, unsettled
from bot.slack import ids, kit
from bot.slack.blocks.bulk_question import few, what_goes_on
from bot.slack.blocks.freshness import followed
from bot.slack.blocks.mrkdwn import bold, code, date_token, escaped, mentions

_NAMED: Final = {
    Became.MOVED: "Moved on, so left alone",
    Became.TAKEN: "Already being stopped by someone else",
    Became.UNKNOWN: "Not known whether they ended",
    Became.RUNNING: "Still running after a stop was sent",
    Became.NOT_SENT: "Could not be sent",
    Became.NOT_PERMITTED: "No permission for whoever pressed",
    Became.ABORTED: "Left when it was aborted",
    Became.LATE: "Left, because time ran out",
    Became.LEFT: "Left",
    Became.ALREADY: "Had already ended",
    Became.GONE: "No longer there",
}
_PRESSED: Final = {
    "hung_up": "Hung up",
    "hanging_up": "Hanging up",
    "up": "*Still up*",
    "unknown": "Not known whether it was hung up",
}
"""By the state of a call (``CallAfter``)."""
_LEFT_ALONE: Final = {
    True: "It was not on this card and was left alone.",
    False: "They were not on this card and were left alone.",
}
"""Whether it is one."""
_MOST_HANG_UPS: Final = 5
"""Buttons at a time: the next callers have theirs when these are hung up."""


def what_became(bulk: Bulk, run: Run) -> Iterator[str]:
    """One line for each kind of thing there is to say; none while it is not over."""
    ending = run.ending
    if run.state is not BulkState.DONE or ending is None:
        return
    if ending.halted:
        yield f"*Only the first one was tried:* {escaped(ending.halted, 200)}. The rest were left alone."
    if ending.refused:
        yield f"*It did not finish:* {escaped(ending.refused, 400)}. No more stops were started."
    yield from _callers(bulk, ending)
    for kind, words in _NAMED.items():
        named = [member.short_id for member in bulk.members if run.of(member) is kind]
        if named:
            yield f"{words}{_as_of(ending) if kind in MAY_RUN else ''}: {few(named)}"
    if unsettled(run) and ending.as_of is not None:
        yield followed(ending.until)
    yield from what_goes_on(ending.origin)
    at = f", as of {date_token(ending.more_as_of)}" if ending.more_as_of else ""
    if ending.more:
        yield f"{ending.more} more {'matches' if ending.more == 1 else 'match'}{at}. {_LEFT_ALONE[ending.more == 1]}"
    elif ending.more is None:
        yield f"Whether more match could not be read{at}."


def on_the_line(bulk: Bulk, run: Run) -> list[Member]:
    """Whose activeflows have ended while their callers may still be there."""
    numbers = run.ending.on_the_line() if run.ending is not None else {}
    return [member for member in bulk.members if member.number in numbers]


def hang_ups(bulk: Bulk, run: Run) -> list[kit.Block]:
    """A row with *Hang up the call* for each of the first who may still be there. Values are ids of members' intents."""
    return [
        kit.section(
            f"The caller of {code(member.short_id)}",
            accessory=kit.button(
                "Hang up the call",
                ids.HANG_UP,
                intent_id(bulk, member),
                label=f"Hang up the call of {member.short_id}",
                danger=True,
            ),
        )
        for member in on_the_line(bulk, run)[:_MOST_HANG_UPS]
    ]


def _as_of(ending: Ending) -> str:
    return f", as of {date_token(ending.as_of)}" if ending.as_of else ""


def _callers(bulk: Bulk, ending: Ending) -> Iterator[str]:
    """Those who may still be there, then those of whom somebody pressed *Hang up*."""
    states = ending.on_the_line()
    up = [member.short_id for member in bulk.members if states.get(member.number) == "up"]
    unheard = [member.short_id for member in bulk.members if states.get(member.number) == "unknown"]
    if up:
        yield f"*Ended, and the caller is still on the line{_as_of(ending)}:* {few(up)}. VoIPBIN should have hung up."
    if unheard:
        yield f"Ended, and it is not known whether the caller was hung up{_as_of(ending)}: {few(unheard)}"
    pressed = [
        (member.short_id, ending.calls[member.number]) for member in bulk.members if member.number in ending.calls
    ]
    for state, words in _PRESSED.items():
        some = [(short_id, call) for short_id, call in pressed if call.state == state]
        if some:
            by = mentions(sorted({call.hung_up_by for _, call in some}))
            why = f": {escaped(some[-1][1].why, 300)}" if some[-1][1].why else ""
            yield f"{words}, after {by} pressed {bold('Hang up the call')}{why}: {few([short_id for short_id, _ in some])}"

"""Draw the answer to `stop all` when there is no card: too many, none, or no reason. It says what to type."""

from dataclasses import replace
from datetime import timedelta
from typing import Final

from bot.activeflows.bulk.preparation import NoCard, Unasked
from bot.activeflows.queries.filters import Filters
from bot.slack.blocks.mrkdwn import bold, code, escaped
from bot.slack.blocks.suggested_line import to_type
from bot.slack.grammar.requests import StopAll, typed
from bot.slack.messaging.messenger import Message

_MOST_GROUPS = 5
_OLDER: Final = timedelta(minutes=10)
_SHORTEST: Final = timedelta(seconds=1)


def bulk_unasked(unasked: Unasked, *, command: str) -> Message:
    """Private words; nothing was stopped, and nothing can be pressed."""
    asked = typed(StopAll(unasked.filters))
    match unasked.why:
        case NoCard.NO_REASON:
            example = to_type(command, f'{asked} "why"')
            shown = f": {example}" if example else ""
            return Message(f"A stop needs a reason here. Type it after the filters{shown}. Nothing was stopped.")
        case NoCard.TOO_MANY:
            return Message(_too_many(unasked, command))
        case NoCard.NOTHING_FITS:
            return Message(_nothing(unasked, command))


def _too_many(unasked: Unasked, command: str) -> str:
    groups = "; ".join(
        f"{group.count} × {bold(group.flow_name or 'without a known flow', 80)}: {escaped(group.words, 100)}"
        for group in unasked.groups[:_MOST_GROUPS]
    )
    narrowed = _narrower(unasked)
    example = to_type(command, typed(StopAll(narrowed))) if narrowed != unasked.filters else ""
    narrower = f", for example {example}" if example else ""
    return (
        f"{unasked.count} activeflows match. The limit is {unasked.limit} at once. Nothing was stopped. "
        f"Narrow it with flow:, is:, type:, action:, older: or newer:{narrower}. They are {groups}."
    )


def _narrower(unasked: Unasked) -> Filters:
    """By an age, else by the flow of the largest group, else by another age: one that is possible and leaves some out."""
    filters, largest = unasked.filters, next((group for group in unasked.groups if group.flow_name), None)
    if filters.older is None and (filters.newer is None or filters.newer >= _OLDER):
        return replace(filters, older=_OLDER)
    if filters.flow is None and largest is not None:
        return replace(filters, flow=largest.flow_name)
    older = max(_OLDER, 2 * (filters.older or _OLDER))
    if filters.newer is None or older <= filters.newer:
        return replace(filters, older=older)
    return replace(filters, newer=max(filters.newer / 2, filters.older or _SHORTEST))


def _nothing(unasked: Unasked, command: str) -> str:
    which = "that you can see" if unasked.on_behalf else "that you can stop in bulk"
    words = [f"No running activeflow {which} matches {code(unasked.filters.words(), 300)}."]
    frozen = unasked.frozen
    if frozen is not None and frozen.similar:
        words.append(f"Did you mean {' or '.join(bold(name, 100) for name in frozen.similar)}?")
    if frozen is not None and frozen.left.uncertain:
        few = ", ".join(code(id_.hex[:8]) for id_ in frozen.left.uncertain[:10])
        words.append(f"It is not certain that these match, so they are not stopped: {few}.")
    if frozen is not None and frozen.left.unnamed:
        words.append(f"The flow names of {frozen.left.unnamed} could not be read.")
    return " ".join([*words, f"All that run: {code(f'{command} list')}. Nothing was stopped."])

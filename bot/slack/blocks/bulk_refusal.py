"""Draw the answer to `stop all` when there is no card: too many, none, or no reason. It says what to type."""

from dataclasses import replace
from datetime import timedelta
from typing import Final

from bot.activeflows.bulk.request import NoCard, Unasked
from bot.activeflows.queries.filters import Filters
from bot.slack import ids, kit
from bot.slack.blocks.help import to_type
from bot.slack.grammar.requests import StopAll, typed
from bot.slack.kit import bold, code, escaped
from bot.slack.messaging.messenger import Message

_MOST_GROUPS = 5
_OLDER: Final = timedelta(minutes=10)
_A_WHILE: Final = timedelta(minutes=1)
_SHORTEST: Final = timedelta(seconds=1)


def bulk_unasked(unasked: Unasked, *, command: str) -> Message:
    """Private words; nothing was stopped. Above the ceiling a card for the oldest is one press away."""
    asked = typed(StopAll(unasked.filters))
    match unasked.why:
        case NoCard.NO_REASON:
            example = to_type(command, f'{asked} "why"')
            shown = f": {example}" if example else ""
            return Message(f"A stop needs a reason here. Type it after the filters{shown}. Nothing was stopped.")
        case NoCard.TOO_MANY:
            words, limit = _too_many(unasked, command), unasked.limit
            value = ids.encode_stop_all(unasked.filters)
            if unasked.on_behalf or len(value) > kit.LONGEST_VALUE:  # such words are typed, not pressed
                return Message(words)
            label = f"Ask to stop the oldest {limit}; nothing stops yet"
            oldest = kit.button(f"The oldest {limit}…", ids.BULK_OLDEST, value, label=label)
            return Message(words, (kit.section(words), kit.actions(oldest)))
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
    """By the age of the oldest ones, so that it does fit.

    Where that cannot be told: by an age, else by the flow of the largest group, else by another age: one that is
    possible and leaves some out.
    """
    if (age := _age_that_fits(unasked)) is not None:
        return replace(unasked.filters, older=age)
    filters, largest = unasked.filters, next((group for group in unasked.groups if group.flow_name), None)
    if filters.older is None and (filters.newer is None or filters.newer >= _OLDER):
        return replace(filters, older=_OLDER)
    if filters.flow is None and largest is not None:
        return replace(filters, flow=largest.flow_name)
    older = max(_OLDER, 2 * (filters.older or _OLDER))
    if filters.newer is None or older <= filters.newer:
        return replace(filters, older=older)
    return replace(filters, newer=max(filters.newer / 2, filters.older or _SHORTEST))


def _age_that_fits(unasked: Unasked) -> timedelta | None:
    """An age that at most as many have as are allowed, now and for a while: the most of them for which there is one."""
    frozen = unasked.frozen
    if frozen is None:
        return None
    ages = [frozen.as_of - each.created_at for each in frozen.members if each.created_at is not None]
    whole = [timedelta(seconds=age // _SHORTEST) for age in ages]
    for margin in (_A_WHILE, _SHORTEST):
        for count in range(min(unasked.limit, len(ages) - 1), 0, -1):
            if whole[count - 1] - ages[count] >= margin and whole[count - 1] >= _SHORTEST:
                return whole[count - 1]
    return None


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

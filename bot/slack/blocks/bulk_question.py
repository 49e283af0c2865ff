"""Draw the question a bulk stop card begins as: who asks whom, the frozen list, and what stopping it would do.

Everybody in the channel reads it, so callers are masked.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from bot.activeflows.bulk.bulk_stop import Bulk, Origin
from bot.slack.blocks.mrkdwn import bold, code, date_token, escaped, mention, mentions
from bot.slack.blocks.row_buttons import name_of

_MOST_GROUPS: Final = 8
_MOST_NAMED: Final = 12


def put_to(bulk: Bulk, who_may: tuple[str, ...]) -> list[str]:
    """For whom it stands there, when whoever asked may not press it. ``who_may``: ids."""
    if not bulk.on_behalf or not who_may:
        return []
    return [f"{mention(bulk.asked_by)} can't stop these in bulk and asks {mentions(who_may)} to."]


def matches(bulk: Bulk) -> str:
    """As in "10 matches for `older:10m`"."""
    count = len(bulk.members)
    if bulk.left.newer:
        return f"The oldest {count} of {count + bulk.left.newer} matches for {code(bulk.filters.words(), 300)}"
    return f"{count} {'match' if count == 1 else 'matches'} for {code(bulk.filters.words(), 300)}"


def what_fits(bulk: Bulk) -> list[str]:
    """The list: by flow and situation, and a few of it."""
    groups = bulk.groups()
    lines = [f"• {group.count} × {_name(group.flow_name)}: {escaped(group.words, 200)}" for group in groups]
    more = sum(group.count for group in groups[_MOST_GROUPS:])
    lines = [*lines[:_MOST_GROUPS], *([f"• … and {more} more"] if more else [])]
    began = bulk.began
    if began is not None:
        lines.append(f"The oldest began {date_token(began[0])}, the newest {date_token(began[1])}.")
    if bulk.sample:
        lines.append("For example: " + "; ".join(escaped(words, 150) for words in bulk.sample) + ".")
    return [matches(bulk), *lines]


def what_it_does(bulk: Bulk) -> list[str]:
    """The consequences, how it is gone about, and what is not in the list."""
    count, callers = len(bulk.members), bulk.callers
    whom = "1 caller" if callers == 1 else f"{callers} callers"
    lines = ["*What stopping them does*", f"• Hangs up on {whom}" if callers else "• Hangs up on nobody"]
    for name, times in bulk.followers()[:_MOST_GROUPS]:
        lines.append(f"• Starts {times} other {'activeflow' if times == 1 else 'activeflows'}: flow {bold(name, 100)}")
    lines.append("• Cannot be undone")
    lines.append(
        f"Stops one first as a test, then two at a time. Only these {count}: "
        f"what begins after {date_token(bulk.as_of)} is left alone. The limit is {bulk.limit} at once."
    )
    return [*lines, *_left_out(bulk)]


def what_goes_on(origin: Origin) -> list[str]:
    """What will start more of them, as of when VoIPBIN said so: a campaign may be stopped meanwhile."""
    at = f", as of {date_token(origin.as_of)}" if origin.as_of else ""
    lines = [f"Campaign {bold(name, 100)} is still dialling{at}: new ones will come." for name in origin.campaigns]
    for flow_name, count in origin.numbers:
        leads = "1 number still leads" if count == 1 else f"{count} numbers still lead"
        lines.append(f"{leads} to flow {_name(flow_name)}{at}: new calls will come.")
    return lines


def who_can_press(bulk: Bulk) -> str:
    """Until when, and who."""
    approved = bulk.second_person and not bulk.on_behalf
    whom = f" · needs a second person to press, not {mention(bulk.asked_by)}" if approved else ""
    return f"Expires {date_token(bulk.deadline)}{whom}"


def few(short_ids: Sequence[str]) -> str:
    """The first of them, and how many more there are."""
    named = ", ".join(code(short_id) for short_id in short_ids[:_MOST_NAMED])
    more = len(short_ids) - _MOST_NAMED
    return f"{named} … and {more} more" if more > 0 else named


def _left_out(bulk: Bulk) -> Iterator[str]:
    left = bulk.left
    if left.uncertain:
        ids_ = few([id_.hex[:8] for id_ in left.uncertain])
        yield f"Left out, not certain that they match: {ids_}"
    if left.newer:
        yield f"Left out, newer than these {len(bulk.members)}: {left.newer}"
    if left.hidden:
        yield f"Left out, no permission for whoever asked: up to {left.hidden}"
    if left.unnamed:
        yield f"Possibly missing, their flow’s name could not be read: {left.unnamed}"
    if bulk.complete_since is not None:
        yield f"Complete back to {date_token(bulk.complete_since)}. Older ones could be missing."


def _name(flow_name: str) -> str:
    return bold(name_of(flow_name), 100)

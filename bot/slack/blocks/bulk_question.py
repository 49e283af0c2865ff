"""Draw the question a bulk stop card begins as: who asks whom, the frozen list, and what stopping it would do.

Everybody in the channel reads it, so callers are masked.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from bot.activeflows.bulk.bulk_stop import Bulk
from bot.slack.blocks.mrkdwn import bold, code, date_token, escaped, mention, mentions
from bot.slack.blocks.row_buttons import name_of

_MOST_GROUPS: Final = 8
_MOST_NAMED: Final = 12


def put_to(bulk: Bulk, who_may: tuple[str, ...]) -> list[str]:
    """For whom it stands there, when whoever asked may not press it. ``who_may``: ids."""
    if not bulk.on_behalf or not who_may:
        return []
    return [f"{mention(bulk.asked_by)} may not stop these in bulk and asks {mentions(who_may)} to."]


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
    return [f"All that run and fit {code(bulk.filters.words(), 300)}", *lines]


def what_it_does(bulk: Bulk) -> list[str]:
    """The consequences, how it is gone about, and what is not in the list."""
    count, callers = len(bulk.members), bulk.callers
    whom = "1 caller" if callers == 1 else f"{callers} callers"
    lines = ["*What stopping them does*", f"• Hangs up on {whom}" if callers else "• Hangs up on nobody"]
    for name, times in bulk.followers()[:_MOST_GROUPS]:
        lines.append(f"• Starts {times} other {'activeflow' if times == 1 else 'activeflows'}: flow {bold(name, 100)}")
    lines.append("• Cannot be undone")
    lines.append(
        f"One is stopped first; when it has ended, the others follow, two at a time. Exactly these {count}: "
        f"what begins after {date_token(bulk.as_of)} is not touched. At most {bulk.limit} at once."
    )
    return [*lines, *_left_out(bulk)]


def who_can_press(bulk: Bulk) -> str:
    """Until when, and who."""
    approved = bulk.second_person and not bulk.on_behalf
    whom = "somebody else who may stop in bulk, or approve" if approved else "people who may stop in bulk"
    return f"Can be pressed until {date_token(bulk.deadline)} by {whom}"


def few(short_ids: Sequence[str]) -> str:
    """The first of them, and how many more there are."""
    named = ", ".join(code(short_id) for short_id in short_ids[:_MOST_NAMED])
    more = len(short_ids) - _MOST_NAMED
    return f"{named} … and {more} more" if more > 0 else named


def _left_out(bulk: Bulk) -> Iterator[str]:
    left = bulk.left
    if left.uncertain:
        ids_ = few([id_.hex[:8] for id_ in left.uncertain])
        yield f"Not in the list, because what they do is only probable: {ids_}"
    if left.hidden:
        yield f"Not in the list, because not open to whoever asked: up to {left.hidden}"
    if left.unnamed:
        yield f"May be missing, because the name of the flow could not be read: {left.unnamed}"
    if bulk.complete_since is not None:
        yield f"Looked back to {date_token(bulk.complete_since)}; older ones may be missing"


def _name(flow_name: str) -> str:
    return bold(name_of(flow_name), 100)

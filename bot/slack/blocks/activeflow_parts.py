"""Draw what several screens have of one activeflow: its buttons, what is wrong with it, how to stop it by hand."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final
from uuid import UUID

from bot.activeflows.anomalies import Anomaly, Reason
from bot.activeflows.model import Activeflow, name_of
from bot.activeflows.queries.filters import Filters
from bot.activeflows.queries.resolution import Target
from bot.activeflows.situation.current_step import Situation
from bot.slack import ids, kit
from bot.slack.grammar.requests import List
from bot.slack.kit import bold, code, escaped, plain
from bot.slack.messaging.messenger import Message

# ---------------------------------------------------------------- row buttons
# Draw the buttons of one activeflow, with the names by which screen readers tell them apart.


def show(activeflow: Activeflow, flow_name: str | None) -> kit.Element:
    """Draw the button *Show*: details, to the presser alone."""
    return kit.button(
        "Show", ids.SHOW, ids.encode_activeflow(activeflow.id), label=_label("Show", activeflow, flow_name)
    )


def ask_stop(activeflow: Activeflow, flow_name: str | None) -> kit.Element:
    """Draw the button *Stop…*: it posts the stop card; nothing is stopped yet."""
    return kit.button(
        "Stop…",
        ids.ASK_STOP,
        ids.encode_activeflow(activeflow.id),
        label=_label("Stop", activeflow, flow_name),
        danger=True,
    )


def open_list(filters: Filters, name: str) -> kit.Element | None:
    """Draw the button *List*: those of one line of a count, to the presser alone; none where a name is too long for
    a button's value.
    """
    value = ids.encode_listing(List(filters))
    if len(value) > kit.LONGEST_VALUE:
        return None
    return kit.button("List", ids.LIST_OPEN, value, label=f"List {plain(name, 60)}")


def _label(verb: str, activeflow: Activeflow, flow_name: str | None) -> str:
    """Write a button's label, as in "Stop Support line 3c5b0f6e": at most 75 characters, the id never cut."""
    return f"{verb} {plain(name_of(flow_name), 50)} {activeflow.short_id}"


# ---------------------------------------------------------------- anomalies
# Say why somebody should look at an activeflow, beside what it is doing.

TROUBLE_WORDS: Final = {
    Reason.STUCK: "Stuck?",
    Reason.LOOPING: "Going round in circles",
    Reason.STEPS: "Nearly out of steps",
    Reason.STALE: "Left over?",
}


def look_words(troubles: Iterable[Anomaly], situation: Situation) -> list[str]:
    """Return a line of mrkdwn each; what the situation says already, steps always, is not said twice."""
    kept = [trouble for trouble in troubles if trouble.reason is not Reason.STEPS]
    return [_line(trouble, said=trouble.words in situation.words) for trouble in kept]


def troubles_aloud(troubles: Iterable[Anomaly]) -> list[str]:
    """Return the same as sentences, for the text that is read out."""
    return [f"{TROUBLE_WORDS[trouble.reason]} {escaped(trouble.words, 200)}." for trouble in troubles]


def _line(trouble: Anomaly, *, said: bool) -> str:
    return bold(TROUBLE_WORDS[trouble.reason], 60) + ("" if said else f" {escaped(trouble.words, 200)}")


# ---------------------------------------------------------------- manual commands
# Give the same stop with VoIPBIN's own client, so that a broken bot never blocks an emergency.
#
# It asks nobody, confirms nothing, and needs a key of one's own; no key ever stands here.
# https://github.com/voipbin/cli

_IN_ONE_LINE: Final = 50
_MOST_NAMED: Final = 150
"""A longer card would not be taken by Slack."""


def without_bot(target: Target) -> str:
    """Return one line of small print."""
    if isinstance(target, UUID):
        return f"Without this bot: {code(f'vn activeflows stop {target}')}"
    listing, stop = code("vn activeflows list"), code(f"vn activeflows stop {target}…")
    return f"Without this bot: {listing}, then {stop} with the whole id"


def hang_up_without_bot(call_id: UUID) -> str:
    """Return the same for a call that may have stayed up."""
    return f"Without this bot: {code(f'vn calls hangup {call_id}')}"


def all_without_bot(ids: Sequence[UUID], command: str = "activeflows stop") -> Iterator[str]:
    """Yield the same for many: lines of small print for a shell, each short enough for one block; empty for none."""
    for start in range(0, min(len(ids), _MOST_NAMED), _IN_ONE_LINE):
        some = " ".join(str(id_) for id_ in ids[start : start + _IN_ONE_LINE])
        yield f"Without this bot: {code(f'for id in {some}; do vn {command} $id; done', 2900)}"
    more = len(ids) - _MOST_NAMED
    if more > 0:
        listing = command.partition(" ")[0]
        yield f"The other {more} without this bot: {code(f'vn {listing} list')}, then {code(f'vn {command} <id>')}"


def any_without_bot(activeflows: Sequence[UUID], calls: Sequence[UUID]) -> Iterator[str]:
    """Yield the same without their ids, for a card that everybody reads: it holds while the bot is down, too."""
    for some, noun, command in ((activeflows, "activeflows", "stop"), (calls, "calls", "hangup")):
        if some:
            yield f"Without this bot: {code(f'vn {noun} list')}, then {code(f'vn {noun} {command} <id>')}"


def with_way_out(message: Message, target: Target) -> Message:
    """Draw the message with that line below it."""
    line = without_bot(target)
    blocks = message.blocks or (kit.section(message.text),)
    return Message(f"{message.text} {line}", (*blocks, kit.context(line)))

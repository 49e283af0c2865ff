"""Draw what each row of one activeflow has: its buttons, and what is wrong with it."""

from collections.abc import Iterable
from typing import Final

from bot.activeflows.anomalies import Reason, Trouble
from bot.activeflows.model import Activeflow
from bot.activeflows.queries.filters import Filters
from bot.activeflows.situation.current_step import Situation
from bot.slack import ids, kit
from bot.slack.grammar.requests import List
from bot.slack.kit import bold, escaped, plain

# ---------------------------------------------------------------- row buttons
# Draw the buttons of one activeflow, with the names by which screen readers tell them apart.

NO_NAME = "Activeflow without a known flow"


def name_of(flow_name: str | None) -> str:
    """What the activeflow is called: its flow's name, when that is known."""
    return flow_name or NO_NAME


def show(activeflow: Activeflow, flow_name: str | None) -> kit.Element:
    """*Show*: details, to the presser alone."""
    return kit.button(
        "Show", ids.SHOW, ids.encode_activeflow(activeflow.id), label=_label("Show", activeflow, flow_name)
    )


def ask_stop(activeflow: Activeflow, flow_name: str | None) -> kit.Element:
    """*Stop…*: posts the stop card; nothing is stopped yet."""
    return kit.button(
        "Stop…",
        ids.ASK_STOP,
        ids.encode_activeflow(activeflow.id),
        label=_label("Stop", activeflow, flow_name),
        danger=True,
    )


def open_list(filters: Filters, name: str) -> kit.Element | None:
    """*List*: those of one line of a count, to the presser alone; none where a name is too long for a button's
    value.
    """
    value = ids.encode_listing(List(filters))
    if len(value) > kit.LONGEST_VALUE:
        return None
    return kit.button("List", ids.LIST_OPEN, value, label=f"List {plain(name, 60)}")


def _label(verb: str, activeflow: Activeflow, flow_name: str | None) -> str:
    """As in "Stop Support line 3c5b0f6e": at most 75 characters, the id never cut."""
    return f"{verb} {plain(name_of(flow_name), 50)} {activeflow.short_id}"


# ---------------------------------------------------------------- anomalies
# Say why somebody should look at an activeflow, beside what it is doing.

TROUBLE_WORDS: Final = {
    Reason.STUCK: "Stuck?",
    Reason.LOOPING: "Going round in circles",
    Reason.STEPS: "Nearly out of steps",
    Reason.STALE: "Left over?",
}


def look_words(troubles: Iterable[Trouble], situation: Situation) -> list[str]:
    """A line of mrkdwn each; what the situation says already, steps always, is not said twice."""
    kept = [trouble for trouble in troubles if trouble.reason is not Reason.STEPS]
    return [_line(trouble, said=trouble.words in situation.words) for trouble in kept]


def troubles_aloud(troubles: Iterable[Trouble]) -> list[str]:
    """The same as sentences, for the text that is read out."""
    return [f"{TROUBLE_WORDS[trouble.reason]} {escaped(trouble.words, 200)}." for trouble in troubles]


def _line(trouble: Trouble, *, said: bool) -> str:
    return bold(TROUBLE_WORDS[trouble.reason], 60) + ("" if said else f" {escaped(trouble.words, 200)}")

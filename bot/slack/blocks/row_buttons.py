"""Draw the buttons of one activeflow, with the names by which screen readers tell them apart."""

from bot.activeflows.model import Activeflow
from bot.activeflows.queries.filters import Filters
from bot.slack import ids, kit
from bot.slack.blocks.mrkdwn import plain
from bot.slack.grammar.requests import List

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
    """*List*: those of one line of a count, to the presser alone; none where a name is too long for a button's value."""
    value = ids.encode_listing(List(filters))
    if len(value) > kit.LONGEST_VALUE:
        return None
    return kit.button("List", ids.LIST_OPEN, value, label=f"List {plain(name, 60)}")


def _label(verb: str, activeflow: Activeflow, flow_name: str | None) -> str:
    """As in "Stop Support line 3c5b0f6e": at most 75 characters, the id never cut."""
    return f"{verb} {plain(name_of(flow_name), 50)} {activeflow.short_id}"

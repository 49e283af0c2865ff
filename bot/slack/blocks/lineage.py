"""Draw what an activeflow came after and what came after it, each with its own *Show*.

Of a relative that the reader may not view only its being there is said: no id, no name.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from bot.activeflows.model import Activeflow
from bot.activeflows.queries.lineage import Family, Relative, Unshown
from bot.slack import kit
from bot.slack.blocks import row_buttons
from bot.slack.blocks.activeflow_list import lived
from bot.slack.blocks.mrkdwn import bold, code

_PARENTS: Final = {
    Unshown.HIDDEN: "another activeflow",
    Unshown.GONE: "an activeflow that no longer exists",
    Unshown.NOT_KNOWN: "another activeflow, which could not be read",
}
_SOUGHT: Final = {
    True: "Nothing was found that started when it ended.",
    False: "Whether anything started when it ended is not known: VoIPBIN did not answer in time.",
}


def relatives(activeflow: Activeflow, family: Family, now: datetime) -> Iterator[kit.Block]:
    """A section for each that may be viewed, and small words for the others; nothing for one without a family."""
    if isinstance(family.parent, Relative):
        yield _shown("Started after", family.parent, now)
    elif family.parent is not None:
        yield kit.context(f"Started after {_PARENTS[family.parent]}.")
    for child in family.children:
        yield _shown(
            "Started when it ended" if _followed(activeflow, child.activeflow) else "Started by it", child, now
        )
    words = _others(family)
    if words:
        yield kit.context(words)


def _followed(activeflow: Activeflow, child: Activeflow) -> bool:
    """Is it what the end started? A flow can be started for another reason, too, and then before the end."""
    if not activeflow.ended or child.flow_id != activeflow.on_complete_flow_id:
        return False
    ended_at, began = activeflow.updated_at, child.created_at
    return ended_at is not None and began is not None and began >= ended_at


def _shown(title: str, relative: Relative, now: datetime) -> kit.Block:
    activeflow = relative.activeflow
    name = bold(row_buttons.name_of(relative.flow_name), 150)
    return kit.section(
        f"{title}: {name} {code(activeflow.short_id)}\n{lived(activeflow, now)}",
        accessory=row_buttons.show(activeflow, relative.flow_name),
    )


def _others(family: Family) -> str:
    if family.hidden:
        others = "another activeflow" if family.hidden == 1 else f"{family.hidden} other activeflows"
        more = f"{family.more} more and " if family.more else ""
        return f"And {more}{others}, which you can’t view here."
    if family.more:
        return f"And {family.more} more."
    return "" if family.children or family.looked is None else _SOUGHT[family.looked]

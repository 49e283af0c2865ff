"""Draw one activeflow or a list in a modal, for *Show* and *List* where there is no channel.

Decision: what belongs into a channel (*Stop…*, whose card is public) or into a message that is not kept (*Reveal*) is left
out; where to type it is said instead.
"""

from datetime import datetime
from typing import Final

from bot.activeflows.operators import Operator, Permission
from bot.activeflows.permitted_places import may_somewhere, reach
from bot.activeflows.queries.details import Details
from bot.activeflows.queries.listing import Listing
from bot.slack import ids, kit
from bot.slack.blocks.activeflow_details import activeflow_details
from bot.slack.blocks.activeflow_list import activeflow_list
from bot.slack.blocks.mrkdwn import code
from bot.slack.blocks.places import places
from bot.slack.messaging.messenger import Message

TITLE: Final = "Activeflow"
READING: Final = Message("Reading the activeflow…")
LIST_TITLE: Final = "Activeflows"
READING_LIST: Final = Message("Reading the activeflows…")
_STAYING: Final = {ids.SHOW_AGAIN, ids.SHOW, ids.LIST_REFRESH, ids.LIST_PREVIOUS, ids.LIST_NEXT}


def activeflow_modal(details: Details, operator: Operator, *, command: str) -> Message:
    """The details, with *Refresh* and the *Show* of relatives, which all stay in the modal."""
    whole = activeflow_details(details, operator, command=command)
    blocks = [kept for block in whole.blocks if (kept := _kept(block)) is not None]
    return Message(whole.text, (*blocks, *_where_to_stop(details, operator, command)))


def list_modal(listing: Listing, operator: Operator, now: datetime, *, command: str) -> Message:
    """The list, with what turns its pages and *Show*, which all stay in the modal."""
    whole = activeflow_list(listing, operator, now, command=command)
    return Message(whole.text, tuple(kept for block in whole.blocks if (kept := _kept(block)) is not None))


def _kept(block: kit.Block) -> kit.Block | None:
    if block["type"] != "actions":
        return block
    here = [button for button in block["elements"] if button["action_id"] in _STAYING]
    return kit.actions(*here) if here else None


def _where_to_stop(details: Details, operator: Operator, command: str) -> list[kit.Block]:
    activeflow = details.sight.activeflow
    stops = may_somewhere(reach(operator.policy, operator.person), Permission.STOP)
    if stops is None or not activeflow.running:
        return []
    words = f"To stop it: {code(f'{command} stop {activeflow.short_id}')}, typed {places(stops)}"
    return [kit.context(words)]

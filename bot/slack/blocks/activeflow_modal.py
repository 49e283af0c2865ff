"""Draw one activeflow in a modal, for *Show* where there is no channel.

Decision: what belongs into a channel (*Stop…*, whose card is public) or into a message that is not kept (*Reveal*) is left
out; where to type it is said instead.
"""

from typing import Final

from bot.activeflows.operators import Operator, Permission
from bot.activeflows.permitted_places import may_somewhere, reach
from bot.activeflows.queries.details import Details
from bot.slack import ids, kit
from bot.slack.blocks.activeflow_details import activeflow_details
from bot.slack.blocks.mrkdwn import code
from bot.slack.blocks.places import places
from bot.slack.messaging.messenger import Message

TITLE: Final = "Activeflow"
READING: Final = Message("Reading the activeflow…")


def activeflow_modal(details: Details, operator: Operator, *, command: str) -> Message:
    """The details, with *Refresh* and the *Show* of relatives, which all stay in the modal."""
    whole = activeflow_details(details, operator, command=command)
    blocks = [kept for block in whole.blocks if (kept := _kept(block)) is not None]
    return Message(whole.text, (*blocks, *_where_to_stop(details, operator, command)))


def _kept(block: kit.Block) -> kit.Block | None:
    if block["type"] != "actions":
        return block
    here = [button for button in block["elements"] if button["action_id"] == ids.SHOW_AGAIN]
    return kit.actions(*here) if here else None


def _where_to_stop(details: Details, operator: Operator, command: str) -> list[kit.Block]:
    activeflow = details.sight.activeflow
    stops = may_somewhere(reach(operator.policy, operator.person), Permission.STOP)
    if stops is None or not activeflow.running:
        return []
    words = f"To stop it: {code(f'{command} stop {activeflow.short_id}')}, typed {places(stops)}"
    return [kit.context(words)]

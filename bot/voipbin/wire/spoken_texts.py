"""Decode the texts that an activeflow's steps spoke: the one personal thing ever decoded from a step.

Everywhere else ``options`` drops them. They are read only for ``client.spoken``, and neither an error nor a ``repr``
holds one. Decision: ``talk`` only (https://api.voipbin.net/docs/flow_struct_action.html); what other steps send is no
speech, and nobody has asked to see it.
"""

from typing import Final
from uuid import UUID

import msgspec

from bot.activeflows.model import Spoken
from bot.voipbin.wire.decoding import Unreadable, strictly
from bot.voipbin.wire.shapes import Id

RECENT: Final = 5
"""So many texts at most, the newest."""
_NOTHING: Final = msgspec.Raw(b"null")


class _Talk(msgspec.Struct):
    """A step with a text; of another type it is none that speaks."""

    type: str
    option: "_Text"

    def __repr__(self) -> str:
        return "a step that speaks"


class _Text(msgspec.Struct):
    text: str = ""

    def __repr__(self) -> str:
        return "a text"


class _Steps(msgspec.Struct):
    id: Id = None
    current_action: msgspec.Raw = _NOTHING
    executed_actions: list[msgspec.Raw] | None = None

    def __repr__(self) -> str:
        return "an activeflow's steps"


def spoken(activeflow_id: UUID, body: bytes) -> tuple[Spoken, ...]:
    """The newest texts of that activeflow, oldest first, the one being spoken last. Raises ``Unreadable``."""
    found = strictly(body, _Steps)
    if found is None or found.id != activeflow_id:
        raise Unreadable("not the activeflow that was asked for")
    steps = [(step, False) for step in found.executed_actions or ()] + [(found.current_action, True)]
    talks = [(strictly(step, _Talk), current) for step, current in steps]
    texts = [Spoken(talk.option.text, now) for talk, now in talks if talk and talk.type == "talk" and talk.option.text]
    return tuple(texts[-RECENT:])

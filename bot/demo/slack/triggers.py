"""trigger_ids: the permission to open one modal, three seconds long.

Promises: a trigger works once and for 3 s, then views.open answers `exchanged_trigger_id` or `expired_trigger_id`
(https://docs.slack.dev/interactivity/handling-user-interaction#modal_responses).
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field

from bot.demo.slack.refusals import Refused


@dataclass(slots=True)
class _Trigger:
    user: str
    view: str | None
    place: str
    expires: float
    used: bool = False


@dataclass
class Triggers:
    """All triggers handed out; `seconds` is how long each lives by the clock `now`."""

    now: Callable[[], float]
    seconds: float = 3.0
    _given: dict[str, _Trigger] = field(default_factory=dict)

    def give(self, user: str, view: str | None = None, *, place: str = "") -> str:
        """Return a fresh trigger_id for what `user` just did, inside the modal `view` if there, or looking at `place`."""
        id_ = f"{secrets.randbelow(10**12)}.{secrets.randbelow(10**12)}.{secrets.token_hex(16)}"
        self._given[id_] = _Trigger(user, view, place, self.now() + self.seconds)
        return id_

    def take(self, id_: str) -> tuple[str, str]:
        """Use the trigger up: the user who acted, and the conversation they looked at. Raises Refused when that cannot be."""
        trigger = self._given.get(id_)
        if trigger is None:
            raise Refused("invalid_trigger_id")
        if trigger.used:
            raise Refused("exchanged_trigger_id")
        if self.now() > trigger.expires:
            raise Refused("expired_trigger_id")
        trigger.used = True
        return trigger.user, trigger.place

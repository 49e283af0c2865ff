"""What must be so at the instant of each POST, as VoIPBIN sees it: by the policy, the directory and the activeflow of
then.

Not what the bot believed: what was so, minus the ages that ``max_ages`` allows.
"""

import json
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from bot.activeflows.model import Activeflow
from bot.activeflows.queries.inspection import as_it_was
from bot.activeflows.situation.current_step import situation
from bot.activeflows.stopping import max_ages
from bot.activeflows.stopping.stop import Intent, Press
from bot.demo.voipbin import wire as shown
from bot.voipbin.wire import answers
from tests.faults.directory import Directory
from tests.faults.restartable_bot import RestartableBot

_ON_THE_WIRE: Final = 0.05
_LOOK: Final = timedelta(seconds=max_ages.LOOK + _ON_THE_WIRE)
_FACTS: Final = timedelta(seconds=max_ages.FACTS + max_ages.LOOK + 2 * _ON_THE_WIRE)


class Members(set[str]):
    """A group that remembers who was in it when."""

    def __init__(self, members: Iterable[str], now: Callable[[], datetime]) -> None:
        super().__init__(members)
        self._now = now
        self._left: dict[str, datetime] = {}

    def discard(self, member: object) -> None:
        if isinstance(member, str) and member in self:
            self._left[member] = self._now()
            super().discard(member)

    def had(self, member: str, within: timedelta) -> bool:
        """Now, or so lately that Slack's answer about it may still count."""
        left = self._left.get(member)
        return member in self or (left is not None and self._now() - left <= within)


class AtTheInstant:
    """Looks at each POST. ``must`` notes a breach."""

    def __init__(self, bot: RestartableBot, must: Callable[[bool, str], None]) -> None:
        self._bot, self._must = bot, must
        self._people: Directory = bot.people
        self._oncall = Members(self._people.oncall, bot.now)
        self._people.oncall = self._oncall
        self._stale_until: dict[UUID, datetime] = {}

    def is_stale(self, activeflow_id: UUID, seconds: float) -> None:
        """VoIPBIN's own cache shows it as it was, for so long: nobody can know better."""
        self._stale_until[activeflow_id] = self._bot.now() + timedelta(seconds=seconds)

    def look(self, intent: Intent, press: Press, *, many: bool) -> None:
        """For a stop that is being sent by this press."""
        self._must(
            self._permitted(intent, press, many=many), f"{press.by} may not stop {intent.short_id} at this instant"
        )
        self._must(not self._has_gone_on(intent), f"{intent.short_id} was shown as {intent.seen.kind}, and has gone on")

    def _permitted(self, intent: Intent, press: Press, *, many: bool) -> bool:
        """By the policy of this instant, and groups as they were some seconds ago at most."""
        people, another = self._people, press.by != intent.asked_by
        two_by_rule = people.two_person or (many and people.two_for_bulk)
        if (two_by_rule or intent.on_behalf) and not another:
            return False
        if two_by_rule and not intent.on_behalf and not self._may(intent.asked_by, many=many):
            return False
        if self._may(press.by, many=many):
            return True
        approves = press.by in people.approvers and another and not intent.on_behalf
        return approves and self._may(intent.asked_by, many=many)

    def _may(self, user: str, *, many: bool) -> bool:
        named = self._people.bulkers if many else self._people.stoppers
        return user in named or (user not in self._people.guests and self._oncall.had(user, _FACTS))

    def _has_gone_on(self, intent: Intent) -> bool:
        """Longer ago than a look may be old."""
        now, row = self._bot.now(), self._bot.world.activeflow(intent.activeflow_id)
        changed: Any = row.tm_update
        if changed >= now - _LOOK or self._stale_until.get(intent.activeflow_id, now - 2 * _LOOK) >= now - _LOOK:
            return False
        activeflow: Activeflow = answers.activeflow(json.dumps(shown.activeflow(row)).encode())
        if activeflow.ended:
            return True
        return not intent.without_second_question and not as_it_was(intent.seen, activeflow, situation(activeflow))

"""Who is who and who may what in a story: Slack's answers about people, and the policy, by the test's own plain
rules.
"""

import asyncio
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from bot.activeflows.errors import IdentityUnknown
from bot.activeflows.operators import ANY_FLOW, Flow, Grant, Operator, Permission, Person, Policy, Rules, Standing
from tests.faults.workflows import AT_WORK

CHANNEL: Final = "C0INCIDENTS"
ONCALL: Final = "S0ONCALL"
SLACK: Final = 0.01
"""Seconds that Slack takes for an answer."""


@dataclass(frozen=True)
class Answer:
    """What Slack and the policy said of somebody at one moment."""

    user: str
    at: datetime
    may_stop: bool
    may_bulk: bool
    may_approve: bool
    two_person: bool
    two_for_bulk: bool
    within: str = ""
    """The id of the workflow that asked."""


@dataclass
class Directory:
    """Who is who, and who may what: changed by a story, asked by the bot. ``silent``: so many answers are not given."""

    now: Any
    stoppers: set[str]
    approvers: set[str]
    oncall: set[str]
    bulkers: set[str] = field(default_factory=set)
    guests: set[str] = field(default_factory=set)
    two_person: bool = False
    two_for_bulk: bool = False
    silent: int = 0
    answers: list[Answer] = field(default_factory=list)
    _known: dict[str, tuple[datetime, frozenset[str]]] = field(default_factory=dict)

    def may_stop(self, user: str) -> bool:
        return user in self.stoppers or (user in self.oncall and user not in self.guests)

    def may_bulk(self, user: str) -> bool:
        return user in self.bulkers or (user in self.oncall and user not in self.guests)

    def policy(self) -> Policy:
        stop = frozenset({Permission.VIEW, Permission.STOP})
        grants = (
            Grant(1, frozenset({ONCALL, *self.stoppers}), stop, frozenset({CHANNEL}), groups=frozenset({ONCALL})),
            Grant(2, frozenset(self.approvers), frozenset({Permission.APPROVE})),
            Grant(3, frozenset({"members"}), frozenset({Permission.VIEW})),
            Grant(
                4,
                frozenset({ONCALL, *self.bulkers}),
                frozenset({Permission.BULK}),
                frozenset({CHANNEL}),
                groups=frozenset({ONCALL}),
            ),
        )
        two_person = {name for name, on in (("stop", self.two_person), ("bulk", self.two_for_bulk)) if on}
        return Policy(grants, Rules(two_person=frozenset(two_person)))  # type: ignore[arg-type] # the two literals

    async def identify(
        self,
        user_id: str,
        channel: str,
        *,
        team: str = "",  # noqa: ARG002 # the port's
        may: Collection[Permission],  # noqa: ARG002 # here everything is told
        flows: Collection[Flow] = (ANY_FLOW,),  # noqa: ARG002
        max_age: float = 0.0,
    ) -> Operator:
        """Groups as they were some seconds ago at most; the policy of now."""
        known = self._known.get(user_id)
        if known is None or self.now() - known[0] >= timedelta(seconds=max_age):
            await asyncio.sleep(SLACK)
            if self.silent:
                self.silent -= 1
                raise IdentityUnknown("Slack did not answer")
            self._known[user_id] = self.now(), self._groups(user_id)
        return self._told(user_id, channel)

    def standing_here(self, user_id: str, channel: str = CHANNEL) -> Operator:
        return self._with(user_id, channel, self._groups(user_id))

    def forget(self) -> None:
        """Slack says that people and groups have changed: what was answered before does not count any more."""
        self._known.clear()

    def _groups(self, user_id: str) -> frozenset[str]:
        return frozenset({ONCALL} if user_id in self.oncall and user_id not in self.guests else ())

    def _told(self, user_id: str, channel: str) -> Operator:
        groups = self._known[user_id][1]
        on_call, workflow = ONCALL in groups, AT_WORK.get()
        self.answers.append(
            Answer(
                user_id,
                self.now(),
                may_stop=user_id in self.stoppers or on_call,
                may_bulk=user_id in self.bulkers or on_call,
                may_approve=user_id in self.approvers,
                two_person=self.two_person,
                two_for_bulk=self.two_for_bulk,
                within=workflow.id if workflow is not None else "",
            )
        )
        return self._with(user_id, channel, groups)

    def _with(self, user_id: str, channel: str, groups: frozenset[str]) -> Operator:
        standing = Standing.GUEST if user_id in self.guests else Standing.MEMBER
        return Operator(Person(user_id, standing, groups), channel, self.policy())

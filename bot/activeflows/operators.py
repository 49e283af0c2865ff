"""Who may do what, decided in one place.

``decide`` is a pure function of (policy, facts about the person, channel, permission, flow). Unset is deny; ids only,
never names; the first grant that fits says yes. Guests, Slack Connect strangers, bots and deactivated users get
nothing from a user group or from "members": only a grant that names their own id counts for them.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Final, Literal
from uuid import UUID

from bot.activeflows.alert_rules import AlertRule
from bot.activeflows.errors import NotPermitted

MEMBERS: Final = "members"
"""In a grant's ``to``: every full member of this workspace."""


class Permission(StrEnum):
    """What a grant can give."""

    VIEW = "view"
    STOP = "stop"
    BULK = "bulk"
    APPROVE = "approve"
    REVEAL = "reveal"
    AUDIT = "audit"


class Standing(StrEnum):
    """What kind of account Slack says this is."""

    MEMBER = "a full member"
    GUEST = "a guest"
    STRANGER = "from another workspace (Slack Connect)"
    BOT = "a bot"
    DEACTIVATED = "deactivated"


class AnyFlow(StrEnum):
    """Asking about no flow in particular: is there any flow this person may do it to?"""

    ANY = "any"


ANY_FLOW: Final = AnyFlow.ANY


@dataclass(frozen=True, slots=True)
class Person:
    """The facts about who is asking, as Slack stated them just now."""

    id: str
    standing: Standing
    groups: frozenset[str] = frozenset()
    """Ids of those user groups named in the policy that this person is in."""
    also: frozenset[str] = frozenset()
    """The other ids that Slack has for the same person."""

    def known_as(self, user_id: str) -> bool:
        """Is that one of this person's ids?"""
        return user_id == self.id or user_id in self.also


@dataclass(frozen=True, slots=True)
class Grant:
    """One ``[[grant]]`` of the policy. ``None`` for channels or flows: not limited."""

    number: int
    """Its place in the file, from 1: what `/flows whoami` and the audit call it."""
    to: frozenset[str]
    may: frozenset[Permission]
    channels: frozenset[str] | None = None
    flows: frozenset[UUID] | None = None

    def names(self, person: Person) -> bool:
        """Does it speak of this person at all?"""
        if person.id in self.to:
            return True
        return person.standing is Standing.MEMBER and (MEMBERS in self.to or not self.to.isdisjoint(person.groups))

    def reaches(self, flow: UUID | AnyFlow | None) -> bool:
        """Does it cover this flow? An activeflow without a flow (``None``) is covered by unlimited grants only."""
        return self.flows is None or flow is ANY_FLOW or flow in self.flows


@dataclass(frozen=True, slots=True)
class Rules:
    """``[rules]`` of the policy."""

    reason_required: bool = False
    two_person: frozenset[Literal["stop", "bulk"]] = frozenset({"bulk"})
    bulk_limit: int = 50
    confirm_within: timedelta = timedelta(minutes=5)
    ask_in: str = ""
    """The channel where those who may are asked by those who may not; empty: where it was asked."""
    audit_channel: str = ""
    """The channel where the audit's head is posted each day; empty: it is only logged."""


@dataclass(frozen=True, slots=True)
class Policy:
    """The whole rule book. The empty one lets nobody do anything, and posts nothing by itself."""

    grants: tuple[Grant, ...] = ()
    rules: Rules = field(default_factory=Rules)
    alerts: tuple[AlertRule, ...] = ()
    version: str = ""
    """Which state of the file it is: the first digits of its SHA-256. What is decided by it is recorded with it."""

    def groups(self) -> frozenset[str]:
        """The user group ids it names: the only memberships anybody needs to ask Slack about."""
        return frozenset(name for grant in self.grants for name in grant.to if name.startswith("S"))


@dataclass(frozen=True, slots=True)
class Decision:
    """Allowed by grant N, or refused because …; ``who_may`` are the ids the refused may ask."""

    allowed: bool
    permission: Permission
    because: str
    grant: int | None = None
    who_may: tuple[str, ...] = ()


def decide(
    policy: Policy, person: Person, *, channel: str, permission: Permission, flow: UUID | AnyFlow | None
) -> Decision:
    """May this person, here, do this to an activeflow of this flow?

    Grants that give the permission are narrowed by person, channel and flow, in that order; where the last one falls
    out is the reason of a refusal.
    """
    giving = [grant for grant in policy.grants if permission in grant.may]
    fitting = [g for g in giving if (g.channels is None or channel in g.channels) and g.reaches(flow)]
    named = [g for g in giving if g.names(person)]
    for grant in fitting:
        if grant.names(person):
            return Decision(
                allowed=True, permission=permission, because=f"allowed by grant {grant.number}", grant=grant.number
            )
    because = _why_not(policy, person, channel, permission, flow, giving=giving, named=named)
    return Decision(allowed=False, permission=permission, because=because, who_may=_askable(fitting))


def _why_not(
    policy: Policy,
    person: Person,
    channel: str,
    permission: Permission,
    flow: UUID | AnyFlow | None,
    *,
    giving: list[Grant],
    named: list[Grant],
) -> str:
    if not policy.grants:
        return "the policy grants nothing to anybody"
    if not giving:
        return f"no grant gives “{permission}” to anybody"
    if not named:
        if person.standing is not Standing.MEMBER:
            return f"this account is {person.standing}, and no grant of “{permission}” names it by its own id"
        return f"no grant of “{permission}” names this person or one of their user groups"
    here = [g for g in named if g.channels is None or channel in g.channels]
    if not here:
        numbers = _numbers(named)
        return f"{numbers} would allow “{permission}”, but not in this channel"
    which = "this flow" if flow is not None else "an activeflow without a flow"
    return f"{_numbers(here)} would allow “{permission}”, but not for {which}"


def _numbers(grants: list[Grant]) -> str:
    return ("grant " if len(grants) == 1 else "grants ") + ", ".join(str(g.number) for g in grants)


def _askable(grants: Iterable[Grant]) -> tuple[str, ...]:
    """User and group ids in order of the file; "members" is nobody in particular."""
    return tuple(dict.fromkeys(name for grant in grants for name in sorted(grant.to) if name != MEMBERS))


@dataclass(frozen=True, slots=True)
class Operator:
    """A person standing in a channel, with the policy of the moment in hand."""

    person: Person
    channel: str
    policy: Policy

    def decide(self, permission: Permission, flow: UUID | AnyFlow | None = ANY_FLOW) -> Decision:
        return decide(self.policy, self.person, channel=self.channel, permission=permission, flow=flow)

    def may(self, permission: Permission, flow: UUID | AnyFlow | None = ANY_FLOW) -> bool:
        """For courtesy (what to show); ``require`` is the lock."""
        return self.decide(permission, flow).allowed

    def require(self, permission: Permission, flow: UUID | AnyFlow | None = ANY_FLOW) -> Decision:
        """The decision that allows it. Raises ``NotPermitted``."""
        decision = self.decide(permission, flow)
        if not decision.allowed:
            raise NotPermitted(decision)
        return decision

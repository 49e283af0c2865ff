"""Decide who may do what, in one place.

``decide`` is a pure function of (policy, facts about the person, channel, permission, flow). Unset is deny; ids only,
never names; the first grant that fits says yes. Guests, people of other workspaces and bots get nothing from a user
group or from "members": only a grant that names their own id counts for them. A deactivated account gets nothing.

Decision: a person whom Slack knows by two ids (``U…`` and ``W…`` on Enterprise Grid) is one person. A grant that names
either id is theirs, a group that lists either has them in it, and neither id is a second person to the other. Slack
states both in one answer, and nobody can edit them; a policy that names the other one would lock its own people out.
"""

import hashlib
import secrets
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import StrEnum
from typing import Final, Literal, TypeAlias
from uuid import UUID

from bot.activeflows.alert_rules import AlertRule
from bot.activeflows.errors import NotPermitted
from bot.activeflows.records import Actor

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


_LASTING: Final = frozenset({Permission.STOP, Permission.BULK, Permission.APPROVE, Permission.REVEAL})
"""What cannot be undone."""


class Standing(StrEnum):
    """What kind of account Slack says this is."""

    MEMBER = "a full member"
    GUEST = "a guest"
    STRANGER = "from another workspace (Slack Connect)"
    NEIGHBOUR = "from another workspace of this organisation"
    BOT = "a bot"
    DEACTIVATED = "deactivated"


class AnyFlow(StrEnum):
    """Asking about no flow in particular: is there any flow this person may do it to?"""

    ANY = "any"


ANY_FLOW: Final = AnyFlow.ANY
Flow: TypeAlias = UUID | AnyFlow | None
"""What a decision is about; ``None`` is an activeflow without a flow."""


@dataclass(frozen=True, slots=True)
class Person:
    """The facts about who is asking, as Slack stated them."""

    id: str
    standing: Standing
    groups: frozenset[str] = frozenset()
    """Ids of those user groups named in the policy that this person is known to be in. Not asked is not known."""
    also: frozenset[str] = frozenset()
    """The other ids that Slack has for the same person."""
    unanswered: frozenset[str] = frozenset()
    """Ids of those user groups that Slack was asked about without an answer."""
    unasked: frozenset[str] = frozenset()
    """Ids of those that Slack was not asked about, because they could not matter to what was asked."""

    def known_as(self, user_id: str) -> bool:
        """Tell whether that is one of this person's ids."""
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
    groups: frozenset[str] = frozenset()
    """Those of ``to`` that are user groups."""
    accounts: frozenset[str] | None = None
    """For which VoIPBIN accounts it counts, by name; ``None``: for the only one, and for none of several."""

    def names(self, person: Person) -> bool:
        """Tell whether it speaks of this person at all."""
        if person.standing is Standing.DEACTIVATED:
            return False
        if person.id in self.to or not self.to.isdisjoint(person.also):
            return True
        return person.standing is Standing.MEMBER and (MEMBERS in self.to or not self.to.isdisjoint(person.groups))

    def fits(self, channel: str, permission: Permission, flow: Flow) -> bool:
        """Tell whether it would give this permission, here, for this flow, to those whom it names."""
        here = self.channels is None or channel in self.channels
        return permission in self.may and here and self.reaches(flow)

    def reaches(self, flow: Flow) -> bool:
        """Tell whether it covers this flow. An activeflow without a flow (``None``) is covered by unlimited grants
        only.
        """
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
    """The channel where the audit's head is posted each day and after each outcome; empty: it is only logged."""


@dataclass(frozen=True, slots=True)
class AccountPlaces:
    """``[account.NAME]`` of the policy: where nobody has to say that it is this one."""

    name: str
    channels: frozenset[str] = frozenset()
    default: bool = False
    """Everywhere that no account names."""


@dataclass(frozen=True, slots=True)
class Policy:
    """The whole rule book. The empty one lets nobody do anything, and posts nothing by itself."""

    grants: tuple[Grant, ...] = ()
    rules: Rules = field(default_factory=Rules)
    alerts: tuple[AlertRule, ...] = ()
    version: str = ""
    """Which state of the file it is: the first digits of its SHA-256. What is decided by it is recorded with it."""
    suspended: str = ""
    """Why it lets nobody do what cannot be undone; empty while it does."""
    accounts: tuple[AccountPlaces, ...] = ()

    def groups(self) -> frozenset[str]:
        """Return the user group ids it names: the only memberships anybody needs to ask Slack about."""
        return frozenset(group for grant in self.grants for group in grant.groups)

    def of(self, account: str) -> "Policy":
        """Return what counts for one VoIPBIN account: unset is deny, so a grant that names none counts for the only
        one alone.
        """
        return replace(
            self,
            grants=tuple(grant for grant in self.grants if _covers(grant.accounts, account)),
            alerts=tuple(rule for rule in self.alerts if _covers(rule.accounts, account)),
        )

    def account_in(self, channel: str) -> str:
        """Return the account that is meant in this channel when nobody says which; empty: none is."""
        here = [places.name for places in self.accounts if channel in places.channels]
        return next(iter(here or [places.name for places in self.accounts if places.default]), "")

    def names(self) -> frozenset[str]:
        """Return every account that is named anywhere."""
        named = [*(grant.accounts or () for grant in self.grants), *(rule.accounts or () for rule in self.alerts)]
        return frozenset(places.name for places in self.accounts).union(*named)


def _covers(accounts: frozenset[str] | None, account: str) -> bool:
    return account in accounts if accounts is not None else not account


@dataclass(frozen=True, slots=True)
class Decision:
    """Allowed by grant N, or refused because …; ``who_may`` are the ids the refused may ask."""

    allowed: bool
    permission: Permission
    because: str
    grant: int | None = None
    who_may: tuple[str, ...] = ()
    unnamed: bool = False
    """Refused because no grant of it names this full member."""
    channels: tuple[str, ...] = ()
    """Refused in this channel only: where this person may do it."""


def decide(policy: Policy, person: Person, *, channel: str, permission: Permission, flow: Flow) -> Decision:
    """Decide whether this person, here, may do this to an activeflow of this flow.

    Grants that give the permission are narrowed by person, channel and flow, in that order; where the last one falls
    out is the reason of a refusal.
    """
    if policy.suspended and permission in _LASTING:
        return Decision(allowed=False, permission=permission, because=policy.suspended)
    grant = _allowing(policy, person, channel, permission, flow)
    if grant is not None:
        return Decision(
            allowed=True, permission=permission, because=f"allowed by grant {grant.number}", grant=grant.number
        )
    giving = [grant for grant in policy.grants if permission in grant.may]
    fitting = [grant for grant in giving if grant.fits(channel, permission, flow)]
    named = [g for g in giving if g.names(person)]
    because = _why_not(policy, person, channel, permission, flow, giving=giving, named=named)
    return Decision(
        allowed=False,
        permission=permission,
        because=because,
        who_may=_askable(fitting, person),
        unnamed=bool(giving) and not named and person.standing is Standing.MEMBER and not person.unanswered,
        channels=_elsewhere(named, channel, flow),
    )


def _allowing(policy: Policy, person: Person, channel: str, permission: Permission, flow: Flow) -> Grant | None:
    """Return the first grant that says yes."""
    if policy.suspended and permission in _LASTING:
        return None
    return next(
        (grant for grant in policy.grants if grant.fits(channel, permission, flow) and grant.names(person)), None
    )


def open_questions(
    policy: Policy,
    person: Person,
    *,
    channel: str,
    permissions: Collection[Permission],
    flows: Collection[Flow],
) -> tuple[str, ...]:
    """Return the user groups that could still make a yes of a no, in order of the file: all that Slack need be asked
    about.

    A yes is one of these permissions. None are left when each of the flows has one, or no group counts for this person.
    """
    if person.standing is not Standing.MEMBER:
        return ()
    groups: dict[str, None] = {}
    for flow in dict.fromkeys(flows):
        fitting = [g for g in policy.grants if any(g.fits(channel, permission, flow) for permission in permissions)]
        if not any(grant.names(person) for grant in fitting):
            groups |= {name: None for grant in fitting for name in sorted(grant.groups)}
    return tuple(groups)


def _why_not(
    policy: Policy,
    person: Person,
    channel: str,
    permission: Permission,
    flow: Flow,
    *,
    giving: list[Grant],
    named: list[Grant],
) -> str:
    if not policy.grants:
        return "the policy gives nobody any permission"
    if not giving:
        return f"the policy gives nobody “{permission}”"
    if not named:
        if person.standing is Standing.DEACTIVATED:
            return "this account is deactivated"
        if person.standing is not Standing.MEMBER:
            return f"this account is {person.standing}, and needs a grant of “{permission}” to its own id"
        unknown = f"; Slack did not say who is in {', '.join(sorted(person.unanswered))}"
        those = any(not grant.to.isdisjoint(person.unasked) for grant in giving)  # which give it elsewhere
        here_ = " here" if those else ""
        nobody = f"no “{permission}” permission{here_}, directly or through a user group"
        return nobody + (unknown if person.unanswered else "")
    here = [g for g in named if g.channels is None or channel in g.channels]
    if not here:
        numbers = _numbers(named)
        return f"not from this channel ({numbers} would allow “{permission}” elsewhere)"
    which = "this flow" if flow is not None else "an activeflow without a flow"
    return f"not for {which} ({_numbers(here)} would allow “{permission}” for others)"


def _elsewhere(named: list[Grant], channel: str, flow: Flow) -> tuple[str, ...]:
    """Return the channels of a person's grants, when none of them counts in this one."""
    if any(grant.channels is None or channel in grant.channels for grant in named):
        return ()
    reaching = [grant.channels or frozenset() for grant in named if grant.reaches(flow)]
    return tuple(dict.fromkeys(place for places in reaching for place in sorted(places)))


def _numbers(grants: list[Grant]) -> str:
    return ("grant " if len(grants) == 1 else "grants ") + ", ".join(str(g.number) for g in grants)


def _askable(grants: Iterable[Grant], person: Person) -> tuple[str, ...]:
    """Return the user and group ids in order of the file; "members" is nobody in particular, and nobody asks
    themselves.
    """
    names = (name for grant in grants for name in sorted(grant.to) if name != MEMBERS)
    return tuple(dict.fromkeys(name for name in names if not person.known_as(name)))


@dataclass(frozen=True, slots=True)
class Operator:
    """A person standing in a channel, with the policy of the moment in hand."""

    person: Person
    channel: str
    policy: Policy
    thread: str = ""
    """The thread of the channel they stand in; it grants nothing, and stands in what is written down."""
    delivery: str = field(default="", repr=False, compare=False)
    """What Slack handed over for what they did, the same when it comes twice; empty when that is not known."""

    @property
    def actor(self) -> Actor:
        """As a record names them."""
        return Actor(self.person.id, self.channel, self.thread)

    @property
    def rights(self) -> tuple[object, ...]:
        """All that decides what they may do here: who has the same may do the same."""
        here = [g for g in self.policy.grants if g.channels is None or self.channel in g.channels]
        return (self.policy.suspended, *(grant for grant in here if grant.names(self.person)))

    def new_card(self) -> str:
        """Return the id of the card that they ask for, 128 bits in hex: a delivery that comes again makes no second
        one.
        """
        known = hashlib.sha256(self.delivery.encode()).hexdigest()[:32] if self.delivery else ""
        return known or secrets.token_hex(16)

    def decide(self, permission: Permission, flow: Flow = ANY_FLOW) -> Decision:
        return decide(self.policy, self.person, channel=self.channel, permission=permission, flow=flow)

    def may(self, permission: Permission, flow: Flow = ANY_FLOW) -> bool:
        """Tell whether they may, for courtesy (what to show); ``require`` is the lock."""
        return _allowing(self.policy, self.person, self.channel, permission, flow) is not None

    def require(self, permission: Permission, flow: Flow = ANY_FLOW) -> Decision:
        """Return the decision that allows it. Raises ``NotPermitted``."""
        decision = self.decide(permission, flow)
        if not decision.allowed:
            raise NotPermitted(decision)
        return decision

    def may_any(self, permissions: Iterable[Permission], flows: Collection[Flow]) -> bool:
        """Tell whether one of these permissions is theirs for some of the flows."""
        return any(self.may(permission, flow) for permission in permissions for flow in flows)

    def may_all(self, permissions: Collection[Permission], flows: Iterable[Flow]) -> bool:
        """Tell whether one of these permissions is theirs for each of the flows."""
        return all(self.may_any(permissions, (flow,)) for flow in flows)


def together(one: Operator, other: Operator) -> Operator:
    """Return what is known of a person by two sets of answers, with the policy and standing of the later one."""
    groups, unasked = one.person.groups | other.person.groups, one.person.unasked & other.person.unasked
    return replace(other, person=replace(other.person, groups=groups, unasked=unasked))


# ---------------------------------------------------------------- permitted places
# List where a person may do what, by permission, for a page that stands in no channel.
#
# It decides nothing: what may be done is decided anew where it is done, by ``operators.decide``.


@dataclass(frozen=True, slots=True)
class Reach:
    """Where somebody has one permission."""

    permission: Permission
    anywhere: bool
    channels: tuple[str, ...]
    """Where, when it is not anywhere."""
    some_flows: bool
    """For certain flows only."""


def reach(policy: Policy, person: Person) -> tuple[Reach, ...]:
    """Return their places in the order of the permissions; what this person may do to certain flows only, or
    elsewhere, stands apart.
    """
    return tuple(each for permission in Permission for each in _of(policy, person, permission))


def may_somewhere(reaches: Iterable[Reach], permission: Permission) -> Reach | None:
    """Return where they may do this to any flow at all; ``None``: nowhere."""
    found = [each for each in reaches if each.permission is permission]
    return (
        _gathered(permission, [(each.anywhere, each.channels) for each in found], some_flows=False) if found else None
    )


def _of(policy: Policy, person: Person, permission: Permission) -> Iterator[Reach]:
    named = [grant for grant in policy.grants if permission in grant.may and grant.names(person)]
    for some_flows in (False, True):
        grants = [grant for grant in named if (grant.flows is not None) is some_flows]
        if grants:
            where = [(grant.channels is None, tuple(grant.channels or ())) for grant in grants]
            yield _gathered(permission, where, some_flows=some_flows)
            if any(anywhere for anywhere, _ in where):
                return


def _gathered(permission: Permission, where: list[tuple[bool, tuple[str, ...]]], *, some_flows: bool) -> Reach:
    anywhere = any(each for each, _ in where)
    channels = () if anywhere else tuple(sorted({channel for _, some in where for channel in some}))
    return Reach(permission, anywhere, channels, some_flows)

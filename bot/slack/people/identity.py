"""Ask Slack who somebody is. Facts only; ``activeflows.operators`` decides.

What costs nothing decides first. Slack is asked who somebody is (``users.info``) and, of a full member, about those
user groups only that could still make a yes of a no, here and for this flow: the groups they were last known to be in
first, and no more once the answer is yes. A group without an answer is not known to have them in it: it grants nothing,
and takes nothing away that another grant gives.

How old a fact may be:

* To stop: ``max_age`` seconds, which whoever acts says. Where Slack's limit leaves no turn to ask (``allowance``), it
  is ``UNTURNED`` seconds, or ``HEARD`` for a user group while Slack's events about groups are known to arrive here. An
  error of Slack's is no answer. Slack's events make an answer old at once.
* To be refused again: ``REFUSED`` seconds. Whoever was refused three times just now is answered by the facts of that
  refusal.
* To read: five minutes (90 s for groups), and ten where Slack does not answer.

https://docs.slack.dev/reference/methods/users.info
https://docs.slack.dev/reference/methods/usergroups.users.list
"""

import asyncio
import math
import time
from collections.abc import Callable, Collection, Mapping
from copy import copy
from dataclasses import dataclass, replace
from functools import reduce
from typing import Any, Final, TypeAlias, TypeVar

import aiohttp
import structlog
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

from bot.activeflows.errors import IdentityUnknown, SlackRefuses
from bot.activeflows.operators import (
    ANY_FLOW,
    MEMBERS,
    Flow,
    Operator,
    Permission,
    Person,
    Policy,
    Standing,
    open_questions,
    together,
)
from bot.slack.interaction import Interaction
from bot.slack.messaging.web_client import LASTING, error_word
from bot.slack.people.installation import Installation
from bot.slack.people.single_flight_cache import Ages, Allowance, NoTurn, SingleFlightCache

# ---------------------------------------------------------------- account
# Read a user object of Slack's: by which ids somebody is known, in which workspaces, and with what standing.
#
# On Enterprise Grid one person may have an id of the organisation (``W…``) beside one of a workspace (``U…``), and may
# be in some of its workspaces and not in others. Decision: full members are those of the workspace this app is
# installed in; to be in the same organisation is not enough.
#
# https://docs.slack.dev/reference/objects/user-object


@dataclass(frozen=True, slots=True)
class SlackAccount:
    """What ``users.info`` says. ``kind``: the standing of this account in a workspace of its own; ``None``: no such
    user.
    """

    ids: frozenset[str] = frozenset()
    kind: Standing | None = None
    teams: frozenset[str] = frozenset()
    enterprise_id: str = ""

    def standing_in(self, home: Installation, team: str = "") -> Standing | None:
        """Return what this account is where the app is installed. ``team``: the one that a payload names for the
        person.
        """
        if self.kind not in {Standing.MEMBER, Standing.GUEST}:
            return self.kind
        named = team in {"", home.team_id, home.enterprise_id} or team in self.teams
        if named and home.team_id in self.teams:
            return self.kind
        ours = bool(home.enterprise_id) and self.enterprise_id == home.enterprise_id
        return Standing.NEIGHBOUR if ours else Standing.STRANGER


def account_of(user: Mapping[str, Any], asked: str) -> SlackAccount:
    """Return the account that Slack described when it was asked about this id. Raises ``ValueError`` if it is
    another one.
    """
    grid = user.get("enterprise_user")
    grid = grid if isinstance(grid, Mapping) else {}
    ids = frozenset(_words([user.get("id"), grid.get("id")]))
    if asked not in ids:
        raise ValueError("users.info answered about somebody else")
    teams = frozenset(_words([user.get("team_id"), *_listed(user, "teams"), *_listed(grid, "teams")]))
    return SlackAccount(ids, _kind(user), teams, str(grid.get("enterprise_id") or user.get("enterprise_id") or ""))


def _kind(user: Mapping[str, Any]) -> Standing:
    if user.get("deleted"):
        return Standing.DEACTIVATED
    if user.get("is_bot") or user.get("is_workflow_bot") or user.get("id") == "USLACKBOT":
        return Standing.BOT
    if user.get("is_stranger"):
        return Standing.STRANGER
    if user.get("is_restricted") or user.get("is_ultra_restricted"):
        return Standing.GUEST
    return Standing.MEMBER


def _listed(part: Mapping[str, Any], key: str) -> list[object]:
    given = part.get(key)
    return given if isinstance(given, list) else []


def _words(given: list[object]) -> list[str]:
    return [word for word in given if isinstance(word, str) and word]


# ---------------------------------------------------------------- memberships
# Ask Slack who is in the user groups that the policy names (``usergroups.users.list``).
#
# Slack lets that be asked twenty times a minute (Tier 2), whoever made the app ask, for all groups together. So an
# answer serves everybody, the reserve is for those who were last known to be in the group, and where no turn is left an
# answer of ``UNTURNED`` seconds counts for a stop, or of ``HEARD`` seconds while events can be trusted.
#
# Decision: nothing tells an app whether it is subscribed to events. They are trusted once one about a group came since
# the start, in the only process that gets them, and until a group is seen to have changed without one.
#
# https://docs.slack.dev/apis/web-api/rate-limits
# https://docs.slack.dev/reference/events/subteam_members_changed

log = structlog.get_logger(__name__)

UNTURNED: Final = 30.0
HEARD: Final = 120.0
_READ: Final = Ages(90.0, 600.0, 600.0)
_NOTHING_TO_ASK: Final = 30.0
"""Seconds for which a group counts as empty that Slack does not let the app read, or does not have."""
_NO_GROUPS_HERE: Final = frozenset(
    {"plan_upgrade_required", "paid_teams_only", "missing_scope", "not_allowed_token_type"}
)
_NO_SUCH_GROUP: Final = frozenset({"no_such_subteam", "subteam_not_found"})


class Memberships:
    """The members of groups, by the ids of both."""

    def __init__(self, client: AsyncWebClient, *, alone: bool, within: float, clock: Callable[[], float]) -> None:
        self._client, self._alone, self._clock = client, alone, clock
        allowance = Allowance(burst=8, a_minute=12, reserve=3, clock=clock)
        self._members = SingleFlightCache(self._ask, allowance, within=within, clock=clock)
        self._unread: dict[str, float] = {}
        self._warned: set[str] = set()
        self._trusted = False

    async def to_read(self, group: str) -> frozenset[str]:
        """Read the members. Raises what the Web API raises, as ``to_act``."""
        return await self._get(group, _READ, reserve=self._members.last(group) is None)

    async def to_act(self, group: str, ids: frozenset[str], age: float) -> frozenset[str]:
        """Return the members as of ``age`` seconds ago, to decide about the person with these ids."""
        last = self._members.last(group)
        if last is not None and last.isdisjoint(ids):  # an old answer grants this person nothing
            return await self._get(group, Ages(age, _READ.unturned), reserve=False)
        return await self._get(group, Ages(age, HEARD if self._trusted else UNTURNED), reserve=True)

    def guess(self, ids: frozenset[str]) -> Callable[[str], bool]:
        """Return a key to sort groups by: those first that this person was last known to be in."""
        return lambda group: ids.isdisjoint(self._members.last(group) or ())

    def list_anywhere(self, user_id: str) -> bool:
        """Tell whether this person was last known to be in any of them?"""
        return any(user_id in members for members in self._members.values())

    def heard(self, group: str) -> None:
        """Forget a group of which an event says that it has changed."""
        self._members.changed(group)
        self._unread.pop(group, None)
        self._trusted = self._alone

    async def _get(self, group: str, ages: Ages, *, reserve: bool) -> frozenset[str]:
        if self._clock() - self._unread.get(group, -_NOTHING_TO_ASK) < _NOTHING_TO_ASK:
            return frozenset()
        return await self._members.get(group, ages, reserve=reserve)

    async def _ask(self, group: str) -> frozenset[str]:
        before = self._members.true(group)
        try:
            users = (await self._client.usergroups_users_list(usergroup=group)).get("users")
        except SlackApiError as refused:
            word = error_word(refused)
            if word not in _NO_GROUPS_HERE and word not in _NO_SUCH_GROUP:
                raise
            self._warn_once(word, group)
            self._unread[group] = self._clock()
            return frozenset()
        if not isinstance(users, list):
            raise ValueError("usergroups.users.list answered without users")  # noqa: TRY004 - an answer, not an argument
        members = frozenset(str(user) for user in users)
        if self._trusted and before is not None and members != before and self._members.true(group) == before:
            self._trusted = False
            log.warning("user_group_changed_without_event", group=group)
        return members

    def _warn_once(self, word: str, group: str) -> None:
        about = word if word in _NO_GROUPS_HERE else f"{word} {group}"
        if about not in self._warned:
            self._warned.add(about)
            log.warning("user_group_counts_as_empty", error=word, group=group)


# ---------------------------------------------------------------- identity


PRESSING: Final = frozenset({Permission.STOP, Permission.BULK, Permission.APPROVE})
"""What a press on a card needs one of."""
REFUSED: Final = 5.0
_USER_READ: Final = Ages(300.0, 600.0, 600.0)
_NOBODY: Final = 30.0
"""Seconds for which Slack is not asked again, to read, about an id that it does not know."""
_NO_SUCH_USER: Final = frozenset({"user_not_found", "user_not_visible"})
_NEXT_GROUP: Final = 0.3
"""Seconds without an answer about one group until the next one is asked about beside it."""
_SAME: Final = 0.001
"""Seconds; an answer that somebody has waited for is as new as any."""
_TIMES: Final = 3
"""Refusals in a row, from which on the last one answers."""
_MOST: Final = 10_000
"""People remembered as refused or permitted lately."""
_LATELY: Final = 3600.0
_JUST_NOW: Final = 60.0
_Wish: TypeAlias = tuple[str, str, frozenset[Permission]]
"""Who, where, and one of which permissions."""
K = TypeVar("K")
V = TypeVar("V")
_LOST: Final = (SlackClientError, aiohttp.ClientError, OSError, ValueError, NoTurn)


class People:
    """Looks people up; ``stopping.ports.People``. ``policy`` is asked each time: it may change while the bot runs.

    ``alone``: no other process gets this app's events.
    """

    def __init__(
        self,
        client: AsyncWebClient,
        installation: Installation,
        policy: Callable[[], Policy],
        *,
        alone: bool = True,
        within: float = 5.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client, self._home, self._policy, self._clock = client, installation, policy, clock
        allowance = Allowance(burst=60, a_minute=40, reserve=30, clock=clock)
        self._accounts = SingleFlightCache(self._ask_account, allowance, within=within, clock=clock)
        self._groups = Memberships(client, alone=alone, within=within, clock=clock)
        self._permitted: dict[str, float] = {}
        self._may_press: dict[tuple[str, str], float] = {}
        """When somebody was last permitted to do what a press asks for, and where."""
        self._refused: dict[_Wish, tuple[float, int]] = {}
        """When, and how many times in a row."""

    def under(self, policy: Callable[[], Policy]) -> "People":
        """Return the same people by the policy of one VoIPBIN account: what Slack said is shared, what was decided
        is not.
        """
        other = copy(self)
        other._policy = policy  # noqa: SLF001 — of one's own kind
        other._permitted, other._may_press, other._refused = {}, {}, {}  # noqa: SLF001
        return other

    async def operator(self, interaction: Interaction) -> Operator:
        """Return the person of an interaction, to read: with all groups that could matter. Raises
        ``IdentityUnknown``.
        """
        while True:
            operator = await self._reader(interaction, self._policy())
            if self.in_force(operator):
                return operator

    def in_force(self, operator: Operator) -> bool:
        """Tell whether the policy that this person was looked up by is still the one in force."""
        policy = self._policy()
        return operator.policy is policy or operator.policy == policy

    async def _reader(self, interaction: Interaction, policy: Policy) -> Operator:
        person = await self._person(interaction.user_id, interaction.team_id, _USER_READ)
        asked = _relevant(policy, person)
        answers = await asyncio.gather(*(self._groups.to_read(group) for group in asked), return_exceptions=True)
        for group, answer in zip(asked, answers, strict=True):
            if isinstance(answer, BaseException):
                if not isinstance(answer, _LOST):
                    raise answer
                person = replace(person, unanswered=person.unanswered | {group})
            elif not answer.isdisjoint({person.id, *person.also}):
                person = replace(person, groups=person.groups | {group})
        return Operator(
            person=person,
            channel=interaction.channel_id,
            policy=policy,
            thread=interaction.thread_ts,
            delivery=interaction.delivery,
        )

    async def operator_of(self, user_id: str, channel: str) -> Operator:
        """Identify somebody in a channel, to read, although they did nothing there just now. Raises
        ``IdentityUnknown``.
        """
        return await self.operator(Interaction(user_id, "", channel))

    async def asker(self, interaction: Interaction, permission: Permission) -> Operator:
        """Return the person, to ask for what is decided anew before it is done: an old yes will do, an old no will
        not.

        Raises ``IdentityUnknown``.
        """
        began = self._clock()
        operator = await self.operator(interaction)
        if operator.may(permission):
            return operator
        return together(operator, await self.actor(interaction, permission, max_age=self._clock() - began + _SAME))

    async def actor(self, interaction: Interaction, *permissions: Permission, max_age: float = 0.0) -> Operator:
        """Return the person, to do something at once that needs some of these permissions. Raises
        ``IdentityUnknown``.
        """
        user_id, channel, team = interaction.user_id, interaction.channel_id, interaction.team_id
        one, *more = [
            await self.identify(user_id, channel, team=team, may=(permission,), max_age=max_age)
            for permission in permissions
        ]
        return replace(reduce(together, more, one), thread=interaction.thread_ts, delivery=interaction.delivery)

    async def identify(
        self,
        user_id: str,
        channel: str,
        *,
        team: str = "",
        may: Collection[Permission],
        flows: Collection[Flow] = (ANY_FLOW,),
        max_age: float = 0.0,
    ) -> Operator:
        """Return the person, to act: with the facts that decide whether they have one of these permissions here.

        Raises ``IdentityUnknown`` when they have none and an answer is missing that could give it.
        """
        if not may:
            return await self._identified(user_id, channel, team, may, flows, max_age)
        wish, began = (user_id, channel, frozenset(may)), self._clock()
        refused_at, times = self._refused.get(wish, (-math.inf, 0))
        again = began - refused_at < REFUSED
        if again and times >= _TIMES:
            operator = await self._identified(user_id, channel, team, may, flows, max(max_age, REFUSED))
            if not operator.may_any(may, flows):
                return operator
            max_age = max(max_age, self._clock() - began + _SAME)  # what was asked just now is not asked again
        operator = await self._identified(user_id, channel, team, may, flows, max_age)
        if operator.may_any(may, flows):
            _note(self._permitted, user_id, self._clock())
            if not PRESSING.isdisjoint(may):
                _note(self._may_press, (user_id, channel), self._clock())
            self._refused.pop(wish, None)
        else:
            _note(self._refused, wish, (self._clock(), times + 1 if again else 1))
        return operator

    def permitted_to_press(self, user_id: str, channel: str) -> bool:
        """Tell whether they were permitted within the last minute to do there what a press asks for?"""
        return self._clock() - self._may_press.get((user_id, channel), -math.inf) < _JUST_NOW

    def heard(self, event: Mapping[str, Any]) -> None:
        """Forget what an event of Slack's says has changed: what was answered before counts no more."""
        match event:
            case {"type": "user_change", "user": {"id": str(user_id), **more}}:
                grid = more.get("enterprise_user")
                other = grid.get("id") if isinstance(grid, Mapping) else None
                for name in {user_id, *([other] if isinstance(other, str) else ())}:
                    self._accounts.changed(name)
            case {"type": "subteam_members_changed", "subteam_id": str(group_id)}:
                self._groups.heard(group_id)
            case {"type": "subteam_updated", "subteam": {"id": str(group_id)}}:
                self._groups.heard(group_id)

    async def _identified(
        self, user_id: str, channel: str, team: str, may: Collection[Permission], flows: Collection[Flow], age: float
    ) -> Operator:
        began = self._clock()
        while True:
            policy = self._policy()
            person = await self._person(user_id, team, Ages(age, UNTURNED))
            operator = await self._among(Operator(person, channel, policy), may, flows, age)
            if self._policy() is policy:
                return operator
            age = max(age, self._clock() - began + _SAME)  # it changed meanwhile, and may name other groups

    async def _among(
        self, operator: Operator, may: Collection[Permission], flows: Collection[Flow], age: float
    ) -> Operator:
        """Return the operator with the groups this person is in, as far as they matter. Raises ``IdentityUnknown``."""
        asking: dict[asyncio.Task[frozenset[str]], str] = {}
        asked: set[str] = set()
        why: IdentityUnknown | None = None
        try:
            while True:
                person = operator.person
                still = open_questions(operator.policy, person, channel=operator.channel, permissions=may, flows=flows)
                ids = frozenset({person.id, *person.also})
                waiting = sorted((group for group in still if group not in asked), key=self._groups.guess(ids))
                if waiting:
                    asked.add(waiting[0])
                    asking[asyncio.ensure_future(self._groups.to_act(waiting[0], ids, age))] = waiting[0]
                if not still or not asking:
                    break
                patience = _NEXT_GROUP if waiting[1:] else None
                done, _ = await asyncio.wait(asking, timeout=patience, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    operator, why = _told(operator, asking.pop(task), task, ids, why)
        finally:
            for task in asking:
                task.cancel()
        if why is not None and not operator.may_any(may, flows):
            raise why
        unasked = operator.policy.groups() - asked
        return replace(operator, person=replace(operator.person, unasked=unasked))

    async def _person(self, user_id: str, team: str, ages: Ages) -> Person:
        """Return the person without groups. Raises ``IdentityUnknown``."""
        if not user_id:
            raise IdentityUnknown("the payload names no user")
        last = self._accounts.last(user_id)
        if last is not None and last.kind is None:
            ages = replace(ages, asked=min(ages.asked, _NOBODY))
        try:
            account = await self._accounts.get(user_id, ages, reserve=self._is_expected(user_id))
        except _LOST as trouble:
            raise _unknown(trouble) from None
        standing = account.standing_in(self._home, team)
        if standing is None:
            raise IdentityUnknown("Slack knows no such user here")
        return Person(id=user_id, standing=standing, also=account.ids - {user_id})

    def _is_expected(self, user_id: str) -> bool:
        """Tell whether it is somebody who may probably do something: named by the policy, in a group, or permitted
        lately?
        """
        if any(user_id in grant.to for grant in self._policy().grants) or self._groups.list_anywhere(user_id):
            return True
        return self._clock() - self._permitted.get(user_id, -_LATELY) < _LATELY

    async def _ask_account(self, user_id: str) -> SlackAccount:
        try:
            user = (await self._client.users_info(user=user_id)).get("user")
        except SlackApiError as refused:
            if error_word(refused) in _NO_SUCH_USER:
                return SlackAccount()
            raise
        if not isinstance(user, dict):
            raise ValueError("users.info answered without the user")  # noqa: TRY004 - an answer, not an argument
        return account_of(user, user_id)


def _told(
    operator: Operator,
    group: str,
    task: "asyncio.Task[frozenset[str]]",
    ids: frozenset[str],
    why: IdentityUnknown | None,
) -> tuple[Operator, IdentityUnknown | None]:
    """Return the operator with what was answered about this group, and why something is not known."""
    person = operator.person
    try:
        members = task.result()
    except _LOST as trouble:
        return replace(operator, person=replace(person, unanswered=person.unanswered | {group})), _unknown(trouble)
    if members.isdisjoint(ids):
        return operator, why
    return replace(operator, person=replace(person, groups=person.groups | {group})), why


def _relevant(policy: Policy, person: Person) -> list[str]:
    """Return the groups that could give this person anything that no grant gives them already by name."""
    if person.standing is not Standing.MEMBER:
        return []
    unnamed = [grant for grant in policy.grants if not grant.names(person) and MEMBERS not in grant.to]
    return sorted({name for grant in unnamed for name in grant.to} & policy.groups())


def _unknown(trouble: BaseException) -> IdentityUnknown:
    if isinstance(trouble, SlackApiError):
        word = error_word(trouble)
        return (SlackRefuses if word in LASTING else IdentityUnknown)(f"Slack answered {word}")
    if isinstance(trouble, NoTurn):
        return IdentityUnknown("Slack lets me ask only so often")
    return IdentityUnknown(f"Slack did not answer ({type(trouble).__name__})")


def _note(noted: dict[K, V], key: K, value: V) -> None:
    noted.pop(key, None)
    if len(noted) >= _MOST:
        noted.pop(next(iter(noted)))
    noted[key] = value

"""Who is asking, as Slack states it now.

Facts only; ``activeflows.operators`` decides. For a stop the facts are asked anew (``fresh``) and an unanswered
question is ``IdentityUnknown``: a no. For reads an answer may be five minutes old (group members 90 s), and up to ten
when Slack does not answer. Slack's events shorten that.

Within a bulk stop ``fresh`` may be some seconds old (``age``), so that five hundred members do not ask five hundred
times. Slack lets ``usergroups.users.list`` be asked twenty times a minute (Tier 2), however many groups there are; so with
more than one group each answer may be as many times older, and a bulk stop takes half of that at most.
https://docs.slack.dev/apis/web-api/rate-limits

Decision: a user group is asked about only where it could matter, that is for a full member, and for a grant that does
not name them already. Whoever the policy names by id is therefore independent of user groups, which free plans lack.

https://docs.slack.dev/reference/methods/users.info
https://docs.slack.dev/reference/methods/usergroups.users.list
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import aiohttp
import structlog
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

from bot.activeflows.errors import IdentityUnknown
from bot.activeflows.operators import MEMBERS, Operator, Person, Policy, Standing
from bot.slack.fresh import Remembered
from bot.slack.gestures import Gesture
from bot.slack.installation import Installation
from bot.slack.telling import error_word

log = structlog.get_logger(__name__)

USER_KEPT: Final = 300.0
GROUP_KEPT: Final = 90.0
UNKNOWN_KEPT: Final = 30.0
STALE: Final = 600.0
_NO_SUCH_USER: Final = frozenset({"user_not_found", "user_not_visible"})
_NO_GROUPS_HERE: Final = frozenset(
    {"plan_upgrade_required", "paid_teams_only", "missing_scope", "not_allowed_token_type"}
)
_NO_SUCH_GROUP: Final = frozenset({"no_such_subteam", "subteam_not_found"})


@dataclass(frozen=True, slots=True)
class _Account:
    """What ``users.info`` says; ``None`` for the team when there is no such user."""

    standing: Standing | None
    in_our_enterprise: bool = False


class People:
    """Looks people up. ``policy`` is asked each time: it may be read anew while the bot runs."""

    def __init__(
        self,
        client: AsyncWebClient,
        installation: Installation,
        policy: Callable[[], Policy],
        *,
        within: float = 5.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._home = installation
        self._policy = policy
        self._within = within
        self._warned: set[str] = set()
        self._accounts = Remembered(
            self._ask_account,
            keep=lambda account: USER_KEPT if account.standing is not None else UNKNOWN_KEPT,
            stale=STALE,
            clock=clock,
        )
        self._members = Remembered(
            self._ask_members, keep=lambda members: GROUP_KEPT if members else UNKNOWN_KEPT, stale=STALE, clock=clock
        )

    async def operator(self, gesture: Gesture, *, fresh: bool = False, age: float = 0.0) -> Operator:
        """The person of a gesture, standing in its channel. Raises ``IdentityUnknown``.

        ``age``: seconds that a fresh answer may be old; for user groups, so many for each that is asked about.
        """
        policy = self._policy()
        try:
            standing = await self._standing(gesture, fresh=fresh, age=age)
            groups = await self._groups(gesture.user_id, standing, policy, fresh=fresh, age=age)
        except SlackApiError as refused:
            raise IdentityUnknown(f"Slack answered {error_word(refused)}") from None
        except (SlackClientError, aiohttp.ClientError, OSError, ValueError) as lost:
            raise IdentityUnknown(f"Slack did not answer ({type(lost).__name__})") from None
        person = Person(id=gesture.user_id, standing=standing, groups=groups)
        return Operator(person=person, channel=gesture.channel_id, policy=policy)

    def heard(self, event: Mapping[str, Any]) -> None:
        """An event of Slack's says that a person or a group has changed: ask anew the next time."""
        match event:
            case {"type": "user_change", "user": {"id": str(user_id)}}:
                self._accounts.forget(user_id)
            case {"type": "subteam_members_changed", "subteam_id": str(group_id)}:
                self._members.forget(group_id)
            case {"type": "subteam_updated", "subteam": {"id": str(group_id)}}:
                self._members.forget(group_id)

    async def _standing(self, gesture: Gesture, *, fresh: bool, age: float) -> Standing:
        if not gesture.user_id:
            raise IdentityUnknown("the payload names no user")
        account = await self._accounts.get(gesture.user_id, fresh=fresh, within=self._within, age=age)
        if account.standing is None:
            raise IdentityUnknown("Slack knows no such user here")
        at_home = gesture.team_id in ("", self._home.team_id) or account.in_our_enterprise
        if account.standing in (Standing.MEMBER, Standing.GUEST) and not at_home:
            return Standing.STRANGER
        return account.standing

    async def _groups(
        self, user_id: str, standing: Standing, policy: Policy, *, fresh: bool, age: float
    ) -> frozenset[str]:
        if standing is not Standing.MEMBER:
            return frozenset()
        needed = {
            name
            for grant in policy.grants
            if user_id not in grant.to and MEMBERS not in grant.to
            for name in grant.to & policy.groups()
        }
        asked = sorted(needed)
        each = age * len(asked)
        members = (self._members.get(group, fresh=fresh, within=self._within, age=each) for group in asked)
        answers = await asyncio.gather(*members)
        return frozenset(group for group, there in zip(asked, answers, strict=True) if user_id in there)

    async def _ask_account(self, user_id: str) -> _Account:
        try:
            user = (await self._client.users_info(user=user_id)).get("user")
        except SlackApiError as refused:
            if error_word(refused) in _NO_SUCH_USER:
                return _Account(None)
            raise
        if not isinstance(user, dict) or user.get("id") != user_id:
            raise ValueError("users.info answered without the user")
        ours = _part(user, "enterprise_user").get("enterprise_id")
        in_ours = bool(self._home.enterprise_id) and ours == self._home.enterprise_id
        return _Account(_standing(user, at_home=in_ours or user.get("team_id") == self._home.team_id), in_ours)

    async def _ask_members(self, group_id: str) -> frozenset[str]:
        team = self._home.team_id if self._home.enterprise_id else None  # tokens of an organisation need it
        try:
            users = (await self._client.usergroups_users_list(usergroup=group_id, team_id=team)).get("users")
        except SlackApiError as refused:
            word = error_word(refused)
            if word not in _NO_GROUPS_HERE and word not in _NO_SUCH_GROUP:
                raise
            self._warn_once(word, group_id)
            return frozenset()
        if not isinstance(users, list):
            raise ValueError("usergroups.users.list answered without users")  # noqa: TRY004 - an answer, not an argument
        return frozenset(str(user) for user in users)

    def _warn_once(self, word: str, group_id: str) -> None:
        about = word if word in _NO_GROUPS_HERE else f"{word} {group_id}"
        if about not in self._warned:
            self._warned.add(about)
            log.warning("user_group_counts_as_empty", error=word, group=group_id)


def _standing(user: Mapping[str, Any], *, at_home: bool) -> Standing:
    if user.get("deleted"):
        return Standing.DEACTIVATED
    if user.get("is_bot") or user.get("is_workflow_bot") or user.get("id") == "USLACKBOT":
        return Standing.BOT
    if user.get("is_stranger") or not at_home:
        return Standing.STRANGER
    if user.get("is_restricted") or user.get("is_ultra_restricted"):
        return Standing.GUEST
    return Standing.MEMBER


def _part(body: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    part = body.get(key)
    return part if isinstance(part, Mapping) else {}

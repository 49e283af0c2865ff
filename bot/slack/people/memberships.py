"""Ask Slack who is in the user groups that the policy names (``usergroups.users.list``).

Slack lets that be asked twenty times a minute (Tier 2), whoever made the app ask, for all groups together. So an answer
serves everybody, the reserve is for those who were last known to be in the group, and where no turn is left an answer of
``UNTURNED`` seconds counts for a stop, or of ``HEARD`` seconds while events can be trusted.

Decision: nothing tells an app whether it is subscribed to events. They are trusted once one about a group came since the
start, in the only process that gets them, and until a group is seen to have changed without one.

https://docs.slack.dev/apis/web-api/rate-limits
https://docs.slack.dev/reference/events/subteam_members_changed
"""

from collections.abc import Callable
from typing import Final

import structlog
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.messaging.messenger import error_word
from bot.slack.people.single_flight_cache import Ages, Allowance, Remembered

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
        self._members = Remembered(self._ask, allowance, within=within, clock=clock)
        self._unread: dict[str, float] = {}
        self._warned: set[str] = set()
        self._trusted = False

    async def to_read(self, group: str) -> frozenset[str]:
        """Raises what the Web API raises, as ``to_act``."""
        return await self._get(group, _READ, reserve=self._members.last(group) is None)

    async def to_act(self, group: str, ids: frozenset[str], age: float) -> frozenset[str]:
        """The members as of ``age`` seconds ago, to decide about the person with these ids."""
        last = self._members.last(group)
        if last is not None and last.isdisjoint(ids):  # an old answer grants this person nothing
            return await self._get(group, Ages(age, _READ.unturned), reserve=False)
        return await self._get(group, Ages(age, HEARD if self._trusted else UNTURNED), reserve=True)

    def guess(self, ids: frozenset[str]) -> Callable[[str], bool]:
        """A key to sort groups by: those first that this person was last known to be in."""
        return lambda group: ids.isdisjoint(self._members.last(group) or ())

    def list_anywhere(self, user_id: str) -> bool:
        """Was this person last known to be in any of them?"""
        return any(user_id in members for members in self._members.values())

    def heard(self, group: str) -> None:
        """An event says that it has changed."""
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

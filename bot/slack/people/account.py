"""Read a user object of Slack's: by which ids somebody is known, in which workspaces, and with what standing.

On Enterprise Grid one person may have an id of the organisation (``W…``) beside one of a workspace (``U…``), and may be
in some of its workspaces and not in others. Decision: full members are those of the workspace this app is installed in;
to be in the same organisation is not enough.

https://docs.slack.dev/reference/objects/user-object
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.activeflows.operators import Standing
from bot.slack.people.installation import Installation


@dataclass(frozen=True, slots=True)
class Account:
    """What ``users.info`` says. ``kind``: the standing of this account in a workspace of its own; ``None``: no such user."""

    ids: frozenset[str] = frozenset()
    kind: Standing | None = None
    teams: frozenset[str] = frozenset()
    enterprise_id: str = ""

    def standing_in(self, home: Installation, team: str = "") -> Standing | None:
        """What this account is where the app is installed. ``team``: the one that a payload names for the person."""
        if self.kind not in {Standing.MEMBER, Standing.GUEST}:
            return self.kind
        named = team in {"", home.team_id, home.enterprise_id} or team in self.teams
        if named and home.team_id in self.teams:
            return self.kind
        ours = bool(home.enterprise_id) and self.enterprise_id == home.enterprise_id
        return Standing.NEIGHBOUR if ours else Standing.STRANGER


def account_of(user: Mapping[str, Any], asked: str) -> Account:
    """The account that Slack described when it was asked about this id. Raises ``ValueError`` if it is another one."""
    grid = user.get("enterprise_user")
    grid = grid if isinstance(grid, Mapping) else {}
    ids = frozenset(_words([user.get("id"), grid.get("id")]))
    if asked not in ids:
        raise ValueError("users.info answered about somebody else")
    teams = frozenset(_words([user.get("team_id"), *_listed(user, "teams"), *_listed(grid, "teams")]))
    return Account(ids, _kind(user), teams, str(grid.get("enterprise_id") or user.get("enterprise_id") or ""))


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

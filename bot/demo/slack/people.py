"""Who is in the workspace and where they meet: users, user groups, channels, as state and as Slack's JSON.

Promises: the JSON of a user, a group and a channel has the keys an app reads for its decisions, with Slack's names
(https://docs.slack.dev/reference/objects/user-object, https://docs.slack.dev/reference/objects/usergroup-object,
https://docs.slack.dev/reference/objects/conversation-object). Everything else of these large objects is left out.
"""

from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class User:
    """One person or bot. The flags bear Slack's names; `about` is one line for the page's user switcher.

    `grid_id` is a second id of the same person, in an Enterprise organisation (`W…` beside `U…`, or the other way
    round): https://docs.slack.dev/enterprise/developing-for-enterprise-orgs.
    """

    id: str
    name: str
    team_id: str
    real_name: str = ""
    about: str = ""
    tz: str = "Etc/UTC"
    is_admin: bool = False
    is_owner: bool = False
    is_restricted: bool = False
    is_ultra_restricted: bool = False
    is_stranger: bool = False
    is_bot: bool = False
    is_workflow_bot: bool = False
    is_app_user: bool = False
    deleted: bool = False
    enterprise_id: str | None = None
    grid_id: str | None = None

    @property
    def display_name(self) -> str:
        """Name that others read."""
        return self.real_name or self.name

    def as_json(self) -> dict[str, Any]:
        """Return the user object of users.info; a deactivated user has lost the flags about rights, as in Slack."""
        described: dict[str, Any] = {
            "id": self.id,
            "team_id": self.team_id,
            "name": self.name,
            "deleted": self.deleted,
            "is_bot": self.is_bot,
            "is_app_user": self.is_app_user,
            "updated": 1_700_000_000,
            "profile": {"real_name": self.display_name, "display_name": self.name, "team": self.team_id},
        }
        if not self.deleted:
            described |= {
                "real_name": self.display_name,
                "tz": self.tz,
                "is_admin": self.is_admin,
                "is_owner": self.is_owner,
                "is_primary_owner": False,
                "is_restricted": self.is_restricted,
                "is_ultra_restricted": self.is_ultra_restricted,
            }
        if self.is_stranger:
            described["is_stranger"] = True
        if self.is_workflow_bot:
            described["is_workflow_bot"] = True
        if self.enterprise_id:
            described["enterprise_user"] = {
                "id": self.grid_id or self.id,
                "enterprise_id": self.enterprise_id,
                "enterprise_name": "Northwind",
                "is_admin": False,
                "is_owner": False,
                "teams": [self.team_id],
            }
        return described


@dataclass(slots=True)
class Group:
    """A user group (`@oncall`)."""

    id: str
    handle: str
    team_id: str
    members: list[str] = field(default_factory=list)
    disabled: bool = False

    def as_json(self, *, include_users: bool) -> dict[str, Any]:
        """Return the object of usergroups.list."""
        described: dict[str, Any] = {
            "id": self.id,
            "team_id": self.team_id,
            "is_usergroup": True,
            "name": self.handle,
            "handle": self.handle,
            "description": "",
            "is_external": False,
            "date_delete": 1_700_000_000 if self.disabled else 0,
            "user_count": len(self.members),
        }
        return described | ({"users": list(self.members)} if include_users else {})


@dataclass(slots=True)
class Channel:
    """A place for messages: a public or private channel, or (with `im_with`) the direct messages of one user.

    `is_frozen` is for one that Slack itself has closed: nothing in it changes any more (`is_inactive`).
    """

    id: str
    name: str
    members: list[str] = field(default_factory=list)
    is_private: bool = False
    is_archived: bool = False
    is_frozen: bool = False
    is_ext_shared: bool = False
    is_pending_ext_shared: bool = False
    is_org_shared: bool = False
    im_with: str | None = None
    topic: str = ""

    @property
    def kind(self) -> str:
        """Slack's `channel_type`: `channel`, `group` (private) or `im`."""
        if self.im_with is not None:
            return "im"
        return "group" if self.is_private else "channel"

    @property
    def name_in_payloads(self) -> str:
        """Name that commands and interactions carry: private places hide theirs."""
        if self.im_with is not None:
            return "directmessage"
        return "privategroup" if self.is_private else self.name

    def as_json(self, *, bot_user_id: str) -> dict[str, Any]:
        """Return the conversation object of conversations.info as the bot sees it."""
        if self.im_with is not None:
            return {"id": self.id, "is_im": True, "user": self.im_with, "is_archived": False, "is_org_shared": False}
        return {
            "id": self.id,
            "name": self.name,
            "is_channel": not self.is_private,
            "is_group": self.is_private,
            "is_im": False,
            "is_mpim": False,
            "is_private": self.is_private,
            "is_archived": self.is_archived,
            "is_general": False,
            "is_member": bot_user_id in self.members,
            "is_shared": self.is_ext_shared or self.is_org_shared,
            "is_org_shared": self.is_org_shared,
            "is_ext_shared": self.is_ext_shared,
            "is_pending_ext_shared": self.is_pending_ext_shared,
            "num_members": len(self.members),
            "topic": {"value": self.topic},
        }

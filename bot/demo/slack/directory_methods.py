"""Asking who and where: auth, users, user groups, conversations, bots
(https://docs.slack.dev/reference/methods/users.info and its siblings).
"""

from typing import TYPE_CHECKING, Any

from bot.demo.slack.method import Arguments, Method, Refused, visible_channel
from bot.demo.slack.payloads import message_json
from bot.demo.slack.people import Channel

if TYPE_CHECKING:
    from bot.demo.slack.workspace import Workspace


_CURSOR = "bWVtYmVy"
_KINDS = {"public_channel": "channel", "private_channel": "group", "im": "im"}


def api_test(_: "Workspace", args: Arguments) -> dict[str, Any]:
    """Echo the arguments; refuse when asked to."""
    if args.text("error"):
        raise Refused(args.text("error"), details={"args": dict(args.given)})
    return {"args": dict(args.given)}


def auth_test(workspace: "Workspace", _: Arguments) -> dict[str, Any]:
    """Tell whose token this is."""
    return {
        "url": f"https://{workspace.domain}.slack.com/",
        "team": workspace.name,
        "user": workspace.users[workspace.bot_user_id].name,
        "team_id": workspace.team_id,
        "user_id": workspace.bot_user_id,
        "bot_id": workspace.bot_id,
        "is_enterprise_install": workspace.organisation_wide,
        **({"enterprise_id": workspace.enterprise_id} if workspace.enterprise_id else {}),
    }


def connections_open(workspace: "Workspace", _: Arguments) -> dict[str, Any]:
    """Hand out a WebSocket address for Socket Mode."""
    if not workspace.socket_mode:
        raise Refused("access_denied")
    return {"url": workspace.socket.ticket(workspace.url)}


def users_info(workspace: "Workspace", args: Arguments) -> dict[str, Any]:
    """Describe a user, asked for by either of their ids."""
    user = workspace.users.get(workspace.same(args.needed("user")))
    if user is None:
        raise Refused("user_not_found")
    return {"user": user.as_json()}


def users_list(workspace: "Workspace", args: Arguments) -> dict[str, Any]:
    """List the people, the deactivated among them, `limit` a page; nobody twice who has two ids.

    https://docs.slack.dev/reference/methods/users.list
    """
    people = [user for id_, user in workspace.users.items() if id_ == workspace.same(id_)]
    first, following = _page(args, min(args.number("limit", 0) or len(people), 1000))
    return {
        "members": [user.as_json() for user in people[first:following]],
        "cache_ts": int(workspace.now()),
        "response_metadata": {"next_cursor": f"{_CURSOR}{following}" if following < len(people) else ""},
    }


def usergroups_list(workspace: "Workspace", args: Arguments) -> dict[str, Any]:
    """List the user groups."""
    if not workspace.paid_plan:
        raise Refused("plan_upgrade_required")
    wanted = [group for group in workspace.groups.values() if args.flag("include_disabled") or not group.disabled]
    return {"usergroups": [group.as_json(include_users=args.flag("include_users")) for group in wanted]}


def usergroups_users_list(workspace: "Workspace", args: Arguments) -> dict[str, Any]:
    """List a group's members by id."""
    if not workspace.paid_plan:
        raise Refused("plan_upgrade_required")
    group = workspace.groups.get(args.needed("usergroup"))
    if group is None or (group.disabled and not args.flag("include_disabled")):
        raise Refused("no_such_subteam")
    return {"users": list(group.members)}


def conversations_info(workspace: "Workspace", args: Arguments) -> dict[str, Any]:
    """Describe a channel, with the scope for its kind."""
    channel = _readable(workspace, args)
    return {"channel": channel.as_json(bot_user_id=workspace.bot_user_id)}


def conversations_list(workspace: "Workspace", args: Arguments) -> dict[str, Any]:
    """List the channels of these types that the bot can know of, `limit` a page.

    https://docs.slack.dev/reference/methods/conversations.list
    """
    kinds = args.text("types", "public_channel").replace(" ", "").split(",")
    if not set(kinds) <= set(_KINDS):
        raise Refused("invalid_types")
    for kind in kinds:
        _allowed(workspace, _KINDS[kind], "read")
    limit = args.number("limit", 100)
    if not 0 < limit <= 1000:
        raise Refused("invalid_limit")
    wanted = {_KINDS[kind] for kind in kinds}
    found = [channel for channel in workspace.channels.values() if channel.kind in wanted]
    found = [channel for channel in found if not channel.is_private or workspace.bot_user_id in channel.members]
    if args.flag("exclude_archived"):
        found = [channel for channel in found if not channel.is_archived]
    first, following = _page(args, limit)
    return {
        "channels": [channel.as_json(bot_user_id=workspace.bot_user_id) for channel in found[first:following]],
        "response_metadata": {"next_cursor": f"{_CURSOR}{following}" if following < len(found) else ""},
    }


def conversations_members(workspace: "Workspace", args: Arguments) -> dict[str, Any]:
    """List a channel's members, `limit` a page; the cursor is opaque to callers."""
    channel = _readable(workspace, args)
    first, following = _page(args, min(args.number("limit", 100), 1000))
    more = f"{_CURSOR}{following}" if following < len(channel.members) else ""
    return {"members": channel.members[first:following], "response_metadata": {"next_cursor": more}}


def conversations_history(workspace: "Workspace", args: Arguments) -> dict[str, Any]:
    """Return what everybody sees in a channel the bot is in, the newest first, `limit` a page; replies in threads are
    not in it.

    https://docs.slack.dev/reference/methods/conversations.history
    """
    channel = _readable(workspace, args, "history")
    if workspace.bot_user_id not in channel.members:
        raise Refused("not_in_channel")
    limit = args.number("limit", 100)
    if not 0 < limit < 1000:
        raise Refused("invalid_limit")
    seen = workspace.sees(workspace.bot_user_id, channel.id)
    written = [m for m in reversed(seen) if m.ephemeral_to is None and m.thread_ts in {None, m.ts}]
    first, following = _page(args, limit)
    hidden = set() if args.flag("include_all_metadata") else {"metadata"}
    shown = [message_json(workspace, message) for message in written[first:following]]
    more = following < len(written)
    return {
        "messages": [{key: value for key, value in message.items() if key not in hidden} for message in shown],
        "has_more": more,
        "pin_count": 0,
        "channel_actions_ts": None,
        "channel_actions_count": 0,
        **({"response_metadata": {"next_cursor": f"{_CURSOR}{following}"}} if more else {}),
    }


def _page(args: Arguments, limit: int) -> tuple[int, int]:
    """Return where this page begins and where the next one would."""
    start = args.text("cursor").removeprefix(_CURSOR)
    if start and not start.isdigit():
        raise Refused("invalid_cursor")
    return int(start or 0), int(start or 0) + limit


def _readable(workspace: "Workspace", args: Arguments, right: str = "read") -> Channel:
    """Return the channel, if the scope for its kind is there; a private one without it does not exist."""
    channel = visible_channel(workspace, args.needed("channel"))
    _allowed(workspace, channel.kind, right)
    return channel


def _allowed(workspace: "Workspace", kind: str, right: str) -> None:
    """Raise Refused where the scope for channels of this kind is missing."""
    scope = {"channel": "channels", "group": "groups", "im": "im"}[kind] + f":{right}"
    if scope not in workspace.scopes:
        provided = ",".join(sorted(workspace.scopes))
        raise Refused("missing_scope", details={"needed": scope, "provided": provided})


def conversations_open(workspace: "Workspace", args: Arguments) -> dict[str, Any]:
    """Open the direct messages with one user."""
    users = args.needed("users").split(",")
    if len(users) != 1 or users[0] not in workspace.users:
        raise Refused("user_not_found" if len(users) == 1 else "not_supported_by_simulation")
    return {"channel": {"id": workspace.direct_channel(users[0]).id}}


def bots_info(workspace: "Workspace", args: Arguments) -> dict[str, Any]:
    """Describe the app's bot."""
    if args.text("bot", workspace.bot_id) != workspace.bot_id:
        raise Refused("bot_not_found")
    about = {"name": workspace.app_name, "app_id": workspace.api_app_id, "user_id": workspace.bot_user_id}
    return {"bot": {"id": workspace.bot_id, "deleted": False, "updated": 1_700_000_000, "icons": {}, **about}}


_HISTORIES = frozenset({"channels:history", "groups:history", "im:history"})
_PLACES = frozenset({"channels:read", "groups:read", "im:read"})
METHODS = {
    "api.test": Method(api_test, token="none"),
    "auth.test": Method(auth_test),
    "apps.connections.open": Method(connections_open, token="app"),
    "users.info": Method(users_info, frozenset({"users:read"})),
    "users.list": Method(users_list, frozenset({"users:read"})),
    "usergroups.list": Method(usergroups_list, frozenset({"usergroups:read"})),
    "usergroups.users.list": Method(usergroups_users_list, frozenset({"usergroups:read"})),
    "conversations.info": Method(conversations_info, _PLACES),
    "conversations.list": Method(conversations_list, _PLACES),
    "conversations.members": Method(conversations_members, _PLACES),
    "conversations.history": Method(conversations_history, _HISTORIES),
    "conversations.open": Method(conversations_open, frozenset({"im:write"})),
    "bots.info": Method(bots_info, frozenset({"users:read"})),
}

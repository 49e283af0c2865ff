"""What Slack tells a bot, in Slack's shapes: commands, presses, submissions, shortcuts, events.

Promises: names, nesting and presence of keys as at https://docs.slack.dev/interactivity/implementing-slash-commands,
https://docs.slack.dev/reference/interaction-payloads and https://docs.slack.dev/apis/events-api. Two that bite: a press
in an ephemeral message carries no `message`, and `team` is the installed workspace while `user.team_id` is the
person's.
"""

import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from bot.demo.slack.messages import Button, Message, View, returned
from bot.demo.slack.people import Channel, User
from bot.demo.slack.team import Team

Payload = dict[str, Any]
_NAMED = {
    "block_actions": ("username", "name"),
    "shortcut": ("username",),
    **dict.fromkeys(["block_suggestion", "message_action", "view_submission", "view_closed"], ("name",)),
}
"""How each kind of interaction calls the name of its person."""


def slash_command(
    team: Team, user: User, channel: Channel, command: str, text: str, *, response_url: str, trigger_id: str
) -> dict[str, str]:
    """Return the form fields of a typed command."""
    fields = {
        "token": "legacy-verification-token",
        "team_id": team.team_id,
        "team_domain": team.domain,
        "channel_id": channel.id,
        "channel_name": channel.name_in_payloads,
        "user_id": user.id,
        "user_name": user.name,
        "command": command,
        "text": text,
        "api_app_id": team.api_app_id,
        "is_enterprise_install": "false",
        "response_url": response_url,
        "trigger_id": trigger_id,
    }
    return fields | ({"enterprise_id": team.enterprise_id} if team.enterprise_id else {})


def press_in_message(
    team: Team, user: User, message: Message, button: Button, *, response_url: str, trigger_id: str
) -> Payload:
    """Return `block_actions` from a message."""
    channel = team.channels[message.channel]
    payload = _interaction(team, user, "block_actions") | {
        "container": _around(team, message),
        "trigger_id": trigger_id,
        "channel": {"id": channel.id, "name": channel.name_in_payloads},
        "state": {"values": {}},
        "response_url": response_url,
        "actions": [_action(team, button)],
    }
    return payload | _body(team, message)


def suggestion_in_message(team: Team, user: User, message: Message, asked: Mapping[str, str]) -> Payload:
    """Return `block_suggestion` from a message: `asked` is the menu, its block, and the text. It has no trigger."""
    channel = team.channels[message.channel]
    where = {"container": _around(team, message), "channel": {"id": channel.id, "name": channel.name_in_payloads}}
    return _interaction(team, user, "block_suggestion") | {**asked, **where, **_body(team, message)}


def suggestion_in_view(
    team: Team, user: User, view: View, state: Mapping[str, Any], asked: Mapping[str, str]
) -> Payload:
    """Return `block_suggestion` from a modal or the Home tab."""
    return _interaction(team, user, "block_suggestion") | {
        **asked,
        "container": {"type": "view", "view_id": view.id},
        "view": _returned(team, view_json(team, view, state)),
    }


def press_in_view(
    team: Team, user: User, view: View, button: Button, state: Mapping[str, Any], *, trigger_id: str
) -> Payload:
    """Return `block_actions` from a modal or the Home tab."""
    return _interaction(team, user, "block_actions") | {
        "container": {"type": "view", "view_id": view.id},
        "trigger_id": trigger_id,
        "view": _returned(team, view_json(team, view, state)),
        "actions": [_action(team, button)],
    }


def submission(
    team: Team,
    user: User,
    view: View,
    state: Mapping[str, Any],
    *,
    trigger_id: str,
    response_urls: Sequence[Mapping[str, str]] = (),
) -> Payload:
    """Return `view_submission`; a response_url for each conversation that is chosen in a menu which asks for one."""
    return _interaction(team, user, "view_submission") | {
        "trigger_id": trigger_id,
        "view": _returned(team, view_json(team, view, state)),
        "response_urls": list(response_urls),
    }


def closing(team: Team, user: User, view: View, *, cleared: bool) -> Payload:
    """Return `view_closed`."""
    return _interaction(team, user, "view_closed") | {"view": view_json(team, view, {}), "is_cleared": cleared}


def message_shortcut(
    team: Team, user: User, message: Message, callback_id: str, *, response_url: str, trigger_id: str
) -> Payload:
    """Return `message_action`."""
    channel = team.channels[message.channel]
    return _interaction(team, user, "message_action", of_app=False) | {
        "callback_id": callback_id,
        "trigger_id": trigger_id,
        "response_url": response_url,
        "message_ts": message.ts,
        "action_ts": team.new_ts(),
        "channel": {"id": channel.id, "name": channel.name_in_payloads},
        "message": message_json(team, message),
    }


def global_shortcut(team: Team, user: User, callback_id: str, *, trigger_id: str) -> Payload:
    """Return `shortcut`."""
    asked = {"callback_id": callback_id, "trigger_id": trigger_id, "action_ts": team.new_ts()}
    return _interaction(team, user, "shortcut", of_app=False) | asked


def event(team: Team, told: Mapping[str, Any]) -> Payload:
    """Return `event_callback` around an event."""
    place = team.channels.get(str(told.get("channel")))
    return {
        "token": "legacy-verification-token",
        "team_id": team.team_id,
        "api_app_id": team.api_app_id,
        "type": "event_callback",
        "event": {"event_ts": team.new_ts(), **told},
        "event_id": "Ev" + secrets.token_hex(5).upper(),
        "event_time": int(team.now()),
        "authorizations": [
            {
                "enterprise_id": team.enterprise_id,
                "team_id": team.team_id,
                "user_id": team.bot_user_id,
                "is_bot": True,
                "is_enterprise_install": False,
            }
        ],
        "is_ext_shared_channel": bool(place and place.is_ext_shared),
    }


def view_json(team: Team, view: View, state: Mapping[str, Any]) -> Payload:
    """Return a view as payloads and answers carry it."""
    return view.as_json(team_id=team.team_id, bot_id=team.bot_id, app_id=team.api_app_id, state=state)


def message_json(team: Team, message: Message) -> Payload:
    """Return a message as payloads, events and answers carry it, with what it says about its thread."""
    wire = message.as_json(team_id=team.team_id, bot_id=team.bot_id, app_id=team.api_app_id)
    replies = team.replies(message.channel, message.ts)
    if replies:  # a parent carries its own ts as thread_ts from its first reply on
        writers = list(dict.fromkeys(reply.user for reply in replies))
        counts = {"reply_count": len(replies), "reply_users_count": len(writers), "reply_users": writers}
        return wire | {"thread_ts": message.ts, **counts, "latest_reply": replies[-1].ts, "is_locked": False}
    if message.thread_ts:
        parent = team.present(message.channel, message.thread_ts)
        return wire | ({"parent_user_id": parent.user} if parent else {})
    return wire


def _interaction(team: Team, user: User, kind: str, *, of_app: bool = True) -> Payload:
    """Return what all interactions have; a shortcut does not name its app (`of_app`)."""
    enterprise = {"id": team.enterprise_id, "name": team.name} if team.enterprise_id else None
    return {
        "type": kind,
        "user": {"id": user.id, **dict.fromkeys(_NAMED[kind], user.name), "team_id": user.team_id},
        **({"api_app_id": team.api_app_id} if of_app else {}),
        "token": "legacy-verification-token",
        "team": {"id": team.team_id, "domain": team.domain},
        "enterprise": enterprise,
        "is_enterprise_install": False,
    }


def _around(team: Team, message: Message) -> Payload:
    """Return where a message stands: the `container` of what is done in it."""
    ephemeral = message.ephemeral_to is not None
    where = {"type": "message", "message_ts": message.ts, "channel_id": message.channel, "is_ephemeral": ephemeral}
    if message.thread_ts or team.replies(message.channel, message.ts):
        where["thread_ts"] = message.thread_ts or message.ts
    return where


def _body(team: Team, message: Message) -> Payload:
    """Return the message itself, unless only one person sees it."""
    return {} if message.ephemeral_to is not None else {"message": _returned(team, message_json(team, message))}


def _action(team: Team, button: Button) -> Payload:
    element = button.element
    action: Payload = {
        "action_id": button.action_id,
        "block_id": button.block_id,
        "type": element["type"],
        "action_ts": team.new_ts(),
    }
    if element["type"] == "button":
        action |= {key: element[key] for key in ("text", "value", "url", "confirm") if key in element}
    elif element["type"] == "checkboxes":
        action["selected_options"] = [button.option]
    else:
        action["selected_option"] = button.option
    return _returned(team, action)


def _returned(team: Team, part: Payload) -> Payload:
    back: Payload = returned(part, values=team.escapes_values)
    return back

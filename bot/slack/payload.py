"""From verified bytes to the payload, and whether it is meant for this installation.

A click carries 10 to 50 kB in one ``payload=`` field, thousands of escapes among them: that field is cut out and decoded
directly; the standard library's loop over escapes alone would take most of the time until the ack. A command is a form of its own, whatever words it holds ("payload" among them).

https://docs.slack.dev/interactivity/implementing-slash-commands
https://docs.slack.dev/interactivity/handling-user-interaction
"""

from binascii import a2b_qp
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import parse_qsl, unquote_to_bytes

import msgspec

from bot.slack.installation import Installation

_PAYLOAD: Final = b"payload="
_AS_QUOTED_PRINTABLE: Final = bytes.maketrans(b"%+", b"= ")
_MOST_FIELDS: Final = 100
_KINDS: Final = frozenset(
    {"block_actions", "block_suggestion", "view_submission", "view_closed", "shortcut", "message_action"}
)

OTHER: Final = "other"
"""Any other kind of thing that a person did."""
_OBJECTS: Final = ("user", "team", "enterprise", "channel", "container", "message", "view", "state")
"""What is an object, or null, in every interaction."""


class Unreadable(ValueError):
    """The bytes are no payload of Slack's. The text names what is wrong with the form, never the content."""


def read(body: bytes, content_type: str) -> dict[str, Any]:
    """The payload of a delivery. Raises ``Unreadable``."""
    kind = content_type.partition(";")[0].strip().lower()
    if kind == "application/json":
        return _object(body)
    if kind != "application/x-www-form-urlencoded":
        raise Unreadable("neither a form nor JSON")
    try:
        if body.startswith(_PAYLOAD) and b"&" not in body:
            return _object(unquoted(body[len(_PAYLOAD) :]).decode())
        fields = dict(parse_qsl(body.decode(), keep_blank_values=True, errors="strict", max_num_fields=_MOST_FIELDS))
    except UnicodeError:
        raise Unreadable("not UTF-8") from None
    except ValueError as error:
        raise error if isinstance(error, Unreadable) else Unreadable("no form") from None
    return _object(fields["payload"]) if "payload" in fields else dict(fields)


def unquoted(field: bytes) -> bytes:
    """A form field's bytes. Escapes differ from those of quoted-printable by their sign only, and these are read at C speed.

    Each of them is two bytes shorter then; where that does not come out, some were none, and the slow way is right.
    """
    if not any(sign in field for sign in (b"=", b"\r", b"\n")):
        found = a2b_qp(field.translate(_AS_QUOTED_PRINTABLE))
        if len(field) - len(found) == 2 * field.count(b"%"):
            return found
    return unquote_to_bytes(field.replace(b"+", b" "))


def kind_of(payload: Mapping[str, Any]) -> str:
    """``command``, ``event_callback``, ``url_verification``, ``block_actions`` and the like; ``other`` for a new kind.

    Empty when it is not shaped as Slack shapes it: Bolt takes shapes for granted.
    """
    if isinstance(payload.get("command"), str) and "type" not in payload:
        return "command"
    kind = payload.get("type")
    if kind == "url_verification":
        return "url_verification"
    if kind == "event_callback" and isinstance(payload.get("event"), dict):
        return "event_callback" if _listed(payload, "authorizations") else ""
    if not isinstance(kind, str) or not _well_shaped(kind, payload):
        return ""
    return kind if kind in _KINDS else OTHER if isinstance(payload.get("user"), dict) else ""


def _well_shaped(kind: str, payload: Mapping[str, Any]) -> bool:
    if not all(payload.get(key) is None or isinstance(payload[key], dict) for key in _OBJECTS):
        return False
    if "event" in payload or not _listed(payload, "authorizations"):  # an event's, Bolt would take it for one
        return False
    if kind == "block_actions":
        pressed = payload.get("actions")
        return bool(pressed) and _listed(payload, "actions") and all("action_id" in action for action in pressed or ())
    return not kind.startswith("view_") or isinstance(payload.get("view"), dict)


def _listed(payload: Mapping[str, Any], key: str) -> bool:
    """Is it a list of objects, if it is there?"""
    given = payload.get(key)
    return given is None or (isinstance(given, list) and all(isinstance(part, dict) for part in given))


def is_ours(payload: Mapping[str, Any], home: Installation) -> bool:
    """Was it sent to this app, as installed in this workspace or organisation?

    It looks at the installation, not at the person: a stranger from Slack Connect who presses a button of ours has
    another ``user.team_id`` and is refused later, in words.
    """
    app_id = payload.get("api_app_id")
    if app_id is not None and home.app_id and app_id != home.app_id:
        return False
    if home.enterprise_id and home.enterprise_id in _enterprises(payload):
        return True
    return home.team_id in _teams(payload)


def _teams(payload: Mapping[str, Any]) -> set[object]:
    installed = _part(payload, "view").get("app_installed_team_id")
    if installed is not None:
        return {installed}
    team = payload.get("team")
    direct = team.get("id") if isinstance(team, Mapping) else team
    if direct is not None:
        return {direct} if isinstance(direct, str) else set()
    authorized = [part.get("team_id") for part in _authorizations(payload)]
    found = authorized or [payload.get("team_id")]
    return {team_id for team_id in found if isinstance(team_id, str)}


def _enterprises(payload: Mapping[str, Any]) -> set[object]:
    found = [
        _part(payload, "enterprise").get("id"),
        payload.get("enterprise_id"),
        _part(payload, "team").get("enterprise_id"),
        *(part.get("enterprise_id") for part in _authorizations(payload)),
    ]
    return {enterprise_id for enterprise_id in found if isinstance(enterprise_id, str)}


def _authorizations(payload: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    given = payload.get("authorizations")
    return [part for part in given if isinstance(part, Mapping)] if isinstance(given, list) else []


def _part(payload: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    part = payload.get(key)
    return part if isinstance(part, Mapping) else {}


def _object(text: str | bytes) -> dict[str, Any]:
    try:
        decoded = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        raise Unreadable("no JSON") from None
    if not isinstance(decoded, dict):
        raise Unreadable("JSON, but no object")
    return decoded

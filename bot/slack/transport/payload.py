"""Decode verified bytes into the payload, and say whether it is meant for this installation.

The Content-Type is not signed, so it does not decide how signed bytes are read: their first byte does, and the header
has to agree. Events come as JSON, presses in the field ``payload`` of a form, commands as a form; nothing comes in
another's way.

A click carries 10 to 50 kB in one ``payload=`` field, thousands of escapes among them: that field is cut out and
decoded directly; the standard library's loop over escapes alone would take most of the time until the ack. A command is
a form of its own, whatever words it holds ("payload" among them). Half a character (a lone surrogate, as a cut emoji
leaves it) is no reason to lose the message around it: it becomes U+FFFD.

https://docs.slack.dev/interactivity/implementing-slash-commands
https://docs.slack.dev/interactivity/handling-user-interaction
"""

import re
from binascii import a2b_qp
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import parse_qsl, unquote_to_bytes

import msgspec

from bot.slack.people.installation import Installation

_PAYLOAD: Final = b"payload="
_AS_QUOTED_PRINTABLE: Final = bytes.maketrans(b"%+", b"= ")
_BYTES: Final = "latin-1"
"""Gives each byte as a character, so that a form can be taken apart before its fields are decoded."""
_MOST_FIELDS: Final = 100
_KINDS: Final = frozenset(
    {"block_actions", "block_suggestion", "view_submission", "view_closed", "shortcut", "message_action"}
)
_IN_JSON: Final = frozenset({"event_callback", "url_verification"})
_IN_A_FORM: Final = frozenset({"command"})
_ESCAPES: Final = re.compile(
    rb"(?P<whole>\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})|(?P<half>\\u[dD][89a-fA-F][0-9a-fA-F]{2})|\\.",
    re.DOTALL,
)
"""Escapes of JSON: a pair of surrogates, one without the other, anything else."""
OTHER: Final = "other"
"""Any other kind of thing that a person did."""
_IN_A_FIELD: Final = _KINDS | {OTHER}
_OBJECTS: Final = ("user", "team", "enterprise", "channel", "container", "message", "view", "state")
"""What is an object, or null, in every interaction."""


class Unreadable(ValueError):
    """The bytes are no payload of Slack's. The text names what is wrong with the form, never the content."""


def read(body: bytes, content_type: str) -> dict[str, Any]:
    """The payload of a delivery. Raises ``Unreadable``."""
    named = content_type.partition(";")[0].strip().lower()
    if body.startswith(b"{"):
        if named != "application/json":
            raise Unreadable("JSON that is called something else")
        return _of_a_kind(decoded(body), _IN_JSON)
    if named != "application/x-www-form-urlencoded":
        raise Unreadable("neither a form nor JSON")
    if body.startswith(_PAYLOAD) and b"&" not in body:
        return _of_a_kind(decoded(unquoted(body[len(_PAYLOAD) :])), _IN_A_FIELD)
    try:
        given = parse_qsl(body.decode(_BYTES), keep_blank_values=True, encoding=_BYTES, max_num_fields=_MOST_FIELDS)
    except ValueError:
        raise Unreadable("no form") from None
    fields = {_text(name.encode(_BYTES)): value.encode(_BYTES) for name, value in given}
    if "payload" in fields:
        return _of_a_kind(decoded(fields["payload"]), _IN_A_FIELD)
    return _of_a_kind({name: _text(value) for name, value in fields.items()}, _IN_A_FORM)


def decoded(text: bytes) -> dict[str, Any]:
    """The object that is written there in JSON. Raises ``Unreadable``."""
    try:
        found = _json(text)
    except (ValueError, RecursionError):
        found = _json_mended(text)
    if not isinstance(found, dict):
        raise Unreadable("JSON, but no object")
    return found


def _of_a_kind(payload: dict[str, Any], kinds: frozenset[str]) -> dict[str, Any]:
    """An unknown kind passes: whoever takes it says so."""
    if (kind := kind_of(payload)) and kind not in kinds:
        raise Unreadable(f"{kind}, which does not come in this way")
    return payload


def unquoted(field: bytes) -> bytes:
    """A form field's bytes. Escapes differ from those of quoted-printable by their sign only, and these are read at C
    speed.

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
        return {installed} if isinstance(installed, str) else set()
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


def _json(text: bytes) -> object:
    return msgspec.json.decode(text)


def _json_mended(text: bytes) -> object:
    """Once more, without halves of characters."""
    try:
        whole = _text(text).encode()
        return _json(_ESCAPES.sub(lambda found: rb"\ufffd" if found["half"] else found[0], whole))
    except Unreadable:
        raise
    except (ValueError, RecursionError):
        raise Unreadable("no JSON") from None


def _text(given: bytes) -> str:
    """UTF-8, in which surrogates may stand: pairs are joined, halves become U+FFFD. Raises ``Unreadable``."""
    try:
        return given.decode()
    except UnicodeDecodeError:
        pass
    try:
        return (
            given.decode("utf-8", "surrogatepass").encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
        )
    except UnicodeDecodeError:
        raise Unreadable("not UTF-8") from None

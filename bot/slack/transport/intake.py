"""Take deliveries in, one way for both transports: verified, readable, ours, then a listener.

What listens is given the decoded payload and nothing else: no header that Slack did not sign reaches it
(``X-Slack-Bolt-Lazy-*`` would), nothing is parsed twice, and its own form parser, which stumbles over the word
"payload", is never used.

Decisions: unsigned, stale or foreign deliveries are answered 401 (somebody using the command in a foreign workspace
sees Slack's own error, and the log says why), unreadable ones 400, what has not Slack's shape 404. What was taken once
is acked as it was then, and not taken again, when it is delivered again: an event by its id, everything else by its
trigger. That is courtesy to the channel, and forgotten at a restart: what may happen only once (a stop) claims that
itself. The same bytes may come twice within the five minutes in which their signature is good: from somebody who kept
them, from a proxy that tries again, or as Slack's own retry of an event
(https://docs.slack.dev/apis/events-api#retries).
"""

import asyncio
import hmac
import json
import re
import time
from binascii import a2b_qp
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, TypeAlias
from urllib.parse import unquote_to_bytes

import msgspec
import structlog
from prometheus_client import CollectorRegistry, Counter, Histogram
from slack_bolt.async_app import AsyncApp
from slack_bolt.context.ack.async_ack import AsyncAck
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse

from bot.slack.people.installation import Installation

# ---------------------------------------------------------------- payload
# Decode verified bytes into the payload, and say whether it is meant for this installation.
#
# The Content-Type is not signed, so it does not decide how signed bytes are read: their first byte does, and the header
# has to agree. Events come as JSON, presses in the field ``payload`` of a form, commands as a form; nothing comes in
# another's way.
#
# A click carries 10 to 50 kB in one ``payload=`` field, thousands of escapes among them: that field is cut out and
# decoded directly; the standard library's loop over escapes alone would take most of the time until the ack. A command
# is a form of its own, whatever words it holds ("payload" among them). Half a character (a lone surrogate, as a cut
# emoji leaves it) is no reason to lose the message around it: it becomes U+FFFD.
#
# https://docs.slack.dev/interactivity/implementing-slash-commands
# https://docs.slack.dev/interactivity/handling-user-interaction

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
    """Return the payload of a delivery. Raises ``Unreadable``."""
    named = content_type.partition(";")[0].strip().lower()
    if body.startswith(b"{"):
        if named != "application/json":
            raise Unreadable("JSON that is called something else")
        return _of_a_kind(decoded(body), _IN_JSON)
    if named != "application/x-www-form-urlencoded":
        raise Unreadable("neither a form nor JSON")
    if body.startswith(_PAYLOAD) and b"&" not in body:
        return _of_a_kind(decoded(unquoted(body[len(_PAYLOAD) :])), _IN_A_FIELD)
    given = body.decode(_BYTES).split("&")
    if len(given) > _MOST_FIELDS:
        raise Unreadable("no form")
    fields: dict[str, Any] = {}
    ascii_only = body.isascii()
    for pair in given:
        name, _, value = pair.partition("=")
        if not ascii_only or "%" in pair or "+" in pair:  # most of a command's are as they are
            name, value = _field(name), _field(value)
        if pair:
            fields[name] = value
    if "payload" in fields:
        return _of_a_kind(decoded(fields["payload"].encode()), _IN_A_FIELD)
    return _of_a_kind(fields, _IN_A_FORM)


def decoded(text: bytes) -> dict[str, Any]:
    """Return the object that is written there in JSON. Raises ``Unreadable``."""
    try:
        found = _json(text)
    except (ValueError, RecursionError):
        found = _json_mended(text)
    if not isinstance(found, dict):
        raise Unreadable("JSON, but no object")
    return found


def _of_a_kind(payload: dict[str, Any], kinds: frozenset[str]) -> dict[str, Any]:
    """Let an unknown kind pass: whoever takes it says so."""
    if (kind := kind_of(payload)) and kind not in kinds:
        raise Unreadable(f"{kind}, which does not come in this way")
    return payload


def _field(given: str) -> str:
    """Decode a form's name or value."""
    if given.isascii() and "%" not in given and "+" not in given:
        return given
    return _text(unquoted(given.encode(_BYTES)))


def unquoted(field: bytes) -> bytes:
    """Return a form field's bytes. Escapes differ from those of quoted-printable by their sign only, and these are
    read at C speed.

    Each of them is two bytes shorter then; where that does not come out, some were none, and the slow way is right.
    """
    if not (b"=" in field or b"\r" in field or b"\n" in field):
        found = a2b_qp(field.translate(_AS_QUOTED_PRINTABLE))
        if len(field) - len(found) == 2 * field.count(b"%"):
            return found
    return unquote_to_bytes(field.replace(b"+", b" "))


def kind_of(payload: Mapping[str, Any]) -> str:
    """Return the kind: ``command``, ``event_callback``, ``url_verification``, ``block_actions`` and the like; ``other``
    for a new kind.

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
    """Tell whether it is a list of objects, if it is there."""
    given = payload.get(key)
    return given is None or (isinstance(given, list) and all(isinstance(part, dict) for part in given))


def is_ours(payload: Mapping[str, Any], home: Installation) -> bool:
    """Tell whether it was sent to this app, as installed in this workspace or organisation.

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
    """Read the JSON once more, without halves of characters."""
    try:
        whole = _text(text).encode()
        return _json(_ESCAPES.sub(lambda found: rb"\ufffd" if found["half"] else found[0], whole))
    except Unreadable:
        raise
    except (ValueError, RecursionError):
        raise Unreadable("no JSON") from None


def _text(given: bytes) -> str:
    """Decode UTF-8, in which surrogates may stand: pairs are joined, halves become U+FFFD. Raises ``Unreadable``."""
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


# ---------------------------------------------------------------- signature
# Verify that a delivery is Slack's: on the headers before the body is read, and on the raw bytes before they are
# parsed.
#
# The signature covers the timestamp and the body, nothing else: not the path, not the other headers. So nothing that
# comes from those is ever passed on. https://docs.slack.dev/authentication/verifying-requests-from-slack

WINDOW: Final = 300
"""Seconds a timestamp may be old, or ahead of our clock."""
UNSIGNED: Final = "unsigned"
BAD_SIGNATURE: Final = "bad signature"
STALE: Final = "stale"
_LONGEST_TIMESTAMP: Final = 12
_SIGNATURE_LENGTH: Final = 67


class NotSigned(Exception):
    """The delivery is not believed. The text says why ("stale by 360 s"); ``kind`` is the same without figures."""

    def __init__(self, kind: str, what: str = "") -> None:
        super().__init__(what or kind)
        self.kind = kind


@dataclass(frozen=True, slots=True)
class Signature:
    """What the headers claim: the body was signed so, just now."""

    timestamp: bytes
    signature: bytes

    def verify(self, secret: bytes, body: bytes) -> None:
        """Compare with what the secret makes of the body. Raises ``NotSigned``."""
        digest = hmac.digest(secret, b"v0:" + self.timestamp + b":" + body, "sha256").hex()
        if not hmac.compare_digest(b"v0=" + digest.encode(), self.signature):
            raise NotSigned(BAD_SIGNATURE)


def signature_of(headers: Sequence[tuple[bytes, bytes]], *, now: float) -> Signature:
    """Return what the headers claim. Raises ``NotSigned`` where no body could make it true; odd headers are never an
    error.

    ``headers`` as ASGI gives them, names in lower case. A header given twice proves nothing.
    """
    stamp, signature, given = b"", b"", 0
    for name, value in headers:
        if name == b"x-slack-signature":
            signature, given = value, given + 1
        elif name == b"x-slack-request-timestamp":
            stamp, given = value, given + 1
    if given != 2 or not stamp or not signature:
        raise NotSigned(UNSIGNED)
    if not (stamp.isdigit() and len(stamp) <= _LONGEST_TIMESTAMP):
        raise NotSigned(UNSIGNED)
    age = round(now - int(stamp))
    if abs(now - int(stamp)) > WINDOW:
        raise NotSigned(STALE, f"stale by {age} s" if age > 0 else f"ahead of this machine's clock by {-age} s")
    if len(signature) != _SIGNATURE_LENGTH or not signature.startswith(b"v0="):
        raise NotSigned(BAD_SIGNATURE)
    return Signature(stamp, signature)


# ---------------------------------------------------------------- bolt app
# Find the listeners of commands, buttons, menus and global shortcuts by name, and leave the rest to Bolt.
#
# Bolt tries one listener after the other, and makes a client for each request: half of an ack. What is known by its
# name is called from a table instead, and without a task where it has only to begin what the ack does not wait for.
# Events, modals, message shortcuts and whatever is not known are Bolt's.

AtOnce: TypeAlias = Callable[[dict[str, Any]], None]
"""Begins what the payload leads to; the ack goes out then."""
Acking: TypeAlias = Callable[[AsyncAck, dict[str, Any]], Awaitable[object]]
"""Acks by itself, after what it waits for. A menu's options are its ack."""
_NAMES: Final = {"command": "command", "block_suggestion": "action_id", "shortcut": "callback_id"}
"""In which field of the payload the name stands."""
Bug: TypeAlias = Callable[[Exception, Mapping[str, Any]], BoltResponse]


class App(AsyncApp):
    """Bolt's app, with a table of what it is not asked for."""

    def __init__(self, **more: Any) -> None:
        super().__init__(**more)
        self._at_once: dict[tuple[str, str], AtOnce] = {}
        self._acking: dict[tuple[str, str], Acking] = {}
        self._bug: Bug | None = None

    def on_bug(self, answer: Bug) -> None:
        """Let this answer when a listener fails, and when there is none."""
        self._bug = answer

        async def told(error: Exception, body: Mapping[str, Any]) -> BoltResponse:
            return answer(error, body)

        self.error(told)

    def hears(self, kind: str, name: str, listener: AtOnce) -> None:
        """Ack a ``command``, a button (``block_actions``) or a global ``shortcut`` when this has returned."""
        self._at_once.setdefault((kind, name), listener)  # the first is meant, as with Bolt

    def waits_for(self, kind: str, name: str, listener: Acking) -> None:
        """Let this ack a button, or a menu that asks for its options (``block_suggestion``)."""
        self._acking.setdefault((kind, name), listener)

    def at_once(self, kind: str, body: Mapping[str, Any]) -> AtOnce | None:
        """Find the listener to a payload that is shaped as Slack shapes it; ``None`` when its ack is waited for."""
        return self._at_once.get((kind, _name(kind, body)))

    async def heard(self, kind: str, body: dict[str, Any]) -> BoltResponse | None:
        """Wait for the answer; ``None`` when it is Bolt's to give. Raises whatever the listener does."""
        listener = self._acking.get((kind, _name(kind, body)))
        if listener is None:
            return None
        ack = AsyncAck()  # type: ignore[no-untyped-call]
        await listener(ack, body)
        if ack.response is None:
            raise RuntimeError("a listener that does not ack")
        return ack.response

    def failed(self, error: Exception, body: Mapping[str, Any]) -> BoltResponse:
        """Answer when a listener raised this. Raises it when nobody answers."""
        if self._bug is None:
            raise error
        return self._bug(error, body)


def _name(kind: str, body: Mapping[str, Any]) -> str:
    """Read what a listener of this kind is known by; empty where it is none."""
    name = body["actions"][0]["action_id"] if kind == "block_actions" else body.get(_NAMES.get(kind, ""))
    return name if isinstance(name, str) else ""


# ---------------------------------------------------------------- intake

log = structlog.get_logger(__name__)

_CERTIFICATE_LOOK: Final = 300
"""Bytes of the only body that comes unsigned."""
LARGEST: Final = 2 * 2**20
"""Bytes of a body."""
_ACK_BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 1.0, 3.0)
TEXT: Final = "text/plain; charset=utf-8"
JSON: Final = "application/json"
NO_ROOM: Final = 503
"""Status of what there is too much to do for: Slack warns whoever pressed, and brings an event again."""
_REMEMBERED: Final = 4096


@dataclass(frozen=True, slots=True)
class DeliveryAnswer:
    """What Slack is told: the ack, or why not."""

    status: int
    body: str = ""
    content_type: str = TEXT

    @property
    def taken(self) -> bool:
        return self.status == 200

    def response_payload(self) -> dict[str, Any] | None:
        """Return the body as a Socket Mode response carries it."""
        if not self.body:
            return None
        if not self.content_type.startswith(JSON):
            return {"text": self.body}
        decoded = json.loads(self.body)
        return decoded if isinstance(decoded, dict) else None


ACKED: Final = DeliveryAnswer(200)


class Answers(OrderedDict[str, "DeliveryAnswer | asyncio.Future[DeliveryAnswer]"]):
    """What was answered to the last deliveries, or will be, so that one that comes again does nothing."""

    def keep(self, delivery: str, answer: "DeliveryAnswer | asyncio.Future[DeliveryAnswer]") -> None:
        """Remember it. ``""``: the delivery has no id."""
        if delivery:
            self[delivery] = answer
            if len(self) > _REMEMBERED:
                self.popitem(last=False)

    async def once(self, delivery: str, take: Callable[[], Awaitable[DeliveryAnswer]]) -> DeliveryAnswer:
        """Give what ``take`` answers, to whoever asks meanwhile, too. What was not taken may be delivered again."""
        given = asyncio.get_running_loop().create_future()
        self.keep(delivery, given)
        answer = DeliveryAnswer(500)
        try:
            answer = await take()
        finally:
            given.set_result(answer)
            if not answer.taken:
                self.pop(delivery, None)
        return answer


def delivery_id(payload: Mapping[str, Any]) -> str:
    """Return an event's id, anything else's trigger: each is given once. ``""``: a look-up of options has none.

    https://docs.slack.dev/interactivity/handling-user-interaction#triggers
    """
    key = "event_id" if payload.get("type") == "event_callback" else "trigger_id"
    given = payload.get(key)
    return f"{key}:{given}" if isinstance(given, str) and given else ""


class Intake:
    """Takes deliveries. Without a ``signing_secret`` nothing that comes by HTTP is believed."""

    def __init__(
        self,
        app: App,
        home: Installation,
        *,
        signing_secret: str = "",
        clock: Callable[[], float] = time.time,
        registry: CollectorRegistry | None = None,
    ) -> None:
        self._app, self._home, self._secret, self._clock = app, home, signing_secret.encode(), clock
        self._answers = Answers()
        count = Counter("flows_bot_deliveries", "Deliveries from Slack", ["kind", "status"], registry=registry)
        self._counts = cache(lambda kind, status: count.labels(kind, str(status)))
        self._refusals = Counter(
            "flows_bot_deliveries_refused", "Deliveries that were not taken", ["reason"], registry=registry
        )
        self._seconds = Histogram(
            "flows_bot_ack_seconds", "From delivery to ack", buckets=_ACK_BUCKETS, registry=registry
        )

    def worth_reading(self, headers: Sequence[tuple[bytes, bytes]]) -> int:
        """Return how many bytes a body with these headers may have: few when none could make their signature true."""
        try:
            signature_of(headers, now=self._clock())
        except NotSigned:
            return _CERTIFICATE_LOOK
        return LARGEST if self._secret else _CERTIFICATE_LOOK

    async def request(self, headers: Sequence[tuple[bytes, bytes]], body: bytes) -> DeliveryAnswer:
        """Answer an HTTP delivery: raw headers (names in lower case), and the body as far as it was worth reading."""
        believed = self.believed(headers, body)
        return believed if isinstance(believed, DeliveryAnswer) else await self.take(believed)

    def believed(self, headers: Sequence[tuple[bytes, bytes]], body: bytes) -> DeliveryAnswer | dict[str, Any]:
        """Verify and read an HTTP delivery: its payload, or the answer where there is nothing to be taken."""
        if is_ssl_check(body):
            return DeliveryAnswer(200)
        if not self._secret:
            return self.refused("no signing secret", 401)
        try:
            signature_of(headers, now=self._clock()).verify(self._secret, body)
        except NotSigned as why:
            return self.refused(why.kind, 401, said=str(why))
        named = [value for name, value in headers if name == b"content-type"] or [b""]
        try:
            payload = read(body, named[0].decode("latin-1"))
        except Unreadable as reason:
            return self.refused("unreadable", 400, said=f"unreadable: {reason}")
        if kind_of(payload) == "url_verification":
            return DeliveryAnswer(200, str(payload.get("challenge", "")))
        return payload

    async def take(self, payload: dict[str, Any]) -> DeliveryAnswer:
        """Take a payload whose origin is certain: a verified request's, or a Socket Mode envelope's."""
        return self.take_at_once(payload) or await self.wait_for(payload)

    def take_at_once(self, payload: dict[str, Any]) -> DeliveryAnswer | None:
        """Take it; ``None`` when the answer is to be waited for, and then nothing was done yet."""
        began = time.perf_counter()
        if not (kind := kind_of(payload)):
            return self.refused("odd shape", 404)
        if not is_ours(payload, self._home):
            return self.refused("another app or workspace", 401, kind=kind)
        delivery = delivery_id(payload)
        if (given := self._answers.get(delivery)) is not None:
            log.info("delivered_again", kind=kind)
            return given if isinstance(given, DeliveryAnswer) else None
        if (begin := self._app.at_once(kind, payload)) is None:
            return None
        answer = ACKED
        try:
            begin(payload)
        except Exception as error:  # noqa: BLE001 - told in words
            answer = self._failed(error, kind, payload)
        if answer.taken:
            self._answers.keep(delivery, answer)
        self._counted(kind, answer, began)
        return answer

    async def wait_for(self, payload: dict[str, Any]) -> DeliveryAnswer:
        """Take what ``take_at_once`` did not, and wait for its answer."""
        began, kind, delivery = time.perf_counter(), kind_of(payload), delivery_id(payload)
        if (given := self._answers.get(delivery)) is not None:
            return given if isinstance(given, DeliveryAnswer) else await asyncio.shield(given)
        answer = await self._answers.once(delivery, lambda: self._dispatched(kind, payload))
        self._counted(kind, answer, began)
        return answer

    def _counted(self, kind: str, answer: DeliveryAnswer, began: float) -> None:
        self._counts(kind, answer.status).inc()
        self._seconds.observe(time.perf_counter() - began)

    def refused(self, reason: str, status: int, *, kind: str = "unknown", said: str = "") -> DeliveryAnswer:
        """Count and log what is not taken; ``said`` is the reason with its figures, and never holds the content."""
        log.warning("delivery_refused", reason=said or reason, status=status, kind=kind)
        self._counts(kind, status).inc()
        self._refusals.labels(reason).inc()
        return DeliveryAnswer(status)

    async def _dispatched(self, kind: str, payload: dict[str, Any]) -> DeliveryAnswer:
        if kind == OTHER:  # Bolt takes the shapes of kinds for granted that this bot has no listener for
            payload = {**payload, "type": f"{OTHER}: {payload['type']}"}
        try:
            response = await self._app.heard(kind, payload)
            if response is None:
                try:
                    request = AsyncBoltRequest(body=payload, mode="socket_mode", headers={})
                except (AttributeError, KeyError, IndexError, TypeError, ValueError) as error:
                    return self.refused("odd shape", 400, kind=kind, said=f"odd shape: {type(error).__name__}")
                response = await self._app.async_dispatch(request)
        except Exception as error:  # noqa: BLE001 - told in words
            return self._failed(error, kind, payload)
        return _answer(response, kind)

    def _failed(self, error: Exception, kind: str, payload: dict[str, Any]) -> DeliveryAnswer:
        try:
            return _answer(self._app.failed(error, payload), kind)
        except Exception as broken:  # noqa: BLE001 - its text may hold the content, and Slack is to be answered
            return self.refused("broken", 500, kind=kind, said=f"broken: {type(broken).__name__}")


def _answer(response: BoltResponse, kind: str) -> DeliveryAnswer:
    if response.status != 200:
        log.warning("delivery_not_taken", kind=kind, status=response.status)
    content_type = response.headers.get("content-type", [TEXT])
    return DeliveryAnswer(response.status, response.body or "", content_type[0])


def is_ssl_check(body: bytes) -> bool:
    """Tell whether Slack looks at a certificate: ``ssl_check=1&token=…``, not signed, harmless to answer.

    https://docs.slack.dev/interactivity/implementing-slash-commands
    """
    looks_so = len(body) < 300 and b"ssl_check=1" in body
    return looks_so and b"ssl_check=1" in body.split(b"&")[:3] and b"command=" not in body

"""Send messages to Slack: never silent, never the wrong message replaced, never twice on a doubt.

Private words go by the gesture's ``response_url`` (works everywhere, five times in 30 minutes), else as an ephemeral
message, else as a direct message; in a direct message, where all is private, as one. Public words are the bot's own
messages, so that they can be edited later; where the bot may not post (it is no member), they go by the
``response_url``. Whatever Slack answers, nothing is raised but ``Unsendable``: callers are told whether somebody could
see it. A public post whose answer was lost is not sent again: it may be there.

https://docs.slack.dev/interactivity/handling-user-interaction#message_responses
"""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from contextvars import ContextVar
from copy import copy
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final

import aiohttp
import structlog
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

from bot.activeflows.stopping.ports import Guard
from bot.slack import kit
from bot.slack.interaction import Interaction
from bot.slack.messaging.web_client import Route, called, error_word, is_below, retry_after

# ---------------------------------------------------------------- delivery advice
# Say why Slack did not show a message, and what helps: by Slack's own word for it, or without a cause.
#
# The one place that turns a word of Slack's into advice. A word that is not in the table names no cause: inviting the
# bot helps against ``not_in_channel`` and against nothing else.
#
# https://docs.slack.dev/reference/methods/chat.postMessage#errors,
# https://docs.slack.dev/reference/methods/chat.update#errors

DOUBTFUL: Final = frozenset({"lost", "unreadable", "internal_error", "fatal_error", "service_unavailable"})
"""After these a message may be there or not; any other word of Slack's means that it certainly is not."""
BAD_BLOCKS: Final = frozenset({"invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long"})
_TELL: Final = "tell whoever looks after this bot"
_INVITE: Final = "invite the bot to the channel"
_DONE: Final = {"posted": "be there", "changed": "say so already"}
_WORD: Final = re.compile(r"[a-z_]{1,60}")


@dataclass(frozen=True, slots=True)
class _Advice:
    cause: str
    helps: str = ""


_FORM: Final = _Advice("Slack did not accept its form, which is a bug of this bot", _TELL)
_TOKEN: Final = _Advice("Slack does not accept the bot's token any more", _TELL)
_SCOPE: Final = _Advice("the app is not allowed to do that in this workspace", _TELL)
_NO_MEMBER: Final = _Advice("the bot is not a member of the channel", _INVITE)
_RUN_OUT: Final = _Advice("without being a member, the bot can answer only five times within half an hour", _INVITE)
ADVISED: Final = {
    "not_in_channel": _NO_MEMBER,
    "channel_not_found": _Advice(
        "Slack shows the bot no such channel: it no longer exists, or it is private and the bot is not a member",
        "if it is still there, " + _INVITE,
    ),
    "is_archived": _Advice("the channel is archived", "use another channel"),
    "message_not_found": _Advice("the message no longer exists"),
    "thread_not_found": _Advice("the thread no longer exists"),
    "cant_update_message": _Advice("Slack does not let the bot change that message"),
    "edit_window_closed": _Advice("Slack does not let that message be changed any more"),
    "restricted_action": _Advice("posting in this channel is restricted", "use another channel"),
    "ratelimited": _Advice("Slack asked the bot to slow down", "try again in a minute"),
    "msg_too_long": _FORM,
    "no_text": _FORM,
    "invalid_arguments": _FORM,
    "missing_scope": _SCOPE,
    "not_allowed_token_type": _SCOPE,
    "used_url": _RUN_OUT,
    "expired_url": _RUN_OUT,
    **dict.fromkeys(BAD_BLOCKS, _FORM),
    **dict.fromkeys(("token_revoked", "token_expired", "account_inactive", "invalid_auth", "not_authed"), _TOKEN),
}


def not_shown(what: str, error: str, *, did: str = "posted", again: str = "") -> str:
    """Say what ("The stop card") could not be ``did`` (posted, changed), why, and what helps, in a sentence or two.

    ``error``: Slack's word, or ``lost`` when there was no answer. ``again``: what to do when that is done, such as
    "ask again". No more is said than that word says.
    """
    if error in DOUBTFUL:
        return f"Slack did not say whether {_lower(what)} was {did}. It could {_DONE[did]}."
    known = ADVISED.get(error)
    if known is None:
        word = f" ({error})" if _WORD.fullmatch(error) else ""
        return f"{what} could not be {did}: Slack did not take it{word}." + (f" {_upper(again)}." if again else "")
    then = ", then ".join(part for part in (known.helps, again) if part)
    return f"{what} could not be {did}: {known.cause}." + (f" {_upper(then)}." if then else "")


def _upper(words: str) -> str:
    return words[:1].upper() + words[1:]


def _lower(words: str) -> str:
    return words[:1].lower() + words[1:]


# ---------------------------------------------------------------- check
# Check a whole message or view before it leaves; each of its blocks was bounded where it was built (``bot.slack.kit``).
#
# What is left to be looked at is what no block knows of itself: how many there are, and whether two have the same id.

TEXT_LIMIT: Final = 3400
"""For the top-level text: Slack advises 4,000 and splits what is longer; ``chat.update`` is stricter.

https://docs.slack.dev/reference/methods/chat.postMessage#truncating
"""
_MAX_BLOCKS: Final[Mapping[str, int]] = {"message": 50, "modal": 100, "home": 100}
"""https://docs.slack.dev/reference/block-kit/blocks"""


def checked(text: str, blocks: Sequence[kit.Block]) -> tuple[str, list[kit.Block]]:
    """Return the text and the blocks of a message as they may be sent. Raises ``Unsendable``."""
    if not text.strip():
        raise kit.Unsendable("a message needs a text: it is what notifications and screen readers say")
    _check(blocks, "message")
    return kit.shortened(text, TEXT_LIMIT), list(blocks)


def checked_view(view: kit.View) -> kit.View:
    """Return a modal or a Home as it may be sent. Raises ``Unsendable``."""
    _check(view["blocks"], view["type"])
    return view


def _check(blocks: Sequence[kit.Block], surface: str) -> None:
    if len(blocks) > _MAX_BLOCKS[surface]:
        raise kit.Unsendable(f"{len(blocks)} blocks in one {surface}, {_MAX_BLOCKS[surface]} are allowed")
    ids = [block["block_id"] for block in blocks if "block_id" in block]
    if len(set(ids)) < len(ids):
        raise kit.Unsendable("two blocks share a block_id")


# ---------------------------------------------------------------- account mark
# Say on everything that leaves which VoIPBIN account it is about, where there are several.
#
# What an account says begins with its name, and each button and form in it carries the name behind its id: a press
# leads back to the parts of that account, whoever drew the button and whatever the channel's account is by then.
# Decision: here, at the way out, so that no screen can forget it. Where there is one account, nothing is added.

_AT: Final = "@"


def marked_id(id_: str, account: str) -> str:
    """Return the id of a button or form, of this account."""
    return f"{id_}{_AT}{account}" if account and _AT not in id_ else id_


def account_of(id_: str) -> str:
    """Read the account of a marked id; empty where none is said."""
    return id_.partition(_AT)[2]


def marked(account: str, text: str, blocks: Sequence[kit.Block]) -> tuple[str, tuple[kit.Block, ...]]:
    """Return a message with its account."""
    if not account:
        return text, tuple(blocks)
    return f"{account} · {text}", _marked_blocks(account, blocks)


def marked_view(account: str, view: kit.View) -> kit.View:
    """Return a modal or a Home with its account."""
    if not account:
        return view
    there = {**view, "blocks": list(_marked_blocks(account, view["blocks"]))}
    if view.get("callback_id"):
        there["callback_id"] = marked_id(view["callback_id"], account)
    return there


def _marked_blocks(account: str, blocks: Sequence[kit.Block]) -> tuple[kit.Block, ...]:
    drawn = [kit.with_action_ids(block, lambda id_: marked_id(id_, account), account) for block in blocks]
    for place, block in enumerate(drawn):
        labelled = kit.labelled(block, account)
        if labelled is not None:
            drawn[place] = labelled
            return tuple(drawn)
    return (kit.context(f"*{account}*"), *drawn) if drawn else ()


# ---------------------------------------------------------------- messenger

log = structlog.get_logger(__name__)

_RESPONSE_TIME: Final = aiohttp.ClientTimeout(total=10)
_SOON: Final = 60.0
"""Seconds that Slack may want to be left alone, for something that somebody waits for."""
_LITERAL: Final = {"link_names": False, "parse": "none"}
"""No links and mentions that nobody wrote."""
_QUIET: Final = {"unfurl_links": False, "unfurl_media": False, **_LITERAL}
"""And no previews that leak."""


@dataclass(slots=True)
class VisibleReply:
    """Whether anything visible was said since it began."""

    spoken: bool = False


_hearing: ContextVar[VisibleReply | None] = ContextVar("hearing", default=None)


@contextmanager
def hearing() -> Iterator[VisibleReply]:
    """Notice whether the work inside, and the tasks it starts, said anything that somebody could see."""
    ear = VisibleReply()
    token = _hearing.set(ear)
    try:
        yield ear
    finally:
        _hearing.reset(token)


def heard() -> bool:
    """Note that something was said that somebody can see."""
    ear = _hearing.get()
    if ear is not None:
        ear.spoken = True
    return True


@dataclass(frozen=True, slots=True)
class Message:
    """What is to be said: always with text that reads well aloud."""

    text: str
    blocks: tuple[kit.Block, ...] = ()


@dataclass(frozen=True, slots=True)
class SentMessage:
    """A message of the bot's own. ``ts`` is empty when only a response_url reaches it."""

    channel_id: str
    ts: str


@dataclass(frozen=True, slots=True)
class EditResult:
    """What Slack said to a message: its error word, empty when it was taken, and seconds to be left alone.

    True when it was taken.
    """

    error: str
    retry_after: float = 0.0

    def __bool__(self) -> bool:
        return not self.error

    @property
    def doubtful(self) -> bool:
        """It may have been taken all the same."""
        return self.error in DOUBTFUL

    @property
    def passing(self) -> bool:
        """It may be taken when it is tried again soon."""
        return self.doubtful or (self.error == "ratelimited" and self.retry_after <= _SOON)


class Messenger:
    """Speaks for the bot. ``session`` is the one HTTP session, kept open by whoever built it."""

    def __init__(self, client: AsyncWebClient, session: aiohttp.ClientSession, route: Route | None = None) -> None:
        self._client, self._session, self._route = client, session, route or Route()
        self._account = ""

    def of(self, account: str) -> "Messenger":
        """Return the same, that speaks of this VoIPBIN account; empty: of the only one, or of none in particular."""
        other = copy(self)
        other._account = account  # noqa: SLF001 — of one's own kind
        return other

    async def privately(
        self, interaction: Interaction, message: Message, *, replace: bool = False, fleeting: bool = False
    ) -> bool:
        """Post to the person of the interaction alone; whether they could see it.

        ``replace=True`` replaces the message the button stood in, if that was an ephemeral one: a public message is
        never replaced by private words. ``fleeting=True`` tells it in no message that Slack keeps, so not as a direct
        one.
        """
        in_place = replace and interaction.ephemeral
        body = self._body(message, in_place=in_place)
        how = {"response_type": "ephemeral", "replace_original": in_place, **({} if in_place else _thread(interaction))}
        answer = await self._respond(interaction, {**how, **body})
        if answer in BAD_BLOCKS:
            log.error("blocks_refused", by="response_url", error=answer)
            body = self._body(Message(message.text), in_place=in_place)
            answer = await self._respond(interaction, {**how, **body})
        if answer == "" or (not _is_direct(interaction) and await self._ephemerally(interaction, body)):
            return heard()
        if not fleeting and await self._directly(interaction, body):
            return heard()
        log.error("nobody_could_see_it", user=interaction.user_id, channel=interaction.channel_id)
        return False

    async def publicly(self, interaction: Interaction, message: Message) -> SentMessage | EditResult:
        """Post to everybody in the channel of the interaction; what Slack said when it did not say that it took it."""
        body, refused = self._body(message), ""
        if interaction.channel_id:
            where = {"channel": interaction.channel_id, **_thread(interaction)}
            refused, ts = await self._call("chat.postMessage", {**where, **body, **_QUIET})
            if refused == "":
                heard()
                return SentMessage(interaction.channel_id, ts)
            if refused in DOUBTFUL:
                return EditResult(refused)
        responded = {**body, "response_type": "in_channel", "replace_original": False, **_thread(interaction)}
        error = await self._respond(interaction, responded)
        if error != "":
            return EditResult(error if error in DOUBTFUL else refused or error)
        heard()
        return SentMessage(interaction.channel_id, "")

    async def edit(self, where: SentMessage, message: Message, *, interaction: Interaction | None = None) -> EditResult:
        """Replace a message of the bot's own, for everybody; what Slack said when no way there worked.

        A press reaches the message it was made on by its own channel and its ``response_url``, too: a channel's id can
        change while a message stands in it, and the message's ``ts`` does not.
        https://github.com/Netflix/dispatch/pull/560
        """
        pressed = interaction if interaction is not None and _made_on(interaction, where) else None
        channels = [where.channel_id, *([pressed.channel_id] if pressed is not None else [])] if where.ts else []
        refused = EditResult("no_response_url")
        for channel_id in dict.fromkeys(channels):
            refused = await self.redraw(SentMessage(channel_id, where.ts), message)
            if refused:
                heard()
                return refused
        if pressed is not None:
            replaced = {**self._body(message, in_place=True), "response_type": "in_channel", "replace_original": True}
            error = await self._respond(pressed, replaced)
            if error == "":
                heard()
                return EditResult("")
            refused = EditResult(error) if error in DOUBTFUL or not channels else refused
        return refused

    async def redraw(self, where: SentMessage, message: Message) -> EditResult:
        """Replace a message of the bot's own for which nobody waits: as ``edit``, and it says what Slack answered."""
        there = {"channel": where.channel_id, "ts": where.ts, **_LITERAL}
        return await self._unhurried("chat.update", there, message, in_place=True)

    async def announce(self, channel_id: str, message: Message) -> EditResult:
        """Post to everybody in a channel, although nobody asked there just now; says what Slack answered."""
        return await self._unhurried("chat.postMessage", {"channel": channel_id, **_QUIET}, message)

    async def permalink(self, channel_id: str, ts: str) -> str:
        """Return a message's address, if any. https://docs.slack.dev/reference/methods/chat.getPermalink"""
        with suppress(SlackClientError, aiohttp.ClientError, OSError, ValueError):
            answer = await self._client.chat_getPermalink(channel=channel_id, message_ts=ts)
            return str(answer.get("permalink") or "")
        return ""

    async def _unhurried(
        self, method: str, where: dict[str, Any], message: Message, *, in_place: bool = False
    ) -> EditResult:
        answer = await self._ask(method, {**where, **self._body(message, in_place=in_place)})
        if answer.error in BAD_BLOCKS:
            log.error("blocks_refused", by=method, error=answer.error)
            answer = await self._ask(method, {**where, **self._body(Message(message.text), in_place=in_place)})
        return EditResult(answer.error, answer.retry_after)

    async def _ephemerally(self, interaction: Interaction, body: dict[str, Any]) -> bool:
        if not (interaction.channel_id and interaction.user_id):
            return False
        where = {"channel": interaction.channel_id, "user": interaction.user_id, **_thread(interaction)}
        error, _ = await self._call("chat.postEphemeral", {**where, **body, **_LITERAL})
        return error == ""

    async def _directly(self, interaction: Interaction, body: dict[str, Any]) -> bool:
        if not interaction.user_id:
            return False
        thread = _thread(interaction) if _is_direct(interaction) else {}
        error, _ = await self._call("chat.postMessage", {"channel": interaction.user_id, **thread, **body, **_QUIET})
        return error == ""

    def _body(self, message: Message, *, in_place: bool = False) -> dict[str, Any]:
        """Build the body. ``in_place``: of another message, whose blocks would stay on the screen if none were sent.

        https://github.com/slackapi/python-slack-sdk/issues/523
        """
        text, blocks = checked(*marked(self._account, message.text, message.blocks))
        return {"text": text, "blocks": blocks} if blocks or in_place else {"text": text}

    async def _call(self, method: str, arguments: dict[str, Any]) -> tuple[str, str]:
        """Call Slack; returns its error word (empty: taken, ``lost``: no answer) and the message's ts."""
        answer = await self._ask(method, arguments)
        return answer.error, answer.ts

    async def _ask(self, method: str, arguments: dict[str, Any]) -> "_Answer":
        try:
            answer = await self._client.api_call(method, json=arguments)
        except SlackApiError as refused:
            error, wait = error_word(refused), retry_after(refused)
        except (SlackClientError, aiohttp.ClientError, OSError, ValueError) as lost:
            log.warning("slack_did_not_answer", method=method, error=type(lost).__name__)
            return _Answer("lost")
        else:
            return _Answer("", str(answer.get("ts") or ""))
        log.warning("slack_refused", method=method, error=error)
        return _Answer(error, retry_after=wait)

    async def _respond(self, interaction: Interaction, body: dict[str, Any]) -> str:
        """Post to the response_url: empty when taken, else an error word. The URL is a secret and is never logged."""
        if not interaction.response_url:
            return "no_response_url"
        if not is_below(interaction.response_url, self._client.base_url):
            log.error("response_url_not_slack_s", user=interaction.user_id)
            return "not_slack_s"
        try:
            async with self._session.post(
                interaction.response_url,
                json=body,
                timeout=_RESPONSE_TIME,
                allow_redirects=False,
                proxy=self._route.proxy.of(interaction.response_url),
                ssl=self._route.trust or True,
            ) as response:
                error = _response_error(response.status, await response.text(errors="replace"))
        except (aiohttp.ClientError, OSError, ValueError) as lost:
            called("response_url", "lost")
            log.warning("response_url_did_not_answer", error=type(lost).__name__)
            return "lost"
        called("response_url", error)
        if error:
            log.warning("response_url_refused", error=error)
        return error


@dataclass(frozen=True, slots=True)
class _Answer:
    error: str
    ts: str = ""
    retry_after: float = 0.0


def _is_direct(interaction: Interaction) -> bool:
    """Tell whether it is a direct message, where everything is private."""
    return interaction.channel_id.startswith("D")


def _thread(interaction: Interaction) -> dict[str, str]:
    """Keep the thread: answers to a press or a mention in a thread belong into that thread.

    Slack shows ephemeral messages in a thread that has begun, and an answer is in no other.
    https://docs.slack.dev/reference/methods/chat.postEphemeral
    """
    return {"thread_ts": interaction.thread_ts} if interaction.thread_ts else {}


def _made_on(interaction: Interaction, where: SentMessage) -> bool:
    """Tell whether it is a press on that message. Its channel says nothing: see ``Messenger.edit``."""
    return bool(interaction.message_ts) and not interaction.ephemeral and where.ts in ("", interaction.message_ts)


def _response_error(status: int, words: str) -> str:
    """Read what a response_url says: ``ok``, ``{"ok": true}`` or an error word (``used_url``, ``expired_url``)."""
    for word in ("used_url", "expired_url", *BAD_BLOCKS):
        if word in words:
            return word
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return "lost"
    if status == HTTPStatus.OK and '"ok":false' not in words.replace(" ", ""):
        return ""
    return words if _WORD.fullmatch(words) else f"status {status}"


# ---------------------------------------------------------------- card edits
# Edit cards one after the other, and tell the presser alone what Slack does not take.
# What Slack does not take for now is tried again for a while, but only where nobody can have drawn anything newer: in
# this process by the order of the edits, in another one because nobody can press a card that is over.


@dataclass(slots=True)
class _EditQueue:
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    waiting: int = 0
    newest: dict[SentMessage, object] = field(default_factory=dict)
    """The last edit of each card: what has its turn may be of several cards."""


class CardEdits:
    """Edits cards, those of one subject in turn. ``again``: pauses before what Slack did not take is tried again."""

    def __init__(self, messenger: Messenger, again: tuple[float, ...]) -> None:
        self._messenger, self._again = messenger, again
        self._turns: dict[Hashable, _EditQueue] = {}

    async def edit(
        self,
        subject: Hashable,
        where: SentMessage,
        message: Message,
        interaction: Interaction | None,
        *,
        guard: Guard | None = None,
        over: bool = False,
        aloud: bool = False,
    ) -> bool:
        """Edit the card for everybody, or else to the presser; whether somebody could see it.

        ``over``: nobody else changes this card any more. ``aloud``: the presser is not told instead.
        """
        refused, seen = EditResult(""), False
        async with self._waiting_for(subject) as turn:
            turn.newest[where] = mine = object()
            for number, pause in enumerate((*self._again, None)):
                waited = bool(number) or turn.waiting > 1
                async with turn.lock:
                    if number and turn.newest[where] is not mine:
                        return seen
                    if guard is not None:
                        await guard(waited=waited)
                    if over or not number:
                        refused = await self._messenger.edit(where, message, interaction=interaction)
                    if not refused.error:
                        return True
                    if interaction is not None and not aloud and not seen:
                        seen = await self._messenger.privately(interaction, unchanged(message, refused.error))
                told = seen or aloud or interaction is None
                if pause is None or (told and not (over and refused.passing)):
                    break
                await asyncio.sleep(max(pause, refused.retry_after))
        return seen

    async def redraw(
        self,
        subject: Hashable,
        where: SentMessage,
        now: Callable[[], Awaitable[Message | None]],
        interaction: Interaction | None,
    ) -> bool:
        """Redraw it as ``now`` says at its turn, if at all. With an ``interaction`` whoever made it is told at last.

        Only by ``chat.update``, without one: a response_url takes five answers, which are kept for what came of a
        press.
        """
        async with self._waiting_for(subject) as turn:
            mine = object()
            for number, pause in enumerate((*(self._again if interaction is not None else ()), None)):
                async with turn.lock:
                    message = await now() if not number or turn.newest[where] is mine else None
                    if message is None:
                        return False
                    turn.newest[where] = mine
                    refused = await self._messenger.edit(where, message, interaction=interaction)
                    if not refused.error:
                        return True
                    if interaction is not None and (pause is None or not refused.passing):
                        return await self._messenger.privately(interaction, unchanged(message, refused.error))
                if pause is not None:
                    await asyncio.sleep(max(pause, refused.retry_after))
        return False

    async def until_seen(self, tell: Callable[[], Awaitable[bool]]) -> bool:
        """Tell somebody something, again for a while; whether they could see it."""
        for pause in self._again:
            if await tell():
                return True
            await asyncio.sleep(pause)
        return await tell()

    @asynccontextmanager
    async def _waiting_for(self, subject: Hashable) -> AsyncIterator[_EditQueue]:
        turn = self._turns.setdefault(subject, _EditQueue())
        turn.waiting += 1
        try:
            yield turn
        finally:
            turn.waiting -= 1
            if not turn.waiting:
                del self._turns[subject]


def unchanged(message: Message, error: str) -> Message:
    """Return the card's words for one person, without its buttons, and why they come this way. ``error``: Slack's
    word for it.
    """
    why = f"Only you see this. {not_shown('The card in the channel', error, did='changed')}"
    kept = tuple(block for block in message.blocks if block["type"] != "actions")
    note = kit.context(why)
    return Message(f"{message.text} {why}", (*kept, note))

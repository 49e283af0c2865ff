"""Draw the stop card, and keep it true: edited in place, in order, and told elsewhere until somebody could see it."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from bot.activeflows.errors import LedgerUnavailable
from bot.activeflows.model import name_of
from bot.activeflows.ports import Records
from bot.activeflows.records import RecordKind, RecordQuery
from bot.activeflows.stopping.ports import Guard
from bot.activeflows.stopping.stop import (
    Attribution,
    Cancelled,
    Declined,
    Ended,
    Expired,
    FailureReason,
    Intent,
    Moved,
    NotKnown,
    NotSent,
    Outcome,
    Phase,
    Press,
    PressInHand,
    PressKind,
    StillRunning,
    StopInHand,
    Waiting,
)
from bot.slack import ids, kit
from bot.slack.blocks.activeflow_list import followed
from bot.slack.blocks.activeflow_parts import hang_up_without_bot, without_bot
from bot.slack.blocks.declined import ask_others, declined_on_record, declined_press, stuck_press
from bot.slack.blocks.error_words import reported
from bot.slack.interaction import from_press
from bot.slack.kit import bold, code, date_token, escaped, mention, mentions, plain
from bot.slack.messaging.messenger import CardEdits, Message, Messenger, SentMessage

# ---------------------------------------------------------------- reason modal
# Draw the modal that asks why, with the consequences above the field.
#
# https://docs.slack.dev/reference/views/modal-views


def reason_modal(intent: Intent, word: str) -> kit.View:
    """Draw the modal that asks for a reason. ``word`` stands for the press; it is all the modal carries."""
    effects = "\n".join(f"• {escaped(effect, 300)}" for effect in intent.seen.consequences)
    name = name_of(intent.seen.flow_name)
    about = f"{bold(name, 150)}  {code(intent.short_id)}\n{escaped(intent.seen.words, 400)}"
    return kit.modal(
        "Why stop it?",
        (
            kit.section(about),
            kit.section(f"*What stopping it does*\n{effects}"),
            kit.field(ids.REASON, "Reason, for everybody in the channel and for the record", longest=500),
        ),
        submit="Stop flow",
        close="Do not stop",
        callback_id=ids.REASON,
        metadata=word,
    )


# ---------------------------------------------------------------- stop card
# Draw the stop card: one public message that begins as a question and is edited into what became of it.
#
# Everybody in the channel reads the same words, so it names people and activeflows, and masks callers. The sentence of
# each phase says only what is certain; ``text`` says the same for notifications and screen readers.

_HEADERS: Final[dict[type, str]] = {
    Waiting: "Stop this activeflow?",
    PressInHand: "Stop flow was pressed",
    Moved: "This activeflow has moved on",
    StopInHand: "Stopping…",
    Ended: "Ended",
    NotKnown: "Not known yet",
    StillRunning: "Still running",
    NotSent: "Nothing was stopped",
    Expired: "Expired. Nothing was stopped.",
    Cancelled: "Cancelled. Nothing was stopped.",
}

_OPEN: Final = (Waiting, PressInHand, Moved)
"""The phases in which the card is a question, with its consequences and its buttons."""


def stop_card(intent: Intent, phase: Phase, command: str) -> Message:
    """Draw the card of this intent in this phase. ``command``: the slash command, for what to type next."""
    header = _header(intent, phase)
    what_became = _what_became(intent, phase, command)
    blocks = [
        kit.header(header),
        kit.section(_what(intent, over=not isinstance(phase, _OPEN))),
    ]
    if what_became:
        blocks.append(kit.section("\n".join(what_became)))
    if isinstance(phase, _OPEN):
        blocks.append(kit.section(_consequences(intent)))
    buttons = _buttons(intent, phase)
    if buttons:
        blocks.append(kit.actions(*buttons, block_id=f"stop:{intent.id}"))
    blocks.append(kit.context(*_small_print(intent, phase, command)))
    aloud = [f"{header} {escaped(_name(intent), 150)} ({intent.short_id})", *what_became]
    if isinstance(phase, _OPEN):
        aloud += [escaped(effect, 300) for effect in intent.seen.consequences]
    return Message(" ".join(aloud), tuple(blocks))


def still_not_known(intent: Intent, press: Press, at: datetime) -> Message:
    """Draw what calls whoever pressed back, below the card."""
    what = f"{bold(_name(intent), 150)} {code(intent.short_id)}"
    return Message(
        f"{mention(press.by)} It is still not known whether {what} ended, as of {date_token(at)}. See the card."
    )


def _header(intent: Intent, phase: Phase) -> str:
    if isinstance(phase, Ended):
        return "Stopped" if phase.attribution is Attribution.THIS_PRESS else "Ended"
    if isinstance(phase, NotKnown) and phase.final:
        return "Not known"
    if isinstance(phase, Moved) and intent.seen.reference_type == "call":
        return "This call has moved on"
    return _HEADERS[type(phase)]


def _name(intent: Intent) -> str:
    return name_of(intent.seen.flow_name)


def _what(intent: Intent, *, over: bool) -> str:
    as_of = "" if over else f", as of {date_token(intent.asked_at)}"
    began = f" · began {date_token(intent.seen.created_at)}" if intent.seen.created_at else ""
    kind = f" · {escaped(intent.seen.reference_type, 40)}" if intent.seen.reference_type else ""
    return (
        f"{bold(_name(intent), 150)}  {code(intent.short_id)}{kind}{began}\n"
        f"{'When asked: ' if over else ''}{escaped(intent.seen.words, 400)}{as_of}"
    )


def _consequences(intent: Intent) -> str:
    return "*What stopping it does*\n" + "\n".join(f"• {escaped(effect, 300)}" for effect in intent.seen.consequences)


def _buttons(intent: Intent, phase: Phase) -> list[kit.Element]:
    """Return what can be pressed now. Values are ids and nothing else."""
    about = f"{plain(_name(intent), 40)} {intent.short_id}"
    if isinstance(phase, _OPEN) or (isinstance(phase, NotSent) and phase.pressable):
        stop, leave = ("Stop it anyway", "Leave it") if isinstance(phase, Moved) else ("Stop flow", "Cancel")
        return [
            kit.button(stop, ids.STOP_FLOW, intent.id, label=f"{stop} {about}", danger=True),
            kit.button(leave, ids.CANCEL_STOP, intent.id, label=f"Do not stop {about}"),
        ]
    buttons = []
    if isinstance(phase, StillRunning | NotKnown) and _over(phase):
        again = ids.encode_activeflow(intent.activeflow_id)
        buttons.append(kit.button("Try again…", ids.ASK_STOP, again, label=f"Ask anew for a stop of {about}"))
    if _may_be_up(phase):
        buttons.append(
            kit.button("Hang up the call", ids.HANG_UP, intent.id, label=f"Hang up the call of {about}", danger=True)
        )
    if isinstance(phase, Ended) and phase.child is not None and phase.child.activeflow_id is not None:
        child = phase.child.activeflow_id
        label = f"Stop {plain(intent.seen.on_complete or 'the next flow', 40)} {child.hex[:8]}"
        buttons.append(kit.button(f"Stop {child.hex[:8]}…", ids.ASK_STOP, ids.encode_activeflow(child), label=label))
    return buttons


def _over(phase: StillRunning | NotKnown) -> bool:
    """Tell whether the stop itself is over: what is still looked at is only how the activeflow is."""
    return isinstance(phase, StillRunning) or phase.final


def _small_print(intent: Intent, phase: Phase, command: str) -> list[str]:
    lines = _asked(intent)
    if isinstance(phase, _OPEN):
        lines.append(f"Expires {date_token(intent.deadline)}")
    if isinstance(phase, _OPEN) and intent.without_second_question:
        lines.append("Asked with *now*: a press stops it even if it has moved on")
    if isinstance(phase, NotKnown | StillRunning | NotSent):
        lines.append(f"Check it now: {code(f'{command} show {intent.short_id}')}")
    if not isinstance(phase, Ended | Cancelled):
        lines.append(without_bot(intent.activeflow_id))
    if _may_be_up(phase) and intent.seen.call_id is not None:
        lines.append(hang_up_without_bot(intent.seen.call_id))
    if isinstance(phase, NotKnown | StillRunning | NotSent) and phase.trouble.request_id:
        lines.append(f"VoIPBIN request {code(phase.trouble.request_id, 100)}")
    if isinstance(phase, Outcome) and phase.receipt:
        lines.append(f"Receipt {code(phase.receipt)}")
    return lines


def _asked(intent: Intent) -> list[str]:
    asker = f"Asked by {mention(intent.asked_by)}" + (", who can't stop it" if intent.on_behalf else "")
    if not intent.reason:
        return [asker]
    if intent.reason_by in ("", intent.asked_by):
        return [f"{asker}: {escaped(intent.reason, 500)}"]
    return [asker, f"Reason from {mention(intent.reason_by)}: {escaped(intent.reason, 500)}"]


def _may_be_up(phase: Phase) -> bool:
    """Tell whether somebody may still be on the line of an activeflow that has ended."""
    return isinstance(phase, Ended) and phase.call is not None and phase.call.state in {"up", "unknown"}


def _what_became(intent: Intent, phase: Phase, command: str) -> list[str]:
    match phase:
        case Waiting() if phase.who_may:
            asked = mentions(phase.who_may)
            return [f"{mention(intent.asked_by)} can't stop this and asks {asked} to."]
        case Moved():
            return [
                f"Was: {escaped(phase.was, 300)}.",
                f"*Now: {escaped(intent.seen.words, 300)}.*",
                f"{mention(phase.by)} pressed. Nothing was stopped.",
            ]
        case PressInHand() | StopInHand():
            return _in_hand(phase)
        case Ended():
            return [_ended(phase), *_call_after(intent, phase), *_child_after(intent, phase)]
        case NotKnown():
            return _not_known(phase)
        case StillRunning():
            return _still_running(phase)
        case NotSent():
            return [f"{mention(phase.by)} pressed. Nothing was stopped: {escaped(phase.trouble.why, 300)}."]
        case Expired():
            again = code(f"{command} stop {intent.short_id}")
            return [f"This card expired at {date_token(intent.deadline)}. To stop it now: {again}"]
        case Cancelled():
            return [f"{mention(phase.by)} cancelled this card."]
        case _:
            return []


def _in_hand(phase: PressInHand | StopInHand) -> list[str]:
    pressed = f"{mention(phase.by)} pressed {bold('Stop flow')} at {date_token(phase.since)}."
    if isinstance(phase, StopInHand):
        return [pressed, "The stop is being sent. Then the bot checks whether it ended."]
    so_far = f"*Nothing had been sent as of {date_token(phase.as_of)}.* The bot was still asking Slack and VoIPBIN."
    return [pressed, so_far]


def _ended(phase: Ended) -> str:
    at = f" at {date_token(phase.at)}" if phase.at else ""
    match phase.attribution:
        case Attribution.THIS_PRESS:
            return f"Stopped by {mention(phase.by)}. VoIPBIN shows it ended{at}."
        case Attribution.ALREADY:
            return f"It had already ended{at} when {mention(phase.by)} pressed. Nothing was sent."
        case Attribution.CALL_UNREAD:
            return (
                f"VoIPBIN shows it ended{at}, after {mention(phase.by)}’s stop. Its call could not be read: either "
                "that stop ended it, or the caller hung up just before."
            )
        case Attribution.BEFORE:
            return f"VoIPBIN shows it ended{at}, before {mention(phase.by)}’s stop reached it."
        case Attribution.LATER:
            return f"VoIPBIN shows it ended{at}. {mention(phase.by)}’s stop did not end it: it still ran after that."
        case Attribution.BY_ITSELF:
            return f"It ended by itself{at}, just before {mention(phase.by)}’s stop reached it."
        case _:
            return (
                f"VoIPBIN shows it ended{at}. {mention(phase.by)}’s stop got no clear answer"
                f"{_because(phase.trouble)}: either that stop ended it, or it ended by itself meanwhile."
            )


def _call_after(intent: Intent, phase: Ended) -> Sequence[str]:
    call = phase.call
    if call is None:
        return ("Call: checking whether it was hung up…",) if intent.seen.call_id is not None else ()
    pressed = f" {mention(call.hung_up_by)} pressed *Hang up the call*: {escaped(call.why, 300)}." if call.why else ""
    as_of = f", as of {date_token(call.read_at)}" if call.read_at else ""
    match call.state:
        case "hung_up":
            by = f", after {mention(call.hung_up_by)} pressed" if call.hung_up_by else ""
            return (f"Call: hung up{f' at {date_token(call.at)}' if call.at else ''}{by}.",)
        case "hanging_up":
            return (f"Call: hanging up{as_of}.{pressed}{_also_followed(call.until)}",)
        case "up":
            still = " VoIPBIN should have hung it up and has not yet. The caller is still on the line."
            return (f"*Call: still up*{as_of}.{pressed or still}{_also_followed(call.until)}",)
        case _:
            return (f"Call: not known whether it was hung up.{pressed}{_also_followed(call.until)}",)


def _child_after(intent: Intent, phase: Ended) -> Sequence[str]:
    if phase.child is None:
        return ()
    name = bold(intent.seen.on_complete or "its on-complete flow", 150)
    if phase.child.activeflow_id is None:
        return (f"On complete: {name} should have started. No activeflow of it was found.",)
    return (f"On complete: {name} started as {code(phase.child.activeflow_id.hex[:8])}.",)


def _still_running(phase: StillRunning) -> list[str]:
    lines = [
        f"{mention(phase.by)}’s stop did not end it{_because(phase.trouble)}.",
        f"*It was still running at {date_token(phase.at)}.* This card sends no more stops.",
    ]
    return [*lines, followed(phase.until)]


def _not_known(phase: NotKnown) -> list[str]:
    as_of = date_token(phase.since)
    lines = [
        f"{mention(phase.by)}’s stop was sent. At {as_of} it was not known whether it worked{_because(phase.trouble)}."
    ]
    if not phase.final:
        return [*lines, "The bot keeps checking and updates this card when it knows."]
    return [*lines, followed(phase.until)]


def _because(trouble: FailureReason) -> str:
    return f" ({escaped(trouble.why, 300)})" if trouble.why else ""


def _also_followed(until: datetime | None) -> str:
    """Say that it is followed, and nothing when nobody looks: that a call is up is said to be of its time anyway."""
    return f" {followed(until)}" if until else ""


# ---------------------------------------------------------------- stop cards
# Keep the stop cards true: edit them in place, in order, and fall back until somebody could see it.
#
# Phases of one activeflow's cards are told one after the other, so a slow edit of an older phase cannot overwrite a
# newer one. When a card can no longer be changed (the bot is no member, the response_url is used up), what it would say
# is told to the presser alone, with that fact.

_ASK: Final = {PressKind.STOP: ids.ASK_OTHERS, PressKind.BULK: ids.BULK_ASK_OTHERS}
"""What puts a press to those who may; of a hang-up the card stands there."""
_CARD: Final = "The card will show what happens."
_CONCLUDED: Final = 1000
"""Presses remembered whose end was told: what is only followed is not stuck."""
_LATE: Final = timedelta(minutes=1)
"""So late a card may be the first to say that it is not known."""
_CORRECTED_WITHIN: Final = 1500.0
"""Seconds: a response_url takes answers for half an hour."""


@dataclass(slots=True)
class _Waiting:
    """A press of which nothing was said yet."""

    said: asyncio.Event = field(default_factory=asyncio.Event)
    recorded: bool = False
    begun: bool = False
    """A card is being changed for it: something may have been sent by now."""
    header: str = ""
    """What the card says, when that was the first word."""


class StopCards:
    """``stopping.ports.Cards`` in Slack."""

    def __init__(
        self,
        messenger: Messenger,
        command: str,
        *,
        now: Callable[[], datetime],
        records: Records,
        mention: str = "",
        reassure_after: float = 2.0,
        told_again: tuple[float, ...] = (),
        call_after: float = 60.0,
        mentioned: Callable[[str], Awaitable[bool]] | None = None,
    ) -> None:
        """``records``: what says that a press is not new. ``told_again``: as in ``Patience``.
        ``mention``: what is typed instead of ``command`` in a thread, where there are no slash commands.
        ``call_after``: seconds after which whoever pressed is called to a card whose outcome is not known by then, if
        ``mentioned`` says that they want to be.
        """
        self._messenger, self._command, self._now, self._reassure_after = messenger, command, now, reassure_after
        self._mention = mention or command
        self._call_after, self._mentioned = timedelta(seconds=call_after), mentioned
        self._calling: dict[str, asyncio.Task[None]] = {}
        self.edits, self._records = CardEdits(messenger, told_again), records
        self._first_words: dict[str, _Waiting] = {}
        self._reassuring: dict[str, asyncio.Task[None]] = {}
        self._untouched: set[str] = set()
        self._stuck: set[str] = set()
        self._concluded: deque[str] = deque(maxlen=_CONCLUDED)

    async def show(self, intent: Intent, phase: Phase, press: Press | None, *, guard: Guard | None = None) -> bool:
        """Change the card for everybody, or tell the presser; whether somebody could see it."""
        message = stop_card(intent, phase, self.typed_in(intent.thread))
        interaction = from_press(press) if press is not None else None
        self.begun(press)
        if press is not None and not isinstance(phase, NotKnown):
            self._do_not_call(press)  # before the edit, which may take long: it is known by now
        self._call_if_not_known(intent, phase, press, guard)
        where = SentMessage(intent.channel, intent.message_ts or (interaction.message_ts if interaction else ""))
        seen = await self.edits.edit(
            intent.activeflow_id, where, message, interaction, guard=guard, over=_closes(phase)
        )
        self.answered(press, header_of(message), over=_closes(phase))
        return seen

    async def redraw(
        self, intent: Intent, phase: Callable[[], Awaitable[Phase | None]], press: Press | None = None
    ) -> bool:
        if not intent.message_ts:
            return False

        async def drawn() -> Message | None:
            now = await phase()
            return None if now is None else stop_card(intent, now, self.typed_in(intent.thread))

        where, told = SentMessage(intent.channel, intent.message_ts), from_press(press) if press is not None else None
        return await self.edits.redraw(intent.activeflow_id, where, drawn, told)

    def _call_if_not_known(self, intent: Intent, phase: Phase, press: Press | None, guard: Guard | None) -> None:
        """Call whoever pressed, once, when it is not known for so long; a restart in that time may do so again."""
        if press is None or press.wish is not PressKind.STOP or not isinstance(phase, NotKnown):
            return
        if press.id not in self._calling and intent.message_ts and self._now() < press.at + self._call_after + _LATE:
            self._calling[press.id] = asyncio.create_task(self._call(intent, press, guard))

    def _do_not_call(self, press: Press) -> None:
        calling = self._calling.pop(press.id, None)
        if calling is not None:
            calling.cancel()

    async def _call(self, intent: Intent, press: Press, guard: Guard | None) -> None:
        await asyncio.sleep((press.at + self._call_after - self._now()).total_seconds())
        if self._mentioned is not None and not await self._mentioned(press.by):
            return
        if guard is not None:
            await guard()
        below = replace(from_press(press), thread_ts=intent.thread or intent.message_ts, response_url="")
        await self._messenger.publicly(below, still_not_known(intent, press, self._now()))

    async def decline(self, press: Press, declined: Declined) -> bool:
        words = self._refusal(press, declined)
        seen = await self.edits.until_seen(partial(self._messenger.privately, from_press(press), words))
        self._untouched.discard(press.id)
        self._said(press)
        return seen

    def _refusal(self, press: Press, declined: Declined) -> Message:
        ask = ask_others(press.intent_id, _ASK[press.wish]) if press.wish in _ASK else None
        return declined_press(declined, self.typed_in(press.thread), ask=ask)

    async def stuck(self, press: Press, bug: Exception | None) -> None:
        """Tell once that a press is stuck half-way, to whoever pressed and below the card: by a bug, or by the
        database, which may answer before Slack does.
        """
        if press.id in self._stuck or (bug is None and press.id in self._concluded):
            return
        self._stuck.add(press.id)
        number = reported(bug, user=press.by, doing=f"carrying out a {press.wish}") if bug is not None else ""
        untouched = press.id in self._untouched
        message = stuck_press(press, self._now(), untouched=untouched, incident=number)
        self._said(press)
        interaction = from_press(press)

        def goes_on() -> bool:
            return bug is None and press.id not in self._stuck

        async def told() -> bool:
            return goes_on() or await self._messenger.privately(interaction, message)

        seen = await self.edits.until_seen(told)
        if not goes_on() and interaction.channel_id and interaction.message_ts:
            below = replace(interaction, thread_ts=interaction.message_ts, response_url="")
            seen = isinstance(await self._messenger.publicly(below, message), SentMessage) or seen
        if not seen:
            self._stuck.discard(press.id)  # for as long as the database does not answer

    def close(self) -> None:
        """End what waits to be said."""
        for task in (*self._reassuring.values(), *self._calling.values()):
            task.cancel()

    def typed_in(self, thread: str) -> str:
        """Return what is typed before the words of a command there; ``thread`` is empty outside of threads."""
        return self._mention if thread else self._command

    def promise(self, press: Press) -> None:
        """Promise that somebody hears about this press within seconds. Call it before the press is started."""
        self._first_words[press.id] = _Waiting()
        self._untouched.add(press.id)
        task = asyncio.create_task(self._reassure(press))
        self._reassuring[press.id] = task
        task.add_done_callback(lambda _: self._reassuring.pop(press.id, None))

    def recorded(self, press: Press) -> None:
        """Note that the press is on record: from now on that may be said."""
        if press.id in self._first_words:
            self._first_words[press.id].recorded = True

    def begun(self, press: Press | None) -> None:
        """Note that what is to be said is on its way: from now on it is not said that nothing was sent."""
        if press is not None:
            self._untouched.discard(press.id)
            self._stuck.discard(press.id)
        if press is not None and press.id in self._first_words:
            self._first_words[press.id].begun = True

    def broken(self, press: Press) -> None:
        """Note that the press was not recorded after all; what is said about that is said elsewhere."""
        self._said(press)

    def answered(self, press: Press | None, header: str, *, over: bool) -> None:
        """Note that what came of it was said, on a card with this header. ``over``: it may be followed, no more."""
        self._said(press, header)
        if press is not None and over:
            self._concluded.append(press.id)

    async def _reassure(self, press: Press) -> None:
        """Say how it is when nothing was said for a while; and, since that does not stay so, when it is so no more."""
        waiting = self._first_words[press.id]
        try:
            async with asyncio.timeout(self._reassure_after):
                await waiting.said.wait()
        except TimeoutError:
            at = self._now()  # what the ledger does not say may have begun by the time it has answered
            before = await self._so_far_on_record(press) if waiting.recorded and not waiting.begun else None
            if waiting.said.is_set():
                return
            seen = await self._messenger.privately(from_press(press), before or _so_far(waiting, at))
            if seen and before in (None, _UNREAD):
                await self._correct(press, waiting)
        finally:
            self._first_words.pop(press.id, None)

    async def _so_far_on_record(self, press: Press) -> Message | None:
        """Of one that Slack brings again, or of which Slack takes no words: what came of it, or else ``None``."""
        begun = RecordKind.PRESSED if press.wish is PressKind.BULK else f"{RecordKind.SENDING}/1"
        keys = tuple(f"{press.id}/{what}" for what in (begun, RecordKind.OUTCOME, RecordKind.REFUSED))
        try:
            async with asyncio.timeout(self._reassure_after):
                found = [entry.record for entry in await self._records.records(RecordQuery(keys=keys))]
        except (LedgerUnavailable, TimeoutError):
            return _UNREAD
        if any(record.what is not RecordKind.REFUSED for record in found):
            return _BEFORE
        return self._refusal(press, declined_on_record(found[0])) if found else None

    async def _correct(self, press: Press, waiting: _Waiting) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(_CORRECTED_WITHIN):
                await waiting.said.wait()
                if waiting.header:
                    words = f"About your press, as of {date_token(self._now())}: “{waiting.header}”. {_CARD}"
                    await self._messenger.privately(from_press(press), Message(words))

    def _said(self, press: Press | None, header: str = "") -> None:
        if press is not None and press.id in self._first_words:
            waiting = self._first_words[press.id]
            waiting.header = waiting.header or header
            waiting.said.set()


_BEFORE: Final = Message(
    "Your press is recorded, and was carried out or is on its way. The card shows what came of it, or I tell you alone."
)
_UNREAD: Final = Message(
    f"Your press is recorded. My database does not answer, so I can't say yet what came of it. {_CARD}"
)


def _so_far(waiting: _Waiting, at: datetime) -> Message:
    """Draw how it is with a press of which nothing else was said yet."""
    if waiting.begun:
        so_far = f"As of {date_token(at)} the card does not say yet what came of it"
        return Message(f"Your press is recorded. {so_far}. {_CARD}")
    nothing = f"Nothing has been sent yet, as of {date_token(at)}"
    if not waiting.recorded:
        return Message(f"Got your press. {nothing}: it is not on record, and without a record I stop nothing.")
    return Message(
        f"Your press is recorded. {nothing}: I am still asking Slack who you are and VoIPBIN what it is doing. {_CARD}"
    )


def _closes(phase: Phase) -> bool:
    """Tell whether nobody can press this card any more, so nobody draws anything newer on it but whoever draws this."""
    match phase:
        case NotSent(pressable=pressable):
            return not pressable
        case NotKnown(final=final):
            return final
        case _:
            return isinstance(phase, Ended | Expired | StillRunning | Cancelled)


def header_of(message: Message) -> str:
    """Return the first line of a card."""
    first = message.blocks[0] if message.blocks else None
    return first["text"]["text"] if first is not None and first["type"] == "header" else ""

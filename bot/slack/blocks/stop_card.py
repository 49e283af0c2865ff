"""Draw the stop card: one public message that begins as a question and is edited into what became of it.

Everybody in the channel reads the same words, so it names people and activeflows, and masks callers. The sentence of
each phase says only what is certain; ``text`` says the same for notifications and screen readers.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from bot.activeflows.queries.resolution import Target
from bot.activeflows.stopping.stop import (
    Attribution,
    Cancelled,
    Ended,
    Expired,
    Intent,
    Moved,
    NotKnown,
    NotSent,
    Outcome,
    Phase,
    Press,
    PressInHand,
    StillRunning,
    StopInHand,
    Trouble,
    Waiting,
)
from bot.slack import ids, kit
from bot.slack.blocks.activeflow_list import followed
from bot.slack.blocks.activeflow_row import name_of
from bot.slack.kit import bold, code, date_token, escaped, mention, mentions, plain
from bot.slack.messaging.messenger import Message

# ---------------------------------------------------------------- manual commands
# Give the same stop with VoIPBIN's own client, so that a broken bot never blocks an emergency.
#
# It asks nobody, confirms nothing, and needs a key of one's own; no key ever stands here.
# https://github.com/voipbin/cli

_IN_ONE_LINE: Final = 50
_MOST_NAMED: Final = 150
"""A longer card would not be taken by Slack."""


def without_bot(target: Target) -> str:
    """One line of small print."""
    if isinstance(target, UUID):
        return f"Without this bot: {code(f'vn activeflows stop {target}')}"
    listing, stop = code("vn activeflows list"), code(f"vn activeflows stop {target}…")
    return f"Without this bot: {listing}, then {stop} with the whole id"


def hang_up_without_bot(call_id: UUID) -> str:
    """The same for a call that may have stayed up."""
    return f"Without this bot: {code(f'vn calls hangup {call_id}')}"


def all_without_bot(ids: Sequence[UUID], command: str = "activeflows stop") -> Iterator[str]:
    """The same for many: lines of small print for a shell, each short enough for one block; empty for none."""
    for start in range(0, min(len(ids), _MOST_NAMED), _IN_ONE_LINE):
        some = " ".join(str(id_) for id_ in ids[start : start + _IN_ONE_LINE])
        yield f"Without this bot: {code(f'for id in {some}; do vn {command} $id; done', 2900)}"
    more = len(ids) - _MOST_NAMED
    if more > 0:
        listing = command.partition(" ")[0]
        yield f"The other {more} without this bot: {code(f'vn {listing} list')}, then {code(f'vn {command} <id>')}"


def any_without_bot(activeflows: Sequence[UUID], calls: Sequence[UUID]) -> Iterator[str]:
    """The same without their ids, for a card that everybody reads: it holds while the bot is down, too."""
    for some, noun, command in ((activeflows, "activeflows", "stop"), (calls, "calls", "hangup")):
        if some:
            yield f"Without this bot: {code(f'vn {noun} list')}, then {code(f'vn {noun} {command} <id>')}"


def with_way_out(message: Message, target: Target) -> Message:
    """The message with that line below it."""
    line = without_bot(target)
    blocks = message.blocks or (kit.section(message.text),)
    return Message(f"{message.text} {line}", (*blocks, kit.context(line)))


# ---------------------------------------------------------------- reason modal
# Draw the modal that asks why, with the consequences above the field.
#
# https://docs.slack.dev/reference/views/modal-views


def reason_modal(intent: Intent, word: str) -> kit.View:
    """``word`` stands for the press; it is all the modal carries."""
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
    """The card of this intent in this phase. ``command``: the slash command, for what to type next."""
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
    """What calls whoever pressed back, below the card."""
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
    """What can be pressed now. Values are ids and nothing else."""
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
    """Whether the stop itself is: what is still looked at is only how the activeflow is."""
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
    """Whether somebody may still be on the line of an activeflow that has ended."""
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


def _because(trouble: Trouble) -> str:
    return f" ({escaped(trouble.why, 300)})" if trouble.why else ""


def _also_followed(until: datetime | None) -> str:
    """Nothing when nobody looks: that a call is up is said to be of its time anyway."""
    return f" {followed(until)}" if until else ""

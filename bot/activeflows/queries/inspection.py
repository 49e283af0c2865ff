"""Inspect one activeflow with all that a person should know before stopping it, in bounded time.

Names and callers are courtesies: a look-up that is slow or fails is said as unknown and never holds up a stop.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final, Generic, TypeVar
from uuid import UUID

from bot.activeflows.errors import BotError
from bot.activeflows.model import Activeflow, Call, Flow, Party, in_words
from bot.activeflows.numbers import masked
from bot.activeflows.ports import VoIPBIN
from bot.activeflows.situation.actions import doing, named
from bot.activeflows.situation.current_step import Situation, last_lap, queues_named, situation

# ---------------------------------------------------------------- consequences
# Say what stopping an activeflow would do, most serious first: what a person reads before pressing.
#
# VoIPBIN's behaviour these sentences rest on: ending an activeflow of a call hangs that call up, with the legs chained
# to it; for every other reference nobody reacts; a server-side step under way completes; an on-complete flow starts as
# a new activeflow. https://api.voipbin.net/docs/activeflow_overview.html
#
# Decisions: what is not known is said as unknown, on the dangerous side. Who the caller is, is shown masked unless the
# drawer hands in another way to show a party.

CANNOT_BE_UNDONE: Final = "Cannot be undone."
_LOSES: Final = {
    "queue.waiting": "The caller loses their place in the queue.",
    "queue.agent": "The agent is cut off too.",
    "connected": "The other party is cut off too.",
    "ai.talk": "The AI conversation ends.",
    "conference": "The caller leaves the conference.",
    "conference.joining": "The caller won’t reach the conference.",
}
_ENDURES: Final = {
    "ai.chat": "The AI chat itself goes on, without this flow.",
    "ai.task": "The AI task itself goes on, without this flow.",
    "block": "Whatever was to resume it goes on, without this flow.",
}
_REFERENCES: Final = {
    "conversation": "it runs for a conversation",
    "campaign": "it runs for a campaign, which goes on",
    "transcribe": "it runs after a transcription",
    "ai": "it runs after an AI summary",
    "api": "it was started through the API",
    "recording": "it runs after a recording",
    "webchat": "it runs for a web chat",
    "": "it runs for nothing in particular",
}
_SENT: Final = {
    "message_send": "SMS",
    "email_send": "e-mails",
    "conversation_send": "chat messages",
    "webhook_send": "webhooks",
}
_COMPLETES: Final = {*_SENT, "ai_summary", "fetch", "transcribe_recording", "case_create"}
_ON_ITS_WAY_OUT: Final = {"terminating", "canceling"}
_UNANSWERED: Final = {"dialing", "ringing"}


def consequences(
    activeflow: Activeflow,
    *,
    situation: Situation,
    now: datetime,
    call: Call | None = None,
    looked_up: bool = False,
    on_complete: Flow | None = None,
    show: Callable[[Party], str] = masked,
) -> tuple[str, ...]:
    """Return the sentences, the most serious first.

    ``call`` is the one it runs for; ``looked_up`` is true when VoIPBIN has answered about it (then ``None`` means that
    there is no such call any more). ``on_complete`` is the definition of the flow that starts afterwards, if known.
    """
    if activeflow.ended:
        return ("Nothing: it has already ended.",)
    told: list[str] = []
    if activeflow.reference.is_call:
        told += _to_the_call(situation, call, looked_up=looked_up, now=now, show=show)
    else:
        because = _REFERENCES.get(activeflow.reference.type, "it does not run for a call")
        told.append(f"Hangs up on nobody: {because}.")
    told += _what_starts(activeflow, on_complete)
    told += _what_goes_on(activeflow, situation)
    return (*told, CANNOT_BE_UNDONE)


def _to_the_call(
    situation: Situation, call: Call | None, *, looked_up: bool, now: datetime, show: Callable[[Party], str]
) -> list[str]:
    if call is None and looked_up:
        return ["Probably hangs up on nobody: VoIPBIN no longer has its call."]
    if call is None:
        return ["Hangs up the call: caller unknown.", *_lost(situation)]
    if call.over:
        return ["Hangs up on nobody: the call is already over."]
    who = show(call.caller)
    if call.direction == "outgoing" and call.status in _UNANSWERED:
        return [f"Stops calling {who}{_since(call, now)}, not answered yet."]
    role = "person called" if call.direction == "outgoing" else "caller"
    if call.status in _ON_ITS_WAY_OUT:
        return [f"The {role} ({who}) is already being hung up."]
    return [f"Hangs up on the {role}: {who}, {_direction(call)}{_since(call, now)}.", *_lost(situation)]


def _direction(call: Call) -> str:
    return f"{call.direction} call" if call.direction in {"incoming", "outgoing"} else "call"


def _since(call: Call, now: datetime) -> str:
    """Return how long they are on the line, or have been ringing."""
    if call.answered_at is not None:
        return f", connected for {in_words(now - call.answered_at)}"
    return f", begun {in_words(now - call.created_at)} ago" if call.created_at is not None else ""


def _lost(situation: Situation) -> list[str]:
    lost = _LOSES.get(situation.kind, "")
    if not lost:
        return []
    return [lost if situation.certain else f"Probably: {lost[0].lower()}{lost[1:]}"]


def _what_starts(activeflow: Activeflow, on_complete: Flow | None) -> list[str]:
    """Say what its end starts. https://api.voipbin.net/docs/activeflow_overview.html: the child gets the same
    reference and all variables.
    """
    follower = activeflow.on_complete_flow_id
    if follower is None:
        return []
    name = named(on_complete.name) if on_complete is not None and on_complete.id == follower else ""
    return [f"Starts another activeflow: flow {name or follower.hex[:8]}."]


def _what_goes_on(activeflow: Activeflow, situation: Situation) -> list[str]:
    told = [_ENDURES[situation.kind]] if situation.kind in _ENDURES and not activeflow.reference.is_call else []
    current = activeflow.current
    if current.type in _COMPLETES:
        told.append(f"The current step still completes: {doing(current, lambda _: None)}.")
    kinds = {action.type for action in activeflow.executed}
    sent = [words for type_, words in _SENT.items() if type_ in kinds]
    if sent:
        told.append(f"What was sent stays sent: {', '.join(sent)}.")
    if any(a.type == "call" and a.option.get("chained") is not True for a in activeflow.executed):
        told.append("Separate calls it placed stay up.")
    return told


# ---------------------------------------------------------------- inspection

_MENU: Final = {"digits", "talk", "play", "sleep"}
"""Kinds of situation in which the flow itself speaks to a caller, or listens."""


@dataclass(frozen=True, slots=True)
class ShownState:
    """What somebody was shown before pressing: the stop is bound to this."""

    flow_name: str
    kind: str
    """``Situation.kind``; what asks once more is in ``as_it_was``."""
    words: str
    consequences: tuple[str, ...]
    reference_type: str
    call_id: UUID | None
    on_complete: str
    """Name of the flow that starts when this one ends; empty when none does."""
    on_complete_flow_id: UUID | None
    created_at: datetime | None
    circle: tuple[UUID, ...] = ()
    """The steps it went round in, by id, when it did and nobody was with the caller."""
    wrong: str = ""
    """The word of ``filters.WRONG`` it was listed for: that has still to be so."""


T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Inspection:
    """An activeflow with what belongs to it. ``None``: there is none, or it could not be looked up in time."""

    activeflow: Activeflow
    situation: Situation
    flow: Flow | None
    on_complete: Flow | None
    call: Call | None
    effects: tuple[str, ...]
    """What stopping it would do, most serious first."""

    @property
    def flow_name(self) -> str:
        return self.flow.name if self.flow else ""


async def look_at(voipbin: VoIPBIN, activeflow: Activeflow, *, now: datetime, within: float) -> Inspection:
    """Look up all about it at once, each given ``within`` seconds."""
    queues = queues_named(activeflow)
    flow_id, next_id = activeflow.flow_id, activeflow.on_complete_flow_id
    call_id = activeflow.reference.id if activeflow.reference.is_call else None
    async with asyncio.TaskGroup() as asking:
        flow = asking.create_task(in_time(partial(voipbin.flow, flow_id) if flow_id else None, within))
        on_complete = asking.create_task(in_time(partial(voipbin.flow, next_id) if next_id else None, within))
        call = asking.create_task(in_time(partial(voipbin.call, call_id) if call_id else None, within))
        names = {queue: asking.create_task(in_time(partial(voipbin.queue_name, queue), within)) for queue in queues}
    known = {queue: name.result().value for queue, name in names.items()}
    definition = flow.result().value
    doing = situation(activeflow, flow=definition, name_of=known.get)
    effects = consequences(
        activeflow,
        situation=doing,
        now=now,
        call=call.result().value,
        looked_up=call.result().answered,
        on_complete=on_complete.result().value,
    )
    return Inspection(activeflow, doing, definition, on_complete.result().value, call.result().value, effects)


def as_seen(inspection: Inspection) -> ShownState:
    """Return what a stop card keeps of it."""
    activeflow = inspection.activeflow
    return ShownState(
        flow_name=inspection.flow_name,
        kind=inspection.situation.kind,
        words=inspection.situation.words,
        consequences=inspection.effects,
        reference_type=activeflow.reference.type,
        call_id=activeflow.reference.id if activeflow.reference.is_call else None,
        on_complete=inspection.on_complete.name if inspection.on_complete else "",
        on_complete_flow_id=activeflow.on_complete_flow_id,
        created_at=activeflow.created_at,
        circle=circle_of(activeflow, inspection.situation),
    )


def circle_of(activeflow: Activeflow, doing: Situation) -> tuple[UUID, ...]:
    """Return the circle that ``ShownState`` keeps. Empty in a queue, with an agent, another party, a conference or an
    AI: there going round is no circle.
    """
    alone = doing.kind in _MENU or doing.kind.startswith("action.")
    return tuple(sorted({action.id for action in last_lap(activeflow)})) if alone else ()


def as_it_was(seen: ShownState, activeflow: Activeflow, doing: Situation) -> bool:
    """Tell whether it is still what was shown; mere progress is: in the same kind of situation, in the menu, or in the
    same circle.

    A menu speaks and listens by turns, every few seconds: were each turn a move, nearly every press would be asked
    about once more, people would learn to press twice without reading, and a bulk stop would skip nearly everybody.
    """
    in_menu = doing.kind in _MENU and seen.kind in _MENU
    return doing.kind == seen.kind or in_menu or not set(seen.circle).isdisjoint(circle_of(activeflow, doing))


@dataclass(frozen=True, slots=True)
class _LookedUp(Generic[T]):
    value: T | None = None
    answered: bool = False


async def in_time(look_up: Callable[[], Awaitable[T | None]] | None, seconds: float) -> _LookedUp[T]:
    """Ask within so many seconds. Not even the question is made before: who is cancelled until then leaves none
    behind.
    """
    if look_up is None:
        return _LookedUp()
    try:
        async with asyncio.timeout(seconds):
            return _LookedUp(await look_up(), answered=True)
    except (BotError, TimeoutError):
        return _LookedUp()

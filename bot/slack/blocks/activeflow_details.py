"""Draw one activeflow: what it does now, what it runs for, what it did, and what stopping it would do."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Final

from bot.activeflows.model import STEP_BUDGET, Activeflow, Call, Party, SpokenText, in_words, name_of
from bot.activeflows.numbers import masked
from bot.activeflows.operators import Operator, Permission, may_somewhere, reach
from bot.activeflows.queries.details import Details, Family, Relative, StepTimes, UnmaskedDetails, WithheldReason
from bot.activeflows.queries.listing import Listing
from bot.activeflows.situation.history import HistoryLine
from bot.slack import ids, kit
from bot.slack.blocks import activeflow_parts
from bot.slack.blocks.activeflow_list import STATUS_WORDS, activeflow_list, lived, reference
from bot.slack.blocks.activeflow_parts import look_words, troubles_aloud
from bot.slack.blocks.declined import places
from bot.slack.kit import bold, code, date_token, escaped, plain
from bot.slack.messaging.messenger import Message

# ---------------------------------------------------------------- lineage
# Draw what an activeflow came after and what came after it, each with its own *Show*.
#
# Of a relative that the reader may not view only its being there is said: no id, no name.

_PARENTS: Final = {
    WithheldReason.HIDDEN: "another activeflow",
    WithheldReason.GONE: "an activeflow that no longer exists",
    WithheldReason.NOT_KNOWN: "another activeflow, which could not be read",
}
_SOUGHT: Final = {
    True: "Nothing was found that started when it ended.",
    False: "Whether anything started when it ended is not known: VoIPBIN did not answer in time.",
}


def relatives(activeflow: Activeflow, family: Family, now: datetime) -> Iterator[kit.Block]:
    """Draw a section for each that may be viewed, and small words for the others; nothing for one without a family."""
    if isinstance(family.parent, Relative):
        yield _shown("Started after", family.parent, now)
    elif family.parent is not None:
        yield kit.context(f"Started after {_PARENTS[family.parent]}.")
    for child in family.children:
        yield _shown(
            "Started when it ended" if _followed(activeflow, child.activeflow) else "Started by it", child, now
        )
    words = _others(family)
    if words:
        yield kit.context(words)


def _followed(activeflow: Activeflow, child: Activeflow) -> bool:
    """Tell whether it is what the end started. A flow can be started for another reason, too, and then before the
    end.
    """
    if not activeflow.ended or child.flow_id != activeflow.on_complete_flow_id:
        return False
    ended_at, began = activeflow.updated_at, child.created_at
    return ended_at is not None and began is not None and began >= ended_at


def _shown(title: str, relative: Relative, now: datetime) -> kit.Block:
    activeflow = relative.activeflow
    name = bold(name_of(relative.flow_name), 150)
    return kit.section(
        f"{title}: {name} {code(activeflow.short_id)}\n{lived(activeflow, now)}",
        accessory=activeflow_parts.show(activeflow, relative.flow_name),
    )


def _others(family: Family) -> str:
    if family.hidden:
        others = "another activeflow" if family.hidden == 1 else f"{family.hidden} other activeflows"
        more = f"{family.more} more and " if family.more else ""
        return f"And {more}{others}, which you can’t view here."
    if family.more:
        return f"And {family.more} more."
    return "" if family.children or family.looked is None else _SOUGHT[family.looked]


# ---------------------------------------------------------------- step lines
# Draw the steps of an activeflow, one a line, newest last, with when each began and how long it took.
#
# A history is shortened in the middle before it comes here; what is left is spread over sections, so that nothing is
# cut at Slack's 3,000 characters a section (https://docs.slack.dev/reference/block-kit/blocks/section-block).

_ROOM: Final = 2900
_UNTIMED: Final = {
    StepTimes.PARTLY: "Some times are not known: VoIPBIN's timeline has no event of those steps.",
    StepTimes.NOT_KEPT: "Times not known: VoIPBIN's timeline has no events of these steps.",
    StepTimes.LATE: "Times not known: VoIPBIN did not answer in time. *Refresh* asks again.",
    StepTimes.FAILED: "Times not known: VoIPBIN could not read its timeline. *Refresh* asks again.",
}


def step_lines(details: Details) -> Iterator[kit.Block]:
    """Draw sections with the steps, and in small words what is not known of their times."""
    ended = details.inspection.activeflow.ended
    lines = [_done(done) for done in details.history]
    if details.present is not None:
        lines.append(_at_the_end(details.present) if ended else _present_line(details.present, details.as_of))
    if not lines:
        return
    for text in _packed(["*Steps*" if ended else "*Steps so far*", *lines]):
        yield kit.section(text)
    if details.timing in _UNTIMED:
        yield kit.context(_UNTIMED[details.timing])


def _done(done: HistoryLine) -> str:
    if done.left_out:
        return f"… {escaped(done.words, 150)}"
    if done.times == 1:
        return f"• {_words(done)}{_when(_time(done.began), _took(done))}"
    first, last = _time(done.began, "first "), _time(done.last, "last ")
    return f"• {_words(done)} ×{done.times}{_when(first, last, _took(done, ' in all'))}"


def _present_line(present: HistoryLine, as_of: datetime) -> str:
    lasting = "" if present.began is None else in_words(as_of - present.began)
    return f"▸ *Now:* {_words(present)}{_when(_time(present.began, 'since '), lasting)}"


def _at_the_end(present: HistoryLine) -> str:
    return f"▸ *At the end:* {_words(present)}{_when(_time(present.began), _took(present))}"


def _words(done: HistoryLine) -> str:
    return escaped(done.words, 150)


def _when(*parts: str) -> str:
    told = ", ".join(part for part in parts if part)
    return f" · {told}" if told else ""


def _took(done: HistoryLine, ending: str = "") -> str:
    return "" if done.took is None else in_words(done.took) + ending


def _time(when: datetime | None, before: str = "") -> str:
    return "" if when is None else before + date_token(when)


def _packed(lines: Iterable[str]) -> Iterator[str]:
    """Pack the lines into few texts, none longer than there is room for."""
    text = ""
    for line in lines:
        if text and len(text) + 1 + len(line) > _ROOM:
            yield text
            text = ""
        text = f"{text}\n{line}" if text else line
    yield text


# ---------------------------------------------------------------- disclosure
# Draw who calls, who is called, and what was said, in full, for one person's eyes.

NOT_HERE = Message("Reveal works only in a message that only you see. Show the activeflow again. Nothing was shown.")
NOT_RECORDED = Message("This could not be recorded, so nothing is shown. Tell whoever looks after this bot.")
NOT_SHOWN = Message("I could not show it to you alone, so nothing was shown. Your request is recorded.")


def reveal(activeflow: Activeflow, flow_name: str | None) -> kit.Element:
    """Draw the button *Reveal*: the caller and the texts, to the presser alone, after a word of warning."""
    return kit.button(
        "Reveal",
        ids.REVEAL,
        ids.encode_activeflow(activeflow.id),
        label=f"Reveal caller of {plain(name_of(flow_name), 40)} {activeflow.short_id}",
        confirm=kit.confirm(
            "Reveal the caller?",
            "Shows caller, called party and texts to you alone. It is recorded with your name.",
            yes="Reveal",
            no="Cancel",
        ),
    )


def revealed(shown: UnmaskedDetails) -> Message:
    """Draw what is told to one person, and only as a message that is not kept."""
    lines = [*_parties(shown), *_texts(shown.spoken)]
    small = (
        f"Only you see this · recorded with your name, receipt {code(shown.receipt, 20)} · as "
        f"of {date_token(shown.as_of)}"
    )
    blocks = [
        kit.header(f"Unmasked: {shown.activeflow.short_id}"),
        *(kit.section(line) for line in lines),
        kit.context(small),
    ]
    return Message(" ".join([f"Unmasked, {shown.activeflow.short_id}.", *lines, small]), tuple(blocks))


def _parties(shown: UnmaskedDetails) -> list[str]:
    if shown.call is None:
        is_call = shown.activeflow.reference.is_call
        return ["VoIPBIN no longer has its call." if is_call else "It runs for no call."]
    return [f"*Caller*: {_party(shown.call.source)}", f"*Called*: {_party(shown.call.destination)}"]


def _party(party: Party) -> str:
    kind = f" ({escaped(party.type, 40)})" if party.type else ""
    name = f", {escaped(party.name, 150)}" if party.name else ""
    return f"{code(party.target, 300, empty='unknown')}{kind}{name}"


def _texts(spoken: tuple[SpokenText, ...]) -> list[str]:
    """Draw the texts, one each, so that a long one is cut alone."""
    if not spoken:
        return ["None of its steps speaks a text."]
    return [f"*{'Speaking now' if one.current else 'Spoke'}*: {escaped(one.text, 1000)}" for one in spoken]


# ---------------------------------------------------------------- activeflow details

_NAMED = 5


def activeflow_details(details: Details, operator: Operator, *, command: str) -> Message:
    """Draw the details for one person's eyes, with every age as of when it was read; the caller is masked."""
    inspection, activeflow = details.inspection, details.inspection.activeflow
    name = name_of(inspection.flow_name)
    blocks = [
        kit.header(plain(name, 150)),
        kit.section(_now(details)),
        kit.fields(_fields(details)),
        kit.section(f"*What stopping it does*\n{_bullets(inspection.effects)}"),
    ]
    blocks += [*step_lines(details), *relatives(activeflow, details.family, details.as_of)]
    small = f"as of {date_token(details.as_of)} · read again: {code(f'{command} show {activeflow.short_id}')}"
    blocks += [kit.context(small), _buttons(details, operator)]
    aloud = [
        f"{escaped(name, 150)} {activeflow.short_id}. {STATUS_WORDS[activeflow.status]}:",
        f"{escaped(inspection.situation.words, 400)}.",
        *troubles_aloud(details.troubles),
        *(escaped(effect, 300) for effect in inspection.effects),
    ]
    return Message(" ".join(aloud), tuple(blocks))


def _now(details: Details) -> str:
    situation = details.inspection.situation
    words = f"{bold(STATUS_WORDS[details.inspection.activeflow.status])} · {escaped(situation.words, 400)}"
    warning = [f"*Warning:* {escaped(situation.warning, 200)}"] if situation.warning else []
    return "\n".join([words, *warning, *look_words(details.troubles, situation)])


def _fields(details: Details) -> Iterator[str]:
    """Yield at most ten fields."""
    inspection, activeflow, now = details.inspection, details.inspection.activeflow, details.as_of
    yield f"*Activeflow*\n{code(str(activeflow.id))}"
    flow_id = code(activeflow.flow_id.hex[:8]) if activeflow.flow_id else ""
    known = escaped(inspection.flow_name, 150) if inspection.flow_name else "name not known" if flow_id else "none"
    yield f"*Flow*\n{known} {flow_id}".rstrip()
    age = activeflow.age(now)
    if activeflow.created_at is not None and age is not None:
        yield f"*Began*\n{in_words(age)} ago, {date_token(activeflow.created_at)}"
    else:
        yield "*Began*\nnot known"
    if activeflow.updated_at is not None:
        what = "Ended" if activeflow.ended else "Last change"
        yield f"*{what}*\n{date_token(activeflow.updated_at)}"
    yield f"*Runs for*\n{reference(activeflow)}{_call(inspection.call, now)}"
    yield f"*Steps used*\n{activeflow.steps_used} of {STEP_BUDGET}"
    if details.entered:
        yield f"*Flows entered*\n{_entered(details.entered)}"
    if activeflow.on_complete_flow_id is not None:
        on_complete = inspection.on_complete
        follower = escaped(on_complete.name, 150) if on_complete and on_complete.name else "flow"
        named = f"{follower} {code(activeflow.on_complete_flow_id.hex[:8])}"
        yield f"*When it ended*\n{named} should have started" if activeflow.ended else f"*When it ends*\n{named} starts"


def _call(call: Call | None, now: datetime) -> str:
    if call is None:
        return ""
    since = f" for {in_words(now - call.answered_at)}" if call.answered_at is not None and not call.over else ""
    return f"\n{escaped(call.direction, 20)}, {escaped(masked(call.caller), 60)}, {escaped(call.status, 20)}{since}"


def _entered(names: tuple[str | None, ...]) -> str:
    """Say which flows it entered, as in "Billing, Opening hours and 2 more"; it is still the same activeflow."""
    known = [escaped(name, 80) for name in names if name][:_NAMED]
    more = len(names) - len(known)
    if not known:
        return "1, name unknown" if more == 1 else f"{more}, names unknown"
    return ", ".join(known) + (f" and {more} more" if more else "")


def _bullets(lines: tuple[str, ...]) -> str:
    return "\n".join(f"• {escaped(line, 300)}" for line in lines)


def _buttons(details: Details, operator: Operator) -> kit.Block:
    activeflow, name = details.inspection.activeflow, details.inspection.flow_name
    again = kit.button(
        "Refresh",
        ids.SHOW_AGAIN,
        ids.encode_activeflow(activeflow.id),
        label=f"Read {plain(name_of(name), 45)} {activeflow.short_id} again",
    )
    may_stop = activeflow.running and operator.may(Permission.STOP, activeflow.flow_id)
    may_reveal = operator.may(Permission.REVEAL, activeflow.flow_id)
    return kit.actions(
        again,
        *([reveal(activeflow, name)] if may_reveal else []),
        *([activeflow_parts.ask_stop(activeflow, name)] if may_stop else []),
    )


# ---------------------------------------------------------------- activeflow modal
# Draw one activeflow or a list in a modal, for *Show* and *List* where there is no channel.
#
# Decision: what belongs into a channel (*Stop…*, whose card is public) or into a message that is not kept (*Reveal*) is
# left out; where to type it is said instead.

TITLE: Final = "Activeflow"
READING: Final = Message("Reading the activeflow…")
LIST_TITLE: Final = "Activeflows"
READING_LIST: Final = Message("Reading the activeflows…")
_STAYING: Final = {ids.SHOW_AGAIN, ids.SHOW, ids.LIST_REFRESH, ids.LIST_PREVIOUS, ids.LIST_NEXT}


def activeflow_modal(details: Details, operator: Operator, *, command: str) -> Message:
    """Draw the details, with *Refresh* and the *Show* of relatives, which all stay in the modal."""
    whole = activeflow_details(details, operator, command=command)
    blocks = [kept for block in whole.blocks if (kept := _kept(block)) is not None]
    return Message(whole.text, (*blocks, *_where_to_stop(details, operator, command)))


def list_modal(listing: Listing, operator: Operator, now: datetime, *, command: str) -> Message:
    """Draw the list, with what turns its pages and *Show*, which all stay in the modal."""
    whole = activeflow_list(listing, operator, now, command=command)
    return Message(whole.text, tuple(kept for block in whole.blocks if (kept := _kept(block)) is not None))


def _kept(block: kit.Block) -> kit.Block | None:
    if block["type"] != "actions":
        return block
    here = [button for button in block["elements"] if button["action_id"] in _STAYING]
    return kit.actions(*here) if here else None


def _where_to_stop(details: Details, operator: Operator, command: str) -> list[kit.Block]:
    activeflow = details.inspection.activeflow
    stops = may_somewhere(reach(operator.policy, operator.person), Permission.STOP)
    if stops is None or not activeflow.running:
        return []
    words = f"To stop it: {code(f'{command} stop {activeflow.short_id}')}, typed {places(stops)}"
    return [kit.context(words)]

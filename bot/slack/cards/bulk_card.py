"""Draw the card of a bulk stop, and keep it true: edited in place, one edit after the other."""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Final
from uuid import UUID

from bot.activeflows.bulk.bulk_stop import (
    MAY_RUN,
    Bulk,
    BulkEnding,
    BulkState,
    Member,
    MemberOutcome,
    Origin,
    Run,
    bar,
    intent_id,
    remainder,
    tally,
    unsettled,
)
from bot.activeflows.bulk.request import CardRefusal, NoCard
from bot.activeflows.model import name_of
from bot.activeflows.queries.filters import Filters
from bot.activeflows.stopping.ports import Guard
from bot.activeflows.stopping.stop import Declined, Press
from bot.slack import ids, kit
from bot.slack.blocks.activeflow_list import followed
from bot.slack.blocks.activeflow_parts import all_without_bot, any_without_bot
from bot.slack.blocks.help import to_type
from bot.slack.cards.stop_card import StopCards, header_of
from bot.slack.grammar.requests import StopAll, typed
from bot.slack.interaction import from_press
from bot.slack.kit import bold, code, date_token, escaped, mention, mentions
from bot.slack.messaging.messenger import Message, SentMessage

# ---------------------------------------------------------------- bulk question
# Draw the question a bulk stop card begins as: who asks whom, the frozen list, and what stopping it would do.
#
# Everybody in the channel reads it, so callers are masked.

_MOST_GROUPS: Final = 8
_MOST_NAMED: Final = 12


def put_to(bulk: Bulk, who_may: tuple[str, ...]) -> list[str]:
    """Say for whom it stands there, when whoever asked may not press it. ``who_may``: ids."""
    if not bulk.on_behalf or not who_may:
        return []
    return [f"{mention(bulk.asked_by)} can't stop these in bulk and asks {mentions(who_may)} to."]


def matches(bulk: Bulk) -> str:
    """Say how many match, as in "10 matches for `older:10m`"."""
    count = len(bulk.members)
    if bulk.left.newer:
        return f"The oldest {count} of {count + bulk.left.newer} matches for {code(bulk.filters.words(), 300)}"
    return f"{count} {'match' if count == 1 else 'matches'} for {code(bulk.filters.words(), 300)}"


def what_fits(bulk: Bulk) -> list[str]:
    """Return the list: by flow and situation, and a few of it."""
    groups = bulk.groups()
    lines = [f"• {group.count} × {_name(group.flow_name)}: {escaped(group.words, 200)}" for group in groups]
    more = sum(group.count for group in groups[_MOST_GROUPS:])
    lines = [*lines[:_MOST_GROUPS], *([f"• … and {more} more"] if more else [])]
    began = bulk.began
    if began is not None:
        lines.append(f"The oldest began {date_token(began[0])}, the newest {date_token(began[1])}.")
    if bulk.sample:
        lines.append("For example: " + "; ".join(escaped(words, 150) for words in bulk.sample) + ".")
    return [matches(bulk), *lines]


def what_it_does(bulk: Bulk) -> list[str]:
    """Return the consequences, how it is gone about, and what is not in the list."""
    count, callers = len(bulk.members), bulk.callers
    whom = "1 caller" if callers == 1 else f"{callers} callers"
    lines = ["*What stopping them does*", f"• Hangs up on {whom}" if callers else "• Hangs up on nobody"]
    for name, times in bulk.followers()[:_MOST_GROUPS]:
        lines.append(f"• Starts {times} other {'activeflow' if times == 1 else 'activeflows'}: flow {bold(name, 100)}")
    lines.append("• Cannot be undone")
    lines.append(
        f"Stops one first as a test, then two at a time. Only these {count}: "
        f"what begins after {date_token(bulk.as_of)} is left alone. The limit is {bulk.limit} at once."
    )
    return [*lines, *_left_out(bulk)]


def what_goes_on(origin: Origin) -> list[str]:
    """Return what will start more of them, as of when VoIPBIN said so: a campaign may be stopped meanwhile."""
    at = f", as of {date_token(origin.as_of)}" if origin.as_of else ""
    lines = [f"Campaign {bold(name, 100)} is still dialling{at}: new ones will come." for name in origin.campaigns]
    for flow_name, count in origin.numbers:
        leads = "1 number still leads" if count == 1 else f"{count} numbers still lead"
        lines.append(f"{leads} to flow {_name(flow_name)}{at}: new calls will come.")
    return lines


def who_can_press(bulk: Bulk) -> str:
    """Say who can press, and until when."""
    approved = bulk.second_person and not bulk.on_behalf
    whom = f" · needs a second person to press, not {mention(bulk.asked_by)}" if approved else ""
    return f"Expires {date_token(bulk.deadline)}{whom}"


def few(short_ids: Sequence[str]) -> str:
    """Return the first of them, and how many more there are."""
    named = ", ".join(code(short_id) for short_id in short_ids[:_MOST_NAMED])
    more = len(short_ids) - _MOST_NAMED
    return f"{named} … and {more} more" if more > 0 else named


def _left_out(bulk: Bulk) -> Iterator[str]:
    left = bulk.left
    if left.uncertain:
        ids_ = few([id_.hex[:8] for id_ in left.uncertain])
        yield f"Left out, not certain that they match: {ids_}"
    if left.newer:
        yield f"Left out, newer than these {len(bulk.members)}: {left.newer}"
    if left.hidden:
        yield f"Left out, no permission for whoever asked: up to {left.hidden}"
    if left.unnamed:
        yield f"Possibly missing, their flow’s name could not be read: {left.unnamed}"
    if bulk.complete_since is not None:
        yield f"Complete back to {date_token(bulk.complete_since)}. Older ones could be missing."


def _name(flow_name: str) -> str:
    return bold(name_of(flow_name), 100)


# ---------------------------------------------------------------- bulk result
# Draw the end of a bulk stop card: what became of the members, and the callers who stayed on the line.

_NAMED: Final = {
    MemberOutcome.MOVED: "Moved on, so left alone",
    MemberOutcome.TAKEN: "Already being stopped by someone else",
    MemberOutcome.UNKNOWN: "Not known whether they ended",
    MemberOutcome.RUNNING: "Still running after a stop was sent",
    MemberOutcome.NOT_SENT: "Could not be sent",
    MemberOutcome.NOT_PERMITTED: "No permission for whoever pressed",
    MemberOutcome.ABORTED: "Left when it was aborted",
    MemberOutcome.LATE: "Left, because time ran out",
    MemberOutcome.LEFT: "Left",
    MemberOutcome.ALREADY: "Had already ended",
    MemberOutcome.GONE: "No longer there",
}
_PRESSED: Final = {
    "hung_up": "Hung up",
    "hanging_up": "Hanging up",
    "up": "*Still up*",
    "unknown": "Not known whether it was hung up",
}
"""By the state of a call (``CallAfter``)."""
_LEFT_ALONE: Final = {
    True: "It was not on this card and was left alone.",
    False: "They were not on this card and were left alone.",
}
"""Whether it is one."""
_MOST_HANG_UPS: Final = 5
"""Buttons at a time: the next callers have theirs when these are hung up."""


def what_became(bulk: Bulk, run: Run) -> Iterator[str]:
    """Yield one line for each kind of thing there is to say; none while it is not over."""
    ending = run.ending
    if run.state is not BulkState.DONE or ending is None:
        return
    if ending.halted:
        yield f"*Only the first one was tried:* {escaped(ending.halted, 200)}. The rest were left alone."
    if ending.refused:
        yield f"*It did not finish:* {escaped(ending.refused, 400)}. No more stops were started."
    yield from _callers(bulk, ending)
    for kind, words in _NAMED.items():
        named = [member.short_id for member in bulk.members if run.of(member) is kind]
        if named:
            yield f"{words}{_as_of(ending) if kind in MAY_RUN else ''}: {few(named)}"
    if unsettled(run) and ending.as_of is not None:
        yield followed(ending.until)
    yield from what_goes_on(ending.origin)
    at = f", as of {date_token(ending.more_as_of)}" if ending.more_as_of else ""
    if ending.more:
        yield f"{ending.more} more {'matches' if ending.more == 1 else 'match'}{at}. {_LEFT_ALONE[ending.more == 1]}"
    elif ending.more is None:
        yield f"Whether more match could not be read{at}."


def on_the_line(bulk: Bulk, run: Run) -> list[Member]:
    """Return whose activeflows have ended while their callers may still be there."""
    numbers = run.ending.on_the_line() if run.ending is not None else {}
    return [member for member in bulk.members if member.number in numbers]


def hang_ups(bulk: Bulk, run: Run) -> list[kit.Block]:
    """Draw a row with *Hang up the call* for each of the first who may still be there. Values are ids of members'
    intents.
    """
    return [
        kit.section(
            f"The caller of {code(member.short_id)}",
            accessory=kit.button(
                "Hang up the call",
                ids.HANG_UP,
                intent_id(bulk, member),
                label=f"Hang up the call of {member.short_id}",
                danger=True,
            ),
        )
        for member in on_the_line(bulk, run)[:_MOST_HANG_UPS]
    ]


def _as_of(ending: BulkEnding) -> str:
    return f", as of {date_token(ending.as_of)}" if ending.as_of else ""


def _callers(bulk: Bulk, ending: BulkEnding) -> Iterator[str]:
    """Yield those who may still be there, then those of whom somebody pressed *Hang up*."""
    states = ending.on_the_line()
    up = [member.short_id for member in bulk.members if states.get(member.number) == "up"]
    unheard = [member.short_id for member in bulk.members if states.get(member.number) == "unknown"]
    if up:
        yield f"*Ended, and the caller is still on the line{_as_of(ending)}:* {few(up)}. VoIPBIN should have hung up."
    if unheard:
        yield f"Ended, and it is not known whether the caller was hung up{_as_of(ending)}: {few(unheard)}"
    pressed = [
        (member.short_id, ending.calls[member.number]) for member in bulk.members if member.number in ending.calls
    ]
    for state, words in _PRESSED.items():
        some = [(short_id, call) for short_id, call in pressed if call.state == state]
        if some:
            by = mentions(sorted({call.hung_up_by for _, call in some}))
            why = f": {escaped(some[-1][1].why, 300)}" if some[-1][1].why else ""
            yield (
                f"{words}, after {by} pressed {bold('Hang up the call')}{why}: "
                f"{few([short_id for short_id, _ in some])}"
            )


# ---------------------------------------------------------------- bulk card
# Draw the bulk stop card: a question, then a progress bar edited in place, then what became of each.
#
# Everybody in the channel reads the same words. Decision: members are counted while it runs and named (by short id, a
# few of each kind) when it is over; all of them are in the audit.

_BAR: Final = 20


def bulk_card(
    bulk: Bulk, run: Run, command: str, *, who_may: tuple[str, ...] = (), origin: Origin | None = None
) -> Message:
    """Draw the card of this bulk at this point. ``command``: the slash command, for what to type next.

    ``who_may``: ids of those it is put to, when the asker may not. ``origin``: what goes on, while it can be pressed.
    """
    header = _header(bulk, run)
    blocks = [kit.header(header)]
    if run.state is BulkState.OPEN:
        goes_on = what_goes_on(origin or Origin())
        parts = [lines for lines in (put_to(bulk, who_may), what_fits(bulk), what_it_does(bulk), goes_on) if lines]
        told = [line for lines in parts for line in lines]
        blocks += [kit.section("\n".join(lines)) for lines in parts]
    else:
        told = [*_progress(bulk, run), *what_became(bulk, run)]
        blocks += [kit.section(matches(bulk)), *([kit.section("\n".join(told))] if told else [])]
    buttons = list(_buttons(bulk, run))
    if buttons:
        blocks.append(kit.actions(*buttons, block_id=f"bulk:{bulk.id}"))
    blocks += hang_ups(bulk, run)
    blocks.append(kit.context(*_small_print(bulk, run, command)))
    if run.state not in {BulkState.CANCELLED, BulkState.EXPIRED}:
        blocks += [kit.context(line) for line in any_without_bot(*_without_bot(bulk, run))]
    return Message(" ".join([f"{header}:", *told]), tuple(blocks))


def bulk_without_bot(bulk: Bulk, run: Run) -> Message:
    """Draw the commands that do the same for those that are left, for whoever asks."""
    lines = [*all_without_bot(_without_bot(bulk, run)[0]), *all_without_bot(_without_bot(bulk, run)[1], "calls hangup")]
    words = " ".join(lines) or "Nothing is left to stop."
    return Message(words, tuple(kit.section(line) for line in lines or [words]))


def _without_bot(bulk: Bulk, run: Run) -> tuple[list[UUID], list[UUID]]:
    """Return the activeflows that are left, and the calls of callers who stayed."""
    calls = [member.call_id for member in on_the_line(bulk, run) if member.call_id is not None]
    return [member.activeflow_id for member in remainder(bulk, run)], calls


def _header(bulk: Bulk, run: Run) -> str:
    count = len(bulk.members)
    what = "this 1 activeflow" if count == 1 else f"these {count} activeflows"
    match run.state:
        case BulkState.OPEN:
            return f"Stop {what}?"
        case BulkState.STOPPING:
            return f"Stopping {what}…"
        case BulkState.ABORTING:
            return "Aborting…"
        case BulkState.CANCELLED:
            return "Cancelled. Nothing was stopped."
        case BulkState.EXPIRED:
            return "Expired. Nothing was stopped."
        case _:
            return _over(bulk, run)


def _over(bulk: Bulk, run: Run) -> str:
    so_far = tally(bulk, run.became)
    left = f"{so_far.may_run} of {so_far.count} could still be running"
    if run.aborted_by:
        return f"Aborted: {left}"
    return f"Done: {left}" if so_far.may_run else f"All {so_far.count} have ended"


# ---------------------------------------------------------------- the progress and the end


def _progress(bulk: Bulk, run: Run) -> list[str]:
    match run.state:
        case BulkState.CANCELLED:
            return [f"{mention(run.aborted_by)} cancelled this card."]
        case BulkState.EXPIRED:
            return [f"This card expired at {date_token(bulk.deadline)}."]
    lines = [f"{mention(run.by)} pressed {bold('Stop all')}" + (f" at {date_token(run.since)}." if run.since else ".")]
    if run.aborted_by:
        lines.append(
            f"{mention(run.aborted_by)} aborted it. Stops already sent were finished. The rest were left alone."
        )
    lines.append(f"{_bar(bulk, run)} {progress_words(bulk, run)}")
    if run.unanswered:
        lines.append("Slack is not answering who can stop them. Nothing further is sent until it does.")
    return lines


def progress_words(bulk: Bulk, run: Run) -> str:
    """Say how far it is, as in "31 of 50 ended · 2 had already ended · 1 not known · 16 left"."""
    so_far = tally(bulk, run.became)
    parts = [
        f"{so_far.stopped} of {so_far.count} ended",
        *([f"{so_far.already} had already ended"] if so_far.already else []),
        *([f"{so_far.skipped} skipped"] if so_far.skipped else []),
        *([f"{so_far.unknown} not known"] if so_far.unknown else []),
        *([f"{so_far.running} not stopped"] if so_far.running else []),
        f"{so_far.left} left",
    ]
    return " · ".join(parts)


def _bar(bulk: Bulk, run: Run) -> str:
    over, between, left = bar(tally(bulk, run.became), _BAR)
    return "▓" * over + "▒" * between + "░" * left


# ---------------------------------------------------------------- around it


def _buttons(bulk: Bulk, run: Run) -> Iterator[kit.Element]:
    """Draw the buttons, whose values are the bulk's id and nothing else."""
    count = len(bulk.members)
    if run.state is BulkState.OPEN:
        yield kit.button(
            f"Stop all {count}", ids.BULK_STOP, bulk.id, label=f"Stop all {count} activeflows of this list", danger=True
        )
        label = f"Do not stop these {count} activeflows"
        yield kit.button("Cancel", ids.BULK_CANCEL, bulk.id, label=label)
    if run.state is BulkState.STOPPING:
        label = "Abort: begin no further stop, leave the rest running"
        yield kit.button("Abort", ids.BULK_ABORT, bulk.id, label=label, danger=True)
    left, calls = (len(some) for some in _without_bot(bulk, run))
    if run.state is BulkState.DONE and left:
        label = f"Ask again for the {left} that are left; nothing is stopped by asking"
        yield kit.button("Ask again for the rest…", ids.BULK_REMAINDER, bulk.id, label=label)
    if run.state not in {BulkState.CANCELLED, BulkState.EXPIRED} and (left or calls):
        label = "Show the commands that do the same without this bot"
        yield kit.button("Without this bot…", ids.BULK_WITHOUT_BOT, bulk.id, label=label)


def _small_print(bulk: Bulk, run: Run, command: str) -> Iterator[str]:
    asker = f"Asked by {mention(bulk.asked_by)}" + (", who can't stop in bulk" if bulk.on_behalf else "")
    yield asker + (f": {escaped(bulk.reason, 500)}" if bulk.reason else "")
    if run.state is BulkState.OPEN:
        yield who_can_press(bulk)
    if run.state in {BulkState.STOPPING, BulkState.ABORTING} and run.until is not None:
        yield f"No stop is sent after {date_token(run.until)}"
    if run.state is BulkState.DONE:
        yield f"Every stop is in {code(f'{command} audit')}"
    if run.ending is not None and run.ending.receipt:
        yield f"Receipt {code(run.ending.receipt)}"


# ---------------------------------------------------------------- bulk refusal
# Draw the answer to `stop all` when there is no card: too many, none, or no reason. It says what to type.

_GROUPS_SAID = 5
_OLDER: Final = timedelta(minutes=10)
_A_WHILE: Final = timedelta(minutes=1)
_SHORTEST: Final = timedelta(seconds=1)


def bulk_unasked(unasked: CardRefusal, *, command: str) -> Message:
    """Say privately why there is no card; nothing was stopped. Above the ceiling a card for the oldest is one press
    away.
    """
    asked = typed(StopAll(unasked.filters))
    match unasked.why:
        case NoCard.NO_REASON:
            example = to_type(command, f'{asked} "why"')
            shown = f": {example}" if example else ""
            return Message(f"A stop needs a reason here. Type it after the filters{shown}. Nothing was stopped.")
        case NoCard.TOO_MANY:
            words, limit = _too_many(unasked, command), unasked.limit
            value = ids.encode_stop_all(unasked.filters)
            if unasked.on_behalf or len(value) > kit.LONGEST_VALUE:  # such words are typed, not pressed
                return Message(words)
            label = f"Ask to stop the oldest {limit}; nothing stops yet"
            oldest = kit.button(f"The oldest {limit}…", ids.BULK_OLDEST, value, label=label)
            return Message(words, (kit.section(words), kit.actions(oldest)))
        case NoCard.NOTHING_FITS:
            return Message(_nothing(unasked, command))


def _too_many(unasked: CardRefusal, command: str) -> str:
    groups = "; ".join(
        f"{group.count} × {bold(group.flow_name or 'without a known flow', 80)}: {escaped(group.words, 100)}"
        for group in unasked.groups[:_GROUPS_SAID]
    )
    narrowed = _narrower(unasked)
    example = to_type(command, typed(StopAll(narrowed))) if narrowed != unasked.filters else ""
    narrower = f", for example {example}" if example else ""
    return (
        f"{unasked.count} activeflows match. The limit is {unasked.limit} at once. Nothing was stopped. "
        f"Narrow it with flow:, is:, type:, action:, older: or newer:{narrower}. They are {groups}."
    )


def _narrower(unasked: CardRefusal) -> Filters:
    """Narrow the filters by the age of the oldest ones, so that it does fit.

    Where that cannot be told: by an age, else by the flow of the largest group, else by another age: one that is
    possible and leaves some out.
    """
    if (age := _age_that_fits(unasked)) is not None:
        return replace(unasked.filters, older=age)
    filters, largest = unasked.filters, next((group for group in unasked.groups if group.flow_name), None)
    if filters.older is None and (filters.newer is None or filters.newer >= _OLDER):
        return replace(filters, older=_OLDER)
    if filters.flow is None and largest is not None:
        return replace(filters, flow=largest.flow_name)
    older = max(_OLDER, 2 * (filters.older or _OLDER))
    if filters.newer is None or older <= filters.newer:
        return replace(filters, older=older)
    return replace(filters, newer=max(filters.newer / 2, filters.older or _SHORTEST))


def _age_that_fits(unasked: CardRefusal) -> timedelta | None:
    """Return an age that at most as many have as are allowed, now and for a while: the most of them for which there
    is one.
    """
    frozen = unasked.frozen
    if frozen is None:
        return None
    ages = [frozen.as_of - each.created_at for each in frozen.members if each.created_at is not None]
    whole = [timedelta(seconds=age // _SHORTEST) for age in ages]
    for margin in (_A_WHILE, _SHORTEST):
        for count in range(min(unasked.limit, len(ages) - 1), 0, -1):
            if whole[count - 1] - ages[count] >= margin and whole[count - 1] >= _SHORTEST:
                return whole[count - 1]
    return None


def _nothing(unasked: CardRefusal, command: str) -> str:
    which = "that you can see" if unasked.on_behalf else "that you can stop in bulk"
    words = [f"No running activeflow {which} matches {code(unasked.filters.words(), 300)}."]
    frozen = unasked.frozen
    if frozen is not None and frozen.similar:
        words.append(f"Did you mean {' or '.join(bold(name, 100) for name in frozen.similar)}?")
    if frozen is not None and frozen.left.uncertain:
        few = ", ".join(code(id_.hex[:8]) for id_ in frozen.left.uncertain[:10])
        words.append(f"It is not certain that these match, so they are not stopped: {few}.")
    if frozen is not None and frozen.left.unnamed:
        words.append(f"The flow names of {frozen.left.unnamed} could not be read.")
    return " ".join([*words, f"All that run: {code(f'{command} list')}. Nothing was stopped."])


# ---------------------------------------------------------------- bulk cards
# Keep the bulk stop cards true (``bulk.ports.BulkCards``): edited in place, one edit after the other.


class BulkCards:
    """``presses``: who hears about a press within seconds (``StopCards.promise``), whatever it was on."""

    def __init__(self, presses: StopCards) -> None:
        self._presses = presses

    async def show(self, bulk: Bulk, run: Run, press: Press | None, *, guard: Guard | None = None) -> bool:
        """Change the card for everybody, or tell the presser; whether somebody could see it."""
        message = bulk_card(bulk, run, self._presses.typed_in(bulk.thread))
        interaction = from_press(press) if press is not None else None
        self._presses.begun(press)
        where = SentMessage(bulk.channel, bulk.message_ts or (interaction.message_ts if interaction else ""))
        over = run.ending is not None or run.state in {BulkState.CANCELLED, BulkState.EXPIRED}
        aloud = run.ending is None and run.state is not BulkState.CANCELLED  # else the presser hears of it otherwise
        seen = await self._presses.edits.edit(bulk.id, where, message, interaction, guard=guard, over=over, aloud=aloud)
        self._presses.answered(press, header_of(message), over=over)
        return seen

    async def add_origin(
        self,
        bulk: Bulk,
        where: SentMessage,
        origin: Origin,
        who_may: tuple[str, ...],
        still_open: Callable[[], Awaitable[bool]],
    ) -> None:
        """Say on a card that can still be pressed what goes on; what a press has drawn is never drawn over."""

        async def drawn() -> Message | None:
            if not await still_open():
                return None
            typed = self._presses.typed_in(bulk.thread)
            return bulk_card(bulk, Run(), typed, who_may=who_may, origin=origin)

        await self._presses.edits.redraw(bulk.id, where, drawn, None)

    async def decline(self, press: Press, declined: Declined) -> bool:
        return await self._presses.decline(press, declined)

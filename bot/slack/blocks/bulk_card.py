"""Draw the bulk stop card: a question, then a progress bar edited in place, then what became of each.

Everybody in the channel reads the same words. Decision: members are counted while it runs and named (by short id, a few
of each kind) when it is over; all of them are in the audit.
"""

from collections.abc import Iterator
from typing import Final
from uuid import UUID

from bot.activeflows.bulk.bulk_stop import Bulk, BulkState, Origin, Run, remainder
from bot.activeflows.bulk.tally import bar, tally
from bot.slack import ids, kit
from bot.slack.blocks.bulk_question import matches, put_to, what_fits, what_goes_on, what_it_does, who_can_press
from bot.slack.blocks.bulk_result import hang_ups, on_the_line, what_became
from bot.slack.blocks.manual_commands import all_without_bot, any_without_bot
from bot.slack.blocks.mrkdwn import bold, code, date_token, escaped, mention
from bot.slack.messaging.messenger import Message

_BAR: Final = 20


def bulk_card(
    bulk: Bulk, run: Run, command: str, *, who_may: tuple[str, ...] = (), origin: Origin | None = None
) -> Message:
    """The card of this bulk at this point. ``command``: the slash command, for what to type next.

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
    """The commands that do the same for those that are left, for whoever asks."""
    lines = [*all_without_bot(_without_bot(bulk, run)[0]), *all_without_bot(_without_bot(bulk, run)[1], "calls hangup")]
    words = " ".join(lines) or "Nothing is left to stop."
    return Message(words, tuple(kit.section(line) for line in lines or [words]))


def _without_bot(bulk: Bulk, run: Run) -> tuple[list[UUID], list[UUID]]:
    """The activeflows that are left, and the calls of callers who stayed."""
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
    """As in "31 of 50 ended · 2 had already ended · 1 not known · 16 left"."""
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
    """The bulk's id and nothing else."""
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

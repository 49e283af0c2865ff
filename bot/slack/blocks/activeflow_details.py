"""Draw one activeflow: what it does now, what it runs for, what it did, and what stopping it would do."""

from collections.abc import Iterator
from datetime import datetime

from bot.activeflows.ages import in_words
from bot.activeflows.model import STEP_BUDGET, Call
from bot.activeflows.operators import Operator, Permission
from bot.activeflows.queries.details import Details
from bot.activeflows.redaction import masked
from bot.slack import ids, kit
from bot.slack.blocks import row_buttons
from bot.slack.blocks.activeflow_list import STATUS_WORDS, reference
from bot.slack.blocks.anomalies import look_words, troubles_aloud
from bot.slack.blocks.disclosure import reveal
from bot.slack.blocks.lineage import relatives
from bot.slack.blocks.mrkdwn import bold, code, date_token, escaped, plain
from bot.slack.blocks.step_lines import step_lines
from bot.slack.messaging.messenger import Message

_NAMED = 5


def activeflow_details(details: Details, operator: Operator, *, command: str) -> Message:
    """Details for one person's eyes, with every age as of when it was read; the caller is masked."""
    sight, activeflow = details.sight, details.sight.activeflow
    name = row_buttons.name_of(sight.flow_name)
    blocks = [
        kit.header(plain(name, 150)),
        kit.section(_now(details)),
        kit.fields(_fields(details)),
        kit.section(f"*What stopping it does*\n{_bullets(sight.effects)}"),
    ]
    blocks += [*step_lines(details), *relatives(activeflow, details.family, details.as_of)]
    small = f"as of {date_token(details.as_of)} · read again: {code(f'{command} show {activeflow.short_id}')}"
    blocks += [kit.context(small), _buttons(details, operator)]
    aloud = [
        f"{escaped(name, 150)} {activeflow.short_id}. {STATUS_WORDS[activeflow.status]}:",
        f"{escaped(sight.situation.words, 400)}.",
        *troubles_aloud(details.troubles),
        *(escaped(effect, 300) for effect in sight.effects),
    ]
    return Message(" ".join(aloud), tuple(blocks))


def _now(details: Details) -> str:
    situation = details.sight.situation
    words = f"{bold(STATUS_WORDS[details.sight.activeflow.status])} · {escaped(situation.words, 400)}"
    warning = [f"*Warning:* {escaped(situation.warning, 200)}"] if situation.warning else []
    return "\n".join([words, *warning, *look_words(details.troubles, situation)])


def _fields(details: Details) -> Iterator[str]:
    """At most ten."""
    sight, activeflow, now = details.sight, details.sight.activeflow, details.as_of
    yield f"*Activeflow*\n{code(str(activeflow.id))}"
    flow_id = code(activeflow.flow_id.hex[:8]) if activeflow.flow_id else ""
    known = escaped(sight.flow_name, 150) if sight.flow_name else "name not known" if flow_id else "none"
    yield f"*Flow*\n{known} {flow_id}".rstrip()
    age = activeflow.age(now)
    if activeflow.created_at is not None and age is not None:
        yield f"*Began*\n{in_words(age)} ago, {date_token(activeflow.created_at)}"
    else:
        yield "*Began*\nnot known"
    if activeflow.updated_at is not None:
        what = "Ended" if activeflow.ended else "Last change"
        yield f"*{what}*\n{date_token(activeflow.updated_at)}"
    yield f"*Runs for*\n{reference(activeflow)}{_call(sight.call, now)}"
    yield f"*Steps used*\n{activeflow.steps_used} of {STEP_BUDGET}"
    if details.entered:
        yield f"*Flows entered*\n{_entered(details.entered)}"
    if activeflow.on_complete_flow_id is not None:
        follower = escaped(sight.on_complete.name, 150) if sight.on_complete and sight.on_complete.name else "flow"
        named = f"{follower} {code(activeflow.on_complete_flow_id.hex[:8])}"
        yield f"*When it ended*\n{named} should have started" if activeflow.ended else f"*When it ends*\n{named} starts"


def _call(call: Call | None, now: datetime) -> str:
    if call is None:
        return ""
    since = f" for {in_words(now - call.answered_at)}" if call.answered_at is not None and not call.over else ""
    return f"\n{escaped(call.direction, 20)}, {escaped(masked(call.caller), 60)}, {escaped(call.status, 20)}{since}"


def _entered(names: tuple[str | None, ...]) -> str:
    """As in "Billing, Opening hours and 2 more"; it is still the same activeflow."""
    known = [escaped(name, 80) for name in names if name][:_NAMED]
    more = len(names) - len(known)
    if not known:
        return "1, name unknown" if more == 1 else f"{more}, names unknown"
    return ", ".join(known) + (f" and {more} more" if more else "")


def _bullets(lines: tuple[str, ...]) -> str:
    return "\n".join(f"• {escaped(line, 300)}" for line in lines)


def _buttons(details: Details, operator: Operator) -> kit.Block:
    activeflow, name = details.sight.activeflow, details.sight.flow_name
    again = kit.button(
        "Refresh",
        ids.SHOW_AGAIN,
        ids.encode_activeflow(activeflow.id),
        label=f"Read {plain(row_buttons.name_of(name), 45)} {activeflow.short_id} again",
    )
    may_stop = activeflow.running and operator.may(Permission.STOP, activeflow.flow_id)
    may_reveal = operator.may(Permission.REVEAL, activeflow.flow_id)
    return kit.actions(
        again,
        *([reveal(activeflow, name)] if may_reveal else []),
        *([row_buttons.ask_stop(activeflow, name)] if may_stop else []),
    )

"""Say to the presser alone why a press was not taken: the rule, what was not done, what to do next."""

from datetime import datetime
from typing import Final

from bot.activeflows.operators import Reach
from bot.activeflows.records import Record
from bot.activeflows.stopping.stop import Declined, DeclineReason, Press, PressKind
from bot.slack import ids, kit
from bot.slack.blocks.activeflow_parts import with_way_out
from bot.slack.kit import code, date_token, escaped, mention, mentions
from bot.slack.messaging.messenger import Message

_CALLS: Final = {
    "hung_up": "The call was hung up",
    "hanging_up": "The call is hanging up",
    "up": "The call is still up",
    "unknown": "It is not known whether the call was hung up",
}


def declined_press(declined: Declined, command: str, *, ask: kit.Block | None = None) -> Message:
    """Draw one short private message; ``ask`` stands below it for whoever may not, when somebody can be asked."""
    again = ""
    if declined.activeflow_id is not None:
        again = f" To stop it now: {code(f'{command} stop {declined.activeflow_id.hex[:8]}')}"
    words = _words(declined, again)
    if (
        declined.why in {DeclineReason.IDENTITY_UNKNOWN, DeclineReason.SLACK_REFUSES, DeclineReason.LEDGER}
        and declined.activeflow_id is not None
    ):
        return with_way_out(Message(words), declined.activeflow_id)
    if declined.why is not DeclineReason.NOT_PERMITTED or ask is None or not declined.who_may:
        return Message(words)
    return Message(words, (kit.section(words), ask))


def declined_on_record(record: Record) -> Declined:
    """Return why a press was refused, as it was written down."""
    why, because = (str(record.detail.get(name) or "") for name in ("why", "because"))
    known = why in set(DeclineReason)
    return Declined(
        DeclineReason(why) if known else DeclineReason.NO_SUCH_CARD, because, activeflow_id=record.activeflow_id
    )


def ask_others(id_: str, action_id: str = ids.ASK_OTHERS) -> kit.Block:
    """Draw the button *Ask someone who can*: it puts the stop of this intent, or with ``ids.BULK_ASK_OTHERS`` this
    bulk, to those who may.
    """
    button = kit.button("Ask someone who can", action_id, id_)
    return kit.actions(button, block_id=f"ask:{id_}")


def _words(declined: Declined, again: str) -> str:
    nothing = "Nothing was stopped by your press."
    match declined.why:
        case DeclineReason.NOT_PERMITTED:
            asked = mentions(declined.who_may)
            ask = f" You can ask {asked}: their press on the card counts." if asked else ""
            return f"You can't stop this: {escaped(declined.because, 600)}. {nothing}{ask}"
        case DeclineReason.IDENTITY_UNKNOWN | DeclineReason.SLACK_REFUSES:
            return _unknown(declined)
        case DeclineReason.OWN_REQUEST | DeclineReason.NO_REASON | DeclineReason.TOO_MANY:
            return f"{_rule(declined)} {nothing}"
        case DeclineReason.TAKEN:
            return f"{mention(declined.by)} is stopping it already. The card will show what happens."
        case DeclineReason.LATE:
            return f"This card has expired. {nothing}{again}"
        case DeclineReason.SUPERSEDED:
            return f"This card has changed since you saw it. {nothing} Read it again before you press."
        case DeclineReason.CANCELLED:
            return f"This card was cancelled. {nothing}{again}"
        case DeclineReason.OVER:
            return f"This card was already used. It says what happened. {nothing}"
        case DeclineReason.LEDGER | DeclineReason.CARD_UNREAD:
            return _unrecorded(declined, nothing)
        case _:
            return f"I don't know this card any more. {nothing}"


def _unrecorded(declined: Declined, nothing: str) -> str:
    if declined.why is DeclineReason.CARD_UNREAD:
        call = _CALLS.get(declined.because, _CALLS["unknown"])
        return f"{call}. The card could not be changed, because my records could not be read."
    unwritten = "Your press could not be recorded. Without a record I stop nothing."
    return f"{unwritten} {nothing} The card says how to stop it without me."


def _rule(declined: Declined) -> str:
    if declined.why is DeclineReason.OWN_REQUEST:
        return "A stop needs two people here. Someone other than whoever asked has to press."
    if declined.why is DeclineReason.TOO_MANY:
        return f"That is too many at once now: {escaped(declined.because, 300)}. Ask for fewer."
    then = "Press it again" if declined.activeflow_id is not None else "Ask for it again"
    return f"A stop needs a reason here, and this one has none. {then} and say why."


def _unknown(declined: Declined) -> str:
    because = escaped(declined.because, 300)
    if declined.why is DeclineReason.SLACK_REFUSES:
        return (
            f"Slack refuses this bot ({because}). I can't tell who you are, so I stop nothing. "
            "Waiting won't help. Tell whoever looks after this bot."
        )
    return (
        f"Slack did not tell me who you are and what groups you are in, so I stop nothing"
        f" ({because}). Please press again in a moment."
    )


# ---------------------------------------------------------------- stuck press
# Say that a press is stuck half-way, to whoever pressed and below its card, as far as is known.

_WHAT: Final = {PressKind.STOP: "stop", PressKind.HANG_UP: "hang-up", PressKind.BULK: "bulk stop"}


def stuck_press(press: Press, at: datetime, *, untouched: bool, incident: str = "") -> Message:
    """Say that a press is stuck. ``untouched``: certainly nothing was sent for it. ``incident``: of the bug; empty
    when the database does not answer.
    """
    whose = f"{mention(press.by)}’s {_WHAT[press.wish]}"
    if untouched:
        so_far = f"Nothing has been sent for {whose} yet, as of {date_token(at)}"
    else:
        so_far = f"As of {date_token(at)}, {whose} may or may not have been sent"
    if incident:
        return Message(
            f"This bot hit a bug in the middle of {whose}. {so_far}. It goes on when the bot is "
            f"next started. Check before you try again. Tell whoever looks after this bot: incident {code(incident)}."
        )
    further = "Nothing" if untouched else "Nothing further"
    return Message(
        f"My database does not answer. {so_far}. {further} is sent until it does. Then the card will show what happens."
    )


# ---------------------------------------------------------------- places
# Say where somebody may do something.

_MOST: Final = 10


def places(reach: Reach) -> str:
    """Say where, as in "in any channel", "in #incidents and #night-shift"."""
    if reach.anywhere:
        return "in any channel"
    named = [mention(channel) for channel in reach.channels[:_MOST]]
    more = len(reach.channels) - len(named)
    if more:
        return f"in {', '.join(named)} and {more} more"
    return f"in {' and '.join([', '.join(named[:-1]), named[-1]] if named[1:] else named)}"

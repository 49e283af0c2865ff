"""Say what went wrong: what happened, what was and was not done, what to do next.

``explained`` knows each class of ``bot.activeflows.errors``; ``incident`` is for what nobody foresaw. The words hold
nothing but what the error was given for people to read; what is typed or named by others is escaped. Tracebacks go to
the log as places in the code, without messages and values: those may hold personal data.
"""

import secrets
import traceback
from typing import Final

import structlog

from bot.activeflows.errors import (
    AccountFrozen,
    AccountNotSetUp,
    Ambiguous,
    BotError,
    CredentialRejected,
    Failure,
    IdentityUnknown,
    LedgerUnavailable,
    NotFound,
    NothingToStop,
    NotOurs,
    NotPermitted,
    NotUnderstood,
    PaymentDue,
    SlackRefuses,
    StateConflict,
    StopUnconfirmed,
    TooManySearches,
    VoIPBINBroken,
    VoIPBINBusy,
    VoIPBINUnreachable,
)
from bot.activeflows.model import Activeflow
from bot.activeflows.operators import Permission
from bot.slack import kit
from bot.slack.blocks.help import to_type
from bot.slack.kit import MOST_ASKED, bold, code, date_token, escaped, mention, mentions
from bot.slack.messaging.messenger import Message

log = structlog.get_logger(__name__)

BUSY: Final = Message("I'm overloaded right now. Nothing was done about this one. Please try again in a minute.")
CLOSING: Final = Message("I'm restarting. Nothing was done about this one. Please try again in a minute.")
_MOST_CANDIDATES: Final = 10
_NOTHING: Final = "Nothing was stopped or changed."
_DOES: Final = {
    Permission.VIEW: "see activeflows",
    Permission.STOP: "stop activeflows",
    Permission.BULK: "stop activeflows in bulk",
    Permission.APPROVE: "approve bulk stops",
    Permission.REVEAL: "see unmasked numbers",
    Permission.AUDIT: "read everybody’s records",
}
_CARETAKER: Final = "tell whoever looks after this bot"


def still_working(doing: str) -> Message:
    """Say that the bot still works, when nothing visible was said for a while. ``doing``: "reading the activeflows",
    or empty.
    """
    return Message(f"Still working on it: {escaped(doing, 150)}. The answer follows." if doing else _STILL)


_STILL: Final = "Still working on it. The answer follows."


def root_of(error: BaseException) -> BaseException:
    """Return the error itself, or the first one of ours inside a group that a ``TaskGroup`` made of it."""
    if isinstance(error, BaseExceptionGroup):
        leaves = [root_of(inner) for inner in error.exceptions]
        return next((leaf for leaf in leaves if isinstance(leaf, BotError)), leaves[0])
    return error


def explained(error: BotError, *, command: str = "") -> Message:
    """Draw the words for one of ours, to be told privately. ``command``: what a line to type begins with."""
    words = _refusal(error, command) if not isinstance(error, Failure) else _failure(error)
    blocks = [kit.section(words)]
    if isinstance(error, Failure):
        details = escaped(error.what, 300, empty="")
        details += f" · request {code(error.request_id, 100)}" if error.request_id else ""
        if details:
            blocks.append(kit.context(details))
    return Message(words, tuple(blocks))


def incident(error: BaseException, *, user: str, doing: str = "") -> Message:
    """Draw the words for a bug, with an id that finds its places in the log. Writes that log line."""
    number = reported(error, user=user, doing=doing)
    return Message(
        f"This bot hit a bug. I don't know what was done before it: "
        f"check before you try again. To get it fixed, {_CARETAKER}: incident {code(number)}."
    )


def reported(error: BaseException, *, user: str, doing: str = "") -> str:
    """Return the id of a bug, under which the log has its places."""
    number = secrets.token_hex(4)
    log.error("bug", incident=number, user=user, doing=doing, error=type(error).__name__, where=places(error))
    return number


def places(error: BaseException) -> list[str]:
    """Return where in the code it happened, then the error's class; what led to it comes first. No messages, no
    values.
    """
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    before = places(cause) if cause is not None else []
    frames = traceback.extract_tb(error.__traceback__)
    return [*before, *(f"{_module(at.filename)}:{at.lineno} {at.name}" for at in frames), type(error).__name__]


def _module(filename: str) -> str:
    return "/".join(filename.replace("\\", "/").split("/")[-3:])


def _refusal(error: BotError, command: str) -> str:
    match error:
        case NotUnderstood():
            better = to_type(command, error.suggestion) if command else ""
            meant = f" Did you mean {better}?" if better else ""
            return f"I did not understand that: {escaped(error.problem, 600).rstrip('.')}.{meant}"
        case NotPermitted():
            return _not_permitted(error)
        case NotFound():
            looked = f" {_sentence(escaped(error.looked, 300))}" if error.looked else ""
            return f"No activeflow matches {code(error.target, 200)}.{looked} {_NOTHING}"
        case Ambiguous():
            return _ambiguous(error)
        case NotOurs():
            return (
                f"VoIPBIN does not let me read {code(str(error.activeflow_id))}. It belongs to another "
                f"customer's account, or my credential has too few rights. {_NOTHING}"
            )
        case NothingToStop():
            return f"{_one(error.activeflow)} has already ended. {_NOTHING}"
        case TooManySearches():
            return (
                f"You have searched {error.most} phone numbers in an hour, which is the limit for one person. "
                "Nothing was searched now. "
                f"You can search the next one from {date_token(error.again_at)}. Ids, names and words still work."
            )
        case _:
            return f"That was refused. {_NOTHING}"


def _not_permitted(error: NotPermitted) -> str:
    decision = error.decision
    what = _DOES[decision.permission]
    if decision.channels:
        words = f"You can't {what} from this channel. Use {' or '.join(map(mention, decision.channels[:MOST_ASKED]))}."
    elif decision.unnamed:
        words = f"You don't have permission to {what}."
    else:
        words = f"You can't {what}: {escaped(decision.because, 600)}."
    words = f"{words} Nothing was done."
    if not decision.who_may:
        return words if decision.channels else f"{words} To be added, ask whoever looks after this bot."
    others = " and others" if len(decision.who_may) > MOST_ASKED else ""
    return f"{words} You can ask {mentions(decision.who_may)}{others}."


def _ambiguous(error: Ambiguous) -> str:
    shown = [f"• {_one(candidate)}" for candidate in error.candidates[:_MOST_CANDIDATES]]
    more = len(error.candidates) - len(shown)
    shown += [f"… and {more} more"] if more > 0 else []
    return "\n".join(
        [
            f"{code(error.target, 200)} matches more than one activeflow. {_NOTHING} Type more of the id:",
            *shown,
        ]
    )


def _one(activeflow: Activeflow) -> str:
    began = f", began {date_token(activeflow.created_at)}" if activeflow.created_at else ""
    kind = f", {escaped(activeflow.reference.type, 40)}" if activeflow.reference.type else ""
    return f"{code(str(activeflow.id))} ({activeflow.status.value}{kind}{began})"


def _failure(error: Failure) -> str:
    match error:
        case VoIPBINUnreachable():
            return f"{bold('VoIPBIN cannot be reached.')} {_NOTHING} Try again in a moment."
        case VoIPBINBusy():
            wait = f"{max(1, round(error.retry_after))} s"
            return f"{bold('VoIPBIN is refusing requests right now.')} {_NOTHING} Try again in {wait}."
        case CredentialRejected():
            return (
                f"{bold('VoIPBIN does not accept my credential.')} {_NOTHING} Try once more. "
                f"If it stays like this, {_CARETAKER} to check the access key."
            )
        case AccountFrozen():
            return f"{bold('This VoIPBIN account is frozen')} (scheduled for deletion). {_NOTHING} Please {_CARETAKER}."
        case VoIPBINBroken():
            return (
                f"{bold('VoIPBIN had an error of its own.')} {_NOTHING} Try again in a moment. "
                "If it stays like this, VoIPBIN's support can find it by the request id."
            )
        case StopUnconfirmed():
            return (
                f"{bold('The stop was sent. Its answer was lost.')} It is not known yet whether it ended. "
                "Look at the activeflow again before you do anything else."
            )
        case SlackRefuses():
            return (
                f"{bold('Slack refuses this bot.')} I can't tell who you are. {_NOTHING} "
                f"Waiting won't help. To get it fixed, {_CARETAKER}: the app's token and scopes have to be checked."
            )
        case IdentityUnknown():
            return f"{bold('Slack did not tell me who you are.')} {_NOTHING} Try again in a moment."
        case LedgerUnavailable():
            return (
                f"{bold('The record could not be written.')} Without a record I stop nothing. {_NOTHING} "
                f"To get it fixed, {_CARETAKER}."
            )
        case _:
            return _other(error)


def _other(error: Failure) -> str:
    match error:
        case AccountNotSetUp():
            return (
                f"{bold('This bot is not set up for the VoIPBIN account of this.')} {_NOTHING} "
                f"VoIPBIN was not asked, and nothing was sent. To get it set up, {_CARETAKER}."
            )
        case PaymentDue():
            return (
                f"{bold('This VoIPBIN account has to be paid first.')} {_NOTHING} "
                "Tell whoever looks after the account at VoIPBIN."
            )
        case StateConflict():
            return (
                f"{bold('VoIPBIN refused it, because of the state it is in.')} {_NOTHING} "
                "Look at it again before you do anything else."
            )
        case _:
            return f"{bold('It did not work.')} {_NOTHING} Try again in a moment."


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:] + ("" if words.endswith((".", "…")) else ".")

"""Say why Slack did not show a message, and what helps: by Slack's own word for it, or without a cause.

The one place that turns a word of Slack's into advice. A word that is not in the table names no cause: inviting the bot
helps against ``not_in_channel`` and against nothing else.

https://docs.slack.dev/reference/methods/chat.postMessage#errors, https://docs.slack.dev/reference/methods/chat.update#errors
"""

import re
from dataclasses import dataclass
from typing import Final

DOUBTFUL: Final = frozenset({"lost", "unreadable", "internal_error", "fatal_error", "service_unavailable"})
"""After these a message may be there or not; any other word of Slack's means that it certainly is not."""
BAD_BLOCKS: Final = frozenset({"invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long"})
_TELL: Final = "tell whoever looks after this bot"
_INVITE: Final = "invite the bot to the channel"
_DONE: Final = {"posted": "be there", "changed": "say so already"}
_WORD: Final = re.compile(r"[a-z_]{1,60}")


@dataclass(frozen=True, slots=True)
class _Known:
    cause: str
    helps: str = ""


_FORM: Final = _Known("Slack did not accept its form, which is a bug of this bot", _TELL)
_TOKEN: Final = _Known("Slack does not accept the bot's token any more", _TELL)
_SCOPE: Final = _Known("the app is not allowed to do that in this workspace", _TELL)
_NO_MEMBER: Final = _Known("the bot is not a member of the channel", _INVITE)
_RUN_OUT: Final = _Known("without being a member, the bot can answer only five times within half an hour", _INVITE)
ADVISED: Final = {
    "not_in_channel": _NO_MEMBER,
    "channel_not_found": _Known(
        "Slack shows the bot no such channel: it no longer exists, or it is private and the bot is not a member",
        "if it is still there, " + _INVITE,
    ),
    "is_archived": _Known("the channel is archived", "use another channel"),
    "message_not_found": _Known("the message no longer exists"),
    "thread_not_found": _Known("the thread no longer exists"),
    "cant_update_message": _Known("Slack does not let the bot change that message"),
    "edit_window_closed": _Known("Slack does not let that message be changed any more"),
    "restricted_action": _Known("posting in this channel is restricted", "use another channel"),
    "ratelimited": _Known("Slack asked the bot to slow down", "try again in a minute"),
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
    """One sentence or two: what could not be ``did`` (posted, changed), why, and what helps. ``what``: "The stop card".

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

"""The record of who did what, newest first."""

from collections.abc import Sequence
from typing import Final

from slack_sdk.models.blocks import Block, ContextBlock, HeaderBlock, MarkdownTextObject, PlainTextObject, SectionBlock

from bot.activeflows.records import Entry, Question, What
from bot.slack.blocks.mrkdwn import code, date_token, escaped, mention
from bot.slack.telling import Message

_DID: Final = {
    What.ASKED: "asked to stop",
    What.PRESSED: "pressed Stop flow for",
    What.REFUSED: "was refused to stop",
    What.MOVED: "was asked once more about",
    What.SENDING: "had a stop sent for",
    What.ANSWERED: "got VoIPBIN’s answer about",
    What.OUTCOME: "learned how it went with",
    What.CANCELLED: "put away the card of",
}
_WHEN: Final = "{date_short_pretty} {time_secs}"
_IN_ONE_BLOCK: Final = 5


def audit_list(entries: Sequence[Entry]) -> Message:
    """For the asker's eyes: they may read the audit."""
    lines = [_line(entry) for entry in entries]
    blocks: list[Block] = [HeaderBlock(text=PlainTextObject(text="Who did what"))]
    for start in range(0, len(lines), _IN_ONE_BLOCK):
        text = "\n".join(lines[start : start + _IN_ONE_BLOCK])
        blocks.append(SectionBlock(text=MarkdownTextObject(text=text)))
    if not entries:
        blocks.append(SectionBlock(text=MarkdownTextObject(text="No record fits.")))
    blocks.append(ContextBlock(elements=[MarkdownTextObject(text=_small(entries))]))
    aloud = [f"Who did what: {len(entries)} records, newest first.", *lines[:_IN_ONE_BLOCK]]
    return Message(" ".join(aloud), tuple(blocks))


def _line(entry: Entry) -> str:
    record = entry.record
    about = code(record.activeflow_id.hex[:8]) if record.activeflow_id else "an activeflow"
    where = f" in {mention(record.channel)}" if record.channel else ""
    reason = f": “{escaped(record.reason, 120)}”" if record.reason else ""
    details = ", ".join(f"{escaped(key, 30)} {escaped(str(value), 60)}" for key, value in _telling(record.detail))
    told = f" ({details})" if details else ""
    return f"{date_token(record.at, _WHEN)} {mention(record.who)} {_DID[record.what]} {about}{where}{reason}{told}"


def _telling(detail: object) -> list[tuple[str, object]]:
    """What is worth a word: at most four details that say something."""
    pairs = detail.items() if isinstance(detail, dict) else ()
    return [(key, value) for key, value in pairs if value not in (None, "", False)][:4]


def _small(entries: Sequence[Entry]) -> str:
    most = Question().limit
    newest = f"newest receipt {code(entries[0].receipt)}" if entries else "nothing is recorded"
    more = f" · the newest {most} only; all of it: {code('flows-bot audit export')}" if len(entries) >= most else ""
    return f"{newest}{more}"

"""Draw the recap of one channel: for whoever asks, for everybody, and as files for the post-mortem.

One line for each press, question, refusal and alert; the files have all of them, the message the newest of each kind.
"""

import csv
import io
import re
from collections.abc import Iterator
from html import unescape
from typing import Final

from bot.activeflows.alerting.decision import StoredAlertClaim
from bot.activeflows.recap import MOST, Recap, RecapEntry
from bot.slack import ids, kit
from bot.slack.blocks.activeflow_parts import TROUBLE_WORDS
from bot.slack.blocks.audit_list import did
from bot.slack.kit import bold, code, date_token, escaped, mention
from bot.slack.messaging.messenger import Message

_SHOWN: Final = 9
"""Lines of a kind in a message."""
_IN_ONE_BLOCK: Final = 3
_MENTION: Final = re.compile(r"<[@#]([A-Z0-9]+)>")
_COLUMNS: Final = ("time", "kind", "who", "what", "flow", "activeflow", "reason", "receipt")
_FORMULA: Final = ("=", "+", "-", "@")
NO_FILES: Final = "The files are left out: the app needs the scope files:write."


def recap_preview(recap: Recap, *, in_thread: bool) -> Message:
    """Draw the recap for whoever asks, with the button that posts it."""
    where = "the thread" if in_thread else "the channel"
    if recap.empty:
        words = f"Nothing to recap: nobody stopped or asked anything in {mention(recap.channel)} {_period(recap)}."
        return Message(words, (kit.section(words),))
    value = ids.encode_period(recap.since, recap.until)
    post = kit.button(f"Post in {where}", ids.RECAP_POST, value, label=f"Post this recap in {where}, with its files")
    only = f"Only you see this. {bold(f'Post in {where}')} also adds it as Markdown and CSV."
    return Message(_aloud(recap), (*_blocks(recap), kit.actions(post), kit.context(only)))


def recap_message(recap: Recap, *, by: str) -> Message:
    """Draw the recap for everybody."""
    return Message(_aloud(recap), (*_blocks(recap), kit.context(f"Posted by {mention(by)}, from the audit")))


def recap_posted(*, files: str) -> Message:
    """Say to whoever posted it that it is there. ``files``: Slack's word for why they are not there; empty: they
    are.
    """
    if not files:
        words = "Posted, with two files."
    elif files == "missing_scope":
        words = f"Posted. {NO_FILES}"
    else:
        words = f"Posted. Slack did not take the files ({escaped(files, 60)})."
    return Message(words)


def recap_files(recap: Recap) -> dict[str, str]:
    """Return their texts by name."""
    return {"recap.md": _markdown(recap), "recap.csv": _csv(recap)}


# ---------------------------------------------------------------- the message


def _aloud(recap: Recap) -> str:
    counted = ", ".join(f"{len(lines)} {kind.lower()}" for kind, lines in _kinds(recap) if lines)
    return f"Recap of {mention(recap.channel)} {_period(recap)}: {counted}."


def _period(recap: Recap) -> str:
    return f"from {date_token(recap.since)} to {date_token(recap.until)}"


def _kinds(recap: Recap) -> Iterator[tuple[str, list[str]]]:
    yield "Pressed", [_line(deed) for deed in recap.pressed]
    yield "Asked, not pressed", [_line(deed) for deed in recap.asked]
    yield "Refused", [_line(deed) for deed in recap.refused]
    yield "Alerts", [_alert(alert) for alert in recap.alerts]


def _blocks(recap: Recap) -> Iterator[kit.Block]:
    yield kit.header("Recap")
    yield kit.section(f"{mention(recap.channel)} {_period(recap)}")
    for kind, lines in _kinds(recap):
        if not lines:
            continue
        shown = lines[-_SHOWN:]
        left = f", the newest {len(shown)}" if len(lines) > len(shown) else ""
        title = f"{bold(kind)} ({len(lines)}{left})"
        for start in range(0, len(shown), _IN_ONE_BLOCK):
            head = [title] if start == 0 else []
            yield kit.section("\n".join([*head, *shown[start : start + _IN_ONE_BLOCK]]))
    if not recap.whole:
        yield kit.context(f"Only the newest {MOST:,} records were read: ask for fewer hours")


def _line(deed: RecapEntry) -> str:
    record = deed.record
    parts = [
        date_token(record.at),
        *([bold(deed.flow, 80)] if deed.flow else []),
        *([code(record.activeflow_id.hex[:8])] if record.activeflow_id else []),
        f"{mention(record.who)} {_did(deed)}",
        *([f"reason: “{escaped(record.reason, 120)}”"] if record.reason else []),
    ]
    return kit.shortened(" · ".join(parts), 900)


def _did(deed: RecapEntry) -> str:
    became = did(deed.became.record).removeprefix("outcome: ") if deed.became else ""
    return f"{did(deed.record)}{f' → {became}' if became else ''}"


def _alert(alert: StoredAlertClaim) -> str:
    return (
        f"{date_token(alert.told_at or alert.since)} · {bold(_trouble(alert))} · "
        f"{code(alert.claim.activeflow_id.hex[:8])}"
    )


def _trouble(alert: StoredAlertClaim) -> str:
    return TROUBLE_WORDS[alert.claim.reason]


# ---------------------------------------------------------------- the files


def _rows(recap: Recap) -> Iterator[tuple[str, ...]]:
    """Yield the rows, oldest first, whatever their kind."""
    kinds = (("pressed", recap.pressed), ("asked", recap.asked), ("refused", recap.refused))
    rows = [(deed.record.at, _row(kind, deed)) for kind, deeds in kinds for deed in deeds]
    for alert in recap.alerts:
        at, id_ = alert.told_at or alert.since, str(alert.claim.activeflow_id)
        rows.append((at, ("alert", "", _trouble(alert), "", id_, "", "")))
    yield from ((f"{at:%Y-%m-%d %H:%M:%S} UTC", *row) for at, row in sorted(rows))


def _row(kind: str, deed: RecapEntry) -> tuple[str, ...]:
    record, receipt = deed.record, (deed.became or deed.entry).receipt
    return kind, record.who, _plain(_did(deed)), deed.flow, str(record.activeflow_id or ""), record.reason, receipt


def _plain(mrkdwn: str) -> str:
    """Write it as it is read in a file: ids of people instead of mentions."""
    return unescape(_MENTION.sub(r"\1", mrkdwn)).replace("`", "")


def _csv(recap: Recap) -> str:
    """Write a cell of a spreadsheet, which takes what begins like a formula for one: such a cell begins with an
    apostrophe.
    """
    text = io.StringIO()
    table = csv.writer(text)
    table.writerow(_COLUMNS)
    table.writerows([f"'{cell}" if cell.startswith(_FORMULA) else cell for cell in row] for row in _rows(recap))
    return text.getvalue()


def _markdown(recap: Recap) -> str:
    lines = [
        f"# Recap of channel {recap.channel}",
        "",
        (
            f"From {recap.since:%Y-%m-%d %H:%M:%S} UTC to {recap.until:%Y-%m-%d %H:%M:%S} UTC, "
            "from the audit of flows-bot."
        ),
        *([] if recap.whole else ["", f"Only the newest {MOST:,} records were read."]),
        "",
        f"| {' | '.join(_COLUMNS)} |",
        f"|{'---|' * len(_COLUMNS)}",
        *(f"| {' | '.join(map(_cell, row))} |" for row in _rows(recap)),
    ]
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    """Write a cell in a table of Markdown's, where nothing formats."""
    return re.sub(r"([\\|`*_<>\[\]])", r"\\\1", " ".join(text.split()))

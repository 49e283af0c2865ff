"""The recap of a channel, as whoever asks sees it, as everybody does, and what is said when it is posted."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

from bot.activeflows.alerting.decision import AlertClaim, StoredAlertClaim
from bot.activeflows.anomalies import Reason
from bot.activeflows.recap import Recap, RecapEntry
from bot.activeflows.records import Entry, Record, RecordKind
from bot.activeflows.stopping.stop import Attribution
from bot.slack.blocks.recap import recap_message, recap_posted, recap_preview
from bot.slack.messaging.messenger import Message

NOW = datetime(2026, 11, 22, 12, 3, 10, tzinfo=UTC)


def recap_screens(words: str) -> Iterator[Message]:
    """Each of them once."""
    empty = Recap("C0INCIDENTS", NOW - timedelta(hours=2), NOW)
    yield recap_preview(empty, in_thread=False)
    yield recap_preview(recap(words), in_thread=True)
    yield recap_message(recap(words), by="U0ALICE")
    yield from (recap_posted(files=word) for word in ("", "missing_scope", "lost"))


def recap(words: str) -> Recap:
    """With more of each kind than is shown."""
    pressed, asked, refused = (
        _entry(what, words) for what in (RecordKind.PRESSED, RecordKind.ASKED, RecordKind.REFUSED)
    )
    ended = _entry(RecordKind.OUTCOME, words, outcome="Ended", attribution=Attribution.THIS_PRESS)
    claims = (AlertClaim(UUID(int=number), Reason.LOOPING, "C0INCIDENTS") for number in range(12))
    return Recap(
        "C0INCIDENTS",
        NOW - timedelta(hours=2),
        NOW,
        pressed=(RecapEntry(pressed, ended, words),) * 12,
        asked=(RecapEntry(asked, None, words),) * 12,
        refused=(RecapEntry(refused, None, words),) * 12,
        alerts=tuple(StoredAlertClaim(claim, "C0INCIDENTS:1", NOW, NOW) for claim in claims),
        whole=False,
    )


def _entry(what: RecordKind, words: str, **detail: str) -> Entry:
    detail |= {"because": words, "why": words}
    return Entry(7, Record("k", NOW, what, "U0ALICE", "C0INCIDENTS", UUID(int=1), "i", words, detail), "7:0f3c2a9b1d")

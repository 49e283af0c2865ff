"""How long is read: until the end; soon, or until a lost stop can no longer be at work."""

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from bot.activeflows.stopping.read_back import ReadState, ReadUntilEnded, Verdict
from bot.activeflows.stopping.stop import Patience

NOW = datetime(2026, 8, 20, 3, 0, tzinfo=UTC)
RUNNING, UNREAD, ENDED = Verdict(ReadState.RUNNING), Verdict(), Verdict(ReadState.ENDED, NOW)
AT_ONCE = Patience(soon=(0.0, 0.0, 0.0), settle=10.0, every=0.0)


class Readings:
    """Verdicts one after the other, the last again and again; each takes so many seconds by the clock."""

    def __init__(self, *verdicts: Verdict, take: float = 1.0) -> None:
        self.verdicts, self.take, self.count, self.now = verdicts, take, 0, 0.0

    async def once(self) -> Verdict:
        verdict = self.verdicts[min(self.count, len(self.verdicts) - 1)]
        self.count += 1
        self.now += self.take
        return verdict

    def until_ended(self) -> ReadUntilEnded:
        return ReadUntilEnded(AT_ONCE, lambda: self.now)


@pytest.mark.parametrize(
    ("verdicts", "last", "count"),
    [
        ([ENDED], ENDED, 1),
        ([RUNNING, ENDED], ENDED, 2),
        ([RUNNING], RUNNING, 3),
        ([RUNNING, RUNNING, UNREAD], UNREAD, 3),
    ],
)
async def test_soon_means_as_often_as_patience_says_or_until_the_end(
    verdicts: Sequence[Verdict], last: Verdict, count: int
) -> None:
    readings = Readings(*verdicts)
    assert await readings.until_ended().soon(readings.once) == last
    assert readings.count == count


@pytest.mark.parametrize(
    ("verdicts", "take", "last", "count"),
    [
        ([RUNNING], 1.0, RUNNING, 10),  # at ten seconds it counts
        ([RUNNING], 3.0, RUNNING, 4),
        ([RUNNING], 10.0, RUNNING, 1),
        ([RUNNING, ENDED], 1.0, ENDED, 2),
        ([UNREAD, RUNNING], 4.0, RUNNING, 3),
    ],
)
async def test_a_reading_counts_once_a_lost_stop_must_be_over(
    verdicts: Sequence[Verdict], take: float, last: Verdict, count: int
) -> None:
    readings = Readings(*verdicts, take=take)
    assert await readings.until_ended().settled(readings.once) == last
    assert readings.count == count


async def test_without_a_pause_nothing_is_read_and_nothing_is_known() -> None:
    readings = Readings(ENDED)
    assert await ReadUntilEnded(Patience(soon=())).soon(readings.once) == Verdict()
    assert readings.count == 0

"""A line that repeats is written once a second, with its count: nobody at the door can fill the disk."""

import io
import logging

import pytest

from bot.logs import AUDIT_HEAD, _OneASecond


class Lines:
    """A logger whose lines are collapsed by a clock of the test's own."""

    def __init__(self, name: str) -> None:
        self.now, self._written = 0.0, io.StringIO()
        self.handler = _OneASecond(self._written, lambda: self.now)
        self.logger = logging.Logger(name)  # noqa: LOG001 - in no tree, so that only this handler hears it
        self.logger.addHandler(self.handler)

    @property
    def written(self) -> list[str]:
        return self._written.getvalue().splitlines()


@pytest.mark.parametrize("name", ["asyncio", "uvicorn.error", "bot.slack.transport.intake", "bot.slack.transport.http"])
def test_what_strangers_cause_is_a_line_a_second_with_its_count(name: str) -> None:
    lines = Lines(name)
    for number in range(3000):
        lines.now = number / 1000
        lines.logger.warning("refused: stale by %d s", number)
    lines.handler.close()
    assert lines.written == [
        "refused: stale by 0 s",
        "refused: stale by 999 s (times=999)",
        "refused: stale by 1999 s (times=1000)",
        "refused: stale by 2999 s (times=1000)",
    ]


def test_of_our_own_lines_only_the_same_ones_are_one() -> None:
    lines = Lines("bot.slack.transport.jobs")
    for user in ("U1", "U2", "U1"):
        lines.logger.info({"event": "job_refused", "user": user, "timestamp": user})
    lines.now = 2.0
    lines.logger.info("another")
    assert [line.partition(", 'timestamp'")[0] for line in lines.written[:2]] == [
        "{'event': 'job_refused', 'user': 'U1'",
        "{'event': 'job_refused', 'user': 'U2'",
    ]
    assert "'user': 'U1'" in lines.written[2]
    assert "'times': 1" in lines.written[2]
    assert lines.written[3] == "another"


def test_lines_that_never_repeat_are_not_held_without_a_bound() -> None:
    lines = Lines("bot")
    for number in range(2000):
        lines.logger.info("line %d", number)
    assert len(lines.written) == 2000
    assert len(lines.handler._said) <= 512


def test_the_audit_s_head_is_always_written() -> None:
    lines = Lines(AUDIT_HEAD)
    for _ in range(3):
        lines.logger.info("head")
    assert lines.written == ["head"] * 3

"""Judge each story by what it made the bot and the simulated Slack say, and print at the end how much that was.

pytest's hooks and fixture, for `tests/conftest.py`; with pytest-xdist each process judges its own stories, and their
counts are added up.
"""

from collections import Counter
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.contract.slack.judge import Judge

_counts: Counter[str] = Counter()


@cache
def _judge() -> "Judge":
    from tests.contract.slack.judge import Judge  # noqa: PLC0415 — the schemas, which unit tests need not wait for

    return Judge(_counts)


@pytest.fixture(autouse=True)
def said_as_slack_says_it(request: pytest.FixtureRequest) -> Iterator[None]:
    """Whatever passed the wire in a story is what Slack's own types allow; unit tests say wrong things on purpose."""
    if "unit" in request.path.parts:
        yield
        return
    from bot.demo.slack.delivery import recorders  # noqa: PLC0415 — so is the simulated Slack

    judge = _judge()
    recorders.append(judge.take)
    yield
    recorders.remove(judge.take)
    found = judge.verdict()
    if found:
        pytest.fail("not what Slack's own types allow:\n" + "\n".join(found), pytrace=False)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Hand the counts of this process to the one that prints them."""
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["slack_wire"] = dict(_counts)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Add up what another process counted."""
    _counts.update(getattr(node, "workeroutput", {}).get("slack_wire", {}))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print how much was judged."""
    if _counts:
        told = ", ".join(f"{number} {what}" for what, number in sorted(_counts.items()))
        terminalreporter.write_line(f"Judged by Slack's own types: {told}")

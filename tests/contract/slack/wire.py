"""Judge each story by what it made the bot and the simulated Slack say, and print at the end how much that was.

pytest's hooks and fixture, for `tests/conftest.py`; with pytest-xdist each process judges its own stories, and their
counts are added up.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from bot.demo.slack.delivery import recorders
from tests.contract.slack.judge import Judge

_judge = Judge()
_elsewhere: Counter[str] = Counter()


@pytest.fixture(autouse=True)
def said_as_slack_says_it(request: pytest.FixtureRequest) -> Iterator[None]:
    """Whatever passed the wire in a story is what Slack's own types allow; unit tests say wrong things on purpose."""
    if "unit" in request.path.parts:
        yield
        return
    recorders.append(_judge.take)
    yield
    recorders.remove(_judge.take)
    found = _judge.verdict()
    if found:
        pytest.fail("not what Slack's own types allow:\n" + "\n".join(found), pytrace=False)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Hand the counts of this process to the one that prints them."""
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["slack_wire"] = dict(_judge.counts)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Add up what another process counted."""
    _elsewhere.update(getattr(node, "workeroutput", {}).get("slack_wire", {}))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print how much was judged."""
    counted = _judge.counts + _elsewhere
    if counted:
        told = ", ".join(f"{number} {what}" for what, number in sorted(counted.items()))
        terminalreporter.write_line(f"Judged by Slack's own types: {told}")

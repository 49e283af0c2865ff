"""Start the bot in processes of its own without loading its modules each time.

Decision: they are forks of one process that has imported everything and opened nothing (multiprocessing's fork server),
which takes a tenth of the time of a start; the tests start hundreds.
"""

import gc
import multiprocessing
import os
from pathlib import Path

_TERMINAL = ("audit_reading", "checks", "policy_answers", "set_up")
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["tests.faults.killed_bot", "bot.command_line", *map("bot.terminal.{}".format, _TERMINAL)])


def become(environment: dict[str, str], folder: Path, out: Path, err: Path | None = None) -> None:
    """Give this fork an environment and a folder of its own, and let what it says go to files."""
    gc.freeze()  # what all forks share is nobody's garbage
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)  # no .env of anybody's
    for number, file in ((1, out), (2, err)):
        if file is not None:
            os.dup2(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)

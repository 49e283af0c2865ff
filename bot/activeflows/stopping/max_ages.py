"""Table how old a fact may be when a stop or a hang-up goes out. All in seconds.

========================  ======  ==========================================================================
fact                      at most  why
========================  ======  ==========================================================================
the policy                0       it is in memory; what is in force is compared once more at the first byte
the look at VoIPBIN       1.5     a caller moves from a menu to an agent at any moment; counted from when it was
                                  asked for, so a slow answer is an old one
claim, fence, deadline    1.0     one transaction of the ledger, by the database's clock; counted from its beginning,
                                  so that a process that was frozen after it notices
what Slack says of people 6.5     5 when the gate asks, and the look comes after it; Slack allows twenty questions about
                                  a group in a minute, and an incident has more presses than that. Where its limits
                                  leave no turn to ask: 30, or 120 for a group while Slack's events about groups
                                  arrive (``bot.slack.people.identity``)
========================  ======  ==========================================================================

An edit of a card needs that its run still counts; what a transaction of the run said of that ``COUNTED`` ago is enough
where the edit had to wait for nothing: Slack takes longer than that to make it.

The policy file itself is looked at every second and counts once two looks have seen the same.
"""

import time
from collections.abc import Callable
from typing import Final, TypeAlias

LOOK: Final = 1.5
PERMIT: Final = 1.0
COUNTED: Final = 0.1
FACTS: Final = 5.0
FACTS_AT_PRESS: Final = 0.0
"""When somebody presses Slack is asked anew, so that the gate, a moment later, mostly need not."""
Clock: TypeAlias = Callable[[], float]
"""Gives seconds, as ``boot_time`` does."""


def boot_time() -> float:
    """Return the seconds that go on while this process, or the whole machine, sleeps.
    https://man7.org/linux/man-pages/man2/clock_gettime.2.html
    """
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if clock is None else time.clock_gettime(clock)

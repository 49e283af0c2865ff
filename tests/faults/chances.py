"""What a story draws from: who, which, how soon, how long, and what goes wrong."""

from typing import Final

from hypothesis import strategies as st

from tests.faults.incident import ALICE, BOB, CAROL, DAVE, PEOPLE
from tests.faults.request_troubles import FAULT_SWITCHES

people: Final = st.sampled_from((ALICE, BOB, CAROL, *PEOPLE))
which: Final = st.sampled_from((0, 0, 0, 0, 1, 1, 2, 3, 5, 8))  # the newest most often
moments: Final = st.sampled_from((0.0, 0.004, 0.015, 0.05, 0.2, 1.0, 5.0))
waits: Final = st.sampled_from((0.5, 2.0, 10.0, 20.0, 60.0, 250.0, 299.9, 2000.0))
troubles: Final = st.lists(st.sampled_from(FAULT_SWITCHES), max_size=3)
pressers: Final = st.sampled_from((ALICE, BOB, CAROL, DAVE))
holding: Final = st.lists(
    st.sampled_from(("429", "429 for long", "401", "503", "slow connection", "unreachable", "slow work", "before")),
    min_size=1,
    max_size=3,
)
"""What makes a stop wait."""
goods: Final = st.integers(0, 12)
bads: Final = st.sampled_from((1, 1, 2, 5))
"""Transactions that are answered, and then those that are not."""
fates: Final = st.lists(st.sampled_from(("told", "lost", "lost", "twice", "late")), min_size=1, max_size=6)
"""Of the next events."""
pauses: Final = st.sampled_from((0.0, 0.0, 3.0, 15.0))
changes: Final = st.sampled_from(("time", "moves", "ends", "policy", "group", "two persons", "asker", "nothing"))

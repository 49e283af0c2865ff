"""A picture and its number are of one count: the bar of a bulk stop card never shows more than the words say."""

import re
from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from bot.activeflows.bulk.bulk_stop import BulkEnding, BulkState, MemberOutcome, Run, bar, remainder, tally
from bot.slack.cards.bulk_card import bulk_card
from tests.unit.slack.blocks.bulk_screens import AT, a_bulk

_CELLS = 20
_BULK = a_bulk(10)
fates = st.dictionaries(st.integers(1, 10), st.sampled_from(list(MemberOutcome)))


@given(fates)
def test_every_member_is_counted_once_and_the_rest_is_what_may_still_run(became: Mapping[int, MemberOutcome]) -> None:
    so_far = tally(_BULK, became)
    assert so_far.count == len(_BULK.members)
    assert so_far.may_run == len(remainder(_BULK, Run(became=became)))


@given(fates)
def test_the_bar_is_as_long_as_it_should_be_and_full_only_when_all_have_ended(
    became: Mapping[int, MemberOutcome],
) -> None:
    so_far = tally(_BULK, became)
    cells = bar(so_far, _CELLS)
    assert sum(cells) == _CELLS
    assert min(cells) >= 0
    assert cells == tuple(2 * part for part in (so_far.over, so_far.may_run - so_far.left, so_far.left))


def test_an_aborted_stop_is_drawn_as_far_as_it_came() -> None:
    became = {n: MemberOutcome.STOPPED if n <= 5 else MemberOutcome.ABORTED for n in range(1, 11)}
    run = Run(BulkState.DONE, "p", "U0ALICE", AT, AT, "U0BOB", became, BulkEnding())
    said = bulk_card(_BULK, run, "/flows").text
    assert "▓" * 10 + "░" * 10 + " 5 of 10 ended · 5 left" in said
    assert said.startswith("Aborted: 5 of 10 could still be running")


@given(fates, st.integers(1, 1000))
def test_numbers_that_do_not_fit_the_bar_leave_a_cell_for_whoever_may_run(
    became: Mapping[int, MemberOutcome], members: int
) -> None:
    bulk = a_bulk(members)
    became = dict.fromkeys(range(1, members + 1), MemberOutcome.STOPPED) | dict(became)
    so_far = tally(bulk, became)
    over, between, left = bar(so_far, _CELLS)
    assert over + between + left == _CELLS
    assert (over == _CELLS) == (so_far.may_run == 0)
    drawn = re.search(
        r"[▓▒░]+", bulk_card(bulk, Run(BulkState.STOPPING, "p", "U0ALICE", AT, AT, "", became), "/f").text
    )
    assert drawn is not None
    assert drawn[0] == "▓" * over + "▒" * between + "░" * left

"""On the end of a bulk stop each thing that can still change carries the time at which it was read."""

from datetime import timedelta

from bot.activeflows.bulk.bulk_stop import BulkEnding, BulkState, MemberOutcome, Origin, Run
from bot.slack.cards.bulk_card import what_became
from bot.slack.kit import date_token
from tests.unit.slack.blocks.bulk_screens import AT, a_bulk


def test_what_was_read_once_keeps_its_time_when_the_callers_are_looked_at_again() -> None:
    read, again = AT + timedelta(minutes=1), AT + timedelta(minutes=9)
    origin = Origin(("Promo",), (("Support line", 2),), AT)
    ending = BulkEnding(more=2, more_as_of=read, up=(1,), as_of=again, origin=origin)
    run = Run(BulkState.DONE, "p", "U0ALICE", AT, AT, "", {1: MemberOutcome.STOPPED}, ending)
    told = list(what_became(a_bulk(1), run))
    assert f"*Ended, and the caller is still on the line, as of {date_token(again)}:*" in told[0]
    assert f"Campaign *Promo* is still dialling, as of {date_token(AT)}: new ones will come." in told
    assert f"2 numbers still lead to flow *Support line*, as of {date_token(AT)}: new calls will come." in told
    assert told[-1] == f"2 more match, as of {date_token(read)}. They were not on this card and were left alone."


def test_an_end_that_an_older_build_wrote_down_is_told_without_a_time() -> None:
    run = Run(BulkState.DONE, "p", "U0ALICE", AT, AT, "", {}, BulkEnding(more=1, origin=Origin(("Promo",))))
    told = list(what_became(a_bulk(1), run))
    assert "Campaign *Promo* is still dialling: new ones will come." in told
    assert told[-1] == "1 more matches. It was not on this card and was left alone."

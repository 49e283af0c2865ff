"""One stop from its claim to its outcome, fate by fate, in virtual time: what is sent when, what is said, what is
written.

The random stories (``test_promises``) find what nobody thought of; these say what is so, and so quickly that each small
change to the machine is tried against them. Every promise is held against each of them, too.
"""

from datetime import timedelta

import pytest

from bot.activeflows.records import RecordKind
from bot.activeflows.stopping.stop import (
    Ended,
    NotKnown,
    NotSent,
    PressKind,
    StillRunning,
    StopInHand,
)
from tests.faults.incident import ALICE, BOB, VIC
from tests.faults.told import BROKE, FULL, HAND, STOPPED, Told, in_short


@pytest.mark.parametrize(
    ("troubles", "said", "statuses", "pauses"),
    [
        ([], [HAND, STOPPED], [200], []),
        (["slow work"], [HAND, STOPPED], [200], []),
        (["slow connection"], [HAND, STOPPED], [200], []),
        (["unreachable"], [HAND, STOPPED], [200], []),
        (["401"], [HAND, STOPPED], [401, 200], [1.1]),
        (["429"], [HAND, STOPPED], [429, 200], [2.1]),
        (["429 for long"], [HAND, STOPPED], [429, 200], [20.1]),
        (["429"] * 5, [HAND, STOPPED], [429] * 5 + [200], [2.1, 2.6, 3.1, 4.1, 6.1]),
        (["429"] * 7, [HAND, f"not sent: {FULL}"], [429] * 6, [2.1, 2.6, 3.1, 4.1, 6.1]),
        (
            ["403"],
            [HAND, "not sent: VoIPBIN answered 403 ACCOUNT_FROZEN: the customer's account is frozen"],
            [403],
            [],
        ),
        (["after"], [HAND, f"ended: uncertain, {BROKE}"], [200], []),
        (["500 after work"], [HAND, "ended: uncertain, VoIPBIN answered 500 INTERNAL"], [500], []),
        (["no answer in time"], [HAND, "ended: uncertain, VoIPBIN did not answer in time"], [200], []),
        (["503"], [HAND, "not known: VoIPBIN answered 503 REQUEST_TIMEOUT", HAND, STOPPED], [503, 200], [18.2]),
        (["before"], [HAND, f"not known: {BROKE}", HAND, STOPPED], [None, 200], [18.1]),
        (["before", "429"], [HAND, f"not known: {BROKE}", HAND, STOPPED], [None, 429, 200], [18.1, 2.1]),
        (["before", "403"], [HAND, f"not known: {BROKE}", HAND, f"still running: {BROKE}"], [None, 403], [18.1]),
        (
            ["before", "after"],
            [HAND, f"not known: {BROKE}", HAND, f"ended: uncertain, {BROKE}"],
            [None, 200],
            [18.1],
        ),
        (
            ["before", "500"],
            [
                HAND,
                f"not known: {BROKE}",
                HAND,
                "not known: VoIPBIN answered 500 INTERNAL",
                "still running: VoIPBIN answered 500 INTERNAL",
            ],
            [None, 500],
            [18.1],
        ),
        (
            ["before", *["unreachable"] * 6],
            [HAND, f"not known: {BROKE}", HAND, f"still running: {BROKE}"],
            [None],
            [],
        ),
    ],
)
def test_what_comes_of_a_post_decides_what_is_said_and_whether_another_is_sent(
    troubles: list[str], said: list[str], statuses: list[int | None], pauses: list[float], told: Told
) -> None:
    phases = told.stops(*troubles)
    assert in_short(phases) == said
    assert [post.status for post in told.posts] == statuses
    assert told.pauses == pauses
    (outcome,) = told.written(RecordKind.OUTCOME)
    kind, _, why = said[-1].partition(": ")
    how, _, _ = why.partition(", ")
    last = {"ended": Ended, "not sent": NotSent, "not known": NotKnown, "still running": StillRunning}[kind]
    ended = last is Ended
    assert outcome["outcome"] == last.__name__
    assert outcome["attribution"] == (how if ended else None)
    assert outcome["why"] == (None if ended else why)
    assert (outcome["request_id"] is not None) is bool(outcome["why"])
    assert str(outcome["request_id"]).startswith("None" if ended else "flows-bot-")


def test_every_post_has_a_record_of_its_own_before_it(told: Told) -> None:
    told.stops("429", "before")
    press = told.pressed[0].id
    keys = [record.key for record in told.records()]
    assert keys[1:] == [f"{press}/pressed", *(f"{press}/sending/{n}" for n in (1, 2, 3)), f"{press}/outcome"]
    assert [detail["attempt"] for detail in told.written(RecordKind.SENDING)] == [1, 2, 3]
    assert [post.announced_as for post in told.posts] == keys[2:5]


def test_the_card_says_since_when_it_is_in_hand_and_how_it_ended_with_the_receipt(told: Told) -> None:
    phases = told.stops()
    assert phases[0] == StopInHand(BOB, told.pressed[0].at)
    last = phases[-1]
    assert isinstance(last, Ended)
    assert last.by == BOB
    assert last.receipt.startswith("4:")


def test_what_still_runs_is_said_of_its_reading_and_followed_for_as_long_as_it_says(told: Told) -> None:
    phases = told.stops("before", "before", after=100.0)
    last = phases[-1]
    assert isinstance(last, StillRunning)
    posted = told.posts[-1].at
    assert posted + timedelta(seconds=15) < last.at < posted + timedelta(seconds=20)
    assert last.until is not None
    assert timedelta(minutes=29, seconds=58) < last.until - last.at < timedelta(minutes=30, seconds=2)
    told.bot.passes(2000.0)
    after = told.said(told.intents[-1])[-1]
    assert isinstance(after, StillRunning)
    assert after.until is None


def test_what_is_shown_as_running_after_an_answered_stop_is_looked_at_for_ten_minutes(told: Told) -> None:
    """VoIPBIN took it; its cache may be behind. It is not sent again, and not called running."""
    catches_up = told.world.reads_stale(told.callers[-1])
    told.promises.instant.is_stale(told.callers[-1].id, 5000.0)
    phases = told.stops(after=660.0)
    taken = "VoIPBIN accepted the stop, but still shows it as running"
    assert in_short(phases) == [HAND, f"not known: {taken}", f"not known for good: {taken}"]
    first, last = phases[-2:]
    assert isinstance(first, NotKnown)
    assert isinstance(last, NotKnown)
    assert timedelta(seconds=600) < last.since - first.since < timedelta(seconds=640)
    assert last.until is not None
    catches_up()
    told.bot.passes(60.0)
    assert in_short(told.said(told.intents[-1]))[-1] == f"ended: uncertain, {taken}"
    assert len(told.posts) == 1


def test_what_the_cache_shows_late_is_found_by_a_later_look(told: Told) -> None:
    catches_up = told.world.reads_stale(told.callers[-1])
    told.promises.instant.is_stale(told.callers[-1].id, 60.0)
    told.world.clock.after(60.0, catches_up)
    phases = told.stops()
    assert in_short(phases)[2:] == [STOPPED]
    assert len(told.posts) == 1


# ---------------------------------------------------------------- one at a time


def test_two_cards_of_one_activeflow_send_one_stop(told: Told) -> None:
    first, second = told.asks(), told.asks(who=BOB)
    told._goes_wrong("stop", "429 for long")
    told.presses_on(first, by=BOB, after=5.0)
    told.presses_on(second, by=ALICE, after=5.0)
    assert told.said(second) == []
    told.bot.passes(60.0)
    assert in_short(told.said(first)) == [HAND, STOPPED]
    assert len(told.posts) == 2
    assert len(told.written(RecordKind.OUTCOME)) == 1


def test_who_may_not_press_sends_nothing(told: Told) -> None:
    phases = told.stops(by=VIC)
    assert phases == []
    assert told.posts == []


# ---------------------------------------------------------------- cut off and started again


@pytest.mark.parametrize("trouble", ["", "429", "before", "after"])
@pytest.mark.parametrize("moment", range(0, 12, 2))
def test_who_is_killed_around_a_step_sends_nothing_twice(trouble: str, moment: int, told: Told) -> None:
    intent_id = told.asks()
    if trouble:
        told._goes_wrong("stop", trouble)
    told.presses_on(intent_id, after=0.0)
    told._dies_around(moment, 1.0)
    told.bot.passes(300.0)
    last = in_short(told.said(intent_id))[-1]
    assert last.startswith("ended: ")
    assert len({post.announced_as for post in told.posts}) == len(told.posts)


def test_who_was_cut_off_around_a_post_reads_what_came_of_it(told: Told) -> None:
    intent_id = told.asks()
    told._goes_wrong("stop", "slow work")
    told.presses_on(intent_id, after=1.0)
    told.bot.kill()
    told.bot.start()
    told.bot.passes(100.0)
    cut_off = "the bot was cut off while the stop was being sent"
    assert in_short(told.said(intent_id))[-1] == f"ended: uncertain, {cut_off}"
    assert len(told.posts) == 1


def test_the_steps_of_a_stop_keep_their_names_for_an_upgrade_in_the_middle_of_it(told: Told) -> None:
    told._goes_wrong("stop", "before")
    told._goes_wrong("stop", "429")
    catches_up = told.world.reads_stale(told.callers[-1])
    told.promises.instant.is_stale(told.callers[-1].id, 100.0)
    told.world.clock.after(100.0, catches_up)
    told.stops()
    names = [name for name, _ in told.bot.workflows.all[told.pressed[0].id].remembered]
    read_back = ["verify", "verify longer"]
    sent = ["send 1", *read_back, "send 2", "sleep", "send 3", *read_back]
    looks = ["sleep", "look again"]
    assert names[: 2 + len(sent) + 2] == ["admit", "claim", *sent, *looks]
    assert set(names[2 + len(sent) :]) == {*looks, "outcome"}  # "aftermath" may be done anew, and nothing came after it


# ---------------------------------------------------------------- an outcome that cannot be written down at once


@pytest.mark.parametrize("kept", [False, True])
def test_an_outcome_is_told_at_once_and_written_when_the_ledger_answers(kept: bool, told: Told) -> None:
    intent_id = told.asks()
    told._goes_wrong("stop", "slow work")
    told.presses_on(intent_id, after=1.0)
    told._fails(0, 3, kept=kept)
    told.bot.passes(60.0)
    ends = [phase for phase in told.said(intent_id) if isinstance(phase, Ended) and phase.call is None]
    (outcome,) = (record for record in told.records() if record.what is RecordKind.OUTCOME)
    assert [bool(phase.receipt) for phase in ends] == [False, True]
    assert outcome.detail["outcome"] == "Ended"
    assert len(told.posts) == 1


@pytest.mark.parametrize("bad", [1, 2, 5])
@pytest.mark.parametrize("good", range(5))
def test_a_claim_that_was_kept_though_the_ledger_did_not_say_so_stands_in_nobodys_way(
    good: int, bad: int, told: Told
) -> None:
    intent_id = told.asks()
    told._fails(good, bad, kept=True)
    told.presses_on(intent_id, after=60.0)
    if not told.posts:  # it was refused in words, and can be pressed again
        told.presses_on(intent_id)
    assert in_short(told.said(intent_id))[-1] == STOPPED
    assert len(told.posts) == 1


def test_what_came_of_a_hang_up_is_written_when_the_ledger_answers(told: Told) -> None:
    told.world.telephony.loses_hangups = True
    told.stops(after=60.0)
    told.presses_on(told.intents[-1], wish=PressKind.HANG_UP, after=0.0)
    while not told.world.requests_to("POST", f"/calls/{told.callers[-1].reference_id}/hangup"):
        told.bot.passes(0.005)
    told._fails(0, 3, kept=False)
    told.bot.passes(120.0)
    assert not told.bot.outage.bad
    assert [detail["outcome"] for detail in told.written(RecordKind.OUTCOME)] == ["Ended", "hung_up"]


def test_the_end_of_a_bulk_stop_is_told_at_once_and_written_when_the_ledger_answers(told: Told) -> None:
    assert told._many_are_pressed(ALICE, BOB, 2)
    members = told.bot.workflows.members
    while len(members) < 3 or not all(member.done for member in members.values()):  # hers, too, who rang before
        told.bot.passes(0.05)
    told._fails(0, 3, kept=False)
    told.bot.passes(60.0)
    tellings = [t for t in told.bot.channel.bulk_tellings if t.run.ending is not None]
    assert [bool(t.run.ending and t.run.ending.receipt) for t in tellings] == [False, True]
    read_at = [t.run.ending.as_of for t in tellings if t.run.ending is not None]
    assert None not in read_at
    assert len(set(read_at)) == 1  # when it was read, and not when the ledger came to be written


# ---------------------------------------------------------------- the call


def test_a_call_that_stays_up_is_hung_up_once_and_told_within_seconds(told: Told) -> None:
    told.world.telephony.loses_hangups = True
    told.stops(after=60.0)
    intent_id = told.intents[-1]
    up = told.said(intent_id)[-1]
    assert isinstance(up, Ended)
    assert up.call is not None
    assert up.call.state == "up"
    told.presses_on(intent_id, wish=PressKind.HANG_UP, after=60.0)
    gone = told.said(intent_id)[-1]
    assert isinstance(gone, Ended)
    assert gone.call is not None
    assert (gone.call.state, gone.call.hung_up_by) == ("hung_up", BOB)
    hangups = told.world.requests_to("POST", f"/calls/{told.callers[-1].reference_id}/hangup")
    assert len(hangups) == 1
    assert [detail["outcome"] for detail in told.written(RecordKind.OUTCOME)] == ["Ended", "hung_up"]

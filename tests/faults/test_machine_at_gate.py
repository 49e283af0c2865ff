"""One stop that is held back by the gate, for each reason, in virtual time: what is said, and that nothing is sent."""

import itertools
from datetime import timedelta

import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from bot.activeflows.bulk.bulk_stop import intent_id
from bot.activeflows.records import RecordKind
from bot.activeflows.stopping.stop import GateRefusal, IntentState, Moved, NotSent
from bot.demo.voipbin import faults
from tests.faults.incident import ALICE, BOB
from tests.faults.told import BROKE, HAND, STOP, STOPPED, Told, in_short


def test_who_has_moved_on_while_it_waited_is_asked_about_once_more(told: Told) -> None:
    intent_id = told.asks()
    told._goes_wrong("stop", "429 for long")
    told.presses_on(intent_id, after=5.0)
    told.world.moves_to(told.callers[-1], "queue_join")
    told.bot.passes(60.0)
    tellings = [t for t in told.bot.channel.tellings if t.card == f"card {intent_id[:8]}"]
    last = tellings[-1]
    assert isinstance(last.phase, Moved)
    assert last.phase == Moved(BOB, told.intent(intent_id).seen.words)
    assert last.intent.id != intent_id
    assert last.intent.seen.kind == "queue.waiting"
    (moved,) = told.written(RecordKind.MOVED)
    assert moved == {"was": "digits", "now": "queue.waiting"}
    assert len(told.posts) == 1
    assert told.written(RecordKind.OUTCOME) == []
    told.presses_on(last.intent.id)
    assert len(told.posts) == 2
    assert told.posts[-1].effective


def test_who_has_moved_on_after_a_lost_stop_is_left_alone(told: Told) -> None:
    intent_id = told.asks()
    told._goes_wrong("stop", "before")
    told.presses_on(intent_id, after=10.0)
    told.world.moves_to(told.callers[-1], "queue_join")
    told.bot.passes(60.0)
    moved = "still running: it has moved on, so no other stop was sent"
    assert in_short(told.said(intent_id)) == [HAND, f"not known: {BROKE}", moved]
    assert told.written(RecordKind.MOVED) == [{"was": "digits", "now": "queue.waiting"}]
    assert told.written(RecordKind.OUTCOME)[0]["why"] == moved.removeprefix("still running: ")
    assert len(told.posts) == 1


def test_now_does_not_ask_about_a_move(told: Told) -> None:
    intent_id = told.asks(now=True)
    told._goes_wrong("stop", "429 for long")
    told.presses_on(intent_id, after=5.0)
    told.world.moves_to(told.callers[-1], "queue_join")
    told.bot.passes(60.0)
    assert in_short(told.said(intent_id)) == [HAND, STOPPED]


def test_where_the_move_cannot_be_written_down_nothing_is_sent_and_it_is_said_why(told: Told) -> None:
    intent_id = told.asks()
    told._goes_wrong("stop", "429 for long")
    told.presses_on(intent_id, after=5.0)
    told.world.moves_to(told.callers[-1], "queue_join")
    told._fails(0, 8, kept=False)
    told.bot.passes(60.0)
    last = told.said(intent_id)[-1]
    assert isinstance(last, NotSent)
    assert (last.shut, last.pressable, last.trouble.why) == (
        GateRefusal.UNWRITTEN,
        True,
        "the ledger did not answer in time",
    )
    assert len(told.posts) == 1  # the one that was answered 429


@pytest.mark.parametrize(("lost", "said"), [(False, "ended: already"), (True, "ended: by itself")])
def test_what_ended_while_it_waited_is_not_stopped(lost: bool, said: str, told: Told) -> None:
    intent_id = told.asks()
    told._goes_wrong("stop", "before" if lost else "429 for long")
    told.presses_on(intent_id, after=5.0)
    told.world.ends(told.callers[-1])
    told.bot.passes(60.0)
    assert in_short(told.said(intent_id))[-1] == said
    assert len(told.posts) == 1


@pytest.mark.parametrize(("lost", "said"), [(False, "Expired"), (True, f"still running: {BROKE}")])
def test_after_the_deadline_nothing_is_sent(lost: bool, said: str, told: Told) -> None:
    intent_id = told.asks()
    told._goes_wrong("stop", "before" if lost else "429 for long")
    told.presses_on(intent_id, after=5.0)
    told.bot.leaps(300.0)
    told.bot.passes(60.0)
    assert in_short(told.said(intent_id))[-1] == said
    assert len(told.posts) == 1
    assert told.written(RecordKind.OUTCOME)[0]["outcome"] == ("StillRunning" if lost else "Expired")


@pytest.mark.parametrize("lost", [False, True])
def test_who_may_no_more_stops_nothing_and_it_is_on_record_why(lost: bool, told: Told) -> None:
    intent_id = told.asks()
    told._goes_wrong("stop", "before" if lost else "429 for long")
    told.presses_on(intent_id, after=5.0)
    told.directory.stoppers.discard(BOB)
    told.bot.passes(60.0)
    (refused,) = told.written(RecordKind.REFUSED)
    assert refused["why"] == "not permitted"
    why = refused["because"]
    assert in_short(told.said(intent_id))[-1] == (
        f"still running: no other stop was sent: {why}" if lost else f"not sent: {why}"
    )
    assert told.written(RecordKind.OUTCOME)[0]["outcome"] == ("StillRunning" if lost else "NotSent")
    kinds = [record.what for record in told.records()]
    assert kinds[-2:] == [RecordKind.REFUSED, RecordKind.OUTCOME]
    assert len(told.posts) == 1
    told.directory.stoppers.add(BOB)
    told.presses_on(intent_id)
    assert len(told.posts) == (1 if lost else 2)  # what came to nothing can be pressed again


def test_slack_is_asked_again_for_thirty_seconds_and_then_it_is_a_no(told: Told) -> None:
    intent_id = told.asks()
    told._goes_wrong("stop", "429 for long")
    told.presses_on(intent_id, after=10.0)
    told.directory.forget()
    told.directory.silent = 100
    began = told.bot.now()
    told.bot.passes(200.0)
    asked = 100 - told.directory.silent
    assert asked == 2 * 7  # about whoever pressed: may they stop, may they approve; once, and after six rests
    assert in_short(told.said(intent_id))[-1] == "not sent: Slack did not answer"
    (refused,) = told.written(RecordKind.REFUSED)
    assert refused == {"because": "Slack did not answer", "why": "identity unknown"}
    over = next(record.at for record in told.records() if record.what is RecordKind.OUTCOME)
    assert timedelta(seconds=40) < over - began < timedelta(seconds=41)
    assert len(told.posts) == 1


def test_slack_that_answers_in_time_is_waited_for(told: Told) -> None:
    intent_id = told.asks()
    told._goes_wrong("stop", "429 for long")
    told.presses_on(intent_id, after=10.0)
    told.directory.forget()
    told.directory.silent = 6
    told.bot.passes(200.0)
    assert in_short(told.said(intent_id)) == [HAND, STOPPED]
    assert told.pauses == [35.2]  # three rests of five seconds


def test_what_is_not_there_any_more_cannot_be_pressed_again(told: Told) -> None:
    intent_id = told.asks()
    told.world.faults.on("GET", "/activeflows/{id}", faults.status(404, "NOT_FOUND"), times=None)
    told.presses_on(intent_id)
    assert in_short(told.said(intent_id)) == ["not sent for good: VoIPBIN no longer has this activeflow"]
    assert told.posts == []


def test_a_stop_of_what_is_not_there_is_sent_once(told: Told) -> None:
    intent_id = told.asks()
    told.world.faults.on(*STOP, faults.status(404, "NOT_FOUND"), times=None)
    told.presses_on(intent_id)
    assert in_short(told.said(intent_id)) == [HAND, "not sent: VoIPBIN no longer has this activeflow"]
    assert len(told.posts) == 1


def test_what_cannot_be_read_is_not_stopped(told: Told) -> None:
    intent_id = told.asks()
    told.world.faults.on("GET", "/activeflows/{id}", faults.status(500, "INTERNAL"), times=None)
    told.presses_on(intent_id)
    assert in_short(told.said(intent_id)) == ["not sent: VoIPBIN answered 500 INTERNAL"]
    assert told.posts == []


@pytest.mark.parametrize(("ends", "said"), [(True, "ended: before, "), (False, "not sent: ")])
def test_a_stop_that_is_refused_for_the_state_it_is_in_is_cleared_up_by_reading(
    ends: bool, said: str, told: Told
) -> None:
    refused = faults.status(409, "ACTIVEFLOW_ALREADY_STOPPED")

    async def in_that_moment(work: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        if ends:
            told.world.ends(told.callers[-1])
        await refused(work, scope, receive, send)

    intent_id = told.asks()
    told.world.faults.on(*STOP, in_that_moment)
    told.presses_on(intent_id)
    assert in_short(told.said(intent_id))[-1].startswith(f"{said}VoIPBIN answered 409")
    assert len(told.posts) == 1


@pytest.mark.parametrize("now", ["moved", "late", "as it was"])
def test_what_changes_while_the_connection_is_made_is_looked_at_before_the_first_byte(now: str, told: Told) -> None:
    intent_id = told.asks()
    told._goes_wrong("stop", "slow connection")
    told.presses_on(intent_id, after=2.0)
    assert told.posts == []
    if now == "moved":
        told.world.moves_to(told.callers[-1], "queue_join")
    elif now == "late":
        told.bot.leaps(300.0)
    told.bot.passes(60.0)
    last = in_short(told.said(intent_id))[-1].partition(":")[0]
    assert (last, len(told.posts)) == {"moved": ("moved", 0), "late": ("Expired", 0), "as it was": ("ended", 1)}[now]


def test_a_second_person_who_comes_to_be_needed_while_it_waits_is_needed(told: Told) -> None:
    intent_id = told.asks(who=BOB)
    told._goes_wrong("stop", "429 for long")
    told.presses_on(intent_id, by=BOB, after=5.0)
    told.directory.two_person = True
    told.bot.passes(60.0)
    assert in_short(told.said(intent_id))[-1] == "not sent: a second person must press"
    assert len(told.posts) == 1
    told.presses_on(intent_id, by=ALICE)
    assert told.posts[-1].effective


def test_a_member_that_has_moved_on_is_left_alone_and_can_be_stopped_by_another_press(told: Told) -> None:
    told._goes_wrong("stop", "429 for long")
    assert told._many_are_pressed(ALICE, BOB, 1)
    told.bot.passes(5.0)
    (waits,) = (told.world.activeflow(post.activeflow_id) for post in told.posts)
    told.world.moves_to(waits, "queue_join")
    told.bot.passes(60.0)
    bulk = told.promises.bulk.frozen[told.bulks[-1]]
    member = next(member for member in bulk.members if member.activeflow_id == waits.id)
    found = told.bot.run(told.bot.book.intent(intent_id(bulk, member)))
    assert found is not None
    assert found[1] is IntentState.OPEN
    assert [post.status for post in told.posts] == [429, 200]


def test_a_bulk_card_says_that_slack_does_not_answer_for_as_long_as_a_member_waits_for_it(told: Told) -> None:
    told._goes_wrong("stop", "429 for long")
    assert told._many_are_pressed(ALICE, BOB, 5)
    told.bot.passes(5.0)
    told.directory.forget()
    told.directory.silent = 6
    told.bot.passes(100.0)
    tellings = told.bot.channel.bulk_tellings
    waits = [telling.run.unanswered for telling in tellings if telling.run.press_id and telling.run.ending is None]
    assert [said for said, _ in itertools.groupby(waits)] == [False, True, False]
    assert all(told.world.activeflow(caller.id).status == "ended" for caller in told.callers)


def test_a_member_that_waited_while_its_bulk_stop_was_aborted_is_not_stopped(told: Told) -> None:
    told._goes_wrong("stop", "429 for long")
    assert told._many_are_pressed(ALICE, BOB, 2)
    told.bot.passes(5.0)
    told.aborts(ALICE, 0, 60.0)
    assert [post.status for post in told.posts] == [429]
    bulk = told.bot.channel.last_of_bulk(told.bulks[-1])
    assert bulk is not None
    assert bulk.words.startswith("Aborted: 3 of 3 could still be running")

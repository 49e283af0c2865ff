"""One stop from its claim to its outcome, fate by fate, in virtual time: what is sent when, what is said, what is written.

The random stories (``test_promises``) find what nobody thought of; these say what is so, and so quickly that each small
change to the machine is tried against them. Every promise is held against each of them, too.
"""

import itertools
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from bot.activeflows.records import Record, What
from bot.activeflows.stopping.stop import (
    Ended,
    Intent,
    Moved,
    NotKnown,
    NotSent,
    Phase,
    StillRunning,
    StopInHand,
    Waiting,
    Wish,
)
from bot.demo.voipbin import faults
from bot.demo.voipbin.state import Activeflow
from tests.faults.bulk_incident import BulkIncident
from tests.faults.incident import ALICE, BOB, VIC
from tests.faults.line import Post

_STOP = ("POST", "/activeflows/{id}/stop")


class Told(BulkIncident):
    """An incident that is told and not drawn."""

    def asks(self, *, who: str = ALICE, activeflow: Activeflow | None = None, now: bool = False) -> str:
        """The intent of a new card."""
        self.house.run(self._ask(who, activeflow or self.callers[-1], now=now))
        return self.intents[-1]

    def stops(self, *troubles: str, by: str = BOB, after: float = 3000.0, now: bool = False) -> list[Phase]:
        """A card that Alice asked for is pressed; what it said from then on."""
        intent_id = self.asks(now=now)
        for trouble in troubles:
            self._goes_wrong("stop", trouble)
        self.presses_on(intent_id, by=by, after=after)
        return self.said(intent_id)

    def presses_on(self, intent_id: str, *, by: str = BOB, wish: Wish = Wish.STOP, after: float = 3000.0) -> None:
        self._press(by, intent_id, wish)
        self.house.passes(after)

    def said(self, intent_id: str) -> list[Phase]:
        """On that card, without the question."""
        told = [t.phase for t in self.house.channel.tellings if t.card == f"card {intent_id[:8]}"]
        return [phase for phase in told if not isinstance(phase, Waiting)]

    @property
    def posts(self) -> list[Post]:
        return self.house.line.posts

    @property
    def pauses(self) -> list[float]:
        """Between the posts, to a tenth of a second."""
        times = [post.at for post in self.posts]
        return [round((b - a).total_seconds(), 1) for a, b in itertools.pairwise(times)]

    def written(self, what: What) -> list[dict[str, Any]]:
        """Details of the records of that kind, oldest first, without what every one has."""
        return [dict(record.detail) for record in self.records() if record.what is what]

    def records(self) -> list[Record]:
        return self.promises.records()

    def intent(self, intent_id: str) -> Intent:
        found = self.house.run(self.house.book.intent(intent_id))
        assert found is not None
        return found[0]


@pytest.fixture
def told() -> Iterator[Told]:
    told = Told()
    told.opens(two_person=False, two_for_bulk=False)
    try:
        yield told
        told.promises_are_kept()
    finally:
        told.teardown()


def in_short(phases: list[Phase]) -> list[str]:
    """Each phase by its kind and what is certain of it; the end is told again with what became of the call."""
    said = []
    for phase in phases:
        match phase:
            case Ended(attribution=how, trouble=trouble):
                said.append(f"ended: {how}, {trouble.why}" if trouble.why else f"ended: {how}")
            case NotSent(pressable=pressable, trouble=trouble):
                said.append(f"not sent{'' if pressable else ' for good'}: {trouble.why}")
            case NotKnown(final=final, trouble=trouble):
                said.append(f"not known{' for good' if final else ''}: {trouble.why}")
            case StillRunning(trouble=trouble):
                said.append(f"still running: {trouble.why}")
            case Moved(was=was):
                said.append(f"moved: {was}")
            case _:
                said.append(type(phase).__name__)
    return [words for words, before in zip(said, ["", *said], strict=False) if words != before]


_BROKE = "the connection to VoIPBIN broke before the answer was there"
_FULL = "VoIPBIN answered 429 RATE_LIMIT_EXCEEDED: too many requests for this customer's account"
_HAND = "StopInHand"
_STOPPED = "ended: this press"


@pytest.mark.parametrize(
    ("troubles", "said", "statuses", "pauses"),
    [
        ([], [_HAND, _STOPPED], [200], []),
        (["slow work"], [_HAND, _STOPPED], [200], []),
        (["slow connection"], [_HAND, _STOPPED], [200], []),
        (["unreachable"], [_HAND, _STOPPED], [200], []),
        (["401"], [_HAND, _STOPPED], [401, 200], [1.1]),
        (["429"], [_HAND, _STOPPED], [429, 200], [2.1]),
        (["429 for long"], [_HAND, _STOPPED], [429, 200], [20.1]),
        (["429"] * 5, [_HAND, _STOPPED], [429] * 5 + [200], [2.1, 2.6, 3.1, 4.1, 6.1]),
        (["429"] * 7, [_HAND, f"not sent: {_FULL}"], [429] * 6, [2.1, 2.6, 3.1, 4.1, 6.1]),
        (
            ["403"],
            [_HAND, "not sent: VoIPBIN answered 403 ACCOUNT_FROZEN: the customer's account is frozen"],
            [403],
            [],
        ),
        (["after"], [_HAND, f"ended: uncertain, {_BROKE}"], [200], []),
        (["500 after work"], [_HAND, "ended: uncertain, VoIPBIN answered 500 INTERNAL"], [500], []),
        (["no answer in time"], [_HAND, "ended: uncertain, VoIPBIN did not answer in time"], [200], []),
        (["503"], [_HAND, "not known: VoIPBIN answered 503 REQUEST_TIMEOUT", _HAND, _STOPPED], [503, 200], [18.2]),
        (["before"], [_HAND, f"not known: {_BROKE}", _HAND, _STOPPED], [None, 200], [18.2]),
        (["before", "429"], [_HAND, f"not known: {_BROKE}", _HAND, _STOPPED], [None, 429, 200], [18.2, 2.1]),
        (["before", "403"], [_HAND, f"not known: {_BROKE}", _HAND, f"still running: {_BROKE}"], [None, 403], [18.2]),
        (
            ["before", "after"],
            [_HAND, f"not known: {_BROKE}", _HAND, f"ended: uncertain, {_BROKE}"],
            [None, 200],
            [18.2],
        ),
        (
            ["before", "500"],
            [
                _HAND,
                f"not known: {_BROKE}",
                _HAND,
                "not known: VoIPBIN answered 500 INTERNAL",
                "still running: VoIPBIN answered 500 INTERNAL",
            ],
            [None, 500],
            [18.2],
        ),
        (
            ["before", *["unreachable"] * 6],
            [_HAND, f"not known: {_BROKE}", _HAND, f"still running: {_BROKE}"],
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
    (outcome,) = told.written(What.OUTCOME)
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
    assert [detail["attempt"] for detail in told.written(What.SENDING)] == [1, 2, 3]
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
    told.house.passes(2000.0)
    after = told.said(told.intents[-1])[-1]
    assert isinstance(after, StillRunning)
    assert after.until is None


def test_what_is_shown_as_running_after_an_answered_stop_is_looked_at_for_ten_minutes(told: Told) -> None:
    """VoIPBIN took it; its cache may be behind. It is not sent again, and not called running."""
    catches_up = told.world.reads_stale(told.callers[-1])
    told.promises.instant.is_stale(told.callers[-1].id, 5000.0)
    phases = told.stops(after=660.0)
    taken = "VoIPBIN accepted the stop, but still shows it as running"
    assert in_short(phases) == [_HAND, f"not known: {taken}", f"not known for good: {taken}"]
    first, last = phases[-2:]
    assert isinstance(first, NotKnown)
    assert isinstance(last, NotKnown)
    assert timedelta(seconds=600) < last.since - first.since < timedelta(seconds=640)
    assert last.until is not None
    catches_up()
    told.house.passes(60.0)
    assert in_short(told.said(told.intents[-1]))[-1] == f"ended: uncertain, {taken}"
    assert len(told.posts) == 1


def test_what_the_cache_shows_late_is_found_by_a_later_look(told: Told) -> None:
    catches_up = told.world.reads_stale(told.callers[-1])
    told.promises.instant.is_stale(told.callers[-1].id, 60.0)
    told.world.clock.after(60.0, catches_up)
    phases = told.stops()
    assert in_short(phases)[2:] == [_STOPPED]
    assert len(told.posts) == 1


# ---------------------------------------------------------------- held back by the gate


def test_who_has_moved_on_while_it_waited_is_asked_about_once_more(told: Told) -> None:
    intent_id = told.asks()
    told._goes_wrong("stop", "429 for long")
    told.presses_on(intent_id, after=5.0)
    told.world.moves_to(told.callers[-1], "queue_join")
    told.house.passes(60.0)
    tellings = [t for t in told.house.channel.tellings if t.card == f"card {intent_id[:8]}"]
    last = tellings[-1]
    assert isinstance(last.phase, Moved)
    assert last.phase == Moved(BOB, told.intent(intent_id).seen.words)
    assert last.intent.id != intent_id
    assert last.intent.seen.kind == "queue.waiting"
    (moved,) = told.written(What.MOVED)
    assert moved == {"was": "digits", "now": "queue.waiting"}
    assert len(told.posts) == 1
    assert told.written(What.OUTCOME) == []
    told.presses_on(last.intent.id)
    assert len(told.posts) == 2
    assert told.posts[-1].effective


def test_who_has_moved_on_after_a_lost_stop_is_left_alone(told: Told) -> None:
    intent_id = told.asks()
    told._goes_wrong("stop", "before")
    told.presses_on(intent_id, after=10.0)
    told.world.moves_to(told.callers[-1], "queue_join")
    told.house.passes(60.0)
    moved = "still running: it has moved on, so no other stop was sent"
    assert in_short(told.said(intent_id)) == [_HAND, f"not known: {_BROKE}", moved]
    assert told.written(What.MOVED) == [{"was": "digits", "now": "queue.waiting"}]
    assert told.written(What.OUTCOME)[0]["why"] == moved.removeprefix("still running: ")
    assert len(told.posts) == 1


def test_now_does_not_ask_about_a_move(told: Told) -> None:
    intent_id = told.asks(now=True)
    told._goes_wrong("stop", "429 for long")
    told.presses_on(intent_id, after=5.0)
    told.world.moves_to(told.callers[-1], "queue_join")
    told.house.passes(60.0)
    assert in_short(told.said(intent_id)) == [_HAND, _STOPPED]


@pytest.mark.parametrize(("lost", "said"), [(False, "ended: already"), (True, "ended: by itself")])
def test_what_ended_while_it_waited_is_not_stopped(lost: bool, said: str, told: Told) -> None:
    intent_id = told.asks()
    told._goes_wrong("stop", "before" if lost else "429 for long")
    told.presses_on(intent_id, after=5.0)
    told.world.ends(told.callers[-1])
    told.house.passes(60.0)
    assert in_short(told.said(intent_id))[-1] == said
    assert len(told.posts) == 1


@pytest.mark.parametrize(("lost", "said"), [(False, "Expired"), (True, f"still running: {_BROKE}")])
def test_after_the_deadline_nothing_is_sent(lost: bool, said: str, told: Told) -> None:
    intent_id = told.asks()
    told._goes_wrong("stop", "before" if lost else "429 for long")
    told.presses_on(intent_id, after=5.0)
    told.house.leaps(300.0)
    told.house.passes(60.0)
    assert in_short(told.said(intent_id))[-1] == said
    assert len(told.posts) == 1
    assert told.written(What.OUTCOME)[0]["outcome"] == ("StillRunning" if lost else "Expired")


@pytest.mark.parametrize("lost", [False, True])
def test_who_may_no_more_stops_nothing_and_it_is_on_record_why(lost: bool, told: Told) -> None:
    intent_id = told.asks()
    told._goes_wrong("stop", "before" if lost else "429 for long")
    told.presses_on(intent_id, after=5.0)
    told.directory.stoppers.discard(BOB)
    told.house.passes(60.0)
    (refused,) = told.written(What.REFUSED)
    assert refused["why"] == "not permitted"
    why = refused["because"]
    assert in_short(told.said(intent_id))[-1] == (
        f"still running: no other stop was sent: {why}" if lost else f"not sent: {why}"
    )
    assert told.written(What.OUTCOME)[0]["outcome"] == ("StillRunning" if lost else "NotSent")
    kinds = [record.what for record in told.records()]
    assert kinds[-2:] == [What.REFUSED, What.OUTCOME]
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
    began = told.house.now()
    told.house.passes(200.0)
    asked = 100 - told.directory.silent
    assert asked == 2 * 7  # about whoever pressed: may they stop, may they approve; once, and after six rests
    assert in_short(told.said(intent_id))[-1] == "not sent: Slack did not answer"
    (refused,) = told.written(What.REFUSED)
    assert refused == {"because": "Slack did not answer", "why": "identity unknown"}
    over = next(record.at for record in told.records() if record.what is What.OUTCOME)
    assert timedelta(seconds=40) < over - began < timedelta(seconds=41)
    assert len(told.posts) == 1


def test_slack_that_answers_in_time_is_waited_for(told: Told) -> None:
    intent_id = told.asks()
    told._goes_wrong("stop", "429 for long")
    told.presses_on(intent_id, after=10.0)
    told.directory.forget()
    told.directory.silent = 6
    told.house.passes(200.0)
    assert in_short(told.said(intent_id)) == [_HAND, _STOPPED]
    assert told.pauses == [35.2]  # three rests of five seconds


def test_what_is_not_there_any_more_cannot_be_pressed_again(told: Told) -> None:
    intent_id = told.asks()
    told.world.faults.on("GET", "/activeflows/{id}", faults.status(404, "NOT_FOUND"), times=None)
    told.presses_on(intent_id)
    assert in_short(told.said(intent_id)) == ["not sent for good: VoIPBIN no longer has this activeflow"]
    assert told.posts == []


def test_a_stop_of_what_is_not_there_is_sent_once(told: Told) -> None:
    intent_id = told.asks()
    told.world.faults.on(*_STOP, faults.status(404, "NOT_FOUND"), times=None)
    told.presses_on(intent_id)
    assert in_short(told.said(intent_id)) == [_HAND, "not sent: VoIPBIN no longer has this activeflow"]
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
    told.world.faults.on(*_STOP, in_that_moment)
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
        told.house.leaps(300.0)
    told.house.passes(60.0)
    last = in_short(told.said(intent_id))[-1].partition(":")[0]
    assert (last, len(told.posts)) == {"moved": ("moved", 0), "late": ("Expired", 0), "as it was": ("ended", 1)}[now]


def test_a_second_person_who_comes_to_be_needed_while_it_waits_is_needed(told: Told) -> None:
    intent_id = told.asks(who=BOB)
    told._goes_wrong("stop", "429 for long")
    told.presses_on(intent_id, by=BOB, after=5.0)
    told.directory.two_person = True
    told.house.passes(60.0)
    assert in_short(told.said(intent_id))[-1] == "not sent: a second person must press"
    assert len(told.posts) == 1
    told.presses_on(intent_id, by=ALICE)
    assert told.posts[-1].effective


def test_a_member_that_waited_while_its_bulk_stop_was_aborted_is_not_stopped(told: Told) -> None:
    told._goes_wrong("stop", "429 for long")
    assert told._many_are_pressed(ALICE, BOB, 2)
    told.house.passes(5.0)
    told.aborts(ALICE, 0, 60.0)
    assert [post.status for post in told.posts] == [429]
    bulk = told.house.channel.last_of_bulk(told.bulks[-1])
    assert bulk is not None
    assert bulk.words.startswith("Aborted: 3 of 3 could still be running")


# ---------------------------------------------------------------- one at a time


def test_two_cards_of_one_activeflow_send_one_stop(told: Told) -> None:
    first, second = told.asks(), told.asks(who=BOB)
    told._goes_wrong("stop", "429 for long")
    told.presses_on(first, by=BOB, after=5.0)
    told.presses_on(second, by=ALICE, after=5.0)
    assert told.said(second) == []
    told.house.passes(60.0)
    assert in_short(told.said(first)) == [_HAND, _STOPPED]
    assert len(told.posts) == 2
    assert len(told.written(What.OUTCOME)) == 1


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
    told.house.passes(300.0)
    last = in_short(told.said(intent_id))[-1]
    assert last.startswith("ended: ")
    assert len({post.announced_as for post in told.posts}) == len(told.posts)


def test_who_was_cut_off_around_a_post_reads_what_came_of_it(told: Told) -> None:
    intent_id = told.asks()
    told._goes_wrong("stop", "slow work")
    told.presses_on(intent_id, after=1.0)
    told.house.kill()
    told.house.start()
    told.house.passes(100.0)
    cut_off = "the bot was cut off while the stop was being sent"
    assert in_short(told.said(intent_id))[-1] == f"ended: uncertain, {cut_off}"
    assert len(told.posts) == 1


# ---------------------------------------------------------------- the call


def test_a_call_that_stays_up_is_hung_up_once_and_told_within_seconds(told: Told) -> None:
    told.world.telephony.loses_hangups = True
    told.stops(after=60.0)
    intent_id = told.intents[-1]
    up = told.said(intent_id)[-1]
    assert isinstance(up, Ended)
    assert up.call is not None
    assert up.call.state == "up"
    told.presses_on(intent_id, wish=Wish.HANG_UP, after=60.0)
    gone = told.said(intent_id)[-1]
    assert isinstance(gone, Ended)
    assert gone.call is not None
    assert (gone.call.state, gone.call.hung_up_by) == ("hung_up", BOB)
    hangups = told.world.requests_to("POST", f"/calls/{told.callers[-1].reference_id}/hangup")
    assert len(hangups) == 1
    assert [detail["outcome"] for detail in told.written(What.OUTCOME)] == ["Ended", "hung_up"]

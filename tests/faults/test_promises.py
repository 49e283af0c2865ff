"""The three promises as a machine: random stories of lone and bulk stops, moves, failures, deaths and passing time.

Everything is real but Slack, the sockets, the clock and the durable workflow (``restartable_bot`` says what stands for
them), with production's own waiting times. Few stories are told by ``pytest``, more by ``pytest -m slow``, and
thousands by ``pytest -m slow tests/faults/test_promises.py -s --hypothesis-profile=long``, which prints what was tried.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule, run_state_machine_as_test
from pydantic import TypeAdapter

from bot.activeflows.bulk import bulk_stop
from bot.activeflows.bulk.authorization import BulkAdmission
from bot.activeflows.bulk.bulk_stop import BulkState
from bot.activeflows.errors import BotError
from bot.activeflows.records import RecordKind
from bot.activeflows.stopping.stop import Cancelled, Declined, DeclineReason, IntentState, Press, PressKind
from tests.faults.bulk_incident import BulkIncident
from tests.faults.chances import (
    bads,
    changes,
    fates,
    goods,
    holding,
    moments,
    pauses,
    people,
    pressers,
    troubles,
    waits,
    which,
)
from tests.faults.directory import CHANNEL
from tests.faults.incident import ALICE, BOB, CAROL, DAVE, FIGURES, VIC
from tests.faults.promises import STALE_FOR
from tests.faults.workflows import Workflow


@pytest.fixture(scope="module", autouse=True)
def figures() -> Iterator[None]:
    """For whoever runs it with ``-s``."""
    yield
    print("\n" + ", ".join(f"{count} {what}" for what, count in FIGURES.items()))


class PromisesKept(BulkIncident):
    """One incident channel, some callers, and everything that can go wrong at once."""

    # ---------------------------------------------------------------- callers

    @rule(with_call=st.booleans())
    def rings(self, with_call: bool) -> None:
        self._rings(with_call=with_call)

    @rule(n=which, to=st.sampled_from(("digits_receive", "talk", "queue_join")))
    def moves(self, n: int, to: str) -> None:
        self.world.moves_to(self._caller(n), to)

    @rule(n=which, hangs_up=st.booleans())
    def ends(self, n: int, hangs_up: bool) -> None:
        self._ends(self._caller(n), hangs_up=hangs_up)

    # ---------------------------------------------------------------- people

    @precondition(lambda self: self.bot.process)
    @rule(who=people, n=which, now=st.booleans())
    def asks(self, who: str, n: int, now: bool) -> None:
        self.bot.run(self._ask(who, self._caller(n), now=now))

    @precondition(lambda self: self.bot.process)
    @rule(who=people, by=people, with_call=st.booleans(), trouble=troubles, then=moments)
    def rings_and_is_stopped(self, who: str, by: str, with_call: bool, trouble: Sequence[str], then: float) -> None:
        self._rings(with_call=with_call)
        self.bot.run(self._ask(who, self.callers[-1], now=False))
        for each in trouble:
            self._goes_wrong("stop", each)
        if self.intents:
            self._press(by, self.intents[-1])
        self.bot.passes(then)

    @precondition(lambda self: self.bot.process and self.intents)
    @rule(who=people, n=which)
    def asks_others(self, who: str, n: int) -> None:
        async def ask_others() -> None:
            with suppress(BotError):
                approval = await self.bot.asking.request_approval(self.directory.standing_here(who), self._intent(n))
                if approval is not None and approval.opened:
                    await self._post(approval.card.id, approval.who_may)

        self.bot.run(ask_others())

    @precondition(lambda self: self.bot.process)
    @rule(who=st.sampled_from((ALICE, BOB, VIC)), other=people)
    def asks_and_presses_alone_where_two_are_needed(self, who: str, other: str) -> None:
        """By the rules, or because they had to ask; a permission that comes later does not make one person two."""
        self.directory.two_person = True
        self._rings(with_call=False)
        self.bot.run(self._ask(who, self.callers[-1], now=False))
        if self.intents:
            self.asks_others(who, 0)
        self.directory.stoppers.add(who)
        if self.intents:
            self._press(who, self.intents[-1])
            self.bot.passes(5.0)
            self._press(other, self.intents[-1])

    @precondition(lambda self: self.bot.process and self.intents)
    @rule(who=people, n=which)
    def puts_away(self, who: str, n: int) -> None:
        async def put_away() -> None:
            with suppress(BotError):
                found = await self.bot.asking.put_away(self.directory.standing_here(who), self._intent(n))
                if found is not None and found[1]:
                    await self.bot.cards.show(found[0], Cancelled(who), None)

        self.bot.run(put_away())

    @precondition(lambda self: self.bot.process and self.intents)
    @rule(who=people, n=which, then=moments)
    def presses(self, who: str, n: int, then: float) -> None:
        self._press(who, self._intent(n))
        self.bot.passes(then)

    @precondition(lambda self: self.bot.process and self.intents)
    @rule(one=people, n=which, other=people, m=which, between=moments)
    def press_together(self, one: str, n: int, other: str, m: int, between: float) -> None:
        self._press(one, self._intent(n))
        self.bot.passes(between)
        self._press(other, self._intent(m))

    @precondition(lambda self: self.bot.process)
    @rule(between=moments)
    def two_cards_of_one_activeflow_are_pressed(self, between: float) -> None:
        self._rings(with_call=True)
        before = len(self.intents)
        for asker in (ALICE, BOB):
            self.bot.run(self._ask(asker, self.callers[-1], now=False))
        for presser, intent_id in zip((BOB, ALICE), self.intents[before:], strict=False):
            self._press(presser, intent_id)
            self.bot.passes(between)

    @precondition(lambda self: self.bot.process and self.pressed)
    @rule(n=which)
    def delivers_again(self, n: int) -> None:
        self.bot.press(self.pressed[-1 - n % len(self.pressed)])

    @precondition(lambda self: self.bot.process and self.intents)
    @rule(who=people, n=which)
    def hangs_up_the_call(self, who: str, n: int) -> None:
        self._press(who, self._intent(n), PressKind.HANG_UP)

    # ---------------------------------------------------------------- who may

    @rule(who=people, may=st.booleans())
    def policy_changes(self, who: str, may: bool) -> None:
        (self.directory.stoppers.add if may else self.directory.stoppers.discard)(who)

    @rule(who=people, inside=st.booleans())
    def group_changes(self, who: str, inside: bool) -> None:
        (self.directory.oncall.add if inside else self.directory.oncall.discard)(who)

    @rule(on=st.booleans())
    def two_people_are_needed(self, on: bool) -> None:
        self.directory.two_person = on

    # ---------------------------------------------------------------- what changes during a wait

    @precondition(lambda self: self.bot.process)
    @rule(who=pressers, trouble=holding, busy=pauses, then=moments, change=changes)
    def something_changes_while_a_stop_waits(
        self, who: str, trouble: Sequence[str], busy: float, then: float, change: str
    ) -> None:
        """After 429, 401, 503, a lost answer; for its turn in the budget; while VoIPBIN is slow to be looked at."""
        self._rings(with_call=True)
        self.bot.run(self._ask(ALICE, self.callers[-1], now=False))
        for each in trouble:
            self._goes_wrong("stop", each)
        if busy:
            self.bot.budget.slow_down(busy)
        if self.intents:
            self._press(who, self.intents[-1])
        self.bot.passes(then)
        self._changes(change, who)
        self.bot.passes(60.0)
        self._changes_back(who)

    # ---------------------------------------------------------------- what goes wrong

    @rule(what=st.sampled_from(("stop", "read")), trouble=troubles)
    def voipbin_errs(self, what: str, trouble: Sequence[str]) -> None:
        for each in trouble:
            self._goes_wrong(what, each)

    @rule()
    def voipbin_recovers(self) -> None:
        self._recovers()

    @rule(n=which)
    def cache_is_stale(self, n: int) -> None:
        catches_up = self.world.reads_stale(self._caller(n))
        self.promises.instant.is_stale(self._caller(n).id, STALE_FOR)
        self.world.clock.after(STALE_FOR, catches_up)

    @rule(users=st.integers(0, 2), cards=st.integers(0, 2))
    def slack_fails(self, users: int, cards: int) -> None:
        self.directory.silent, self.bot.channel.deaf = users, cards

    @precondition(lambda self: self.bot.process)
    @rule(who=pressers, good=goods, bad=bads, kept=st.booleans(), trouble=troubles, dies=st.booleans())
    def the_ledger_does_not_answer_in_a_press(
        self, who: str, good: int, bad: int, kept: bool, trouble: Sequence[str], dies: bool
    ) -> None:
        """Locked, or down, at any step; or a commit whose answer was lost."""
        self._rings(with_call=True)
        self.bot.run(self._ask(ALICE, self.callers[-1], now=False))
        for each in trouble:
            self._goes_wrong("stop", each)
        self._fails(good, bad, kept=kept)
        if self.intents:
            self._press(who, self.intents[-1])
        self.bot.passes(10.0)
        if dies:
            self.bot.kill()
            self.bot.start()
        self.bot.passes(60.0)
        self.bot.outage.over()

    @rule(fate=fates)
    def events_go_wrong(self, fate: Sequence[str]) -> None:
        self.bot.events.fates[:] = fate

    @rule()
    def late_events_come(self) -> None:
        """What is over by then, and what has moved on, is told as it was, the last first."""
        self.bot.events.late_ones_come()

    @rule(down=st.booleans(), then=st.one_of(moments, waits))
    def the_event_stream_is_cut(self, down: bool, then: float) -> None:
        """And opened again, or not; what happens meanwhile is told to nobody."""
        self.bot.events.down = down
        self.bot.events.is_cut()
        self.bot.passes(then)

    # ---------------------------------------------------------------- time and death

    @rule(seconds=st.one_of(moments, waits))
    def time_passes(self, seconds: float) -> None:
        self.bot.passes(seconds)

    @rule(seconds=waits)
    def clock_leaps(self, seconds: float) -> None:
        self.bot.leaps(seconds)

    @precondition(lambda self: self.bot.process and self.intents)
    @rule(who=people, n=which, milliseconds=st.integers(0, 400), again=st.booleans())
    def dies_in_a_press(self, who: str, n: int, milliseconds: int, again: bool) -> None:
        self._press(who, self._intent(n))
        self.bot.passes(milliseconds / 1000)
        self.bot.kill()
        if again:
            self.bot.start()

    @precondition(lambda self: self.bot.process and self.intents)
    @rule(who=people, n=which, moment=st.integers(0, 14), trouble=troubles, ends=st.booleans(), later=waits)
    def dies_around_a_step(
        self, who: str, n: int, moment: int, trouble: Sequence[str], ends: bool, later: float
    ) -> None:
        """The longer it lies there, the more has changed when it gets up."""
        for each in trouble:
            self._goes_wrong("stop", each)
        self._press(who, self._intent(n))
        self._dies_around(moment, later, self._caller(n) if ends else None)

    @precondition(lambda self: self.bot.process)
    @rule(who=st.sampled_from((ALICE, BOB)), moment=st.integers(0, 10), later=st.sampled_from((1.0, 310.0, 4000.0)))
    def dies_and_rises_too_late(self, who: str, moment: int, later: float) -> None:
        """A stop that was in time when it was pressed, and is not any more when the bot is back."""
        self._rings(with_call=True)
        self.bot.run(self._ask(who, self.callers[-1], now=False))
        if self.intents:
            self._press(who, self.intents[-1])
            self._dies_around(moment, later)

    @precondition(lambda self: self.bot.process)
    @rule()
    def dies(self) -> None:
        self.bot.kill()

    @precondition(lambda self: not self.bot.process)
    @rule()
    def starts_again(self) -> None:
        self.bot.start()


_STORY = settings(stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck))
_AS_FOUND = (Phase.explicit, Phase.generate)  # making a broken story shorter takes minutes, which a gate does not have


def test_the_promises_are_kept_in_a_few_stories() -> None:
    run_state_machine_as_test(
        PromisesKept, settings=settings(_STORY, max_examples=4, derandomize=True, phases=_AS_FOUND)
    )


@pytest.fixture
def story() -> Iterator[PromisesKept]:
    """To be told by hand."""
    story = PromisesKept()
    story.opens(two_person=False, two_for_bulk=False)
    try:
        yield story
        story.promises_are_kept()
    finally:
        story.teardown()


@pytest.mark.parametrize(
    ("change", "who"),
    [
        ("time", BOB),
        ("moves", BOB),
        ("ends", BOB),
        ("policy", BOB),
        ("group", CAROL),
        ("two persons", ALICE),
        ("asker", DAVE),
    ],
)
def test_whatever_changes_while_a_stop_waits_is_seen_by_the_gate(change: str, who: str, story: PromisesKept) -> None:
    """A story for each part of the gate: what only few of the random ones come upon."""
    story.something_changes_while_a_stop_waits(who, ["429 for long"], 0.0, 5.0, change)


@pytest.mark.parametrize("bad", [1, 4])
@pytest.mark.parametrize("good", range(10))
def test_no_card_is_left_with_a_press_that_came_to_nothing(good: int, bad: int) -> None:
    """The one who asked may not press. What the card said meanwhile is taken back whichever read is not answered."""
    story = PromisesKept()
    story.opens(two_person=True, two_for_bulk=False)
    try:
        story.the_ledger_does_not_answer_in_a_press(ALICE, good, bad, kept=False, trouble=[], dies=False)
        story.promises_are_kept()
    finally:
        story.teardown()


@pytest.mark.parametrize("bad", [1, 2])
@pytest.mark.parametrize("good", range(5, 12))
@pytest.mark.parametrize("trouble", ["not JSON", "slow work"])
def test_what_was_sent_before_a_death_is_not_called_unsent_because_the_ledger_does_not_say_so(
    trouble: str, good: int, bad: int, story: PromisesKept
) -> None:
    """Whoever goes on asks the ledger whether it was; without an answer that is not known."""
    story.the_ledger_does_not_answer_in_a_press(BOB, good, bad, kept=False, trouble=[trouble], dies=True)


@pytest.mark.parametrize("bad", [7, 8, 9])
@pytest.mark.parametrize("good", [3, 4])
def test_a_claim_that_is_kept_without_an_answer_is_carried_out_however_long_that_lasts(
    good: int, bad: int, story: PromisesKept
) -> None:
    """Else the ledger would have it stopping for good, and everybody else would be told so."""
    story.the_ledger_does_not_answer_in_a_press(ALICE, good, bad, kept=True, trouble=[], dies=False)
    found = story.bot.run(story.bot.book.intent(story.intents[-1]))
    assert found is not None
    assert found[1] is not IntentState.STOPPING


@pytest.mark.parametrize("bad", [1, 12])
@pytest.mark.parametrize("good", [3, 4])
def test_a_bulk_stop_whose_start_is_kept_without_an_answer_is_carried_out(
    good: int, bad: int, story: PromisesKept
) -> None:
    """Else it would be stopping for good, with nobody at it."""
    story.the_ledger_does_not_answer_in_mid_bulk(ALICE, BOB, 2, good, bad, kept=True)
    found = story.bot.run(story.bot.bulks.bulk(story.bulks[-1]))
    assert found is not None
    assert found[1].state in {BulkState.OPEN, BulkState.DONE}


@pytest.mark.parametrize("good", range(3, 9))
def test_while_members_are_stopped_the_bulk_card_is_no_question(good: int, story: PromisesKept) -> None:
    """Whichever read of how far it is goes unanswered."""
    story.the_ledger_does_not_answer_in_mid_bulk(ALICE, BOB, 3, good, 1, kept=False)
    told = [each.at for each in story.bot.channel.bulk_tellings if each.run.state is not BulkState.OPEN]
    assert all(any(at <= post.at + timedelta(seconds=1) for at in told) for post in story.bot.line.posts)


def test_an_abort_while_a_stop_waits_is_seen_by_the_gate(story: PromisesKept) -> None:
    story.voipbin_errs("stop", ["429 for long"])
    story.many_are_stopped_and_it_is_aborted(ALICE, BOB, BOB, 2, 5.0)
    story.time_passes(60.0)


@pytest.mark.parametrize("looking", [1.2, 1795.0], ids=["at its end", "at last"])
def test_a_call_that_is_hung_up_while_another_press_cannot_write_is_not_called_up_again(
    looking: float, story: PromisesKept
) -> None:
    """Whoever follows the call has read that it is up, and the ledger does not take that before it is hung up."""
    story.world.telephony.loses_hangups = True
    story.bot.run(story._ask(ALICE, story.callers[-1], now=False))
    story.presses(ALICE, 0, looking)
    story.bot.outage.of, story.bot.outage.bad = story.pressed[-1].id, 1
    while story.bot.outage.bad:
        story.time_passes(0.1)
    story.hangs_up_the_call(BOB, 0)
    story.time_passes(20.0)
    telling = story.bot.channel.last(f"card {story.intents[-1][:8]}")
    assert telling is not None
    assert "Call: hung up" in telling.words


def kept(story: PromisesKept, what: str, of: str) -> str | None:
    """What the ledger has by now, read beside the bot."""
    with closing(sqlite3.connect(story.bot.url.removeprefix("sqlite:///"))) as database:
        found = database.execute(what, (of,)).fetchone()
    return None if found is None else str(found[0])


def test_a_run_that_another_one_has_outdone_writes_nothing_of_the_call_that_it_follows(story: PromisesKept) -> None:
    """What it has read may be older than what the other one told."""
    story.world.telephony.loses_hangups = True
    story.bot.run(story._ask(ALICE, story.callers[-1], now=False))
    story.presses(ALICE, 0, 20.0)
    how_it_ended = "SELECT ended FROM intents WHERE id = ?", story.intents[-1]
    before = kept(story, *how_it_ended)
    assert before is not None
    assert '"up"' in before
    story.bot.run(story.bot.book.take_up(story.pressed[-1].id))
    story.world.caller_hangs_up(story.callers[-1])
    story.time_passes(20.0)
    assert kept(story, *how_it_ended) == before
    story.dies()
    story.starts_again()


@pytest.mark.parametrize("many", [False, True])
def test_a_run_that_another_one_has_outdone_tells_of_no_hang_up(many: bool, story: PromisesKept) -> None:
    """Taken over between the outcome and the edit: the other one says it, and may have said more by then."""
    story.world.telephony.loses_hangups = True
    if many:
        story.many_ring_and_are_stopped(ALICE, BOB, 1, [], 30.0, [])
        bulk = story.promises.bulk.frozen[story.bulks[-1]]
        story._press(ALICE, bulk_stop.intent_id(bulk, bulk.members[-1]), PressKind.HANG_UP)
    else:
        story.bot.run(story._ask(ALICE, story.callers[-1], now=False))
        story.presses(ALICE, 0, 30.0)
        story.hangs_up_the_call(ALICE, 0)
    channel, press = story.bot.channel, story.pressed[-1]
    told = len(channel.tellings), len(channel.bulk_tellings)
    while kept(story, "SELECT seq FROM audit WHERE key = ?", f"{press.id}/{RecordKind.OUTCOME}") is None:
        story.time_passes(0.0005)
    story.bot.run(story.bot.book.take_up(press.id))
    story.time_passes(5.0)
    assert (len(channel.tellings), len(channel.bulk_tellings)) == told
    story.dies()
    story.starts_again()


def test_what_no_event_told_or_one_told_late_or_twice_is_listed_as_it_is_in_the_end(story: PromisesKept) -> None:
    """Lost, the last first, doubled, and between two streams."""
    story.events_go_wrong(["lost", "told", "lost", "late", "late", "twice"])
    story.rings(with_call=False)
    story.rings(with_call=True)
    story.ends(0, hangs_up=True)
    story.rings(with_call=False)
    story.moves(0, "talk")
    story.ends(0, hangs_up=False)
    story.late_events_come()
    story.time_passes(5.0)
    story.the_event_stream_is_cut(down=True, then=5.0)
    story.rings(with_call=True)
    story.ends(3, hangs_up=True)
    story.the_event_stream_is_cut(down=False, then=5.0)


def test_a_late_press_that_is_declined_late_draws_nothing_over_the_bulk_stop(story: PromisesKept) -> None:
    """Whoever declined it was frozen meanwhile, or died; the press in time has been carried out."""
    story.many_ring_and_are_stopped(ALICE, BOB, 2, [], 60.0, [])
    bulk = story.promises.bulk.frozen[story.bulks[-1]]
    late = Workflow(Press(bulk.id, ALICE, "", CHANNEL, "late", story.bot.now(), PressKind.BULK))
    declined = BulkAdmission(bulk, Declined(DeclineReason.LATE, "past the deadline"))
    late.remembered.append(("admit bulk", TypeAdapter(BulkAdmission).dump_json(declined).decode()))
    story.bot.workflows.all[late.id] = late
    story.bot.kill()
    story.bot.start()
    story.time_passes(20.0)
    last = story.bot.channel.last_of_bulk(bulk.id)
    assert last is not None
    assert last.run.state is BulkState.DONE


def test_a_clock_that_is_set_on_makes_no_stop_be_over_that_is_at_work(story: PromisesKept) -> None:
    """Else one whose answer was lost would be sent once more beside the first, and be called without effect."""
    story.bot.run(story._ask(ALICE, story.callers[-1], now=False))
    story.voipbin_errs("stop", ["slow work"])
    story.presses(BOB, 0, 0.5)
    story.dies()
    story.starts_again()
    story.time_passes(3.5)
    story.clock_leaps(60.0)
    story.time_passes(30.0)
    assert len(story.bot.line.posts) == 1


def test_what_is_on_its_way_while_the_machine_sleeps_for_long_is_not_sent_beside(story: PromisesKept) -> None:
    """A stop at work, and so long a sleep that its claim lapses: VoIPBIN has done with it by then."""
    story.time_runs_out_in_mid_bulk(ALICE, ALICE, 2, 0.0, ["slow work"], 290.0)
    story.time_runs_out_in_mid_bulk(ALICE, ALICE, 2, 0.0, [], 290.0)


@pytest.mark.slow
def test_the_promises_are_kept_in_many_stories() -> None:
    """The same ones each time; the long profile looks for new ones."""
    most = settings().max_examples
    many = settings(_STORY, max_examples=max(60, most * 3 // 5), derandomize=most <= 100)
    if most <= 100:
        many = settings(many, phases=_AS_FOUND)
    run_state_machine_as_test(PromisesKept, settings=many)

"""What is called stuck, looping, left over or nearly out of steps, and what is not."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from hypothesis import given
from hypothesis import strategies as st

from bot.activeflows.anomalies import ENOUGH, AnomalyCache, AnomalyDetector, Durations, DwellTimes, Reason, place, rank
from bot.activeflows.index import Change, Index
from bot.activeflows.model import START_ID, Action, Activeflow, Call, Flow, Party, Reference, Status
from bot.activeflows.situation.current_step import SituationCache, situation

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
FLOW, QUEUE = UUID(int=0xF10), UUID(int=0x90)
START = Action(START_ID)
TALK, DIGITS, GOTO = (Action(UUID(int=n), word) for n, word in ((11, "talk"), (12, "digits_receive"), (13, "goto")))
JOIN = Action(UUID(int=20), "queue_join", {"queue_id": str(QUEUE)})
MUSIC, PAUSE = Action(UUID(int=21), "play"), Action(UUID(int=22), "sleep")
CALL = UUID(int=0xCA11)


def an_activeflow(*steps: Action, at: timedelta = timedelta(0), flow: UUID = FLOW, **changes: object) -> Activeflow:
    """It has done all but the last of these; ``at``: when it came to the last one, after its beginning at noon."""
    activeflow = Activeflow(
        id=UUID(int=0xAF),
        customer_id=None,
        flow_id=flow,
        status=Status.RUNNING,
        reference=Reference("call", CALL),
        current=steps[-1],
        executed=steps[:-1],
        created_at=NOON,
        updated_at=NOON + at,
    )
    return replace(activeflow, **changes)  # type: ignore[arg-type] # fields by name


def waiting(laps: int, at: timedelta) -> Activeflow:
    """In the queue, at the music of this lap."""
    return an_activeflow(START, JOIN, *(MUSIC, PAUSE) * (laps - 1), MUSIC, at=at)


def living(stays: DwellTimes, *versions: Activeflow) -> AnomalyDetector:
    """Everything that the index makes of these versions."""
    index = Index()
    index.listen(stays.hear)
    for version in versions:
        index.take(version)
    while stays.work(10):
        pass
    return AnomalyDetector(stays)


def used_to(seconds: float, where: Activeflow, times: int = ENOUGH) -> DwellTimes:
    """A past in which this always took so long."""
    stays, durations, there = DwellTimes(), Durations(), place(where)
    for _ in range(times):
        durations.add(seconds)
    assert there is not None
    stays.know({there: durations})
    return stays


def reasons(detector: AnomalyDetector, activeflow: Activeflow, now: datetime, call: Call | None = None) -> list[Reason]:
    return [trouble.reason for trouble in detector.troubles(activeflow, now, call=call)]


def test_eleven_minutes_in_a_queue_where_it_is_usually_less_than_one_is_stuck_however_often_the_music_came() -> None:
    arrived, now = waiting(1, 5 * SECOND), waiting(4, 9 * MINUTE)
    entering = an_activeflow(START, JOIN, at=3 * SECOND)
    detector = living(used_to(45, arrived), an_activeflow(START), entering, arrived, waiting(2, MINUTE), now)
    (trouble,) = detector.troubles(now, NOON + 11 * MINUTE + 10 * SECOND, name_of={QUEUE: "Support"}.get)
    assert trouble.reason is Reason.STUCK
    assert trouble.words == "11 min waiting in queue Support, 4th time round, usually about 49 s"


def test_what_was_met_in_the_middle_is_at_least_so_long_and_teaches_nothing() -> None:
    met, later = waiting(9, 5 * MINUTE), an_activeflow(START, JOIN, MUSIC, TALK, at=30 * MINUTE)
    stays = used_to(45, met)
    detector = living(stays, met)
    (trouble,) = detector.troubles(met, NOON + 20 * MINUTE)
    assert trouble.words.startswith("at least 15 min waiting in a queue")
    living(stays, met, later)
    assert not stays.take_new()


@given(st.floats(1, 5000), st.integers(0, ENOUGH - 1))
def test_nothing_is_stuck_without_a_past_of_enough_times(seconds: float, times: int) -> None:
    here = waiting(1, SECOND)
    assert Reason.STUCK not in reasons(living(used_to(seconds, here, times), here), here, NOON + 50 * MINUTE)


@given(st.floats(1, 3000), st.integers(0, 3500), st.integers(0, 3500))
def test_the_longer_it_lasts_the_more_it_is_stuck_and_never_within_what_is_usual(usual: float, a: int, b: int) -> None:
    here = an_activeflow(START, TALK, at=timedelta(0))
    detector = living(used_to(usual, here), an_activeflow(START), here)
    stuck = [Reason.STUCK in reasons(detector, here, NOON + seconds * SECOND) for seconds in sorted((a, b))]
    assert stuck in ([False, False], [False, True], [True, True])
    assert not (max(a, b) <= max(usual * 4, 119) and any(stuck))


@given(st.uuids())
def test_one_flows_past_never_judges_another(other: UUID) -> None:
    here = an_activeflow(START, TALK)
    elsewhere = replace(here, flow_id=other)
    detector = living(used_to(5, here), elsewhere)
    assert (Reason.STUCK in reasons(detector, elsewhere, NOON + HOUR / 2)) is (other == FLOW)


def test_a_stay_from_its_beginning_to_its_end_is_learned_also_when_the_caller_hangs_up() -> None:
    stays = DwellTimes()
    ended = replace(waiting(3, 3 * MINUTE), status=Status.ENDED)
    steps = [an_activeflow(START), an_activeflow(START, JOIN, at=10 * SECOND), waiting(1, 20 * SECOND)]
    living(stays, *steps, waiting(2, MINUTE), ended)
    kept = stays.take_new()
    learned = kept[FLOW, str(JOIN.id)]
    assert set(kept) == {(FLOW, str(START_ID)), (FLOW, str(JOIN.id))}
    assert 170 / 1.25 <= (learned.at_most(1) or 0) <= 170 * 1.26
    assert not stays.take_new()


def test_what_could_not_be_kept_is_given_again() -> None:
    stays = used_to(5, an_activeflow(START, TALK))
    living(stays, an_activeflow(START), an_activeflow(START, TALK), an_activeflow(START, TALK, DIGITS, at=9 * SECOND))
    new = stays.take_new()
    stays.give_back(new)
    assert {where: kept.counts for where, kept in stays.take_new().items()} == {w: k.counts for w, k in new.items()}


@given(st.integers(1, 12))
def test_the_fifth_time_at_the_same_step_is_a_loop(times: int) -> None:
    here = an_activeflow(START, *(TALK, DIGITS, GOTO) * (times - 1), TALK, DIGITS)
    found = [t for t in AnomalyDetector(DwellTimes()).troubles(here, NOON) if t.reason is Reason.LOOPING]
    assert bool(found) is (times >= 5)
    if found:
        assert found[0].words == f"{times}th time round: keypad input → text"


def test_waiting_in_a_queue_is_no_loop() -> None:
    assert reasons(AnomalyDetector(DwellTimes()), waiting(12, MINUTE), NOON) == []


def test_nearly_out_of_steps_is_said_in_the_words_of_the_situation() -> None:
    here = waiting(43, MINUTE)
    (trouble,) = AnomalyDetector(DwellTimes()).troubles(here, NOON)
    assert (trouble.reason, trouble.words.split(",")[0]) == (Reason.STEPS, "86 of 101 steps used")


def a_call(*, over: timedelta | None) -> Call:
    nobody = Party("tel", "")
    ended = NOON + over if over is not None else None
    status = "progressing" if over is None else "hangup"
    return Call(CALL, UUID(int=0xAF), status, "incoming", nobody, nobody, hangup_at=ended)


def test_left_over_is_what_outlives_its_call() -> None:
    here, detector = an_activeflow(START, TALK), AnomalyDetector(DwellTimes())
    (trouble,) = detector.troubles(here, NOON + 4 * HOUR, call=a_call(over=HOUR))
    assert (trouble.reason, trouble.words) == (Reason.STALE, "call ended 3 h ago: stale")
    (trouble,) = detector.troubles(here, NOON + 2 * HOUR)
    assert trouble.words == "older than any call can be (1 h): probably stale"
    assert reasons(detector, here, NOON + 64 * MINUTE) == []
    assert reasons(detector, here, NOON + 2 * HOUR, a_call(over=None)) == []
    assert reasons(detector, here, NOON + 10 * SECOND, a_call(over=timedelta(0))) == [], "it is being cleared up"


def test_what_started_on_complete_or_runs_for_no_call_is_not_left_over() -> None:
    detector, later = AnomalyDetector(DwellTimes()), NOON + 9 * HOUR
    assert reasons(detector, an_activeflow(START, TALK, parent_id=uuid4()), later, a_call(over=HOUR)) == []
    assert reasons(detector, an_activeflow(START, TALK, reference=Reference("conversation", uuid4())), later) == []


def test_what_has_ended_has_no_troubles() -> None:
    here = replace(waiting(43, MINUTE), status=Status.ENDED)
    assert reasons(living(used_to(1, here), here), here, NOON + 9 * HOUR) == []


CHANGES = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 6), st.booleans()), max_size=60)


@given(CHANGES)
def test_it_remembers_only_what_runs_and_never_more_time_than_there_was(changes: list[tuple[int, int, bool]]) -> None:
    stays, running = DwellTimes(), dict[UUID, Activeflow]()
    for number, (which, step, ends) in enumerate(changes):
        id_ = UUID(int=which + 1)
        before = running.pop(id_, None)
        after = replace(an_activeflow(START, *(TALK, DIGITS) * step, MUSIC, at=number * SECOND), id=id_)
        if ends:
            after = replace(after, status=Status.ENDED)
        else:
            running[id_] = after
        stays.hear(Change(id_, before, after))
    while stays.work(7):
        pass
    assert {
        id_
        for id_ in (UUID(int=n + 1) for n in range(4))
        if stays.stay(replace(running.get(id_, an_activeflow(MUSIC)), id=id_))
    } == set(running)
    longest = max((learned.at_most(1) or 0 for learned in stays.take_new().values()), default=0)
    assert longest <= max(len(changes), 1) * 1.26


def test_what_was_created_and_never_started_is_stuck_without_any_past() -> None:
    waits = an_activeflow(START, reference=Reference("conversation", CALL))
    detector = AnomalyDetector(DwellTimes())
    assert detector.troubles(waits, NOON + 9 * MINUTE) == ()
    (trouble,) = detector.troubles(waits, NOON + 192 * MINUTE)
    assert (trouble.reason, trouble.words) == (Reason.STUCK, "created 3 h 12 min ago and never started")
    assert reasons(detector, replace(waits, status=Status.ENDED), NOON + 192 * MINUTE) == []
    assert reasons(detector, replace(waits, current=TALK, executed=(START,)), NOON + 192 * MINUTE) == []


_STEP = st.sampled_from((START, JOIN, MUSIC, PAUSE, TALK, DIGITS, GOTO))
_STEPS = st.builds(
    lambda first, lap, laps, last: [*first, *lap * laps, last],
    st.lists(_STEP, max_size=3),
    st.lists(_STEP, min_size=1, max_size=3),
    st.integers(0, 33),
    _STEP,
)
_TOLD = st.tuples(st.integers(0, 4), _STEPS, st.integers(0, 5000), st.sampled_from((FLOW, UUID(int=0xF11), None)))
_DEFINED = Flow(FLOW, "Support line", frozenset({JOIN.id, MUSIC.id, PAUSE.id, TALK.id}))
_WHERE = [an_activeflow(step, flow=flow) for step in (START, JOIN, TALK, DIGITS) for flow in (FLOW, UUID(int=0xF11))]


@given(st.lists(st.lists(_TOLD, max_size=4), min_size=1, max_size=6), st.data())
async def test_what_is_cached_of_many_is_what_is_found_of_each(rounds: list[list[Any]], data: st.DataObject) -> None:
    stays, index = DwellTimes(), Index()
    for where in _WHERE:
        stays.know(used_to(20, where)._past)
    index.listen(stays.hear)
    detector = AnomalyDetector(stays)
    glance, close, doings = AnomalyCache(detector), AnomalyCache(detector), SituationCache()
    for told in rounds:
        if data.draw(st.booleans()):  # from now on it takes longer there
            there = place(data.draw(st.sampled_from(_WHERE)))
            assert there is not None
            for _ in range(ENOUGH):
                stays.past(there).add(900)
        for number, steps, at, flow in told:
            id_, at_ = UUID(int=0xAF00 + number), timedelta(seconds=at)
            changes = {"id": id_, "created_at": None if number == 4 else NOON + number * MINUTE}
            index.take(an_activeflow(*steps, at=at_, flow=flow, **changes))
        while data.draw(st.booleans()) and stays.work(1):
            pass
        seconds = [at + more for told in rounds for _, _, at, _ in told for more in (119, 120, 121)]
        now = NOON + timedelta(seconds=data.draw(st.sampled_from(seconds) if seconds else st.just(0)))
        now += data.draw(st.sampled_from((0, 0, 0, 500, 4000))) * SECOND
        known: dict[UUID, Flow | None] = data.draw(
            st.sampled_from(({}, {FLOW: None}, {FLOW: _DEFINED}, {FLOW: replace(_DEFINED)}))
        )
        some = [each for each in index.newest_first() if data.draw(st.booleans())]
        each_does = [situation(each, flow=known.get(each.flow_id) if each.flow_id else None) for each in some]
        assert await doings.of(some, known) == each_does
        of_each = [tuple(trouble.reason for trouble in detector.troubles(each, now)) for each in some]
        assert await glance.of(some, now) == of_each
        of_each = [
            tuple(t.reason for t in detector.of(each, does, now)) for each, does in zip(some, each_does, strict=True)
        ]
        assert await close.of(some, now, await doings.of(some, known)) == of_each
        found, ranks = await glance.worst_first(some, now)
        order = sorted(some, key=lambda each: rank(tuple(t.reason for t in detector.troubles(each, now))))
        assert found == order
        assert ranks == [rank(tuple(t.reason for t in detector.troubles(each, now))) for each in order]


async def test_what_is_cached_is_judged_anew_once_its_flow_is_known() -> None:
    """Where the flow is known, these are steps of its own and no longer a queue's: so it goes round in a circle."""
    goes_round = an_activeflow(JOIN, *[TALK, DIGITS] * 6, TALK)
    detector, doings = AnomalyDetector(DwellTimes()), SituationCache()
    cached, now = AnomalyCache(detector), NOON + MINUTE
    defined = Flow(FLOW, "Support line", frozenset({JOIN.id, TALK.id, DIGITS.id}))
    assert await cached.of([goes_round], now, await doings.of([goes_round], {})) == [()]
    assert await cached.of([goes_round], now, await doings.of([goes_round], {FLOW: defined})) == [(Reason.LOOPING,)]
    assert await cached.of([goes_round], now, await doings.of([goes_round], {FLOW: None})) == [()]

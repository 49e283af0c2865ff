"""Watches as a machine: changes, events, silences, failed edits, deaths, in any order; what the cards say stays true.

Few stories are told by ``pytest``, more by ``pytest -m slow``, thousands with ``--hypothesis-profile=long`` behind it.
"""

import shutil
import tempfile
from itertools import pairwise
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from bot.activeflows.model import Activeflow
from bot.activeflows.watching.watch import EndingKind, WatchCardContent, version_of
from tests.faults.restartable_watches import PACE, STEPS, RestartableWatches
from tests.faults.virtual_time import VirtualTimeLoop

_MEMORY = Path("/dev/shm")
which = st.sampled_from((0, 0, 0, 0, 1))
moments = st.sampled_from((0.01, 0.2, 1.0, 3.5, 3.5, 11.0, 11.0))
rarely = st.integers(0, 5).map(lambda number: number == 5)
FATES = ("", "lost", "refused", "limited", "lost", "refused", "limited", "gone")


class CardsStayTrue(RuleBasedStateMachine):
    """Some activeflows, their cards, and everything that can go wrong at once."""

    @initialize(live=st.booleans())
    def opens(self, live: bool) -> None:
        self.loop = VirtualTimeLoop()
        self.folder = Path(tempfile.mkdtemp(prefix="flows-bot-", dir=_MEMORY if _MEMORY.is_dir() else None))
        self.process = RestartableWatches(self.folder, self.loop)
        self.process.stream.live = live
        for _ in range(2):
            self.process.voipbin.begins()
        self.watches(0)

    def _id(self, number: int) -> UUID:
        return list(self.process.voipbin.versions)[number % len(self.process.voipbin.versions)]

    # ---------------------------------------------------------------- what happens

    @rule(number=which)
    def watches(self, number: int) -> None:
        self.process.watches_it(self._id(number))

    @rule(number=which, steps=st.lists(st.tuples(st.integers(0, len(STEPS) - 1), st.booleans(), moments), max_size=4))
    def moves(self, number: int, steps: list[tuple[int, bool, float]]) -> None:
        for step, told, seconds in steps:
            self.process.voipbin.moves(self._id(number), step)
            if told:
                self._told(self.process.voipbin.versions[self._id(number)][-1])
            self.process.passes(seconds)

    @rule(number=which, back=st.integers(0, 5))
    def an_event_comes_late(self, number: int, back: int) -> None:
        versions = self.process.voipbin.versions[self._id(number)]
        self._told(versions[max(0, len(versions) - 1 - back)])

    @rule(number=which, by_itself=st.booleans(), told=st.booleans(), really=rarely)
    def ends(self, number: int, by_itself: bool, told: bool, really: bool) -> None:
        if really:
            self.process.voipbin.ends(self._id(number), by_itself=by_itself)
        if told:
            self._told(self.process.voipbin.versions[self._id(number)][-1])

    @rule(number=which, told=st.booleans(), really=rarely)
    def is_deleted(self, number: int, told: bool, really: bool) -> None:
        if really:
            self.process.voipbin.deleted.add(self._id(number))
        if told and really:
            self.process.stream.index.take_away(self._id(number))

    def _told(self, version: Activeflow) -> None:
        if self.process.stream.live and version.id not in self.process.voipbin.deleted:
            self.process.stream.index.take(version)

    @rule(live=st.booleans())
    def the_stream_comes_or_goes(self, live: bool) -> None:
        """A stream is live only once all was read, as the index promises."""
        if live and not self.process.stream.live:
            self._the_list_is_read()
        self.process.stream.live = live

    def _the_list_is_read(self) -> None:
        for id_, versions in self.process.voipbin.versions.items():
            if versions[-1].running and id_ not in self.process.voipbin.deleted:
                self.process.stream.index.take(versions[-1])
            else:
                self.process.stream.index.take_away(id_)

    @rule(silent=st.sampled_from((0, 0, 1, 3)), stale=st.integers(0, 4), seconds=moments)
    def voipbin_is_troubled(self, silent: int, stale: int, seconds: float) -> None:
        self.process.voipbin.silent, self.process.voipbin.stale = silent, stale
        self.process.passes(seconds)

    @rule(fates=st.lists(st.sampled_from(FATES), max_size=4))
    def slack_is_troubled(self, fates: list[str]) -> None:
        self.process.slack.next = fates

    @rule(number=which, really=rarely)
    def unwatches(self, number: int, really: bool) -> None:
        if self.process.watches and really:
            self.process.unwatches(list(self.process.watches)[number % len(self.process.watches)])

    @rule()
    def dies_and_starts_again(self) -> None:
        self.process.dies()
        self.process.starts()

    @rule(seconds=st.sampled_from((0.01, 0.2, 1.0, 3.0, 11.0, 70.0, 400.0)))
    def time_passes(self, seconds: float) -> None:
        self.process.passes(seconds)

    # ---------------------------------------------------------------- what must be true

    @invariant()
    def nothing_older_is_told_after_something_newer(self) -> None:
        for shown in self.process.slack.shown.values():
            for one, other in pairwise(shown):
                assert one.telling.known.version <= other.telling.known.version
                assert one.telling.known.as_of <= other.telling.known.as_of

    @invariant()
    def the_end_is_told_once_and_only_when_it_is_one(self) -> None:
        for id_, shown in self.process.slack.shown.items():
            endings = [each.telling.ending for each in shown]
            first = next((number for number, ending in enumerate(endings) if ending is not None), len(endings))
            assert all(ending == endings[first] for ending in endings[first:])  # again only if it may have been lost
            said = shown[first:]
            assert all(not (one.sure and one.process == other.process) for one, other in pairwise(said))
            for ending in endings[first:]:
                activeflow_id = self.process.watches[id_].activeflow_id
                over = (
                    self.process.voipbin.versions[activeflow_id][-1].ended
                    or activeflow_id in self.process.voipbin.deleted
                )
                assert ending is not None
                assert over or not ending.over
                assert (ending.how is EndingKind.UNWATCHED) == (id_ in self.process.unwatched)

    @invariant()
    def slack_is_not_overrun(self) -> None:
        tried = self.process.slack.tried
        for number, (at, id_, process) in enumerate(tried):
            assert all(at - other >= PACE.card_every for other, *same in tried[:number] if same == [id_, process])
            lately = [other for other, *_ in tried[: number + 1] if other > at - 60]
            assert (
                len(lately) <= 2 * PACE.burst + 60 * PACE.rate
            )  # twice the burst: a process may have been started anew

    @invariant()
    def nothing_unforeseen_happened(self) -> None:
        assert self.process.broken == []

    def teardown(self) -> None:
        if hasattr(self, "process"):
            try:
                self._in_the_end()
            finally:
                self.process.closes()
                shutil.rmtree(self.folder)

    def _in_the_end(self) -> None:
        """When everything is well again, every card says what is."""
        process = self.process
        process.voipbin.silent = process.voipbin.stale = 0
        process.slack.next = []
        if process.stream.live:
            self._the_list_is_read()  # as it is every few minutes, for events that were lost
        process.passes(90)
        for id_, watch in process.watches.items():
            if id_ not in process.slack.gone:
                self._says_what_is(process.slack.shown[id_][-1].telling, watch.activeflow_id)
        self.nothing_older_is_told_after_something_newer()
        self.the_end_is_told_once_and_only_when_it_is_one()
        self.nothing_unforeseen_happened()

    def _says_what_is(self, telling: WatchCardContent, activeflow_id: UUID) -> None:
        last = self.process.voipbin.versions[activeflow_id][-1]
        if telling.watch.id in self.process.unwatched:
            assert telling.ending is not None
        elif last.ended or activeflow_id in self.process.voipbin.deleted:
            assert telling.ending is not None
            assert telling.ending.over
        else:
            assert telling.ending is None
            assert telling.silent_since is None
            assert telling.known.version == version_of(last)


_STORY = settings(stateful_step_count=25, suppress_health_check=list(HealthCheck))


def test_cards_stay_true_in_a_few_stories() -> None:
    run_state_machine_as_test(CardsStayTrue, settings=settings(_STORY, max_examples=15))


@pytest.mark.slow
def test_cards_stay_true_in_many_stories() -> None:
    many = max(80, settings().max_examples * 4 // 5)
    run_state_machine_as_test(CardsStayTrue, settings=settings(_STORY, max_examples=many))

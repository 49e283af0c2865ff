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
from bot.activeflows.watching.watch import How, Telling, version_of
from tests.faults.virtual_time import VirtualTimeLoop
from tests.faults.watched_town import PACE, STEPS, Town

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
        self.town = Town(self.folder, self.loop)
        self.town.stream.live = live
        for _ in range(2):
            self.town.voipbin.begins()
        self.watches(0)

    def _id(self, number: int) -> UUID:
        return list(self.town.voipbin.versions)[number % len(self.town.voipbin.versions)]

    # ---------------------------------------------------------------- what happens

    @rule(number=which)
    def watches(self, number: int) -> None:
        self.town.watches_it(self._id(number))

    @rule(number=which, steps=st.lists(st.tuples(st.integers(0, len(STEPS) - 1), st.booleans(), moments), max_size=4))
    def moves(self, number: int, steps: list[tuple[int, bool, float]]) -> None:
        for step, told, seconds in steps:
            self.town.voipbin.moves(self._id(number), step)
            if told:
                self._told(self.town.voipbin.versions[self._id(number)][-1])
            self.town.passes(seconds)

    @rule(number=which, back=st.integers(0, 5))
    def an_event_comes_late(self, number: int, back: int) -> None:
        versions = self.town.voipbin.versions[self._id(number)]
        self._told(versions[max(0, len(versions) - 1 - back)])

    @rule(number=which, by_itself=st.booleans(), told=st.booleans(), really=rarely)
    def ends(self, number: int, by_itself: bool, told: bool, really: bool) -> None:
        if really:
            self.town.voipbin.ends(self._id(number), by_itself=by_itself)
        if told:
            self._told(self.town.voipbin.versions[self._id(number)][-1])

    @rule(number=which, told=st.booleans(), really=rarely)
    def is_deleted(self, number: int, told: bool, really: bool) -> None:
        if really:
            self.town.voipbin.deleted.add(self._id(number))
        if told and really:
            self.town.stream.index.take_away(self._id(number))

    def _told(self, version: Activeflow) -> None:
        if self.town.stream.live and version.id not in self.town.voipbin.deleted:
            self.town.stream.index.take(version)

    @rule(live=st.booleans())
    def the_stream_comes_or_goes(self, live: bool) -> None:
        """A stream is live only once all was read, as the index promises."""
        if live and not self.town.stream.live:
            self._the_list_is_read()
        self.town.stream.live = live

    def _the_list_is_read(self) -> None:
        for id_, versions in self.town.voipbin.versions.items():
            if versions[-1].running and id_ not in self.town.voipbin.deleted:
                self.town.stream.index.take(versions[-1])
            else:
                self.town.stream.index.take_away(id_)

    @rule(silent=st.sampled_from((0, 0, 1, 3)), stale=st.integers(0, 4), seconds=moments)
    def voipbin_is_troubled(self, silent: int, stale: int, seconds: float) -> None:
        self.town.voipbin.silent, self.town.voipbin.stale = silent, stale
        self.town.passes(seconds)

    @rule(fates=st.lists(st.sampled_from(FATES), max_size=4))
    def slack_is_troubled(self, fates: list[str]) -> None:
        self.town.slack.next = fates

    @rule(number=which, really=rarely)
    def unwatches(self, number: int, really: bool) -> None:
        if self.town.watches and really:
            self.town.unwatches(list(self.town.watches)[number % len(self.town.watches)])

    @rule()
    def dies_and_starts_again(self) -> None:
        self.town.dies()
        self.town.starts()

    @rule(seconds=st.sampled_from((0.01, 0.2, 1.0, 3.0, 11.0, 70.0, 400.0)))
    def time_passes(self, seconds: float) -> None:
        self.town.passes(seconds)

    # ---------------------------------------------------------------- what must be true

    @invariant()
    def nothing_older_is_told_after_something_newer(self) -> None:
        for shown in self.town.slack.shown.values():
            for one, other in pairwise(shown):
                assert one.telling.known.version <= other.telling.known.version
                assert one.telling.known.as_of <= other.telling.known.as_of

    @invariant()
    def the_end_is_told_once_and_only_when_it_is_one(self) -> None:
        for id_, shown in self.town.slack.shown.items():
            endings = [each.telling.ending for each in shown]
            first = next((number for number, ending in enumerate(endings) if ending is not None), len(endings))
            assert all(ending == endings[first] for ending in endings[first:])  # again only if it may have been lost
            said = shown[first:]
            assert all(not (one.sure and one.process == other.process) for one, other in pairwise(said))
            for ending in endings[first:]:
                activeflow_id = self.town.watches[id_].activeflow_id
                over = self.town.voipbin.versions[activeflow_id][-1].ended or activeflow_id in self.town.voipbin.deleted
                assert ending is not None
                assert over or not ending.over
                assert (ending.how is How.UNWATCHED) == (id_ in self.town.unwatched)

    @invariant()
    def slack_is_not_overrun(self) -> None:
        tried = self.town.slack.tried
        for number, (at, id_, process) in enumerate(tried):
            assert all(at - other >= PACE.card_every for other, *same in tried[:number] if same == [id_, process])
            lately = [other for other, *_ in tried[: number + 1] if other > at - 60]
            assert (
                len(lately) <= 2 * PACE.burst + 60 * PACE.rate
            )  # twice the burst: a process may have been started anew

    @invariant()
    def nothing_unforeseen_happened(self) -> None:
        assert self.town.broken == []

    def teardown(self) -> None:
        if hasattr(self, "town"):
            try:
                self._in_the_end()
            finally:
                self.town.closes()
                shutil.rmtree(self.folder)

    def _in_the_end(self) -> None:
        """When everything is well again, every card says what is."""
        town = self.town
        town.voipbin.silent = town.voipbin.stale = 0
        town.slack.next = []
        if town.stream.live:
            self._the_list_is_read()  # as it is every few minutes, for events that were lost
        town.passes(90)
        for id_, watch in town.watches.items():
            if id_ not in town.slack.gone:
                self._says_what_is(town.slack.shown[id_][-1].telling, watch.activeflow_id)
        self.nothing_older_is_told_after_something_newer()
        self.the_end_is_told_once_and_only_when_it_is_one()
        self.nothing_unforeseen_happened()

    def _says_what_is(self, telling: Telling, activeflow_id: UUID) -> None:
        last = self.town.voipbin.versions[activeflow_id][-1]
        if telling.watch.id in self.town.unwatched:
            assert telling.ending is not None
        elif last.ended or activeflow_id in self.town.voipbin.deleted:
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

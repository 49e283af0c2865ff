"""Bulk stops in a random story: many ring, are asked for at once, pressed, aborted, asked for again, and cut off."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from bot.activeflows.bulk.bulk_stop import Bulk, BulkCriteria, Draft, Run, intent_id
from bot.activeflows.bulk.request import CardRefusal
from bot.activeflows.errors import BotError, NotPermitted
from bot.activeflows.queries.filters import Filters
from bot.activeflows.stopping.request import ApprovalRequest
from bot.activeflows.stopping.stop import PressKind
from tests.faults.chances import bads, moments, people, troubles, waits, which
from tests.faults.incident import ALICE, BOB, CAROL, DAVE, VIC, Incident

_FILTERS: Final = (Filters(flow="Support line"), Filters(flow="Support line"), Filters(type="api"))
askers: Final = st.sampled_from((ALICE, BOB, CAROL))
pressers: Final = st.sampled_from((ALICE, BOB, CAROL, DAVE, DAVE))
losses: Final = st.sampled_from(
    (
        (ALICE, BOB, BOB),
        (BOB, ALICE, ALICE),
        (ALICE, CAROL, CAROL),
        (ALICE, DAVE, DAVE),
        (BOB, DAVE, BOB),
        (CAROL, DAVE, CAROL),
    )
)
"""Who asks, who presses, and who loses the permission: whoever pressed, or whoever asked for what was approved."""
counts: Final = st.integers(2, 4)
many: Final = st.sampled_from((4, 5, 12))
for_a_while: Final = st.sampled_from((0.3, 0.5, 0.5, 2.0, 60.0, 2000.0))
early: Final = st.sampled_from((0.1, 0.3, 0.5, 0.7))
whiles: Final = st.sampled_from((0.0, 0.02, 0.1, 0.3, 0.5, 0.8, 1.2, 2.0, 5.0, 17.0))
"""Into a bulk stop: the first one takes half a second, and each later pair no longer, when nothing goes wrong."""


class BulkIncident(Incident):
    """What can happen about bulk stops."""

    # ---------------------------------------------------------------- asking

    async def _ask_bulk(self, who: str, filters: Filters, again: str = "") -> str:
        """The id of the bulk, when there is a card for it now; who may not ask, puts it to those who may."""
        operator, asking = self.directory.standing_here(who), self.bot.asking_bulk
        wanted = BulkCriteria(filters, "they loop")
        bulk: Bulk | CardRefusal | None
        try:
            wanted = (await asking.rest(again) if again else None) or wanted
            bulk = await asking.ask(operator, wanted)
        except NotPermitted:
            assert not self.directory.may_bulk(who)
            bulk = await self._put_to_others(who, wanted)
        except BotError:
            return ""
        else:
            assert self.directory.may_bulk(who)
        if not isinstance(bulk, Bulk):
            return ""
        self._froze(bulk, again)
        await self.bot.bulks.bulk_posted(bulk.id, f"card {bulk.id[:8]}")
        await self.bot.bulk_cards.show(bulk, Run(), None)
        return bulk.id

    async def _put_to_others(self, who: str, wanted: BulkCriteria) -> Bulk | None:
        operator, asking = self.directory.standing_here(who), self.bot.asking_bulk
        with suppress(BotError):
            draft = await asking.draft(operator, wanted)
            approval = await asking.request_approval(operator, draft.id) if isinstance(draft, Draft) else None
            if isinstance(approval, ApprovalRequest) and approval.opened:
                assert approval.card.on_behalf
                return approval.card
        return None

    def _froze(self, bulk: Bulk, again: str) -> None:
        before = self.promises.bulk.frozen.get(again)
        if before is not None:
            assert {m.activeflow_id for m in bulk.members} <= {m.activeflow_id for m in before.members}
        self.promises.bulk.frozen[bulk.id] = bulk
        self.bulks.append(bulk.id)

    def _bulk(self, n: int) -> str:
        return self.bulks[-1 - n % len(self.bulks)]

    def _many_are_pressed(self, who: str, by: str, count: int) -> bool:
        """They ring, somebody asks for all, and somebody presses."""
        for _ in range(count):
            self._rings(with_call=True)
        asked = self.bot.run(self._ask_bulk(who, _FILTERS[0]))
        if asked:
            self._press(by, asked, PressKind.BULK)
        return bool(asked)

    @precondition(lambda self: self.bot.process)
    @rule(who=people, filters=st.sampled_from(_FILTERS), count=st.integers(0, 3))
    def asks_in_bulk(self, who: str, filters: Filters, count: int) -> None:
        for _ in range(count):
            self._rings(with_call=filters.type is None)
        self.bot.run(self._ask_bulk(who, filters))

    @precondition(lambda self: self.bot.process)
    @rule(who=st.sampled_from((VIC, ALICE)), other=people, count=counts)
    def asks_others_for_many_and_may_later(self, who: str, other: str, count: int) -> None:
        """A permission that comes later makes nobody two persons, and lets nobody approve in their place."""
        self.directory.bulkers.discard(who)
        for _ in range(count):
            self._rings(with_call=True)
        asked = self.bot.run(self._ask_bulk(who, _FILTERS[0]))
        self.directory.bulkers.add(who)
        for presser in (who, DAVE, other) if asked else ():
            self._press(presser, asked, PressKind.BULK)
            self.bot.passes(2.0)

    @precondition(lambda self: self.bot.process and self.bulks)
    @rule(who=people, by=people, n=which, then=moments)
    def asks_again_for_what_is_left(self, who: str, by: str, n: int, then: float) -> None:
        asked = self.bot.run(self._ask_bulk(who, _FILTERS[0], self._bulk(n)))
        if asked:
            self._press(by, asked, PressKind.BULK)
        self.bot.passes(then)

    @precondition(lambda self: self.bot.process and self.bulks)
    @rule(who=people, n=which)
    def puts_bulk_away(self, who: str, n: int) -> None:
        async def put_away() -> None:
            try:
                found = await self.bot.asking_bulk.put_away(self.directory.standing_here(who), self._bulk(n))
            except BotError:
                return
            if found is not None and found[2]:
                self.promises.bulk.put_away(found[0].id)
                await self.bot.bulk_cards.show(found[0], found[1], None)

        self.bot.run(put_away())

    # ---------------------------------------------------------------- pressing, and what comes between

    @precondition(lambda self: self.bot.process and self.bulks)
    @rule(who=people, n=which, then=whiles)
    def presses_bulk(self, who: str, n: int, then: float) -> None:
        self._press(who, self._bulk(n), PressKind.BULK)
        self.bot.passes(then)

    @precondition(lambda self: self.bot.process)
    @rule(who=askers, by=pressers, count=counts, trouble=troubles, then=whiles, more=troubles)
    def many_ring_and_are_stopped(
        self, who: str, by: str, count: int, trouble: Sequence[str], then: float, more: Sequence[str]
    ) -> None:
        """Some are born after the list is frozen; things go wrong at once, or later."""
        for each in trouble:
            self._goes_wrong("stop", each)
        self._many_are_pressed(who, by, count)
        self._rings(with_call=True)
        self.bot.passes(then)
        for each in more:
            self._goes_wrong("stop", each)

    @precondition(lambda self: self.bot.process)
    @rule(who=askers, by=pressers, alone=askers, count=counts, n=which, then=whiles, first=st.booleans())
    def one_of_many_is_stopped_alone(
        self, who: str, by: str, alone: str, count: int, n: int, then: float, first: bool
    ) -> None:
        for _ in range(count):
            self._rings(with_call=True)
        asked = self.bot.run(self._ask_bulk(who, _FILTERS[0]))
        before = len(self.intents)
        self.bot.run(self._ask(alone, self._caller(n), now=False))
        lone = [(alone, intent_id, PressKind.STOP) for intent_id in self.intents[before:]]
        bulk = [(by, asked, PressKind.BULK)] if asked else []
        for presser, id_, wish in lone + bulk if first else bulk + lone:
            self._press(presser, id_, wish)
            self.bot.passes(then)

    @precondition(lambda self: self.bot.process)
    @rule(who=askers, by=pressers, count=counts, then=whiles, n=which, to=st.sampled_from(("talk", "queue_join", "")))
    def one_moves_or_ends_in_mid_bulk(self, who: str, by: str, count: int, then: float, n: int, to: str) -> None:
        self._many_are_pressed(who, by, count)
        self.bot.passes(then)
        if to:
            self.world.moves_to(self._caller(n), to)
        else:
            self._ends(self._caller(n), hangs_up=True)

    @precondition(lambda self: self.bot.process and self.bulks)
    @rule(who=people, n=which, then=moments)
    def aborts(self, who: str, n: int, then: float) -> None:
        async def abort() -> None:
            bulk_id = self._bulk(n)
            try:
                if await self.bot.asking_bulk.abort(self.directory.standing_here(who), bulk_id):
                    self.promises.bulk.aborted(bulk_id)
            except BotError:
                return

        self.bot.run(abort())
        self.bot.passes(then)

    @precondition(lambda self: self.bot.process)
    @rule(who=askers, by=pressers, aborter=askers, count=counts, then=whiles)
    def many_are_stopped_and_it_is_aborted(self, who: str, by: str, aborter: str, count: int, then: float) -> None:
        if self._many_are_pressed(who, by, count):
            self.bot.passes(then)
            self.aborts(aborter, 0, 0.0)

    @precondition(lambda self: self.bot.process)
    @rule(who=askers, by=pressers, hanger=people, count=counts, then=whiles, dies=st.booleans())
    def callers_stay_on_the_line_and_are_hung_up(
        self, who: str, by: str, hanger: str, count: int, then: float, dies: bool
    ) -> None:
        """Somebody presses for all of them at once, from before the end of the bulk stop to long after it."""
        self.world.telephony.loses_hangups = True
        if self._many_are_pressed(who, by, count):
            self.bot.passes(3 * then)
            bulk = self.promises.bulk.frozen[self.bulks[-1]]
            for member in bulk.members:
                self._press(hanger, intent_id(bulk, member), PressKind.HANG_UP)
            self.bot.passes(then)
            if dies:
                self.bot.kill()
                self.bot.start()
        self.world.telephony.loses_hangups = False

    # ---------------------------------------------------------------- who may, and who it is

    @rule(who=people, may=st.booleans())
    def bulk_policy_changes(self, who: str, may: bool) -> None:
        (self.directory.bulkers.add if may else self.directory.bulkers.discard)(who)

    @rule(on=st.booleans())
    def two_people_are_needed_for_bulk(self, on: bool) -> None:
        self.directory.two_for_bulk = on

    @precondition(lambda self: self.bot.process)
    @rule(story=losses, count=many, then=early, dies=st.booleans(), later=for_a_while)
    def permission_is_lost_in_mid_bulk(
        self, story: tuple[str, str, str], count: int, then: float, dies: bool, later: float
    ) -> None:
        """While the bot runs, or while it lies dead; and comes back in the end."""
        who, by, loser = story
        self._many_are_pressed(who, by, count)
        self.bot.passes(then)
        if dies:
            self.bot.kill()
        ways = (self.directory.bulkers, self.directory.oncall, self.directory.approvers)
        lost = [people_ for people_ in ways if loser in people_]
        for people_ in lost:
            people_.discard(loser)
        if dies:
            self.bot.leaps(later)
            self.bot.start()
        self.bot.passes(later)
        for people_ in lost:
            people_.add(loser)

    @precondition(lambda self: self.bot.process)
    @rule(who=askers, by=pressers, count=many, then=early, answers=st.sampled_from((1, 2, 5, 100, 100)))
    def slack_falls_silent_in_mid_bulk(self, who: str, by: str, count: int, then: float, answers: int) -> None:
        self._many_are_pressed(who, by, count)
        self.bot.passes(then)
        self.directory.forget()
        self.directory.silent = answers
        self.bot.passes(100.0)

    # ---------------------------------------------------------------- time and death

    @precondition(lambda self: self.bot.process)
    @rule(who=askers, by=pressers, count=counts, moment=st.integers(0, 60), later=waits, then=whiles)
    def dies_around_a_step_of_a_bulk(
        self, who: str, by: str, count: int, moment: int, later: float, then: float
    ) -> None:
        self._many_are_pressed(who, by, count)
        self._dies_around(moment, later)
        self.bot.passes(then)

    @precondition(lambda self: self.bot.process)
    @rule(who=askers, by=pressers, count=counts, good=st.integers(0, 40), bad=bads, kept=st.booleans())
    def the_ledger_does_not_answer_in_mid_bulk(
        self, who: str, by: str, count: int, good: int, bad: int, kept: bool
    ) -> None:
        for _ in range(count):
            self._rings(with_call=True)
        asked = self.bot.run(self._ask_bulk(who, _FILTERS[0]))
        self._fails(good, bad, kept=kept)
        if asked:
            self._press(by, asked, PressKind.BULK)
        self.bot.passes(60.0)
        self.bot.outage.over()

    @precondition(lambda self: self.bot.process)
    @rule(who=askers, by=pressers, count=counts, then=whiles, slow=troubles, on=st.sampled_from((290.0, 299.0, 301.0)))
    def time_runs_out_in_mid_bulk(
        self, who: str, by: str, count: int, then: float, slow: Sequence[str], on: float
    ) -> None:
        self._many_are_pressed(who, by, count)
        self.bot.passes(then)
        for each in slow:
            self._goes_wrong("stop", each)
        self.bot.leaps(on)
        self.bot.passes(5.0)

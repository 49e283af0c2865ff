"""The three promises as a machine: random stories of intents, presses, moves, failures, deaths and passing time.

Everything is real but Slack, the sockets, the clock and the durable workflow (``small_house`` says what stands for
them), with production's own waiting times. More of it by hand: ``pytest tests/faults/test_promises.py
--hypothesis-profile=long``.
"""

import shutil
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from bot.activeflows.errors import BotError, NotPermitted
from bot.activeflows.stops import Cancelled, Press, Waiting, Wish
from bot.demo.voipbin.state import Activeflow
from tests.faults.misfortunes import MISFORTUNES, befalls
from tests.faults.promises import STALE_FOR, Promises
from tests.faults.small_house import CHANNEL, Channel, Directory, House
from tests.faults.virtual_time import VirtualTimeLoop

ALICE, BOB, CAROL, DAVE, VIC, GUEST = PEOPLE = "U0ALICE", "U0BOB", "U0CAROL", "U0DAVE", "U0VIC", "U0GUEST"
_MEMORY = Path("/dev/shm")
people = st.sampled_from((ALICE, BOB, CAROL, *PEOPLE))
which = st.sampled_from((0, 0, 0, 0, 1, 1, 2, 3, 5, 8))  # the newest most often
moments = st.sampled_from((0.0, 0.004, 0.015, 0.05, 0.2, 1.0, 5.0))
waits = st.sampled_from((0.5, 2.0, 10.0, 20.0, 60.0, 250.0, 299.9, 2000.0))
troubles = st.lists(st.sampled_from(MISFORTUNES), max_size=3)


class PromisesKept(RuleBasedStateMachine):
    """One incident channel, some callers, and everything that can go wrong at once."""

    @initialize(two_person=st.sampled_from((False, False, True)))
    def opens(self, two_person: bool) -> None:
        self.loop = VirtualTimeLoop()
        self.folder = Path(tempfile.mkdtemp(prefix="flows-bot-", dir=_MEMORY if _MEMORY.is_dir() else None))
        self.directory = Directory(None, {ALICE, BOB}, {DAVE}, {CAROL})
        self.directory.guests, self.directory.two_person = {GUEST}, two_person
        self.house = House(self.folder, self.directory, Channel(None), self.loop)
        self.world = self.house.world
        self.survey = self.world.add_flow("Survey")
        self.line = self.world.add_flow("Support line", on_complete=self.survey)
        self.house.start()
        self.promises = Promises(self.house)
        self.intents: list[str] = []
        self.pressed: list[Press] = []
        self.callers: list[Activeflow] = []
        self.rings(with_call=True)

    # ---------------------------------------------------------------- callers

    @rule(with_call=st.booleans())
    def rings(self, with_call: bool) -> None:
        reference = "call" if with_call else "api"
        flow = self.line if with_call else self.survey
        self.callers.append(self.world.rings(flow, at="digits_receive", reference_type=reference))

    def _caller(self, n: int) -> Activeflow:
        return self.callers[-1 - n % len(self.callers)]

    @rule(n=which, to=st.sampled_from(("digits_receive", "talk", "queue_join")))
    def moves(self, n: int, to: str) -> None:
        self.world.moves_to(self._caller(n), to)

    @rule(n=which, hangs_up=st.booleans())
    def ends(self, n: int, hangs_up: bool) -> None:
        activeflow = self._caller(n)
        if hangs_up and activeflow.reference_type == "call":
            self.world.caller_hangs_up(activeflow)
        else:
            self.world.ends(activeflow)

    # ---------------------------------------------------------------- people

    @precondition(lambda self: self.house.process)
    @rule(who=people, n=which, now=st.booleans())
    def asks(self, who: str, n: int, now: bool) -> None:
        self.house.run(self._ask(who, self._caller(n), now=now))

    async def _ask(self, who: str, activeflow: Activeflow, *, now: bool) -> None:
        operator, asking = self.directory.operator(who), self.house.asking
        try:
            intent = await asking.ask(operator, activeflow.id, now=now)
        except NotPermitted:
            assert not self.directory.may_stop(who)
            with suppress(BotError):
                self.intents.append((await asking.draft(operator, activeflow.id)).id)
            return
        except BotError:
            return
        assert self.directory.may_stop(who)
        self.intents.append(intent.id)
        await self._post(intent.id, ())

    async def _post(self, intent_id: str, who_may: tuple[str, ...]) -> None:
        await self.house.book.card_posted(intent_id, f"card {intent_id[:8]}")
        found = await self.house.book.intent(intent_id)
        assert found is not None
        await self.house.cards.show(found[0], Waiting(who_may), None)

    @precondition(lambda self: self.house.process)
    @rule(who=people, by=people, with_call=st.booleans(), trouble=troubles, then=moments)
    def rings_and_is_stopped(self, who: str, by: str, with_call: bool, trouble: Sequence[str], then: float) -> None:
        self.rings(with_call=with_call)
        self.house.run(self._ask(who, self.callers[-1], now=False))
        for each in trouble:
            self._goes_wrong("stop", each)
        if self.intents:
            self._press(by, self.intents[-1])
        self.house.passes(then)

    @precondition(lambda self: self.house.process and self.intents)
    @rule(who=people, n=which)
    def asks_others(self, who: str, n: int) -> None:
        async def put() -> None:
            with suppress(BotError):
                put = await self.house.asking.put_to_others(self.directory.operator(who), self._intent(n))
                if put is not None and put.opened:
                    await self._post(put.intent.id, put.who_may)

        self.house.run(put())

    @precondition(lambda self: self.house.process and self.intents)
    @rule(who=people, n=which)
    def puts_away(self, who: str, n: int) -> None:
        async def put_away() -> None:
            with suppress(BotError):
                found = await self.house.asking.put_away(self.directory.operator(who), self._intent(n))
                if found is not None and found[1]:
                    await self.house.cards.show(found[0], Cancelled(who), None)

        self.house.run(put_away())

    @precondition(lambda self: self.house.process and self.intents)
    @rule(who=people, n=which, then=moments)
    def presses(self, who: str, n: int, then: float) -> None:
        self._press(who, self._intent(n))
        self.house.passes(then)

    @precondition(lambda self: self.house.process and self.intents)
    @rule(one=people, n=which, other=people, m=which, between=moments)
    def press_together(self, one: str, n: int, other: str, m: int, between: float) -> None:
        self._press(one, self._intent(n))
        self.house.passes(between)
        self._press(other, self._intent(m))

    @precondition(lambda self: self.house.process and self.pressed)
    @rule(n=which)
    def delivers_again(self, n: int) -> None:
        self.house.press(self.pressed[-1 - n % len(self.pressed)])

    @precondition(lambda self: self.house.process and self.intents)
    @rule(who=people, n=which)
    def hangs_up_the_call(self, who: str, n: int) -> None:
        self._press(who, self._intent(n), Wish.HANG_UP)

    def _press(self, who: str, intent_id: str, wish: Wish = Wish.STOP) -> None:
        now, number = self.house.now(), f"{len(self.pressed)}"
        press = Press(intent_id, who, "", CHANNEL, "", number, "", "", now, wish)
        self.pressed.append(press)
        self.house.press(press)

    def _intent(self, n: int) -> str:
        """Any that was ever shown, the newest first; those that replaced it among them."""
        shown = [t.intent.id for t in self.house.channel.tellings if t.intent.id not in self.intents]
        everything = list(dict.fromkeys([*self.intents, *shown]))
        return everything[-1 - n % len(everything)]

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

    # ---------------------------------------------------------------- what goes wrong

    @rule(what=st.sampled_from(("stop", "read")), trouble=troubles)
    def voipbin_errs(self, what: str, trouble: Sequence[str]) -> None:
        for each in trouble:
            self._goes_wrong(what, each)

    def _goes_wrong(self, what: str, trouble: str) -> None:
        befalls(what, trouble, self.world, self.house.line)

    @rule()
    def voipbin_recovers(self) -> None:
        self.world.faults.clear()
        self.house.line.breaks.update(stop=[], read=[])

    @rule(n=which)
    def cache_is_stale(self, n: int) -> None:
        catches_up = self.world.reads_stale(self._caller(n))
        self.world.clock.after(STALE_FOR, catches_up)

    @rule(users=st.integers(0, 2), cards=st.integers(0, 2))
    def slack_fails(self, users: int, cards: int) -> None:
        self.directory.silent, self.house.channel.deaf = users, cards

    # ---------------------------------------------------------------- time and death

    @rule(seconds=st.one_of(moments, waits))
    def time_passes(self, seconds: float) -> None:
        self.house.passes(seconds)

    @rule(seconds=waits)
    def clock_leaps(self, seconds: float) -> None:
        self.house.leaps(seconds)

    @precondition(lambda self: self.house.process and self.intents)
    @rule(who=people, n=which, milliseconds=st.integers(0, 400), again=st.booleans())
    def dies_in_a_press(self, who: str, n: int, milliseconds: int, again: bool) -> None:
        self._press(who, self._intent(n))
        self.house.passes(milliseconds / 1000)
        self.house.kill()
        if again:
            self.house.start()

    @precondition(lambda self: self.house.process and self.intents)
    @rule(who=people, n=which, moment=st.integers(0, 14), trouble=troubles, ends=st.booleans(), later=waits)
    def dies_around_a_step(
        self, who: str, n: int, moment: int, trouble: Sequence[str], ends: bool, later: float
    ) -> None:
        """The longer it lies there, the more has changed when it gets up."""
        for each in trouble:
            self._goes_wrong("stop", each)
        self._press(who, self._intent(n))
        self.house.workflows.gate.left = moment
        self.house.passes(45.0)
        self.house.kill()
        self.house.workflows.gate.left = None
        if ends:
            self.world.ends(self._caller(n))
        self.house.leaps(later)
        self.house.start()

    @precondition(lambda self: self.house.process)
    @rule()
    def dies(self) -> None:
        self.house.kill()

    @precondition(lambda self: not self.house.process)
    @rule()
    def starts_again(self) -> None:
        self.house.start()

    # ---------------------------------------------------------------- the promises

    @invariant()
    def promises_are_kept(self) -> None:
        self.promises.look()
        self.promises.assert_kept()

    def teardown(self) -> None:
        if not hasattr(self, "promises"):
            return
        try:
            self._comes_to_rest()
            self.promises.look_at_the_end()
            self.promises.assert_kept()
        finally:
            self.house.close()
            self.promises.close()
            shutil.rmtree(self.folder)

    def _comes_to_rest(self) -> None:
        self.voipbin_recovers()
        self.directory.silent = self.house.channel.deaf = 0
        if not self.house.process:
            self.house.start()
        for _ in range(200):
            if not self.house.workflows.unfinished:
                break
            self.house.passes(20)
        self.house.passes(1)


TestPromises: Any = PromisesKept.TestCase
TestPromises.settings = settings(
    max_examples=settings().max_examples * 3 // 5,
    stateful_step_count=30,
    derandomize=settings().max_examples <= 100,  # the same stories each time; the long profile looks for new ones
    deadline=None,
    suppress_health_check=list(HealthCheck),
)

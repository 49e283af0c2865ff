"""What a random story about the promises is made of: one incident channel, its people, and the hand of fate.

The rules, which say what can happen next, are in ``test_promises``; here is how it happens.
"""

import shutil
import tempfile
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Final

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant

from bot.activeflows.errors import BotError, NotPermitted
from bot.activeflows.stopping.stop import Press, PressKind, Waiting
from bot.demo.voipbin.state import Activeflow
from tests.faults.channel import Channel
from tests.faults.directory import CHANNEL, Directory
from tests.faults.promises import Promises
from tests.faults.request_troubles import befalls
from tests.faults.restartable_bot import RestartableBot
from tests.faults.virtual_time import VirtualTimeLoop

ALICE, BOB, CAROL, DAVE, VIC, GUEST = PEOPLE = "U0ALICE", "U0BOB", "U0CAROL", "U0DAVE", "U0VIC", "U0GUEST"
_MEMORY = Path("/dev/shm")
FIGURES: Final[Counter[str]] = Counter()
"""What was tried so far."""


class Incident(RuleBasedStateMachine):
    """The beginning, the means, and the end of a story."""

    @initialize(two_person=st.sampled_from((False, False, True)), two_for_bulk=st.sampled_from((False, False, True)))
    def opens(self, two_person: bool, two_for_bulk: bool) -> None:
        self.loop = VirtualTimeLoop()
        self.folder = Path(tempfile.mkdtemp(prefix="flows-bot-", dir=_MEMORY if _MEMORY.is_dir() else None))
        self.directory = Directory(None, {ALICE, BOB}, {DAVE}, {CAROL})
        self.directory.guests, self.directory.bulkers = {GUEST}, {ALICE, BOB}
        self.directory.two_person, self.directory.two_for_bulk = two_person, two_for_bulk
        self.bot = RestartableBot(self.folder, self.directory, Channel(None), self.loop)
        self.world = self.bot.world
        self.survey = self.world.add_flow("Survey")
        self.line = self.world.add_flow("Support line", on_complete=self.survey)
        self.bot.start()
        self.promises = Promises(self.bot)
        self.intents: list[str] = []
        self.bulks: list[str] = []
        self.pressed: list[Press] = []
        self.troubles = 0
        self.callers: list[Activeflow] = []
        self._rings(with_call=True)

    def _rings(self, *, with_call: bool) -> None:
        self.bot.leaps(0.001)  # no two begin at once, so that the same story has the same order each time
        reference = "call" if with_call else "api"
        flow = self.line if with_call else self.survey
        self.callers.append(self.world.rings(flow, at="digits_receive", reference_type=reference))

    def _caller(self, n: int) -> Activeflow:
        return self.callers[-1 - n % len(self.callers)]

    def _ends(self, activeflow: Activeflow, *, hangs_up: bool) -> None:
        if hangs_up and activeflow.reference_type == "call":
            self.world.caller_hangs_up(activeflow)
        else:
            self.world.ends(activeflow)

    async def _ask(self, who: str, activeflow: Activeflow, *, now: bool) -> None:
        operator, asking = self.directory.standing_here(who), self.bot.asking
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
        assert intent is not None
        self.intents.append(intent.id)
        await self._post(intent.id, ())

    async def _post(self, intent_id: str, who_may: tuple[str, ...]) -> None:
        await self.bot.book.card_posted(intent_id, f"card {intent_id[:8]}")
        found = await self.bot.book.intent(intent_id)
        assert found is not None
        await self.bot.cards.show(found[0], Waiting(who_may), None)

    def _press(self, who: str, intent_id: str, wish: PressKind = PressKind.STOP) -> None:
        now, number = self.bot.now(), f"{len(self.pressed)}"
        press = Press(intent_id, who, "", CHANNEL, number, now, wish)
        self.pressed.append(press)
        self.bot.press(press)

    def _changes(self, what: str, who: str) -> None:
        """What may be otherwise when a wait is over."""
        match what:
            case "time":
                self.bot.leaps(300.0)
            case "moves":
                self.world.moves_to(self.callers[-1], "queue_join")
            case "ends":
                self._ends(self.callers[-1], hangs_up=True)
            case "policy":
                self.directory.stoppers.discard(who)
                self.directory.approvers.discard(who)
            case "group":
                self.directory.oncall.discard(who)
            case "two persons":
                self.directory.two_person = True
            case "asker":
                self.directory.stoppers.discard(ALICE)

    def _changes_back(self, who: str) -> None:
        {DAVE: self.directory.approvers, CAROL: self.directory.oncall}.get(who, self.directory.stoppers).add(who)
        self.directory.stoppers.add(ALICE)

    def _intent(self, n: int) -> str:
        """Any that was ever shown, the newest first; those that replaced it among them."""
        shown = [t.intent.id for t in self.bot.channel.tellings if t.intent.id not in self.intents]
        everything = list(dict.fromkeys([*self.intents, *shown]))
        return everything[-1 - n % len(everything)]

    def _recovers(self) -> None:
        self.world.faults.clear()
        self.bot.line.breaks.update(stop=[], read=[])

    def _goes_wrong(self, what: str, trouble: str) -> None:
        self.troubles += 1
        befalls(what, trouble, self.world, self.bot.line)

    def _fails(self, good: int, bad: int, *, kept: bool) -> None:
        """The ledger, as in ``Outage``."""
        self.bot.outage.good, self.bot.outage.bad, self.bot.outage.kept = good, bad, kept

    def _dies_around(self, moment: int, later: float, ends: Activeflow | None = None) -> None:
        self.bot.workflows.gate.left = moment
        self.bot.passes(45.0)
        self.bot.kill()
        self.bot.workflows.gate.left = None
        if ends is not None:
            self.world.ends(ends)
        self.bot.leaps(later)
        self.bot.start()

    @invariant()
    def promises_are_kept(self) -> None:
        FIGURES["steps"] += 1
        self.promises.look()
        self.promises.assert_kept()

    def teardown(self) -> None:
        if not hasattr(self, "promises"):
            return
        try:
            self._comes_to_rest()
            self.promises.look_at_the_end()
            self.promises.assert_kept()
            self._counts()
        finally:
            self.bot.close()
            self.promises.close()
            shutil.rmtree(self.folder)

    def _counts(self) -> None:
        posts, members = self.bot.line.posts, self.bot.workflows.members
        FIGURES.update({"stories": 1, "intents": len(self.intents), "presses": len(self.pressed)})
        FIGURES.update({"deaths": self.bot.deaths, "troubles ordered": self.troubles, "stops sent": len(posts)})
        FIGURES["presses that the ledger did not answer"] += len(self.bot.outage.hurt)
        FIGURES.update(
            {"of them with effect": sum(p.effective for p in posts), "of them refused": sum(p.refused for p in posts)}
        )
        FIGURES.update({"bulks": len(self.bulks), "of them pressed": len({m.press.id for m in members.values()})})
        FIGURES.update({"members": len(members), "stops of members": sum(bool(p.member) for p in posts)})
        FIGURES.update(f"members {m.became}" for m in members.values())

    def _comes_to_rest(self) -> None:
        self._recovers()
        self.bot.events.down = False
        self.bot.events.fates.clear()
        self.bot.outage.over()
        self.directory.silent = self.bot.channel.deaf = 0
        if not self.bot.process:
            self.bot.start()
        for _ in range(200):
            if not self.bot.workflows.unfinished:
                break
            self.bot.passes(20)
        self.bot.passes(700.0)  # the list was read again, for what no event told

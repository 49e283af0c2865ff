"""The gate, part by part: what opens it, what shuts it, in which order it asks, and how old its yes may get."""

import time
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import cast
from uuid import UUID

import pytest

from bot.activeflows.errors import (
    NOT_SHOWN,
    BotError,
    IdentityUnknown,
    LedgerUnavailable,
    NotFound,
    NotOurs,
    VoIPBINUnreachable,
)
from bot.activeflows.operators import Flow, Grant, Operator, Permission, Person, Policy, Standing
from bot.activeflows.ports import Check
from bot.activeflows.queries.inspection import ShownState
from bot.activeflows.records import Record, RecordKind
from bot.activeflows.stopping import max_ages
from bot.activeflows.stopping.authorization import (
    Act,
    Authorization,
    ClosedGate,
    Fenced,
    Gate,
    GateClosed,
    PressHold,
    PressOperation,
)
from bot.activeflows.stopping.max_ages import boot_time
from bot.activeflows.stopping.ports import Ledger
from bot.activeflows.stopping.stop import (
    DeclineReason,
    FailureReason,
    Fence,
    GateAnswer,
    GateRefusal,
    Intent,
    IntentState,
    Press,
)

NOW = datetime(2026, 8, 20, 3, 0, tzinfo=UTC)
ALICE, HERE, FLOW = "U0ALICE", "C0INC", UUID(int=7)
MAY = Policy((Grant(3, frozenset({ALICE}), frozenset({Permission.STOP})),), version="0f3c2a9b1d77")
MAY_NOT = Policy(MAY.grants[:0], version="ffffffffffff")
SEEN = ShownState("Support line", "digits", "waiting for keypad input", (), "call", UUID(int=9), "", None, NOW)
INTENT = Intent("1" * 32, UUID(int=1), FLOW, SEEN, ALICE, HERE, "loops", NOW, NOW + timedelta(minutes=5))
PRESS = Press(INTENT.id, ALICE, "", HERE, "1.0", NOW)
SENDING = Record("k1", NOW, RecordKind.SENDING, ALICE, HERE, INTENT.activeflow_id, detail={"attempt": 1})
FENCE = Fence(PRESS.id, 1)
YES = GateAnswer(None, 60.0)


@dataclass
class World:
    """A ledger, Slack and VoIPBIN that answer as told, a clock that moves when told, and the order of what was
    asked.
    """

    clock: float = 1000.0
    policy: Policy = MAY
    permitted: GateAnswer | BotError = YES
    look: str | BotError = "as it was shown"
    silent: bool = False
    counts: bool = True
    """Whether the run does."""
    asked: list[str] = field(default_factory=list)
    written: list[tuple[Intent, Press, Fence, Record]] = field(default_factory=list)
    ages: set[float] = field(default_factory=set)
    takes: dict[str, float] = field(default_factory=dict)
    """Seconds that an answer takes."""

    def __post_init__(self) -> None:
        self.hold = PressHold(cast("Ledger", self), FENCE, clock=lambda: self.clock)

    def _asks(self, whom: str) -> None:
        self.asked.append(whom)
        self.clock += self.takes.get(whom, 0.0)

    async def identify(
        self,
        user_id: str,
        channel: str,
        *,
        team: str = "",  # noqa: ARG002 # this and the next are the port's
        may: Collection[Permission],  # noqa: ARG002
        flows: Collection[Flow] = (),  # noqa: ARG002
        max_age: float = 0.0,
    ) -> Operator:
        self._asks("slack")
        self.ages.add(max_age)
        if self.silent:
            raise IdentityUnknown("Slack did not answer")
        return Operator(Person(user_id, Standing.MEMBER), channel, self.policy)

    async def permit(self, intent: Intent, press: Press, fence: Fence, sending: Record) -> GateAnswer:
        self._asks("ledger")
        self.written.append((intent, press, fence, sending))
        if isinstance(self.permitted, BotError):
            raise self.permitted
        return self.permitted

    async def holds(self, fence: Fence) -> bool:
        assert fence == FENCE
        self._asks("run")
        return self.counts

    async def conclude(self, fence: Fence, *_: object) -> str:
        assert fence == FENCE
        self._asks("outcome")
        return "7:ab" if self.counts else ""

    async def looks(self) -> str:
        self._asks("voipbin")
        if isinstance(self.look, BotError):
            raise self.look
        return self.look

    def held_against(self, seen: str) -> None:
        self.asked.append("card")
        if seen != "as it was shown":
            raise GateClosed(ClosedGate(GateRefusal.MOVED))

    async def passes(self) -> Check:
        """The gate, asked once."""
        gate = Gate(cast("Ledger", self), Authorization(self, lambda: self.policy), clock=lambda: self.clock)
        operation = PressOperation(Act.STOP, INTENT, PRESS)
        asks = gate.of(operation, self.hold, SENDING, self.held_against, lambda: self.asked.append("open"))
        return await asks(self.looks)

    async def closed(self) -> ClosedGate:
        with pytest.raises(GateClosed) as gate:
            await self.passes()
        assert "open" not in self.asked
        return gate.value.closed

    def closed_at(self, check: Check, clock: float) -> ClosedGate:
        self.clock = clock
        with pytest.raises(GateClosed) as gate:
            check()
        return gate.value.closed


async def test_slack_is_asked_first_then_voipbin_then_the_ledger_and_then_it_opens() -> None:
    world = World()
    (await world.passes())()
    assert list(dict.fromkeys(world.asked)) == ["slack", "voipbin", "card", "ledger", "open"]
    assert world.ages == {max_ages.FACTS}


async def test_the_record_of_the_sending_says_by_which_grant_of_which_policy() -> None:
    world = World()
    await world.passes()
    detail: dict[str, str | int | bool | None] = {
        "attempt": 1,
        "because": "allowed by grant 3",
        "grant": 3,
        "policy": "0f3c2a9b1d77",
    }
    assert world.written == [(INTENT, PRESS, FENCE, replace(SENDING, detail=detail))]


async def test_whoever_may_not_is_refused_before_anything_is_looked_at() -> None:
    world = World(policy=MAY_NOT)
    closed = await world.closed()
    assert (closed.shut, closed.retry_after) == (GateRefusal.REFUSED, None)
    assert closed.declined is not None
    assert closed.declined.why is DeclineReason.NOT_PERMITTED
    assert closed.trouble == FailureReason(closed.declined.because)
    assert set(world.asked) == {"slack"}


async def test_a_slack_that_does_not_say_who_it_is_is_no_refusal() -> None:
    closed = await World(silent=True).closed()
    assert closed.shut is GateRefusal.UNANSWERED
    assert closed.declined is not None
    assert closed.declined.why is DeclineReason.IDENTITY_UNKNOWN
    assert closed.trouble.why


@pytest.mark.parametrize(
    ("problem", "closed"),
    [
        (NotFound("1"), ClosedGate(GateRefusal.GONE, FailureReason("VoIPBIN no longer has this activeflow"))),
        (NotOurs(INTENT.activeflow_id), ClosedGate(GateRefusal.UNREAD, FailureReason(NOT_SHOWN))),
        (VoIPBINUnreachable("down", "req-1"), ClosedGate(GateRefusal.UNREAD, FailureReason("down", "req-1"))),
        (VoIPBINUnreachable("down", "", 7.0), ClosedGate(GateRefusal.UNREAD, FailureReason("down"), retry_after=7.0)),
    ],
)
async def test_what_cannot_be_looked_at_is_not_stopped(problem: BotError, closed: ClosedGate) -> None:
    world = World(look=problem)
    assert await world.closed() == closed
    assert world.written == []


async def test_what_has_moved_on_is_not_stopped_and_nothing_is_written() -> None:
    world = World(look="moved on")
    assert (await world.closed()).shut is GateRefusal.MOVED
    assert world.written == []


@pytest.mark.parametrize(
    "shut", [GateRefusal.LATE, GateRefusal.ABORTED, GateRefusal.NOT_CLAIMED, GateRefusal.SENT_BEFORE]
)
async def test_what_the_ledger_says_shuts_it(shut: GateRefusal) -> None:
    assert await World(permitted=GateAnswer(shut)).closed() == ClosedGate(shut)


async def test_a_run_that_was_taken_over_is_cut_off() -> None:
    world = World(permitted=GateAnswer(GateRefusal.FENCED))
    with pytest.raises(Fenced):
        await world.passes()
    assert "open" not in world.asked


async def test_a_ledger_that_does_not_answer_shuts_it() -> None:
    world = World(permitted=LedgerUnavailable("the ledger could not be written"))
    assert await world.closed() == ClosedGate(GateRefusal.UNWRITTEN, FailureReason("the ledger could not be written"))


@pytest.mark.parametrize(
    ("takes", "good_for"),
    [
        ({}, max_ages.PERMIT),  # the permit is the first to get too old
        ({"ledger": 0.3}, max_ages.PERMIT - 0.3),  # counted from when it was asked for
        ({"voipbin": 1.2}, max_ages.LOOK - 1.2),  # the look is
        ({"voipbin": 1.2, "ledger": 0.2}, max_ages.LOOK - 1.4),
        ({"slack": 5.0}, max_ages.PERMIT),  # both are asked for after it
    ],
)
async def test_its_yes_is_good_until_the_look_or_the_permit_is_too_old(
    takes: dict[str, float], good_for: float
) -> None:
    world = World(takes=takes)
    check = await world.passes()
    opened = world.clock
    world.clock = opened + good_for - 0.001
    check()
    closed = world.closed_at(check, opened + good_for + 0.001)
    assert (closed.shut, closed.retry_after) == (GateRefusal.STALE, 0.0)
    assert closed.trouble.why


@pytest.mark.parametrize("takes", [0.0, 0.25])
async def test_its_yes_ends_with_the_deadline_however_fresh_the_look_is(takes: float) -> None:
    """What is left is counted from when the ledger was asked, so its answer's way comes off."""
    world = World(permitted=GateAnswer(None, 0.5), takes={"ledger": takes})
    check = await world.passes()
    world.clock = 1000.0 + 0.499
    check()
    assert world.closed_at(check, 1000.5) == ClosedGate(GateRefusal.LATE)
    assert world.closed_at(check, 2000.0) == ClosedGate(GateRefusal.LATE)  # too late before too old


async def test_its_yes_ends_when_the_policy_changes() -> None:
    world = World()
    check = await world.passes()
    world.policy = replace(MAY, version="ffffffffffff")
    closed = world.closed_at(check, world.clock)
    assert (closed.shut, closed.retry_after) == (GateRefusal.CHANGED, 0.0)
    assert closed.trouble.why


async def test_a_look_that_takes_too_long_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(max_ages, "LOOK", 0.01)

    class Silent(World):
        async def looks(self) -> str:
            raise TimeoutError

    closed = await Silent().closed()
    assert (closed.shut, closed.retry_after) == (GateRefusal.STALE, 1.0)
    assert closed.trouble.why


async def concluded(world: World) -> None:
    assert await world.hold.conclude(INTENT, PRESS, [SENDING], IntentState.SETTLED) == "7:ab"


@pytest.mark.parametrize("says", [World.passes, concluded, lambda world: world.hold.must_hold()])
async def test_an_edit_asks_anew_whether_its_run_counts_if_it_waited_or_that_was_said_a_while_ago(
    says: Callable[[World], Awaitable[object]],
) -> None:
    """Counted from when it was asked, so a slow answer is an old one."""
    world = World()
    await says(world)
    world.counts = False
    world.clock += max_ages.COUNTED - 0.001
    await world.hold.must_hold(waited=False)
    with pytest.raises(Fenced):
        await world.hold.must_hold()
    world.clock += 0.002
    with pytest.raises(Fenced):
        await world.hold.must_hold(waited=False)
    slow = World(takes=dict.fromkeys(("ledger", "outcome", "run"), max_ages.COUNTED))
    await says(slow)
    slow.counts = False
    with pytest.raises(Fenced):
        await slow.hold.must_hold(waited=False)


async def test_an_edit_asks_whether_its_run_counts_when_nothing_has_said_so() -> None:
    with pytest.raises(Fenced):
        await World(counts=False).hold.must_hold(waited=False)


async def test_a_run_that_counts_no_more_concludes_nothing() -> None:
    with pytest.raises(Fenced):
        await concluded(World(counts=False))


def test_its_clock_goes_on_while_the_machine_sleeps(monkeypatch: pytest.MonkeyPatch) -> None:
    if hasattr(time, "CLOCK_BOOTTIME"):
        before = time.clock_gettime(time.CLOCK_BOOTTIME)
        monkeypatch.setattr(time, "monotonic", lambda: -1.0)
        assert before <= boot_time() <= time.clock_gettime(time.CLOCK_BOOTTIME)
    monkeypatch.delattr(time, "CLOCK_BOOTTIME", raising=False)
    monkeypatch.setattr(time, "monotonic", lambda: 42.0)
    assert boot_time() == 42.0

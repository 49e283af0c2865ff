"""The gate: in which order it asks, what shuts it, and how long its yes is good for."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import cast
from uuid import UUID

import pytest

from bot.activeflows.errors import Failure, IdentityUnknown, LedgerUnavailable, NotFound, NotOurs
from bot.activeflows.operators import ANY_FLOW, Flow, Grant, Operator, Permission, Person, Policy, Standing
from bot.activeflows.ports import Check
from bot.activeflows.reading.seeing import Seen
from bot.activeflows.records import Record, What
from bot.activeflows.stopping import max_ages
from bot.activeflows.stopping.admission import record_of
from bot.activeflows.stopping.authorization import Act, Authorization
from bot.activeflows.stopping.claims import Fence, Permitted
from bot.activeflows.stopping.fence import Fenced
from bot.activeflows.stopping.gate import Closed, Errand, Gate, GateClosed, boot_time
from bot.activeflows.stopping.ports import Ledger
from bot.activeflows.stopping.stops import Intent, Press
from bot.activeflows.stopping.troubles import Shut

NOW, ALICE, HERE, FLOW = datetime(2026, 3, 2, tzinfo=UTC), "U0ALICE", "C0INCIDENTS", UUID(int=7)
SEEN = Seen("Support line", "digits", "waiting for keypad input", (), "call", UUID(int=9), "", None, NOW)
INTENT = Intent("1" * 32, UUID(int=3), FLOW, SEEN, ALICE, HERE, "", NOW, NOW + timedelta(minutes=5))
PRESS = Press(INTENT.id, ALICE, "", HERE, "", "1.0", "", "", NOW)
MAY = Policy((Grant(1, frozenset({ALICE}), frozenset({Permission.STOP})),), version="0f3c2a9b1d77")


@dataclass
class World:
    """Everything a gate asks, with what it says and how long each takes. ``Ledger``, ``People``, and what looks."""

    policy: Policy = MAY
    permitted: Permitted | Exception = field(default_factory=lambda: Permitted(left=100.0))
    seen: str | Exception = "as it was"
    silent: bool = False
    clock: float = 1000.0
    takes: dict[str, float] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    written: list[Record] = field(default_factory=list)

    def _asks(self, what: str) -> None:
        self.asked.append(what)
        self.clock += self.takes.get(what, 0.0)

    async def identify(
        self,
        user_id: str,
        channel: str,
        *,
        team: str = "",  # noqa: ARG002 # the port's, as is the rest
        may: Collection[Permission],  # noqa: ARG002
        flows: Collection[Flow] = (ANY_FLOW,),  # noqa: ARG002
        max_age: float = 0.0,
    ) -> Operator:
        self._asks("people")
        assert max_age == max_ages.FACTS
        if self.silent:
            raise IdentityUnknown("Slack did not answer")
        return Operator(Person(user_id, Standing.MEMBER), channel, self.policy)

    async def look(self) -> str:
        self._asks("look")
        if isinstance(self.seen, Exception):
            raise self.seen
        return self.seen

    async def permit(self, intent: Intent, press: Press, fence: Fence, sending: Record) -> Permitted:
        self._asks("ledger")
        assert (intent, press, fence) == (INTENT, PRESS, Fence(PRESS.id, 2))
        self.written.append(sending)
        if isinstance(self.permitted, Exception):
            raise self.permitted
        return self.permitted

    async def passes(self) -> Check:
        """Through the gate, to what is looked at once more at the first byte."""
        gate = Gate(cast("Ledger", self), Authorization(self, lambda: self.policy), clock=lambda: self.clock)
        sending = record_of(INTENT, PRESS, What.SENDING, NOW, attempt=1)

        def held_against(seen: str) -> None:
            if seen != "as it was":
                raise GateClosed(Closed(Shut.MOVED))

        at = gate.of(
            Errand(Act.STOP, INTENT, PRESS), Fence(PRESS.id, 2), sending, held_against, lambda: self._asks("yes")
        )
        return await at(self.look)


def shut(told: pytest.ExceptionInfo[GateClosed]) -> Shut:
    return told.value.closed.shut


async def test_people_first_then_the_look_and_the_ledger_last() -> None:
    world = World()
    check = await world.passes()
    check()
    assert world.asked == ["people", "look", "ledger", "yes"]
    assert world.written[0].detail == {
        "attempt": 1,
        "because": "allowed by grant 1",
        "grant": 1,
        "policy": "0f3c2a9b1d77",
    }


@pytest.mark.parametrize(
    ("change", "expected", "asked"),
    [
        ({"policy": Policy()}, Shut.REFUSED, ["people"]),
        ({"silent": True}, Shut.UNANSWERED, ["people"]),
        ({"seen": "in a queue"}, Shut.MOVED, ["people", "look"]),
        ({"seen": NotFound("x")}, Shut.GONE, ["people", "look"]),
        ({"seen": NotOurs(UUID(int=3))}, Shut.UNREAD, ["people", "look"]),
        ({"seen": Failure("broken", "req_1", 7.0)}, Shut.UNREAD, ["people", "look"]),
        ({"permitted": LedgerUnavailable("locked")}, Shut.UNWRITTEN, ["people", "look", "ledger"]),
        *(({"permitted": Permitted(no)}, no, ["people", "look", "ledger"]) for no in Shut if no is not Shut.FENCED),
    ],
)
async def test_any_no_shuts_it_and_nothing_more_is_asked(
    change: dict[str, object], expected: Shut, asked: list[str]
) -> None:
    world = replace(World(), **change)  # type: ignore[arg-type] # fields by name
    with pytest.raises(GateClosed) as told:
        await world.passes()
    assert shut(told) is expected
    assert world.asked == asked


async def test_a_trouble_of_the_look_says_when_to_come_again() -> None:
    with pytest.raises(GateClosed) as told:
        await World(seen=Failure("broken", "req_1", 7.0)).passes()
    assert told.value.closed.retry_after == 7.0
    assert told.value.closed.trouble.request_id == "req_1"


async def test_a_run_that_counts_no_more_is_cut_off_and_not_refused() -> None:
    with pytest.raises(Fenced):
        await World(permitted=Permitted(Shut.FENCED)).passes()


@pytest.mark.parametrize(
    ("takes", "later", "expected"),
    [
        ({}, max_ages.PERMIT - 0.01, None),
        ({}, max_ages.PERMIT, Shut.STALE),
        ({"look": 1.2}, max_ages.LOOK - 1.2 - 0.01, None),
        ({"look": 1.2}, max_ages.LOOK - 1.2, Shut.STALE),
        ({"ledger": max_ages.PERMIT}, 0.0, Shut.STALE),
        ({"people": 30.0}, 0.5, None),
    ],
)
async def test_a_yes_is_good_for_as_long_as_the_table_says(
    takes: dict[str, float], later: float, expected: Shut | None
) -> None:
    """Frozen after it, or slow before it: what counts is the time since each was asked."""
    world = World(takes=takes)
    check = await world.passes()
    world.clock += later
    if expected is None:
        check()
        return
    with pytest.raises(GateClosed) as told:
        check()
    assert shut(told) is expected
    assert told.value.closed.retry_after is not None


@pytest.mark.parametrize(("later", "expected"), [(0.2, None), (0.3, Shut.LATE), (30.0, Shut.LATE)])
async def test_it_is_never_late_by_what_the_database_said_was_left(later: float, expected: Shut | None) -> None:
    world = World(permitted=Permitted(left=0.3))
    check = await world.passes()
    world.clock += later
    _expects(check, expected)


async def test_a_policy_that_changes_after_the_yes_takes_it_back() -> None:
    world = World()
    check = await world.passes()
    world.policy = replace(MAY, version="another")
    _expects(check, Shut.CHANGED)


def _expects(check: Callable[[], None], expected: Shut | None) -> None:
    if expected is None:
        check()
        return
    with pytest.raises(GateClosed) as told:
        check()
    assert shut(told) is expected


def test_the_clock_goes_on() -> None:
    first = boot_time()
    assert boot_time() >= first > 0

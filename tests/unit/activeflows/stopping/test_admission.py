"""What a press is told at once, and what the audit says of it: every answer and every record, whole."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import cast
from uuid import UUID

import pytest

from bot.activeflows.errors import LedgerUnavailable
from bot.activeflows.operators import Flow, Grant, Operator, Permission, Person, Policy, Standing
from bot.activeflows.queries.inspection import ShownState
from bot.activeflows.records import Record, RecordKind
from bot.activeflows.stopping import max_ages
from bot.activeflows.stopping.authorization import Admission, Authorization, PressAdmission, not_claimed, record_of
from bot.activeflows.stopping.ports import Ledger
from bot.activeflows.stopping.stop import Claim, Declined, DeclineReason, Intent, IntentState, Press, PressKind

Detail = Mapping[str, str | int | bool | None]
NOW = datetime(2026, 8, 20, 3, 0, tzinfo=UTC)
ALICE, BOB, HERE, FLOW = "U0ALICE", "U0BOB", "C0INC", UUID(int=7)
MAY = Policy((Grant(3, frozenset({ALICE}), frozenset({Permission.STOP})),), version="0f3c2a9b1d77")
SEEN = ShownState("Support line", "digits", "waiting for keypad input", (), "call", UUID(int=9), "", None, NOW)
INTENT = Intent("1" * 32, UUID(int=1), FLOW, SEEN, BOB, HERE, "loops", NOW, NOW + timedelta(minutes=5))
PRESS = Press(INTENT.id, ALICE, "", "C0PRESSED", "1.0", NOW)
BY_THE_GRANT: Detail = {"because": "allowed by grant 3", "grant": 3, "policy": "0f3c2a9b1d77"}
NO = "no “stop” permission, directly or through a user group"


@dataclass
class StopStore:
    """A ledger that holds one card, and Slack's answers about people."""

    intent_: Intent | None = INTENT
    state: IntentState = IntentState.OPEN
    gone: bool = False
    written: list[Record] = field(default_factory=list)
    ages: list[float] = field(default_factory=list)

    async def intent(self, intent_id: str) -> tuple[Intent, IntentState] | None:
        assert intent_id == PRESS.intent_id
        if self.gone:
            raise LedgerUnavailable("the ledger could not be read")
        return None if self.intent_ is None else (self.intent_, self.state)

    async def record(self, record: Record) -> None:
        self.written.append(record)

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
        self.ages.append(max_age)
        return Operator(Person(user_id, Standing.MEMBER), channel, MAY)

    async def admits(self, press: Press = PRESS) -> Admission:
        return await PressAdmission(cast("Ledger", self), Authorization(self, lambda: MAY), now=lambda: NOW).admit(
            press
        )


def recorded(what: RecordKind, detail: Detail, press: Press = PRESS) -> Record:
    key = f"{press.id}/{what}"
    return Record(key, NOW, what, press.by, "C0PRESSED", INTENT.activeflow_id, INTENT.id, "loops", detail)


# ---------------------------------------------------------------- taken


async def test_a_press_that_is_taken_is_recorded_with_what_was_shown_and_who_had_asked() -> None:
    book = StopStore()
    assert await book.admits() == Admission(INTENT)
    assert book.written == [
        recorded(RecordKind.PRESSED, {**BY_THE_GRANT, "seen": "digits", "asked_by": BOB, "now": False})
    ]
    assert set(book.ages) == {max_ages.FACTS_AT_PRESS}


async def test_that_it_is_not_to_be_asked_about_once_more_is_recorded() -> None:
    book = StopStore(replace(INTENT, without_second_question=True))
    await book.admits()
    assert book.written[0].detail["now"] is True


@pytest.mark.parametrize(
    ("asked_with", "given", "reason", "by"),
    [("loops", "", "loops", ""), ("", "stuck", "stuck", ALICE), ("loops", "stuck", "loops", ""), ("", "", "", "")],
)
async def test_a_reason_given_at_the_press_is_its_givers_where_there_was_none(
    asked_with: str, given: str, reason: str, by: str
) -> None:
    book = StopStore(replace(INTENT, reason=asked_with))
    admission = await book.admits(replace(PRESS, reason=given))
    assert admission == Admission(replace(INTENT, reason=reason, reason_by=by))
    assert book.written[0].reason == reason


async def test_a_hang_up_is_recorded_as_one_and_has_a_minute() -> None:
    book, press = StopStore(state=IntentState.SETTLED), replace(PRESS, wish=PressKind.HANG_UP)
    assert await book.admits(press) == Admission(replace(INTENT, deadline=NOW + timedelta(minutes=1)))
    assert book.written == [recorded(RecordKind.PRESSED, {**BY_THE_GRANT, "wish": "hang_up"}, press)]


def test_a_record_says_in_which_thread_it_was_pressed() -> None:
    threaded = replace(PRESS, thread="1760000000.000100")
    assert record_of(INTENT, threaded, RecordKind.SENDING, NOW) != record_of(INTENT, PRESS, RecordKind.SENDING, NOW)


def test_a_record_about_a_member_names_its_bulk_stop() -> None:
    member = replace(INTENT, bulk_id="2" * 32)
    assert record_of(member, PRESS, RecordKind.SENDING, NOW, attempt=1).detail == {"attempt": 1, "bulk": "2" * 32}


# ---------------------------------------------------------------- declined


@pytest.mark.parametrize("state", [state for state in IntentState if state is not IntentState.SETTLED])
async def test_no_hang_up_stands_on_a_card_whose_stop_is_not_over(state: IntentState) -> None:
    book = StopStore(state=state)
    assert await book.admits(replace(PRESS, wish=PressKind.HANG_UP)) == Admission(
        declined=Declined(DeclineReason.NO_SUCH_CARD)
    )
    assert book.written == []


@pytest.mark.parametrize(
    ("state", "why"),
    [
        (IntentState.SETTLED, DeclineReason.OVER),
        (IntentState.CANCELLED, DeclineReason.CANCELLED),
        (IntentState.SUPERSEDED, DeclineReason.SUPERSEDED),
    ],
)
async def test_a_card_that_is_over_is_declined_without_a_record(state: IntentState, why: DeclineReason) -> None:
    book = StopStore(state=state)
    assert await book.admits() == Admission(INTENT, Declined(why, activeflow_id=INTENT.activeflow_id))
    assert book.written == []


async def test_a_press_of_no_card_is_declined() -> None:
    assert await StopStore(None).admits() == Admission(declined=Declined(DeclineReason.NO_SUCH_CARD))


async def test_without_a_ledger_nothing_is_taken() -> None:
    assert await StopStore(gone=True).admits() == Admission(
        declined=Declined(DeclineReason.LEDGER, "the ledger could not be read")
    )


async def test_a_late_press_is_recorded_as_that() -> None:
    book = StopStore(replace(INTENT, deadline=NOW - timedelta(seconds=1)))
    declined = Declined(DeclineReason.LATE, "past the deadline", activeflow_id=INTENT.activeflow_id)
    assert await book.admits() == Admission(book.intent_, declined)
    assert book.written == [recorded(RecordKind.REFUSED, {"because": "past the deadline", "why": "late"})]


@pytest.mark.parametrize("wish", [PressKind.STOP, PressKind.HANG_UP])
async def test_whoever_may_not_is_recorded_and_told_whom_to_ask(wish: PressKind) -> None:
    hang_up = wish is PressKind.HANG_UP
    book = StopStore(state=IntentState.SETTLED if hang_up else IntentState.OPEN)
    press = replace(PRESS, by=BOB, wish=wish)
    admission = await book.admits(press)
    assert admission.declined == Declined(DeclineReason.NOT_PERMITTED, NO, (ALICE,), activeflow_id=INTENT.activeflow_id)
    assert admission.intent is not None
    extra = {"wish": "hang_up"} if hang_up else {}
    assert book.written == [
        recorded(RecordKind.REFUSED, {"because": NO, "why": str(DeclineReason.NOT_PERMITTED), **extra}, press)
    ]


@pytest.mark.parametrize(
    ("claim", "declined"),
    [
        (Claim(mine=False, unwritten="down", by=BOB), Declined(DeclineReason.LEDGER, "down")),
        (Claim(mine=False, by=BOB), Declined(DeclineReason.TAKEN, by=BOB)),
        (Claim(mine=False, state=IntentState.CANCELLED), Declined(DeclineReason.CANCELLED)),
        (Claim(mine=False, state=IntentState.SUPERSEDED), Declined(DeclineReason.SUPERSEDED)),
        (Claim(mine=False), Declined(DeclineReason.OVER)),
    ],
)
def test_whoever_came_second_is_told_who_was_first_or_what_came_of_it(claim: Claim, declined: Declined) -> None:
    assert not_claimed(claim, INTENT) == replace(declined, activeflow_id=INTENT.activeflow_id)

"""Which card offers a hang-up, on a real ledger."""

from collections.abc import Collection
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.activeflows.operators import Flow, Grant, Operator, Permission, Person, Policy, Standing
from bot.activeflows.stopping.authorization import Admission, Authorization, PressAdmission
from bot.activeflows.stopping.stop import DeclineReason, Intent, IntentState, Press, PressKind
from bot.ledger.database import Database
from bot.ledger.stop_store import StopStore
from tests.scenarios.ledger.test_ledger import NOW, a_press, an_intent, opened

MAY_STOP = Policy((Grant(1, frozenset({"U0ALICE"}), frozenset({Permission.STOP})),))
HANG_UP_WITHIN = timedelta(minutes=1)


class Everybody:
    """Members all, as Slack would say."""

    async def identify(
        self,
        user_id: str,
        channel: str,
        *,
        team: str = "",  # noqa: ARG002 # this and the next are the port's
        may: Collection[Permission],  # noqa: ARG002
        flows: Collection[Flow] = (),  # noqa: ARG002
        max_age: float = 0.0,  # noqa: ARG002
    ) -> Operator:
        return Operator(Person(user_id, Standing.MEMBER), channel, MAY_STOP)


@pytest.fixture
def book(database: Database) -> StopStore:
    return StopStore(database, now=lambda: NOW)


async def pressed(book: StopStore, intent: Intent, wish: PressKind, by: str = "U0ALICE") -> Admission:
    admission = PressAdmission(book, Authorization(Everybody(), lambda: MAY_STOP), now=lambda: NOW)
    return await admission.admit(replace(a_press(intent, by), wish=wish))


def why(admission: Admission) -> DeclineReason | None:
    return admission.declined.why if admission.declined else None


async def over(book: StopStore, state: IntentState) -> Intent:
    intent = await opened(book, an_intent())
    press: Press = a_press(intent, "U0BOB")
    assert (await book.claim(intent, press)).mine
    await book.settle(intent.id, press.id, state)
    return intent


async def test_a_hang_up_is_for_a_card_whose_stop_is_over(book: StopStore) -> None:
    admission = await pressed(book, await over(book, IntentState.SETTLED), PressKind.HANG_UP)
    assert admission.declined is None
    assert admission.intent is not None
    assert admission.intent.deadline == NOW + HANG_UP_WITHIN


@pytest.mark.parametrize("state", [IntentState.CANCELLED, IntentState.SUPERSEDED])
async def test_a_card_that_was_put_away_offers_no_hang_up(book: StopStore, state: IntentState) -> None:
    assert why(await pressed(book, await over(book, state), PressKind.HANG_UP)) is DeclineReason.NO_SUCH_CARD


async def test_a_card_that_still_can_be_pressed_or_is_at_work_offers_no_hang_up(book: StopStore) -> None:
    intent = await opened(book, an_intent())
    assert why(await pressed(book, intent, PressKind.HANG_UP)) is DeclineReason.NO_SUCH_CARD
    assert (await book.claim(intent, a_press(intent, "U0BOB"))).mine
    assert why(await pressed(book, intent, PressKind.HANG_UP)) is DeclineReason.NO_SUCH_CARD


async def test_whoever_may_not_stop_may_not_hang_up(book: StopStore) -> None:
    intent = await over(book, IntentState.SETTLED)
    assert why(await pressed(book, intent, PressKind.HANG_UP, by="U0BOB")) is DeclineReason.NOT_PERMITTED

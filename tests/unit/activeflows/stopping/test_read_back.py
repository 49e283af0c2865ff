"""Whose doing an end was: the stop's, the caller's, or not known; and what is not read is not known."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import cast
from uuid import UUID

import pytest

from bot.activeflows.errors import NOT_SHOWN, BotError, NotFound, NotOurs, VoIPBINUnreachable
from bot.activeflows.model import FINISH_ID, Action, Activeflow, Call, Party, Reference, Status
from bot.activeflows.ports import VoIPBIN
from bot.activeflows.stopping.read_back import Readback, ReadState, Verdict
from bot.activeflows.stopping.stop import FailureReason, Patience

ENDED_AT = datetime(2026, 8, 20, 3, 0, tzinfo=UTC)
NOW = ENDED_AT + timedelta(minutes=1)
CALL = Call(UUID(int=8), UUID(int=7), "hangup", "incoming", Party("tel", "+15550101"), Party("tel", "+15550102"))
ENDED = Activeflow(
    UUID(int=7), None, None, Status.ENDED, Reference("call", CALL.id), Action(UUID(int=9), "talk"), updated_at=ENDED_AT
)


@dataclass
class Answers:
    """VoIPBIN, answering two questions."""

    to_activeflow: Activeflow | BotError = ENDED
    to_call: Call | BotError | None = None

    async def activeflow(self, activeflow_id: UUID) -> Activeflow:
        assert activeflow_id == ENDED.id
        if isinstance(self.to_activeflow, BotError):
            raise self.to_activeflow
        return self.to_activeflow

    async def call(self, call_id: UUID) -> Call | None:
        assert call_id == CALL.id
        if isinstance(self.to_call, BotError):
            raise self.to_call
        return self.to_call


async def read(answers: Answers, call_id: UUID | None = CALL.id) -> Verdict:
    return await Readback(cast("VoIPBIN", answers), Patience(), lambda: NOW).once(ENDED.id, call_id)


def hung_up(seconds_before_the_end: float) -> Call:
    return replace(CALL, hangup_at=ENDED_AT - timedelta(seconds=seconds_before_the_end))


@pytest.mark.parametrize(
    ("call", "by_itself"),
    [
        (hung_up(0.2), True),
        (hung_up(0.0), True),
        (hung_up(9.9), True),
        (hung_up(10.0), False),  # it outlived its call: not that hang-up ended it
        (hung_up(-0.2), False),  # a stop ends the activeflow first and the call after it
        (replace(CALL, hangup_at=None), None),  # over, and nobody says since when
        (replace(CALL, status="progressing"), False),
        (replace(CALL, status="progressing", hangup_at=ENDED_AT), False),
        (None, False),
        (VoIPBINUnreachable("VoIPBIN cannot be reached"), None),
    ],
)
async def test_the_call_tells_whose_doing_the_end_was(call: Call | BotError | None, by_itself: bool | None) -> None:
    assert await read(Answers(to_call=call)) == Verdict(ReadState.ENDED, ENDED_AT, by_itself)


async def test_without_a_time_of_the_end_it_is_not_known_who_was_first() -> None:
    answers = Answers(replace(ENDED, updated_at=None), hung_up(0.2))
    assert await read(answers) == Verdict(ReadState.ENDED, None, None)


async def test_what_ran_for_no_call_did_not_end_by_one() -> None:
    assert await read(Answers(to_call=hung_up(0.2)), None) == Verdict(ReadState.ENDED, ENDED_AT, by_itself=False)


async def test_what_reached_its_own_finish_ended_by_itself_whatever_the_call_says() -> None:
    finished = replace(ENDED, current=Action(FINISH_ID))
    assert await read(Answers(finished, VoIPBINUnreachable("down"))) == Verdict(
        ReadState.ENDED, ENDED_AT, by_itself=True
    )


async def test_what_runs_is_said_as_of_the_reading() -> None:
    running = replace(ENDED, status=Status.RUNNING)
    assert await read(Answers(running)) == Verdict(ReadState.RUNNING, ENDED_AT, read_at=NOW)


@pytest.mark.parametrize(
    ("problem", "verdict"),
    [
        (NotFound("7"), Verdict(ReadState.ENDED, trouble=FailureReason("VoIPBIN no longer has this activeflow"))),
        (NotOurs(ENDED.id), Verdict(ReadState.UNREAD, trouble=FailureReason(NOT_SHOWN))),
        (VoIPBINUnreachable("down", "req-1"), Verdict(ReadState.UNREAD, trouble=FailureReason("down", "req-1"))),
    ],
)
async def test_what_cannot_be_read_is_not_known_and_what_is_gone_has_ended(problem: BotError, verdict: Verdict) -> None:
    assert await read(Answers(problem)) == verdict

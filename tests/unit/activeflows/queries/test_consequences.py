"""What a person reads before pressing."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.activeflows.model import START_ID, Action, Activeflow, Call, Flow, Party, Reference, Status
from bot.activeflows.queries.inspection import CANNOT_BE_UNDONE, consequences
from bot.activeflows.situation.current_step import situation

NOW = datetime(2026, 8, 20, 8, 0, tzinfo=UTC)
SURVEY = Flow(UUID("5d0c2b9a-8e77-4c36-a4f1-91e3d7c5b802"), "Survey")
CALL = Call(
    id=UUID(int=2),
    activeflow_id=UUID(int=1),
    status="progressing",
    direction="incoming",
    source=Party("tel", "+15550100001"),
    destination=Party("tel", "+15550100092"),
    created_at=NOW - timedelta(minutes=5),
    answered_at=NOW - timedelta(minutes=4),
)


def running(*types: str, reference: str = "call", on_complete: UUID | None = None) -> Activeflow:
    """The last type is current, the others are executed."""
    actions = [Action(UUID(int=100 + n), type_) for n, type_ in enumerate(types)]
    return Activeflow(
        id=UUID(int=1),
        customer_id=None,
        flow_id=None,
        status=Status.RUNNING,
        reference=Reference(reference, CALL.id),
        current=actions[-1],
        executed=(Action(START_ID), *actions[:-1]),
        on_complete_flow_id=on_complete,
    )


def told(
    activeflow: Activeflow, call: Call | None = CALL, *, looked_up: bool = True, follower: Flow | None = None
) -> tuple[str, ...]:
    return consequences(
        activeflow,
        situation=situation(activeflow),
        now=NOW,
        call=call,
        looked_up=looked_up,
        on_complete=follower,
    )


def test_the_caller_comes_first_and_masked() -> None:
    assert told(running("answer", "play")) == (
        "Hangs up on the caller: +1555•••••01, incoming call, connected for 4 min.",
        CANNOT_BE_UNDONE,
    )


def test_who_was_called_is_the_person_cut_off_on_an_outgoing_call() -> None:
    call = replace(CALL, direction="outgoing")
    assert told(running("play"), call)[0] == (
        "Hangs up on the person called: +1555•••••92, outgoing call, connected for 4 min."
    )


def test_an_outgoing_call_that_nobody_answered_is_given_up() -> None:
    call = replace(CALL, direction="outgoing", status="ringing", answered_at=None)
    assert told(running("play"), call)[0] == "Stops calling +1555•••••92, begun 5 min ago, not answered yet."


def test_a_failed_look_up_says_caller_unknown() -> None:
    assert told(running("play"), None, looked_up=False)[0] == "Hangs up the call: caller unknown."


def test_a_call_that_is_gone_is_said_carefully() -> None:
    assert told(running("play"), None)[0] == "Probably hangs up on nobody: VoIPBIN no longer has its call."
    assert told(running("play"), replace(CALL, status="hangup"))[0] == "Hangs up on nobody: the call is already over."
    assert "already" in told(running("play"), replace(CALL, status="terminating"))[0]


@pytest.mark.parametrize(
    ("types", "lost"),
    [
        (("queue_join", "fetch_flow"), "The caller loses their place in the queue."),
        (("queue_join", "fetch_flow", "play"), "Probably: the caller loses their place in the queue."),
        (("queue_join", "confbridge_join"), "The agent is cut off too."),
        (("connect", "confbridge_join"), "The other party is cut off too."),
        (("ai_talk", "confbridge_join"), "The AI conversation ends."),
        (("conference_join", "confbridge_join"), "The caller leaves the conference."),
    ],
)
def test_what_the_caller_loses_comes_right_after(types: tuple[str, ...], lost: str) -> None:
    assert told(running(*types))[1] == lost
    assert lost in told(running(*types), None, looked_up=False)
    assert lost not in told(running(*types), replace(CALL, status="hangup"))


def test_the_flow_that_starts_afterwards_is_named() -> None:
    activeflow = running("play", on_complete=SURVEY.id)
    assert told(activeflow, follower=SURVEY)[1] == "Starts another activeflow: flow Survey."
    assert told(activeflow)[1] == "Starts another activeflow: flow 5d0c2b9a."
    assert told(activeflow, follower=replace(SURVEY, id=UUID(int=3)))[1].endswith("flow 5d0c2b9a.")


@pytest.mark.parametrize(
    ("reference", "first"),
    [
        ("conversation", "Hangs up on nobody: it runs for a conversation."),
        ("campaign", "Hangs up on nobody: it runs for a campaign, which goes on."),
        ("api", "Hangs up on nobody: it was started through the API."),
        ("brand_new", "Hangs up on nobody: it does not run for a call."),
    ],
)
def test_without_a_call_nobody_is_cut_off_but_what_was_sent_stays_sent(reference: str, first: str) -> None:
    assert told(running("email_send", "message_send", "sleep", reference=reference), None) == (
        first,
        "What was sent stays sent: SMS, e-mails.",
        CANNOT_BE_UNDONE,
    )


def test_an_ai_chat_lives_on() -> None:
    assert "The AI chat itself goes on" in told(running("ai_talk", "block", reference="conversation"), None)[1]


def test_with_a_call_it_is_the_caller_that_counts_not_the_chat() -> None:
    assert told(running("block")) == (
        "Hangs up on the caller: +1555•••••01, incoming call, connected for 4 min.",
        CANNOT_BE_UNDONE,
    )


def test_a_step_under_way_still_completes() -> None:
    assert "The current step still completes: sending an e-mail." in told(running("email_send", reference="api"))


def test_calls_placed_separately_stay_up_unless_they_are_chained() -> None:
    placed = running("call", "play")
    chained = replace(placed, executed=(Action(UUID(int=100), "call", {"chained": True}),))
    assert "Separate calls it placed stay up." in told(placed)
    assert "Separate calls it placed stay up." not in told(chained)


def test_stopping_an_ended_one_does_nothing() -> None:
    assert told(replace(running("play"), status=Status.ENDED)) == ("Nothing: it has already ended.",)


def test_who_may_see_the_number_sees_it() -> None:
    activeflow = running("play")
    lines = consequences(
        activeflow, situation=situation(activeflow), now=NOW, call=CALL, show=lambda party: party.target
    )
    assert lines[0].startswith("Hangs up on the caller: +15550100001,")


@given(
    st.sampled_from(["dialing", "ringing", "progressing", "terminating", "canceling", "hangup", "brand_new"]),
    st.sampled_from(["incoming", "outgoing", ""]),
    st.sampled_from(["tel", "sip", "email", "agent", "brand_new", ""]),
    st.sampled_from(["call", "conversation"]),
)
def test_no_number_or_address_is_ever_shown_whole(status: str, direction: str, kind: str, reference: str) -> None:
    number, address = Party(kind, "+15550100001", "Pat"), Party(kind, "pat@example.net", "Pat")
    for party in (number, address):
        call = replace(CALL, status=status, direction=direction, source=party, destination=party)
        lines = " ".join(told(running("play", reference=reference), call))
        assert "0100001" not in lines
        assert "Pat" not in lines
        assert "pat@" not in lines


@given(st.datetimes(timezones=st.just(UTC)), st.datetimes(timezones=st.just(UTC)))
def test_skewed_clocks_break_nothing(created: datetime, answered: datetime) -> None:
    lines = told(running("play"), replace(CALL, created_at=created, answered_at=answered))
    assert lines[-1] == CANNOT_BE_UNDONE

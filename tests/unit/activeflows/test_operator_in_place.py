"""Somebody standing in a channel: the decision about them is asked about the flow that is meant, and no other."""

from dataclasses import replace

import pytest

from bot.activeflows.errors import NotPermitted
from bot.activeflows.operators import (
    ANY_FLOW,
    Grant,
    Operator,
    Permission,
    Person,
    Policy,
    Standing,
    open_questions,
    together,
)
from tests.unit.activeflows.test_operators import ELSEWHERE, EVERYTHING, INC, POLICY, SALES, SUPPORT, Flow

ALICE_HERE = Operator(Person("U0ALICE", Standing.MEMBER), INC, Policy((Grant(1, frozenset({"U0ALICE"}), EVERYTHING),)))
GUS_HERE = Operator(Person("U0GUS", Standing.GUEST), INC, POLICY)


@pytest.mark.parametrize(("flow", "allowed"), [(SUPPORT, True), (ANY_FLOW, True), (SALES, False), (None, False)])
def test_somebody_in_a_channel_is_asked_about_the_flow_that_is_meant(flow: Flow, allowed: bool) -> None:
    decision = GUS_HERE.decide(Permission.VIEW, flow)
    assert (decision.allowed, decision.permission) == (allowed, Permission.VIEW)
    assert GUS_HERE.may(Permission.VIEW, flow) is allowed
    assert not GUS_HERE.may(Permission.STOP, flow)
    if allowed:
        assert GUS_HERE.require(Permission.VIEW, flow) == decision
    else:
        with pytest.raises(NotPermitted) as refused:
            GUS_HERE.require(Permission.VIEW, flow)
        assert refused.value.decision == decision


def test_unless_a_flow_is_named_any_flow_is_meant() -> None:
    assert GUS_HERE.may(Permission.VIEW)
    assert GUS_HERE.require(Permission.VIEW) == GUS_HERE.decide(Permission.VIEW, ANY_FLOW)
    assert not GUS_HERE.may(Permission.STOP)


def test_of_some_permissions_any_is_enough_for_some_flow_or_for_each() -> None:
    assert GUS_HERE.may_any([Permission.STOP, Permission.VIEW], [SALES, SUPPORT])
    assert not GUS_HERE.may_any([Permission.STOP], [SUPPORT])
    assert not GUS_HERE.may_any([Permission.VIEW], [SALES])
    assert not GUS_HERE.may_any([], [SUPPORT])
    assert GUS_HERE.may_all([Permission.STOP, Permission.VIEW], [SUPPORT])
    assert not GUS_HERE.may_all([Permission.STOP, Permission.VIEW], [SUPPORT, SALES])
    assert ALICE_HERE.may_all([Permission.BULK], [SUPPORT, SALES, None])


def test_two_sets_of_answers_together_know_what_either_knew() -> None:
    person = Person("U0BOB", Standing.MEMBER, frozenset({"S0A"}), unasked=frozenset({"S0B", "S0C"}))
    later = replace(person, standing=Standing.GUEST, groups=frozenset({"S0B"}), unasked=frozenset({"S0A", "S0C"}))
    known = together(Operator(person, INC, POLICY), Operator(later, ELSEWHERE, Policy()))
    assert known == Operator(
        replace(later, groups=frozenset({"S0A", "S0B"}), unasked=frozenset({"S0C"})), ELSEWHERE, Policy()
    )


@pytest.mark.parametrize(
    ("channel", "permissions", "flows", "groups"),
    [
        (INC, [Permission.STOP], [SUPPORT], ("S0HERE", "S0SUPPORT")),
        (ELSEWHERE, [Permission.STOP], [SUPPORT], ("S0THERE", "S0SUPPORT")),
        (INC, [Permission.STOP], [None], ("S0HERE",)),
        (ELSEWHERE, [Permission.STOP], [SUPPORT, SALES], ("S0THERE", "S0SUPPORT", "S0SALES")),
        (INC, [Permission.VIEW], [SUPPORT], ("S0VIEW",)),
        (INC, [Permission.BULK, Permission.VIEW], [SUPPORT], ("S0VIEW",)),
        (INC, [Permission.BULK], [SUPPORT], ()),
    ],
)
def test_slack_is_asked_about_the_groups_that_could_say_yes_here_to_this_for_these(
    channel: str, permissions: list[Permission], flows: list[Flow], groups: tuple[str, ...]
) -> None:
    stop = frozenset({Permission.STOP})
    book = Policy(
        (
            Grant(1, frozenset({"S0HERE"}), stop, channels=frozenset({INC}), groups=frozenset({"S0HERE"})),
            Grant(2, frozenset({"S0THERE"}), stop, channels=frozenset({ELSEWHERE}), groups=frozenset({"S0THERE"})),
            Grant(3, frozenset({"S0SUPPORT"}), stop, flows=frozenset({SUPPORT}), groups=frozenset({"S0SUPPORT"})),
            Grant(4, frozenset({"S0SALES"}), stop, flows=frozenset({SALES}), groups=frozenset({"S0SALES"})),
            Grant(5, frozenset({"S0VIEW"}), frozenset({Permission.VIEW}), groups=frozenset({"S0VIEW"})),
        )
    )
    bob = Person("U0BOB", Standing.MEMBER)
    assert open_questions(book, bob, channel=channel, permissions=permissions, flows=flows) == groups


@pytest.mark.parametrize(
    ("person", "because"),
    [
        (Person("U0BOB", Standing.MEMBER), "no “stop” permission, directly or through a user group"),
        (
            Person("U0BOB", Standing.MEMBER, unanswered=frozenset({"S0B", "S0A"})),
            "no “stop” permission, directly or through a user group; Slack did not say who is in S0A, S0B",
        ),
        (
            Person("U0BOB", Standing.MEMBER, unasked=frozenset({"S0A"})),
            "no “stop” permission here, directly or through a user group",
        ),
        (
            Person("U0BOB", Standing.MEMBER, unasked=frozenset({"S0ELSE"})),
            "no “stop” permission, directly or through a user group",
        ),
    ],
)
def test_a_refusal_says_what_slack_was_not_asked_and_what_it_did_not_say(person: Person, because: str) -> None:
    book = Policy(
        (Grant(1, frozenset({"S0A", "S0B"}), frozenset({Permission.STOP}), groups=frozenset({"S0A", "S0B"})),)
    )
    assert Operator(person, INC, book).decide(Permission.STOP).because == because

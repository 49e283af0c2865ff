"""Who may do what: the whole table once, and the promises that hold for every policy."""

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from typing import TypeVar
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.activeflows.errors import NotPermitted
from bot.activeflows.operators import (
    ANY_FLOW,
    MEMBERS,
    AnyFlow,
    Grant,
    Operator,
    Permission,
    Person,
    Policy,
    Standing,
    decide,
    open_questions,
)

INC, ELSEWHERE, HOME = "C0INC", "C0ELSE", ""
SUPPORT, SALES = UUID(int=1), UUID(int=2)
EVERYTHING = frozenset(Permission)
Flow = UUID | AnyFlow | None
ON_CALL = frozenset({"S0ONCALL"})

POLICY = Policy(
    grants=(
        Grant(1, frozenset({"U0ALICE"}), EVERYTHING),
        Grant(
            2,
            ON_CALL,
            frozenset({Permission.VIEW, Permission.STOP}),
            channels=frozenset({INC}),
            groups=ON_CALL,
        ),
        Grant(
            3,
            frozenset({MEMBERS}),
            frozenset({Permission.VIEW}),
            channels=frozenset({INC}),
            flows=frozenset({SUPPORT}),
        ),
        Grant(4, frozenset({"U0GUS"}), frozenset({Permission.VIEW}), flows=frozenset({SUPPORT})),
        Grant(5, frozenset({"U0CARL"}), frozenset({Permission.AUDIT}), channels=frozenset()),
    )
)
ALICE = Person("U0ALICE", Standing.MEMBER)
BOB = Person("U0BOB", Standing.MEMBER, ON_CALL)
CARL = Person("U0CARL", Standing.MEMBER)
GUS = Person("U0GUS", Standing.GUEST, ON_CALL)
OTHERS = tuple(Person("U0X", standing, ON_CALL) for standing in Standing if standing is not Standing.MEMBER)
PEOPLE = (ALICE, BOB, CARL, GUS, *OTHERS)
PLACES = (INC, ELSEWHERE, HOME)
FLOWS: tuple[Flow, ...] = (SUPPORT, SALES, None, ANY_FLOW)

ALLOWED: dict[tuple[Person, str, Flow], set[tuple[Permission, int]]] = {
    **{(ALICE, place, flow): {(p, 1) for p in Permission} for place in PLACES for flow in FLOWS},
    **{(BOB, INC, flow): {(Permission.VIEW, 2), (Permission.STOP, 2)} for flow in FLOWS},
    (CARL, INC, SUPPORT): {(Permission.VIEW, 3)},
    (CARL, INC, ANY_FLOW): {(Permission.VIEW, 3)},
    **{(GUS, place, flow): {(Permission.VIEW, 4)} for place in PLACES for flow in (SUPPORT, ANY_FLOW)},
}
"""Permission and the grant that gives it; everything that is not here is refused."""


@pytest.mark.parametrize("person", PEOPLE, ids=lambda p: f"{p.id} {p.standing.value}")
@pytest.mark.parametrize("place", PLACES, ids=["incident channel", "another channel", "no channel"])
def test_every_decision_of_a_policy_is_as_the_table_says(person: Person, place: str) -> None:
    for flow, permission in product(FLOWS, Permission):
        decision = decide(POLICY, person, channel=place, permission=permission, flow=flow)
        allowed = {(decision.permission, decision.grant)} if decision.allowed else set()
        expected = {pair for pair in ALLOWED.get((person, place, flow), set()) if pair[0] is permission}
        assert allowed == expected, (permission, flow, decision)
        if decision.allowed:
            assert decision.because == f"allowed by grant {decision.grant}"


@pytest.mark.parametrize(
    ("person", "place", "permission", "flow", "because"),
    [
        (BOB, INC, Permission.BULK, SUPPORT, "no “bulk” permission, directly or through a user group"),
        (BOB, ELSEWHERE, Permission.STOP, SUPPORT, "not from this channel (grant 2 would allow “stop” elsewhere)"),
        (BOB, ELSEWHERE, Permission.VIEW, SUPPORT, "not from this channel (grants 2, 3 would allow “view” elsewhere)"),
        (CARL, INC, Permission.VIEW, SALES, "not for this flow (grant 3 would allow “view” for others)"),
        (
            CARL,
            INC,
            Permission.VIEW,
            None,
            "not for an activeflow without a flow (grant 3 would allow “view” for others)",
        ),
        (GUS, INC, Permission.STOP, SUPPORT, "this account is a guest, and needs a grant of “stop” to its own id"),
        (CARL, INC, Permission.AUDIT, ANY_FLOW, "not from this channel (grant 5 would allow “audit” elsewhere)"),
    ],
)
def test_a_refusal_says_which_rule(
    person: Person, place: str, permission: Permission, flow: Flow, because: str
) -> None:
    assert decide(POLICY, person, channel=place, permission=permission, flow=flow).because == because


def test_a_policy_that_nowhere_gives_it_says_so() -> None:
    only_view = Policy(grants=(Grant(1, frozenset({MEMBERS}), frozenset({Permission.VIEW})),))
    decision = decide(only_view, ALICE, channel=INC, permission=Permission.STOP, flow=None)
    assert decision.because == "the policy gives nobody “stop”"
    assert decision.who_may == ()


def test_the_refused_are_told_whom_to_ask_for_exactly_this_here() -> None:
    here = decide(POLICY, CARL, channel=INC, permission=Permission.STOP, flow=SALES)
    assert here.who_may == ("U0ALICE", "S0ONCALL")
    elsewhere = decide(POLICY, CARL, channel=ELSEWHERE, permission=Permission.STOP, flow=SALES)
    assert elsewhere.who_may == ("U0ALICE",), "the people of grant 2 could not do it there either"


def test_requiring_what_is_refused_raises_the_decision_and_what_is_allowed_returns_it() -> None:
    assert Operator(BOB, INC, POLICY).require(Permission.STOP, SALES).grant == 2
    with pytest.raises(NotPermitted) as refused:
        Operator(BOB, ELSEWHERE, POLICY).require(Permission.STOP, SALES)
    assert refused.value.decision == Operator(BOB, ELSEWHERE, POLICY).decide(Permission.STOP, SALES)
    assert not Operator(BOB, ELSEWHERE, POLICY).may(Permission.STOP, SALES)


def test_slack_is_asked_about_exactly_the_groups_that_are_named() -> None:
    assert POLICY.groups() == {"S0ONCALL"}


# ---------------------------------------------------------------- what holds for every policy

USERS, GROUPS = ["U0A", "U0B", "W0C"], ["S0A", "S0B"]
T = TypeVar("T")


def sets(of: Sequence[T], least: int = 0) -> st.SearchStrategy[frozenset[T]]:
    return st.frozensets(st.sampled_from(of), min_size=least)


grants = st.builds(
    Grant,
    number=st.just(0),
    to=sets([*USERS, *GROUPS, MEMBERS], 1),
    may=sets(list(Permission), 1),
    channels=st.none() | sets([INC, ELSEWHERE]),
    flows=st.none() | sets([SUPPORT, SALES]),
).map(lambda grant: replace(grant, groups=grant.to & frozenset(GROUPS)))


def numbered(found: list[Grant]) -> Policy:
    return Policy(grants=tuple(replace(grant, number=n) for n, grant in enumerate(found, 1)))


policies = st.lists(grants, max_size=5).map(numbered)
people = st.builds(
    Person, st.sampled_from([*USERS, "U0Z"]), st.sampled_from(Standing), sets(GROUPS), sets(["W0C", "U0Y"])
)
places = st.sampled_from(PLACES)
asked = st.sampled_from(Permission)
about = st.sampled_from(FLOWS)


def speaks_of(grant: Grant, person: Person) -> bool:
    """The rule once more, in other words than the code's."""
    if person.standing is Standing.DEACTIVATED:
        return False
    own_id = any(name in (person.id, *person.also) for name in grant.to)
    if person.standing is not Standing.MEMBER:
        return own_id
    return own_id or any(name in person.groups or name == "members" for name in grant.to)


def fits(grant: Grant, person: Person, place: str, permission: Permission, flow: Flow) -> bool:
    place_fits = True if grant.channels is None else place in grant.channels
    flow_fits = True if grant.flows is None or flow == "any" else flow in grant.flows
    return permission in grant.may and place_fits and flow_fits and speaks_of(grant, person)


@given(people, places, asked, about)
def test_the_empty_policy_allows_nobody_anything(
    person: Person, place: str, permission: Permission, flow: Flow
) -> None:
    decision = decide(Policy(), person, channel=place, permission=permission, flow=flow)
    assert not decision.allowed
    assert decision.because == "the policy gives nobody any permission"
    assert decision.who_may == ()


@given(policies, people, places, asked, about)
def test_a_decision_is_allowed_exactly_if_some_grant_fits_and_names_the_first_that_does(
    policy: Policy, person: Person, place: str, permission: Permission, flow: Flow
) -> None:
    decision = decide(policy, person, channel=place, permission=permission, flow=flow)
    fitting = [grant.number for grant in policy.grants if fits(grant, person, place, permission, flow)]
    assert decision.allowed == bool(fitting)
    assert decision.grant == (fitting[0] if fitting else None)


@given(policies, people, places, people, places, st.booleans())
def test_who_has_the_same_rights_may_do_the_same(
    policy: Policy, one: Person, here: str, other: Person, there: str, suspended: bool
) -> None:
    first, second = Operator(one, here, policy), Operator(other, there, policy)
    for permission, flow in product(Permission, FLOWS):
        assert first.may(permission, flow) == first.decide(permission, flow).allowed
        if first.rights == second.rights:
            assert first.may(permission, flow) == second.may(permission, flow)
    closed = Operator(one, here, replace(policy, suspended="the file was replaced")) if suspended else first
    assert (closed.rights == first.rights) is not suspended


@given(policies, grants, st.integers(0, 5), people, places, asked, about)
def test_one_more_grant_never_takes_anything_away(
    policy: Policy, more: Grant, at: int, person: Person, place: str, permission: Permission, flow: Flow
) -> None:
    larger = numbered([*policy.grants[:at], more, *policy.grants[at:]])
    before = decide(policy, person, channel=place, permission=permission, flow=flow)
    after = decide(larger, person, channel=place, permission=permission, flow=flow)
    assert after.allowed or not before.allowed


@given(policies, people, places, asked, about)
def test_whoever_is_no_full_member_gets_nothing_that_does_not_name_them(
    policy: Policy, person: Person, place: str, permission: Permission, flow: Flow
) -> None:
    ids = {person.id, *person.also}
    unnamed = Policy(grants=tuple(grant for grant in policy.grants if ids.isdisjoint(grant.to)))
    if person.standing is not Standing.MEMBER:
        assert not decide(unnamed, person, channel=place, permission=permission, flow=flow).allowed


@given(policies, people, places, asked, about)
def test_who_may_be_asked_are_ids_of_grants_that_would_do_and_never_everybody(
    policy: Policy, person: Person, place: str, permission: Permission, flow: Flow
) -> None:
    decision = decide(policy, person, channel=place, permission=permission, flow=flow)
    assert MEMBERS not in decision.who_may
    assert person.id not in decision.who_may
    assert len(set(decision.who_may)) == len(decision.who_may)
    for name in decision.who_may:
        somebody = Person(name, Standing.MEMBER, frozenset({name}))
        assert decide(policy, somebody, channel=place, permission=permission, flow=flow).allowed


@given(policies, people, places, asked, about)
def test_a_refusals_reason_is_never_empty_and_always_true(
    policy: Policy, person: Person, place: str, permission: Permission, flow: Flow
) -> None:
    decision = decide(policy, person, channel=place, permission=permission, flow=flow)
    if decision.allowed:
        return
    giving = [grant for grant in policy.grants if permission in grant.may]
    because = decision.because
    if because == "the policy gives nobody any permission":
        assert not policy.grants
    elif because.startswith("the policy gives nobody “"):
        assert policy.grants
        assert not giving
    elif because.startswith(("this account is", "no “")):
        assert giving
        assert not any(speaks_of(grant, person) for grant in giving)
        is_member = person.standing is Standing.MEMBER
        assert is_member == because.startswith("no “")
        assert is_member or str(person.standing) in because
    else:
        assert_true_of_its_grants(because, policy, person, place, permission, flow)


def test_a_refusal_in_one_channel_says_where_it_is_allowed() -> None:
    decision = decide(POLICY, BOB, channel=ELSEWHERE, permission=Permission.STOP, flow=SUPPORT)
    assert decision.channels == (INC,)
    assert not decision.unnamed
    assert decide(POLICY, BOB, channel=ELSEWHERE, permission=Permission.BULK, flow=SUPPORT).unnamed


def assert_true_of_its_grants(
    because: str, policy: Policy, person: Person, place: str, permission: Permission, flow: Flow
) -> None:
    named = re.match(
        r"not (from this channel|for .*) \(grants? ([\d, ]+) would allow “(\w+)” (?:elsewhere|for others)\)$", because
    )
    assert named is not None, because
    assert named[3] == permission
    for grant in (policy.grants[int(number) - 1] for number in named[2].split(", ")):
        assert permission in grant.may
        assert speaks_of(grant, person)
        in_channel = grant.channels is None or place in grant.channels
        assert in_channel == (named[1] != "from this channel")
        if in_channel:
            assert grant.flows is not None
            assert flow not in grant.flows
            assert (flow is None) == named[1].endswith("without a flow")


# ---------------------------------------------------------------- what Slack is asked


@given(policies, people, places, st.frozensets(asked, min_size=1, max_size=2), st.lists(about, min_size=1, max_size=3))
def test_the_open_questions_are_exactly_those_that_can_change_the_answer(
    policy: Policy, person: Person, place: str, permissions: frozenset[Permission], flows: list[Flow]
) -> None:
    def granted(groups: frozenset[str]) -> list[bool]:
        there = replace(person, groups=groups)
        return [any(Operator(there, place, policy).may(p, flow) for p in permissions) for flow in flows]

    questions = open_questions(policy, person, channel=place, permissions=permissions, flows=flows)
    for group in GROUPS:
        changes = granted(person.groups | {group}) != granted(person.groups)
        assert changes == (group in questions)


@pytest.mark.parametrize("asker", ["U0DUAL", "W0DUAL"])
def test_two_ids_of_one_person_are_one_person(asker: str) -> None:
    person = Person("U0DUAL", Standing.MEMBER, also=frozenset({"W0DUAL"}))
    assert person.known_as(asker)
    assert not person.known_as("U0OTHER")
    policy = Policy((Grant(1, frozenset({asker}), EVERYTHING),))
    assert decide(policy, person, channel=INC, permission=Permission.STOP, flow=None).allowed


def test_a_deactivated_account_may_do_nothing_whoever_names_it() -> None:
    gone = replace(ALICE, standing=Standing.DEACTIVATED)
    decision = decide(POLICY, gone, channel=INC, permission=Permission.STOP, flow=SUPPORT)
    assert (decision.allowed, decision.because) == (False, "this account is deactivated")

"""Where a person may do what, for the Home; and that it never promises more than a decision there would give."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from bot.activeflows.operators import (
    ANY_FLOW,
    MEMBERS,
    Grant,
    Permission,
    Person,
    Policy,
    Reach,
    Standing,
    decide,
    may_somewhere,
    reach,
)

ALICE = Person("U0ALICE", Standing.MEMBER, frozenset({"S0ONCALL"}))
FLOW, OTHER = UUID(int=7), UUID(int=8)
VIEW, STOP = Permission.VIEW, Permission.STOP


def granted(*may: Permission, to: str = "U0ALICE", within: str = "", flow: UUID | None = None) -> Grant:
    channels = frozenset(within.split()) if within else None
    return Grant(1, frozenset({to}), frozenset(may), channels, None if flow is None else frozenset({flow}))


def test_channels_are_gathered_and_anywhere_wins() -> None:
    policy = Policy(
        (granted(STOP, within="C2"), granted(STOP, within="C1 C2"), granted(VIEW), granted(VIEW, within="C1"))
    )
    assert reach(policy, ALICE) == (Reach(VIEW, True, (), False), Reach(STOP, False, ("C1", "C2"), False))


def test_what_is_for_certain_flows_only_stands_apart() -> None:
    policy = Policy((granted(VIEW, flow=FLOW), granted(VIEW, within="C1")))
    assert reach(policy, ALICE) == (Reach(VIEW, False, ("C1",), False), Reach(VIEW, True, (), True))
    assert may_somewhere(reach(policy, ALICE), VIEW) == Reach(VIEW, True, (), False)
    assert may_somewhere(reach(policy, ALICE), STOP) is None


def test_others_get_nothing_of_it() -> None:
    policy = Policy((granted(VIEW, to=MEMBERS), granted(STOP, to="S0ONCALL")))
    assert [each.permission for each in reach(policy, ALICE)] == [VIEW, STOP]
    assert reach(policy, Person("U0ALICE", Standing.GUEST)) == ()


GRANTS = st.builds(
    Grant,
    number=st.just(1),
    to=st.sets(st.sampled_from(["U0ALICE", "U0BOB", "S0ONCALL", MEMBERS]), min_size=1).map(frozenset),
    may=st.sets(st.sampled_from(list(Permission)), min_size=1).map(frozenset),
    channels=st.none() | st.sets(st.sampled_from(["C1", "C2"]), min_size=1).map(frozenset),
    flows=st.none() | st.sets(st.sampled_from([FLOW, OTHER]), min_size=1).map(frozenset),
)


@given(st.lists(GRANTS, max_size=5), st.sampled_from(list(Standing)), st.sampled_from(["C1", "C2", "C3"]))
def test_it_says_what_a_decision_would_say(grants: list[Grant], standing: Standing, channel: str) -> None:
    policy, person = Policy(tuple(grants)), Person("U0ALICE", standing, frozenset({"S0ONCALL"}))
    reaches = reach(policy, person)
    for permission in Permission:
        for flow in (ANY_FLOW, UUID(int=9)):
            said = any(
                (each.anywhere or channel in each.channels) and (flow is ANY_FLOW or not each.some_flows)
                for each in reaches
                if each.permission is permission
            )
            assert said == decide(policy, person, channel=channel, permission=permission, flow=flow).allowed

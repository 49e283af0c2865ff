"""Who may do what with a card: one function, from one snapshot."""

import asyncio
from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import UTC, datetime
from itertools import product
from uuid import UUID

import pytest

from bot.activeflows.errors import IdentityUnknown
from bot.activeflows.operators import Flow, Grant, Operator, Permission, Person, Policy, Rules, Standing
from bot.activeflows.stopping.authorization import Act, Authorization, Authorized, CardTerms, authorize
from bot.activeflows.stopping.stop import Declined, DeclineReason, Press

ASKER, PRESSER, HERE = "U0ASKER", "U0PRESSER", "C0INCIDENTS"
FLOW, OTHER = UUID(int=7), UUID(int=8)
STOP, BULK, APPROVE, VIEW = Permission.STOP, Permission.BULK, Permission.APPROVE, Permission.VIEW
LONE = CardTerms(ASKER, HERE, (FLOW,))
MANY = CardTerms(ASKER, HERE, (FLOW,), in_bulk=True)


def policy(rules: Rules | None = None, **may: Iterable[Permission]) -> Policy:
    """``asker=[…]``, ``presser=[…]``: what each may."""
    ids = {"asker": ASKER, "presser": PRESSER}
    grants = tuple(Grant(n, frozenset({ids[who]}), frozenset(what)) for n, (who, what) in enumerate(may.items(), 1))
    return Policy(grants, rules or Rules(two_person=frozenset()), version="0f3c2a9b1d77")


def one(user: str, policy: Policy, standing: Standing = Standing.MEMBER, also: Iterable[str] = ()) -> Operator:
    return Operator(Person(user, standing, also=frozenset(also)), HERE, policy)


def decided(act: Act, asked: CardTerms, policy: Policy, *, by: str = PRESSER) -> Authorized | Declined:
    return authorize(act, asked, one(by, policy), one(ASKER, policy))


def why(answer: Authorized | Declined) -> DeclineReason | None:
    return answer.why if isinstance(answer, Declined) else None


@pytest.mark.parametrize(
    ("act", "asked", "needed"),
    [
        (Act.STOP, LONE, {STOP}),
        (Act.STOP, MANY, {BULK}),
        (Act.HANG_UP, LONE, {STOP}),
        (Act.HANG_UP, MANY, {STOP}),
        (Act.PUT_AWAY, LONE, {STOP}),
        (Act.PUT_AWAY, MANY, {BULK}),
        (Act.ABORT, MANY, {STOP, BULK}),
    ],
)
def test_each_act_needs_its_permission_and_no_other_gives_it(
    act: Act, asked: CardTerms, needed: set[Permission]
) -> None:
    for permission in Permission:
        answer = decided(act, asked, policy(presser=[permission]))
        assert isinstance(answer, Authorized) is (permission in needed), permission


def test_the_record_says_which_grant_of_which_policy() -> None:
    answer = decided(Act.STOP, LONE, policy(asker=[VIEW], presser=[STOP]))
    assert isinstance(answer, Authorized)
    assert answer.detail(FLOW) == {"because": "allowed by grant 2", "grant": 2, "policy": "0f3c2a9b1d77"}


def test_whoever_asked_may_put_it_away_without_any_permission() -> None:
    assert why(decided(Act.PUT_AWAY, LONE, policy(), by=ASKER)) is None


@pytest.mark.parametrize(("asked", "permission"), [(LONE, STOP), (MANY, BULK)])
def test_an_approval_counts_for_what_somebody_else_who_still_may_has_asked_for(
    asked: CardTerms, permission: Permission
) -> None:
    rules = policy(asker=[permission], presser=[APPROVE])
    assert why(decided(Act.STOP, asked, rules)) is None
    assert why(decided(Act.STOP, asked, policy(asker=[VIEW], presser=[APPROVE]))) is DeclineReason.NOT_PERMITTED
    assert why(decided(Act.STOP, replace(asked, on_behalf=True), rules)) is DeclineReason.NOT_PERMITTED
    assert why(decided(Act.STOP, replace(asked, by=PRESSER), rules)) is DeclineReason.NOT_PERMITTED
    assert why(decided(Act.HANG_UP, asked, rules)) is DeclineReason.NOT_PERMITTED
    assert why(authorize(Act.STOP, asked, one(PRESSER, rules), None)) is DeclineReason.NOT_PERMITTED


@pytest.mark.parametrize(("rule", "in_bulk"), [*product(["stop", "bulk"], [False, True])])
def test_two_persons_for_stops_covers_every_stop_of_whatever_number(rule: str, in_bulk: bool) -> None:
    rules = Rules(two_person=frozenset({rule}))  # type: ignore[arg-type] # one of the two literals
    asked = MANY if in_bulk else LONE
    covers = rule == "stop" or in_bulk
    both = policy(rules, asker=[STOP, BULK], presser=[STOP, BULK])
    assert why(decided(Act.STOP, asked, both, by=ASKER)) is (DeclineReason.OWN_REQUEST if covers else None)
    assert why(decided(Act.STOP, asked, both)) is None
    lost = policy(rules, asker=[VIEW], presser=[STOP, BULK])
    assert why(decided(Act.STOP, asked, lost)) is (DeclineReason.NOT_PERMITTED if covers else None)
    unanswered = authorize(Act.STOP, asked, one(PRESSER, both), None)
    assert why(unanswered) is (DeclineReason.IDENTITY_UNKNOWN if covers else None)
    assert why(decided(Act.HANG_UP, asked, both, by=ASKER)) is None


@pytest.mark.parametrize("in_bulk", [False, True])
def test_who_asks_someone_who_can_is_the_first_of_two_persons_while_they_may_see_it(in_bulk: bool) -> None:
    rules = Rules(two_person=frozenset({"stop"}))
    asked = replace(MANY if in_bulk else LONE, on_behalf=True)
    assert why(decided(Act.STOP, asked, policy(rules, asker=[VIEW], presser=[STOP, BULK]))) is None
    assert why(decided(Act.STOP, asked, policy(rules, presser=[STOP, BULK]))) is DeclineReason.NOT_PERMITTED
    assert why(decided(Act.STOP, asked, policy(presser=[STOP, BULK]))) is None
    assert why(decided(Act.STOP, asked, policy(asker=[STOP, BULK]), by=ASKER)) is DeclineReason.OWN_REQUEST


def test_a_person_with_two_ids_is_one_person() -> None:
    both = policy(Rules(two_person=frozenset({"stop"})), asker=[STOP], presser=[STOP])
    same = one(PRESSER, both, also=[ASKER])
    assert why(authorize(Act.STOP, LONE, same, one(ASKER, both))) is DeclineReason.OWN_REQUEST


@pytest.mark.parametrize("standing", list(Standing))
def test_what_a_deactivated_account_asked_for_is_not_stopped(standing: Standing) -> None:
    rules = policy(asker=[STOP], presser=[STOP])
    answer = authorize(Act.STOP, LONE, one(PRESSER, rules), one(ASKER, rules, standing))
    assert isinstance(answer, Declined) is (standing is Standing.DEACTIVATED)
    hang_up = authorize(Act.HANG_UP, LONE, one(PRESSER, rules), one(ASKER, rules, standing))
    assert isinstance(hang_up, Authorized)


@pytest.mark.parametrize(("among", "flows", "declined"), [(0, 2, False), (0, 3, True), (2, 1, False), (3, 1, True)])
def test_the_ceiling_is_of_the_moment_and_counts_what_the_press_stops(among: int, flows: int, declined: bool) -> None:
    rules = policy(Rules(two_person=frozenset(), bulk_limit=2), presser=[STOP, BULK])
    asked = CardTerms(ASKER, HERE, (FLOW,) * flows, in_bulk=True, among=among)
    assert why(decided(Act.STOP, asked, rules)) is (DeclineReason.TOO_MANY if declined else None)
    assert why(decided(Act.STOP, replace(asked, in_bulk=False), rules)) is None


def test_the_ceiling_does_not_count_what_the_presser_may_not_stop() -> None:
    grant = Grant(1, frozenset({PRESSER}), frozenset({BULK}), flows=frozenset({FLOW}))
    rules = Policy((grant,), Rules(two_person=frozenset(), bulk_limit=1))
    answer = decided(Act.STOP, CardTerms(ASKER, HERE, (OTHER, FLOW), in_bulk=True), rules)
    assert isinstance(answer, Authorized)
    assert {flow: yes.allowed for flow, yes in answer.decisions.items()} == {OTHER: False, FLOW: True}


def test_a_reason_is_needed_where_the_rules_of_now_want_one() -> None:
    rules = policy(Rules(two_person=frozenset(), reason_required=True), presser=[STOP])
    assert why(decided(Act.STOP, LONE, rules)) is DeclineReason.NO_REASON
    assert why(decided(Act.STOP, replace(LONE, reason="runs wild"), rules)) is None


# ---------------------------------------------------------------- the snapshot


class Directory:
    """Answers with the policy in force, which changes after so many answers."""

    def __init__(self, *policies: Policy) -> None:
        self.policies, self.ages, self.silent = list(policies), [], set[str]()  # type: ignore[var-annotated]

    def policy(self) -> Policy:
        return self.policies[0]

    async def identify(
        self,
        user_id: str,
        channel: str,  # noqa: ARG002 # this and the next ones are the port's
        *,
        team: str = "",  # noqa: ARG002
        may: Collection[Permission],  # noqa: ARG002
        flows: Collection[Flow] = (),  # noqa: ARG002
        max_age: float = 0.0,
    ) -> Operator:
        self.ages.append(max_age)
        policy = self.policies[0]
        await asyncio.sleep(0)
        if user_id in self.silent:
            raise IdentityUnknown("Slack did not answer")
        if len(self.policies) > 1:
            self.policies.pop(0)
        return one(user_id, policy)


PRESS = Press("1" * 32, PRESSER, "", HERE, "1.0", datetime(2026, 3, 2, tzinfo=UTC))


async def asked_of_slack(directory: Directory, asked: CardTerms = LONE) -> Authorized | Declined:
    return await Authorization(directory, directory.policy).of(Act.STOP, asked, PRESS, max_age=3.0)


async def test_a_policy_that_changes_while_slack_is_asked_decides_with_all_of_its_rules() -> None:
    before, after = policy(asker=[STOP], presser=[STOP]), policy(presser=[VIEW])
    directory = Directory(before, after)
    answer = await asked_of_slack(directory)
    assert isinstance(answer, Declined)
    assert answer.why is DeclineReason.NOT_PERMITTED
    assert set(directory.ages) == {3.0}


async def test_a_policy_that_changes_while_slack_is_asked_about_whoever_asked_counts_as_well() -> None:
    before, after = policy(asker=[STOP], presser=[APPROVE]), policy(asker=[VIEW], presser=[APPROVE])
    assert isinstance(await asked_of_slack(Directory(before, before, after)), Declined)


async def test_a_policy_that_never_stands_still_lets_nobody() -> None:
    directory = Directory(*(policy(Rules(bulk_limit=n, two_person=frozenset()), presser=[STOP]) for n in range(1, 60)))
    assert why(await asked_of_slack(directory)) is DeclineReason.IDENTITY_UNKNOWN


async def test_what_slack_does_not_say_is_a_no_about_the_presser_and_no_veto_about_whoever_asked() -> None:
    directory = Directory(policy(presser=[STOP]))
    directory.silent = {ASKER}
    answer = await asked_of_slack(directory)
    assert isinstance(answer, Authorized)
    assert Authorization(directory, directory.policy).in_force(answer)
    directory.silent = {PRESSER}
    assert why(await asked_of_slack(directory)) is DeclineReason.IDENTITY_UNKNOWN
    directory.policies = [policy()]
    assert not Authorization(directory, directory.policy).in_force(answer)

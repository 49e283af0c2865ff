"""What an authorisation answers, whole: the words, whom to ask, by which policy; and what Slack is asked for it."""

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import timedelta
from uuid import UUID

import pytest

from bot.activeflows.errors import IdentityUnknown
from bot.activeflows.operators import Flow, Grant, Operator, Permission, Person, Policy, Rules, Standing
from bot.activeflows.queries.inspection import ShownState
from bot.activeflows.stopping.authorization import Act, Authorization, Authorized, CardTerms, authorize, card_terms
from bot.activeflows.stopping.stop import Declined, DeclineReason, Intent
from tests.unit.activeflows.stopping.test_authorization import (
    APPROVE,
    ASKER,
    BULK,
    FLOW,
    HERE,
    LONE,
    MANY,
    OTHER,
    PRESS,
    PRESSER,
    STOP,
    VIEW,
    one,
    policy,
)

TWO = Rules(two_person=frozenset({"stop"}))
ALONE = Rules(two_person=frozenset())
BOTH_MAY = policy(asker=[STOP, BULK], presser=[STOP, BULK])
SEEN = ShownState("Support line", "digits", "waiting", (), "call", None, "", None, PRESS.at)


def ruled(rules: Rules) -> Policy:
    return replace(BOTH_MAY, rules=rules)


# ---------------------------------------------------------------- the card


def test_a_card_is_asked_about_as_it_is() -> None:
    intent = Intent("1" * 32, UUID(int=1), FLOW, SEEN, ASKER, HERE, "loops", PRESS.at, PRESS.at + timedelta(minutes=5))
    assert card_terms(intent) == CardTerms(
        ASKER, HERE, (FLOW,), on_behalf=False, reason="loops", in_bulk=False, among=1
    )
    member = replace(intent, bulk_id="2" * 32, on_behalf=True, among=7, reason="", flow_id=None)
    assert card_terms(member) == CardTerms(ASKER, HERE, (None,), on_behalf=True, reason="", in_bulk=True, among=7)


# ---------------------------------------------------------------- the answers


@pytest.mark.parametrize(
    ("asked", "rules", "asker", "answer"),
    [
        (
            LONE,
            ALONE,
            Standing.DEACTIVATED,
            Declined(DeclineReason.NOT_PERMITTED, "whoever asked has been deactivated. Ask again"),
        ),
        (
            replace(LONE, by=PRESSER),
            TWO,
            Standing.MEMBER,
            Declined(DeclineReason.OWN_REQUEST, "a second person must press"),
        ),
        (
            replace(LONE, by=PRESSER, on_behalf=True),
            ALONE,
            Standing.MEMBER,
            Declined(DeclineReason.OWN_REQUEST, "a second person must press"),
        ),
        (
            LONE,
            TWO,
            None,
            Declined(DeclineReason.IDENTITY_UNKNOWN, "about whoever asked, who counts as one of two persons"),
        ),
        (
            LONE,
            replace(ALONE, reason_required=True),
            Standing.MEMBER,
            Declined(DeclineReason.NO_REASON, "a reason is required"),
        ),
        (
            replace(MANY, among=3),
            replace(ALONE, bulk_limit=2),
            Standing.MEMBER,
            Declined(DeclineReason.TOO_MANY, "3 would be stopped, and the policy allows 2 at once"),
        ),
    ],
)
def test_a_rule_that_says_no_says_which(
    asked: CardTerms, rules: Rules, asker: Standing | None, answer: Declined
) -> None:
    theirs = one(ASKER, ruled(rules), asker) if asker is not None else None
    assert authorize(Act.STOP, asked, one(PRESSER, ruled(rules)), theirs) == answer


def test_whoever_may_not_is_told_why_and_whom_to_ask() -> None:
    book = policy(asker=[STOP], presser=[VIEW])
    answer = authorize(Act.STOP, replace(LONE, by="U0BOB"), one(PRESSER, book), one("U0BOB", book))
    because = "no “stop” permission, directly or through a user group"
    assert answer == Declined(DeclineReason.NOT_PERMITTED, because, (ASKER,))


def test_an_approval_of_what_the_asker_may_not_any_more_is_told_as_that() -> None:
    book = policy(presser=[APPROVE], asker=[VIEW])
    because = "whoever asked can no longer ask: the policy gives nobody “stop”"
    assert authorize(Act.STOP, LONE, one(PRESSER, book), one(ASKER, book)) == Declined(
        DeclineReason.NOT_PERMITTED, because, ()
    )


@pytest.mark.parametrize("presser_may", [FLOW, OTHER])
@pytest.mark.parametrize("asker_may", [FLOW, OTHER])
def test_an_approval_counts_for_the_flow_it_and_the_wish_are_for(presser_may: UUID, asker_may: UUID) -> None:
    approve = Grant(1, frozenset({PRESSER}), frozenset({APPROVE}), flows=frozenset({presser_may}))
    wish = Grant(2, frozenset({ASKER}), frozenset({STOP}), flows=frozenset({asker_may}))
    book = Policy((approve, wish), ALONE)
    answer = authorize(Act.STOP, LONE, one(PRESSER, book), one(ASKER, book))
    assert isinstance(answer, Authorized) is (presser_may == asker_may == FLOW)


def test_where_the_asker_is_unknown_nobody_is_named_who_may() -> None:
    book = policy(asker=[STOP], presser=[APPROVE])
    answer = authorize(Act.STOP, LONE, one(PRESSER, book), None)
    assert answer == Declined(
        DeclineReason.NOT_PERMITTED, "Slack did not say whether whoever asked still has permission", ()
    )


@pytest.mark.parametrize(
    ("asked", "word"), [(LONE, STOP), (MANY, BULK), (replace(LONE, on_behalf=True), VIEW)], ids=["one", "many", "for"]
)
def test_the_first_of_two_persons_needs_what_they_asked_with(asked: CardTerms, word: Permission) -> None:
    grants = tuple(
        Grant(n, frozenset({who}), frozenset({STOP, BULK, VIEW} - ({word} if who == ASKER else set())))
        for n, who in enumerate((ASKER, PRESSER, "U0BOB"), 1)
    )
    book = Policy(grants, TWO)
    answer = authorize(Act.STOP, asked, one(PRESSER, book), one(ASKER, book))
    because = (
        f"two people are needed, and whoever asked can no longer ask: no “{word}” permission, directly or through a "
        "user group"
    )
    assert answer == Declined(DeclineReason.NOT_PERMITTED, because, (PRESSER, "U0BOB"))


def test_the_first_of_two_persons_needs_it_for_one_of_the_flows_at_least() -> None:
    def may(who: str, n: int, *flows: UUID) -> Grant:
        return Grant(n, frozenset({who}), frozenset({BULK}), flows=frozenset(flows))

    many = replace(MANY, flows=(FLOW, OTHER))
    for flows, allowed in ((FLOW,), True), ((OTHER,), True), ((UUID(int=99),), False):
        book = Policy((may(PRESSER, 1, FLOW, OTHER), may(ASKER, 2, *flows)), Rules())
        answer = authorize(Act.STOP, many, one(PRESSER, book), one(ASKER, book))
        assert isinstance(answer, Authorized) is allowed


@pytest.mark.parametrize("act", [Act.STOP, Act.HANG_UP, Act.PUT_AWAY])
def test_a_yes_has_its_decisions_and_its_policy(act: Act) -> None:
    by = ASKER if act is Act.PUT_AWAY else PRESSER
    answer = authorize(act, LONE, one(by, BOTH_MAY), one(ASKER, BOTH_MAY))
    assert isinstance(answer, Authorized)
    assert answer.policy == BOTH_MAY
    grant = 1 if by == ASKER else 2
    assert answer.detail(FLOW) == {
        "because": f"allowed by grant {grant}",
        "grant": grant,
        "policy": BOTH_MAY.version,
    }
    assert replace(answer, policy=replace(BOTH_MAY, version="")).detail(FLOW)["policy"] is None


# ---------------------------------------------------------------- what Slack is asked


@dataclass
class Slack:
    """Answers about everybody but the silent, and remembers what it was asked."""

    policy: Policy
    silent_about: Collection[Collection[Permission]] = ()
    also: str = ""
    asked: list[tuple[str, str, str, tuple[Permission, ...], Collection[Flow], float]] = field(default_factory=list)

    async def identify(
        self,
        user_id: str,
        channel: str,
        *,
        team: str = "",
        may: Collection[Permission],
        flows: Collection[Flow] = (),
        max_age: float = 0.0,
    ) -> Operator:
        self.asked.append((user_id, channel, team, tuple(may), flows, max_age))
        if tuple(may) in self.silent_about:
            raise IdentityUnknown("Slack did not answer")
        also = frozenset({self.also} - {""}) if user_id == PRESSER else frozenset()
        return Operator(Person(user_id, Standing.MEMBER, also=also), channel, self.policy)

    async def says(self, act: Act, asked: CardTerms) -> Authorized | Declined:
        press = replace(PRESS, team="T0HOME", channel="C0PRESSED")
        return await Authorization(self, lambda: self.policy).of(act, asked, press, max_age=3.0)

    def of_presser(self) -> list[tuple[Permission, ...]]:
        assert all(each[1:3] == ("C0PRESSED", "T0HOME") for each in self.asked if each[0] == PRESSER)
        return [each[3] for each in self.asked if each[0] == PRESSER]


async def test_of_whoever_may_and_whoever_asked_only_what_decides_is_asked() -> None:
    slack = Slack(policy(asker=[VIEW], presser=[STOP]))
    assert isinstance(await slack.says(Act.STOP, LONE), Authorized)
    assert slack.asked == [
        (PRESSER, "C0PRESSED", "T0HOME", (STOP,), (FLOW,), 3.0),
        (ASKER, HERE, "", (), (FLOW,), 3.0),
    ]


@pytest.mark.parametrize(
    ("asked", "rules", "may", "needed"),
    [
        (LONE, ALONE, [STOP], ()),
        (LONE, ALONE, [APPROVE], (STOP,)),
        (LONE, TWO, [STOP], (STOP,)),
        (MANY, TWO, [BULK], (BULK,)),
        (MANY, Rules(), [BULK], (BULK,)),
        (LONE, Rules(), [STOP], ()),
        (replace(LONE, on_behalf=True), TWO, [STOP], (VIEW,)),
        (replace(LONE, on_behalf=True), ALONE, [STOP], ()),
    ],
)
async def test_whoever_asked_is_asked_about_as_far_as_they_count(
    asked: CardTerms, rules: Rules, may: list[Permission], needed: tuple[Permission, ...]
) -> None:
    slack = Slack(policy(rules, asker=[STOP, BULK, VIEW], presser=may))
    assert isinstance(await slack.says(Act.STOP, asked), Authorized)
    assert [each[3] for each in slack.asked if each[0] == ASKER] == [needed]


@pytest.mark.parametrize(
    ("act", "asked", "may", "questions"),
    [
        (Act.STOP, LONE, [STOP], [(STOP,)]),
        (Act.STOP, LONE, [APPROVE], [(STOP,), (APPROVE,)]),
        (Act.STOP, MANY, [APPROVE], [(BULK,), (APPROVE,)]),
        (Act.STOP, replace(LONE, on_behalf=True), [APPROVE], [(STOP,)]),
        (Act.STOP, replace(LONE, by=PRESSER), [APPROVE], [(STOP,)]),
        (Act.HANG_UP, LONE, [APPROVE], [(STOP,)]),
        (Act.ABORT, MANY, [BULK], [(STOP, BULK)]),
        (Act.PUT_AWAY, LONE, [STOP], [(), (STOP,)]),
        (Act.PUT_AWAY, replace(LONE, by=PRESSER), [], [()]),
    ],
)
async def test_about_an_approval_is_asked_only_where_one_would_count(
    act: Act, asked: CardTerms, may: list[Permission], questions: list[tuple[Permission, ...]]
) -> None:
    slack = Slack(policy(asker=[STOP, BULK], presser=may))
    await slack.says(act, asked)
    assert slack.of_presser() == questions
    assert act is Act.STOP or all(each[0] == PRESSER for each in slack.asked)


async def test_whoever_asked_under_the_other_of_two_ids_is_not_asked_about_again() -> None:
    slack = Slack(policy(ALONE, asker=[STOP]), also=ASKER)
    assert isinstance(await slack.says(Act.STOP, LONE), Authorized)
    assert slack.of_presser() == [(STOP,)]
    assert len(slack.asked) == 1


async def test_their_own_wish_counts_where_it_was_asked_for() -> None:
    here_only = Grant(1, frozenset({PRESSER}), frozenset({STOP}))
    slack = Slack(Policy((here_only,), ALONE))
    assert isinstance(await slack.says(Act.STOP, replace(LONE, by=PRESSER)), Authorized)
    assert len(slack.asked) == 1


@pytest.mark.parametrize(
    ("may", "silent", "allowed"),
    [
        ([STOP, APPROVE], [(STOP,)], True),  # an approval was answered, and it is one
        ([STOP], [(STOP,)], True),  # it is known from the other answer
        ([APPROVE], [(APPROVE,)], True),
        ([], [(STOP,)], False),
        ([], [(APPROVE,)], False),
        ([STOP], [(STOP,), (APPROVE,)], False),
    ],
)
async def test_an_answer_that_is_missing_counts_only_where_it_could_matter(
    may: list[Permission], silent: list[tuple[Permission, ...]], allowed: bool
) -> None:
    slack = Slack(policy(ALONE, asker=[STOP], presser=may), silent)
    answer = await slack.says(Act.STOP, replace(LONE, by="U0ELSE") if may == [STOP, APPROVE] else LONE)
    if allowed:
        assert isinstance(answer, Authorized)
    else:
        assert answer == Declined(DeclineReason.IDENTITY_UNKNOWN, "Slack did not answer")


async def test_a_policy_that_goes_on_changing_is_said() -> None:
    versions = iter(range(100))
    slack = Slack(BOTH_MAY)
    authorization = Authorization(slack, lambda: replace(BOTH_MAY, version=str(next(versions))))
    answer = await authorization.of(Act.STOP, LONE, PRESS, max_age=3.0)
    assert answer == Declined(DeclineReason.IDENTITY_UNKNOWN, "the policy went on changing while Slack was asked")
    assert len([each for each in slack.asked if each[0] == PRESSER]) == 3

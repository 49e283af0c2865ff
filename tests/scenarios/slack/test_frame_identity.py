"""Who is asking: what Slack says, how long it is remembered, and that an unanswered question is a no."""

import asyncio
from collections.abc import Awaitable, Sequence

import pytest
import structlog

from bot.activeflows.errors import IdentityUnknown
from bot.activeflows.operators import Grant, Operator, Permission, Policy, Standing
from bot.demo.slack.faults import Fault, error, hold, rate_limited, status
from bot.policy.file import is_group
from bot.slack.interaction import Interaction
from bot.slack.messaging.web_client import web_client
from bot.slack.people.identity import People
from bot.slack.people.installation import NotIntroduced, introduce
from tests.scenarios.slack.frame import Frame

VIEW = frozenset({Permission.VIEW})


def grants(*to: Sequence[str]) -> Policy:
    return Policy(
        tuple(
            Grant(number, frozenset(names), VIEW, groups=frozenset(filter(is_group, names)))
            for number, names in enumerate(to, 1)
        )
    )


def by(user: str, team: str = "T0NORTHWND") -> Interaction:
    return Interaction(user, team, "C0INC")


def acts(people: People, user: str, *, max_age: float = 0.0) -> Awaitable[Operator]:
    """Somebody does something that needs the permission to view."""
    return people.identify(user, "C0INC", may=(Permission.VIEW,), max_age=max_age)


def groups_asked(frame: Frame) -> list[object]:
    return [call.arguments.get("usergroup") for call in frame.workspace.calls if call.method == "usergroups.users.list"]


def asked(frame: Frame, method: str) -> int:
    return sum(call.method == method for call in frame.workspace.calls)


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(
    ("user", "team", "standing"),
    [
        ("U0ALICE", "T0NORTHWND", Standing.MEMBER),
        ("U0GUEST", "T0NORTHWND", Standing.GUEST),
        ("U0OUT", "T0OTHER", Standing.STRANGER),
        ("U0OUT", "T0NORTHWND", Standing.STRANGER),
        ("U0ALICE", "T0OTHER", Standing.STRANGER),
        ("U0GONE", "T0NORTHWND", Standing.DEACTIVATED),
        ("U0FLOWSBOT", "T0NORTHWND", Standing.BOT),
    ],
)
async def test_each_kind_of_account_is_told_apart(frame: Frame, user: str, team: str, standing: Standing) -> None:
    operator = await frame.people().operator(by(user, team))
    assert (operator.person.id, operator.person.standing, operator.channel) == (user, standing, "C0INC")


async def test_groups_are_asked_about_only_where_they_could_matter(frame: Frame) -> None:
    frame.policy = grants(["U0ALICE", "S0ONCALL"], ["members", "S0ONCALL"])
    people = frame.people()
    assert (await people.operator(by("U0ALICE"))).may(Permission.VIEW)
    frame.policy = grants(["S0ONCALL"])
    assert not (await people.operator(by("U0GUEST"))).may(Permission.VIEW)
    assert asked(frame, "usergroups.users.list") == 0
    assert (await people.operator(by("U0BOB"))).may(Permission.VIEW)
    assert not (await people.operator(by("U0ALICE"))).may(Permission.VIEW)
    assert asked(frame, "usergroups.users.list") == 1


async def test_to_read_answers_are_remembered_for_their_time_and_to_act_they_are_new(frame: Frame) -> None:
    frame.policy, clock = grants(["S0ONCALL"]), Clock()
    people = frame.people(clock=clock)

    def questions() -> tuple[int, int]:
        return asked(frame, "users.info"), asked(frame, "usergroups.users.list")

    for later, expected in ((0, (1, 1)), (0, (1, 1)), (91, (1, 2)), (210, (2, 3))):
        clock.now += later
        await people.operator(by("U0BOB"))
        assert questions() == expected
    clock.now += 1
    await acts(people, "U0BOB")
    assert questions() == (3, 4)
    await people.operator(by("U0BOB"))
    assert questions() == (3, 4)


async def test_an_answer_serves_everybody_for_as_long_as_whoever_acts_says(frame: Frame) -> None:
    frame.policy, clock = grants(["S0ONCALL"]), Clock()
    frame.workspace.groups["S0ONCALL"].members.append("U0ALICE")
    people = frame.people(clock=clock)
    await acts(people, "U0BOB", max_age=6.0)
    clock.now += 5.9
    await acts(people, "U0ALICE", max_age=6.0)
    await acts(people, "U0BOB", max_age=6.0)
    assert (asked(frame, "users.info"), asked(frame, "usergroups.users.list")) == (2, 1)
    clock.now += 0.2
    await acts(people, "U0BOB", max_age=6.0)
    assert (asked(frame, "users.info"), asked(frame, "usergroups.users.list")) == (3, 2)
    frame.workspace.faults.on("users.info", status(500), times=None)
    clock.now += 6.1
    with pytest.raises(IdentityUnknown):
        await acts(people, "U0BOB", max_age=6.0)


async def test_only_groups_that_could_give_this_here_are_asked_about_and_none_after_a_yes(frame: Frame) -> None:
    slack, stop = frame.workspace, frozenset({Permission.STOP})
    for group, members in (("S0FIRST", []), ("S0SECOND", ["U0BOB"]), ("S0THIRD", ["U0BOB"]), ("S0ELSE", ["U0BOB"])):
        slack.add_group(group, group.lower(), members)
    frame.policy = Policy(
        (
            Grant(1, frozenset({"S0ELSE"}), stop, channels=frozenset({"C0AWAY"}), groups=frozenset({"S0ELSE"})),
            Grant(2, frozenset({"S0ELSE"}), VIEW, groups=frozenset({"S0ELSE"})),
            Grant(3, frozenset({"S0FIRST"}), stop, groups=frozenset({"S0FIRST"})),
            Grant(4, frozenset({"S0SECOND"}), stop, groups=frozenset({"S0SECOND"})),
            Grant(5, frozenset({"S0THIRD"}), stop, groups=frozenset({"S0THIRD"})),
        )
    )
    people = frame.people()
    bob = await people.identify("U0BOB", "C0INC", may=stop)
    assert bob.require(Permission.STOP).grant == 4
    assert groups_asked(frame) == ["S0FIRST", "S0SECOND"]
    await people.identify("U0BOB", "C0INC", may=stop)
    assert groups_asked(frame) == ["S0FIRST", "S0SECOND", "S0SECOND"], "the group they were in last comes first"


@pytest.mark.parametrize("trouble", [error("internal_error"), rate_limited(30)])
async def test_a_group_without_an_answer_takes_nothing_away_and_gives_nothing(frame: Frame, trouble: Fault) -> None:
    frame.workspace.add_group("S0OTHER", "other", ["U0ALICE"])
    frame.policy = grants(["S0ONCALL"], ["S0OTHER"], ["U0GUEST"])
    people = frame.people(within=2.0)
    frame.workspace.faults.on("usergroups.users.list", trouble)
    bob = await acts(people, "U0GUEST")
    assert bob.may(Permission.VIEW)
    frame.workspace.faults.on("usergroups.users.list", trouble)
    with pytest.raises(IdentityUnknown):
        await acts(people, "U0BOB")


async def test_a_group_that_hangs_does_not_keep_the_next_one_from_saying_yes(frame: Frame) -> None:
    frame.workspace.add_group("S0OTHER", "other", ["U0ALICE"])
    frame.policy = grants(["S0ONCALL"], ["S0OTHER"])
    fault = frame.workspace.faults.on("usergroups.users.list", hold())
    assert (await acts(frame.people(within=60.0), "U0ALICE")).may(Permission.VIEW)
    assert fault.hold
    fault.hold.release()


async def test_whoever_was_refused_three_times_is_answered_from_the_last_refusal_until_it_is_old_or_slack_says_more(
    frame: Frame,
) -> None:
    frame.policy, clock = grants(["S0ONCALL"]), Clock()
    people = frame.people(clock=clock)
    for _ in range(8):
        clock.now += 0.4
        assert not (await acts(people, "U0ALICE")).may(Permission.VIEW)
    assert (asked(frame, "users.info"), asked(frame, "usergroups.users.list")) == (3, 3)
    frame.workspace.groups["S0ONCALL"].members.append("U0ALICE")
    people.heard({"type": "subteam_members_changed", "subteam_id": "S0ONCALL"})
    assert (await acts(people, "U0ALICE")).may(Permission.VIEW)
    frame.workspace.groups["S0ONCALL"].members.clear()
    assert not (await acts(people, "U0ALICE")).may(Permission.VIEW), "a yes is never taken from before"
    frame.workspace.groups["S0ONCALL"].members.append("U0ALICE")
    clock.now += 30
    assert (await acts(people, "U0ALICE")).may(Permission.VIEW)


async def test_events_of_slack_make_it_ask_again(frame: Frame) -> None:
    frame.policy = grants(["S0ONCALL"])
    people = frame.people()
    assert (await people.operator(by("U0BOB"))).may(Permission.VIEW)
    frame.workspace.groups["S0ONCALL"].members.clear()
    assert (await people.operator(by("U0BOB"))).may(Permission.VIEW)
    people.heard({"type": "subteam_members_changed", "subteam_id": "S0ONCALL"})
    assert not (await people.operator(by("U0BOB"))).may(Permission.VIEW)
    frame.workspace.users["U0BOB"].deleted = True
    people.heard({"type": "user_change", "user": {"id": "U0BOB"}})
    assert (await people.operator(by("U0BOB"))).person.standing is Standing.DEACTIVATED


async def test_an_answer_forgotten_while_under_way_is_not_remembered(frame: Frame) -> None:
    people = frame.people()
    fault = frame.workspace.faults.on("users.info", hold(after_work=True))
    assert fault.hold
    looking = asyncio.create_task(people.operator(by("U0BOB")))
    await fault.hold.arrived()
    frame.workspace.users["U0BOB"].deleted = True
    people.heard({"type": "user_change", "user": {"id": "U0BOB"}})
    fault.hold.release()
    await looking
    assert (await people.operator(by("U0BOB"))).person.standing is Standing.DEACTIVATED


async def test_the_same_question_is_asked_once_at_a_time(frame: Frame) -> None:
    frame.policy, people = grants(["members"]), frame.people()
    await asyncio.gather(*(acts(people, "U0BOB") for _ in range(10)))
    assert asked(frame, "users.info") == 1


async def test_when_slack_fails_a_stop_is_refused_and_a_read_may_use_an_old_answer(frame: Frame) -> None:
    clock = Clock()
    people = frame.people(clock=clock)
    await people.operator(by("U0BOB"))
    frame.workspace.faults.on("users.info", status(500), times=None)
    clock.now += 599
    assert (await people.operator(by("U0BOB"))).person.standing is Standing.MEMBER
    with pytest.raises(IdentityUnknown):
        await acts(people, "U0BOB")
    clock.now += 2
    with pytest.raises(IdentityUnknown):
        await people.operator(by("U0BOB"))


async def test_a_slow_slack_is_not_waited_for_endlessly(frame: Frame) -> None:
    fault = frame.workspace.faults.on("users.info", hold())
    people = frame.people(within=0.05)
    with pytest.raises(IdentityUnknown, match="TimeoutError"):
        await people.operator(by("U0BOB"))
    assert fault.hold
    fault.hold.release()


async def test_unknown_people_are_refused_and_asked_about_again_soon(frame: Frame) -> None:
    clock = Clock()
    people = frame.people(clock=clock)
    for _ in range(2):
        with pytest.raises(IdentityUnknown):
            await people.operator(by("U0NOBODY"))
    assert asked(frame, "users.info") == 1
    frame.workspace.add_user("U0NOBODY", "new")
    clock.now += 31
    assert (await people.operator(by("U0NOBODY"))).person.standing is Standing.MEMBER
    with pytest.raises(IdentityUnknown):
        await people.operator(by(""))


async def test_without_user_groups_they_count_as_empty_and_it_is_said_once(frame: Frame) -> None:
    frame.workspace.paid_plan = False
    frame.policy = grants(["S0ONCALL"], ["S0OTHER"], ["U0BOB"])
    people = frame.people()
    with structlog.testing.capture_logs() as logs:
        bob = await acts(people, "U0BOB")
        assert not (await acts(people, "U0ALICE")).may(Permission.VIEW)
    assert (bob.may(Permission.VIEW), bob.person.groups) == (True, frozenset())
    assert [line["event"] for line in logs].count("user_group_counts_as_empty") == 1


async def test_a_group_question_without_an_answer_is_a_no(frame: Frame) -> None:
    frame.policy = grants(["S0ONCALL"])
    frame.workspace.faults.on("usergroups.users.list", error("internal_error"), times=None)
    with pytest.raises(IdentityUnknown, match="internal_error"):
        await acts(frame.people(), "U0BOB")


async def test_the_bot_introduces_itself(frame: Frame) -> None:
    slack = frame.workspace
    home = await introduce(frame.client)
    assert (home.team_id, home.bot_user_id, home.app_id) == (slack.team_id, slack.bot_user_id, slack.api_app_id)
    slack.scopes.discard("users:read")
    slack.faults.on("bots.info", error("missing_scope"), times=None)
    assert (await introduce(frame.client)).app_id == ""
    assert (await introduce(frame.client, app_token="xapp-1-A0FLOWSAPP-1-secret")).app_id == "A0FLOWSAPP"


async def test_a_wrong_token_and_a_dead_slack_are_told_apart(frame: Frame) -> None:
    wrong = web_client("xoxb-wrong", frame.client.base_url, frame.session)
    with pytest.raises(NotIntroduced, match="invalid_auth") as refused:
        await introduce(wrong)
    assert "xoxb-wrong" not in str(refused.value)
    nowhere = web_client("xoxb-any", "http://127.0.0.1:9/api/", frame.session)
    with pytest.raises(NotIntroduced, match="did not answer"):
        await introduce(nowhere)

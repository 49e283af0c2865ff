"""Who is asking: what Slack says, how long it is remembered, and that an unanswered question is a no."""

import asyncio
from collections.abc import Sequence

import pytest
import structlog

from bot.activeflows.errors import IdentityUnknown
from bot.activeflows.operators import Grant, Permission, Policy, Standing
from bot.demo.slack.faults import error, hold, status
from bot.slack.app import web_client
from bot.slack.gestures import Gesture
from bot.slack.identity import People
from bot.slack.installation import Installation, NotIntroduced, introduce
from tests.scenarios.slack.frame import Frame

VIEW = frozenset({Permission.VIEW})


def grants(*to: Sequence[str]) -> Policy:
    return Policy(tuple(Grant(number, frozenset(names), VIEW) for number, names in enumerate(to, 1)))


def by(user: str, team: str = "T0NORTHWND") -> Gesture:
    return Gesture(user, team, "C0INC")


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


async def test_a_colleague_from_another_workspace_of_our_organisation_is_no_stranger(frame: Frame) -> None:
    frame.workspace.add_user("U0SISTER", "sis", team_id="T0SISTER", enterprise_id="E0ORG")
    ours = Installation("T0NORTHWND", "U0FLOWSBOT", "B0FLOWSBOT", enterprise_id="E0ORG")
    people = People(frame.client, ours, Policy)
    assert (await people.operator(by("U0SISTER", "T0SISTER"))).person.standing is Standing.MEMBER
    elsewhere = await frame.people().operator(by("U0SISTER", "T0SISTER"))
    assert elsewhere.person.standing is Standing.STRANGER


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


async def test_answers_are_remembered_for_their_time_and_fresh_ones_are_not(frame: Frame) -> None:
    frame.policy, clock = grants(["S0ONCALL"]), Clock()
    people = frame.people(clock=clock)

    async def look(*, fresh: bool = False) -> tuple[int, int]:
        await people.operator(by("U0BOB"), fresh=fresh)
        return asked(frame, "users.info"), asked(frame, "usergroups.users.list")

    assert await look() == (1, 1)
    assert await look() == (1, 1)
    clock.now += 91
    assert await look() == (1, 2)
    clock.now += 210
    assert await look() == (2, 3)
    assert await look(fresh=True) == (3, 4)
    assert await look() == (3, 4)


async def test_a_fresh_answer_may_be_some_seconds_old_where_it_is_said_and_groups_share_their_limit(
    frame: Frame,
) -> None:
    frame.policy, clock = grants(["S0ONCALL"], ["S0OTHER"]), Clock()
    people = frame.people(clock=clock)

    async def look() -> tuple[int, int]:
        await people.operator(by("U0BOB"), fresh=True, age=6.0)
        return asked(frame, "users.info"), asked(frame, "usergroups.users.list")

    assert await look() == (1, 2)
    clock.now += 5.9
    assert await look() == (1, 2)
    clock.now += 0.2
    assert await look() == (2, 2)
    clock.now += 6
    assert await look() == (3, 4)
    frame.workspace.faults.on("users.info", status(500), times=None)
    clock.now += 5.9
    assert await look() == (3, 4)
    clock.now += 0.2
    with pytest.raises(IdentityUnknown):
        await look()


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
    people = frame.people()
    await asyncio.gather(*(people.operator(by("U0BOB"), fresh=True) for _ in range(10)))
    assert asked(frame, "users.info") == 1


async def test_when_slack_fails_a_stop_is_refused_and_a_read_may_use_an_old_answer(frame: Frame) -> None:
    clock = Clock()
    people = frame.people(clock=clock)
    await people.operator(by("U0BOB"))
    frame.workspace.faults.on("users.info", status(500), times=None)
    clock.now += 599
    assert (await people.operator(by("U0BOB"))).person.standing is Standing.MEMBER
    with pytest.raises(IdentityUnknown):
        await people.operator(by("U0BOB"), fresh=True)
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
        bob = await people.operator(by("U0BOB"), fresh=True)
        assert not (await people.operator(by("U0ALICE"), fresh=True)).may(Permission.VIEW)
    assert (bob.may(Permission.VIEW), bob.person.groups) == (True, frozenset())
    assert [line["event"] for line in logs].count("user_group_counts_as_empty") == 1


async def test_a_group_question_without_an_answer_is_a_no(frame: Frame) -> None:
    frame.policy = grants(["S0ONCALL"])
    frame.workspace.faults.on("usergroups.users.list", error("internal_error"), times=None)
    with pytest.raises(IdentityUnknown, match="internal_error"):
        await frame.people().operator(by("U0BOB"))


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

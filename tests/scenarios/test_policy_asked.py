"""`flows-bot policy check` and `explain`: the policy asked on a terminal, by the code that decides a press."""

from pathlib import Path

import pytest

from bot.activeflows.operators import Operator, Permission, Person, Standing
from bot.demo.slack import faults as slack_faults
from bot.demo.slack.workspace import Workspace
from bot.policy import parsed_policy
from tests.scenarios.conftest import ALICE, BOB, CAROL, GUEST, INCIDENTS, LOBBY, STRANGER, Stage
from tests.scenarios.program import Program

FLOW, OTHER = "93993ae1-0b67-4e3a-b1c5-7ad0e5f61234", "00000000-0000-4000-8000-000000000007"
RULES = f"""
[[grant]]  # the third line
to = ["{ALICE}"]
may = ["stop"]
flows = ["{FLOW}"]
"""


@pytest.fixture
def file(program: Program) -> Path:
    path = program.folder / "policy.toml"
    path.write_text(RULES, encoding="utf-8")
    return path


def of(user: str, channel: str, may: str) -> tuple[str, ...]:
    return ("policy", "explain", "--user", user, "--channel", channel, "--may", may)


# ---------------------------------------------------------------- check


async def test_a_good_file_is_counted_and_mistakes_are_said_with_their_lines(program: Program, file: Path) -> None:
    ended = await program("policy", "check", FLOWS_BOT_POLICY=str(file))
    blind = f"policy.toml: is it meant that grant 1 lets {ALICE} stop what no grant lets them view?"
    assert (ended.status, ended.out, ended.err) == (0, ["policy.toml: 1 grant, no mistakes", blind], [])
    other = program.folder / "next.toml"
    other.write_text(
        '[[grant]]\nto = [\n  "U0A",\n  "@bob",\n]\n\n[rules]\naudit_channel = "#audit"\n', encoding="utf-8"
    )
    ended = await program("policy", "check", "--file", str(other), FLOWS_BOT_POLICY=str(file))
    assert (ended.status, ended.out) == (2, [])
    assert [line.split(" must ")[0] for line in ended.err] == [
        "next.toml:4: grant 1, to, entry 2",
        "next.toml:1: grant 1, may is missing.",
        "next.toml:8: rules, audit_channel",
    ]


async def test_without_a_file_there_is_nothing_to_check(program: Program) -> None:
    ended = await program("policy", "check")
    assert (ended.status, ended.out, len(ended.err)) == (2, [], 1)
    assert ended.err[0].startswith("FLOWS_BOT_POLICY is not set")


# ---------------------------------------------------------------- explain, by hand


async def test_the_grant_is_said_with_its_line_and_a_refusal_with_its_reason(program: Program, file: Path) -> None:
    where = {"FLOWS_BOT_POLICY": str(file), "SLACK_API_URL": "http://127.0.0.1:9/api/"}
    ended = await program(*of(ALICE, INCIDENTS, "stop"), "--member", "--flow", FLOW, **where)
    assert (ended.status, ended.err) == (0, [])
    assert ended.out[1] == "allowed by grant 1 (policy.toml:2)"
    for flow, why in ((OTHER, "for this flow"), ("none", "for an activeflow without a flow")):
        ended = await program(*of(ALICE, INCIDENTS, "stop"), "--guest", "--flow", flow, **where)
        assert (ended.status, ended.err) == (1, [])
        assert ended.out[0].startswith(f"{ALICE}, a guest, in {INCIDENTS}")
        assert ended.out[1] == f"refused: not {why} (grant 1 would allow “stop” for others)"


@pytest.mark.parametrize(
    "wrong",
    [
        of("alice", INCIDENTS, "stop"),
        of(ALICE, "#incidents", "stop"),
        of(ALICE, INCIDENTS, "fly"),
        (*of(ALICE, INCIDENTS, "stop"), "--flow", "Support line"),
        (*of(ALICE, INCIDENTS, "stop"), "--guest", "--bot"),
        (*of(ALICE, INCIDENTS, "stop"), "--guest", "--group", "S0ONCALL"),
        (*of(ALICE, INCIDENTS, "stop"), "--group", "on-call"),
        of(ALICE, INCIDENTS, "stop"),  # nobody says who that is
    ],
    ids=" ".join,
)
async def test_wrong_use_is_one_line_and_status_two(program: Program, file: Path, wrong: tuple[str, ...]) -> None:
    ended = await program(*wrong, FLOWS_BOT_POLICY=str(file))
    assert (ended.status, ended.out, len(ended.err)) == (2, [], 1), ended


# ---------------------------------------------------------------- explain, as Slack states it


async def test_it_says_what_the_bot_would_decide_for_everybody(
    program: Program, stage: Stage, slack: Workspace
) -> None:
    policy = parsed_policy(stage.policy.read_text(encoding="utf-8"))
    people = {
        ALICE: Person(ALICE, Standing.MEMBER),
        CAROL: Person(CAROL, Standing.MEMBER, frozenset({"S0ONCALL"})),
        GUEST: Person(GUEST, Standing.GUEST),
        STRANGER: Person(STRANGER, Standing.STRANGER),
    }
    where = {
        "FLOWS_BOT_POLICY": str(stage.policy),
        "SLACK_BOT_TOKEN": slack.bot_token,
        "SLACK_API_URL": stage.settings().slack_api_url,
    }
    statuses = set()
    for (user, person), channel in [
        *zip(people.items(), (INCIDENTS,) * 4, strict=True),
        ((ALICE, people[ALICE]), LOBBY),
    ]:
        decision = Operator(person, channel, policy).decide(Permission.STOP)
        ended = await program(*of(user, channel, "stop"), **where)
        assert (ended.status, ended.err) == (0 if decision.allowed else 1, []), ended
        assert decision.because in ended.out[1]
        assert str(person.standing) in ended.out[0]
        statuses.add(ended.status)
    assert statuses == {0, 1}


async def test_when_slack_does_not_say_who_it_is_there_is_no_decision(
    program: Program, stage: Stage, slack: Workspace
) -> None:
    slack.faults.on("users.info", slack_faults.error("internal_error"), times=None)
    where = {"SLACK_BOT_TOKEN": slack.bot_token, "SLACK_API_URL": stage.settings().slack_api_url}
    ended = await program(*of(BOB, INCIDENTS, "view"), FLOWS_BOT_POLICY=str(stage.policy), **where)
    assert (ended.status, ended.out) == (2, [])
    assert ended.err == ["Slack answered internal_error."]
    assert slack.bot_token not in "".join(ended.err)

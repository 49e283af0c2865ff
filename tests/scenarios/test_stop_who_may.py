"""Who may stop an activeflow, decided anew at each press, and what those who may not are told."""

import pytest

from bot.demo.slack.faults import error
from bot.demo.slack.workspace import Workspace
from bot.demo.voipbin.world import World
from tests.scenarios.conftest import ALICE, BOB, CAROL, GUEST, INCIDENTS, LOBBY, STRANGER, Stage


@pytest.mark.parametrize(
    ("user", "why"),
    [(BOB, "no “stop” permission"), (GUEST, "a guest"), (STRANGER, "another workspace")],
)
async def test_who_may_not_stop_is_told_why_and_whom_to_ask(
    bot: Stage, slack: Workspace, voipbin: World, user: str, why: str
) -> None:
    activeflow = voipbin.rings(at="play")
    card = await bot.asks_to_stop(activeflow)
    await slack.clicks(user, card, "stop.flow")
    refusal = await bot.reads("You can't stop this", user=user)
    assert why in refusal.words
    assert refusal.ephemeral_to == user
    assert "Nothing was stopped" in refusal.words
    assert slack.names[ALICE] in refusal.words
    assert bot.posts(activeflow) == 0
    assert "Stop this activeflow?" in bot.card().words


async def test_nobody_learns_of_an_activeflow_by_asking_to_stop_it(
    bot: Stage, slack: Workspace, voipbin: World
) -> None:
    activeflow = voipbin.rings(voipbin.add_flow("Secret line"), at="play")
    before = len(voipbin.requests)
    await slack.types(GUEST, INCIDENTS, f"/flows stop {activeflow.id}")
    refusal = await bot.reads("You can't", user=GUEST)
    assert "Secret line" not in refusal.words
    assert len(voipbin.requests) == before


async def test_a_grant_for_one_channel_is_none_for_another(bot: Stage, slack: Workspace, voipbin: World) -> None:
    activeflow = voipbin.rings(at="play")
    await slack.types(ALICE, LOBBY, f"/flows stop {activeflow.id}")
    refusal = await bot.reads("from this channel. Use #", user=ALICE, channel=LOBBY)
    assert refusal.ephemeral_to == ALICE


async def test_a_member_of_the_oncall_group_may_stop(bot: Stage, slack: Workspace, voipbin: World) -> None:
    activeflow = voipbin.rings(at="play")
    card = await bot.asks_to_stop(activeflow, user=ALICE)
    await slack.clicks(CAROL, card, "stop.flow")
    await bot.reads(f"Stopped by @{slack.names[CAROL]}")


async def test_a_permission_lost_between_card_and_press_is_lost(bot: Stage, slack: Workspace, voipbin: World) -> None:
    activeflow = voipbin.rings(at="play")
    card = await bot.asks_to_stop(activeflow, user=CAROL)
    slack.groups["S0ONCALL"].members.clear()
    await slack.clicks(CAROL, card, "stop.flow")
    await bot.reads("You can't stop this", user=CAROL)
    assert bot.posts(activeflow) == 0


async def test_a_deactivated_account_is_refused_at_the_press(bot: Stage, slack: Workspace, voipbin: World) -> None:
    activeflow = voipbin.rings(at="play")
    card = await bot.asks_to_stop(activeflow, user=CAROL)
    slack.users[CAROL].deleted = True
    await slack.clicks(CAROL, card, "stop.flow")
    await bot.reads("deactivated", user=CAROL)
    assert bot.posts(activeflow) == 0


async def test_when_slack_does_not_say_who_it_is_nothing_is_stopped(
    bot: Stage, slack: Workspace, voipbin: World
) -> None:
    activeflow = voipbin.rings(at="play")
    card = await bot.asks_to_stop(activeflow)
    slack.faults.on("users.info", error("internal_error"), times=None)
    await slack.clicks(ALICE, card, "stop.flow")
    await bot.reads("Slack did not tell me who you are", user=ALICE)
    assert bot.posts(activeflow) == 0
    slack.faults.clear()
    await slack.clicks(ALICE, card, "stop.flow")
    await bot.reads("Stopped by")


async def test_without_a_policy_nobody_may_do_anything(stage: Stage, slack: Workspace, voipbin: World) -> None:
    activeflow = voipbin.rings(at="play")
    async with stage.start(flows_bot_policy=None):
        await slack.types(ALICE, INCIDENTS, f"/flows stop {activeflow.id}")
        await stage.reads("the policy gives nobody any permission")
    assert stage.posts(activeflow) == 0


async def test_two_persons_where_the_rules_say_so(stage: Stage, slack: Workspace, voipbin: World) -> None:
    stage.policy.write_text(stage.policy.read_text() + '\n[rules]\ntwo_person = ["stop"]\n')
    activeflow = voipbin.rings(at="play")
    async with stage.start():
        card = await stage.asks_to_stop(activeflow, user=ALICE)
        await slack.clicks(ALICE, card, "stop.flow")
        await stage.reads("A stop needs two people")
        assert stage.posts(activeflow) == 0
        await slack.clicks(CAROL, card, "stop.flow")
        await stage.reads(f"Stopped by @{slack.names[CAROL]}")


async def test_another_customers_activeflow_is_left_alone(bot: Stage, slack: Workspace, voipbin: World) -> None:
    foreign = voipbin.rings(at="play", customer=voipbin.add_customer("Somebody else"))
    await slack.types(ALICE, INCIDENTS, f"/flows stop {foreign.id}")
    await bot.reads("does not let me read")
    assert bot.posts(foreign) == 0

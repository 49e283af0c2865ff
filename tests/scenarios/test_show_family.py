"""`/flows show` leads to whom an activeflow came after and what came after it, and gives nothing away of the others."""

from pathlib import Path

import pytest

from bot.demo.slack.messages import Message
from bot.demo.voipbin import faults
from bot.demo.voipbin.state import Activeflow, Flow, Step
from bot.demo.voipbin.world import World
from bot.slack import ids
from tests.scenarios.conftest import ALICE, BOB, Stage
from tests.scenarios.typing_at import answers


@pytest.fixture
def survey(voipbin: World) -> Flow:
    return voipbin.add_flow("Survey", [Step("play", lasts=600.0)])


@pytest.fixture
def support(voipbin: World, survey: Flow) -> Flow:
    return voipbin.add_flow("Support line", [Step("answer"), Step("play", lasts=600.0)], on_complete=survey)


@pytest.fixture
def ended(voipbin: World, support: Flow) -> Activeflow:
    parent = voipbin.rings(support)
    voipbin.stop(parent)
    return parent


def relatives(message: Message) -> list[str]:
    """The ids behind the *Show* buttons."""
    return [block["accessory"]["value"] for block in message.blocks if "accessory" in block]


def only_flows(policy: Path, *flows: Flow) -> None:
    named = ", ".join(f'"{flow.id}"' for flow in flows)
    policy.write_text(f'[[grant]]\nto = ["{ALICE}"]\nmay = ["view"]\nflows = [{named}]\n', encoding="utf-8")


async def test_what_started_when_it_ended_is_shown_and_leads_there_and_back(
    bot: Stage, voipbin: World, ended: Activeflow
) -> None:
    (child,) = voipbin.children_of(ended)
    details = await answers(bot, f"show {ended.id}")
    assert relatives(details) == [str(child.id)]
    assert f"Started when it ended: Survey {str(child.id)[:8]}" in details.words
    assert "Running" in details.words
    seen = len(bot.slack.sees(ALICE, "C0INCIDENTS"))
    await bot.slack.clicks(ALICE, details, ids.SHOW)
    await bot.slack.until(lambda: len(bot.slack.sees(ALICE, "C0INCIDENTS")) > seen)
    of_child = bot.slack.sees(ALICE, "C0INCIDENTS")[-1]
    assert str(child.id) in of_child.words
    assert f"Started after: Support line {str(ended.id)[:8]}" in of_child.words
    assert relatives(of_child) == [str(ended.id)]


async def test_a_child_is_found_however_much_began_since(bot: Stage, voipbin: World, ended: Activeflow) -> None:
    (child,) = voipbin.children_of(ended)
    voipbin.ends(child)
    later = ended.tm_update
    assert later is not None
    for number in range(150):
        voipbin.rings(created_at=later.replace(year=later.year + 1, microsecond=number), reference_type="api")
    details = await answers(bot, f"show {ended.id}")
    assert relatives(details) == [str(child.id)]
    assert "Ended" in details.words


async def test_children_that_run_are_found_in_the_index(stage: Stage, voipbin: World, survey: Flow) -> None:
    parent = voipbin.rings(voipbin.add_flow("Support line", [Step("play", lasts=600.0)]))
    children = [voipbin.rings(survey, parent=parent) for _ in range(5)]
    async with stage.start(voipbin_events=True):
        await stage.slack.until(lambda: len(voipbin.requests_to("GET", "/activeflows")) > 0)
        await answers(stage, "list")
        details = await answers(stage, f"show {parent.id}")
    assert relatives(details) == [str(child.id) for child in reversed(children)][:3]
    assert "And 2 more." in details.words
    assert "Started by it: Survey" in details.words


async def test_one_that_started_nothing_says_so(bot: Stage, voipbin: World, support: Flow) -> None:
    voipbin.telephony.loses_children = True
    parent = voipbin.rings(support)
    voipbin.stop(parent)
    details = await answers(bot, f"show {parent.id}")
    assert "Nothing was found that started when it ended." in details.words
    assert relatives(details) == []


async def test_what_could_not_be_looked_through_is_not_known(bot: Stage, voipbin: World, ended: Activeflow) -> None:
    voipbin.faults.on("GET", "/activeflows", faults.delay(20), times=None)
    details = await answers(bot, f"show {ended.id}")
    assert "Whether anything started when it ended is not known" in details.words


async def test_of_relatives_that_may_not_be_viewed_nothing_is_told(
    stage: Stage, voipbin: World, support: Flow, survey: Flow, ended: Activeflow
) -> None:
    (child,) = voipbin.children_of(ended)
    only_flows(stage.policy, support)
    async with stage.start():
        of_parent = await answers(stage, f"show {ended.id}")
        assert "And another activeflow, which you can’t view here." in of_parent.words
        assert relatives(of_parent) == []
        assert str(child.id)[:8] not in f"{of_parent.words}{of_parent.blocks}"
    only_flows(stage.policy, survey)
    async with stage.start():
        of_child = await answers(stage, f"show {child.id}")
        assert "Started after another activeflow." in of_child.words
        assert "Support line" not in of_child.words
        assert str(ended.id)[:8] not in f"{of_child.words}{of_child.blocks}"


async def test_a_parent_that_is_gone_and_one_that_cannot_be_read_are_told_apart(
    bot: Stage, voipbin: World, ended: Activeflow
) -> None:
    (child,) = voipbin.children_of(ended)
    fault = voipbin.faults.on("GET", f"/activeflows/{ended.id}", faults.delay(20), times=None)
    assert "which could not be read" in (await answers(bot, f"show {child.id}")).words
    fault.clear()
    voipbin.telephony.deletes(ended)
    assert "an activeflow that no longer exists" in (await answers(bot, f"show {child.id}")).words


async def test_a_guest_learns_nothing_of_a_family(bot: Stage, voipbin: World, ended: Activeflow) -> None:
    seen = len(voipbin.requests)
    assert "Survey" not in (await answers(bot, f"show {ended.id}", user="U0GUEST")).words
    assert len(voipbin.requests) == seen


async def test_flows_entered_by_a_step_are_named_and_are_no_relatives(
    bot: Stage, stage: Stage, voipbin: World, survey: Flow
) -> None:
    billing = voipbin.add_flow("Billing", [Step("play", lasts=600.0)])
    enter = [Step("fetch_flow", {"flow_id": str(flow.id)}) for flow in (billing, survey)]
    rung = voipbin.rings(voipbin.add_flow("Menu", [Step("answer"), *enter, Step("play", lasts=600.0)]), at="play")
    details = await answers(bot, f"show {rung.id}", user=BOB)
    assert "Flows entered\nBilling, Survey" in details.words
    assert "entering flow Billing" in details.words
    assert "Started" not in details.words


async def test_a_flow_entered_by_a_step_is_named_to_those_who_may_view_it(stage: Stage, voipbin: World) -> None:
    billing = voipbin.add_flow("Billing", [Step("play", lasts=600.0)])
    flow = voipbin.add_flow("Menu", [Step("fetch_flow", {"flow_id": str(billing.id)}), Step("play", lasts=600.0)])
    rung = voipbin.rings(flow, at="play")
    only_flows(stage.policy, flow)
    async with stage.start():
        details = await answers(stage, f"show {rung.id}")
    assert "entering another flow" in details.words
    assert "Billing" not in details.words

"""The log: one line for each thing that matters, by which a press can be followed, without anything personal."""

import json
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs

from bot.demo.slack.workspace import Workspace
from bot.demo.voipbin import faults
from bot.demo.voipbin.state import Flow
from bot.demo.voipbin.world import World
from bot.slack import ids
from tests.scenarios.alert_stage import loops, menu, ruled
from tests.scenarios.bulk_stage import BulkStage, bulk
from tests.scenarios.conftest import ALICE, BOB, CAROL, INCIDENTS, Stage
from tests.scenarios.typing_at import answers

__all__ = ["bulk", "menu"]

REASON = "Mrs Featherstonehaugh is stuck"
Lines = list[dict[str, Any]]


@pytest.fixture
def said() -> Iterator[Lines]:
    with capture_logs(processors=[merge_contextvars]) as lines:
        yield lines  # type: ignore[misc] # mutable mappings, which are dictionaries


def names(lines: Lines, *wanted: str) -> list[str]:
    return [line["event"] for line in lines if line["event"] in wanted]


def first(lines: Lines, event: str) -> dict[str, Any]:
    found = [line for line in lines if line["event"] == event]
    assert found, sorted({line["event"] for line in lines})
    return found[0]


async def test_a_press_can_be_followed_by_one_id(bot: Stage, slack: Workspace, voipbin: World, said: Lines) -> None:
    activeflow = voipbin.rings(voipbin.add_flow("Support line"), at="play", source="+15550107777")
    card = await bot.asks_to_stop(activeflow, words=REASON)
    await slack.clicks(ALICE, card, ids.STOP_FLOW)
    await bot.reads("Call: hung up")
    (intent_id,) = {line["intent_id"] for line in said if line["event"] == "asked"}
    followed = [line for line in said if line.get("intent_id") == intent_id]
    life = ("asked", "pressed", "sending", "sent", "outcome")
    assert names(followed, *life) == list(life)
    for event in life:
        assert first(followed, event)["activeflow_id"] == str(activeflow.id), event
    for event in ("asked", "pressed", "sending", "outcome"):
        line = first(followed, event)
        assert (line["person"], line["channel"], line["log_level"]) == (ALICE, INCIDENTS, "info"), event
        assert line["seq"] > 0
    assert first(followed, "pressed")["grant"] == 1
    assert first(followed, "outcome")["outcome"] == "Ended"
    (post,) = [seen for seen in voipbin.requests if seen.method == "POST" and seen.path.endswith("/stop")]
    assert first(followed, "sent")["request_id"] == post.headers["x-request-id"]
    assert first(followed, "sent")["status"] == 200
    everything = json.dumps(said, default=str)
    for personal in ("0107777", "Featherstonehaugh", "Support line", slack.bot_token, voipbin.access_key):
        assert personal not in everything


async def test_a_refusal_names_its_rule(bot: Stage, slack: Workspace, voipbin: World, said: Lines) -> None:
    card = await bot.asks_to_stop(voipbin.rings(at="play"))
    await slack.clicks(BOB, card, ids.STOP_FLOW)
    await bot.reads("You can't", user=BOB)
    refused = first(said, "refused")
    assert (refused["person"], refused["why"]) == (BOB, "not permitted")
    assert refused["because"]
    assert not names(said, "pressed", "sending", "sent")


async def test_a_lost_answer_is_a_line_with_the_id_that_voipbin_was_told(
    bot: Stage, slack: Workspace, voipbin: World, said: Lines
) -> None:
    card = await bot.asks_to_stop(voipbin.rings(at="play"))
    voipbin.faults.on("POST", "/activeflows/{id}/stop", faults.lose_answer())
    await slack.clicks(ALICE, card, ids.STOP_FLOW)
    await slack.until(lambda: names(said, "sent"))
    sent = first(said, "sent")
    assert sent["status"] is None
    assert sent["trouble"] == "lost"
    assert sent["request_id"] in {seen.headers["x-request-id"] for seen in voipbin.requests}


async def test_a_hang_up_has_lines_of_its_own(bot: Stage, slack: Workspace, voipbin: World, said: Lines) -> None:
    voipbin.telephony.loses_hangups = True
    activeflow = voipbin.rings(at="play")
    await slack.clicks(ALICE, await bot.asks_to_stop(activeflow), ids.STOP_FLOW)
    up = await bot.reads("Call: still up")
    voipbin.telephony.loses_hangups = False
    await slack.clicks(ALICE, up, "call.hang_up")
    await slack.until(lambda: names(said, "hung_up"))
    line = first(said, "hung_up")
    assert (line["activeflow_id"], line["person"]) == (str(activeflow.id), ALICE)


async def test_a_bulk_stop_begins_and_is_over(bulk: BulkStage, voipbin: World, said: Lines) -> None:
    bulk.rules()
    ringing = bulk.ring(2, voipbin.add_flow("Support line"))
    async with bulk.stage.start():
        card = await bulk.asks("type:call")
        await bulk.stage.slack.clicks(CAROL, card, ids.BULK_STOP)
        await bulk.stage.slack.until(lambda: names(said, "bulk_over"))
    begun, over = first(said, "bulk_begun"), first(said, "bulk_over")
    assert begun["bulk"] == over["bulk"] == begun["intent_id"]
    assert begun["count"] == 2
    assert over["outcome"] == "2 of 2 ended"
    sent = [line for line in said if line["event"] == "sent"]
    assert {line["activeflow_id"] for line in sent} == {str(activeflow.id) for activeflow in ringing}
    assert {line["bulk"] for line in sent} == {begun["bulk"]}


async def test_a_watch_begins_and_is_over(bot: Stage, voipbin: World, said: Lines) -> None:
    activeflow = voipbin.rings(at="play")
    await answers(bot, f"watch {activeflow.id}")
    voipbin.ends(activeflow)
    await bot.slack.until(lambda: names(said, "watch_over"))
    begun, over = first(said, "watch_begun"), first(said, "watch_over")
    for line in (begun, over):
        assert (line["activeflow_id"], line["person"], line["channel"]) == (str(activeflow.id), ALICE, INCIDENTS)
    assert begun["watch_id"] == over["watch_id"]
    assert over["how"] == "by itself"


async def test_an_alert_is_a_line(stage: Stage, voipbin: World, menu: Flow, said: Lines) -> None:
    ruled(stage)
    activeflow = loops(voipbin, menu)
    async with stage.start(voipbin_events=True):
        await stage.slack.until(lambda: names(said, "alert_told"))
    told = first(said, "alert_told")
    assert (UUID(told["activeflow_id"]), told["channel"]) == (activeflow.id, INCIDENTS)
    assert told["reason"]
    assert names(said, "alert_claimed")


async def test_a_change_of_the_policy_is_a_line(bot: Stage, said: Lines) -> None:
    bot.policy.write_text(bot.policy.read_text(encoding="utf-8") + "\n# another\n", encoding="utf-8")
    await bot.slack.until(lambda: names(said, "policy"))
    assert first(said, "policy")["sha256"]


async def test_a_renewed_login_is_a_line_without_the_token(stage: Stage, voipbin: World, said: Lines) -> None:
    login = {"voipbin_username": voipbin.username, "voipbin_password": voipbin.password}
    async with stage.start(voipbin_access_key=None, **login):
        assert first(said, "voipbin_logged_in")["until"]
    assert "eyJ" not in json.dumps(said, default=str)

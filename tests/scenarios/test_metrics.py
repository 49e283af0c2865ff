"""What the bot counts and measures, as whoever scrapes ``/metrics`` reads it."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families

from bot.demo.slack.faults import error, rate_limited
from bot.demo.slack.workspace import Workspace
from bot.demo.voipbin import faults
from bot.demo.voipbin.world import World
from bot.slack import ids
from tests.scenarios.alert_stage import alerted, menu, ruled
from tests.scenarios.bulk_stage import BulkStage, bulk
from tests.scenarios.conftest import ALICE, BOB, CAROL, Stage
from tests.scenarios.typing_at import answers

__all__ = ["bulk", "menu"]


@dataclass(frozen=True)
class Scraped:
    """Every sample by its name and its labels."""

    samples: dict[tuple[str, frozenset[tuple[str, str]]], float]

    def __getitem__(self, name: str) -> float:
        return self.of(name)

    def of(self, name: str, **labels: str) -> float:
        """The sum of the samples with these labels."""
        wanted = labels.items()
        return sum(v for (called, given), v in self.samples.items() if called == name and wanted <= dict(given).items())


async def scraped(stage: Stage) -> Scraped:
    async with aiohttp.ClientSession() as session, session.get(f"{stage.url}/metrics") as answer:
        assert answer.status == 200
        text = await answer.text()
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    assert len({(s.name, frozenset(s.labels.items())) for s in samples}) == len(samples), "told twice"
    return Scraped({(s.name, frozenset(s.labels.items())): s.value for s in samples})


class Since:
    """What was counted since this was made: others in this process have counted, too."""

    def __init__(self, stage: Stage, before: Scraped) -> None:
        self._stage, self._before = stage, before

    async def of(self, name: str, **labels: str) -> float:
        return (await scraped(self._stage)).of(name, **labels) - self._before.of(name, **labels)

    async def until(self, name: str, **labels: str) -> None:
        while not await self.of(name, **labels):
            await self._stage.slack.next_change(0.05)


@pytest.fixture
async def since(bot: Stage) -> Since:
    return Since(bot, await scraped(bot))


@pytest.fixture
async def live(stage: Stage) -> AsyncIterator[Stage]:
    async with stage.start(voipbin_events=True):
        yield stage


async def test_the_process_and_the_build_are_named(bot: Stage) -> None:
    seen = await scraped(bot)
    assert seen["process_start_time_seconds"] > 0
    assert seen["process_resident_memory_bytes"] > 0
    (labels,) = [dict(labels) for name, labels in seen.samples if name == "flows_bot_build_info"]
    assert re.match(r"\d+\.\d+", labels["version"])
    assert labels["mode"] == "http"
    assert labels["ledger"] == "sqlite"


async def test_a_stop_is_counted_and_measured_from_the_press(
    bot: Stage, slack: Workspace, voipbin: World, since: Since
) -> None:
    card = await bot.asks_to_stop(voipbin.rings(at="play"))
    await slack.clicks(ALICE, card, ids.STOP_FLOW)
    await bot.reads("Call: hung up")
    assert await since.of("flows_bot_presses_total", wish="stop") == 1
    assert await since.of("flows_bot_stops_total", wish="stop", outcome="Ended") == 1
    assert await since.of("flows_bot_press_to_post_seconds_count", wish="stop") == 1
    assert await since.of("flows_bot_press_to_outcome_seconds_count", wish="stop") == 1
    assert 0 < await since.of("flows_bot_press_to_post_seconds_sum") < 60
    assert await since.of("flows_bot_audit_records_total", what="sending") == 1
    endpoint = {"method": "POST", "endpoint": "/activeflows/{id}/stop"}
    assert await since.of("flows_bot_voipbin_requests_total", **endpoint, status="200", trouble="") == 1
    assert await since.of("flows_bot_voipbin_request_seconds_count", **endpoint) == 1
    assert await since.of("flows_bot_voipbin_budget_wait_seconds_count", urgency="press") >= 1
    assert await since.of("flows_bot_slack_calls_total", method="chat.postMessage", error="") == 1


async def test_a_refusal_is_counted_by_its_kind(bot: Stage, slack: Workspace, voipbin: World, since: Since) -> None:
    await slack.clicks(BOB, await bot.asks_to_stop(voipbin.rings(at="play")), ids.STOP_FLOW)
    await bot.reads("You can't", user=BOB)
    assert await since.of("flows_bot_refusals_total", why="not permitted") == 1
    assert await since.of("flows_bot_presses_total") == 0


async def test_a_429_of_either_side_is_counted(bot: Stage, voipbin: World, since: Since) -> None:
    voipbin.faults.on("GET", "/activeflows", faults.status(429, "RATE_LIMIT_EXCEEDED"))
    await answers(bot, "list")
    assert await since.of("flows_bot_voipbin_requests_total", status="429", trouble="throttled") == 1
    bot.slack.faults.on("chat.postMessage", rate_limited(retry_after=0))
    await bot.asks_to_stop(voipbin.rings(at="play"))
    assert await since.of("flows_bot_slack_throttled_total", method="chat.postMessage") == 1
    bot.slack.faults.on("users.info", error("user_not_found"))
    await answers(bot, "whoami", user=CAROL)
    assert await since.of("flows_bot_slack_calls_total", method="users.info", error="user_not_found") == 1


async def test_a_delivery_that_was_not_taken_is_counted_by_its_kind(bot: Stage, since: Since) -> None:
    await bot.slack.delivers(b"payload=nonsense", {"Content-Type": "application/x-www-form-urlencoded"})
    assert await since.of("flows_bot_deliveries_refused_total") == 1


async def test_a_bulk_stop_a_watch_and_an_alert_are_counted(bulk: BulkStage, voipbin: World) -> None:
    bulk.rules()
    bulk.ring(2, voipbin.add_flow("Support line"))
    stage = bulk.stage
    async with stage.start(voipbin_events=True):
        since = Since(stage, await scraped(stage))
        await stage.slack.clicks(CAROL, await bulk.asks("type:call"), ids.BULK_STOP)
        await since.until("flows_bot_bulk_stops_total")
        assert await since.of("flows_bot_stops_total", outcome="Ended") == 2
        watched = voipbin.rings(at="play")
        await answers(stage, f"watch {watched.id}")
        assert await since.of("flows_bot_watches_begun_total") == 1
        voipbin.ends(watched)
        await since.until("flows_bot_watches_over_total", how="by itself")
        ruled(stage)
        voipbin.rings(voipbin.add_flow("Long"), at="play", executed=["sleep"] * 85)
        await alerted(stage, 1)
        await since.until("flows_bot_alerts_total", reason="steps")


async def test_what_runs_waits_and_ages_is_measured(live: Stage, voipbin: World) -> None:
    voipbin.rings(at="play")
    seen = await scraped(live)
    while not (seen["flows_bot_index_activeflows"] and seen["flows_bot_event_stream_live"]):
        await live.slack.next_change(0.05)
        seen = await scraped(live)
    assert seen["flows_bot_index_age_seconds"] >= 0
    assert seen["flows_bot_policy_age_seconds"] > 0
    assert seen.of("flows_bot_jobs", state="running") == 0
    assert seen.of("flows_bot_jobs", state="waiting") == 0
    assert seen["flows_bot_presses_under_way"] == 0
    assert seen["flows_bot_voipbin_budget_requests_per_second"] == 100
    assert seen["flows_bot_voipbin_budget_waiting"] == 0
    assert seen["flows_bot_voipbin_stream_connections_total"] >= 1


async def test_no_label_holds_what_others_choose(bot: Stage, slack: Workspace, since: Since) -> None:
    slack.faults.on("users.info", error("U0ALICE said: +1 555 0107731"))
    await answers(bot, "whoami")
    assert await since.of("flows_bot_slack_calls_total", method="users.info", error="other") == 1
    seen = await scraped(bot)
    ours = [dict(labels) for name, labels in seen.samples if name.startswith("flows_bot_")]
    assert not [v for labels in ours for v in labels.values() if re.search(r"[0-9a-f]{8}-|[UC]0|\d{6}", v)]

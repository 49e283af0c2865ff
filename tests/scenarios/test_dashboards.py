"""The dashboard and the alert rules in ``deploy/``: each name and label in them is one that the bot exports."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import aiohttp
import pytest
import yaml
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from bot.demo.slack.faults import rate_limited
from bot.demo.voipbin.world import World
from bot.slack import ids
from tests.scenarios.alert_stage import alerted, ruled
from tests.scenarios.bulk_stage import BulkStage, bulk
from tests.scenarios.conftest import BOB, CAROL, Stage
from tests.scenarios.typing_at import answers

__all__ = ["bulk"]
ROOT: Final = Path(__file__).resolve().parents[2]
RULES: Final = ROOT / "deploy" / "prometheus" / "alerts.yml"
DASHBOARD: Final = ROOT / "deploy" / "grafana" / "dashboards" / "flows-bot.json"
METRIC: Final = re.compile(r"\b((?:flows_bot|process|python)_\w+|up)(?:\{([^}]*)\})?")
OF_PROMETHEUS: Final = {"job", "instance", "le"}
"""Labels that whoever scrapes adds, and the one of each histogram."""


def rules() -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"] for rule in group["rules"]]


def expressions() -> Iterator[str]:
    yield from (rule["expr"] for rule in rules())
    for panel in json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]:
        yield from (target["expr"] for target in panel.get("targets", ()))


def asked(expression: str) -> tuple[set[str], set[str]]:
    """The metrics in it, and the labels that it chooses, sums or joins by."""
    labels = {label for _, chosen in METRIC.findall(expression) for label in re.findall(r"(\w+)\s*[!=]=?~?", chosen)}
    for grouped in re.findall(r"\b(?:by|on|without) \(([^)]*)\)", expression):
        labels |= {label.strip() for label in grouped.split(",")}
    return {name for name, _ in METRIC.findall(expression)}, labels


async def exported(stage: Stage) -> list[Metric]:
    async with aiohttp.ClientSession() as session, session.get(f"{stage.url}/metrics") as answer:
        return list(text_string_to_metric_families(await answer.text()))


async def there(stage: Stage, *names: str) -> None:
    while not set(names) <= {family.name for family in await exported(stage) if family.samples}:
        await stage.slack.next_change(0.05)


@pytest.fixture
async def families(bulk: BulkStage, voipbin: World) -> list[Metric]:
    """What the bot exports after one of everything."""
    bulk.rules()
    stage = bulk.stage
    stage.health_every = 0.05
    key = next(key for key in voipbin.records.accesskeys if key.token == voipbin.access_key)
    key.tm_expire = datetime.now().astimezone() + timedelta(days=3)
    support = voipbin.add_flow("Support line")
    bulk.ring(2, support)
    stage.slack.socket_mode = True
    async with stage.start(voipbin_events=True, slack_app_token=stage.slack.app_token, slack_signing_secret=None):
        stage.slack.request_url = None
        stage.slack.faults.on("chat.postMessage", rate_limited(retry_after=0))
        card = await bulk.asks("type:call")
        await stage.slack.clicks(BOB, card, ids.BULK_STOP)
        await stage.reads("You can't", user=BOB)
        await stage.slack.clicks(CAROL, card, ids.BULK_STOP)
        await bulk.over(card)
        watched = voipbin.rings(support, at="play")
        await answers(stage, f"watch {watched.id}")
        voipbin.ends(watched)
        ruled(stage)
        voipbin.rings(voipbin.add_flow("Long"), at="play", executed=["sleep"] * 85)
        await alerted(stage, 1)
        await there(stage, "flows_bot_watches_over", "flows_bot_alerts")
        await stage.slack.socket.disconnect()
        await there(stage, "flows_bot_slack_socket_endings")
    stage.slack.socket_mode = False
    async with stage.start(voipbin_events=True):
        await stage.slack.delivers(b"payload=nonsense", {"Content-Type": "application/x-www-form-urlencoded"})
        await there(stage, "flows_bot_workflows", "flows_bot_credential_days_left", "flows_bot_index_age_seconds")
        return await exported(stage)


async def test_each_name_and_label_is_one_that_the_bot_exports(families: list[Metric]) -> None:
    known: dict[str, set[str]] = {"up": set()}
    for family in families:
        known |= {sample.name: {*sample.labels} | known.get(sample.name, set()) for sample in family.samples}
    wrong = []
    for expression in expressions():
        names, labels = asked(expression)
        assert names, expression
        wrong += [f"{name}: {expression}" for name in names - known.keys()]
        has = set().union(*(known.get(name, set()) for name in names)) | OF_PROMETHEUS
        wrong += [f"{label}: {expression}" for label in labels - has]
    assert wrong == []
    ours = {
        family.name
        for family in families
        if family.name.startswith("flows_bot_") and not family.name.endswith("_created")
    }
    shown = {re.sub(r"_(total|bucket)$", "", name) for each in expressions() for name in asked(each)[0]}
    assert ours - shown == set(), "nobody sees these"


async def test_each_metric_is_explained(families: list[Metric]) -> None:
    table = (ROOT / "docs" / "operating.md").read_text(encoding="utf-8").partition("### Metrics")[2]
    table = table.partition("\n## ")[0]
    ours = {
        family.name
        for family in families
        if family.name.startswith("flows_bot_") and not family.name.endswith("_created")
    }
    assert len(ours) > 30
    assert {name for name in ours if not re.search(rf"{name}(_total|_info)?\b", table)} == set()


def test_each_alert_says_whom_it_wakes_and_what_is_so() -> None:
    assert len(rules()) > 10
    for rule in rules():
        assert rule["labels"]["severity"] in {"page", "ticket"}
        assert rule["annotations"]["summary"]


def test_each_chosen_outcome_is_there_before_it_happens() -> None:
    """The first count of a counter that was not there before is no increase for Prometheus."""
    from bot.ledger.metrics import STOPS  # noqa: PLC0415 # the registry of the process

    (family,) = STOPS.collect()
    there = {sample.labels["outcome"] for sample in family.samples}
    chosen = {value for rule in rules() for value in re.findall(r'outcome="(\w+)"', rule["expr"])}
    assert chosen
    assert chosen <= there


def test_prometheus_takes_the_rules() -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not here: apt-get install prometheus")
    done = subprocess.run([promtool, "check", "rules", str(RULES)], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr

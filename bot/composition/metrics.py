"""Compose what ``/metrics`` tells: what each package counts, and how much there is of everything at this moment.

The packages count into the registry of the process, which also tells of the process and of Python itself
(https://prometheus.github.io/client_python/collector/); what is a state, and not a count, is read when somebody asks.
"""

from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from importlib.metadata import version
from typing import Final

from prometheus_client import REGISTRY, CollectorRegistry
from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector

from bot.activeflows.errors import LedgerUnavailable
from bot.activeflows.health import HealthState
from bot.composition.background import beside, forever
from bot.composition.health import HealthWatch
from bot.ledger.database import Database
from bot.ledger.durable_workflows import Durable
from bot.ledger.metrics import Figures, figures
from bot.policy import PolicyInForce
from bot.settings import Settings
from bot.slack.transport.jobs import Jobs
from bot.voipbin import LiveIndex, VoIPBINClient
from bot.voipbin.health import CREDENTIAL, of_account

_BUILD: Final = "flows_bot_build"
COUNT_EVERY: Final = 5.0
"""Seconds between two looks into the ledger for its figures."""


class LedgerFigures:
    """Knows what the ledger held at the last look; nothing while it does not answer."""

    def __init__(self, database: Database) -> None:
        """``database``: apart from the work, so that no stop waits for this."""
        self._database = database
        self.last: Figures | None = None

    async def look(self) -> None:
        try:
            self.last = await self._database.reading(figures)
        except LedgerUnavailable:
            self.last = None
            raise


class BotMetrics(Collector):
    """Everything this bot counts and measures."""

    def __init__(
        self,
        accounts: Mapping[str, tuple[VoIPBINClient, LiveIndex | None]],
        jobs: Jobs,
        presses: Durable,
        in_force: PolicyInForce,
        health: HealthWatch,
        held: LedgerFigures,
        *,
        now: Callable[[], datetime],
        mode: str,
        ledger: str,
    ) -> None:
        """``accounts``: by name, each with what follows it. ``mode``: how Slack delivers; ``ledger``: the kind of
        database.
        """
        self._accounts, self._jobs, self._presses = accounts, jobs, presses
        self._in_force, self._health, self._held, self._now = in_force, health, held, now
        self._build = {"version": version("flows-bot"), "mode": mode, "ledger": ledger}

    def collect(self) -> Iterable[Metric]:
        yield InfoMetricFamily(_BUILD, "Which bot this is", value=self._build)
        yield from self._at_this_moment()
        yield from self._in_the_ledger()
        yield from self._well()
        yield from REGISTRY.collect()

    def _at_this_moment(self) -> Iterable[Metric]:
        jobs = GaugeMetricFamily("flows_bot_jobs", "Work for people, that answers or has no turn yet", labels=["state"])
        jobs.add_metric(["running"], self._jobs.running)
        jobs.add_metric(["waiting"], self._jobs.under_way - self._jobs.running)
        yield jobs
        yield _gauge("presses_under_way", "Presses that are carried out now", len(self._presses.under_way()))
        yield _gauge("policy_age_seconds", "Since the policy in force was taken over", self._in_force.age)
        loads = {name: voipbin.load() for name, (voipbin, _) in self._accounts.items()}
        rates = {name: load.rate for name, load in loads.items()}
        waiting = {name: load.waiting for name, load in loads.items()}
        yield from _each("voipbin_budget_requests_per_second", "The bot's share of VoIPBIN's limit", rates)
        yield from _each("voipbin_budget_waiting", "Requests that wait for their turn", waiting)
        yield from self._index({name: each for name, (_, each) in self._accounts.items() if each is not None})

    def _in_the_ledger(self) -> Iterable[Metric]:
        held = self._held.last
        if held is None:
            return
        yield _gauge("watches_open", "Watches that are not over", held.watches)
        yield _gauge("audit_head", "Number of the newest record of the audit", held.head)
        workflows = GaugeMetricFamily("flows_bot_workflows", "Durable workflows of all replicas", labels=["state"])
        workflows.add_metric(["pending"], held.pending)
        workflows.add_metric(["enqueued"], held.enqueued)
        yield workflows

    def _well(self) -> Iterable[Metric]:
        words = "What the bot needs, as /flows doctor says it: 0 ok, 1 warning, 2 broken"
        health = GaugeMetricFamily("flows_bot_health", words, labels=["about"])
        for finding in self._health.findings:
            health.add_metric([finding.about], list(HealthState).index(finding.state))
        days = {
            name: (finding.until - self._now()).total_seconds() / 86400
            for name in self._accounts
            for finding in self._health.findings
            if finding.about == of_account(CREDENTIAL, name) and finding.until is not None
        }
        yield from _each("credential_days_left", "Until VoIPBIN's access key ends", days)
        yield health
        yield _gauge("ready", "1 while /readyz says so", self._health.ready)

    def _index(self, followed: Mapping[str, LiveIndex]) -> Iterable[Metric]:
        live = {name: float(each.live) for name, each in followed.items()}
        running = {name: len(each.index) for name, each in followed.items()}
        ages = {
            name: max((self._now() - each.read_at).total_seconds(), 0.0)
            for name, each in followed.items()
            if each.read_at is not None
        }
        yield from _each("event_stream_live", "1 while every change comes as an event", live)
        yield from _each("index_activeflows", "Running activeflows in memory", running)
        yield from _each("index_age_seconds", "Since VoIPBIN's list was last read again", ages)


@asynccontextmanager
async def measured(
    settings: Settings,
    aside: Database,
    accounts: Mapping[str, tuple[VoIPBINClient, LiveIndex | None]],
    jobs: Jobs,
    presses: Durable,
    in_force: PolicyInForce,
    health: HealthWatch,
    *,
    now: Callable[[], datetime],
) -> AsyncIterator[CollectorRegistry]:
    """Yield a registry of this bot's own; the ledger's figures are kept up while the block lasts."""
    held = LedgerFigures(aside)
    mode, ledger = "socket" if settings.socket_mode else "http", "postgresql" if aside.is_postgresql else "sqlite"
    registry = CollectorRegistry()
    registry.register(BotMetrics(accounts, jobs, presses, in_force, health, held, now=now, mode=mode, ledger=ledger))
    async with beside(forever(held.look, every=COUNT_EVERY)):
        yield registry


def _each(name: str, words: str, values: Mapping[str, float]) -> Iterable[Metric]:
    """Return one value for each account; without a label where there is one account. The names are those of the
    settings.
    """
    if not values:
        return
    if list(values) == [""]:
        yield _gauge(name, words, values[""])
        return
    family = GaugeMetricFamily(f"flows_bot_{name}", words, labels=["account"])
    for account, value in values.items():
        family.add_metric([account], float(value))
    yield family


def _gauge(name: str, words: str, value: float) -> Metric:
    return GaugeMetricFamily(f"flows_bot_{name}", words, value=float(value))

"""The ledger through PgBouncer in transaction mode, as many providers offer PostgreSQL."""

import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from bot.demo.voipbin.state import Activeflow
from tests.faults.pooler import pooled, program
from tests.scenarios.bulk_stage import BulkStage
from tests.scenarios.conftest import ALICE, CAROL, Stage

pytestmark = pytest.mark.skipif(
    program() is None, reason="there is no pgbouncer on this machine (Debian: apt-get install pgbouncer)"
)


@pytest.fixture
def pooled_url(postgresql_url: str) -> Iterator[str]:
    with (
        tempfile.TemporaryDirectory(prefix="flows-bot-pgbouncer-") as folder,
        pooled(postgresql_url, Path(folder)) as url,
    ):
        yield url


@pytest.mark.slow
async def test_every_stop_of_many_is_recorded_and_carried_out(stage: Stage, bulk: BulkStage, pooled_url: str) -> None:
    bulk.rules()
    flow = stage.voipbin.add_flow("Support line")
    async with stage.start(flows_bot_database_url=pooled_url):
        for _ in range(5):
            (activeflow,) = bulk.ring(1, flow)
            card = await stage.asks_to_stop(activeflow)
            assert (await stage.slack.clicks(ALICE, card, "stop.flow")).error is None
            await stage.slack.until(partial(_ended, stage, activeflow))
            assert stage.posts(activeflow) == 1
        several = bulk.ring(5, flow)
        card = await bulk.asks("type:call")
        await stage.slack.clicks(CAROL, card, "bulk.stop")
        await stage.slack.until(lambda: all(_ended(stage, one) for one in several))
        assert [stage.posts(one) for one in several] == [1] * len(several)


def _ended(stage: Stage, activeflow: Activeflow) -> bool:
    return stage.voipbin.activeflow(activeflow.id).status == "ended"

"""A replica is frozen, or its host is gone, while it holds the lock of the audit: the others go on."""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest
from sqlalchemy import Connection, make_url, select

from bot.activeflows.errors import LedgerUnavailable
from bot.ledger.database import Database, one_writer
from bot.ledger.tables import replicas
from tests.scenarios.conftest import ALICE, INCIDENTS, Stage

_LONGER = {"options": "-c idle_in_transaction_session_timeout=60s"}
"""Of a server that does not end such a transaction soon."""


class Frozen:
    """Somebody with the lock, who does not move any more until told to."""

    def __init__(self, url: str) -> None:
        self.database = Database(url)
        self.holds, self._moves = threading.Event(), threading.Event()

    def freeze(self, connection: Connection) -> None:
        one_writer(connection)
        self.holds.set()
        self._moves.wait(60)
        connection.execute(select(replicas.c.id)).all()

    def thaw(self) -> None:
        self._moves.set()


@asynccontextmanager
async def frozen(url: str) -> AsyncIterator[tuple[Frozen, "asyncio.Task[None]"]]:
    somebody = Frozen(url)
    freezing = asyncio.create_task(somebody.database.within(somebody.freeze, patience=60))
    try:
        assert await asyncio.to_thread(somebody.holds.wait, 20)
        yield somebody, freezing
    finally:
        somebody.thaw()
        await asyncio.gather(freezing, return_exceptions=True)
        await somebody.database.close()


async def test_a_stop_is_carried_out_and_the_frozen_one_writes_nothing(stage: Stage, postgresql_url: str) -> None:
    async with stage.start(flows_bot_database_url=postgresql_url):
        activeflow = stage.voipbin.rings(stage.voipbin.add_flow("Support line"), at="digits_receive")
        card = await stage.asks_to_stop(activeflow)
        async with frozen(postgresql_url) as (somebody, freezing):
            assert (await stage.slack.clicks(ALICE, card, "stop.flow")).error is None
            await stage.reads("Stopped by")
            somebody.thaw()
            with pytest.raises(LedgerUnavailable):
                await freezing
        assert stage.posts(activeflow) == 1


async def test_while_nobody_ends_it_the_words_name_the_ledger_and_the_living_show_it(
    stage: Stage, postgresql_url: str
) -> None:
    async with stage.start(flows_bot_database_url=postgresql_url):
        activeflow = stage.voipbin.rings(stage.voipbin.add_flow("Support line"), at="digits_receive")
        async with frozen(_with(postgresql_url, _LONGER)):
            assert "did not answer in time" in (await _missing(stage))["ledger"]
            before = await _seen(postgresql_url)
            await asyncio.gather(
                *(stage.slack.types(ALICE, INCIDENTS, f"/flows stop {activeflow.id}") for _ in range(12))
            )  # more than the work has threads
            await stage.reads("The record could not be written")
            async with asyncio.timeout(60):
                while await _seen(postgresql_url) == before:  # noqa: ASYNC110 # nobody tells when a row changes
                    await asyncio.sleep(0.1)
        async with asyncio.timeout(60):
            while await _missing(stage):  # noqa: ASYNC110 # nor when it is ready
                await asyncio.sleep(0.1)
        assert stage.posts(activeflow) == 0


def _with(url: str, query: dict[str, str]) -> str:
    return make_url(url).update_query_dict(query).render_as_string(hide_password=False)


async def _missing(stage: Stage) -> dict[str, str]:
    async with aiohttp.ClientSession() as session, session.get(f"{stage.url}/readyz") as answer:
        return {one["what"]: one["why"] for one in (await answer.json())["missing"]}


async def _seen(url: str) -> list[int]:
    database = Database(url)
    try:
        seen = select(replicas.c.seen_at)
        return list(await database.within(lambda connection: connection.execute(seen).scalars().all()))
    finally:
        await database.close()

"""No word before its fact: a press is called recorded by whoever holds the record, and what was told otherwise comes to
nothing.
"""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, ExitStack, asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import ColumnElement, create_engine, make_url, select, text

from bot.demo.slack import faults as slack_faults
from bot.demo.slack.messages import Message
from bot.demo.slack.workspace import Workspace
from bot.demo.voipbin import faults
from bot.demo.voipbin.state import Activeflow
from bot.demo.voipbin.world import World
from bot.ledger.database import engine_for
from bot.ledger.tables import audit, intents, replicas
from tests.scenarios.conftest import ALICE, INCIDENTS, POLICY, Stage
from tests.scenarios.outage import locked, relayed

Outage = Callable[[], AbstractAsyncContextManager[None]]


@pytest.fixture(params=["sqlite", "postgresql"])
async def bot_and_outage(request: pytest.FixtureRequest, stage: Stage) -> AsyncIterator[tuple[Stage, Outage, str]]:
    """The bot on each of both, what makes its database go and come again, and the way around that."""
    stage.record_within = timedelta(seconds=1.5)
    if request.param == "sqlite":
        url: str = request.getfixturevalue("sqlite_url")

        @asynccontextmanager
        async def outage() -> AsyncIterator[None]:
            with locked(url):
                yield

        async with stage.start():
            yield stage, outage, url
        return
    url = request.getfixturevalue("postgresql_url")
    async with relayed(url) as relay:

        @asynccontextmanager
        async def silence() -> AsyncIterator[None]:
            relay.silent()
            yield
            relay.speaks_again()

        async with stage.start(flows_bot_database_url=relay.url):
            yield stage, silence, url


async def asked(bot: Stage, voipbin: World, url: str = "") -> tuple[Activeflow, Message]:
    """The card, when its place is on record, too."""
    activeflow = voipbin.rings(voipbin.add_flow("Support line"), at="play")
    card = await bot.asks_to_stop(activeflow)
    if url:
        await bot.slack.until(lambda: any(card.ts in body for body in rows(url, intents.c.body)))
    return activeflow, card


def rows(url: str, column: ColumnElement[str]) -> list[str]:
    engine = engine_for(url)
    with engine.begin() as connection:
        told = list(connection.execute(select(column)).scalars())
    engine.dispose()
    return told


def refusals(url: str) -> int:
    """How many refused presses are on record."""
    return rows(url, audit.c.what).count("refused")


def recorded(url: str) -> int:
    """Presses that DBOS knows of."""
    engine = engine_for(url)
    schema = "dbos." if engine.dialect.name == "postgresql" else ""
    with engine.begin() as connection:
        count = connection.execute(text(f"SELECT count(*) FROM {schema}workflow_status WHERE name LIKE 'carry_out%'"))  # noqa: S608 # words of this file only
        told = int(count.scalar_one())
    engine.dispose()
    return told


def being_recorded(url: str) -> int:
    """Transactions on PostgreSQL that write into DBOS's table of workflows, or wait for it."""
    engine = engine_for(url)
    writes = "relation = 'dbos.workflow_status'::regclass AND mode = 'RowExclusiveLock'"
    with engine.begin() as connection:
        count = int(connection.execute(text(f"SELECT count(*) FROM pg_locks WHERE {writes}")).scalar_one())  # noqa: S608 # words of this file only
    engine.dispose()
    return count


def told(slack: Workspace) -> list[str]:
    return [message.words for message in slack.sees(ALICE, INCIDENTS) if message.ephemeral_to == ALICE]


async def test_a_press_that_is_recorded_after_its_presser_was_told_otherwise_comes_to_nothing(
    bot_and_outage: tuple[Stage, Outage, str], slack: Workspace, voipbin: World
) -> None:
    bot, outage, url = bot_and_outage
    activeflow, card = await asked(bot, voipbin, url)
    async with outage():
        assert (await slack.clicks(ALICE, card, "stop.flow")).error is None
        assert (await bot.reads("Without a record I stop nothing")).ephemeral_to == ALICE
    await slack.until(lambda: refusals(url), seconds=60)
    assert recorded(url) == 1
    assert not [words for words in told(slack) if "is recorded" in words]
    assert bot.posts(activeflow) == 0
    assert "stop.flow" in [button.action_id for button in slack.message(card.channel, card.ts).buttons]
    await slack.clicks(ALICE, card, "stop.flow")
    await bot.reads("Stopped by")
    assert bot.posts(activeflow) == 1


@contextmanager
def kept_from_writing(url: str, table: str) -> Iterator[None]:
    """While the block lasts nobody else writes into this table."""
    engine = create_engine(make_url(url).set(drivername="postgresql+psycopg"))
    try:
        with engine.begin() as connection:
            connection.execute(text(f"LOCK TABLE {table} IN EXCLUSIVE MODE"))
            yield
    finally:
        engine.dispose()


@pytest.mark.parametrize(("skew", "late"), [(-60, False), (60, True)], ids=["behind", "ahead"])
async def test_whether_a_record_came_in_time_is_told_by_the_databases_clock(
    skew: int, late: bool, stage: Stage, slack: Workspace, voipbin: World, postgresql_url: str
) -> None:
    """The clock of the replica that took the press is a minute off; it is gone before it began, and another one finds
    the record.
    """
    stage.record_within = timedelta(seconds=1.5 if late else 12)
    stage.wall = lambda: datetime.now(UTC) + timedelta(seconds=skew)
    async with relayed(postgresql_url) as relay:
        with ExitStack() as until_it_is_gone:
            async with stage.start(flows_bot_database_url=relay.url):
                activeflow, card = await asked(stage, voipbin, postgresql_url)
                until_it_is_gone.enter_context(kept_from_writing(postgresql_url, "dbos.operation_outputs"))
                if late:
                    relay.silent()
                assert (await slack.clicks(ALICE, card, "stop.flow")).error is None
                if late:
                    await stage.reads("Without a record I stop nothing")
                    too_late = datetime.now(UTC) + timedelta(seconds=2)
                    await slack.until(lambda: datetime.now(UTC) > too_late)
                    relay.speaks_again()
                await slack.until(lambda: recorded(postgresql_url) == 1)
    stage.wall = lambda: datetime.now(UTC)
    engine = engine_for(postgresql_url)
    with engine.begin() as connection:
        connection.execute(replicas.update().values(seen_at=0))
    engine.dispose()
    async with stage.start(flows_bot_database_url=postgresql_url):
        if late:
            await slack.until(lambda: refusals(postgresql_url))
        else:
            await stage.reads("Stopped by")
    assert stage.posts(activeflow) == (0 if late else 1)


async def test_a_record_that_waited_for_a_lock_until_its_presser_was_refused_comes_to_nothing_elsewhere_too(
    stage: Stage, slack: Workspace, voipbin: World, postgresql_url: str
) -> None:
    """The time of a record is the one at which its transaction began: before a wait, which may be longer than a
    presser's.
    """
    stage.record_within = timedelta(seconds=1.5)
    with ExitStack() as until_it_is_gone:
        async with stage.start(flows_bot_database_url=postgresql_url):
            activeflow, card = await asked(stage, voipbin, postgresql_url)
            until_it_is_gone.enter_context(kept_from_writing(postgresql_url, "dbos.operation_outputs"))
            with kept_from_writing(postgresql_url, "dbos.workflow_status"):
                assert (await slack.clicks(ALICE, card, "stop.flow")).error is None
                await stage.reads("Without a record I stop nothing")
            await slack.until(lambda: recorded(postgresql_url) or not being_recorded(postgresql_url))
    engine = engine_for(postgresql_url)
    with engine.begin() as connection:
        connection.execute(replicas.update().values(seen_at=0))
    engine.dispose()
    async with stage.start(flows_bot_database_url=postgresql_url):
        if recorded(postgresql_url):
            await slack.until(lambda: refusals(postgresql_url))
        second = voipbin.rings(at="play")
        await stage.asks_to_stop(second)
        await slack.clicks(ALICE, stage.card(), "stop.flow")
        await stage.reads("Stopped by")
    assert (stage.posts(activeflow), stage.posts(second)) == (0, 1)


async def test_a_press_that_may_need_a_reason_does_not_wait_for_a_database_that_is_silent(
    stage: Stage, slack: Workspace, voipbin: World, postgresql_url: str
) -> None:
    stage.record_within = timedelta(seconds=1.5)
    stage.policy.write_text(f"{POLICY}\n[rules]\nreason_required = true\n", encoding="utf-8")
    async with relayed(postgresql_url) as relay, stage.start(flows_bot_database_url=relay.url):
        activeflow, card = await asked(stage, voipbin, postgresql_url)
        slack.patience = 6.0  # twice Slack's own, and less than a database is waited for elsewhere
        relay.silent()
        pressed = await slack.clicks(ALICE, card, "stop.flow")
        relay.speaks_again()
        assert pressed.error is None
        await stage.reads("Without a record I stop nothing")
        await slack.until(lambda: refusals(postgresql_url), seconds=60)
        assert stage.posts(activeflow) == 0
        await slack.clicks(ALICE, card, "stop.flow")
        await slack.until(lambda: slack.views_of(ALICE))


async def test_a_press_while_the_database_is_gone_is_not_recorded_and_that_is_said(
    stage: Stage, slack: Workspace, voipbin: World, postgresql_url: str
) -> None:
    async with relayed(postgresql_url) as relay, stage.start(flows_bot_database_url=relay.url):
        activeflow, card = await asked(stage, voipbin, postgresql_url)
        await relay.down()
        assert (await slack.clicks(ALICE, card, "stop.flow")).error is None
        await stage.reads("Without a record I stop nothing")
        await relay.up()
        await slack.clicks(ALICE, card, "stop.flow")
        await stage.reads("Stopped by")
    assert recorded(postgresql_url) == 1
    assert stage.posts(activeflow) == 1


async def test_what_was_true_for_a_while_is_said_with_its_time_and_put_right(
    bot: Stage, slack: Workspace, voipbin: World
) -> None:
    activeflow, card = await asked(bot, voipbin)
    look = faults.hold()
    voipbin.faults.on("GET", "/activeflows/{id}", look)
    await slack.clicks(ALICE, card, "stop.flow")
    so_far = await bot.reads("Your press is recorded. Nothing has been sent yet, as of")
    assert so_far.ephemeral_to == ALICE
    assert bot.posts(activeflow) == 0
    voipbin.stop(activeflow)
    look.release()
    await bot.reads("It had already ended")
    assert (await bot.reads("About your press, as of")).words.endswith("“Ended”. The card will show what happens.")


async def test_while_slack_holds_the_card_up_it_is_not_said_that_nothing_was_sent(
    bot: Stage, slack: Workspace, voipbin: World
) -> None:
    activeflow, card = await asked(bot, voipbin)
    slow = slack.faults.on("chat.update", slack_faults.hold(), times=None)
    await slack.clicks(ALICE, card, "stop.flow")
    said = await bot.reads("Your press is recorded.")
    assert "Nothing has been sent" not in said.words
    assert slow.hold is not None
    slow.hold.release()
    await bot.reads("Stopped by")
    assert bot.posts(activeflow) == 1

"""A start between a Slack that works and what does not answer."""

from dataclasses import replace

from bot.composition import running
from bot.demo.voipbin import faults
from bot.ledger.database import engine_for
from tests.scenarios.conftest import ALICE, AT_ONCE, INCIDENTS, Stage


async def test_a_voipbin_that_says_nothing_does_not_hold_up_the_start(stage: Stage) -> None:
    silence = faults.hold()
    stage.voipbin.faults.on("*", "*", silence, times=None)
    async with running(stage.settings(), asking=replace(AT_ONCE, at_start=0.1)) as bot:
        assert [seen.path for seen in stage.voipbin.requests] == ["/v1.0/customer"]
        stage.slack.request_url = f"http://127.0.0.1:{bot.port}/slack/events"
        assert (await stage.slack.types(ALICE, INCIDENTS, "/flows whoami")).error is None
        await stage.reads("What you may do here")
        silence.release()


def test_a_postgresql_that_says_nothing_is_waited_for_some_seconds_only() -> None:
    assert engine_for("postgresql://me@db/flows").url.query["connect_timeout"] == "10"
    asked = engine_for("postgresql://me@db/flows?connect_timeout=3&sslmode=require").url.query
    assert dict(asked) == {"connect_timeout": "3", "sslmode": "require"}

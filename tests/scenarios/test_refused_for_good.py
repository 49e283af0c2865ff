"""What Slack or VoIPBIN refuses for good: said once in the log, by /readyz, and to people in words that say whom to
tell.
"""

from functools import partial

import aiohttp
import pytest
import structlog

from bot.demo.slack.faults import error
from bot.demo.slack.workspace import Workspace
from bot.demo.voipbin.world import World
from bot.misconfigured import Misconfigured
from tests.scenarios.conftest import ALICE, CAROL, INCIDENTS, Stage


async def ready(stage: Stage) -> tuple[int, str]:
    async with aiohttp.ClientSession() as session, session.get(f"{stage.url}/readyz") as answer:
        return answer.status, await answer.text()


def _rejected(slack: Workspace, many: int) -> bool:
    return sum("does not accept my credential" in m.words for m in slack.sees(ALICE, INCIDENTS)) == many


def _refused(slack: Workspace, many: int) -> bool:
    told = [m.words for m in slack.sees(ALICE, INCIDENTS) if "Slack refuses this bot" in m.words]
    return len(told) == many and all("Waiting won't help" in words for words in told)


@pytest.mark.parametrize("word", ["token_revoked", "account_inactive", "invalid_auth"])
async def test_a_token_that_slack_takes_no_more_is_said_once_and_makes_the_bot_not_ready(
    bot: Stage, slack: Workspace, voipbin: World, word: str
) -> None:
    activeflow = voipbin.rings(at="play")
    card = await bot.asks_to_stop(activeflow)
    methods = ("users.info", "chat.postMessage", "chat.postEphemeral", "chat.update")
    for method in methods:
        slack.faults.on(method, error(word), times=None)
    with structlog.testing.capture_logs() as logs:
        for many in (1, 2):  # one after the other: a press that meets another's question gets its answer
            await slack.clicks(ALICE, card, "stop.flow")
            await slack.until(partial(_refused, slack, many))
    assert bot.posts(activeflow) == 0
    assert [line["event"] for line in logs].count("slack_refuses_for_good") == 1
    status, words = await ready(bot)
    assert (status, word in words, "SLACK_BOT_TOKEN" in words) == (503, True, True)
    slack.faults.clear()
    await slack.clicks(ALICE, card, "stop.flow")
    await bot.reads("Stopped by")
    assert (await ready(bot))[0] == 200


async def test_a_missing_scope_is_a_named_warning_and_the_rest_goes_on(
    bot: Stage, slack: Workspace, voipbin: World
) -> None:
    slack.scopes.discard("usergroups:read")
    activeflow = voipbin.rings(at="play")
    card = await bot.asks_to_stop(activeflow)
    await slack.clicks(CAROL, card, "stop.flow")
    await bot.reads("You can't stop this", user=CAROL)
    status, words = await ready(bot)
    assert (status, "usergroups.users.list needs" in words) == (200, True)
    await slack.clicks(ALICE, card, "stop.flow")
    await bot.reads("Stopped by")


@pytest.mark.parametrize(
    "event", [{"type": "app_uninstalled"}, {"type": "tokens_revoked", "tokens": {"oauth": [], "bot": ["U0FLOWSBOT"]}}]
)
async def test_slack_says_by_itself_that_the_app_is_there_no_more(
    bot: Stage, slack: Workspace, event: dict[str, object]
) -> None:
    assert (await ready(bot))[0] == 200
    await slack.tells({"type": "tokens_revoked", "tokens": {"oauth": ["U0BOB"], "bot": []}})
    assert (await ready(bot))[0] == 200
    await slack.tells(event)
    assert (await ready(bot))[0] == 503


async def test_a_credential_that_voipbin_takes_no_more_makes_the_bot_not_ready(
    bot: Stage, slack: Workspace, voipbin: World
) -> None:
    key = next(key for key in voipbin.records.accesskeys if key.token == voipbin.access_key)
    with structlog.testing.capture_logs() as logs:
        key.token = "vb_another"
        for many in range(1, 4):
            await slack.types(ALICE, INCIDENTS, "/flows list")
            await slack.until(partial(_rejected, slack, many))
    assert [line["event"] for line in logs].count("voipbin_refuses_the_credential") == 1
    status, words = await ready(bot)
    assert (status, "refuses the credential" in words) == (503, True)
    key.token = voipbin.access_key
    await slack.types(ALICE, INCIDENTS, "/flows list")
    await bot.reads("0 running")
    assert (await ready(bot))[0] == 200


async def test_an_installation_for_the_whole_organisation_is_refused_at_the_start(
    stage: Stage, slack: Workspace
) -> None:
    slack.organisation_wide = True
    with pytest.raises(Misconfigured, match="whole organisation"):
        async with stage.start():
            pass

"""A permission that is taken away while an answer is read, or Slack is asked who somebody is: the answer is a refusal."""

from collections.abc import AsyncIterator

import pytest

from bot.demo.slack import faults as slack_faults
from bot.demo.slack.workspace import Workspace
from bot.demo.voipbin import faults
from bot.demo.voipbin.state import Activeflow, Step
from bot.demo.voipbin.world import World
from bot.slack import ids
from tests.scenarios.conftest import ALICE, BOB, INCIDENTS, Stage
from tests.scenarios.outage import locked
from tests.scenarios.test_alerts_held_back import comes_into_force
from tests.scenarios.typing_at import answers

CALLER, DESK = "+15550109876", "+15550100002"
EVERYBODY = '[[grant]]\nto = ["members"]\nmay = ["view", "stop", "bulk", "audit", "reveal"]\n'
ONLY_ALICE = f'[[grant]]\nto = ["{ALICE}"]\nmay = ["view", "stop", "bulk", "audit", "reveal"]\n'


@pytest.fixture
async def bot(stage: Stage) -> AsyncIterator[Stage]:
    stage.policy.write_text(EVERYBODY, encoding="utf-8")
    async with stage.start():
        yield stage


@pytest.fixture
def activeflow(voipbin: World) -> Activeflow:
    return voipbin.rings(voipbin.add_flow("Support line", [Step("talk")]), at="talk", source=CALLER, destination=DESK)


async def taken_away(stage: Stage, held: faults.Hold | slack_faults.Hold, capsys: pytest.CaptureFixture[str]) -> None:
    """Only Alice may view any more, from the moment on at which something is held until it goes on."""
    await held.arrived()
    await comes_into_force(stage, ONLY_ALICE, capsys)
    held.release()


async def refused(stage: Stage, activeflow: Activeflow) -> None:
    """Bob reads that he may not, and nobody what the activeflow is or does."""
    await stage.reads("You don't have permission to", user=BOB)
    seen = [*stage.slack.sees(BOB, INCIDENTS), *stage.slack.sees(ALICE, INCIDENTS)]
    assert not [each for each in seen if "Support line" in each.words or str(activeflow.id)[:8] in each.words]


@pytest.mark.parametrize(
    ("typed", "route"),
    [
        ("list", "/activeflows"),
        ("list by flow", "/activeflows"),
        ("show {id}", "/activeflows/{id}"),
        ("find support", "/activeflows"),
        ("watch {id}", "/activeflows/{id}"),
        ("stop {id}", "/activeflows/{id}"),
        ("stop all type:call", "/activeflows"),
    ],
)
async def test_what_is_typed(
    typed: str, route: str, bot: Stage, voipbin: World, activeflow: Activeflow, capsys: pytest.CaptureFixture[str]
) -> None:
    held = faults.hold()
    voipbin.faults.on("GET", route, held)
    await bot.slack.types(BOB, INCIDENTS, f"/flows {typed.format(id=activeflow.id)}")
    await taken_away(bot, held, capsys)
    await refused(bot, activeflow)


async def test_while_slack_says_who_it_is(
    bot: Stage, slack: Workspace, activeflow: Activeflow, capsys: pytest.CaptureFixture[str]
) -> None:
    held = slack.faults.on("users.info", slack_faults.hold()).hold
    assert held is not None
    await slack.types(BOB, INCIDENTS, "/flows list")
    await taken_away(bot, held, capsys)
    await refused(bot, activeflow)


async def test_a_list_that_is_shared(
    bot: Stage, slack: Workspace, voipbin: World, activeflow: Activeflow, capsys: pytest.CaptureFixture[str]
) -> None:
    listed, held = await answers(bot, "list", user=BOB), faults.hold()
    assert str(activeflow.id)[:8] in listed.words
    voipbin.faults.on("GET", "/activeflows", held)
    await slack.clicks(BOB, listed, ids.LIST_SHARE)
    await taken_away(bot, held, capsys)
    await bot.reads("You don't have permission to", user=BOB)
    assert not [m for m in slack.sees(ALICE, INCIDENTS) if m.ephemeral_to is None]


async def test_what_is_revealed(
    bot: Stage, slack: Workspace, voipbin: World, activeflow: Activeflow, capsys: pytest.CaptureFixture[str]
) -> None:
    details, held = await answers(bot, f"show {activeflow.id}", user=BOB), faults.hold()
    voipbin.faults.on("GET", "/calls/{id}", held)
    await slack.clicks(BOB, details, ids.REVEAL)
    await taken_away(bot, held, capsys)
    await bot.reads("You don't have permission to", user=BOB)
    assert CALLER not in slack.dump()


async def test_who_may_not_put_a_card_away_any_more_once_the_ledger_answers(
    bot: Stage,
    slack: Workspace,
    voipbin: World,
    activeflow: Activeflow,
    sqlite_url: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    await slack.types(ALICE, INCIDENTS, "/flows stop all type:call")
    card = await bot.reads("Stop this 1 activeflow?")
    known = slack.faults.on("users.info", slack_faults.hold()).hold
    assert known is not None
    await slack.clicks(BOB, card, ids.BULK_CANCEL)
    await known.arrived()
    with locked(sqlite_url):
        known.release()
        await comes_into_force(bot, ONLY_ALICE, capsys)
    await bot.reads("You don't have permission to", user=BOB)
    assert "Stop this 1 activeflow?" in slack.message(card.channel, card.ts).words

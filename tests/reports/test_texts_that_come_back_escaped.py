"""Slack hands `&`, `<` and `>` back escaped: what was typed, said or named with them is read as it was meant.

https://github.com/slackapi/bolt-python/issues/513
https://docs.slack.dev/messaging/formatting-message-text#escaping
"""

import pytest

from bot.demo.slack.workspace import Workspace
from bot.demo.voipbin.state import Activeflow
from bot.demo.voipbin.world import World
from bot.slack import ids
from tests.scenarios.conftest import ALICE, INCIDENTS, Stage
from tests.scenarios.typing_at import answers, said_in_the_end

FLOW = "Sales & <VIP>"
WHY = "loops & hangs <again>"


@pytest.fixture
def calling(voipbin: World) -> Activeflow:
    return voipbin.rings(voipbin.add_flow(FLOW), at="play")


@pytest.mark.usefixtures("calling")
async def test_a_name_typed_in_a_command_and_in_a_mention_is_found(bot: Stage, slack: Workspace) -> None:
    line = f'list flow:"{FLOW}"'
    typed = await answers(bot, line)
    seen = {m.ts for m in slack.sees(ALICE, INCIDENTS)}
    mentioned = await slack.types(ALICE, INCIDENTS, f"@flows-bot {line}")
    assert b"&amp;" in mentioned.body
    asked = {m.ts for m in slack.sees(ALICE, INCIDENTS) if not m.by_bot}
    said = await said_in_the_end(bot, ALICE, INCIDENTS, seen | asked)
    assert "1 running" in typed.words
    assert "1 running" in said.words
    assert FLOW in typed.words


async def test_a_reason_typed_in_a_command_is_shown_and_written_down_as_it_was_typed(
    bot: Stage, calling: Activeflow
) -> None:
    card = await bot.asks_to_stop(calling, words=WHY)
    assert WHY in card.words
    assert "&amp;amp;" not in str(card.blocks)
    await bot.slack.clicks(ALICE, card, ids.STOP_FLOW)
    said = await bot.reads("Stopped by")
    assert WHY in said.words


async def test_an_id_between_signs_in_a_message_is_found(bot: Stage, slack: Workspace, calling: Activeflow) -> None:
    said = slack.post(INCIDENTS, ALICE, f"stuck &lt;{calling.id}&gt; &amp; silent")
    await slack.uses_shortcut(ALICE, said, ids.FIND)
    assert (await bot.reads("playing audio")).ephemeral_to == ALICE


@pytest.mark.parametrize("escapes", [False, True])
async def test_a_reason_given_in_the_form_is_shown_as_it_was_given(
    escapes: bool, stage: Stage, slack: Workspace, calling: Activeflow
) -> None:
    slack.escapes_values = escapes
    stage.policy.write_text(f"{stage.policy.read_text()}\n[rules]\nreason_required = true\n", encoding="utf-8")
    async with stage.start():
        card = await stage.asks_to_stop(calling)
        await slack.clicks(ALICE, card, ids.STOP_FLOW)
        view = (await slack.until(lambda: slack.views_of(ALICE)))[-1]
        await slack.submits(ALICE, view, {ids.REASON: {ids.REASON: WHY}})
        assert WHY in (await stage.reads("Stopped by")).words

"""What the bot suggests it understands itself, and what a button carries survives how Slack hands it back.

https://github.com/slackapi/bolt-python/issues/513 (texts of interactions come back escaped)
"""

import json
from dataclasses import replace
from html import escape

from bot.demo.slack import payloads
from bot.demo.slack.workspace import Workspace
from bot.demo.voipbin.world import World
from bot.slack import ids
from tests.scenarios.conftest import ALICE, INCIDENTS, Stage
from tests.scenarios.typing_at import answers

BULK = '\n[[grant]]\nto = ["U0ALICE"]\nmay = ["bulk"]\n\n[rules]\nbulk_limit = 1\n'


async def test_above_the_ceiling_the_suggested_line_is_narrower_and_taken(
    stage: Stage, slack: Workspace, voipbin: World
) -> None:
    stage.policy.write_text(stage.policy.read_text() + BULK, encoding="utf-8")
    flow = voipbin.add_flow("Support line")
    for _ in range(2):
        voipbin.rings(flow, at="play")
    async with stage.start():
        refused = await answers(stage, "stop all older:0s")
        suggested = refused.words.partition("for example /flows ")[2].partition(". They are")[0]
        assert suggested == 'stop all flow:"Support line" older:0s'
        assert "The limit is 1 at once" in (await answers(stage, suggested)).words


async def test_a_list_of_a_flow_with_signs_in_its_name_turns_though_its_value_comes_back_escaped(
    bot: Stage, slack: Workspace, voipbin: World
) -> None:
    voipbin.rings(voipbin.add_flow("Sales & <VIP>"), at="play")
    listed = await answers(bot, 'list flow:"Sales & <VIP>"')
    assert "1 running" in listed.words
    for value in (None, 'list flow:"Sales & <VIP>"'):  # as it is now, and as an older version wrote it
        button = next(b for b in listed.buttons if b.action_id == ids.LIST_REFRESH)
        carried = escape(value if value is not None else button.value or "", quote=False)
        pressed = replace(button, element={**button.element, "value": carried}, value=carried)
        path = slack.response_urls.give("actions", slack.team_id, user=ALICE, channel=INCIDENTS, message_ts=listed.ts)
        payload = payloads.press_in_message(
            slack,
            slack.users[ALICE],
            listed,
            pressed,
            response_url=slack.url + path,
            trigger_id=slack.triggers.give(ALICE),
        )
        before = len(slack.responses)
        assert (await slack.interacts("block_actions", ALICE, payload, "")).error is None
        await slack.until(lambda before=before: len(slack.responses) > before and slack.responses[-1].status)  # type: ignore[misc] # bound now
        assert "1 running" in json.dumps(slack.responses[-1].body)

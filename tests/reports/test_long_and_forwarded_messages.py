"""*Find activeflow* reads a message whole, or says what it did not read.

https://github.com/slackapi/java-slack-sdk/issues/1179 (forwarded messages)
https://github.com/vercel/eve/issues/1909 (very long ones)
"""

from dataclasses import replace
from typing import Any

import pytest

from bot.demo.slack import payloads
from bot.demo.slack.workspace import Workspace
from bot.demo.voipbin.state import Activeflow
from bot.demo.voipbin.world import World
from bot.slack import ids
from tests.scenarios.conftest import ALICE, BOB, INCIDENTS, Stage
from tests.scenarios.typing_at import said_in_the_end


@pytest.fixture
def calling(voipbin: World) -> Activeflow:
    return voipbin.rings(voipbin.add_flow("Support line"), at="play")


async def looked_for(stage: Stage, more: dict[str, Any], text: str = "Alarm") -> Any:
    """The answer to *Find activeflow* on a message that carries this, too."""
    slack = stage.slack
    message = slack.post(INCIDENTS, BOB, text)
    seen = {m.ts for m in slack.sees(ALICE, INCIDENTS)}
    path = slack.response_urls.give("app", slack.team_id, user=ALICE, channel=INCIDENTS)
    payload = payloads.message_shortcut(
        slack,
        slack.users[ALICE],
        replace(message, by_bot=False),
        ids.FIND,
        response_url=slack.url + path,
        trigger_id=slack.triggers.give(ALICE),
    )
    payload["message"] |= more
    assert (await slack.interacts("message_action", ALICE, payload, "")).error is None
    return await said_in_the_end(stage, ALICE, INCIDENTS, seen)


def shown(answer: Any) -> list[str]:
    return [button.value for button in answer.buttons if button.action_id == ids.SHOW]


async def test_an_id_that_stands_only_in_a_forwarded_message_or_in_a_link(
    bot: Stage, slack: Workspace, calling: Activeflow
) -> None:
    section = {"type": "rich_text_section", "elements": [{"type": "text", "text": f"look at {calling.id}"}]}
    blocks = [{"type": "rich_text", "elements": [section]}]
    forwarded = {"is_msg_unfurl": True, "message_blocks": [{"team": "T0X", "message": {"blocks": blocks}}]}
    assert shown(await looked_for(bot, {"attachments": [forwarded]})) == [str(calling.id)]
    link = f"https://admin.example/activeflows/{calling.id}"
    for key in ("title_link", "from_url"):
        assert shown(await looked_for(bot, {"attachments": [{"title": "High", key: link}]})) == [str(calling.id)]


async def test_an_id_at_the_end_of_a_very_long_message(bot: Stage, calling: Activeflow) -> None:
    answer = await looked_for(bot, {}, text="so " * 15_000 + f" {calling.id}")
    assert shown(answer) == [str(calling.id)]
    assert "not read" not in answer.words


async def test_what_was_not_read_is_said(bot: Stage, calling: Activeflow) -> None:
    files = [{"id": "F1", "name": "recording.wav"}]
    answer = await looked_for(bot, {"files": files})
    assert "no id and no phone number in what I read of this message" in answer.words
    assert "I did not read what stands inside its files" in answer.words
    answer = await looked_for(bot, {"files": files}, text=f"see {calling.id}")
    assert shown(answer) == [str(calling.id)]
    assert "I did not read what stands inside its files" in answer.words

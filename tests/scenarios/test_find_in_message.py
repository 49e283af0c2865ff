"""*Find activeflow* on a message: what its ids and numbers lead to, for whoever chose it alone."""

from typing import Any

import pytest

from bot.demo.slack.messages import Message
from bot.demo.slack.workspace import Workspace
from bot.demo.voipbin import faults
from bot.demo.voipbin.state import Activeflow
from bot.demo.voipbin.world import World
from bot.slack import ids
from tests.scenarios.conftest import ABROAD, ALICE, BOB, GUEST, INCIDENTS, STRANGER, Stage
from tests.scenarios.typing_at import answers, said_in_the_end

CALLER = "+4917155577310"


@pytest.fixture
def calling(voipbin: World) -> Activeflow:
    return voipbin.rings(voipbin.add_flow("Support line"), at="play", source=CALLER)


def shown(answer: Message) -> list[str | None]:
    return [button.value for button in answer.buttons if button.action_id == ids.SHOW]


async def found(bot: Stage, message: Message, *, user: str = ALICE) -> Message:
    """The answer to whoever chose *Find activeflow* on this message."""
    seen = {m.ts for m in bot.slack.sees(user, message.channel)}
    assert (await bot.slack.uses_shortcut(user, message, ids.FIND)).error is None
    answer = await said_in_the_end(bot, user, message.channel, seen)
    assert answer.ephemeral_to == user
    return answer


async def test_a_number_and_an_id_in_what_somebody_wrote(
    bot: Stage, slack: Workspace, voipbin: World, calling: Activeflow
) -> None:
    other = voipbin.rings(voipbin.add_flow("Main menu"), at="digits_receive")
    message = slack.post(INCIDENTS, BOB, f"Kundin 0171 / 555 77310 hängt seit 12:30, auch `{other.id}`")
    answer = await found(bot, message)
    assert set(shown(answer)) == {str(calling.id), str(other.id)}
    assert "Looked for a phone number ending in 10; the id" in answer.words
    assert "55577310" not in answer.words


BLOCKS: list[dict[str, Any]] = [
    {
        "type": "rich_text",
        "elements": [
            {
                "type": "rich_text_section",
                "elements": [
                    {"type": "text", "text": "Alarm: +49 171 "},
                    {"type": "text", "text": "555 77310", "style": {"bold": True}},
                ],
            }
        ],
    }
]


async def test_another_apps_message_that_says_it_in_blocks(bot: Stage, slack: Workspace, calling: Activeflow) -> None:
    message = slack.post(INCIDENTS, BOB, "Alarm", blocks=BLOCKS)
    assert shown(await found(bot, message)) == [str(calling.id)]


async def test_the_bots_own_list_and_card_lead_to_what_they_speak_of(
    bot: Stage, slack: Workspace, calling: Activeflow
) -> None:
    await slack.clicks(ALICE, await answers(bot, "list"), ids.LIST_SHARE)
    shared = await bot.reads("read by @Alice", user=BOB)
    assert shown(await found(bot, shared, user=BOB)) == [str(calling.id)]
    card = await bot.asks_to_stop(calling)
    assert shown(await found(bot, card, user=BOB)) == [str(calling.id)]


async def test_a_message_that_names_nothing_is_said_to(bot: Stage, slack: Workspace, voipbin: World) -> None:
    seen = len(voipbin.requests)
    answer = await found(
        bot, slack.post(INCIDENTS, BOB, "The support line is down since 12:30, see https://x.example/1")
    )
    assert "There is no id and no phone number in this message" in answer.words
    assert len(voipbin.requests) == seen


async def test_whoever_may_not_view_is_refused_and_a_stranger_too(
    bot: Stage, slack: Workspace, voipbin: World, calling: Activeflow
) -> None:
    seen = len(voipbin.requests)
    message = slack.post(INCIDENTS, BOB, f"see {calling.id}")
    for user in (GUEST, STRANGER):
        answer = await found(bot, message, user=user)
        assert "You can't" in answer.words
        assert shown(answer) == []
    assert len(voipbin.requests) == seen


async def test_it_works_where_the_bot_is_no_member_and_in_a_thread(
    bot: Stage, slack: Workspace, calling: Activeflow
) -> None:
    assert shown(await found(bot, slack.post(ABROAD, BOB, f"see {calling.id}"))) == [str(calling.id)]
    first = slack.post(INCIDENTS, BOB, "Incident")
    reply = slack.post(INCIDENTS, BOB, f"see {calling.id}", thread_ts=first.ts)
    answer = await found(bot, reply)
    assert (shown(answer), answer.thread_ts) == ([str(calling.id)], first.ts)


async def test_a_voipbin_in_trouble_is_said_in_words(bot: Stage, slack: Workspace, voipbin: World) -> None:
    voipbin.faults.on("GET", "/calls", faults.reset_before(), times=None)
    answer = await found(bot, slack.post(INCIDENTS, BOB, "call 0171 555 77310"))
    assert "VoIPBIN cannot be reached" in answer.words


async def test_nothing_of_it_is_public_and_no_button_carries_the_number(
    bot: Stage, slack: Workspace, calling: Activeflow
) -> None:
    answer = await found(bot, slack.post(INCIDENTS, BOB, f"call {CALLER}"))
    assert [m.ts for m in slack.sees(BOB, INCIDENTS) if "Looked for" in m.words] == []
    assert {button.action_id for button in answer.buttons} == {ids.SHOW, ids.ASK_STOP}
    assert "55577310" not in str([dict(seen.body) for seen in slack.responses])

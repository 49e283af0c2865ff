"""`/flows show`: one activeflow in detail, found by whatever a person has in hand."""

import pytest

from bot.demo.slack.workspace import Workspace
from bot.demo.voipbin import faults
from bot.demo.voipbin.world import World
from bot.slack import ids
from tests.scenarios.conftest import ALICE, BOB, GUEST, INCIDENTS, Stage
from tests.scenarios.typing_at import answers, presses


async def test_details_say_what_it_does_what_it_did_and_what_stopping_would_do(bot: Stage, voipbin: World) -> None:
    follower = voipbin.add_flow("Survey")
    flow = voipbin.add_flow("Support line", on_complete=follower)
    activeflow = voipbin.rings(flow, at="digits_receive", executed=["answer", "talk"], source="+15550109876")
    details = await answers(bot, f"show {activeflow.id}")
    assert details.ephemeral_to == ALICE
    for words in (
        "Support line",
        str(activeflow.id),
        "waiting for keypad input",
        "Hangs up on the caller",
        "Starts another activeflow: flow Survey",
        "answering the call",
        "speaking a text",
        "3 of 101",
    ):
        assert words in details.words, words
    assert "+15550109876" not in details.words
    assert "76" in details.words


@pytest.mark.parametrize("how", ["short", "upper", "call", "pasted", "link"])
async def test_it_is_found_by_what_a_person_has_in_hand(bot: Stage, voipbin: World, how: str) -> None:
    activeflow = voipbin.rings(voipbin.add_flow("Support line"), at="play")
    call = voipbin.call_of(activeflow)
    assert call is not None
    typed = {
        "short": str(activeflow.id)[:8],
        "upper": str(activeflow.id).upper(),
        "call": str(call.id),
        "pasted": f"“Support line · {activeflow.id}”",
        "link": f"<https://admin.example.com/activeflows/{activeflow.id}|Support line>",
    }[how]
    assert str(activeflow.id) in (await answers(bot, f"show {typed}")).words


async def test_one_that_has_just_begun_is_found_by_its_short_id(bot: Stage, voipbin: World) -> None:
    await answers(bot, "list")
    activeflow = voipbin.rings(voipbin.add_flow("Support line"), at="play")
    assert str(activeflow.id) in (await answers(bot, f"show {str(activeflow.id)[:8]}")).words


async def test_refresh_shows_what_has_become_of_it_in_place(bot: Stage, slack: Workspace, voipbin: World) -> None:
    activeflow = voipbin.rings(voipbin.add_flow("Support line"), at="play")
    details = await answers(bot, f"show {activeflow.id}")
    assert ids.ASK_STOP in {button.action_id for button in details.buttons}
    voipbin.caller_hangs_up(activeflow)
    await slack.until(lambda: _ended(voipbin, activeflow.id))
    after = await presses(bot, ALICE, details, ids.SHOW_AGAIN)
    assert "Ended" in after.words
    assert "Nothing: it has already ended." in after.words
    assert ids.ASK_STOP not in {button.action_id for button in after.buttons}
    assert len(slack.sees(ALICE, INCIDENTS)) == 1


async def test_stop_from_the_details_posts_a_card_and_stops_nothing(
    bot: Stage, slack: Workspace, voipbin: World
) -> None:
    activeflow = voipbin.rings(voipbin.add_flow("Support line"), at="play")
    await slack.clicks(ALICE, await answers(bot, f"show {activeflow.id}"), ids.ASK_STOP)
    card = await bot.reads("Stop this activeflow?", user=BOB)
    assert card.ephemeral_to is None
    assert bot.posts(activeflow) == 0


async def test_one_that_does_not_exist_is_said_so_and_how_far_was_looked(bot: Stage, voipbin: World) -> None:
    voipbin.rings(voipbin.add_flow("Support line"), at="play")
    assert "No activeflow matches" in (await answers(bot, "show 00000000-0000-4000-8000-000000000001")).words
    answer = await answers(bot, "show 0000")
    assert "No activeflow matches 0000" in answer.words
    assert "I looked at all there are (1)" in answer.words


async def test_a_call_that_cannot_be_looked_up_is_an_unknown_caller(bot: Stage, voipbin: World) -> None:
    activeflow = voipbin.rings(voipbin.add_flow("Support line"), at="play")
    voipbin.faults.on("GET", "/calls/{id}", faults.delay(20), times=None)
    assert "caller unknown" in (await answers(bot, f"show {activeflow.id}")).words


async def test_a_guest_learns_nothing(bot: Stage, voipbin: World) -> None:
    activeflow = voipbin.rings(voipbin.add_flow("Support line"), at="play")
    seen = len(voipbin.requests)
    answer = await answers(bot, f"show {activeflow.id}", user=GUEST)
    assert "You can't" in answer.words
    assert "Support line" not in answer.words
    assert len(voipbin.requests) == seen


def _ended(voipbin: World, activeflow_id: object) -> bool:
    voipbin.tick()
    return voipbin.activeflow(activeflow_id).status == "ended"  # type: ignore[arg-type] # an id it gave out itself

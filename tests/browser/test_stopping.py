"""From /flows list to a stop that everybody reads about, in a browser, against a VoIPBIN that lives."""

import pytest
from playwright.async_api import expect

from bot.demo.__main__ import Demo
from bot.demo.voipbin.state import Activeflow, Step
from bot.demo.voipbin.world import World
from tests.browser.conftest import Opens
from tests.browser.screen import Screen, short

pytestmark = pytest.mark.asyncio(loop_scope="session")


def _waiting_caller(shown: Demo) -> Activeflow:
    """Somebody on their second lap through the support queue, who stays there."""
    support, music = shown.town.clinic.support, Step("play")
    join = next(step for step in support.actions if step.type == "queue_join")
    waited: list[str | Step] = ["answer", "talk", join, *join.pushes[:1], music, *join.pushes[::-1]]
    return shown.town.world.rings(support, executed=waited, at=music, source="+15550100777")


async def test_the_operator_finds_a_waiting_caller_stops_it_and_everybody_reads_that_it_ended(
    shown: Demo, world: World, olive: Screen, opens: Opens
) -> None:
    activeflow = _waiting_caller(shown)
    await olive.line.press_sequentially("/f")
    await olive.page.get_by_role("option", name="/flows").click()
    await olive.line.press_sequentially("list is:waiting")
    await olive.line.press("Enter")
    rows = olive.private("Running activeflows")
    await expect(rows).to_contain_text("waiting in queue Support, 2nd time round")
    await rows.get_by_role("button", name=f"Stop Support line {short(activeflow)}").click()

    card = olive.card(activeflow)
    for words in (
        "Stop this activeflow?",
        "waiting in queue Support, 2nd time round",
        "Hangs up on the caller: +1555•••••77, incoming call, connected for",
        "The caller loses their place in the queue.",
        "Starts another activeflow: flow Satisfaction survey.",
        "Cannot be undone.",
        "Asked by @Olive Operator",
    ):
        await expect(card).to_contain_text(words)
    assert world.activeflow(activeflow.id).status == "running"
    await olive.presses("Stop flow", card)

    vic = await opens("Vic Viewer")
    for screen in (olive, vic):
        result = screen.card(activeflow)
        await expect(result).to_contain_text("Stopped by @Olive Operator. VoIPBIN shows it ended at")
        await expect(result).to_contain_text("Call: hung up")
        await expect(result).to_contain_text("Satisfaction survey started as")
        await expect(result.locator("button", has_text="Stop flow")).to_have_count(0)
        assert "+15550100777" not in await screen.page.locator("#messages").inner_text()
    call = world.call_of(activeflow)
    assert call is not None
    assert call.status == "hangup"
    assert world.activeflow(activeflow.id).status == "ended"
    assert len(world.requests_to("POST", f"/activeflows/{activeflow.id}/stop")) == 1


@pytest.mark.slow
async def test_a_long_list_is_turned_page_by_page_and_read_again_in_place(world: World, olive: Screen) -> None:
    night = world.add_flow("Night line")
    calls = [world.rings(night, at="digits_receive") for _ in range(13)]
    rows = await olive.lists('/flows list flow:"Night line" sort:newest', calls[-1])
    await expect(rows).to_contain_text("13 running · 1–10, page 1 of 2")
    await expect(rows).to_contain_text("waiting for keypad input")
    await olive.presses("Next", rows)
    await expect(rows).to_contain_text("13 running · 11–13, page 2 of 2")
    await expect(rows).to_contain_text(short(calls[0]))
    world.caller_hangs_up(calls[0])
    await olive.presses("Refresh", rows)
    await expect(rows).to_contain_text("12 running · 11–12, page 2 of 2")
    await expect(rows).not_to_contain_text(short(calls[0]))
    await olive.presses("Previous", rows)
    await expect(rows).to_contain_text("12 running · 1–10, page 1 of 2")
    await expect(olive.page.locator(".message", has_text="Running activeflows")).to_have_count(1)


async def test_what_is_shown_of_one_activeflow_tells_what_stopping_it_would_do(shown: Demo, olive: Screen) -> None:
    activeflow = _waiting_caller(shown)
    await olive.types(f"/flows show {short(activeflow)}")
    details = olive.private(str(activeflow.id))
    for words in (
        "Support line",
        "waiting in queue Support, 2nd time round",
        "What stopping it does",
        "Hangs up on the caller: +1555•••••77",
        "Steps so far",
    ):
        await expect(details).to_contain_text(words)
    await olive.presses("Stop…", details)
    await expect(olive.card(activeflow)).to_contain_text("Stop this activeflow?")


@pytest.mark.slow
async def test_a_card_that_was_put_away_stops_nothing(shown: Demo, world: World, olive: Screen) -> None:
    activeflow = _waiting_caller(shown)
    card = await olive.asks_to_stop(activeflow, "wrong number")
    await expect(card).to_contain_text("Asked by @Olive Operator: wrong number")
    await olive.presses("Cancel", card)
    await expect(card).to_contain_text("@Olive Operator cancelled this card.")
    await expect(card.locator(".content").get_by_role("button")).to_have_count(0)
    assert world.activeflow(activeflow.id).status == "running"
    assert world.requests_to("POST", f"/activeflows/{activeflow.id}/stop") == []


@pytest.mark.slow
async def test_a_caller_who_moved_on_between_card_and_press_is_asked_about_once_more(
    shown: Demo, world: World, olive: Screen
) -> None:
    activeflow = world.rings(shown.town.clinic.menu, at="digits_receive")
    card = await olive.asks_to_stop(activeflow)
    world.moves_to(activeflow, "connect")
    await olive.presses("Stop flow", card)
    await expect(card).to_contain_text("This call has moved on")
    await expect(card).to_contain_text("Was: waiting for keypad input")
    assert world.activeflow(activeflow.id).status == "running"
    await olive.presses("Stop it anyway", card)
    await expect(card).to_contain_text("Stopped by @Olive Operator")
    assert len(world.requests_to("POST", f"/activeflows/{activeflow.id}/stop")) == 1

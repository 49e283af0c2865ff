"""What started those of a bulk stop, and whether it goes on: said on the card, and on the result."""

import re

from bot.demo.voipbin import faults
from bot.demo.voipbin.world import World
from tests.scenarios.bulk_stage import BulkStage, bulk
from tests.scenarios.conftest import Stage

__all__ = ["bulk"]
DIALLING = re.compile(r"Campaign Spring promo is still dialling, as of (20\S+ \S+ UTC): new ones will come\.")


async def test_a_campaign_that_still_dials_is_said_on_the_card_and_on_the_result(
    stage: Stage, bulk: BulkStage, voipbin: World
) -> None:
    promo, over = voipbin.add_campaign("Spring promo"), voipbin.add_campaign("Winter promo", status="stop")
    flow = voipbin.add_flow("Promo")
    dialled = bulk.ring(4, flow)
    for activeflow in dialled[:3]:
        voipbin.campaign_dials(promo, activeflow)
    voipbin.campaign_dials(over, dialled[3])
    async with stage.start():
        card = await bulk.asks("type:call")
        assert DIALLING.search(await bulk.says(card, "still dialling"))
        assert "Winter promo" not in bulk.now(card)
        voipbin.campaign_dials(promo, voipbin.rings(flow, at="digits_receive"))
        await bulk.presses(card)
        words = await bulk.over(card)
    assert words.startswith("All 4 have ended")
    assert DIALLING.search(words)
    assert "1 more matches, as of 20" in words


async def test_numbers_that_lead_to_the_flow_are_counted_and_never_shown(
    stage: Stage, bulk: BulkStage, voipbin: World
) -> None:
    support = voipbin.add_flow("Support line")
    for number in ("+15550107731", "+15550107732"):
        voipbin.add_number(number, support)
    voipbin.add_number("+15550107733", voipbin.add_flow("Sales"))
    bulk.ring(2, support)
    async with stage.start():
        card = await bulk.asks("type:call")
        words = await bulk.says(card, "still lead")
        assert re.search(
            r"2 numbers still lead to flow Support line, as of 20\S+ \S+ UTC: new calls will come\.", words
        )
        assert "0107731" not in stage.slack.dump()


async def test_nothing_is_said_of_what_could_not_be_read_and_the_stop_goes_on(
    stage: Stage, bulk: BulkStage, voipbin: World
) -> None:
    (one,) = bulk.ring(1, voipbin.add_flow("Promo"))
    voipbin.campaign_dials(voipbin.add_campaign("Spring promo"), one)
    for path in ("/campaigncalls", "/numbers"):
        voipbin.faults.on("GET", path, faults.status(403, "PERMISSION_DENIED"), times=None)
    async with stage.start():
        card = await bulk.asks("type:call")
        await bulk.presses(card)
        words = await bulk.over(card)
    assert words.startswith("All 1 have ended")
    assert "still dialling" not in words


async def test_a_card_that_was_pressed_meanwhile_is_not_drawn_over(
    stage: Stage, bulk: BulkStage, voipbin: World
) -> None:
    (one,) = bulk.ring(1, voipbin.add_flow("Promo"))
    voipbin.campaign_dials(voipbin.add_campaign("Spring promo"), one)
    held = faults.hold()
    voipbin.faults.on("GET", "/campaigncalls", held, times=1)
    async with stage.start():
        card = await bulk.asks("type:call")
        await bulk.presses(card)
        await bulk.over(card)
        held.release()
        await stage.slack.until(lambda: len(voipbin.requests_to("GET", "/campaigns/{id}")) == 2)
        assert bulk.now(card).startswith("All 1 have ended")

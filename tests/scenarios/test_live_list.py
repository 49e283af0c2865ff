"""`/flows list` from the index: nothing is asked of VoIPBIN for the rows, and the list says whether it is live."""

import asyncio
import gc
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from bot.activeflows.model import Picture
from bot.activeflows.queries.listing import PAGE
from bot.demo.slack.messages import Message
from bot.demo.voipbin.state import Flow
from bot.demo.voipbin.world import World
from bot.slack import ids
from bot.voipbin import IndexPace
from tests.scenarios.conftest import ALICE, BOB, Stage
from tests.scenarios.typing_at import answers, presses


@pytest.fixture
async def live(stage: Stage) -> AsyncIterator[Stage]:
    """The bot follows its VoIPBIN."""
    async with stage.start(voipbin_events=True):
        yield stage


@pytest.fixture
def support(voipbin: World) -> Flow:
    return voipbin.add_flow("Support line")


def lists_read(voipbin: World) -> int:
    return len(voipbin.requests_to("GET", "/activeflows"))


def shown(page: Message) -> list[str]:
    return [str(button.value) for button in page.buttons if button.action_id == ids.SHOW]


async def listed_live(stage: Stage, words: str) -> str:
    """Asks until the list is live and says these words."""
    async with asyncio.timeout(30):
        while True:
            said = (await answers(stage, "list")).words
            if "live, as of" in said and words in said:
                return said
            await asyncio.sleep(0.05)


async def test_a_live_list_asks_nothing_for_its_rows_and_sees_every_change(
    live: Stage, voipbin: World, support: Flow
) -> None:
    await listed_live(live, "No activeflow is running")
    read = lists_read(voipbin)
    rung = voipbin.rings(support, at="play")
    said = await listed_live(live, "1 running")
    assert "Support line" in said
    assert "complete" in said
    voipbin.stop(rung)
    await listed_live(live, "No activeflow is running")
    assert lists_read(voipbin) == read


async def test_a_page_that_others_asked_for_in_the_same_second_is_as_true_for_whoever_asks_next(
    stage: Stage, voipbin: World, support: Flow
) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    stage.wall = lambda: now  # all of it happens within one second, until it is set
    async with stage.start(voipbin_events=True):
        voipbin.rings(support, at="play", created_at=now - timedelta(seconds=30))
        assert "Running 30 s" in await listed_live(stage, "1 running")
        mine, again = await answers(stage, "list"), await answers(stage, "list")
        assert ids.ASK_STOP in {button.action_id for button in mine.buttons}
        assert again.words == mine.words
        others = await answers(stage, "list", user=BOB)
        assert "1 running" in others.words
        assert ids.ASK_STOP not in {button.action_id for button in others.buttons}
        assert "No activeflow matches" in (await answers(stage, "list type:campaign")).words
        ended = voipbin.rings(support, at="play")
        await listed_live(stage, "2 running")
        voipbin.stop(ended)
        await listed_live(stage, "1 running")
        now += timedelta(seconds=1)
        assert "Running 31 s" in (await answers(stage, "list")).words


async def test_what_ended_is_read_from_voipbins_list(live: Stage, voipbin: World, support: Flow) -> None:
    voipbin.stop(voipbin.rings(support, at="play"))
    await listed_live(live, "No activeflow is running")
    read = lists_read(voipbin)
    assert "1 ended" in (await answers(live, "list status:ended")).words
    assert lists_read(voipbin) > read


async def test_pages_of_a_live_list_hold_everything_once(live: Stage, voipbin: World, support: Flow) -> None:
    rung = {str(voipbin.rings(support, at="play").id) for _ in range(PAGE + 3)}
    await listed_live(live, f"{PAGE + 3} running")
    first = await answers(live, "list")
    second = await presses(live, "U0ALICE", first, ids.LIST_NEXT)
    shown = [b.value for page in (first, second) for b in page.buttons if b.action_id == ids.SHOW]
    assert sorted(str(value) for value in shown) == sorted(rung)


async def test_turning_pages_skips_nothing_and_repeats_nothing_while_the_world_moves(
    live: Stage, voipbin: World, support: Flow
) -> None:
    rung = [voipbin.rings(support, at="play") for _ in range(2 * PAGE + 3)][::-1]
    await listed_live(live, f"{2 * PAGE + 3} running")
    page = await answers(live, "list sort:newest")
    for gone in (rung[1], rung[4], rung[PAGE + 2]):
        voipbin.stop(gone)
    for _ in range(4):
        voipbin.rings(support, at="play")
    await listed_live(live, f"{2 * PAGE + 4} running")
    second = await presses(live, "U0ALICE", page, ids.LIST_NEXT)
    assert f"{PAGE + 3}–{2 * PAGE + 2} of {2 * PAGE + 4}" in second.words
    refreshed = await presses(live, "U0ALICE", second, ids.LIST_REFRESH)
    assert shown(refreshed) == shown(second)
    third = await presses(live, "U0ALICE", refreshed, ids.LIST_NEXT)
    expected = [str(a.id) for a in rung[PAGE:] if a is not rung[PAGE + 2]]
    assert shown(second) + shown(third) == expected
    back = await presses(live, "U0ALICE", third, ids.LIST_PREVIOUS)
    assert shown(back) == shown(second)


async def test_without_an_event_stream_the_list_is_read_again_and_says_since_when(
    stage: Stage, voipbin: World, support: Flow
) -> None:
    voipbin.rings(support, at="play")
    async with stage.start(voipbin_events=True, voipbin_access_key_in_query=True):
        page = await answers(stage, "list")
        assert "event stream down since" in page.words
        assert "1 running" in page.words
        assert "Support line" in page.words
        voipbin.rings(support, at="play")
        assert "2 running" in (await presses(stage, "U0ALICE", page, ids.LIST_REFRESH)).words


async def test_what_runs_is_counted_by_flow_and_by_action(live: Stage, voipbin: World, support: Flow) -> None:
    menu = voipbin.add_flow("Main menu")
    for flow, at in ((support, "play"), (support, "digits_receive"), (menu, "play")):
        voipbin.rings(flow, at=at)
    await listed_live(live, "3 running")
    by_flow = await answers(live, "list by flow")
    assert by_flow.words.index("Support line · 2, the oldest") < by_flow.words.index("Main menu · 1, the oldest")
    assert "3 running" in by_flow.words
    refreshed = await presses(live, "U0ALICE", by_flow, ids.LIST_REFRESH)
    assert "Support line · 2" in refreshed.words
    by_action = await answers(live, "list by action flow:“support line”")
    assert "playing audio · 1" in by_action.words
    assert "waiting for keypad input · 1" in by_action.words
    assert "Did you mean /flows list by flow?" in (await answers(live, "list by flwo")).words


async def test_a_stop_whose_event_is_lost_is_in_the_list_at_once_and_the_silence_is_noticed(
    stage: Stage, voipbin: World, support: Flow
) -> None:
    stage.pace = IndexPace(told_within=0.5)
    stopped, over, stays = (voipbin.rings(support, at="play") for _ in range(3))
    async with stage.start(voipbin_events=True):
        await listed_live(stage, "3 running")
        stage.events.muted = True
        voipbin.stop(over)
        card = await stage.asks_to_stop(stopped)
        await stage.slack.clicks(ALICE, card, "stop.flow")
        await stage.reads("Stopped by")
        said = (await answers(stage, "list")).words
        assert str(stopped.id)[:8] not in said
        repaired = await listed_live(stage, "1 running")
        assert str(stays.id)[:8] in repaired
        assert len(stage.events.asked) == 2


async def test_while_a_silent_stream_is_doubted_the_list_does_not_call_itself_live(
    stage: Stage, voipbin: World, support: Flow
) -> None:
    stage.pace = IndexPace(told_within=0.2, connect_again=(3600.0,), lasting=3600.0)
    moved, stays = voipbin.rings(support, at="play"), voipbin.rings(support, at="play")
    async with stage.start(voipbin_events=True):
        await listed_live(stage, "2 running")
        stage.events.muted = True
        voipbin.stop(moved)
        assert "Ended" in (await answers(stage, f"show {moved.id}")).words
        said = (await answers(stage, "list")).words
        assert str(moved.id)[:8] not in said
        assert str(stays.id)[:8] in said
        async with asyncio.timeout(30):
            while "event stream down since" not in (said := (await answers(stage, "list")).words):  # noqa: ASYNC110 — nobody is told
                await asyncio.sleep(0.05)
        assert "re-read at" in said
        assert "1 running" in said


async def test_a_stream_that_tells_what_was_read_is_trusted(stage: Stage, voipbin: World, support: Flow) -> None:
    stage.pace = IndexPace(told_within=0.2)
    async with stage.start(voipbin_events=True):
        await listed_live(stage, "No activeflow is running")
        for _ in range(3):
            rung = voipbin.rings(support, at="play")
            card = await stage.asks_to_stop(rung)
            await stage.slack.clicks(ALICE, card, "stop.flow")
            await stage.slack.until(lambda: "Stopped by" in stage.card().words)
        await listed_live(stage, "No activeflow is running")
        assert len(stage.events.asked) == 1


async def test_a_list_that_was_drawn_keeps_nothing_of_what_ran_then(live: Stage, voipbin: World, support: Flow) -> None:
    rung = voipbin.rings(support, at="play")
    await listed_live(live, "1 running")
    voipbin.stop(rung)

    def kept() -> list[Picture]:
        pictures = (each for each in gc.get_objects() if type(each) is Picture)
        return [picture for picture in pictures if any(each.id == rung.id for each in picture.activeflows)]

    await live.slack.until(lambda: not kept())

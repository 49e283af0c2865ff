"""`/flows show` tells when each step began, from VoIPBIN's timeline; and without one it says so and tells the rest."""

import re
from datetime import timedelta

import pytest

from bot.demo.slack.messages import Message
from bot.demo.voipbin import faults
from bot.demo.voipbin.clock import StandingClock, utc_now
from bot.demo.voipbin.faults import Fault
from bot.demo.voipbin.records import Changed
from bot.demo.voipbin.state import Activeflow, Flow, Step
from bot.demo.voipbin.world import World
from bot.slack import ids
from tests.scenarios.conftest import ALICE, Stage
from tests.scenarios.typing_at import answers, presses

EVENTS = "/timelines/activeflows/{id}/events"
_TOKEN = re.compile(r"<!date\^(\d+)\^[^|]*\|[^>]*>")


@pytest.fixture
def clock() -> StandingClock:
    """It is five minutes ago, until somebody lets time pass."""
    return StandingClock(utc_now().replace(microsecond=0) - timedelta(minutes=5))


@pytest.fixture
def voipbin(clock: StandingClock) -> World:
    return World(now=clock)


@pytest.fixture
def menu(voipbin: World) -> Flow:
    """A menu that comes round three times."""
    talk = Step("talk", {"language": "en", "text": "Press one"}, lasts=4.25)
    digits = Step("digits_receive", {"length": 1}, lasts=6.25)
    back = Step("goto", {"target_id": str(talk.id), "loop_count": 2})
    return voipbin.add_flow("Main menu", [Step("answer"), talk, digits, back, Step("play", lasts=600.0)])


def passes(voipbin: World, clock: StandingClock, seconds: int) -> None:
    for _ in range(seconds):
        clock.passes(1)
        voipbin.tick()


def lines(message: Message, since: Activeflow) -> list[str]:
    """The lines of the steps, each instant as the seconds since it began."""
    texts = [block["text"]["text"] for block in message.blocks if block["type"] == "section" and "text" in block]
    steps = [text for text in texts if text.startswith("*Steps")]
    assert len(steps) == 1
    began = int(since.tm_create.timestamp())
    return _TOKEN.sub(lambda token: f"+{int(token[1]) - began}", steps[0]).split("\n")


async def test_each_step_has_its_time_and_laps_their_first_and_last(
    bot: Stage, voipbin: World, clock: StandingClock, menu: Flow
) -> None:
    lives = voipbin.rings(menu, lives=True)
    passes(voipbin, clock, 300)
    told = lines(await answers(bot, f"show {lives.id}"), lives)
    assert told[:3] == [
        "*Steps so far*",
        "• answering the call · +0, under 1 s",
        "• text → keypad input ×3 · first +0, last +21, 31 s in all",
    ]
    assert re.fullmatch(r"▸ \*Now:\* playing audio · since \+31, 4 min", told[3])
    assert len(voipbin.requests_to("GET", EVENTS)) == 1


async def test_one_that_ended_tells_what_was_interrupted_and_how_long_it_had_lasted(
    bot: Stage, voipbin: World, clock: StandingClock, menu: Flow
) -> None:
    lives = voipbin.rings(menu, lives=True)
    passes(voipbin, clock, 37)
    voipbin.caller_hangs_up(lives)
    told = lines(await answers(bot, f"show {lives.id}"), lives)
    assert told[0] == "*Steps*"
    assert told[-1] == "▸ *At the end:* playing audio · +31, 5 s"


@pytest.mark.parametrize(
    ("trouble", "said"),
    [
        (faults.status(500, "INTERNAL"), "Times not known: VoIPBIN could not read its timeline."),
        (faults.broken_json(), "Times not known: VoIPBIN could not read its timeline."),
        (faults.delay(20), "Times not known: VoIPBIN did not answer in time."),
    ],
)
async def test_without_a_timeline_all_else_is_told_and_refresh_asks_again(
    bot: Stage, voipbin: World, clock: StandingClock, menu: Flow, trouble: Fault, said: str
) -> None:
    lives = voipbin.rings(menu, lives=True)
    passes(voipbin, clock, 40)
    voipbin.faults.on("GET", EVENTS, trouble, times=None)
    details = await answers(bot, f"show {lives.id}")
    assert said in details.words
    told = lines(details, lives)
    assert told[1:3] == ["• answering the call", "• text → keypad input ×3"]
    assert told[3].startswith("▸ *Now:* playing audio · since +31, ")
    voipbin.faults.clear()
    after = await presses(bot, ALICE, details, ids.SHOW_AGAIN)
    assert "Times not known" not in after.words
    assert "×3 · first +0, last +21, 31 s in all" in lines(after, lives)[2]


async def test_what_the_timeline_lost_or_doubled_is_not_made_up(
    bot: Stage, voipbin: World, clock: StandingClock, menu: Flow
) -> None:
    lives = voipbin.rings(menu, lives=True)
    passes(voipbin, clock, 40)
    events = voipbin.records.timeline[lives.id]
    events[:] = [event for event in events if _count(event) not in {2, 4}] * 2
    details = await answers(bot, f"show {lives.id}")
    assert lines(details, lives)[1:3] == ["• answering the call · +0", "• text → keypad input ×3 · last +21"]
    assert "Some times are not known" in details.words
    events.clear()
    details = await answers(bot, f"show {lives.id}")
    assert "Times not known: VoIPBIN's timeline has no events of these steps." in details.words


async def test_nothing_is_asked_when_there_is_nothing_to_time(bot: Stage, voipbin: World) -> None:
    fresh = voipbin.rings(voipbin.add_flow("Main menu", [Step("play")]))
    details = await answers(bot, f"show {fresh.id}")
    assert lines(details, fresh)[1].startswith("▸ *Now:* playing audio · since ")
    assert voipbin.requests_to("GET", EVENTS) == []
    assert "not known: VoIPBIN" not in details.words


@pytest.mark.parametrize("style", ["%Y-%m-%d %H:%M:%S.%f", "%Y-%m-%dT%H:%M:%S.%f000Z", "%Y-%m-%dT%H:%M:%S+09:00"])
async def test_old_styles_and_other_zones_are_the_same_instants(
    bot: Stage, voipbin: World, clock: StandingClock, menu: Flow, style: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """https://api.voipbin.net/docs/common_overview.html: the style of times changed twice."""
    ahead = timedelta(hours=9) if style.endswith("09:00") else timedelta(0)
    write = "bot.demo.voipbin.wire.time"
    monkeypatch.setattr(write, lambda at: "9999-01-01 00:00:00.000000" if at is None else f"{at + ahead:{style}}")
    lives = voipbin.rings(menu, lives=True)
    passes(voipbin, clock, 40)
    told = lines(await answers(bot, f"show {lives.id}"), lives)
    assert told[2] == "• text → keypad input ×3 · first +0, last +21, 31 s in all"


async def test_a_long_history_is_cut_in_the_middle_and_says_so(
    bot: Stage, voipbin: World, clock: StandingClock
) -> None:
    kinds = ["talk", "play", "sleep", "beep", "echo"]
    steps = [Step(kinds[n % 5], lasts=1.5 + n % 3) for n in range(60)]  # the same kinds, but never the same step
    lives = voipbin.rings(voipbin.add_flow("Long", [*steps, Step("play", lasts=600.0)]), lives=True)
    passes(voipbin, clock, 200)
    told = lines(await answers(bot, f"show {lives.id}"), lives)
    assert len(told) == 1 + 16 + 1
    assert told[6] == "… 45 steps more"
    assert told[1].startswith("• speaking a text · +0, 1 s")
    assert told[-1].startswith("▸ *Now:* playing audio · since +150, ")


def _count(event: Changed) -> int:
    return len(event.resource.executed_actions) if isinstance(event.resource, Activeflow) else -1

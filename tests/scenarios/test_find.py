"""`/flows find`: activeflows by what a person knows, for whoever may see them, with how far the look went."""

from datetime import timedelta

import pytest

from bot.demo.slack.messages import Message
from bot.demo.slack.workspace import Workspace
from bot.demo.voipbin import faults
from bot.demo.voipbin.state import Activeflow, Step
from bot.demo.voipbin.world import World
from bot.slack import ids
from tests.scenarios.conftest import ALICE, BOB, INCIDENTS, Stage
from tests.scenarios.typing_at import answers

CALLER, DESK = "+4917155577310", "+498955501000"
SHOWN = "+4917•••••••10"


@pytest.fixture
def calling(voipbin: World) -> Activeflow:
    """Somebody who called the support line."""
    return voipbin.rings(voipbin.add_flow("Support line"), at="play", source=CALLER, destination=DESK)


@pytest.fixture
def other(voipbin: World) -> Activeflow:
    return voipbin.rings(voipbin.add_flow("Main menu"), at="digits_receive", source="+4917155500000", destination=DESK)


def shown(answer: Message) -> list[str | None]:
    """The ids of the rows, in their order."""
    return [button.value for button in answer.buttons if button.action_id == ids.SHOW]


@pytest.mark.parametrize(
    "written",
    [
        *("0171 555 77310", "+49 171 55577310", "0049-171-555-77310", "+49 (0) 171 / 555 77 310", "(0171) 555.77310"),
        *(
            "tel:0171-55577310",
            "Anruf von 0171 555 77310 um 12:30",
            "+4917155577310",
            "<tel:+4917155577310|0171 555 77310>",
        ),
    ],
)
async def test_a_number_in_any_usual_writing_finds_the_call(
    bot: Stage, calling: Activeflow, other: Activeflow, written: str
) -> None:
    answer = await answers(bot, f"find {written}")
    assert answer.ephemeral_to == ALICE
    assert shown(answer) == [str(calling.id)]
    for words in (
        "Found 1 activeflow",
        "Looked for a phone number ending in 10",
        f"Call from {SHOWN}, began",
        "Support line",
    ):
        assert words in answer.words
    assert "checked all calls (2)" in answer.words


async def test_who_was_called_is_found_too_and_the_newest_stands_first(
    bot: Stage, calling: Activeflow, other: Activeflow
) -> None:
    answer = await answers(bot, "find 089 555 01000")
    assert shown(answer) == [str(other.id), str(calling.id)]
    assert "Call to +4989••••••00" in answer.words


async def test_the_number_stands_nowhere_in_what_slack_and_voipbin_get(
    bot: Stage, slack: Workspace, voipbin: World, calling: Activeflow
) -> None:
    answer = await answers(bot, "find 0171 555 77310")
    assert {button.action_id for button in answer.buttons} == {ids.SHOW, ids.ASK_STOP}
    for secret in ("55577310", "555 77310", "8955501000"):
        assert secret not in str([dict(seen.body) for seen in slack.responses])
        assert secret not in str([dict(call.arguments) for call in slack.calls])
        assert secret not in str([(seen.path, seen.query) for seen in voipbin.requests])


async def test_a_call_whose_activeflow_has_ended_is_said_to_have(
    bot: Stage, voipbin: World, calling: Activeflow
) -> None:
    voipbin.telephony.hangup_after = 0
    voipbin.caller_hangs_up(calling)
    answer = await answers(bot, "find 0171 555 77310")
    assert shown(answer) == [str(calling.id)]
    for words in ("Ended", "the call has ended"):
        assert words in answer.words
    assert ids.ASK_STOP not in {button.action_id for button in answer.buttons}


async def test_what_came_after_it_and_runs_for_the_same_call_is_found_with_it(bot: Stage, voipbin: World) -> None:
    survey = voipbin.add_flow("Satisfaction survey")
    first = voipbin.rings(voipbin.add_flow("Support line", on_complete=survey), at="play", source=CALLER)
    voipbin.telephony.loses_hangups = True
    voipbin.stop(first)
    (child,) = voipbin.children_of(first)
    child.status = "running"
    answer = await answers(bot, "find 0171 555 77310")
    assert shown(answer) == [str(child.id), str(first.id)]


async def test_a_leg_belongs_to_the_activeflow_whose_call_placed_it(
    bot: Stage, voipbin: World, calling: Activeflow
) -> None:
    voipbin.connects(calling, "+4930999888777")
    answer = await answers(bot, "find 030 999 888 777")
    assert shown(answer) == [str(calling.id)]
    assert "It placed a call to +4930•••••••77" in answer.words


async def test_a_number_nobody_has_is_said_with_how_far_it_was_looked_for(bot: Stage, calling: Activeflow) -> None:
    answer = await answers(bot, "find 0171 000 99999")
    for words in (
        "Found nothing",
        "None of the calls checked has a number ending in 99",
        "checked all calls (1)",
    ):
        assert words in answer.words


async def test_of_several_numbers_each_is_answered(bot: Stage, calling: Activeflow, other: Activeflow) -> None:
    answer = await answers(bot, f"find {CALLER} or 0171 000 99999 or +4917155500000")
    assert shown(answer) == [str(other.id), str(calling.id)]
    assert (
        "Looked for a phone number ending in 10; a phone number ending in 99; a phone number ending in 00"
        in answer.words
    )
    assert "has a number ending in 99." in answer.words


async def test_the_last_hour_is_looked_through_and_no_longer_than_it_takes(bot: Stage, voipbin: World) -> None:
    flow, now = voipbin.add_flow("Support line"), voipbin.clock.now()
    for minute in range(450):
        voipbin.rings(
            flow, at="play", created_at=now - timedelta(minutes=minute), status="ended" if minute > 50 else "running"
        )
    old = voipbin.rings(flow, at="play", source=CALLER, created_at=now - timedelta(minutes=400), status="ended")
    answer = await answers(bot, "find 0171 555 77310")
    for words in ("calls, all of the last 4 h 5", "longer than any call lasts"):
        assert words in answer.words
    assert str(old.id) not in shown(answer)
    assert len(voipbin.requests_to("GET", "/calls")) == 3


async def test_a_look_that_was_cut_short_says_so(bot: Stage, voipbin: World) -> None:
    flow, now = voipbin.add_flow("Support line"), voipbin.clock.now()
    for second in range(150):
        voipbin.rings(
            flow, at="play", created_at=now - timedelta(seconds=second), source=CALLER if second == 120 else DESK
        )
    first = faults.hold()
    voipbin.faults.on("GET", "/calls", first)
    voipbin.faults.on("GET", "/calls", faults.status(429, "RATE_LIMIT_EXCEEDED", retry_after=0), times=None)
    await bot.slack.types(ALICE, INCIDENTS, "/flows find 0171 555 77310")
    await first.arrived()
    first.release()
    answer = await bot.reads("Found nothing")
    for words in ("checked 100 calls", "earlier calls could be missing", "VoIPBIN asked to slow down"):
        assert words in answer.words


async def test_a_voipbin_that_answers_no_call_is_told_of_and_nothing_else_is_made_up(
    bot: Stage, voipbin: World, calling: Activeflow
) -> None:
    voipbin.faults.on("GET", "/calls", faults.status(429, "RATE_LIMIT_EXCEEDED", retry_after=0), times=None)
    assert "VoIPBIN is refusing requests right now" in (await answers(bot, "find 0171 555 77310")).words


async def test_a_slow_look_says_that_it_is_under_way(bot: Stage, voipbin: World, calling: Activeflow) -> None:
    slow = faults.hold()
    voipbin.faults.on("GET", "/calls", slow)
    assert (await bot.slack.types(ALICE, INCIDENTS, "/flows find 0171 555 77310")).error is None
    await bot.reads("Still working on it")
    slow.release()
    assert shown(await bot.reads("Found 1 activeflow")) == [str(calling.id)]


# ---------------------------------------------------------------- ids, names, words


async def test_an_id_its_beginning_and_the_calls_id_find_it(bot: Stage, calling: Activeflow) -> None:
    for typed in (calling.id, calling.id.hex[:8], calling.reference_id, f"see `{calling.id}` please"):
        answer = await answers(bot, f"find {typed}")
        assert shown(answer) == [str(calling.id)]
        assert "Looked for the id" in answer.words


async def test_what_may_be_an_id_or_a_word_is_looked_for_as_both_and_no_list_is_walked_for_it(
    bot: Stage, voipbin: World, calling: Activeflow
) -> None:
    cafe = voipbin.rings(voipbin.add_flow("Café"), at="play")
    answer = await answers(bot, "find cafe")
    assert shown(answer) == [str(cafe.id)]
    assert "running activeflows whose id begins with cafe; flows and queues named like cafe" in answer.words
    assert "has the id" not in answer.words
    before = len(voipbin.requests_to("GET", "/activeflows"))
    assert "running activeflows whose id begins with the same digits" in (await answers(bot, "find 55577310")).words
    assert len(voipbin.requests_to("GET", "/activeflows")) - before <= 1


async def test_an_id_of_nothing_is_said_and_the_others_are_found(bot: Stage, calling: Activeflow) -> None:
    answer = await answers(bot, f"find deadbeef {calling.id}")
    assert shown(answer) == [str(calling.id)]
    assert "has the id deadbeef, and no call of one does" in answer.words


@pytest.mark.parametrize("typed", ["Support line", "suport lin", "“Support line”", "line", "SUPPORTLINE"])
async def test_a_flow_is_found_by_its_name_or_nearly_so(
    bot: Stage, calling: Activeflow, other: Activeflow, typed: str
) -> None:
    answer = await answers(bot, f"find {typed}")
    assert shown(answer) == [str(calling.id)]
    assert "flows and queues named like" in answer.words


async def test_a_queue_is_found_by_its_name(bot: Stage, voipbin: World, other: Activeflow) -> None:
    queue = voipbin.add_queue("Second level")
    join = Step("queue_join", {"queue_id": str(queue.id)})
    waiting = voipbin.rings(voipbin.add_flow("Support line", [join]), at="play", executed=[join, "fetch_flow"])
    answer = await answers(bot, "find second levl")
    assert shown(answer) == [str(waiting.id)]
    assert "In a queue called Second level" in answer.words


async def test_what_one_is_doing_is_found_by_its_words(bot: Stage, calling: Activeflow, other: Activeflow) -> None:
    for typed in ("keypad input", "waiting key", "digits_receive"):
        assert shown(await answers(bot, f"find {typed}")) == [str(other.id)]


async def test_nothing_is_like_it_and_that_is_said(bot: Stage, calling: Activeflow) -> None:
    answer = await answers(bot, "find xylophone")
    assert "Found nothing" in answer.words
    assert "Nothing running matches these words" in answer.words


async def test_more_than_a_screenful_is_counted_and_to_be_narrowed(bot: Stage, voipbin: World) -> None:
    flow = voipbin.add_flow("Support line")
    for _ in range(13):
        voipbin.rings(flow, at="play")
    answer = await answers(bot, "find support")
    assert len(shown(answer)) == 10
    assert "Found 13 activeflows" in answer.words
    assert "3 more match. Narrow it" in answer.words


async def test_nothing_typed_after_find_gets_an_answer(bot: Stage) -> None:
    assert "Find what?" in (await answers(bot, "find")).words
    assert "at most 100 characters" in (await answers(bot, f"find {'so ' * 40}")).words


async def test_a_number_without_the_word_is_looked_for(bot: Stage) -> None:
    assert "Looked for a phone number ending in 10" in (await answers(bot, "0171 555 77310")).words


async def test_a_row_is_shown_and_stopped_from_where_it_was_found(
    bot: Stage, slack: Workspace, calling: Activeflow
) -> None:
    answer = await answers(bot, "find 0171 555 77310")
    await slack.clicks(ALICE, answer, ids.ASK_STOP)
    assert "Asked by" in (await bot.reads("Asked by", user=BOB)).words


async def test_a_number_is_read_as_it_is_written_in_the_region(stage: Stage, voipbin: World) -> None:
    flow = voipbin.add_flow("Support line")
    calling = voipbin.rings(flow, at="play", source="+79123456789", destination=DESK)
    async with stage.start(flows_bot_region="RU"):
        assert shown(await answers(stage, "find 8 912 345-67-89")) == [str(calling.id)]
    async with stage.start():
        assert shown(await answers(stage, "find 8 912 345-67-89")) == []

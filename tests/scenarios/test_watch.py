"""`/flows watch`: a public card that follows an activeflow until it ends, and says how."""

from collections.abc import AsyncIterator

import pytest

from bot.demo.slack import faults as slack_faults
from bot.demo.slack.messages import Message
from bot.demo.slack.workspace import Workspace
from bot.demo.voipbin import faults
from bot.demo.voipbin.state import Activeflow, Flow
from bot.demo.voipbin.world import World
from bot.slack import ids
from tests.scenarios.conftest import ABROAD, ALICE, BOB, CAROL, GUEST, INCIDENTS, LOBBY, Stage
from tests.scenarios.typing_at import answers

CALLER = "+15550107731"


@pytest.fixture(params=[True, False], ids=["events", "reading"])
async def bot(stage: Stage, request: pytest.FixtureRequest) -> AsyncIterator[Stage]:
    """With and without an event stream the same is told."""
    async with stage.start(voipbin_events=request.param):
        yield stage


@pytest.fixture
def support(voipbin: World) -> Flow:
    return voipbin.add_flow("Support line")


@pytest.fixture
def ringing(voipbin: World, support: Flow) -> Activeflow:
    return voipbin.rings(support, at="play", source=CALLER)


async def watched(stage: Stage, activeflow: Activeflow, *, user: str = ALICE, channel: str = INCIDENTS) -> Message:
    """Types `/flows watch …`, and sees the card."""
    card = await answers(stage, f"watch {activeflow.id}", user=user, channel=channel)
    assert card.ephemeral_to is None, card.words
    assert card.words.startswith("Watching: "), card.words
    return card


async def says(stage: Stage, card: Message, *words: str) -> Message:
    """Waits until the card says all of this."""

    def now() -> Message | None:
        message = stage.slack.message(card.channel, card.ts)
        return message if all(word in message.words for word in words) else None

    found = await stage.slack.until(now)
    assert isinstance(found, Message)
    return found


async def test_the_card_follows_and_keeps_the_trail(bot: Stage, voipbin: World, ringing: Activeflow) -> None:
    card = await watched(bot, ringing)
    assert "Support line" in card.words
    assert str(ringing.id)[:8] in card.words
    voipbin.moves_to(ringing, "digits_receive")
    await says(bot, card, "playing", "waiting for keypad input", "2 of 101 steps used")
    voipbin.moves_to(ringing, "queue_join")
    said = (await says(bot, card, "entering a queue", "3 of 101 steps used")).words
    assert said.index("playing") < said.index("waiting for keypad input") < said.index("entering a queue")
    assert CALLER not in bot.slack.dump()


async def test_an_end_of_its_own_is_told(bot: Stage, voipbin: World, ringing: Activeflow) -> None:
    card = await watched(bot, ringing)
    voipbin.ends(ringing)
    ended = await says(bot, card, "Ended: Support line", "Ended by itself at")
    assert [button.action_id for button in ended.buttons] == [ids.SHOW]


async def test_an_end_by_a_stop_names_who_stopped_it(bot: Stage, ringing: Activeflow) -> None:
    card = await watched(bot, ringing)
    stop = await bot.asks_to_stop(ringing)
    await bot.slack.clicks(CAROL, stop, ids.STOP_FLOW)
    await says(bot, card, "Ended while playing", "stopped by @Carol with this bot")


async def test_an_end_that_was_nobody_here_blames_nobody(bot: Stage, voipbin: World, ringing: Activeflow) -> None:
    card = await watched(bot, ringing)
    voipbin.caller_hangs_up(ringing)
    await says(
        bot, card, "Ended while playing", "This bot did not stop it: the caller hung up, or it was ended elsewhere"
    )


async def test_a_deleted_one_is_said_to_be_deleted(bot: Stage, voipbin: World, ringing: Activeflow) -> None:
    card = await watched(bot, ringing)
    voipbin.telephony.deletes(ringing)
    deleted = await says(bot, card, "Deleted: Support line", "VoIPBIN no longer has it")
    assert deleted.buttons == []


async def test_a_silent_voipbin_is_said_and_nothing_is_made_up(
    stage: Stage, voipbin: World, ringing: Activeflow
) -> None:
    async with stage.start():
        card = await watched(stage, ringing)
        voipbin.faults.on("GET", "/activeflows/{id}", faults.status(500, "INTERNAL"), times=None)
        said = await says(stage, card, "VoIPBIN has not answered since")
        assert said.words.startswith("Watching: ")
        voipbin.faults.clear()
        voipbin.moves_to(ringing, "digits_receive")
        assert "has not answered" not in (await says(stage, card, "waiting for keypad input", "as of")).words


async def test_who_may_not_view_gets_no_card(bot: Stage, ringing: Activeflow) -> None:
    answer = await answers(bot, f"watch {ringing.id}", user=GUEST)
    assert answer.ephemeral_to == GUEST
    assert "a guest" in answer.words
    assert [m for m in bot.slack.sees(ALICE, INCIDENTS) if m.ephemeral_to is None] == []


async def test_where_the_bot_is_no_member_there_is_no_card_and_no_watch(
    bot: Stage, slack: Workspace, ringing: Activeflow
) -> None:
    answer = await answers(bot, f"watch {ringing.id}", channel=ABROAD)
    assert answer.ephemeral_to == ALICE
    assert "Nothing is watched" in answer.words
    assert "Invite the bot to the channel, then ask again" in answer.words
    assert [m for m in slack.sees(BOB, ABROAD) if m.ephemeral_to is None] == []
    assert "No card follows anything" in (await answers(bot, "unwatch", channel=ABROAD)).words


async def test_a_second_watch_points_to_the_first_card(bot: Stage, ringing: Activeflow) -> None:
    card = await watched(bot, ringing)
    again = await answers(bot, f"watch {str(ringing.id)[:8]}", user=BOB)
    assert again.ephemeral_to == BOB
    assert "is watched here already" in again.words
    assert f"p{card.ts.replace('.', '')}" in str(again.blocks)
    await watched(bot, ringing, channel=LOBBY)


async def test_what_has_ended_is_not_watched(bot: Stage, voipbin: World, ringing: Activeflow) -> None:
    voipbin.ends(ringing)
    answer = await answers(bot, f"watch {ringing.id}")
    assert answer.ephemeral_to == ALICE
    assert "has already ended" in answer.words


async def test_anybody_who_may_view_can_unwatch_and_nothing_is_stopped(
    bot: Stage, voipbin: World, ringing: Activeflow
) -> None:
    card = await watched(bot, ringing)
    await bot.slack.clicks(GUEST, card, ids.UNWATCH)
    assert (await bot.reads("a guest", user=GUEST)).ephemeral_to == GUEST
    await bot.slack.clicks(BOB, card, ids.UNWATCH)
    over = await says(
        bot, card, "No longer watched: Support line", "@Bob pressed or typed unwatch", "Nothing was stopped"
    )
    assert [button.action_id for button in over.buttons] == [ids.SHOW, ids.ASK_STOP]
    assert voipbin.activeflow(ringing.id).status == "running"
    assert bot.posts(ringing) == 0
    await bot.slack.clicks(BOB, card, ids.UNWATCH)  # the card as it was on somebody's screen
    await bot.reads("no longer follows anything", user=BOB)
    voipbin.moves_to(ringing, "digits_receive")
    await watched(bot, ringing)


async def test_unwatch_ends_all_of_mine_here_or_the_one_that_is_named(
    bot: Stage, voipbin: World, support: Flow
) -> None:
    first, second, third = (voipbin.rings(support, at="play") for _ in range(3))
    mine = [await watched(bot, first), await watched(bot, second)]
    elsewhere, bobs = await watched(bot, first, channel=LOBBY), await watched(bot, third, user=BOB)
    answer = await answers(bot, "unwatch")
    assert answer.ephemeral_to == ALICE
    assert "Still watched here" in answer.words
    assert str(third.id)[:8] in answer.words
    for card in mine:
        await says(bot, card, "No longer watched")
    assert "You have no watch card" in (await answers(bot, "unwatch")).words
    assert "Unwatched" in (await answers(bot, f"unwatch {third.reference_id}")).words  # the call's id
    await says(bot, bobs, "No longer watched")
    assert "No card in this channel follows" in (await answers(bot, f"unwatch {first.id}")).words
    assert slack_words(bot, elsewhere).startswith("Watching")


def slack_words(stage: Stage, card: Message) -> str:
    return stage.slack.message(card.channel, card.ts).words


async def test_a_watch_ends_when_its_watcher_may_not_view_any_more(
    bot: Stage, voipbin: World, ringing: Activeflow
) -> None:
    second = voipbin.rings(at="play")
    card, other = await watched(bot, ringing, user=BOB), await watched(bot, second, user=ALICE)
    bot.policy.write_text(f'[[grant]]\nto = ["{ALICE}"]\nmay = ["view", "stop"]\n', encoding="utf-8")
    last = await says(bot, card, "No longer watched", "can't view it here any more")
    voipbin.moves_to(ringing, "digits_receive")
    voipbin.moves_to(second, "digits_receive")
    await says(bot, other, "Watching", "keypad")
    assert bot.slack.message(card.channel, card.ts).words == last.words


async def test_while_it_is_not_known_who_may_view_a_watch_goes_on(
    bot: Stage, slack: Workspace, voipbin: World, ringing: Activeflow
) -> None:
    card = await watched(bot, ringing, user=BOB)
    slack.faults.on("users.info", slack_faults.error("internal_error"), times=None)
    voipbin.moves_to(ringing, "digits_receive")
    await says(bot, card, "keypad")
    assert "Watching" in slack.message(card.channel, card.ts).words

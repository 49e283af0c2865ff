"""Listing what runs: one second, human words, and how fresh and complete they are."""

from datetime import UTC, datetime, timedelta

from bot.demo.slack.messages import Message
from bot.demo.slack.workspace import Workspace
from bot.demo.voipbin.world import World
from tests.scenarios.conftest import ALICE, BOB, CAROL, GUEST, INCIDENTS, LOBBY, STRANGER, Stage


async def _types(stage: Stage, words: str, *, user: str = ALICE, channel: str = INCIDENTS) -> Message:
    """The private answer to a typed line."""
    slack, seen = stage.slack, len(stage.slack.sees(user, channel))
    delivery = await slack.types(user, channel, f"/flows {words}".strip())
    assert delivery.error is None
    await slack.until(lambda: len(slack.sees(user, channel)) > seen)
    return slack.sees(user, channel)[-1]


async def test_alice_sees_what_runs_and_what_each_is_doing(bot: Stage, voipbin: World) -> None:
    support, menu = voipbin.add_flow("Support line"), voipbin.add_flow("Main menu")
    voipbin.rings(support, at="play")
    voipbin.rings(menu, at="digits_receive")
    answer = await _types(bot, "list")
    assert answer.ephemeral_to == ALICE
    for words in ("Running activeflows", "Support line", "Main menu", "playing audio", "waiting for keypad input"):
        assert words in answer.words
    assert "2 running" in answer.words
    assert "as of" in answer.words
    assert "+1555" not in answer.words

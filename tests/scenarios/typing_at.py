"""Typing and pressing, and waiting for what comes of it."""

from bot.demo.slack.messages import Message
from tests.scenarios.conftest import ALICE, INCIDENTS, Stage

_STILL = "Still working on it"


async def answers(stage: Stage, words: str, *, user: str = ALICE, channel: str = INCIDENTS) -> Message:
    """The first answer to a typed `/flows …` line."""
    slack = stage.slack
    seen = {message.ts for message in slack.sees(user, channel)}
    delivery = await slack.types(user, channel, f"/flows {words}".strip())
    assert delivery.error is None
    return await _new(stage, user, channel, seen)


async def answers_in_the_end(stage: Stage, words: str, *, user: str = ALICE, channel: str = INCIDENTS) -> Message:
    """The same, past a word that it takes long: for what asks a lot, on a machine that has much to do."""
    seen = {message.ts for message in stage.slack.sees(user, channel)}
    first = await answers(stage, words, user=user, channel=channel)
    return await said_in_the_end(stage, user, channel, seen) if first.words.startswith(_STILL) else first


async def said_in_the_end(stage: Stage, user: str, channel: str, seen: set[str]) -> Message:
    """The first message not seen before that is more than a word that it takes long."""

    def told() -> Message | None:
        fresh = (m for m in stage.slack.sees(user, channel) if m.ts not in seen)
        return next((m for m in fresh if not m.words.startswith(_STILL)), None)

    found = await stage.slack.until(told)
    assert isinstance(found, Message)
    return found


async def presses(stage: Stage, user: str, message: Message, action_id: str) -> Message:
    """The message in whose place the pressed one's answer stands."""
    slack = stage.slack
    delivery = await slack.clicks(user, message, action_id)
    assert delivery.error is None

    def changed() -> Message | None:
        now = slack.message(message.channel, message.ts)
        return now if now.blocks != message.blocks else None

    found = await slack.until(changed)
    assert isinstance(found, Message)
    return found


async def _new(stage: Stage, user: str, channel: str, seen: set[str]) -> Message:
    def fresh() -> Message | None:
        return next((m for m in stage.slack.sees(user, channel) if m.ts not in seen), None)

    found = await stage.slack.until(fresh)
    assert isinstance(found, Message)
    return found

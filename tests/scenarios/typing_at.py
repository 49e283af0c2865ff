"""Typing and pressing, and waiting for what comes of it."""

from bot.demo.slack.messages import Message
from tests.scenarios.conftest import ALICE, INCIDENTS, Stage

_STILL = "Still working on it"


async def answers(stage: Stage, words: str, *, user: str = ALICE, channel: str = INCIDENTS) -> Message:
    """The answer to a typed `/flows …` line, past a word that it takes long: the machine may have much to do."""
    slack = stage.slack
    seen = {message.ts for message in slack.sees(user, channel)}
    delivery = await slack.types(user, channel, f"/flows {words}".strip())
    assert delivery.error is None
    return await said_in_the_end(stage, user, channel, seen)


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

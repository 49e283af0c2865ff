"""Between what Slack calls a gesture and what the middle calls a press: the same facts in two vocabularies."""

from datetime import datetime

from bot.activeflows.operators import Operator
from bot.activeflows.stops import Press
from bot.slack.gestures import Gesture
from bot.slack.identity import People


def press_of(gesture: Gesture, intent_id: str, at: datetime) -> Press:
    """A press on *Stop flow*."""
    return Press(
        intent_id=intent_id,
        by=gesture.user_id,
        team=gesture.team_id,
        channel=gesture.channel_id,
        message_ts=gesture.message_ts,
        action_ts=gesture.action_ts,
        trigger_id=gesture.trigger_id,
        response_url=gesture.response_url,
        at=at,
    )


def gesture_of(press: Press) -> Gesture:
    """The way back, to answer a press in the channel it came from."""
    return Gesture(
        user_id=press.by,
        team_id=press.team,
        channel_id=press.channel,
        response_url=press.response_url,
        trigger_id=press.trigger_id,
        message_ts=press.message_ts,
        action_ts=press.action_ts,
    )


class Pressers:
    """``ports.People``: who presses, asked of Slack anew, never from the cache."""

    def __init__(self, people: People) -> None:
        self._people = people

    async def fresh(self, user_id: str, channel: str, *, team: str = "") -> Operator:
        return await self._people.operator(Gesture(user_id, team, channel), fresh=True)

"""The Home: opened, refreshed, and *Show* on it, which opens a modal.

Decision: *Show* there answers in a modal, before the presser's eyes; a direct message would wait in another tab. It is
opened empty at once, because a trigger lives for three seconds, and filled when the activeflow is read. If no modal can be
shown, the answer goes by direct message after all.
"""

from functools import partial
from typing import Any

from slack_bolt.async_app import AsyncApp
from slack_bolt.context.ack.async_ack import AsyncAck

from bot.activeflows.errors import BotError
from bot.activeflows.reading.listing import SHARED_FOR
from bot.slack import ids
from bot.slack.blocks.activeflow_modal import READING, TITLE, activeflow_modal
from bot.slack.desk import Desk
from bot.slack.explain import explained
from bot.slack.gestures import Gesture, from_action, from_home
from bot.slack.telling import Message

OPENED = "app_home_opened"


def register(app: AsyncApp, desk: Desk) -> None:
    """Opening it, and its own button."""

    @app.event(OPENED)
    async def opened(event: dict[str, Any]) -> None:
        gesture = from_home(event)
        if event.get("tab") == "home" and gesture.user_id:
            desk.jobs.start(gesture, partial(desk.homes.show, gesture), doing="drawing your Home")

    @app.action(ids.HOME_REFRESH)
    async def refresh(ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack()
        gesture = from_action(body)
        desk.jobs.start(gesture, partial(desk.homes.show, gesture, max_age=SHARED_FOR), doing="drawing your Home")


async def show(desk: Desk, gesture: Gesture, value: str) -> None:
    """One activeflow, in a new modal or in the one where the button stands."""
    modal_id = gesture.modal_id or await desk.views.open(gesture.trigger_id, TITLE, READING)
    message = await _details(desk, gesture, value)
    if not await desk.views.update(modal_id, TITLE, message):
        await desk.teller.privately(gesture, message)


async def _details(desk: Desk, gesture: Gesture, value: str) -> Message:
    try:
        target = ids.decode_activeflow(value)
        operator = await desk.people.operator(gesture)
        details = await desk.reading.show(operator, target)
    except BotError as trouble:
        return explained(trouble)
    return activeflow_modal(details, operator, command=desk.command)

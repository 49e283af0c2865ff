"""The buttons that only read: turning pages, showing one activeflow, sharing a list.

Decision: a list that only its reader sees changes in place. A shared list is everybody's: *Refresh* reads it again for
all, with the presser's permission and name; *Previous* and *Next* answer the presser alone, so that nobody's paging moves
a list under somebody else's eyes.

https://docs.slack.dev/interactivity/handling-user-interaction
"""

from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

from slack_bolt.async_app import AsyncApp
from slack_bolt.context.ack.async_ack import AsyncAck

from bot.activeflows.reading.listing import SHARED_FOR
from bot.slack import ids
from bot.slack.advice import not_shown
from bot.slack.blocks.activeflow_details import activeflow_details
from bot.slack.blocks.activeflow_list import activeflow_list, shared_list
from bot.slack.desk import Desk
from bot.slack.gestures import Gesture, from_action
from bot.slack.listeners import homes
from bot.slack.telling import Message, Posted

Reaction: TypeAlias = Callable[[Desk, Gesture, str], Awaitable[None]]
"""What a button does, given its value."""


def register(app: AsyncApp, desk: Desk) -> None:
    """Every reading button."""
    _hear(app, desk, ids.SHOW, _show, doing="reading the activeflow")
    _hear(app, desk, ids.SHOW_AGAIN, _show_again, doing="reading the activeflow")
    _hear(app, desk, ids.LIST_REFRESH, _refresh, doing="reading the activeflows")
    _hear(app, desk, ids.LIST_PREVIOUS, _turn, doing="reading the activeflows")
    _hear(app, desk, ids.LIST_NEXT, _turn, doing="reading the activeflows")
    _hear(app, desk, ids.LIST_SHARE, _share, doing="reading the activeflows")


def _hear(app: AsyncApp, desk: Desk, action_id: str, reaction: Reaction, *, doing: str) -> None:
    @app.action(action_id)
    async def pressed(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any]) -> None:
        await ack()
        gesture = from_action(body)
        value = str(action.get("value", ""))
        desk.jobs.start(gesture, lambda: reaction(desk.at(gesture), gesture, value), doing=doing)


async def _show(desk: Desk, gesture: Gesture, value: str) -> None:
    if gesture.at_home or gesture.modal_id:
        await homes.show(desk, gesture, value)
        return
    await desk.teller.privately(gesture, await _details(desk, gesture, value))


async def _show_again(desk: Desk, gesture: Gesture, value: str) -> None:
    if gesture.modal_id:
        await homes.show(desk, gesture, value)
        return
    await desk.teller.privately(gesture, await _details(desk, gesture, value), replace=True)


async def _details(desk: Desk, gesture: Gesture, value: str) -> Message:
    target = ids.decode_activeflow(value)
    operator = await desk.people.operator(gesture)
    details = await desk.reading.show(operator, target)
    return activeflow_details(details, operator, command=desk.command)


async def _turn(desk: Desk, gesture: Gesture, value: str, *, max_age: float = SHARED_FOR) -> None:
    asked = ids.decode_listing(value)
    operator = await desk.people.operator(gesture)
    listing = await desk.reading.running(
        operator, asked.filters, asked.page, by=asked.by, place=asked.place, max_age=max_age
    )
    message = activeflow_list(listing, operator, desk.now(), command=desk.command)
    await desk.teller.privately(gesture, message, replace=True)


async def _refresh(desk: Desk, gesture: Gesture, value: str) -> None:
    if gesture.ephemeral:
        await _turn(desk, gesture, value, max_age=0.0)
        return
    message = await _for_all(desk, gesture, value)
    if not await desk.teller.edit(Posted(gesture.channel_id, gesture.message_ts), message, gesture=gesture):
        await _turn(desk, gesture, value)


async def _share(desk: Desk, gesture: Gesture, value: str) -> None:
    message = await _for_all(desk, gesture, value)
    shared = await desk.teller.publicly(gesture, message)
    if not isinstance(shared, Posted):
        told = not_shown("The list", shared.error, again="press Share to channel again")
        await desk.teller.privately(gesture, Message(told))


async def _for_all(desk: Desk, gesture: Gesture, value: str) -> Message:
    asked = ids.decode_listing(value)
    operator = await desk.people.operator(gesture)
    listing = await desk.reading.running(
        operator, asked.filters, asked.page, by=asked.by, place=asked.place, max_age=0.0
    )
    return shared_list(listing, desk.now(), command=desk.command, by=operator.person.id)

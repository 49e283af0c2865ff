"""The slash command: one word for everything, understood by ``grammar``.

https://docs.slack.dev/interactivity/implementing-slash-commands
"""

from functools import partial
from typing import Any

from slack_bolt.async_app import AsyncApp
from slack_bolt.context.ack.async_ack import AsyncAck

from bot.activeflows.errors import NotUnderstood
from bot.slack.blocks.activeflow_details import activeflow_details
from bot.slack.blocks.activeflow_list import activeflow_list
from bot.slack.blocks.help import help_overview
from bot.slack.blocks.not_understood import not_understood
from bot.slack.blocks.whoami import whoami
from bot.slack.desk import Desk
from bot.slack.gestures import Gesture, from_command
from bot.slack.grammar.requests import (
    Audit,
    Doctor,
    Find,
    Help,
    List,
    Request,
    Show,
    Stop,
    StopAll,
    Unwatch,
    Watch,
    Whoami,
)
from bot.slack.grammar.table import parse
from bot.slack.grammar.typed import from_slack
from bot.slack.listeners import audits, bulks, doctors, searches, stops, watches
from bot.slack.telling import Message


def register(app: AsyncApp, desk: Desk) -> None:
    """The one command."""

    @app.command(desk.command)
    async def command(ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack()
        gesture = from_command(body)
        start(desk, gesture, from_slack(str(body.get("text", ""))))


def start(desk: Desk, gesture: Gesture, text: str) -> None:
    """Begin what was typed; what leads to a stop goes first."""
    desk.jobs.start(
        gesture, partial(answer, desk, gesture, text), doing="asking VoIPBIN", urgent=_leads_to_a_stop(text)
    )


def _leads_to_a_stop(text: str) -> bool:
    try:
        return isinstance(parse(text), Stop | StopAll)
    except NotUnderstood:
        return False


async def answer(desk: Desk, gesture: Gesture, text: str) -> None:
    """Carry out what was typed, and say what came of it."""
    try:
        await _carry_out(desk, gesture, parse(text))
    except NotUnderstood as refused:
        await desk.teller.privately(gesture, not_understood(refused, command=desk.command))


async def _carry_out(desk: Desk, gesture: Gesture, request: Request) -> None:
    match request:
        case Stop():
            await stops.begin(desk, gesture, request)
        case StopAll():
            await bulks.begin(desk, gesture, request)
        case Audit():
            await audits.tell(desk, gesture, request)
        case Find():
            await searches.tell(desk, gesture, request)
        case Watch():
            await watches.begin(desk, gesture, request)
        case Unwatch():
            await watches.end(desk, gesture, request)
        case Doctor():
            await doctors.tell(desk, gesture)
        case _:
            await desk.teller.privately(gesture, await _read(desk, gesture, request))


async def _read(desk: Desk, gesture: Gesture, request: Help | List | Show | Whoami) -> Message:
    operator = await desk.people.operator(gesture)
    match request:
        case List(filters, page, by):
            listing = await desk.reading.running(operator, filters, page, by=by)
            return activeflow_list(listing, operator, desk.now(), command=desk.command)
        case Show(target):
            details = await desk.reading.show(operator, target)
            return activeflow_details(details, operator, command=desk.command)
        case Whoami():
            return whoami(operator)
        case Help():
            return help_overview(operator, command=desk.command)

"""Listen to the slash command: one word for everything, understood by ``grammar``.

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
from bot.slack.grammar.normalization import from_slack
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
from bot.slack.interaction import Interaction, from_command
from bot.slack.listeners import audits, bulk_stops, doctor, searches, stops, watches
from bot.slack.listeners.context import ListenerContext
from bot.slack.messaging.messenger import Message


def register(app: AsyncApp, context: ListenerContext) -> None:
    """The one command."""

    @app.command(context.command)
    async def command(ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack()
        interaction = from_command(body)
        start(context, interaction, from_slack(str(body.get("text", ""))))


def start(context: ListenerContext, interaction: Interaction, text: str) -> None:
    """Begin what was typed; what leads to a stop goes first."""
    context.jobs.start(
        interaction, partial(answer, context, interaction, text), doing="asking VoIPBIN", urgent=_leads_to_a_stop(text)
    )


def _leads_to_a_stop(text: str) -> bool:
    try:
        return isinstance(parse(text), Stop | StopAll)
    except NotUnderstood:
        return False


async def answer(context: ListenerContext, interaction: Interaction, text: str) -> None:
    """Carry out what was typed, and say what came of it."""
    try:
        await _carry_out(context, interaction, parse(text))
    except NotUnderstood as refused:
        await context.teller.privately(interaction, not_understood(refused, command=context.command))


async def _carry_out(context: ListenerContext, interaction: Interaction, request: Request) -> None:
    match request:
        case Stop():
            await stops.begin(context, interaction, request)
        case StopAll():
            await bulk_stops.begin(context, interaction, request)
        case Audit():
            await audits.tell(context, interaction, request)
        case Find():
            await searches.tell(context, interaction, request)
        case Watch():
            await watches.begin(context, interaction, request)
        case Unwatch():
            await watches.end(context, interaction, request)
        case Doctor():
            await doctor.tell(context, interaction)
        case _:
            await context.teller.privately(interaction, await _read(context, interaction, request))


async def _read(context: ListenerContext, interaction: Interaction, request: Help | List | Show | Whoami) -> Message:
    operator = await context.people.operator(interaction)
    match request:
        case List(filters, page, by):
            listing = await context.reading.running(operator, filters, page, by=by)
            return activeflow_list(listing, operator, context.now(), command=context.command)
        case Show(target):
            details = await context.reading.show(operator, target)
            return activeflow_details(details, operator, command=context.command)
        case Whoami():
            return whoami(operator)
        case Help():
            return help_overview(operator, command=context.command)

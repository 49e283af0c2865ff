"""What comes of a typed line: a command that is delivered, a message, an event for the app when it is mentioned."""

from typing import TYPE_CHECKING

from bot.demo.slack import payloads, typed_text
from bot.demo.slack.delivery import Delivery
from bot.demo.slack.message_events import tell_of_message
from bot.demo.slack.people import Channel, User
from bot.demo.slack.refusals import Refused
from bot.demo.slack.response_urls import Source
from bot.demo.slack.responses import command_answer

if TYPE_CHECKING:
    from bot.demo.slack.workspace import Workspace

READ_ONLY = "Sending messages to this app has been turned off."


async def typed(workspace: "Workspace", person: User, place: Channel, line: str, thread_ts: str | None) -> Delivery:
    """Deliver the command, or post the line and tell the app of it where it hears of it."""
    if place.im_with is not None and (workspace.messages_tab_read_only or not workspace.messages_tab_enabled):
        return Delivery("message", person.id, error=READ_ONLY)
    if place.is_archived:
        return Delivery("message", person.id, error=f"#{place.name} is archived.")
    return await (_command if line.startswith("/") else _message)(workspace, person, place, line, thread_ts)


async def _message(workspace: "Workspace", person: User, place: Channel, line: str, thread_ts: str | None) -> Delivery:
    parts = typed_text.pieces(workspace, line)
    text, blocks = typed_text.of_message(parts), typed_text.rich_text(parts)
    message = workspace.post(place.id, person.id, text, blocks=blocks, thread_ts=thread_ts)
    heard = await tell_of_message(workspace, message)
    if heard is not None:
        return heard
    absent = workspace.bot_user_id not in place.members and f"<@{workspace.bot_user_id}>" in text
    return Delivery("message", person.id, error=f"@{workspace.app_name} is not in #{place.name}." if absent else None)


async def _command(workspace: "Workspace", person: User, place: Channel, line: str, thread_ts: str | None) -> Delivery:
    word, _, rest = line.partition(" ")
    command = workspace.commands.get(word)
    if command is None or person.team_id != workspace.team_id:
        return Delivery("slash_command", person.id, error=f"{word} is not a valid command.")
    if thread_ts is not None:  # https://docs.slack.dev/interactivity/implementing-slash-commands#threads
        return Delivery("slash_command", person.id, error=f"{word} is not supported in threads. Sorry!")
    path = workspace.response_urls.give("commands", workspace.team_id, user=person.id, channel=place.id)
    text = typed_text.of_command(typed_text.pieces(workspace, rest.strip()), should_escape=command.should_escape)
    fields = payloads.slash_command(
        workspace,
        person,
        place,
        word,
        text,
        response_url=workspace.url + path,
        trigger_id=workspace.triggers.give(person.id, place=place.id),
    )
    delivery = await workspace.interacts("slash_command", person.id, fields, f"{word} failed with the error")
    if delivery.error is None:
        source = Source(person.id, place.id, None, 0.0)
        try:
            command_answer(workspace, source, line, delivery.answer, delivery.content_type)
        except (Refused, ValueError):
            return workspace.shows_error(delivery, f'{word} failed with the error "invalid_command_response"')
    return delivery

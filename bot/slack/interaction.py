"""Decode what somebody did in Slack, once at the door, and make a press of it and back.

A ``Interaction`` says who, where, and how to answer. Everything in it is Slack's own statement (the body was verified
before); names are left out because they can be changed and faked. What is missing in a payload is ``""``: a interaction
without a user is refused where the person is looked up, in words, and not by a ``KeyError`` here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bot.activeflows.stopping.stop import Press, PressKind


@dataclass(frozen=True, slots=True)
class Interaction:
    """Who did something, where, and how to answer."""

    user_id: str
    team_id: str
    """The person's own team: a stranger from Slack Connect has another one than the installation."""
    channel_id: str
    """Empty for App Home and modals."""
    response_url: str = field(repr=False, default="")
    """Five answers within 30 minutes; a secret. Empty when there is none."""
    trigger_id: str = field(repr=False, default="")
    message_ts: str = ""
    """The message whose button was pressed; empty for commands."""
    action_ts: str = ""
    """Identifies the press: the same signed click delivered twice has the same. Empty for commands."""
    ephemeral: bool = False
    """Was the pressed message only visible to the presser?"""
    thread_ts: str = ""
    """The thread the pressed message or the mention stands in."""
    modal_id: str = ""
    """The modal whose button was pressed."""
    at_home: bool = False
    """Was it pressed on the App Home?"""
    written_ts: str = ""
    """The message that asks, when it was written and not typed after the slash command."""

    @property
    def delivery(self) -> str:
        """The same when it is handed over twice, and another each time somebody does something; empty: nobody can
        tell.
        """
        return self.trigger_id or (f"{self.channel_id}/{self.written_ts}" if self.written_ts else "")


def from_command(body: Mapping[str, Any]) -> Interaction:
    """Make an interaction of a slash command. https://docs.slack.dev/interactivity/implementing-slash-commands"""
    return Interaction(
        user_id=_word(body, "user_id"),
        team_id=_word(body, "team_id"),
        channel_id=_word(body, "channel_id"),
        response_url=_word(body, "response_url"),
        trigger_id=_word(body, "trigger_id"),
    )


def from_message(event: Mapping[str, Any]) -> Interaction:
    """Make an interaction of a mention of the bot, or a direct message to it: it comes without a response_url and
    without a trigger.

    In a shared channel ``team`` may be the channel's, and ``user_team`` is the person's.
    https://docs.slack.dev/reference/events/app_mention, https://docs.slack.dev/reference/events/message.im
    """
    return Interaction(
        user_id=_word(event, "user"),
        team_id=_word(event, "user_team") or _word(event, "source_team") or _word(event, "team"),
        channel_id=_word(event, "channel"),
        thread_ts=_word(event, "thread_ts"),
        written_ts=_word(event, "ts"),
    )


def from_action(body: Mapping[str, Any]) -> Interaction:
    """Make an interaction of a press of a button or a menu.

    An ephemeral message comes without its body, so only ``container`` is relied on.
    https://docs.slack.dev/reference/interaction-payloads/block_actions-payload
    """
    actions = body.get("actions")
    action = actions[0] if isinstance(actions, list) and actions and isinstance(actions[0], Mapping) else {}
    container, view = _part(body, "container"), _part(body, "view")
    return Interaction(
        user_id=_word(_part(body, "user"), "id"),
        team_id=_word(_part(body, "user"), "team_id") or _word(_part(body, "team"), "id"),
        channel_id=_word(container, "channel_id") or _word(_part(body, "channel"), "id"),
        response_url=_word(body, "response_url"),
        trigger_id=_word(body, "trigger_id"),
        message_ts=_word(container, "message_ts") or _word(_part(body, "message"), "ts"),
        action_ts=_word(action, "action_ts"),
        ephemeral=container.get("is_ephemeral") is True,
        thread_ts=_word(container, "thread_ts") or _word(_part(body, "message"), "thread_ts"),
        modal_id=_word(container, "view_id") if view.get("type") == "modal" else "",
        at_home=view.get("type") == "home",
    )


def from_home(event: Mapping[str, Any]) -> Interaction:
    """Make an interaction of the Home being opened. https://docs.slack.dev/reference/events/app_home_opened"""
    return Interaction(user_id=_word(event, "user"), team_id="", channel_id="", at_home=True)


def from_view(body: Mapping[str, Any]) -> Interaction:
    """Make an interaction of a submitted or closed modal: it stands in no channel.

    https://docs.slack.dev/reference/interaction-payloads/view-interactions-payload
    """
    urls = body.get("response_urls")
    first = urls[0] if isinstance(urls, list) and urls and isinstance(urls[0], Mapping) else {}
    return Interaction(
        user_id=_word(_part(body, "user"), "id"),
        team_id=_word(_part(body, "user"), "team_id") or _word(_part(body, "team"), "id"),
        channel_id=_word(first, "channel_id"),
        response_url=_word(first, "response_url"),
        trigger_id=_word(body, "trigger_id"),
    )


def from_shortcut(body: Mapping[str, Any]) -> Interaction:
    """Make an interaction of a global or message shortcut.

    A message that began a thread stands in the channel, and is answered there.
    https://docs.slack.dev/reference/interaction-payloads/shortcuts-interaction-payload
    """
    message_ts, thread_ts = _word(body, "message_ts"), _word(_part(body, "message"), "thread_ts")
    return Interaction(
        user_id=_word(_part(body, "user"), "id"),
        team_id=_word(_part(body, "user"), "team_id") or _word(_part(body, "team"), "id"),
        channel_id=_word(_part(body, "channel"), "id"),
        response_url=_word(body, "response_url"),
        trigger_id=_word(body, "trigger_id"),
        message_ts=message_ts,
        action_ts=_word(body, "action_ts"),
        thread_ts="" if thread_ts == message_ts else thread_ts,
    )


def from_body(body: Mapping[str, Any]) -> Interaction | None:
    """Make whichever of these interactions it is, also of a kind that nobody knows; ``None`` for what no person did
    (an event).
    """
    match body.get("type"):
        case "block_actions" | "block_suggestion":
            return from_action(body)
        case "view_submission" | "view_closed":
            return from_view(body)
        case "shortcut" | "message_action":
            return from_shortcut(body)
        case None if "command" in body:
            return from_command(body)
        case None | "event_callback":
            return None
        case _:
            return from_shortcut(body)


def press_of(
    interaction: Interaction, card_id: str, at: datetime, *, wish: PressKind = PressKind.STOP, reason: str = ""
) -> Press:
    """Make a press on a card's button: what leads back to it in Slack is its reply address."""
    return Press(
        intent_id=card_id,
        by=interaction.user_id,
        team=interaction.team_id,
        channel=interaction.channel_id,
        click=interaction.action_ts,
        at=at,
        wish=wish,
        reason=reason,
        thread=interaction.thread_ts,
        reply_address={
            "message_ts": interaction.message_ts,
            "trigger_id": interaction.trigger_id,
            "response_url": interaction.response_url,
        },
    )


def from_press(press: Press) -> Interaction:
    """Return the way back, to answer a press where it was made."""
    return Interaction(
        user_id=press.by,
        team_id=press.team,
        channel_id=press.channel,
        response_url=_word(press.reply_address, "response_url"),
        trigger_id=_word(press.reply_address, "trigger_id"),
        message_ts=_word(press.reply_address, "message_ts"),
        action_ts=press.click,
        thread_ts=press.thread,
    )


def _part(body: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    part = body.get(key)
    return part if isinstance(part, Mapping) else {}


def _word(body: Mapping[str, Any], key: str) -> str:
    word = body.get(key)
    return word if isinstance(word, str) else ""

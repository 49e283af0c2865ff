"""The simulated Slack as tests and the demo use it: the team, plus everything people and the bot do with it.

Promises: what people do here reaches the bot as Slack would send it, signed over HTTP (`request_url`) or through the
socket (`socket_mode`), and what the bot answers is on the screens of those who would see it. The bot cannot tell it from
Slack. Nothing is mocked and nothing sleeps: a delivery returns when the bot has answered or after `patience` seconds.
"""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from bot.demo.slack import payloads
from bot.demo.slack.delivery import FORM, JSON, Delivery, Taken, posted, signed, timed
from bot.demo.slack.faults import Faults
from bot.demo.slack.inputs import state
from bot.demo.slack.installation import Command, Installation
from bot.demo.slack.limits import Limits
from bot.demo.slack.messages import Button, Message, View
from bot.demo.slack.modals import close, submit
from bot.demo.slack.people import Channel, User
from bot.demo.slack.refusals import Refused
from bot.demo.slack.response_urls import ResponseUrls, Source
from bot.demo.slack.responses import ResponseSeen, command_answer
from bot.demo.slack.socket_mode import Socket
from bot.demo.slack.team import Team
from bot.demo.slack.triggers import Triggers
from bot.demo.slack.web_api import CallSeen

_ENVELOPES = {"slash_command": "slash_commands", "event_callback": "events_api"}


class Workspace(Team, Installation):
    """A Slack workspace with the bot installed; set `url` to where `slack_app` is served (`serving_slack` does)."""

    def __init__(self, *, now: Callable[[], float] = time.time) -> None:
        Installation.__init__(self)
        Team.__init__(self, now=now)
        self.url = ""
        self.request_url: str | None = None
        self.socket_mode = False
        self.patience = 3.0
        self.faults = Faults()
        self.limits = Limits(self._time)
        self.triggers = Triggers(self._time)
        self.response_urls = ResponseUrls(self._time)
        self.socket = Socket(self)
        self.calls: list[CallSeen] = []
        self.responses: list[ResponseSeen] = []
        self.deliveries: list[Delivery] = []

    def _time(self) -> float:
        return self.now()  # asked anew each time, for a test may replace `now`

    # ---------------------------------------------------------------- what people do

    async def types(self, user: str, channel: str, text: str) -> Delivery:
        """Type a line: a command of this app is delivered, another one is not known, anything else is a message."""
        person, place = self.users[user], self._place(user, channel)
        if not text.startswith("/"):
            self.post(channel, user, text)
            return Delivery("message", user)
        word, _, rest = text.partition(" ")
        if word not in self.commands or person.team_id != self.team_id:
            return Delivery("slash_command", user, error=f"{word} is not a valid command.")
        path = self.response_urls.give("commands", self.team_id, user=user, channel=channel)
        fields = payloads.slash_command(
            self, person, place, word, rest.strip(), response_url=self.url + path, trigger_id=self.triggers.give(user)
        )
        delivery = await self._hand_over("slash_command", user, fields, f"{word} failed with the error")
        if delivery.error is None:
            try:
                command_answer(self, Source(user, channel, None, 0.0), text, delivery.answer, delivery.content_type)
            except (Refused, ValueError):
                return self.shows_error(delivery, f'{word} failed with the error "invalid_command_response"')
        return delivery

    async def clicks(
        self,
        user: str,
        message: Message | View,
        action_id: str,
        *,
        value: str | None = None,
        nth: int = 0,
        confirm: bool = True,
    ) -> Delivery:
        """Press a button, or choose an option, as it stands in `message` (or in a modal or Home tab).

        `nth` counts among those with this `action_id` (and `value`, when given). With `confirm=False` the person
        answers "no" to Slack's own confirm dialog, so nothing is delivered. Raises LookupError when there is no such
        button on this person's screen.
        """
        button = _found(message, action_id, value, nth)
        if button.confirm and not confirm:
            return Delivery("block_actions", user)
        if isinstance(message, View):
            return await self._press_in_view(user, message, button)
        self._place(user, message.channel)
        if message.ephemeral_to not in {None, user}:
            raise LookupError(f"{user} does not see this message, it is only for {message.ephemeral_to}")
        path = self.response_urls.give(
            "actions", self.team_id, user=user, channel=message.channel, message_ts=message.ts
        )
        urls = {"response_url": self.url + path, "trigger_id": self.triggers.give(user)}
        payload = payloads.press_in_message(self, self.users[user], self._now_at(message), button, **urls)
        return await self._interacts("block_actions", user, payload)

    async def submits(self, user: str, view: View, values: Mapping[str, Mapping[str, Any]]) -> Delivery:
        """Fill the modal in (`{block_id: {action_id: value}}`, see `inputs`) and press its submit button."""
        return await submit(self, self.users[user], view, values)

    async def closes(self, user: str, view: View, *, everything: bool = False) -> Delivery:
        """Close the modal (or with `everything` the whole stack); delivered only when it asked for `notify_on_close`."""
        return await close(self, self.users[user], view, everything=everything)

    async def opens_home(self, user: str) -> Delivery:
        """Open the App Home tab."""
        home = self.home_of(user)
        shown = {"view": payloads.view_json(self, home, {})} if home else {}
        place = self.direct_channel(user).id
        return await self.tells({"type": "app_home_opened", "user": user, "channel": place, "tab": "home", **shown})

    async def uses_shortcut(self, user: str, message: Message, callback_id: str) -> Delivery:
        """Choose an entry of the message's "More actions" menu."""
        self._place(user, message.channel)
        path = self.response_urls.give("app", self.team_id, user=user, channel=message.channel)
        urls = {"response_url": self.url + path, "trigger_id": self.triggers.give(user)}
        payload = payloads.message_shortcut(self, self.users[user], self._now_at(message), callback_id, **urls)
        return await self._interacts("message_action", user, payload)

    async def uses_global_shortcut(self, user: str, callback_id: str) -> Delivery:
        """Choose an entry of the lightning-bolt menu."""
        trigger = self.triggers.give(user)
        payload = payloads.global_shortcut(self, self.users[user], callback_id, trigger_id=trigger)
        return await self._interacts("shortcut", user, payload)

    async def tells(self, event: Mapping[str, Any]) -> Delivery:
        """Deliver an event of the Events API, such as `{"type": "user_change", "user": {…}}`, once."""
        payload = payloads.event(self, event)
        return await self._hand_over("event_callback", str(event.get("user", "")), payload, "")

    async def delivers(self, body: bytes, headers: Mapping[str, str]) -> Delivery:
        """Post these bytes to the bot as they are: for replays and forgeries. Always over HTTP."""
        taken, seconds = await timed(lambda: posted(self.request_url, body, headers, patience=self.patience))
        return self._delivered(Delivery("raw", "", body=body, headers=dict(headers)), taken, seconds, "raw:")

    def signed(self, body: bytes, *, content_type: str = FORM, at: float | None = None) -> dict[str, str]:
        """Return the headers with which `delivers` makes a valid delivery of `body`."""
        return signed(self.signing_secret, body, content_type=content_type, at=at)

    # ---------------------------------------------------------------- how it reaches the bot

    async def interacts(self, kind: str, user: str, payload: Mapping[str, Any], shown: str) -> Delivery:
        """Deliver an interaction; `shown` is what the person reads when the bot does not take it."""
        return await self._hand_over(kind, user, payload, shown)

    async def _interacts(self, kind: str, user: str, payload: Mapping[str, Any]) -> Delivery:
        return await self._hand_over(kind, user, payload, f"{self.app_name} failed with the error")

    async def _press_in_view(self, user: str, view: View, button: Button) -> Delivery:
        trigger = self.triggers.give(user, view.id)
        present = self.view(view.id) or view
        pressed = payloads.press_in_view(
            self, self.users[user], present, button, state(present, {}), trigger_id=trigger
        )
        return await self._interacts("block_actions", user, pressed)

    async def _hand_over(self, kind: str, user: str, payload: Mapping[str, Any], shown: str) -> Delivery:
        body, content_type = _encoded(kind, payload)
        headers: dict[str, str] = {} if self.socket_mode else self.signed(body, content_type=content_type)
        planned = Delivery(kind, user, payload, body, headers)
        if self.socket_mode:
            envelope = _ENVELOPES.get(kind, "interactive")
            taken, seconds = await timed(lambda: self.socket.deliver(envelope, payload, patience=self.patience))
        else:
            taken, seconds = await timed(lambda: posted(self.request_url, body, headers, patience=self.patience))
        return self._delivered(planned, taken, seconds, shown)

    def _delivered(self, planned: Delivery, taken: Taken, seconds: float, shown: str) -> Delivery:
        error = f'{shown} "{taken.error}"' if taken.error else None
        delivery = Delivery(
            planned.kind,
            planned.user,
            planned.payload,
            planned.body,
            planned.headers,
            taken.status,
            taken.answer,
            taken.content_type,
            seconds,
            error,
        )
        self.deliveries.append(delivery)
        self.changed()
        return delivery

    def shows_error(self, delivery: Delivery, error: str) -> Delivery:
        """Say that Slack could not use what the bot answered: the same delivery, with this error, also in `deliveries`."""
        wrong = replace(delivery, error=error)
        self.deliveries[self.deliveries.index(delivery)] = wrong
        self.changed()
        return wrong

    def _place(self, user: str, channel: str) -> Channel:
        place = self.channels[channel]
        if user not in place.members:
            raise LookupError(f"{user} is not in #{place.name}, only {place.members} are")
        return place

    def _now_at(self, message: Message) -> Message:
        try:
            return self.message(message.channel, message.ts)
        except KeyError:
            return message


def _encoded(kind: str, payload: Mapping[str, Any]) -> tuple[bytes, str]:
    if kind == "slash_command":
        return urlencode(payload).encode(), FORM
    if kind == "event_callback":
        return json.dumps(payload).encode(), JSON
    return urlencode({"payload": json.dumps(payload)}).encode(), FORM


def _found(shown: Message | View, action_id: str, value: str | None, nth: int) -> Button:
    fitting = [b for b in shown.buttons if b.action_id == action_id and value in {None, b.value}]
    if len(fitting) <= nth:
        present = [(b.action_id, b.value, b.label) for b in shown.buttons]
        raise LookupError(f"no button {action_id!r} (value {value!r}, number {nth}) here, only {present}")
    return fitting[nth]


__all__ = ["Command", "Delivery", "Message", "User", "View", "Workspace"]

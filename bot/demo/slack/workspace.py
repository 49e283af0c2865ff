"""The simulated Slack as tests and the demo use it: the team, plus everything people and the bot do with it.

Promises: what people do here reaches the bot as Slack would send it, signed over HTTP (`request_url`) or through the
socket (`socket_mode`), and what the bot answers is on the screens of those who would see it. The bot cannot tell it
from Slack. Nothing is mocked and nothing sleeps: a delivery returns when the bot has answered or after `patience`
seconds.
"""

import time
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from bot.demo.slack import payloads
from bot.demo.slack.delivery import Delivery
from bot.demo.slack.faults import Faults
from bot.demo.slack.inputs import MenuOptions, Options, Triggers, menu_in, state, suggested
from bot.demo.slack.installation import Command
from bot.demo.slack.messages import Button, Message, Upload, View
from bot.demo.slack.method import Limits
from bot.demo.slack.outbound import Outbound
from bot.demo.slack.people import Channel, User
from bot.demo.slack.responses import ResponseSeen, ResponseUrls
from bot.demo.slack.typed_text import typed
from bot.demo.slack.view_methods import close, submit
from bot.demo.slack.web_api import CallSeen


class Workspace(Outbound):
    """A Slack workspace with the bot installed; set `url` to where `slack_app` is served (`serving_slack` does)."""

    def __init__(self, *, now: Callable[[], float] = time.time) -> None:
        super().__init__(now=now)
        self.url = ""
        self.faults = Faults()
        self.limits = Limits(self._time)
        self.triggers = Triggers(self._time)
        self.response_urls = ResponseUrls(self._time)
        self.calls: list[CallSeen] = []
        self.responses: list[ResponseSeen] = []
        self.uploads: dict[str, Upload] = {}
        self._offered: dict[tuple[str, str, str, str], Options] = {}

    def _time(self) -> float:
        return self.now()  # asked anew each time, for a test may replace `now`

    # ---------------------------------------------------------------- what people do

    async def types(self, user: str, channel: str, text: str, *, thread_ts: str | None = None) -> Delivery:
        """Type a line, in the thread under `thread_ts` when given; `@name` and `#channel` are picked as Slack offers
        them.

        A command of this app is delivered, another one is not known, and anything else is a message: the delivery is
        then that of the event, if the app hears of it.
        """
        return await typed(self, self.users[user], self._place(user, channel), text, thread_ts)

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
        return await self._presses(user, message, button)

    async def looks_up(
        self,
        user: str,
        shown: Message | View,
        action_id: str,
        typed: str = "",
        *,
        values: Mapping[str, Mapping[str, Any]] = MappingProxyType({}),
        block_id: str = "",
    ) -> MenuOptions:
        """Open the external menu with this `action_id`, or type in it; `values` as in `submits`, without this menu's
        own.

        Raises LookupError when there is no such menu on this person's screen.
        """
        menu, found = menu_in(shown, action_id, block_id)
        self._sees(user, shown)
        offered = await suggested(self, user, shown, menu, found, typed, values)
        self._offered[(user, _id_of(shown), found, action_id)] = offered.options
        return offered

    async def chooses(
        self, user: str, shown: Message | View, action_id: str, value: str, *, block_id: str = ""
    ) -> Delivery:
        """Choose an option that the external menu offers. Raises LookupError when it offers no such one."""
        menu, found = menu_in(shown, action_id, block_id)
        options = self._offered.get((user, _id_of(shown), found, action_id), ())
        option = next((each for each in options if each["value"] == value), None)
        if option is None:
            raise LookupError(f"{action_id!r} offers no {value!r}, only {[each['value'] for each in options]}")
        button = Button(str(option["text"]["text"]), action_id, found, value, menu, option)
        return await self._presses(user, shown, button)

    def offered_in(self, user: str, view: View) -> Mapping[tuple[str, str], Options]:
        """Return what the external menus of this view offer, by block_id and action_id."""
        here = (user, view.id)
        return {key[2:]: options for key, options in self._offered.items() if key[:2] == here}

    async def _presses(self, user: str, message: Message | View, button: Button) -> Delivery:
        self._sees(user, message)
        if isinstance(message, View):
            return await self._press_in_view(user, message, button)
        path = self.response_urls.give(
            "actions", self.team_id, user=user, channel=message.channel, message_ts=message.ts
        )
        urls = {"response_url": self.url + path, "trigger_id": self.triggers.give(user, place=message.channel)}
        payload = payloads.press_in_message(self, self.users[user], self._now_at(message), button, **urls)
        return await self._interacts("block_actions", user, payload)

    async def submits(self, user: str, view: View, values: Mapping[str, Mapping[str, Any]]) -> Delivery:
        """Fill the modal in (`{block_id: {action_id: value}}`, see `inputs`) and press its submit button."""
        return await submit(self, self.users[user], view, values)

    async def closes(self, user: str, view: View, *, everything: bool = False) -> Delivery:
        """Close the modal (or with `everything` the whole stack); delivered only when it asked for
        `notify_on_close`.
        """
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
        urls = {"response_url": self.url + path, "trigger_id": self.triggers.give(user, place=message.channel)}
        payload = payloads.message_shortcut(self, self.users[user], self._now_at(message), callback_id, **urls)
        return await self._interacts("message_action", user, payload)

    async def uses_global_shortcut(self, user: str, callback_id: str, *, channel: str = "") -> Delivery:
        """Choose an entry of the lightning-bolt menu, while looking at this channel: only a modal learns which it
        was.
        """
        trigger = self.triggers.give(user, place=channel)
        payload = payloads.global_shortcut(self, self.users[user], callback_id, trigger_id=trigger)
        return await self._interacts("shortcut", user, payload)

    async def changes_channel_id(self, old: str, new: str) -> Delivery | None:
        """Give a channel another id, as sharing it does; the app hears of it when it is subscribed."""
        self.change_channel_id(old, new)
        self.response_urls.move(old, new)
        if "channel_id_changed" not in self.events:
            return None
        return await self.tells({"type": "channel_id_changed", "old_channel_id": old, "new_channel_id": new})

    # ---------------------------------------------------------------- how it reaches the bot

    async def _interacts(self, kind: str, user: str, payload: Mapping[str, Any]) -> Delivery:
        return await self.interacts(kind, user, payload, f"{self.app_name} failed with the error")

    async def _press_in_view(self, user: str, view: View, button: Button) -> Delivery:
        trigger = self.triggers.give(user, view.id)
        present = self.view(view.id) or view
        pressed = payloads.press_in_view(
            self, self.users[user], present, button, state(present, {}), trigger_id=trigger
        )
        return await self._interacts("block_actions", user, pressed)

    def _sees(self, user: str, shown: Message | View) -> None:
        if isinstance(shown, View):
            return
        self._place(user, shown.channel)
        if shown.ephemeral_to not in {None, self.same(user)}:
            raise LookupError(f"{user} does not see this message, it is only for {shown.ephemeral_to}")

    def _place(self, user: str, channel: str) -> Channel:
        place = self.channels[channel]
        if not self.inside(user, channel):
            raise LookupError(f"{user} is not in #{place.name}, only {place.members} are")
        return place

    def _now_at(self, message: Message) -> Message:
        try:
            return self.message(message.channel, message.ts)
        except KeyError:
            return message


def _id_of(shown: Message | View) -> str:
    return shown.id if isinstance(shown, View) else f"{shown.channel}/{shown.ts}"


def _found(shown: Message | View, action_id: str, value: str | None, nth: int) -> Button:
    fitting = [b for b in shown.buttons if b.action_id == action_id and value in {None, b.value}]
    if len(fitting) <= nth:
        present = [(b.action_id, b.value, b.label) for b in shown.buttons]
        raise LookupError(f"no button {action_id!r} (value {value!r}, number {nth}) here, only {present}")
    return fitting[nth]


__all__ = ["Command", "Delivery", "Message", "User", "View", "Workspace"]

"""Hand each listener one interaction with the means to answer it, and register what is listened to.

A listener gets no more than that and the parts of its own feature. Every job starts here, and every payload is decoded
here, but for the few kinds that only one listener knows.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias, TypeVar

from slack_bolt.context.ack.async_ack import AsyncAck

from bot.activeflows.operators import Operator, Permission
from bot.slack.interaction import Interaction, from_action, from_shortcut
from bot.slack.messaging.messenger import Message, Messenger, Posted, Redrawn
from bot.slack.people.identity import People
from bot.slack.transport.bolt_app import App
from bot.slack.transport.jobs import Jobs, Lane

R = TypeVar("R")


@dataclass(frozen=True)
class InteractionContext:
    """One interaction: who did it, how it is answered, and what is typed there."""

    interaction: Interaction
    command: str
    """What is typed before the words of a command here: ``/flows``, or a mention where that does not work."""
    messenger: Messenger
    people: People
    jobs: Jobs

    async def operator(self) -> Operator:
        """Whoever did it, to read. Raises ``IdentityUnknown``, as the next two."""
        return await self.people.operator(self.interaction)

    async def asker(self, permission: Permission) -> Operator:
        """Whoever did it, to ask for what is decided anew before it is done."""
        return await self.people.asker(self.interaction, permission)

    async def actor(self, *permissions: Permission) -> Operator:
        """Whoever did it, to do something at once that needs some of these permissions."""
        return await self.people.actor(self.interaction, *permissions)

    async def reply(self, message: Message, *, replace: bool = False, fleeting: bool = False) -> bool:
        """Tell them alone; whether they could see it. The rest is as in ``Messenger.privately``."""
        return await self.messenger.privately(self.interaction, message, replace=replace, fleeting=fleeting)

    async def post(self, message: Message) -> Posted | Redrawn:
        """Tell everybody in the channel."""
        return await self.messenger.publicly(self.interaction, message)

    def start(self, work: Callable[[], Awaitable[object]], *, doing: str = "", lane: Lane = Lane.READ) -> None:
        """Run it in the background, as in ``Jobs.start``."""
        self.jobs.start(self.interaction, work, doing=doing, lane=lane)


class Listener(Protocol):
    """Listens to what concerns one feature."""

    def register(self, listeners: "Listeners") -> None:
        """Tell ``listeners`` what to listen to."""
        ...


Reaction: TypeAlias = Callable[[InteractionContext, str], Awaitable[object]]
"""What a button does, given its value."""


@dataclass(frozen=True)
class Requested:
    """What a request that was typed leads to, and among what it waits for its turn."""

    reaction: Callable[[InteractionContext, Any], Awaitable[object]]
    lane: Lane


@dataclass(frozen=True)
class Listeners:
    """Registers listeners with Bolt. ``mention``: how the bot is mentioned, ``@flows-bot``."""

    app: App
    command: str
    mention: str
    messenger: Messenger
    people: People
    jobs: Jobs
    requests: dict[type[Any], Requested] = field(default_factory=dict)
    """By the kind of request."""

    def add(self, *listeners: "Listener") -> None:
        """Let each register what it listens to."""
        for listener in listeners:
            listener.register(self)

    def on_action(self, action_id: str, reaction: Reaction, *, doing: str = "", lane: Lane = Lane.READ) -> None:
        """Ack a button, and start what it leads to."""

        async def pressed(ack: AsyncAck, body: dict[str, Any]) -> None:
            await ack()
            context, value = self.context(from_action(body)), str(body["actions"][0].get("value", ""))
            context.start(lambda: reaction(context, value), doing=doing, lane=lane)

        self.app.hears_button(action_id, pressed)

    def on_shortcut(
        self,
        callback_id: str,
        reaction: Callable[[InteractionContext], Awaitable[object]],
        *,
        doing: str = "",
        lane: Lane = Lane.READ,
    ) -> None:
        """Ack a global shortcut, and start what it leads to."""

        async def used(ack: AsyncAck, body: dict[str, Any]) -> None:
            await ack()
            context = self.context(from_shortcut(body))
            context.start(lambda: reaction(context), doing=doing, lane=lane)

        self.app.hears_shortcut(callback_id, used)

    def on_press(self, action_id: str, record: Reaction) -> None:
        """Record a press, and ack it then."""

        async def pressed(ack: AsyncAck, body: dict[str, Any]) -> None:
            await record(self.context(from_action(body)), str(body["actions"][0].get("value", "")))
            await ack()

        self.app.hears_button(action_id, pressed)

    def on_request(
        self, kind: type[R], reaction: Callable[[InteractionContext, R], Awaitable[object]], *, lane: Lane = Lane.READ
    ) -> None:
        """Carry out what was typed, after the command or a mention."""
        self.requests[kind] = Requested(reaction, lane)

    def context(self, interaction: Interaction, *, command: str = "") -> InteractionContext:
        """The interaction with what it takes to answer it: in a thread there are no slash commands, but mentions.

        https://docs.slack.dev/interactivity/implementing-slash-commands#threads
        """
        typed = command or (self.mention if interaction.thread_ts else self.command)
        return InteractionContext(interaction, typed, self.messenger, self.people, self.jobs)

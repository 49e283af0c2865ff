"""Hand each listener one interaction with the means to answer it, and register what is listened to.

A listener gets no more than that and the parts of its own feature. Every job starts here, and every payload is decoded
here, but for the few kinds that only one listener knows.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, TypeAlias, TypeVar

from slack_bolt.context.ack.async_ack import AsyncAck

from bot.activeflows.operators import Operator, Permission
from bot.slack.blocks.help import not_understood
from bot.slack.grammar.table import NoAccount, read_account, which, written
from bot.slack.interaction import Interaction, from_action, from_shortcut
from bot.slack.messaging.messenger import DOUBTFUL, EditResult, Message, Messenger, SentMessage, marked_id, not_shown
from bot.slack.people.identity import People
from bot.slack.transport.intake import App
from bot.slack.transport.jobs import JobNotices, Jobs, Lane

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
    voice: JobNotices | None = None
    """Of the VoIPBIN account that it is about, where there are several."""

    async def operator(self) -> Operator:
        """Identify whoever did it, to read. Raises ``IdentityUnknown``, as the next two."""
        return await self.people.operator(self.interaction)

    async def read(self, read: Callable[[Operator], Awaitable[R]]) -> R:
        """Return what somebody may be told: read anew when the policy has changed while it was read."""
        while True:
            operator = await self.operator()
            told = await read(operator)
            if self.people.in_force(operator):
                return told

    async def asker(self, permission: Permission) -> Operator:
        """Identify whoever did it, to ask for what is decided anew before it is done."""
        return await self.people.asker(self.interaction, permission)

    async def actor(self, *permissions: Permission) -> Operator:
        """Identify whoever did it, to do something at once that needs some of these permissions."""
        return await self.people.actor(self.interaction, *permissions)

    async def reply(self, message: Message, *, replace: bool = False, fleeting: bool = False) -> bool:
        """Tell them alone; whether they could see it. The rest is as in ``Messenger.privately``."""
        return await self.messenger.privately(self.interaction, message, replace=replace, fleeting=fleeting)

    async def post(self, message: Message) -> SentMessage | EditResult:
        """Tell everybody in the channel."""
        return await self.messenger.publicly(self.interaction, message)

    async def post_card(
        self, card: Message, *, put_away: Callable[[], Awaitable[object]], keep: Callable[[str], Awaitable[object]]
    ) -> SentMessage | None:
        """Post the card of a stop, or of many. If it stands nowhere, it is ``put_away`` and the asker is told.

        ``keep``: remembers where it stands.
        """
        posted = await self.post(card)
        if not isinstance(posted, SentMessage):
            await put_away()
            await self.reply(_not_posted(posted.error))
            return None
        if posted.ts:
            await keep(posted.ts)
        return posted

    def start(self, work: Callable[[], Awaitable[object]], *, doing: str = "", lane: Lane = Lane.READ) -> None:
        """Run it in the background, as in ``Jobs.start``."""
        self.jobs.start(self.interaction, work, doing=doing, lane=lane, voice=self.voice)


def _not_posted(error: str) -> Message:
    """Say that the card is perhaps not there; it was put away, so that it stops nothing if it is."""
    told = not_shown("The stop card", error, again="ask again, here or in another channel")
    if error in DOUBTFUL:
        return Message(f"{told} It was cancelled, so it can stop nothing. Nothing was stopped. Ask again.")
    return Message(f"{told} Nothing was stopped.")


class Listener(Protocol):
    """Listens to what concerns one feature."""

    def register(self, listeners: "Listeners") -> None:
        """Tell ``listeners`` what to listen to."""
        ...


Reaction: TypeAlias = Callable[[InteractionContext, str], Awaitable[object]]
"""What a button does, given its value."""


@dataclass(frozen=True)
class RequestRoute:
    """What a request that was typed leads to, and among what it waits for its turn."""

    reaction: Callable[[InteractionContext, Any], Awaitable[object]]
    lane: Lane


PayloadReaction: TypeAlias = Callable[[InteractionContext, dict[str, Any]], Awaitable[object]]
"""What something else leads to that happens in Slack, given its payload."""


@dataclass(frozen=True)
class Accounts:
    """The listeners of each VoIPBIN account by its name, and the account that is meant in a channel (empty: none
    is).
    """

    listeners: "dict[str, Listeners]" = field(default_factory=dict)
    meant_in: Callable[[str], str] = lambda _: ""


@dataclass(frozen=True)
class Listeners:
    """Registers the listeners of one VoIPBIN account with Bolt. ``mention``: how the bot is mentioned, ``@flows-bot``.

    Buttons and forms carry their account (``messenger``). What carries none (commands, mentions, shortcuts, the Home)
    Bolt gives to the first who registered, and ``meant`` leads on from there.
    """

    app: App
    command: str
    mention: str
    messenger: Messenger
    people: People
    jobs: Jobs
    requests: dict[type[Any], RequestRoute] = field(default_factory=dict)
    """By the kind of request."""
    events: dict[str, PayloadReaction] = field(default_factory=dict)
    """By the name of an event, or the id of a shortcut."""
    account: str = ""
    """Where there are several."""
    accounts: Accounts = field(default_factory=Accounts)

    def __post_init__(self) -> None:
        self.accounts.listeners.setdefault(self.account, self)

    def add(self, *listeners: "Listener") -> None:
        """Let each register what it listens to."""
        for listener in listeners:
            listener.register(self)

    def on_action(self, action_id: str, reaction: Reaction, *, doing: str = "", lane: Lane = Lane.READ) -> None:
        """Ack a button, and start what it leads to."""

        def pressed(body: dict[str, Any]) -> None:
            context, value = self.context(from_action(body)), str(body["actions"][0].get("value", ""))
            context.start(lambda: reaction(context, value), doing=doing, lane=lane)

        self.app.hears("block_actions", marked_id(action_id, self.account), pressed)

    def on_shortcut(
        self,
        callback_id: str,
        reaction: Callable[[InteractionContext], Awaitable[object]],
        *,
        doing: str = "",
        lane: Lane = Lane.READ,
    ) -> None:
        """Ack a global shortcut, and start what it leads to for the account that is meant where no channel says one."""
        self.events[callback_id] = lambda context, _: reaction(context)

        def used(body: dict[str, Any]) -> None:
            self._start_meant(callback_id, body, doing=doing, lane=lane)

        self.app.hears("shortcut", callback_id, used)

    def on_press(self, action_id: str, record: Reaction) -> None:
        """Record a press, and ack it then."""

        async def pressed(ack: AsyncAck, body: dict[str, Any]) -> None:
            await record(self.context(from_action(body)), str(body["actions"][0].get("value", "")))
            await ack()

        self.app.waits_for("block_actions", marked_id(action_id, self.account), pressed)

    def on_message_shortcut(self, callback_id: str, reaction: PayloadReaction, *, doing: str) -> None:
        """Ack a shortcut on a message, and start what it leads to for the account of its channel."""
        self.events[callback_id] = reaction

        @self.app.message_shortcut(callback_id)
        async def used(ack: AsyncAck, body: dict[str, Any]) -> None:
            await ack()
            self._start_meant(callback_id, body, doing=doing, lane=Lane.READ)

    def _start_meant(self, callback_id: str, body: dict[str, Any], *, doing: str, lane: Lane) -> None:
        """Start what a shortcut leads to, with the listeners of the account that is meant."""
        interaction = from_shortcut(body)
        found = self.meant(interaction)
        if found is not None:
            context, does = found[0].context(interaction), found[0].events[callback_id]
            context.start(lambda: does(context, body), doing=doing, lane=lane)

    def on_request(
        self, kind: type[R], reaction: Callable[[InteractionContext, R], Awaitable[object]], *, lane: Lane = Lane.READ
    ) -> None:
        """Carry out what was typed, after the command or a mention."""
        self.requests[kind] = RequestRoute(reaction, lane)

    def meant(self, interaction: Interaction, text: str = "", *, command: str = "") -> "tuple[Listeners, str] | None":
        """Return the listeners of the account that this is about, and the line without it; ``None``: whoever did it
        is told why not.
        """
        accounts = self.accounts.listeners
        if list(accounts) == [""]:
            return self, text
        try:
            said, rest = read_account(text, accounts)
            said = said or self.accounts.meant_in(interaction.channel_id)
            if said not in accounts:
                raise which(accounts)
        except NoAccount as none:
            anybody = replace(self.context(interaction), messenger=self.messenger.of(""), voice=None)
            typed = (command or anybody.command).removesuffix(written(self.account)) + written(none.meant)
            words = not_understood(none.refusal, command=typed)
            anybody.start(lambda: anybody.reply(words), lane=Lane.LIGHT)
            return None
        return accounts[said], rest

    def at_home(self, event: str, interaction: Interaction) -> tuple[InteractionContext, PayloadReaction]:
        """Return what is done about it for the account that is meant where nobody can say which: the default one, or
        the first.
        """
        accounts = self.accounts.listeners
        first = accounts.get(self.accounts.meant_in("")) or next(iter(accounts.values()))
        return first.context(interaction), first.events[event]

    def context(self, interaction: Interaction, *, command: str = "") -> InteractionContext:
        """Return the interaction with what it takes to answer it: in a thread there are no slash commands, but
        mentions.

        https://docs.slack.dev/interactivity/implementing-slash-commands#threads
        """
        typed = command or (self.mention if interaction.thread_ts else self.command)
        voice = JobNotices(self.messenger, self.command) if self.account else None
        return InteractionContext(interaction, typed, self.messenger, self.people, self.jobs, voice)

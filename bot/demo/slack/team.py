"""The state of the simulated workspace: its people, its channels, what is written there, which views are open.

Promises: every change goes through a method here and rings a bell (`changed`), so that whoever waits wakes at once; no
wire format lives here. Times are seconds of the epoch from one clock, `now`, which a test may replace.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from bot.demo.slack.messages import Message, View, with_ids
from bot.demo.slack.people import Channel, Group, User

# ---------------------------------------------------------------- observable
# How everybody who waits for a change of the workspace learns of it at once.

T = TypeVar("T")


class Observable:
    """Something that rings a bell at each change; `version` counts them."""

    def __init__(self) -> None:
        self.version = 0
        self._bell = asyncio.Event()

    def dump(self) -> str:
        """Return what it is like now, in words, for whoever waited in vain."""
        raise NotImplementedError

    def changed(self) -> None:
        """Wake everybody who waits for a change."""
        self.version += 1
        bell, self._bell = self._bell, asyncio.Event()
        bell.set()

    async def next_change(self, seconds: float | None = None) -> bool:
        """Wait for the next change. Return False when `seconds` passed without one."""
        try:
            await asyncio.wait_for(self._bell.wait(), seconds)
        except TimeoutError:
            return False
        return True

    async def until(self, condition: Callable[[], T | bool | None], *, seconds: float = 30) -> T:
        """Wait until `condition` returns something true, and return that; a LookupError inside it means "not yet".

        Wakes on every change of the workspace; for conditions that also ask elsewhere it looks again every 50 ms.
        Raises AssertionError with a dump of what people see when `seconds` have passed.
        """
        last = asyncio.get_running_loop().time() + seconds
        while True:
            found = _tried(condition)
            if found is not None and found is not False:
                return found  # type: ignore[return-value]  # True comes back as T = bool
            if asyncio.get_running_loop().time() >= last:
                raise AssertionError(f"not seen within {seconds} s; what people see now:\n{self.dump()}")
            await self.next_change(0.05)


def _tried(condition: Callable[[], T | bool | None]) -> T | bool | None:
    try:
        return condition() or None
    except LookupError:
        return None


# ---------------------------------------------------------------- background
# What Slack does while nobody waits for it: events that follow a message, and second deliveries.


class Background:
    """Tasks that run until they are done, or until `close`."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()

    def start(self, work: Coroutine[Any, Any, Any]) -> None:
        """Run this beside everything else."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Give up what still waits."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


# ---------------------------------------------------------------- team


class Team(Observable):
    """A workspace with one installed app. All public attributes may be read; the methods change them."""

    def __init__(self, *, now: Callable[[], float] = time.time) -> None:
        super().__init__()
        self.now = now
        self.name = "Northwind Voice"
        self.domain = "northwind-voice"
        self.team_id = "T0NORTHWND"
        self.enterprise_id: str | None = None
        self.api_app_id = "A0FLOWSAPP"
        self.bot_user_id = "U0FLOWSBOT"
        self.bot_id = "B0FLOWSBOT"
        self.app_name = "flows-bot"
        self.escapes_values = False
        self.users: dict[str, User] = {}
        self.groups: dict[str, Group] = {}
        self.channels: dict[str, Channel] = {}
        self.names: dict[str, str] = {}
        self._messages: dict[str, dict[str, Message]] = {}
        self._views: dict[str, list[View]] = {}
        self._homes: dict[str, View] = {}
        self._same: dict[str, str] = {}
        self._last_ts = 0
        self.add_user(self.bot_user_id, "flows-bot", real_name=self.app_name, is_bot=True)

    # ---------------------------------------------------------------- people and places

    def add_user(self, id: str, name: str, **flags: Any) -> User:  # noqa: A002  # Slack's own word
        """Add a person; `flags` are the fields of `User` (`is_restricted=True`, `team_id="T0OTHER"`, …).

        With `grid_id` the person has two ids: both may act and be asked for, users.info answers with `id`.
        """
        user = User(id, name, **{"team_id": self.team_id, "enterprise_id": self.enterprise_id, **flags})
        self.users[id] = user
        self.names[id] = user.display_name
        if user.grid_id:
            self.users[user.grid_id] = replace(user, id=user.grid_id, grid_id=user.grid_id)
            self.names[user.grid_id] = user.display_name
            self._same[user.grid_id] = id
        return user

    def same(self, user: str) -> str:
        """Return the id under which this person is known here, for either of theirs."""
        return self._same.get(user, user)

    def add_channel(  # the flags are named in the sentence
        self,
        id: str,  # noqa: A002  # Slack's own word
        name: str,
        *,
        members: Iterable[str],
        bot_is_member: bool = True,
        **flags: Any,
    ) -> Channel:
        """Add a channel; `flags` are the fields of `Channel` (`is_private=True`, `is_ext_shared=True`, …)."""
        present = [*members, *([self.bot_user_id] if bot_is_member else [])]
        channel = Channel(id, name, members=list(dict.fromkeys(present)), **flags)
        self.channels[id] = channel
        self.names[id] = name
        self.changed()
        return channel

    def inside(self, user: str, channel: str) -> bool:
        """Tell whether this person is in this channel, under either of their ids."""
        return self.same(user) in map(self.same, self.channels[channel].members)

    def change_channel_id(self, old: str, new: str) -> Channel:
        """Give a channel another id, as when it is shared (`G…` becomes `C…`): its messages keep their `ts`.

        https://docs.slack.dev/reference/events/channel_id_changed; the old id is not found from then on.
        """
        channel = self.channels.pop(old)
        channel.id = new
        self.channels[new] = channel
        self.names[new] = channel.name
        moved = self._messages.pop(old, {})
        self._messages[new] = {ts: replace(message, channel=new) for ts, message in moved.items()}
        self.changed()
        return channel

    def add_group(self, id: str, handle: str, members: Iterable[str]) -> Group:  # noqa: A002  # Slack's own word
        """Add a user group; its `members` list may be changed later."""
        self.groups[id] = Group(id, handle, self.team_id, list(members))
        self.names[id] = handle
        return self.groups[id]

    def direct_channel(self, user: str) -> Channel:
        """Return the direct messages between this person and the bot, opened at first use."""
        user = self.same(user)
        for channel in self.channels.values():
            if channel.im_with == user:
                return channel
        id_ = "D" + user[1:]
        self.channels[id_] = Channel(id_, self.app_name, members=[user, self.bot_user_id], im_with=user)
        return self.channels[id_]

    # ---------------------------------------------------------------- messages

    def new_ts(self) -> str:
        """Return a fresh message id: seconds of the epoch with six digits, each later than the one before."""
        self._last_ts = max(self._last_ts + 1, int(self.now() * 1_000_000))
        return f"{self._last_ts // 1_000_000}.{self._last_ts % 1_000_000:06d}"

    def post(
        self,
        channel: str,
        user: str,
        text: str,
        *,
        blocks: Sequence[Mapping[str, Any]] = (),
        ephemeral_to: str | None = None,
        thread_ts: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        attachments: Sequence[Mapping[str, Any]] = (),
        files: Sequence[Mapping[str, Any]] = (),
    ) -> Message:
        """Put a message into a channel, for all there or for one.

        One that only one person would see is not shown in a thread nobody has answered in:
        https://docs.slack.dev/reference/methods/chat.postEphemeral#threads.
        """
        message = Message(
            channel,
            self.new_ts(),
            user,
            text,
            with_ids(blocks),
            ephemeral_to=self.same(ephemeral_to) if ephemeral_to else None,
            thread_ts=thread_ts,
            by_bot=user == self.bot_user_id,
            metadata=metadata,
            attachments=tuple(attachments),
            files=tuple(files),
            names=self.names,
        )
        if ephemeral_to is None or thread_ts is None or self.replies(channel, thread_ts):
            self._messages.setdefault(channel, {})[message.ts] = message
        self.changed()
        return message

    def edit(
        self, message: Message, *, text: str, blocks: Sequence[Mapping[str, Any]] = (), marked: bool = True
    ) -> Message:
        """Put other content in its place; `marked` shows readers the word "(edited)"."""
        edited = replace(message, text=text, blocks=with_ids(blocks), edited=marked or message.edited)
        self._messages[message.channel][message.ts] = edited
        self.changed()
        return edited

    def delete(self, channel: str, ts: str) -> None:
        """Take a message away; none there is fine."""
        self._messages.get(channel, {}).pop(ts, None)
        self.changed()

    def message(self, channel: str, ts: str) -> Message:
        """Return the message as it stands now. Raises KeyError when there is none."""
        return self._messages[channel][ts]

    def present(self, channel: str, ts: str) -> Message | None:
        """Return the message as it stands now, or None."""
        return self._messages.get(channel, {}).get(ts)

    def replies(self, channel: str, ts: str) -> list[Message]:
        """Return what everybody in the channel sees in the thread under this message, in order."""
        written = self._messages.get(channel, {}).values()
        return [m for m in written if m.thread_ts == ts != m.ts and m.ephemeral_to is None]

    def sees(self, user: str, channel: str) -> list[Message]:
        """Return what this person sees in the channel now: public messages and their own ephemeral ones, in order.

        Replies in threads are among them (`thread_ts`). Somebody outside the channel sees only what is ephemeral to
        them.
        """
        user, inside = self.same(user), self.inside(user, channel)
        written = sorted(self._messages.get(channel, {}).values(), key=lambda message: message.ts)
        return [m for m in written if m.ephemeral_to == user or (m.ephemeral_to is None and inside)]

    # ---------------------------------------------------------------- views

    def views_of(self, user: str) -> list[View]:
        """Return the stack of modals this person has open, the visible one last."""
        return list(self._views.get(self.same(user), ()))

    def view(self, id: str) -> View | None:  # noqa: A002  # Slack's own word
        """Return an open modal or a Home tab by its id."""
        everywhere = [*self._homes.values(), *(view for stack in self._views.values() for view in stack)]
        return next((view for view in everywhere if view.id == id), None)

    def home_of(self, user: str) -> View | None:
        """Return the Home tab as published for this person."""
        return self._homes.get(self.same(user))

    def stack(self, user: str, views: Sequence[View]) -> None:
        """Make these the modals this person has open."""
        self._views[self.same(user)] = list(views)
        self.changed()

    def publish(self, home: View) -> None:
        """Show this Home tab to its person."""
        self._homes[self.same(home.user)] = home
        self.changed()

    def put_view(self, view: View) -> None:
        """Replace the open modal or Home tab with the same id."""
        if view.type == "home":
            self.publish(view)
        else:
            self.stack(view.user, [view if view.id == open_.id else open_ for open_ in self.views_of(view.user)])

    # ---------------------------------------------------------------- in words

    def dump(self) -> str:
        """Return what everybody sees, in words."""
        lines = []
        for id_, channel in self.channels.items():
            for m in sorted(self._messages.get(id_, {}).values(), key=lambda message: message.ts):
                reader = f" (only to {m.ephemeral_to})" if m.ephemeral_to else ""
                lines.append(f"#{channel.name} {m.ts} {m.user}{reader}: {m.words}")
        for user, stack in self._views.items():
            lines += [f"modal of {user}: {view.words}" for view in stack]
        lines += [f"Home of {user}: {home.words}" for user, home in self._homes.items()]
        return "\n".join(lines) or "(nothing)"

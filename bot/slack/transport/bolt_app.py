"""Find the listeners of commands, buttons, menus and global shortcuts by name, and leave the rest to Bolt.

Bolt tries one listener after the other, and makes a client for each request: half of an ack. What is known by its name is
called from a table instead. Events, modals, message shortcuts and whatever is not known are Bolt's.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, TypeAlias

from slack_bolt.async_app import AsyncApp
from slack_bolt.context.ack.async_ack import AsyncAck
from slack_bolt.response import BoltResponse

Heard: TypeAlias = Callable[[AsyncAck, dict[str, Any]], Awaitable[object]]
"""What listens to one of these: it takes ``ack`` and ``body``, and acks. A menu's options are its ack."""
_NAMES: Final = {"command": "command", "block_suggestion": "action_id", "shortcut": "callback_id"}
"""In which field of the payload the name stands."""
Bug: TypeAlias = Callable[[Exception, Mapping[str, Any]], Awaitable[BoltResponse]]


class App(AsyncApp):
    """Bolt's app. ``heard`` answers what it has in its table, ``async_dispatch`` everything."""

    def __init__(self, **more: Any) -> None:
        super().__init__(**more)
        self._table: dict[tuple[str, str], Heard] = {}
        self._bug: Bug | None = None

    def on_bug(self, answer: Bug) -> None:
        """Let this answer when a listener fails, and when there is none."""
        self._bug = answer
        self.error(answer)

    def hears_command(self, name: str, listener: Heard) -> None:
        """Listen to a command."""
        self._table.setdefault(("command", name), listener)  # the first is meant, as with Bolt
        self.command(name)(listener)

    def hears_button(self, action_id: str, listener: Heard) -> None:
        """Listen to a button."""
        self._table.setdefault(("block_actions", action_id), listener)
        self.action(action_id)(listener)

    def hears_options(self, action_id: str, listener: Heard) -> None:
        """Listen to an external menu that asks for its options."""
        self._table.setdefault(("block_suggestion", action_id), listener)
        self.options(action_id)(listener)

    def hears_shortcut(self, callback_id: str, listener: Heard) -> None:
        """Listen to a global shortcut."""
        self._table.setdefault(("shortcut", callback_id), listener)
        self.global_shortcut(callback_id)(listener)

    async def heard(self, kind: str, body: dict[str, Any]) -> BoltResponse | None:
        """The answer to a payload of this kind, shaped as Slack shapes it; ``None`` when it is for Bolt."""
        name = body["actions"][0]["action_id"] if kind == "block_actions" else body.get(_NAMES.get(kind, ""))
        listener = self._table.get((kind, name)) if isinstance(name, str) else None
        if listener is None:
            return None
        ack = AsyncAck()  # type: ignore[no-untyped-call]
        try:
            await listener(ack, body)
            if ack.response is None:
                raise RuntimeError("a listener that does not ack")  # noqa: TRY301 — answered as any bug
        except Exception as error:
            if self._bug is None:
                raise
            return await self._bug(error, body)
        return ack.response

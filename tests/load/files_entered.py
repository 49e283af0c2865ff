"""Count the files of the bot that one gesture enters: ``python -m tests.load.files_entered [--names]``. Prints a table.

The whole bot runs between the simulators over loopback. ``sys.setprofile`` tells of every function that begins, in each
thread; a file counts when a function of it begins between the gesture and what comes of it. Not counted are the
simulators and what the bot does by itself: the tasks and threads that are awake while nobody does anything. Every
gesture is done some times: ``first`` is the first time, with nothing remembered yet, ``each`` are the files that it
enters every time.
"""

import argparse
import asyncio
import logging
import sys
import tempfile
import threading
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from types import FrameType
from typing import Any, Final, TypeVar

import structlog

import bot
from bot.activeflows.stopping.stop import Patience
from bot.activeflows.watching.watch import WatchPace
from bot.composition.bootstrap import running
from bot.demo.serving import serving
from bot.demo.slack.app import serving_slack
from bot.demo.slack.messages import Message
from bot.demo.slack.workspace import Workspace
from bot.demo.voipbin.api import voipbin_app
from bot.demo.voipbin.event_stream import EventStream
from bot.demo.voipbin.state import Activeflow
from bot.demo.voipbin.world import World
from bot.settings import Settings
from bot.slack import ids

T = TypeVar("T")
CHANNEL, PERSON = "C0INCIDENTS", "U0ONCALL"
_ABOVE: Final = Path(bot.__file__).parents[1]
_POST: Final = ("bot/demo/voipbin/routes.py", "stop_activeflow")
"""The function of the simulated VoIPBIN that a stop arrives at."""
_IDLE: Final = 3.0
"""Seconds in which it is seen what the bot does by itself."""
_QUIET: Final = 0.3
"""Seconds in which nothing is entered, until a gesture is over."""
_POLICY: Final = f'[[grant]]\nto = ["{PERSON}"]\nmay = ["view", "stop"]\n'
_PATIENCE: Final = Patience(soon=(0.0, 0.05, 0.1), after=(0.0, 0.1, 0.1))
_PACE: Final = WatchPace(card_every=0.1)

LIST: Final = "/flows list"
CARD: Final = "/flows stop: the card"
PRESS: Final = "press to POST"
FINAL: Final = "POST to final card"
EVENT: Final = "event to watch card"
OPTIONS: Final = "options of a menu"


class Trace:
    """Who is entered. Install it before anything runs, so that it is in every thread."""

    def __init__(self) -> None:
        self.entered: set[str] = set()
        self.after_post: set[str] | None = None
        """What is entered from the POST on, when there is one to come."""
        self._idle: set[object] = set()
        self._learning = False
        self._names: dict[str, str] = {}

    def install(self) -> None:
        threading.setprofile(self._called)
        sys.setprofile(self._called)

    def remove(self) -> None:
        threading.setprofile(None)
        sys.setprofile(None)

    async def learn(self) -> None:
        """See what is awake although nobody does anything."""
        self._learning = True
        await asyncio.sleep(_IDLE)
        self._learning = False

    async def quiet(self) -> None:
        """Wait until nothing is entered any more, and forget what was."""
        while self.entered:
            self.entered.clear()
            await asyncio.sleep(_QUIET)

    def _called(self, frame: FrameType, event: str, _argument: object) -> None:
        if event != "call" or frame.f_code.co_name == "<module>":
            return
        name = self._name(frame.f_code.co_filename)
        if (name, frame.f_code.co_name) == _POST and self.after_post is not None:
            self.entered, self.after_post = self.after_post, None
        if not name or name.startswith("bot/demo/"):
            return
        who = _who()
        if self._learning and who is not None:
            self._idle.add(who)
        elif who not in self._idle:
            self.entered.add(name)

    def _name(self, file: str) -> str:
        """Relative to the project; empty for what is not the bot's."""
        if file not in self._names:
            path = Path(file)
            ours = path.is_relative_to(_ABOVE / "bot")
            self._names[file] = path.relative_to(_ABOVE).as_posix() if ours else ""
        return self._names[file]


def _who() -> object:
    """The task or the thread that is at work; ``None`` for one that works for everybody: the loop, and the ledger's."""
    try:
        return asyncio.current_task()
    except RuntimeError:
        thread = threading.current_thread()
        return None if thread.name.startswith("ledger") else thread


class Gestures:
    """One person, one channel, and the bot."""

    def __init__(self, trace: Trace) -> None:
        self._trace = trace
        self.slack, self.voipbin = Workspace(), World()
        self.slack.add_user(PERSON, "On Call")
        self.slack.add_channel(CHANNEL, "incidents", members=[PERSON])
        self.slack.patience = self.slack.triggers.seconds = 30.0
        self.found: dict[str, list[set[str]]] = {}

    async def begin(self, folder: Path, stack: AsyncExitStack) -> None:
        """Start the bot between its simulators."""
        policy = folder / "policy.toml"
        policy.write_text(_POLICY, encoding="utf-8")
        policy.chmod(0o600)
        slack_url = await stack.enter_async_context(serving_slack(self.slack))
        app = voipbin_app(self.voipbin, EventStream(self.voipbin))
        voipbin_url = await stack.enter_async_context(serving(app))
        settings: dict[str, Any] = {
            "slack_bot_token": self.slack.bot_token,
            "slack_signing_secret": self.slack.signing_secret,
            "slack_api_url": slack_url,
            "voipbin_api_url": f"{voipbin_url}/v1.0",
            "voipbin_access_key": self.voipbin.access_key,
            "voipbin_requests_per_second": 100,
            "flows_bot_policy": policy,
            "flows_bot_database_url": f"sqlite:///{folder / 'ledger.db'}",
            "flows_bot_port": 0,
        }
        whole = running(Settings(_env_file=None, **settings), patience=_PATIENCE, watch_pace=_PACE)  # type: ignore[call-arg] # pydantic-settings' own
        bot_ = await stack.enter_async_context(whole)
        self.slack.request_url = f"http://127.0.0.1:{bot_.port}/slack/events"

    async def all(self) -> None:
        """Each gesture once."""
        await self._counted(LIST, lambda: self._answered("/flows list"))
        activeflow = self.voipbin.rings(at="play")
        card = await self._counted(CARD, lambda: self._answered(f"/flows stop {activeflow.id}"))
        await self._stopped(activeflow, card)
        watched = self.voipbin.rings(at="play")
        watch_card = await self._answered(f"/flows watch {watched.id}")
        await self._counted(EVENT, lambda: self._moved(watched, watch_card))
        menu = await self._answered("/flows stop")
        await self._counted(OPTIONS, lambda: self.slack.looks_up(PERSON, menu, ids.PICK_STOP, ""))

    async def _counted(self, gesture: str, done: Callable[[], Awaitable[T]]) -> T:
        await self._trace.quiet()
        came_of_it = await done()
        self._keep(gesture)
        await self._trace.quiet()
        return came_of_it

    def _keep(self, gesture: str, entered: set[str] | None = None) -> None:
        self.found.setdefault(gesture, []).append(set(self._trace.entered if entered is None else entered))

    async def _answered(self, line: str) -> Message:
        """Type it, and wait for the message that comes of it."""
        seen = {message.ts for message in self.slack.sees(PERSON, CHANNEL)}
        await self.slack.types(PERSON, CHANNEL, line)
        return await self._until(lambda: next((m for m in self._sees() if m.ts not in seen), None))

    async def _stopped(self, activeflow: Activeflow, card: Message) -> None:
        """Press *Stop flow*, and wait for the card to say that it has ended."""
        await self._trace.quiet()
        before = self._trace.entered
        self._trace.after_post = set()
        await self.slack.clicks(PERSON, card, "stop.flow")
        await self._until(lambda: self._says(card, "Stopped"))
        assert activeflow.status == "ended"
        self._keep(PRESS, before)
        self._keep(FINAL)
        await self._trace.quiet()

    async def _moved(self, activeflow: Activeflow, card: Message) -> Message:
        self.voipbin.moves_to(activeflow, "queue_join")
        return await self._until(lambda: self._says(card, "entering a queue"))

    def _sees(self) -> list[Message]:
        return [m for m in self.slack.sees(PERSON, CHANNEL) if "Still working" not in m.words]

    def _says(self, card: Message, words: str) -> Message | None:
        now = self.slack.message(card.channel, card.ts)
        return now if words in now.words else None

    async def _until(self, look: Callable[[], Message | None]) -> Message:
        found = await self.slack.until(look, seconds=30)
        assert isinstance(found, Message)
        return found


async def counted(rounds: int) -> dict[str, list[set[str]]]:
    """The files that each gesture entered, for each time it was done."""
    trace = Trace()
    trace.install()
    try:
        with tempfile.TemporaryDirectory() as folder:
            async with AsyncExitStack() as stack:
                gestures = Gestures(trace)
                await gestures.begin(Path(folder), stack)
                await trace.learn()
                for _ in range(rounds):
                    await gestures.all()
                return gestures.found
    finally:
        trace.remove()


def table(found: dict[str, list[set[str]]], *, names: bool) -> str:
    """For people."""
    lines = [f"{'':24}{'first':>8}{'each':>8}"]
    for gesture, times in found.items():
        each = set.intersection(*times)
        lines.append(f"{gesture:24}{len(times[0]):8}{len(each):8}")
        lines += [f"    {name}" for name in sorted(each)] if names else []
    return "\n".join(lines)


if __name__ == "__main__":
    given = argparse.ArgumentParser(description="Count the files of the bot that one gesture enters.")
    given.add_argument("--rounds", type=int, default=3)
    given.add_argument("--names", action="store_true", help="Name the files that are entered each time.")
    asked = given.parse_args()
    logging.disable(logging.CRITICAL)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    print(table(asyncio.run(counted(asked.rounds)), names=asked.names))

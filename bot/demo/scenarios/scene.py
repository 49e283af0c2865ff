"""One scenario as it is played: on which worlds, what was done so far, and what must be true in the end."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

from bot.demo.slack import faults as slack_faults
from bot.demo.slack.messages import Message
from bot.demo.slack.workspace import Workspace
from bot.demo.voipbin import faults
from bot.demo.voipbin.faults import RequestSeen
from bot.demo.voipbin.state import Activeflow
from bot.demo.voipbin.world import World

WITHIN = 90.0
"""Seconds in which what must come has to come."""


class Bot(Protocol):
    """The bot, which can be ended at the worst moment."""

    async def as_process(self) -> None:
        """Run it as a program of its own, on the same ledger."""

    async def kill(self) -> None:
        """End that program with SIGKILL, wherever it is."""

    async def comes_back(self) -> None:
        """Run it as before, on the same ledger."""


@dataclass(frozen=True, slots=True)
class Gesture:
    """One thing that is done: what a reader is told of it, and the doing."""

    told: str
    act: Callable[["Scene"], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Truth:
    """Something that must be true in the end."""

    told: str
    holds: Callable[["Scene"], bool]


@dataclass(frozen=True, slots=True)
class Scenario:
    """A bad night. `voipbin` and `slack` are faults from the first gesture on: route or method, fault, times."""

    name: str
    line: str
    world: Callable[["Scene"], None]
    story: tuple[Gesture, ...]
    must: tuple[Truth, ...]
    voipbin: tuple[tuple[str, str, faults.Fault, int | None], ...] = ()
    slack: tuple[tuple[str, slack_faults.Fault, int | None], ...] = ()


@dataclass
class Scene:
    """The worlds, and one scenario in them. `callers` are the activeflows that it is about; `beat` a pause for
    readers.
    """

    scenario: Scenario
    workspace: Workspace
    world: World
    bot: Bot
    beat: float = 0.0
    callers: list[Activeflow] = field(default_factory=list)
    undo: list[Callable[[], None]] = field(default_factory=list)
    holds: dict[str, faults.Hold] = field(default_factory=dict)
    scripted: list[faults.ScriptedFault] = field(default_factory=list)
    pressed: Message | None = None
    """The card as it was when somebody pressed last."""
    read: dict[str, int] = field(default_factory=dict)
    """How many messages each person had seen when they typed or pressed last."""
    told: list[str] = field(default_factory=list)
    held: dict[str, bool] = field(default_factory=dict)
    """The truths that were looked for so far."""
    over: bool = False

    async def play(self) -> bool:
        """From its beginning to its end; True when everything that must be true is. Leaves the worlds untroubled."""
        self._since = self.workspace.new_ts()
        self._began = self.world.clock.now()
        try:
            self.scenario.world(self)
            self._spoil()
            for gesture in self.scenario.story:
                self.tells(gesture.told)
                await gesture.act(self)
                await asyncio.sleep(self.beat)
            for truth in self.scenario.must:
                self.held[truth.told] = await self._becomes_true(truth)
                self.workspace.changed()
        except AssertionError as never:
            self.held[f"{self.told[-1]}: {str(never).splitlines()[0]}"] = False
        finally:
            for undo in reversed(self.undo):
                undo()
            self.over = True
            self.workspace.changed()
        return all(self.held.values())

    def tells(self, what: str) -> None:
        """Note what is done, for those who look on."""
        self.told.append(what)
        self.workspace.changed()

    async def until(self, condition: Callable[[], Any]) -> Any:
        """Wait for something. Raises AssertionError when it does not come."""
        return await self.workspace.until(condition, seconds=WITHIN)

    def eases(self) -> None:
        """Let VoIPBIN answer as it should."""
        for scripted in self.scripted:
            scripted.clear()

    def newest_with(self, user: str, channel: str, action_id: str, value: str | None = None) -> Message | None:
        """The newest message of this scene with that button, as this person sees it."""
        return next((m for m in reversed(self.sees(user, channel)) if _has(m, action_id, value)), None)

    def sees(self, user: str, channel: str) -> list[Message]:
        """What this person has seen there since the scene began."""
        return [message for message in self.workspace.sees(user, channel) if message.ts > self._since]

    @property
    def asked(self) -> list[RequestSeen]:
        """What VoIPBIN received since the scene began, oldest first."""
        return [seen for seen in self.world.requests if seen.at >= self._began]

    def posts(self, caller: Activeflow) -> list[RequestSeen]:
        """The stops of this activeflow that VoIPBIN received, carried out or not."""
        path = f"/v1.0/activeflows/{caller.id}/stop"
        return [seen for seen in self.asked if (seen.method, seen.path) == ("POST", path)]

    def report(self) -> dict[str, Any]:
        """What was done, said and asked, and whether what must be true is, as JSON has it."""
        return {
            "scenario": self.scenario.name,
            "line": self.scenario.line,
            "held": all(self.held.values()),
            "must": [{"told": told, "held": held} for told, held in self.held.items()],
            "done": self.told,
            "said": self._said(),
            "asked": [{"method": seen.method, "path": seen.path, "status": seen.status} for seen in self.asked],
            "became": [self._became(caller) for caller in self.callers],
        }

    def _spoil(self) -> None:
        for method, path, fault, times in self.scenario.voipbin:
            self.scripted.append(self.world.faults.on(method, path, fault, times=times))
        self.undo.append(self.eases)
        for name, wrong, times in self.scenario.slack:
            self.workspace.faults.on(name, wrong, times=times)
            self.undo.append(lambda name=name: self.workspace.faults.clear(name))  # type: ignore[misc]

    async def _becomes_true(self, truth: Truth) -> bool:
        try:
            return bool(await self.until(lambda: truth.holds(self)))
        except AssertionError:
            return False

    def _said(self) -> list[dict[str, Any]]:
        names = self.workspace.names
        seen = {(channel, m.ts): m for channel in self.workspace.channels for user in list(self.workspace.users)
                for m in self.sees(user, channel)}  # fmt: skip
        return [
            {"in": names.get(channel, channel), "by": names.get(m.user, m.user), "to": names.get(m.ephemeral_to or ""),
             "words": m.words}
            for (channel, _), m in sorted(seen.items(), key=lambda one: one[0][1])
        ]  # fmt: skip

    def _became(self, caller: Activeflow) -> dict[str, Any]:
        call = self.world.call_of(caller)
        return {
            "activeflow": str(caller.id),
            "status": caller.status,
            "call": call.status if call else None,
            "stops_received": len(self.posts(caller)),
            "stops_with_effect": effective(self, caller),
        }


def effective(scene: Scene, caller: Activeflow) -> int:
    """How many stops ended this activeflow: none, or one."""
    return sum(stop.changed for stop in scene.world.stops if stop.activeflow_id == caller.id)


def _has(message: Message, action_id: str, value: str | None) -> bool:
    return any(button.action_id == action_id and value in {None, button.value} for button in message.buttons)


# ---------------------------------------------------------------- report
# A scene in lines to read, for who does not want JSON.


def told_of(report: dict[str, Any]) -> Iterator[str]:
    """What was done and said, what VoIPBIN received, and whether what must be true is."""
    yield report["line"]
    yield ""
    yield from (f"- {told}" for told in report["done"])
    yield ""
    for said in report["said"]:
        to = f" (only to {said['to']})" if said["to"] else ""
        yield f"#{said['in']} {said['by']}{to}:"
        yield from (f"    {line}" for line in said["words"].splitlines())
    stops = [seen for seen in report["asked"] if seen["path"].endswith("/stop")]
    yield ""
    yield f"VoIPBIN received {len(report['asked'])} requests, {len(stops)} of them to stop:"
    yield from (f"    {seen['method']} {seen['path']} {seen['status'] or 'no answer'}" for seen in stops)
    yield ""
    yield from (f"{'true ' if truth['held'] else 'FALSE'} {truth['told']}" for truth in report["must"])

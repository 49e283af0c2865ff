"""The demo's side panel: what the simulated VoIPBIN received and what became of it, troubles, scenarios, and a
telephone.

Routes of the page's own server, behind the same door (only this machine's own page may ask).
"""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import httpx
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from bot.demo.cast import INCIDENTS
from bot.demo.scenarios.gestures import ASK_STOP, STOP_FLOW
from bot.demo.scenarios.scene import Bot, Scenario, Scene
from bot.demo.scenarios.table import BY_NAME, SCENARIOS
from bot.demo.slack.app import only_this_page
from bot.demo.slack.workspace import Workspace
from bot.demo.voipbin import faults
from bot.demo.voipbin.faults import Fault, RequestSeen, ScriptedFault
from bot.demo.voipbin.state import ZERO, Activeflow
from bot.demo.voipbin.town import OWNER, OWNERS_PASSWORD
from bot.demo.voipbin.world import World

# ---------------------------------------------------------------- troubles
# Switches that make the demo's VoIPBIN misbehave, until they are turned off again.

_STOP = "/activeflows/{id}/stop"


@dataclass(frozen=True)
class FaultSwitch:
    """One switch: what it says, and the faults that it scripts."""

    label: str
    hint: str
    faults: tuple[tuple[str, str, Fault], ...] = ()
    rate_limit: bool = False
    keeps_calls: bool = False


FAULT_SWITCHES: Mapping[str, FaultSwitch] = {
    "slow": FaultSwitch("Slow", "every answer takes 4 s", (("*", "*", faults.delay(4.0)),)),
    "lost": FaultSwitch(
        "Lose the answer to a stop", "it is done, but nobody hears", (("POST", _STOP, faults.lose_answer()),)
    ),
    "deaf": FaultSwitch(
        "Break before a stop", "the connection breaks, nothing is done", (("POST", _STOP, faults.reset_before()),)
    ),
    "up": FaultSwitch("Leave the caller on the line", "a stopped call is not hung up", keeps_calls=True),
    "limited": FaultSwitch("Rate limited", "17 a second are one now: 429", rate_limit=True),
    "refused": FaultSwitch(
        "Refuse the access key",
        "401, as when its look-up failed",
        (("*", "*", faults.status(401, "INVALID_CREDENTIALS")),),
    ),
}


@dataclass
class FaultSwitches:
    """Which troubles are on."""

    world: World
    on: dict[str, list[ScriptedFault]] = field(default_factory=dict)

    def switch(self, name: str, *, on: bool) -> None:
        """Turn one trouble on or off. Raises KeyError for one that there is not."""
        trouble = FAULT_SWITCHES[name]
        for scripted in self.on.pop(name, []):
            scripted.clear()
        if on:
            scripts = [self.world.faults.on(m, path, fault, times=None) for m, path, fault in trouble.faults]
            self.on[name] = scripts
        if trouble.keeps_calls:
            self.world.telephony.loses_hangups = on
        if trouble.rate_limit:
            self.world.limits.enabled, self.world.limits.rate, self.world.limits.burst = on, 1, 2


# ---------------------------------------------------------------- panel

_ENDED_SHOWN = 6
_REQUESTS_SHOWN = 40
_BEAT = 2.5  # seconds between two gestures of a scenario, for whoever looks on
_WAITS = 110_000  # milliseconds for which a placed call stays, so that there is time to stop it


@dataclass
class Panel:
    """The routes, which troubles are on, and the scenario that is played."""

    world: World
    workspace: Workspace
    guilty: Activeflow | None = None
    """What a newcomer is led to stop."""
    playing: Scene | None = None
    _switches: FaultSwitches = field(init=False)
    _bot: Bot | None = None
    _voipbin_url: str = ""
    _task: asyncio.Task[bool] | None = None
    _newest: tuple[RequestSeen, int | None] | None = None

    def __post_init__(self) -> None:
        self._switches = FaultSwitches(self.world)

    def routes(self) -> list[BaseRoute]:
        return [
            Route("/demo/panel", only_this_page(self._shown)),
            Route("/demo/panel/switch", only_this_page(self._switched), methods=["POST"]),
            Route("/demo/panel/scenario", only_this_page(self._plays), methods=["POST"]),
            Route("/demo/panel/call", only_this_page(self._called), methods=["POST"]),
        ]

    def begins(self, bot: Bot, voipbin_url: str) -> None:
        """Know the bot that scenarios kill, and where a call is placed."""
        self._bot, self._voipbin_url = bot, voipbin_url

    async def ends(self) -> None:
        """Give up the scenario that is played."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    def play(self, scenario: Scenario) -> None:
        """Play a scenario for those who look on."""
        if self._bot is not None:
            self.playing = Scene(scenario, self.workspace, self.world, self._bot, beat=_BEAT)
            self._task = asyncio.create_task(self.playing.play())

    def looks(self) -> None:
        """Tell the page when VoIPBIN received or answered something since the last look."""
        newest = self.world.requests[-1] if self.world.requests else None
        if newest is not None and self._newest != (newest, newest.status):
            self._newest = newest, newest.status
            self.workspace.changed()

    @property
    def on(self) -> dict[str, list[ScriptedFault]]:
        """The troubles that are on."""
        return self._switches.on

    def switch(self, name: str, *, on: bool) -> None:
        """Turn one trouble on or off. Raises KeyError for one that there is not."""
        self._switches.switch(name, on=on)

    async def _shown(self, _: Request) -> Response:
        rows = sorted(self.world.records.activeflows, key=lambda row: row.tm_create, reverse=True)
        running = [row for row in rows if row.status == "running"]
        ended = [row for row in rows if row.status != "running"][:_ENDED_SHOWN]
        switches = [
            {"id": name, "label": t.label, "hint": t.hint, "on": name in self.on} for name, t in FAULT_SWITCHES.items()
        ]
        return JSONResponse(
            {
                "activeflows": [self._row(row) for row in running[:_REQUESTS_SHOWN] + ended],
                "running": len(running),
                "switches": switches,
                "requests": [self._request(seen) for seen in reversed(self.world.requests[-_REQUESTS_SHOWN:])],
                "stops": len(self.world.requests_to("POST", "/activeflows/{id}/stop")),
                "scenarios": [{"name": scenario.name, "line": scenario.line} for scenario in SCENARIOS],
                "playing": self._played(),
                "curl": self._curl(),
                "guide": self._guide(),
            }
        )

    async def _switched(self, request: Request) -> Response:
        asked = await request.json()
        if not isinstance(asked, dict) or asked.get("id") not in FAULT_SWITCHES:
            return PlainTextResponse("no such switch", HTTPStatus.NOT_FOUND)
        self.switch(asked["id"], on=bool(asked.get("on")))
        return await self._shown(request)

    async def _plays(self, request: Request) -> Response:
        asked = await request.json()
        scenario = BY_NAME.get(str(asked.get("name"))) if isinstance(asked, dict) else None
        if scenario is None or self._bot is None:
            return PlainTextResponse("no such scenario", HTTPStatus.NOT_FOUND)
        if self.playing is not None and not self.playing.over:
            return PlainTextResponse("another one is being played", HTTPStatus.CONFLICT)
        self.play(scenario)
        return await self._shown(request)

    async def _called(self, request: Request) -> Response:
        """Place a call the way everybody does: over VoIPBIN's API."""
        asked = await request.json()
        if not isinstance(asked, dict):
            return PlainTextResponse("JSON, please", HTTPStatus.BAD_REQUEST)
        say = {"type": "talk", "option": {"text": str(asked.get("text", "")), "language": "en-GB"}}
        call = {
            "source": {"type": "tel", "target": "+15550100002"},
            "destinations": [{"type": "tel", "target": str(asked.get("number", ""))}],
            "actions": [say, {"type": "sleep", "option": {"duration": _WAITS}}],
        }
        async with httpx.AsyncClient(trust_env=False, cookies={"accesskey": self.world.access_key}) as client:
            answer = await client.post(
                f"{self._voipbin_url}/v1.0/calls", json=call, headers={"User-Agent": "the demo's page"}
            )
        return JSONResponse(answer.json(), answer.status_code)

    def _played(self) -> dict[str, Any] | None:
        scene = self.playing
        if scene is None:
            return None
        must = [{"told": t.told, "held": scene.held.get(t.told)} for t in scene.scenario.must]
        never = [{"told": told, "held": held} for told, held in scene.held.items() if told not in
                 {t.told for t in scene.scenario.must}]  # fmt: skip
        return {"name": scene.scenario.name, "told": scene.told, "must": must + never, "over": scene.over}

    def _guide(self) -> dict[str, Any] | None:
        """The first minute, for the page to lead through: which channel, what to type, what to look for."""
        if self.guilty is None:
            return None
        name = self._name(self.guilty)
        line = "/flows list older:30m"
        card = "A card says what a stop would do. Nothing is stopped yet."
        steps = [
            {"done": ASK_STOP, "told": f"Type {line}: what has run for more than half an hour.", "types": line},
            {"done": STOP_FLOW, "told": f"Press Stop… beside {name}: a caller is stuck in its menu. {card}"},
            {"done": "ended", "told": "Press Stop flow. Watch the card, and in the panel what VoIPBIN receives."},
        ]
        then = "Then play a bad night from the panel, or be somebody who may not stop (lower left)."
        return {"channel": INCIDENTS, "steps": steps, "ended": self.guilty.status == "ended", "then": then}

    def _row(self, row: Activeflow) -> dict[str, Any]:
        return {
            "id": str(row.id),
            "name": self._name(row),
            "status": row.status,
            "action": row.current_action.type or "start",
            "since": row.tm_create.isoformat(),
            "reference": row.reference_type,
        }

    def _name(self, row: Activeflow) -> str:
        flow = self.world.records.flows.get(row.flow_id)
        return flow.name if flow else "no flow" if row.flow_id == ZERO else "temporary flow"

    def _request(self, seen: RequestSeen) -> dict[str, Any]:
        agent = seen.headers.get("user-agent", "")
        return {
            "at": seen.at.isoformat(),
            "method": seen.method,
            "path": seen.path.removeprefix("/v1.0"),
            "status": seen.status,
            "by": "" if agent.startswith("flows-bot") else agent.partition("/")[0],
            "became": self._became(seen),
        }

    def _became(self, seen: RequestSeen) -> str:
        """What there is now of the activeflow that a stop was for."""
        if seen.method != "POST" or not seen.path.endswith("/stop"):
            return ""
        row = next((one for one in self.world.records.activeflows if str(one.id) in seen.path), None)
        return f"{self._name(row)}: {row.status}" if row else ""

    def _curl(self) -> str:
        """The tutorial's lines, for whoever types curl."""
        root = self._voipbin_url
        login = f'{{"username": "{OWNER}", "password": "{OWNERS_PASSWORD}"}}'
        json = "--header 'Content-Type: application/json'"
        action = (
            '{"type": "talk", "option": {"text": "Hello", "language": "en-GB"}}, '
            '{"type": "sleep", "option": {"duration": 60000}}'
        )
        source, destination = '{"type": "tel", "target": "+15550100002"}', '{"type": "tel", "target": "+15550100077"}'
        ends = f'"source": {source}, "destinations": [{destination}]'
        call = f'{{{ends}, "actions": [{action}]}}'
        return "\n".join(
            [
                f"TOKEN=$(curl -s {root}/auth/login {json} -d '{login}' | sed 's/.*\"token\":\"//; s/\".*//')",
                f"curl -s {root}/v1.0/calls?token=$TOKEN {json} -d '{call}'",
                f"curl -s {root}/v1.0/activeflows?token=$TOKEN",
                f"curl -s -X POST {root}/v1.0/activeflows/ID/stop?token=$TOKEN",
            ]
        )

"""The demo's side panel: what the simulated VoIPBIN does right now, and switches that make it misbehave.

Routes of the page's own server, behind the same door (only this machine's own page may ask).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from bot.demo.slack.page_api import only_this_page
from bot.demo.voipbin import faults
from bot.demo.voipbin.faults import Fault, Scripted
from bot.demo.voipbin.state import ZERO, Activeflow
from bot.demo.voipbin.world import World

_STOP = "/activeflows/{id}/stop"
_ENDED_SHOWN = 6


@dataclass(frozen=True)
class Trouble:
    """One switch: what it says, and the faults that it scripts."""

    label: str
    hint: str
    faults: tuple[tuple[str, str, Fault], ...] = ()
    rate_limit: bool = False
    keeps_calls: bool = False


TROUBLES: Mapping[str, Trouble] = {
    "slow": Trouble("Slow", "every answer takes 4 s", (("*", "*", faults.delay(4.0)),)),
    "lost": Trouble(
        "Lose the answer to a stop", "it is done, but nobody hears", (("POST", _STOP, faults.lose_answer()),)
    ),
    "deaf": Trouble(
        "Break before a stop", "the connection breaks, nothing is done", (("POST", _STOP, faults.reset_before()),)
    ),
    "up": Trouble("Leave the caller on the line", "a stopped call is not hung up", keeps_calls=True),
    "limited": Trouble("Rate limited", "17 a second are one now: 429", rate_limit=True),
    "refused": Trouble(
        "Refuse the access key",
        "401, as when its look-up failed",
        (("*", "*", faults.status(401, "INVALID_CREDENTIALS")),),
    ),
}


@dataclass
class Panel:
    """The routes, and which switches are on."""

    world: World
    on: dict[str, list[Scripted]] = field(default_factory=dict)

    def routes(self) -> list[BaseRoute]:
        return [
            Route("/demo/panel", only_this_page(self._shown)),
            Route("/demo/panel/switch", only_this_page(self._switched), methods=["POST"]),
        ]

    def switch(self, name: str, *, on: bool) -> None:
        """Turn one trouble on or off. Raises KeyError for one that there is not."""
        trouble = TROUBLES[name]
        for scripted in self.on.pop(name, []):
            scripted.clear()
        if on:
            scripts = [self.world.faults.on(m, path, fault, times=None) for m, path, fault in trouble.faults]
            self.on[name] = scripts
        if trouble.keeps_calls:
            self.world.telephony.loses_hangups = on
        if trouble.rate_limit:
            self.world.limits.enabled, self.world.limits.rate, self.world.limits.burst = on, 1, 2

    async def _shown(self, _: Request) -> Response:
        rows = sorted(self.world.records.activeflows, key=lambda row: row.tm_create, reverse=True)
        running = [row for row in rows if row.status == "running"]
        ended = [row for row in rows if row.status != "running"][:_ENDED_SHOWN]
        switches = [
            {"id": name, "label": t.label, "hint": t.hint, "on": name in self.on} for name, t in TROUBLES.items()
        ]
        return JSONResponse({"activeflows": [self._row(row) for row in running + ended], "switches": switches})

    async def _switched(self, request: Request) -> Response:
        asked = await request.json()
        if not isinstance(asked, dict) or asked.get("id") not in TROUBLES:
            return PlainTextResponse("no such switch", HTTPStatus.NOT_FOUND)
        self.switch(asked["id"], on=bool(asked.get("on")))
        return await self._shown(request)

    def _row(self, row: Activeflow) -> dict[str, Any]:
        flow = self.world.records.flows.get(row.flow_id)
        return {
            "id": str(row.id),
            "name": flow.name if flow else "no flow" if row.flow_id == ZERO else "temporary flow",
            "status": row.status,
            "action": row.current_action.type or "start",
            "since": row.tm_create.isoformat(),
            "reference": row.reference_type,
        }

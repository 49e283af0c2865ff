"""Can those on call always stop? Thirty stops in a minute, by Slack's own limits, with somebody who may not pressing
on.

Each case is a bot of its own between the simulators, over loopback, for as long as it takes (about a minute): so many
user groups in the policy, so many people who stop in turn, each in one of the groups, and where it says so an outsider
who presses the newest card once a second. One JSON line: for each case the questions that Slack was asked, those it
refused with 429, the stops carried out, and how often somebody permitted was told that they may not or are not known.
"""

import argparse
import asyncio
import itertools
import json
import logging
import sys
import tempfile
from collections import Counter
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import Any, Final

import structlog

from bot.composition.bootstrap import running
from bot.demo.serving import serving
from bot.demo.slack.app import serving_slack
from bot.demo.slack.messages import Message
from bot.demo.slack.workspace import Workspace
from bot.demo.voipbin.api import voipbin_app
from bot.demo.voipbin.state import Activeflow
from bot.demo.voipbin.world import World
from bot.settings import Settings
from tests.load.one_line import tell

CHANNEL, OUTSIDER = "C0INCIDENTS", "U0OUTSIDER"
_ASKED: Final = ("users.info", "usergroups.users.list")
_BESIDE_EACH_OTHER: Final = 4
_TOLD_OFF: Final = ("You can't", "You don't have permission", "did not tell me", "only so often")


class Case:
    """One incident."""

    def __init__(self, groups: int, people: int, *, outsider: bool, stops: int, seconds: float) -> None:
        self.groups, self.people, self.outsider = groups, [f"U0CALL{n}" for n in range(people)], outsider
        self.stops, self.seconds = stops, seconds
        self.slack, self.voipbin = Workspace(), World()
        for user in (*self.people, OUTSIDER):
            self.slack.add_user(user, user.lower())
        for number in range(groups):
            self.slack.add_group(f"S0CALL{number}", f"call{number}", self.people[number::groups])
        self.slack.add_channel(CHANNEL, "incidents", members=[*self.people, OUTSIDER])
        self.slack.patience = self.slack.triggers.seconds = 30.0
        self.slack.limits.enabled = True
        self.newest: Message | None = None

    def policy(self) -> str:
        stop = [f'[[grant]]\nto = ["S0CALL{n}"]\nmay = ["view", "stop"]\n' for n in range(self.groups)]
        return "\n".join([*stop, '[[grant]]\nto = ["members"]\nmay = ["view"]\n'])

    async def measured(self) -> dict[str, Any]:
        """The whole case."""
        with tempfile.TemporaryDirectory() as folder:
            async with AsyncExitStack() as stack:
                await self.begin(Path(folder), stack)
                outsider = asyncio.create_task(self._outsider()) if self.outsider else None
                loop = asyncio.get_running_loop()
                began, stopping = loop.time(), []
                for number in range(self.stops):
                    await asyncio.sleep(max(0.0, began + number * self.seconds / self.stops - loop.time()))
                    stopping.append(asyncio.create_task(self._stop(self.people[number % len(self.people)])))
                ended = await asyncio.gather(*stopping)
                if outsider is not None:
                    outsider.cancel()
                    with suppress(asyncio.CancelledError):
                        await outsider
        return self._figures(ended)

    async def begin(self, folder: Path, stack: AsyncExitStack) -> None:
        """Start the bot between its simulators."""
        (folder / "policy.toml").write_text(self.policy(), encoding="utf-8")
        slack_url = await stack.enter_async_context(serving_slack(self.slack))
        voipbin_url = await stack.enter_async_context(serving(voipbin_app(self.voipbin)))
        settings: dict[str, Any] = {
            "slack_bot_token": self.slack.bot_token,
            "slack_signing_secret": self.slack.signing_secret,
            "slack_api_url": slack_url,
            "voipbin_api_url": f"{voipbin_url}/v1.0",
            "voipbin_access_key": self.voipbin.access_key,
            "flows_bot_policy": folder / "policy.toml",
            "flows_bot_database_url": f"sqlite:///{folder / 'ledger.db'}",
            "flows_bot_port": 0,
        }
        bot = await stack.enter_async_context(running(Settings(_env_file=None, **settings)))  # type: ignore[call-arg] # pydantic-settings' own
        self.slack.request_url = f"http://127.0.0.1:{bot.port}/slack/events"

    async def _stop(self, user: str) -> float | None:
        """Ask, press, and see it ended: the seconds from the press, or ``None`` when nothing came of it."""
        activeflow = self.voipbin.rings(at="play")
        await self.slack.types(user, CHANNEL, f"/flows stop {activeflow.id}")
        with suppress(AssertionError):
            card = await self.slack.until(lambda: self._card(activeflow), seconds=30)
            self.newest = card
            began = asyncio.get_running_loop().time()
            await self.slack.clicks(user, card, "stop.flow")
            await self.slack.until(lambda: activeflow.status == "ended", seconds=60)
            return asyncio.get_running_loop().time() - began
        return None

    def _card(self, activeflow: Activeflow) -> Message | None:
        seen = self.slack.sees(OUTSIDER, CHANNEL)
        return next((m for m in seen if str(activeflow.id)[:8] in m.words and m.ephemeral_to is None), None)

    async def _outsider(self) -> None:
        while True:
            if self.newest is not None:
                with suppress(LookupError):  # the card is not asking any more
                    await self.slack.clicks(OUTSIDER, self.newest, "stop.flow")
            await asyncio.sleep(1.0)

    def _figures(self, ended: list[float | None]) -> dict[str, Any]:
        asked = Counter(call.method for call in self.slack.calls)
        refused = Counter(call.method for call in self.slack.calls if call.status == 429)
        told_off = sum(
            any(words in message.words for words in _TOLD_OFF)
            for user in self.people
            for message in self.slack.sees(user, CHANNEL)
            if message.ephemeral_to == user
        )
        took = [seconds for seconds in ended if seconds is not None]
        return {
            "groups": self.groups,
            "people": len(self.people),
            "outsider": self.outsider,
            "carried_out": f"{len(took)} of {self.stops}",
            "slowest_s": round(max(took, default=0.0), 2),
            **{method: asked[method] for method in _ASKED},
            "refused_429": sum(refused[method] for method in _ASKED),
            "refused_though_permitted": told_off,
        }


async def _in_a_process(room: asyncio.Semaphore, *options: object) -> dict[str, Any]:
    async with room:
        command = [sys.executable, "-m", "tests.load.lockout", *map(str, options)]
        process = await asyncio.create_subprocess_exec(
            *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
        )
        printed, _ = await process.communicate()
        found: dict[str, Any] = json.loads(printed)
        return dict(found["lockout"])


async def _measured(asked: argparse.Namespace) -> dict[str, Any]:
    if asked.groups:
        case = Case(asked.groups, asked.people, outsider=asked.outsider, stops=asked.stops, seconds=asked.seconds)
        return {"lockout": await case.measured()}
    room = asyncio.Semaphore(_BESIDE_EACH_OTHER)
    shape = ("--stops", asked.stops, "--seconds", asked.seconds)
    cases = itertools.product((1, 2, 5), (1, 10), ((), ("--outsider",)))
    done = (_in_a_process(room, "--groups", g, "--people", p, *out, *shape) for g, p, out in cases)
    return {"lockout": await asyncio.gather(*done)}


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--groups", type=int, default=0, help="one case only; without it all twelve")
    parser.add_argument("--people", type=int, default=1)
    parser.add_argument("--outsider", action="store_true")
    parser.add_argument("--stops", type=int, default=30)
    parser.add_argument("--seconds", type=float, default=60.0)
    tell(_measured(parser.parse_args()))

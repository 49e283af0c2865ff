"""People who ask, press, watch and read alerts between the two simulators, and what came of each of their gestures."""

import asyncio
import random
import re
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from time import monotonic
from typing import Any, Final

from starlette.types import ASGIApp, Receive, Scope, Send

from bot.demo.slack.delivery import Delivery
from bot.demo.slack.messages import Message
from bot.demo.slack.workspace import Workspace
from bot.demo.voipbin.faults import delay, slow_answer
from bot.demo.voipbin.state import Activeflow, Step
from bot.demo.voipbin.world import World
from tests.load.replica_processes import Replica

PEOPLE: Final = {"U0ALICE": "Alice", "U0BOB": "Bob", "U0CAROL": "Carol"}
INCIDENTS, ALERTS = "C0INCIDENTS", "C0ALERTS"
POLICY: Final = f"""
[[grant]]
to = {list(PEOPLE)}
may = ["view", "stop"]

[[alert]]
to = "{ALERTS}"
about = ["looping"]
at_most = 100
within = "1m"
""".replace("'", '"')
SETTLED: Final = ("Stopped", "Ended", "Nothing was stopped", "Expired", "Cancelled", "Still running", "Not known\n")
QUESTION: Final = "Stop this activeflow?"
NOT_TAKEN: Final = ("could not be recorded", "could not be written")
_ANSWERED_WITHIN: Final = 12.0
"""Seconds: four times Slack's own three, for the machine may be busy; longer than the database is waited for."""


@dataclass(eq=False)
class Pressed:
    """One press that was acked, and when what came of it was seen. Times are of ``monotonic``."""

    caller: Activeflow
    card: Message
    replica: Replica
    path: str
    at: float
    first_word: float | None = None
    refused: float | None = None
    settled: float | None = None
    orphaned: float | None = None
    hit_again: float | None = None
    """When the next replica was killed before it was over: that may have been the one that had taken it over."""

    @property
    def over(self) -> bool:
        return self.refused is not None or self.settled is not None


@dataclass
class Town:
    """``replicas``: set before anybody does anything."""

    slack: Workspace = field(default_factory=Workspace)
    voipbin: World = field(default_factory=World)
    replicas: list[Replica] = field(default_factory=list)
    pressed: list[Pressed] = field(default_factory=list)
    looping: list[Activeflow] = field(default_factory=list)
    watched: list[Activeflow] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        for id_, name in PEOPLE.items():
            self.slack.add_user(id_, name)
        for channel in (INCIDENTS, ALERTS):
            self.slack.add_channel(channel, channel[2:].lower(), members=list(PEOPLE))
        self._flow = self.voipbin.add_flow("Support line")
        self._menu = self.voipbin.add_flow("Night menu", [Step("talk"), Step("digits_receive")])
        self.voipbin.faults.on("POST", "/activeflows/{id}/stop", _late, times=None)
        self._open: set[Pressed] = set()
        self._seen = 0

    # ---------------------------------------------------------------- what people do

    async def presses(self, user: str, pause: float) -> None:
        """Until cancelled: ask for a stop and press it, each at any replica, until one has taken it."""
        while True:
            await self._stops(user)
            await asyncio.sleep(random.uniform(0.5, 1.5) * pause)  # noqa: S311 # dice

    async def _stops(self, user: str) -> None:
        caller = self.voipbin.rings(self._flow, at="digits_receive")
        card = await self._asked(user, f"/flows stop {caller.id}", lambda: self._card(caller, "Asked by"))
        while True:
            replica, delivery = await self._delivered(lambda: self.slack.clicks(user, card, "stop.flow"))
            pressed = Pressed(caller, card, replica, _path(delivery), monotonic() - delivery.seconds)
            self.pressed.append(pressed)
            self._open.add(pressed)
            await self._sees(partial(_over, pressed))  # unless whoever took it was killed: another one goes on
            if pressed.refused is None:
                return

    async def _asked(self, user: str, line: str, found: Callable[[], Message | None]) -> Message:
        """Type this until there is a card."""
        while True:
            replica, delivery = await self._delivered(lambda: self.slack.types(user, INCIDENTS, line))
            began, path = monotonic(), _path(delivery)
            await self._sees(partial(self._answered, found, path))
            card = found()
            if card is not None:
                return card
            self.counts["asked_again"] += 1
            if not self._told(path) and not delivery.answer.strip() and replica.well(began):
                self.counts["commands_without_an_answer"] += 1

    def _answered(self, found: Callable[[], Message | None], path: str) -> bool:
        return found() is not None or self._told(path)

    async def _sees(self, condition: Callable[[], bool]) -> None:
        """Wait for it, and not too long."""
        with suppress(AssertionError):
            await self.slack.until(condition, seconds=_ANSWERED_WITHIN)

    async def _delivered(self, gesture: Callable[[], Awaitable[Delivery]]) -> tuple[Replica, Delivery]:
        while True:
            replica = random.choice(self.replicas)  # noqa: S311 # dice
            self.slack.request_url = f"{replica.url}/slack/events"
            delivery = await gesture()
            if delivery.error is None:
                return replica, delivery
            self.counts["not_taken"] += 1
            await asyncio.sleep(0.3)

    async def loops(self, every: float) -> None:
        """Until cancelled: somebody goes round in a menu, and stays there."""
        while True:
            steps: list[str | Step] = [*["talk", "digits_receive"] * 5, "talk"]
            self.looping.append(self.voipbin.rings(self._menu, at="digits_receive", executed=steps))
            await asyncio.sleep(every)

    async def watches(self, user: str, every: float) -> None:
        """Until cancelled: somebody is watched, and hangs up a while later."""
        while True:
            caller = self.voipbin.rings(self._flow, at="digits_receive")
            await self._asked(user, f"/flows watch {caller.id}", partial(self._watch_card, caller))
            self.watched.append(caller)
            await asyncio.sleep(every)
            self.voipbin.caller_hangs_up(caller)

    # ---------------------------------------------------------------- what is seen

    async def sees(self) -> None:
        """Until cancelled: note when what came of each press was first seen."""
        while True:
            await self.slack.next_change(1.0)
            refusals = self._refusals()
            for pressed in tuple(self._open):
                words = self.words(pressed.card)
                if pressed.path in refusals:
                    pressed.refused = monotonic()
                elif words.startswith(SETTLED):
                    pressed.settled = monotonic()
                if pressed.first_word is None and (not words.startswith(QUESTION) or self._told(pressed.path)):
                    pressed.first_word = monotonic()
                if pressed.over:
                    pressed.first_word = pressed.first_word or monotonic()
                    self._open.discard(pressed)
                    self.slack.changed()

    def words(self, card: Message) -> str:
        return self.slack.message(card.channel, card.ts).words

    def unfinished(self) -> list[Pressed]:
        return [each for each in self.pressed if not each.over]

    def orphaned(self, replica: Replica) -> None:
        """It was killed just now: what it was at, and what it may have taken over from others, is somebody else's."""
        for pressed in self.unfinished():
            if pressed.orphaned is not None:
                pressed.hit_again = monotonic()
            elif pressed.replica is replica:
                pressed.orphaned = monotonic()

    async def at_work(self, replica: Replica) -> None:
        """Return when that one has acked a press that is not over; or when that takes too long."""
        with suppress(AssertionError):
            await self.slack.until(lambda: any(each.replica is replica for each in self.unfinished()), seconds=8)

    def _told(self, path: str) -> bool:
        return any(each.path == path and each.status == 200 for each in reversed(self.slack.responses[-200:]))

    def _refusals(self) -> set[str]:
        said = self.slack.responses[-200:]
        return {each.path for each in said if any(words in str(each.body) for words in NOT_TAKEN)}

    def _card(self, caller: Activeflow, words: str) -> Message | None:
        seen = self.slack.sees("U0ALICE", INCIDENTS)[-200:]
        return next((m for m in reversed(seen) if words in m.words and str(caller.id) in m.words), None)

    def _watch_card(self, caller: Activeflow) -> Message | None:
        return next((m for m in reversed(self._watch_cards(caller)) if m.ephemeral_to is None), None)

    def _watch_cards(self, caller: Activeflow) -> list[Message]:
        seen = self.slack.sees("U0ALICE", INCIDENTS)
        short = str(caller.id)[:8]
        return [
            m
            for m in seen
            if m.words.startswith(("Watching", "Ended:", "No longer", "Not known how")) and short in m.words
        ]

    def alerts(self) -> list[str]:
        return [message.words for message in self.slack.sees("U0ALICE", ALERTS)]

    def all_watches_over(self) -> bool:
        return all(m.words.startswith("Ended:") for caller in self.watched for m in self._watch_cards(caller))

    # ---------------------------------------------------------------- what came of it

    def figures(self) -> dict[str, Any]:
        effects = Counter(stop.activeflow_id for stop in self.voipbin.stops if stop.changed)
        posts = Counter(seen.path for seen in self.voipbin.requests if seen.method == "POST")
        taken = [each for each in self.pressed if each.refused is None]
        lies = [
            each
            for each in taken
            if self.words(each.card).startswith("Stopped") is not (effects[each.caller.id] == 1)
            and not self.words(each.card).startswith(("Ended", "Not known"))
        ]
        accepted = {each.caller.id for each in taken}
        return {
            "presses": len(self.pressed),
            "refused_in_words": len(self.pressed) - len(taken),
            "became": Counter(self.words(each.card).splitlines()[0][:40] for each in taken),
            "lost": sum(not effects[each.caller.id] for each in taken if self.words(each.card).startswith("Stopped")),
            "unfinished": len(self.unfinished()),
            "doubled": sum(count > 1 for count in effects.values()),
            "posted_again": sum(count > 1 for count in posts.values()),
            "stopped_though_refused": sum(id_ not in accepted for id_ in effects),
            "lies": len(lies),
            "presses_without_a_word": self._without_a_word(),
            "commands_without_an_answer": self.counts["commands_without_an_answer"],
            "first_word_s": _spread([(each.first_word or 0) - each.at for each in taken if self._untroubled(each)]),
            "taken_over_s": _spread([_since(each) for each in taken if each.orphaned and not each.hit_again]),
            "taken_over_after_the_next_kill_s": _spread([_since(each) for each in taken if each.hit_again]),
            "asked_again": self.counts["asked_again"],
            "not_taken": self.counts["not_taken"],
            **self._alert_figures(),
            **self._watch_figures(),
        }

    def _untroubled(self, each: Pressed) -> bool:
        until = each.first_word or float("inf")
        return not any(began <= until and over >= each.at for began, over in each.replica.trouble)

    def _without_a_word(self) -> int:
        """Those never told anything; and those told late, though nothing was done to the replica that took them."""
        return sum(
            each.first_word is None or (self._untroubled(each) and each.first_word - each.at > _ANSWERED_WITHIN)
            for each in self.pressed
        )

    def _alert_figures(self) -> dict[str, int]:
        told = self.alerts()
        cards = Counter(sum(str(each.id)[:8] in words for words in told) for each in self.looping)
        lines = [re.match(r"\*?(\d+) more", words) for words in told]
        return {
            "alerts_due": len(self.looping),
            "alerts_posted": cards[1],
            "alerts_counted_in_a_line": sum(int(line[1]) for line in lines if line),
            "alerts_doubled": sum(count for times, count in cards.items() if times > 1),
        }

    def _watch_figures(self) -> dict[str, int]:
        cards = [m for caller in self.watched for m in self._watch_cards(caller)]
        ended = sum(m.words.startswith("Ended:") for m in cards)
        return {"watch_cards": len(cards), "watch_cards_not_ended": len(cards) - ended}


def _over(pressed: Pressed) -> bool:
    return pressed.over


def _path(delivery: Delivery) -> str:
    """Where this gesture may be answered."""
    url = str(delivery.payload["response_url"])
    return "/" + url.split("/", 3)[3]


def _since(each: Pressed) -> float:
    """From the last kill that it was met by until it was over."""
    return (each.settled or float("inf")) - (each.hit_again or each.orphaned or 0.0)


def _spread(seconds: list[float]) -> dict[str, float]:
    if not seconds:
        return {"count": 0}
    ordered = sorted(seconds)
    p95 = ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))]
    return {"count": len(ordered), "p95": round(p95, 1), "max": round(ordered[-1], 1)}


async def _late(work: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    """A stop takes a moment, before VoIPBIN does it or after."""
    fault = random.choice((delay, slow_answer))(random.uniform(0.0, 1.0))  # noqa: S311 # dice
    await fault(work, scope, receive, send)

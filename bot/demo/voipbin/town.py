"""The demo's running world: people keep arriving, the clock is real, and there is a past when the doors open."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from bot.demo.voipbin.clock import utc_now
from bot.demo.voipbin.state import ADMIN, Activeflow, Flow, Step
from bot.demo.voipbin.world import World

# ---------------------------------------------------------------- scripts
# A fictional clinic on the telephone: sample flows for the demo, and people who call.
#
# Everything is invented; the numbers are from the range reserved for fiction (+1 555 01xx).

DESK = "+15550100002"


def say(text: str, lasts: float = 4.0) -> Step:
    """A `talk` step."""
    return Step("talk", {"language": "en-GB", "text": text}, lasts=lasts)


@dataclass(frozen=True, slots=True)
class Clinic:
    """The flows of the sample business, and somebody arriving at one of them."""

    world: World
    menu: Flow
    support: Flow
    receptionist: Flow
    chat: Flow
    reminders: Flow
    recall: Flow
    after_hours: Flow
    promotion: Flow

    def somebody_arrives(self) -> Activeflow:
        """A new activeflow of a kind chosen by the world's dice; callers lose patience now and then."""
        arrivals: list[Callable[[], Activeflow]] = [
            lambda: self._calls(self.menu),
            lambda: self._calls(self.support),
            lambda: self._calls(self.support),
            lambda: self._calls(self.receptionist),
            lambda: self.world.rings(self.chat, reference_type="conversation", lives=True),
            lambda: self.world.rings(self.reminders, reference_type="campaign", lives=True),
            lambda: self.world.dials(self.recall, source=DESK, destination=self._number()),
        ]
        return self.world.dice.choice(arrivals)()

    def somebody_is_lost(self) -> Activeflow:
        """A caller in a menu that has no way out: it goes round until VoIPBIN ends it for its steps."""
        return self.world.rings(self.after_hours, source=self._number(), destination=DESK, lives=True)

    def somebody_is_forgotten(self) -> Activeflow:
        """A caller who has stood in an old menu for most of an hour, going round before that; only a stop ends it."""
        laps = ["talk", "digits_receive"] * 9
        return self.world.rings(
            self.promotion,
            at="digits_receive",
            executed=["answer", *laps, "talk"],
            source=self._number(),
            destination=DESK,
            created_at=self.world.clock.now() - timedelta(minutes=47),
        )

    def _calls(self, flow: Flow) -> Activeflow:
        activeflow = self.world.rings(flow, source=self._number(), destination=DESK, lives=True)
        patience = self.world.dice.uniform(240, 1200)
        self.world.clock.after(patience, lambda: self.world.caller_hangs_up(activeflow))
        return activeflow

    def _number(self) -> str:
        return f"+155501{self.world.dice.randint(3, 99):02d}{self.world.dice.randint(0, 99):02d}"


def open_clinic(world: World) -> Clinic:
    """Give the world's customer its flows."""
    survey = world.add_flow(
        "Satisfaction survey",
        [
            Step("variable_set", {"key": "survey", "value": "sent"}),
            Step("message_send", {"destinations": [], "text": "How did we do?"}, lasts=3),
            Step("webhook_send", {"uri": "https://crm.example.com/survey", "method": "POST", "sync": True}, lasts=2),
        ],
    )
    return Clinic(
        world=world,
        menu=_menu(world),
        support=_support(world, survey),
        receptionist=_receptionist(world),
        chat=_chat(world),
        reminders=_reminders(world),
        recall=_recall(world),
        after_hours=_after_hours(world),
        promotion=_promotion(world),
    )


def _menu(world: World) -> Flow:
    hours = say("We are open from eight to six.", 5)
    desk = Step(
        "connect",
        {"destinations": [{"type": "agent", "target": "front desk"}], "early_media": False},
        pushes=(Step("confbridge_join", {"confbridge_id": str(uuid4())}, lasts=240),),
    )
    again = say("Which service would you like? Press one for opening hours, two for the front desk.", 6)
    branch = Step("branch", {"target_ids": {"1": str(hours.id), "2": str(desk.id), "default": str(again.id)}})
    return world.add_flow(
        "Main menu",
        [
            Step("answer"),
            say("Welcome to Harbour Clinic.", 3),
            again,
            Step("digits_receive", {"duration": 8000, "length": 1, "key": ""}, lasts=25),
            branch,
            hours,
            Step("goto", {"target_id": str(again.id), "loop_count": 2}),
            desk,
            Step("hangup", {"reason": "normal"}),
        ],
    )


def _support(world: World, survey: Flow) -> Flow:
    music = Step("play", {"stream_urls": ["https://media.example.com/harbour.wav"]}, lasts=9)
    waiting = world.add_flow("Waiting room", [say("All colleagues are busy. You keep your place in line.", 5), music])
    queue = world.add_queue("Support", wait_flow=waiting)
    lap = Step("fetch_flow", {"flow_id": str(waiting.id)})
    back = Step("empty", next_id=lap.id)
    join = Step("queue_join", {"queue_id": str(queue.id)}, pushes=(lap, back), answered_after=200)
    return world.add_flow(
        "Support line",
        [Step("answer"), say("You have reached the support line."), join, say("Thank you. Goodbye.", 3)],
        on_complete=survey,
    )


def _receptionist(world: World) -> Flow:
    talk = Step(
        "ai_talk",
        {"assistance_type": "ai", "assistance_id": str(UUID(int=0xA1)), "duration": 300},
        pushes=(Step("confbridge_join", {"confbridge_id": str(uuid4())}, lasts=300),),
    )
    return world.add_flow("AI receptionist", [Step("answer"), Step("recording_start", {"format": "wav"}), talk])


def _chat(world: World) -> Flow:
    talk = Step(
        "ai_talk", {"assistance_type": "ai", "assistance_id": str(UUID(int=0xA2))}, pushes=(Step("block", lasts=300),)
    )
    return world.add_flow("Chat assistant", [Step("conversation_send", {"text": "Hello!"}, lasts=1), talk])


def _reminders(world: World) -> Flow:
    send = Step("message_send", {"destinations": [], "text": "Your appointment is tomorrow."}, lasts=12)
    report = Step("webhook_send", {"uri": "https://crm.example.com/reminded", "method": "POST", "sync": True}, lasts=3)
    again = Step("goto", {"target_id": str(send.id), "loop_count": 3})
    return world.add_flow("Appointment reminders", [send, report, again])


def _recall(world: World) -> Flow:
    return world.add_flow(
        "Recall campaign",
        [
            Step("amd", {"machine_handle": "hangup", "async": False}, lasts=3),
            say("This is Harbour Clinic. Press one to confirm your visit.", 6),
            Step("digits_receive", {"duration": 10000, "length": 1, "key": ""}, lasts=60),
            say("Thank you, your visit is confirmed.", 3),
            Step("hangup", {"reason": "normal"}),
        ],
    )


def _after_hours(world: World) -> Flow:
    closed = say("We are closed. Press one to leave a message.", 5)
    digits = Step("digits_receive", {"duration": 5000, "length": 1, "key": ""}, lasts=5)
    again = Step("goto", {"target_id": str(closed.id), "loop_count": 60})
    return world.add_flow("After hours", [Step("answer"), closed, digits, again])


def _promotion(world: World) -> Flow:
    offer = say("Our winter offer. Press one to hear it again.", 6)
    digits = Step("digits_receive", {"duration": 5000, "length": 1, "key": ""}, lasts=5)
    again = Step("goto", {"target_id": str(offer.id), "loop_count": 60})
    return world.add_flow("Old promotion line", [Step("answer"), offer, digits, again])


# ---------------------------------------------------------------- town

_STEP = 2.0  # seconds of the past lived through at once
_LOST_EVERY = timedelta(minutes=30)
_FIRST_LOST = timedelta(seconds=20)  # before the doors open: going round in circles shows half a minute later


OWNER, OWNERS_PASSWORD = "owner@example.com", "made-up-password"
"""Who may do everything in the sample business: the login for whoever follows VoIPBIN's tutorials here."""


class Town:
    """A world with the sample clinic in it. `most` is the number of activeflows above which nobody else arrives.

    A `quiet` one has flows and nobody in them: for a scenario that is played alone.
    """

    def __init__(
        self, *, past: timedelta = timedelta(minutes=12), every: float = 7.0, most: int = 14, quiet: bool = False
    ) -> None:
        self._behind = past
        self._every = every
        self._most = most
        self.world = World(now=self._now)
        self.clinic: Clinic = open_clinic(self.world)
        self.world.add_agent(OWNER, OWNERS_PASSWORD, permission=ADMIN)
        self.forgotten: Activeflow | None = None
        """The guilty one, for a newcomer to stop."""
        if quiet:
            self._behind, self._most = timedelta(0), 0
            self._last_arrival, self._next_lost = datetime.max.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
            return
        self.world.rings(  # what nothing ever ends: an AI session opened through the API, hours ago
            None, reference_type="api", created_at=self.world.clock.now() - timedelta(hours=3)
        )
        self._last_arrival = self.world.clock.now()
        self._next_lost = self.world.clock.now() + past - _FIRST_LOST
        while self._behind > timedelta(0):
            self._behind = max(timedelta(0), self._behind - timedelta(seconds=_STEP))
            self.passes()
        self.forgotten = self.clinic.somebody_is_forgotten()
        self.world.telephony.hangup_after = 1.5

    def passes(self) -> None:
        """Let the world catch up with the clock, and somebody arrive when it is time."""
        self.world.tick()
        now = self.world.clock.now()
        if (now - self._last_arrival).total_seconds() >= self._every and self._running() < self._most:
            self._last_arrival = now
            self.clinic.somebody_arrives()
        if now >= self._next_lost:
            self._next_lost = now + _LOST_EVERY
            self.clinic.somebody_is_lost()
        del self.world.requests[:-1000]  # a demo may run for days

    async def lives(self, *, beat: float = 0.25, after_each: Callable[[], None] | None = None) -> None:
        """Run in real time until cancelled, `beat` seconds a step; `after_each` may redraw something."""
        while True:
            self.passes()
            if after_each is not None:
                after_each()
            await asyncio.sleep(beat)

    def _now(self) -> datetime:
        return utc_now() - self._behind

    def _running(self) -> int:
        return sum(row.status == "running" for row in self.world.records.activeflows)

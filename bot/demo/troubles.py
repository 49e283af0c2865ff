"""Switches that make the demo's VoIPBIN misbehave, until they are turned off again."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.demo.voipbin import faults
from bot.demo.voipbin.faults import Fault, Scripted
from bot.demo.voipbin.world import World

_STOP = "/activeflows/{id}/stop"


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
class Switches:
    """Which troubles are on."""

    world: World
    on: dict[str, list[Scripted]] = field(default_factory=dict)

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

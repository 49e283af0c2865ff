"""What VoIPBIN and the way to it may do to one request, by names that a story can draw."""

from typing import Final

from bot.demo.voipbin import faults
from bot.demo.voipbin.faults import Fault
from bot.demo.voipbin.world import World
from tests.faults.line import Break, Line

_ANSWERS: Final[dict[str, Fault]] = {
    "429": faults.status(429, "RATE_LIMIT_EXCEEDED", retry_after=2),
    "429 for long": faults.status(429, "RATE_LIMIT_EXCEEDED", retry_after=20),
    "503": faults.status(503, "REQUEST_TIMEOUT"),
    "503 after work": faults.status_after_work(503, "REQUEST_TIMEOUT"),
    "500": faults.status(500, "INTERNAL"),
    "500 after work": faults.status_after_work(500, "INTERNAL"),
    "400 after work": faults.status_after_work(400, "INVALID_ARGUMENT"),
    "401": faults.status(401, "INVALID_CREDENTIALS"),
    "403": faults.status(403, "ACCOUNT_FROZEN"),
    "slow work": faults.delay(11.0),
    "slow answer": faults.slow_answer(11.0),
    "no answer in time": faults.slow_answer(40.0),
    "gateway": faults.html(502),
    "not JSON": faults.broken_json(),
}
_PATHS: Final = {"stop": ("POST", "/activeflows/{id}/stop"), "read": ("GET", "/activeflows/{id}")}
FAULT_SWITCHES: Final = (*_ANSWERS, *Break)


def befalls(what: str, misfortune: str, world: World, line: Line) -> None:
    """It befalls the next ``"stop"`` or ``"read"`` of one activeflow."""
    if misfortune in _ANSWERS:
        world.faults.on(*_PATHS[what], _ANSWERS[misfortune])
    else:
        line.breaks[what].append(Break(misfortune))

"""What may be claimed of a scene in its end. Nothing here reads a sentence of the bot."""

from bot.demo import cast
from bot.demo.scenarios.gestures import STOP_FLOW
from bot.demo.scenarios.scene import Scene, Truth, effective
from bot.demo.voipbin.state import Activeflow

PERMANENT = 300
"""HTTP statuses from here on mean that a stop was refused, and so did nothing."""


def _all_ended(scene: Scene) -> bool:
    return all(caller.status == "ended" for caller in scene.callers)


def _once(scene: Scene, caller: Activeflow) -> bool:
    return effective(scene, caller) == 1


def _taken(scene: Scene, caller: Activeflow) -> int:
    """Stops that VoIPBIN did not refuse."""
    return sum(seen.status is None or seen.status < PERMANENT for seen in scene.posts(caller))


def _hung_up(scene: Scene) -> bool:
    return all((call := scene.world.call_of(caller)) is None or call.status == "hangup" for caller in scene.callers)


def _settled(scene: Scene) -> bool:
    return scene.newest_with(cast.OPERATOR, cast.INCIDENTS, STOP_FLOW) is None


ENDED = Truth("Every activeflow of the scenario has ended", _all_ended)
HUNG_UP = Truth("Nobody is left on the line", _hung_up)
STOPPED_ONCE = Truth(
    "VoIPBIN received one stop for each, not two",
    lambda scene: all(_once(scene, caller) and _taken(scene, caller) == 1 for caller in scene.callers),
)
FIRST_ENDED = Truth(
    "The one that was asked for has ended, by one stop",
    lambda scene: _once(scene, scene.callers[0]) and len(scene.posts(scene.callers[0])) == 1,
)
OTHERS_RUN = Truth(
    "The others were left alone",
    lambda scene: all(c.status == "running" and not scene.posts(c) for c in scene.callers[1:]),
)
NOTHING_SENT = Truth(
    "VoIPBIN received no stop, and it still runs",
    lambda scene: all(c.status == "running" and not scene.posts(c) for c in scene.callers),
)
CARD_SETTLED = Truth("The card says what became of it, and can't be pressed any more", _settled)
STILL_ASKED = Truth("The card is still there to be pressed, or left", lambda scene: not _settled(scene))
SAID_ANYWAY = Truth(
    "Where the card can't be changed, the outcome is said beside it",
    lambda scene: len([m for m in scene.sees(cast.OPERATOR, cast.INCIDENTS) if m.by_bot]) > 1,
)
AT_HOME = Truth(
    "The Home of whoever pressed says what became of it",
    lambda scene: (
        (home := scene.workspace.home_of(cast.OPERATOR)) is not None and scene.callers[0].id.hex[:8] in home.words
    ),
)
TOLD_DIRECTLY = Truth(
    "Whoever pressed reads in direct messages that it is being stopped, and what became of it",
    lambda scene: (
        len(
            [
                message
                for message in scene.sees(cast.OPERATOR, scene.workspace.direct_channel(cast.OPERATOR).id)
                if message.by_bot and scene.callers[0].id.hex[:8] in message.words
            ]
        )
        > 1
    ),
)

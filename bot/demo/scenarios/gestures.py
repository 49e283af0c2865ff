"""What people do in a scenario, and what happens to them, each in one line that can be read."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

from bot.demo import cast
from bot.demo.scenarios.scene import WITHIN, Gesture, Scene, Truth
from bot.demo.slack.messages import Message
from bot.demo.voipbin import faults

ASK_STOP, STOP_FLOW, BULK_STOP, BULK_ABORT = "activeflow.ask_stop", "stop.flow", "bulk.stop", "bulk.abort"
STOP = "/activeflows/{id}/stop"
_TOO_OLD = 5.0  # seconds after which somebody lists again


def types(user: str, line: str) -> Gesture:
    """Type a line in the incident channel; `{id}` stands for the first caller's activeflow."""

    async def act(scene: Scene) -> None:
        typed = line.replace("{id}", str(scene.callers[0].id))
        scene.read[user] = len(scene.sees(user, cast.INCIDENTS))
        await scene.workspace.types(user, cast.INCIDENTS, typed)

    return Gesture(f"{_name(user)} types {line.replace('{id}', '…')}", act)


def lists(user: str, line: str) -> Gesture:
    """Type a line that lists, again when the list was a moment too old to have the first caller in it."""

    async def act(scene: Scene) -> None:
        await _listed(scene, user, line)

    return Gesture(f"{_name(user)} types {line}", act)


def presses(user: str, action_id: str, label: str, *, of_first: bool = False) -> Gesture:
    """Press a button once it is there; `of_first`: the one of the first caller."""

    async def act(scene: Scene) -> None:
        await _pressed(scene, user, action_id, of_first=of_first)

    return Gesture(f"{_name(user)} presses {label}", act)


def press_together(users: tuple[str, ...], action_id: str, label: str) -> Gesture:
    """Several people press the same button in the same moment."""

    async def act(scene: Scene) -> None:
        await asyncio.gather(*(_pressed(scene, user, action_id, of_first=False) for user in users))

    return Gesture(f"{' and '.join(map(_name, users))} press {label} at once", act)


def sees(user: str, action_id: str, label: str) -> Gesture:
    """Wait until a button is on somebody's screen."""

    async def act(scene: Scene) -> None:
        await scene.until(lambda: scene.newest_with(user, cast.INCIDENTS, action_id))

    return Gesture(f"{_name(user)} sees {label}", act)


def sees_again(user: str, action_id: str, label: str) -> Gesture:
    """Wait until the card that was pressed was drawn anew and can be pressed again."""

    async def act(scene: Scene) -> None:
        await scene.until(lambda: scene.newest_with(user, cast.INCIDENTS, action_id) not in (None, scene.pressed))

    return Gesture(f"{_name(user)} sees {label}", act)


def opens_home(user: str) -> Gesture:
    async def act(scene: Scene) -> None:
        await scene.workspace.opens_home(user)

    return Gesture(f"{_name(user)} opens the app's Home", act)


def reads_answer(user: str) -> Gesture:
    """Wait until the bot has answered this person, in private or for all."""

    async def act(scene: Scene) -> None:
        await scene.until(lambda: len(scene.sees(user, cast.INCIDENTS)) > scene.read[user])

    return Gesture(f"{_name(user)} reads the answer", act)


def happens(told: str, do: Callable[[Scene], None]) -> Gesture:
    """Something happens."""

    async def act(scene: Scene) -> None:
        do(scene)

    return Gesture(told, act)


def so_far(truth: Truth) -> Gesture:
    """Something must be true at this point already."""

    async def act(scene: Scene) -> None:
        assert truth.holds(scene), "not so"  # noqa: S101 — as every wait of a scene fails

    return Gesture(f"So far: {truth.told}", act)


def in_time(truth: Truth) -> Gesture:
    """Wait until something is true."""

    async def act(scene: Scene) -> None:
        await scene.until(lambda: truth.holds(scene))

    return Gesture(f"Until: {truth.told}", act)


def runs_as_process() -> Gesture:
    async def act(scene: Scene) -> None:
        await scene.bot.as_process()

    return Gesture("The bot runs as a program of its own", act)


def killed_once_voipbin_has_it() -> Gesture:
    """VoIPBIN has done the stop and not answered yet; in that moment the bot is killed."""

    async def act(scene: Scene) -> None:
        await scene.holds["stop"].arrived()
        await scene.bot.kill()
        scene.holds["stop"].release()

    return Gesture("The bot is killed (SIGKILL) before VoIPBIN has answered", act)


def comes_back() -> Gesture:
    async def act(scene: Scene) -> None:
        await scene.bot.comes_back()

    return Gesture("The bot comes back, with the same ledger", act)


def holds_stop(scene: Scene) -> None:
    """From now on VoIPBIN does a stop and keeps its answer back."""
    scene.holds["stop"] = faults.hold(after_work=True)
    scene.undo.append(scene.world.faults.on("POST", STOP, scene.holds["stop"]).clear)
    scene.undo.append(scene.holds["stop"].release)


async def _listed(scene: Scene, user: str, line: str) -> None:
    value = str(scene.callers[0].id)

    def listed() -> Message | None:
        return scene.newest_with(user, cast.INCIDENTS, ASK_STOP, value)

    for seconds in (*[_TOO_OLD] * 5, WITHIN):
        await scene.workspace.types(user, cast.INCIDENTS, line)
        with suppress(AssertionError):
            await scene.workspace.until(listed, seconds=seconds)
            return
    raise AssertionError(f"nobody lists {value}")


async def _pressed(scene: Scene, user: str, action_id: str, *, of_first: bool) -> None:
    value = str(scene.callers[0].id) if of_first else None
    card: Message = await scene.until(lambda: scene.newest_with(user, cast.INCIDENTS, action_id, value))
    await asyncio.sleep(scene.beat)  # somebody reads before pressing
    scene.pressed, scene.read[user] = card, len(scene.sees(user, cast.INCIDENTS))
    await scene.workspace.clicks(user, card, action_id, value=value)


def _name(user: str) -> str:
    return cast.NAMES[user].split()[0]

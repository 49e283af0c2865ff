"""The scenarios: what is going on, what fails, who does what, and what must be true in the end."""

from collections.abc import Callable
from datetime import timedelta

from bot.demo import cast
from bot.demo.cast import APPROVER, INCIDENTS, ONCALL, OPERATOR
from bot.demo.scenarios.gestures import (
    ASK_STOP,
    BULK_STOP,
    STOP,
    STOP_FLOW,
    comes_back,
    happens,
    holds_stop,
    in_time,
    killed_once_voipbin_has_it,
    lists,
    opens_home,
    press_together,
    presses,
    reads_answer,
    runs_as_process,
    sees,
    sees_again,
    so_far,
    types,
)
from bot.demo.scenarios.scene import Scenario, Scene, Truth, effective
from bot.demo.slack import faults as slack_faults
from bot.demo.voipbin import faults
from bot.demo.voipbin.state import Activeflow, Step

# ---------------------------------------------------------------- truths
# What may be claimed of a scene in its end. Nothing here reads a sentence of the bot.

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


# ---------------------------------------------------------------- table

DESK = "+15550100002"
MENU = (Step("answer"), Step("talk", {"language": "en-GB"}), Step("digits_receive", {"length": 1, "duration": 5000}))
ASKS = types(OPERATOR, "/flows stop {id} the caller hears silence")
PRESSES = presses(OPERATOR, STOP_FLOW, "Stop flow")


def in_menu(name: str, *, count: int = 1, laps: int = 1, minutes: float = 9) -> Callable[[Scene], None]:
    """Callers who stand in the menu of a flow; with several laps they have gone round."""

    def set_up(scene: Scene) -> None:
        flow = scene.world.add_flow(name, MENU)
        began = scene.world.clock.now() - timedelta(minutes=minutes)
        scene.callers += [
            scene.world.rings(
                flow,
                at="digits_receive",
                executed=["answer", *(["talk", "digits_receive"] * (laps - 1)), "talk"],
                source=f"+1555010{number:04d}",
                destination=DESK,
                created_at=began + timedelta(seconds=number),
            )
            for number in range(1, count + 1)
        ]

    return set_up


def queue_without_agents(scene: Scene) -> None:
    """Five callers wait for an agent; nobody works tonight."""
    queue = scene.world.add_queue("Night support")
    flow = scene.world.add_flow("Night support line", [Step("answer"), Step("queue_join", {"queue_id": str(queue.id)})])
    scene.callers += [
        scene.world.rings(
            flow, at="play", executed=["answer", "queue_join", "fetch_flow", "talk"], destination=DESK,
            source=f"+1555010{number:04d}", created_at=scene.world.clock.now() - timedelta(minutes=20 + number),
        )
        for number in range(1, 6)
    ]  # fmt: skip


def campaign_of_500(scene: Scene) -> None:
    """A list was uploaded twice: twelve calls are old, the others came in the last minutes."""
    flow = scene.world.add_flow("Spring promo", MENU)
    now = scene.world.clock.now()
    old, new = now - timedelta(minutes=20), now - timedelta(minutes=3)
    rows = [
        scene.world.rings(
            flow, at="talk", direction="outgoing", source=DESK, destination=f"+1555010{number:04d}",
            created_at=(old if number <= 12 else new) + number * timedelta(0, 0, 1),
        )
        for number in range(1, 501)
    ]  # fmt: skip
    scene.callers += rows[:12]


def archives(scene: Scene) -> None:
    """Somebody archives the incident channel, the card in it."""
    channel = scene.workspace.channels[INCIDENTS]
    channel.is_archived = True
    scene.undo.append(lambda: setattr(channel, "is_archived", False))


def moves_on(scene: Scene) -> None:
    """The caller got through to somebody."""
    scene.world.moves_to(scene.callers[0], Step("confbridge_join", {"confbridge_id": str(scene.callers[0].id)}))


SCENARIOS = (
    Scenario(
        "looping-menu",
        "Night of the looping menu: three callers go round; one is stopped, the others are left alone.",
        world=in_menu("Night menu", count=3, laps=9),
        story=(
            lists(OPERATOR, '/flows list flow:"Night menu"'),
            presses(OPERATOR, ASK_STOP, "Stop…", of_first=True),
            PRESSES,
        ),
        must=(FIRST_ENDED, OTHERS_RUN, CARD_SETTLED),
    ),
    Scenario(
        "no-agents",
        "A queue with no agents: five callers wait, all are stopped, by two people.",
        world=queue_without_agents,
        story=(
            types(OPERATOR, '/flows stop all flow:"Night support line" nobody works tonight'),
            presses(APPROVER, BULK_STOP, "Stop all"),
        ),
        must=(ENDED, STOPPED_ONCE, HUNG_UP),
    ),
    Scenario(
        "campaign",
        "A campaign gone wild: 500 calls are more than may be stopped at once; the twelve oldest are.",
        world=campaign_of_500,
        story=(
            types(OPERATOR, '/flows stop all flow:"Spring promo" uploaded twice'),
            reads_answer(OPERATOR),
            types(OPERATOR, '/flows stop all flow:"Spring promo" older:10m uploaded twice'),
            presses(APPROVER, BULK_STOP, "Stop all"),
        ),
        must=(ENDED, STOPPED_ONCE, HUNG_UP),
    ),
    Scenario(
        "slow-voipbin",
        (
            "VoIPBIN takes 3 s for every answer: what was looked at is too old, so nothing is "
            "sent; once it is quick, it is."
        ),
        world=in_menu("Main line"),
        voipbin=(("*", "*", faults.delay(3.0), None),),
        story=(
            ASKS,
            PRESSES,
            sees_again(OPERATOR, STOP_FLOW, "that nothing was sent"),
            happens("VoIPBIN answers quickly again", Scene.eases),
            PRESSES,
        ),
        must=(ENDED, STOPPED_ONCE, CARD_SETTLED),
    ),
    Scenario(
        "lost-answer",
        "The answer to the stop is lost: the bot looks instead of guessing, and sends no second one.",
        world=in_menu("Main line"),
        voipbin=(("POST", STOP, faults.lose_answer(), 1),),
        story=(ASKS, PRESSES),
        must=(ENDED, STOPPED_ONCE, CARD_SETTLED),
    ),
    Scenario(
        "429-storm",
        "VoIPBIN refuses request after request with 429: refused stops did nothing, one goes through.",
        world=in_menu("Main line"),
        voipbin=(
            ("POST", STOP, faults.status(429, "RATE_LIMIT_EXCEEDED", retry_after=1), 2),
            ("GET", "/activeflows/{id}", faults.status(429, "RATE_LIMIT_EXCEEDED", retry_after=1), 3),
            ("GET", "/calls/{id}", faults.status(429, "RATE_LIMIT_EXCEEDED", retry_after=1), 3),
        ),
        story=(ASKS, PRESSES),
        must=(ENDED, STOPPED_ONCE, CARD_SETTLED),
    ),
    Scenario(
        "two-press",
        "Two people press at once: one stop is sent, and both read whose it was.",
        world=in_menu("Main line"),
        story=(ASKS, press_together((OPERATOR, ONCALL), STOP_FLOW, "Stop flow")),
        must=(FIRST_ENDED, STOPPED_ONCE, CARD_SETTLED),
    ),
    Scenario(
        "killed",
        "The bot is killed in the middle of a stop and comes back: it finds out what became of it.",
        world=in_menu("Main line"),
        story=(
            runs_as_process(),
            ASKS,
            sees(OPERATOR, STOP_FLOW, "the stop card"),
            happens("VoIPBIN carries the next stop out and keeps its answer back", holds_stop),
            PRESSES,
            killed_once_voipbin_has_it(),
            comes_back(),
        ),
        must=(ENDED, STOPPED_ONCE, CARD_SETTLED),
    ),
    Scenario(
        "moved-on",
        "The caller moves on between look and press: the bot asks again and sends nothing.",
        world=in_menu("Main line"),
        story=(
            ASKS,
            sees(OPERATOR, STOP_FLOW, "the stop card"),
            happens("The caller gets through to somebody", moves_on),
            PRESSES,
            sees_again(OPERATOR, STOP_FLOW, "what the caller does now"),
        ),
        must=(STILL_ASKED, NOTHING_SENT),
    ),
    Scenario(
        "slow-slack",
        "Slack takes 2 s for every message: the stop does not wait for it.",
        world=in_menu("Main line"),
        slack=tuple((method, slack_faults.delay(2.0), None) for method in ("chat.postMessage", "chat.update")),
        story=(ASKS, PRESSES),
        must=(ENDED, STOPPED_ONCE, CARD_SETTLED),
    ),
    Scenario(
        "no-edits",
        "Slack refuses every edit: the stop is carried out, and its outcome is said beside the card.",
        world=in_menu("Main line"),
        slack=(
            ("chat.update", slack_faults.error("cant_update_message"), None),
            ("response_url", slack_faults.status(404, b"expired_url"), None),
        ),
        story=(ASKS, PRESSES),
        must=(ENDED, STOPPED_ONCE, SAID_ANYWAY),
    ),
    Scenario(
        "archived",
        (
            "The channel is archived with the card in it: it can't be changed; a direct message "
            "and the Home say what became of it."
        ),
        world=in_menu("Main line"),
        story=(
            ASKS,
            sees(OPERATOR, STOP_FLOW, "the stop card"),
            happens("Somebody archives #incidents", archives),
            PRESSES,
            in_time(TOLD_DIRECTLY),
            opens_home(OPERATOR),
        ),
        must=(ENDED, STOPPED_ONCE, TOLD_DIRECTLY, AT_HOME),
    ),
    Scenario(
        "no-groups",
        "User groups can't be read: who may stop only as a member of one may not; others may.",
        world=in_menu("Main line"),
        slack=(("usergroups.users.list", slack_faults.error("internal_error"), None),),
        story=(
            ASKS,
            sees(ONCALL, STOP_FLOW, "the stop card"),
            presses(ONCALL, STOP_FLOW, "Stop flow"),
            reads_answer(ONCALL),
            so_far(NOTHING_SENT),
            PRESSES,
        ),
        must=(ENDED, STOPPED_ONCE, CARD_SETTLED),
    ),
)
"""In the order in which they are offered."""

BY_NAME = {scenario.name: scenario for scenario in SCENARIOS}

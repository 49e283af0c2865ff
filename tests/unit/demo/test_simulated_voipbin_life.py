"""Living activeflows in the simulated VoIPBIN, driven by a clock in the test's hand."""

from datetime import timedelta

import pytest

from bot.demo.voipbin.clock import Clock, StandingClock
from bot.demo.voipbin.state import Activeflow, Step
from bot.demo.voipbin.town import Town
from bot.demo.voipbin.world import World


def steps_taken(activeflow: Activeflow) -> list[str]:
    return [step.type for step in activeflow.executed_actions]


def passes(world: World, clock: StandingClock, seconds: float) -> None:
    clock.passes(seconds)
    world.tick()


def test_it_moves_through_its_steps_and_the_call_ends_with_it(world: World, clock: StandingClock) -> None:
    flow = world.add_flow("Hello", [Step("answer"), Step("talk", lasts=3), Step("play", lasts=5)])
    activeflow = world.rings(flow, lives=True)
    assert activeflow.current_action.id.int == 1
    world.tick()
    assert (activeflow.current_action.type, steps_taken(activeflow)) == ("talk", ["", "answer"])
    passes(world, clock, 3)
    assert activeflow.current_action.type == "play"
    passes(world, clock, 6)
    assert (activeflow.status, steps_taken(activeflow)) == ("ended", ["", "answer", "talk", "play"])
    call = world.call_of(activeflow)
    assert call is not None
    assert call.status == "hangup"


def test_what_does_not_live_stands_still(world: World, clock: StandingClock) -> None:
    activeflow = world.rings(world.add_flow("Hello", [Step("answer"), Step("talk"), Step("play")]))
    passes(world, clock, 3600)
    assert (activeflow.status, activeflow.current_action.type) == ("running", "talk")


def test_a_long_absence_of_the_clock_gives_the_same_story_as_many_short_ones() -> None:
    stories = []
    for beats in (1, 60):
        clock = StandingClock()
        world = World(now=clock)
        begun = clock()
        flow = world.add_flow("Hello", [Step("answer"), Step("talk", lasts=7), Step("play", lasts=11)])
        activeflow = world.rings(flow, lives=True)
        for _ in range(beats):
            passes(world, clock, 60 / beats)
        moments = [round((change.at - begun).total_seconds()) for change in world.records.timeline[activeflow.id]]
        stories.append((steps_taken(activeflow), moments))
    assert stories[0] == stories[1]


def test_a_queue_runs_its_wait_flow_in_laps_until_somebody_answers(world: World, clock: StandingClock) -> None:
    waiting = world.add_flow("Waiting", [Step("talk", lasts=2), Step("play", lasts=3)])
    lap = Step("fetch_flow", {"flow_id": str(waiting.id)})
    join = Step("queue_join", pushes=(lap, Step("empty", next_id=lap.id)), answered_after=12)
    activeflow = world.rings(world.add_flow("Support", [Step("answer"), join, Step("talk", lasts=4)]), lives=True)
    passes(world, clock, 11)
    assert steps_taken(activeflow).count("fetch_flow") == 3
    passes(world, clock, 2)
    assert activeflow.current_action.type == "confbridge_join"
    assert steps_taken(activeflow)[-1] in ("talk", "play")
    passes(world, clock, 60)
    assert (activeflow.status, activeflow.current_action.type) == ("running", "talk")


def test_a_queue_nobody_answers_runs_out_of_steps_and_drops_the_caller(world: World, clock: StandingClock) -> None:
    waiting = world.add_flow("Waiting", [Step("play", lasts=1)])
    lap = Step("fetch_flow", {"flow_id": str(waiting.id)})
    join = Step("queue_join", pushes=(lap, Step("empty", next_id=lap.id)))
    activeflow = world.rings(world.add_flow("Support", [join]), lives=True)
    passes(world, clock, 120)
    call = world.call_of(activeflow)
    assert (activeflow.status, len(activeflow.executed_actions)) == ("ended", 101)
    assert call is not None
    assert call.status == "hangup"


@pytest.mark.parametrize(("kind", "skipped"), [("call", "block"), ("conversation", "talk")])
def test_a_step_of_the_wrong_class_is_skipped_but_counted(world: World, kind: str, skipped: str) -> None:
    flow = world.add_flow("Mixed", [Step(skipped, lasts=50), Step("message_send", lasts=50)])
    activeflow = world.rings(flow, reference_type=kind, lives=True)
    world.tick()
    assert (activeflow.current_action.type, steps_taken(activeflow)) == ("message_send", ["", skipped])


def test_a_goto_loops_as_often_as_it_says(world: World, clock: StandingClock) -> None:
    play = Step("play", lasts=1)
    flow = world.add_flow("Loop", [play, Step("goto", {"target_id": str(play.id), "loop_count": 2})])
    activeflow = world.rings(flow, lives=True)
    passes(world, clock, 10)
    assert steps_taken(activeflow) == ["", "play", "goto", "play", "goto", "play", "goto"]


def test_a_branch_jumps_to_one_of_its_targets(world: World) -> None:
    talk, play = Step("talk"), Step("play")
    flow = world.add_flow("Menu", [Step("branch", {"target_ids": {"default": str(play.id)}}), talk, play])
    activeflow = world.rings(flow, lives=True)
    world.tick()
    assert activeflow.current_action is play


def test_an_on_complete_child_of_a_call_gets_stuck_at_its_first_media_step(world: World, clock: StandingClock) -> None:
    child_flow = world.add_flow("Survey", [Step("variable_set"), Step("talk", lasts=2)])
    parent = world.rings(world.add_flow("Support", on_complete=child_flow))
    world.stop(parent)
    passes(world, clock, 600)
    (child,) = world.children_of(parent)
    assert (child.status, child.current_action.type) == ("running", "talk")


def test_an_outgoing_call_runs_its_flow_only_once_somebody_answers(world: World, clock: StandingClock) -> None:
    flow = world.add_flow("Reminder", [Step("talk", lasts=20)])
    activeflow = world.dials(flow, source="+15550100002", destination="+15550100099", answers_after=6)
    seen = []
    for _ in range(4):
        call = world.call_of(activeflow)
        assert call is not None
        seen.append((call.status, activeflow.current_action.type))
        passes(world, clock, 2)
    assert seen == [("dialing", ""), ("ringing", ""), ("ringing", ""), ("progressing", "talk")]


def test_planned_things_happen_in_order_each_at_its_own_instant() -> None:
    now = StandingClock()
    clock = Clock(now)
    begun = now()
    happened: list[tuple[str, timedelta]] = []
    clock.after(5, lambda: happened.append(("five", clock.time() - begun)))
    clock.after(2, lambda: clock.after(1, lambda: happened.append(("three", clock.time() - begun))))
    clock.after(9, lambda: happened.append(("nine", clock.time() - begun)))
    now.passes(8)
    clock.tick()
    assert happened == [("three", timedelta(seconds=3)), ("five", timedelta(seconds=5))]


def test_the_town_has_a_past_and_somebody_running_when_its_doors_open() -> None:
    town = Town(past=timedelta(minutes=3))
    rows = list(town.world.records.activeflows)
    statuses = {row.status for row in rows}
    assert statuses == {"running", "ended"}
    assert all(row.tm_create <= town.world.clock.now() for row in rows)
    assert min(row.tm_create for row in rows) < town.world.clock.now() - timedelta(minutes=2)

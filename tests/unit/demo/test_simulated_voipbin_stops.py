"""What a stop does in the simulated VoIPBIN: to the activeflow, to the caller, and what it starts."""

from collections.abc import Callable
from uuid import uuid4

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.demo.voipbin.clock import StandingClock
from bot.demo.voipbin.records import Changed
from bot.demo.voipbin.state import START, Activeflow, Step
from bot.demo.voipbin.world import World


async def stopped(api: httpx.AsyncClient, activeflow: Activeflow) -> dict[str, object]:
    answer = await api.post(f"/activeflows/{activeflow.id}/stop")
    assert answer.status_code == 200
    body: dict[str, object] = answer.json()
    return body


async def test_a_stop_ends_at_once_and_leaves_the_current_action_where_it_was(
    world: World, api: httpx.AsyncClient
) -> None:
    activeflow = world.rings(at="play", executed=["answer", "talk"])
    body = await stopped(api, activeflow)
    assert body["status"] == "ended"
    assert body["current_action"]["type"] == "play"  # type: ignore[index]  # JSON
    assert len(body["executed_actions"]) == 3  # type: ignore[arg-type]  # JSON
    assert (await api.get(f"/activeflows/{activeflow.id}")).json() == body


async def test_the_caller_is_hung_up_a_little_later(world: World, api: httpx.AsyncClient, clock: StandingClock) -> None:
    activeflow = world.rings()
    await stopped(api, activeflow)
    call = await api.get(f"/calls/{activeflow.reference_id}")
    assert call.json()["status"] == "terminating"
    clock.passes(1)
    call = await api.get(f"/calls/{activeflow.reference_id}")
    assert (call.json()["status"], call.json()["hangup_by"], call.json()["hangup_reason"]) == (
        "hangup",
        "local",
        "normal",
    )
    assert "tm_hangup" in call.json()


async def test_an_outgoing_call_nobody_answered_is_canceled(world: World, api: httpx.AsyncClient) -> None:
    activeflow = world.rings(direction="outgoing", call_status="ringing")
    await stopped(api, activeflow)
    call = (await api.get(f"/calls/{activeflow.reference_id}")).json()
    assert call["status"] == "canceling"
    assert "tm_progressing" not in call


async def test_a_lost_event_leaves_the_call_up_until_it_is_hung_up_by_hand(
    world: World, api: httpx.AsyncClient, clock: StandingClock
) -> None:
    world.telephony.loses_hangups = True
    activeflow = world.rings()
    await stopped(api, activeflow)
    clock.passes(60)
    assert (await api.get(f"/calls/{activeflow.reference_id}")).json()["status"] == "progressing"
    assert (await api.post(f"/calls/{activeflow.reference_id}/hangup")).json()["status"] == "terminating"
    assert (await api.post(f"/calls/{activeflow.reference_id}/hangup")).json()["status"] == "terminating"


async def test_the_on_complete_flow_starts_with_the_same_reference_and_its_parents_id(
    world: World, api: httpx.AsyncClient
) -> None:
    survey = world.add_flow("Survey", [Step("variable_set"), Step("message_send", lasts=5)])
    activeflow = world.rings(world.add_flow("Support", on_complete=survey))
    await stopped(api, activeflow)
    child = (await api.get("/activeflows")).json()["result"][0]
    assert child["flow_id"] == str(survey.id)
    assert child["reference_activeflow_id"] == str(activeflow.id)
    assert (child["reference_type"], child["reference_id"]) == ("call", str(activeflow.reference_id))
    assert child["current_action"]["type"] == "message_send"


async def test_a_second_stop_answers_the_unchanged_record_and_starts_nothing(
    world: World, api: httpx.AsyncClient, clock: StandingClock
) -> None:
    activeflow = world.rings(world.add_flow("Support", on_complete=world.add_flow("Survey")))
    first = await stopped(api, activeflow)
    clock.passes(5)
    assert await stopped(api, activeflow) == first
    assert len(world.children_of(activeflow)) == 1
    assert [stop.changed for stop in world.stops] == [True, False]


async def test_delete_stops_first_and_answers_with_the_deleted_record(world: World, api: httpx.AsyncClient) -> None:
    survey = world.add_flow("Survey")
    activeflow = world.rings(world.add_flow("Support", on_complete=survey))
    answer = await api.delete(f"/activeflows/{activeflow.id}")
    assert answer.status_code == 200
    assert answer.json()["status"] == "ended"
    assert answer.json()["tm_delete"] is not None
    assert len(world.children_of(activeflow)) == 1
    again = await api.delete(f"/activeflows/{activeflow.id}")
    assert (again.status_code, again.json()["error"]["reason"]) == (404, "RESOURCE_NOT_FOUND")


async def test_nobody_reacts_to_the_stop_of_a_conversation(world: World, api: httpx.AsyncClient) -> None:
    activeflow = world.rings(reference_type="conversation", at="block")
    assert (await stopped(api, activeflow))["reference_type"] == "conversation"
    assert world.call_of(activeflow) is None


def test_a_caller_who_hangs_up_ends_the_activeflow_where_it_stands(world: World) -> None:
    activeflow = world.rings(world.add_flow("Support", on_complete=world.add_flow("Survey")), at="play")
    world.caller_hangs_up(activeflow)
    call = world.call_of(activeflow)
    assert call is not None
    assert (call.status, call.hangup_by) == ("hangup", "remote")
    assert (activeflow.status, activeflow.current_action.type) == ("ended", "play")
    assert len(world.children_of(activeflow)) == 1


def test_a_natural_end_leaves_the_finish_marker_as_the_current_action(world: World, clock: StandingClock) -> None:
    activeflow = world.rings(at="talk")
    world.ends(activeflow)
    clock.passes(1)
    call = world.call_of(activeflow)
    assert (activeflow.status, activeflow.current_action.id.int, activeflow.current_action.type) == ("ended", 2, "")
    assert activeflow.executed_actions[-1].type == "talk"
    assert call is not None
    assert call.status == "hangup"


def test_the_move_after_a_hundred_and_one_is_refused_and_ends_the_flow(world: World) -> None:
    activeflow = world.rings(at=START)
    for lap in range(101):
        world.moves_to(activeflow, Step("play", {"lap": lap}))
        assert activeflow.status == "running"
    world.moves_to(activeflow, "talk")
    assert (activeflow.status, activeflow.current_action.type) == ("ended", "play")
    assert len(activeflow.executed_actions) == 101


def test_freezing_a_customer_hangs_up_its_live_calls(world: World, clock: StandingClock) -> None:
    mine, theirs = world.rings(), world.rings(customer=world.add_customer("Somebody else"))
    world.freezes(world.customer)
    clock.passes(1)
    assert (world.activeflow(mine.id).status, world.activeflow(theirs.id).status) == ("ended", "running")


async def test_a_stale_cache_answers_what_was_until_it_catches_up(world: World, api: httpx.AsyncClient) -> None:
    activeflow = world.rings()
    catches_up = world.reads_stale(activeflow)
    await stopped(api, activeflow)
    assert (await api.get(f"/activeflows/{activeflow.id}")).json()["status"] == "running"
    assert (await api.get("/activeflows")).json()["result"][0]["status"] == "ended"
    catches_up()
    assert (await api.get(f"/activeflows/{activeflow.id}")).json()["status"] == "ended"


def test_what_never_existed_is_a_key_error(world: World) -> None:
    with pytest.raises(KeyError):
        world.activeflow(uuid4())


HAPPENINGS = st.lists(st.sampled_from(["moves", "ends", "stops", "hangs up", "time", "deletes"]), max_size=30)


@given(happenings=HAPPENINGS)
def test_ended_is_final_and_every_change_is_told_in_order(happenings: list[str]) -> None:
    clock = StandingClock()
    world = World(now=clock)
    told: list[Changed] = []
    world.subscribe(told.append)
    activeflow = world.rings(world.add_flow("Support", on_complete=world.add_flow("Survey")), at="talk")
    acts: dict[str, Callable[[], object]] = {
        "moves": lambda: world.moves_to(activeflow, "play"),
        "ends": lambda: world.ends(activeflow),
        "stops": lambda: world.telephony.stops(activeflow),
        "hangs up": lambda: world.caller_hangs_up(activeflow),
        "time": lambda: clock.passes(1),
        "deletes": lambda: world.telephony.deletes(activeflow),
    }
    for happening in happenings:
        acts[happening]()
        world.tick()
    own = [c.resource for c in told if isinstance(c.resource, Activeflow) and c.resource.id == activeflow.id]
    statuses = [resource.status for resource in own]
    assert statuses == sorted(statuses, key=["running", "ended"].index)
    stamps = [resource.tm_delete or resource.tm_update or resource.tm_create for resource in own]
    assert stamps == sorted(set(stamps))
    assert len(world.children_of(activeflow)) == (1 if activeflow.status == "ended" else 0)
